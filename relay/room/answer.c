/*
 * room/answer.c: operations published from the answer to a submission, a moment
 * before the stream shows them.
 *
 * Invariant: no member is sent an operation that was committed after their right
 * to read was taken away.  The stream ensures it, because a change of members
 * precedes the operations that follow it there; an answer could overtake the
 * change.  So an answer gives the number of changes of members, since the document
 * began, that may have taken a right away, and the room stores the number that the
 * stream has shown: equal numbers mean that no change is between the two.
 * Otherwise the operation waits for the stream.  When the stream shows that
 * operation it has shown every change before it, so the new number is stored.
 */
#include "room/state.h"

void
room_synced_reset(struct room *room)
{
	room->synced = (struct room_synced)
	{
		.changes = -1
	};
}

void
room_note_streamed(struct room *room, int64_t version)
{
	struct room_synced *synced = &room->synced;

	if (version > synced->streamed)
		synced->streamed = version;
	if (synced->next_version == 0 || version < synced->next_version)
		return;
	synced->changes = synced->next_changes;
	synced->next_version = 0;
}

/* Store a number of changes now if the stream has shown the version, else when it does. */
static void
expect(struct room *room, int64_t version, int64_t member_changes)
{
	room->synced.next_version = version;
	room->synced.next_changes = member_changes;
	if (version <= room->synced.streamed)
		room_note_streamed(room, version);
}

/* Publish an answered operation, if no change of members can precede it. */
static void
publish_answer(struct room *room, const struct room_answer *answer)
{
	if (answer->member_changes < 0)
		return;
	if (answer->member_changes != room->synced.changes)
	{
		expect(room, answer->revision.version, answer->member_changes);
		return;
	}
	if (!room->open || room->suspect.on || answer->revision.version != room_head(room) + 1)
		return;
	room->rooms->metrics->ops_from_answers++;
	room_publish(room, answer->entry, answer->entry_len, 0);
	room_merge_pending(room);
}

/* Take an operation from the answer to its submission. */
void
rooms_answer(struct rooms *rooms, const struct uuid *doc, const struct room_answer *answer)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	/* of another document, which has the id now or had it before */
	if (room == NULL || (room->open && !uuid_equal(&answer->revision.life, &room->life.current)))
		return;
	room_gap_note(&room->gap, answer->revision.version);
	room_note_known(room, &answer->revision);
	publish_answer(room, answer);
	if (!answer->streamed)
		room_close_gap(room);
}
