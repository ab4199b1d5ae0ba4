/*
 * room/answer.c: operations published from the answer to a submission, a moment
 * before the stream shows them.
 *
 * Invariant: nobody is shown an operation that was committed after his right to
 * read was taken away. The stream keeps it, for there a change of members stands
 * before the operations that follow it; an answer could overtake the change. So
 * an answer tells how many changes of members its document has had, ever, that
 * may have taken a right, and the room remembers the number that the stream has
 * told of: equal numbers mean that none stands between. Otherwise the operation
 * waits for the stream, which settles the new number, since whatever is shown
 * after the operation that was answered with it has every change before it told.
 */
#include "room/state.h"

/* Nothing is known of changes: there may be another history, or a new stream. */
void
room_unsettle(struct room *room)
{
	room->streamed = 0;
	room->settled = -1;
	room->unsettled = 0;
}

/* The stream has shown a version, and before it all changes of members that precede it. */
void
room_note_streamed(struct room *room, int64_t version)
{
	if (version > room->streamed)
		room->streamed = version;
	if (room->unsettled == 0 || version < room->unsettled)
		return;
	room->settled = room->unsettled_changes;
	room->unsettled = 0;
}

/* Settle a number of changes now, if the stream is there already, or when it comes to the version. */
static void
settle(struct room *room, int64_t version, int64_t member_changes)
{
	room->unsettled = version;
	room->unsettled_changes = member_changes;
	if (version <= room->streamed)
		room_note_streamed(room, version);
}

/* Publish an answered operation, if nothing can stand before it. */
static void
publish_answer(struct room *room, const struct room_answer *answer)
{
	if (answer->member_changes < 0)
		return;
	if (answer->member_changes != room->settled)
	{
		settle(room, answer->mark.version, answer->member_changes);
		return;
	}
	if (!room->open || room->doubtful || answer->mark.version != room_head(room) + 1)
		return;
	room->rooms->metrics->ops_from_answers++;
	room_publish(room, answer->entry, answer->entry_len, 0);
	room_merge_ahead(room);
}

/* Take an operation from the answer to its submission. */
void
rooms_answer(struct rooms *rooms, const struct uuid *doc, const struct room_answer *answer)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	/* of another document, which has the id now or had it before */
	if (room == NULL || (room->open && !uuid_equal(&answer->mark.life, &room->life)))
		return;
	if (room->want < answer->mark.version)
		room->want = answer->mark.version;
	room_note_known(room, &answer->mark);
	publish_answer(room, answer);
	if (!answer->streamed)
		room_close_gap(room);
}
