/*
 * room/feed.c: operations that come to a room, from the stream and from the
 * tables, and the rule of contiguous versions: an open room publishes exactly the
 * operation that makes head + 1.
 */
#include "room/state.h"

#include <string.h>

/* Begin anew after a version; members that are behind it read the tables. */
static void
skip_to(struct room *room, int64_t version)
{
	room_flush(room);
	ring_reset(&room->ring, version);
	room_count(room);
	room_all_fall_behind(room);
}

/* Take the operation that follows the head: send it, or let each member read it. */
static void
take_next(struct room *room, const struct event *event)
{
	struct revision revision;

	if (!event->withheld)
		room_publish(room, event->entry, event->entry_len, event->committed_us);
	else
	{
		if (protocol_entry_revision(event->entry, event->entry_len, &revision))
			room_note_known(room, &revision);
		skip_to(room, event->version);
	}
	room_merge_pending(room);
}

/* Take an operation from the stream. */
void
rooms_event(struct rooms *rooms, const struct event *event)
{
	struct room *room = doc_map_find(&rooms->map, &event->doc);

	if (room == NULL)
	{
		rooms_note_seen(rooms, &event->doc, event->version, event->sequence_id);
		return;
	}
	if (!room_may_have(room, event))
	{
		room_ask_again(room);
		return;
	}
	if (event->sequence_id > room->newest_seq)
		room->newest_seq = event->sequence_id;
	room_gap_note(&room->gap, event->version);
	room_note_streamed(room, event->version);
	if (room->open && event->version <= room_head(room))
	{
		room_measure_late(room, event);
		return;
	}
	if (room->open && !room->suspect.on && event->version == room_head(room) + 1)
	{
		take_next(room, event);
		return;
	}
	if (!event->withheld)
		room_keep_pending(room, event);
	room_close_gap(room);
}

/* Publish the entries of an ops message that follow the head. */
static void
publish_entries(struct room *room, const char *list, size_t len)
{
	const char *entry;
	size_t		entry_len;
	int64_t		version;

	while (protocol_next_entry(&list, &len, &entry, &entry_len))
	{
		if (protocol_entry_version(entry, entry_len, &version) && version == room_head(room) + 1)
			room_publish(room, entry, entry_len, 0);
	}
}

/* Take a ready message that the tables gave for this document. */
void
rooms_frame(struct rooms *rooms, const struct uuid *doc, int64_t from, const struct revision *revision,
			bool composed, const char *frame, size_t len)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->open || revision->version <= room_head(room) || from > room_head(room) ||
		!uuid_equal(&revision->life, &room->life.current))
		return;
	room_note_known(room, revision);
	rooms->callbacks.from_tables(rooms->callbacks.arg, doc);
	if (!composed)
		publish_entries(room, frame + OPS_OPEN_LEN, len - OPS_OPEN_LEN - OPS_CLOSE_LEN);
	else
		skip_to(room, revision->version);
	room_merge_pending(room);
}

/* End a fetch; where the tables cannot give what is missing, each member asks for itself. */
void
rooms_fetched(struct rooms *rooms, const struct uuid *doc, bool readable)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->gap.fetching)
		return;
	room->gap.fetching = false;
	if (!readable)
	{
		skip_to(room, room->gap.want);
		room_merge_pending(room);
	}
	room_gap_fetched(room);
}

/* Note a version of the tables that a member was sent; the first one opens the room. */
enum room_open_result
room_open(struct room_member *member, const struct revision *revision)
{
	struct room *room = member->room;
	enum room_open_result result = room_check_life(room, &revision->life);
	int64_t		seen;

	if (result != ROOM_OPEN)
		return result;
	room->life.current = revision->life;
	room_note_known(room, revision);
	if (room->open)
		return ROOM_OPEN;
	room->open = true;
	ring_reset(&room->ring, revision->version);
	room_count(room);
	room->known.life = room->life.current;
	room_drop_others(room);
	seen = rooms_seen(room->rooms, &room->node.id, &room->life.current);
	room_gap_note(&room->gap, seen);
	room_merge_pending(room);
	room_close_gap(room);
	return ROOM_OPEN;
}
