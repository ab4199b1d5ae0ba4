/*
 * room/doubt.c: whether the database still has what rooms hold.
 *
 * A connection that comes back may lead to a PostgreSQL that has lost its last
 * commits: after a crash with synchronous_commit off, or on a standby that was
 * promoted. Then the same version numbers are, or will be, other operations',
 * and the rule of contiguous versions alone would mix two histories. So from
 * any new connection on, every room is in doubt: it shows nothing and takes
 * nothing from the stream, until the tables were asked for the highest version
 * that anybody here holds, and what made it. Where that is gone the room is
 * emptied and its members begin anew.
 */
#include "room/state.h"

#include <string.h>

/* End a room's doubt. */
static void
settle(struct room *room)
{
	room->rooms->doubtful -= room->doubtful;
	room->doubtful = false;
}

/* Forget all operations; the next one who joins opens the room. */
void
room_empty(struct room *room)
{
	struct rooms *rooms = room->rooms;

	settle(room);
	room_unsettle(room);
	if (rooms->shared_room == room)
		rooms_drop_shared(rooms);
	frame_unref(room->building);
	room->building = NULL;
	room->cut_count = 0;
	rooms->metrics->ring_bytes -= room->ring.bytes;
	ring_reset(&room->ring, 0);
	ring_reset(&room->ahead, 0);
	room->open = false;
	room->want = 0;
	room->newest_seq = 0;
	room->attempts = 0;
	memset(&room->known, 0, sizeof(room->known));
	memset(&room->life, 0, sizeof(room->life));
}

/* Doubt a room; what waits ahead in it may be another history's. */
static void
doubt(struct room *room)
{
	room_unsettle(room);
	room->ended = false;		/* perhaps not in this history */
	ring_reset(&room->ahead, 0);
	if (room->users == 0)
		room_empty(room);
	if (!room->open || room->doubtful)
		return;
	room->doubtful = true;
	room->rooms->doubtful++;
}

/* Doubt every room. */
void
rooms_doubt(struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
			doubt((struct room *) n);
	}
}

/* Tell how many rooms are in doubt. */
uint32_t
rooms_doubtful(const struct rooms *rooms)
{
	return rooms->doubtful;
}

/* Tell whether a document's room is. */
bool
rooms_is_doubtful(const struct rooms *rooms, const struct uuid *doc)
{
	const struct room *room = doc_map_find(&rooms->map, doc);

	return room != NULL && room->doubtful;
}

/* The tables have what the room holds: go on. */
void
rooms_trust(struct rooms *rooms, const struct uuid *doc)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->doubtful)
		return;
	settle(room);
	for (struct room_member *m = room->live; m != NULL; m = m->next)
	{
		if (m->cursor < ring_head(&room->ring))
			room_fall_behind(m);
	}
	room_merge_ahead(room);
	room_close_gap(room);
}

/* The tables have not: begin anew. */
void
rooms_lose(struct rooms *rooms, const struct uuid *doc)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->open)
		return;
	room_empty(room);
	rooms_forget_seen(rooms, doc);
	rooms->metrics->rooms_lost++;
	rooms->callbacks.lost(rooms->callbacks.arg, doc);
}
