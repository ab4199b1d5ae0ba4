/*
 * room/suspect.c: whether the database still has what rooms have.
 *
 * A connection that comes back may lead to a PostgreSQL that has lost its last
 * commits: after a crash with synchronous_commit off, or on a standby that was
 * promoted.  Then the same version numbers are, or will be, other operations',
 * and the rule of contiguous versions alone would mix two histories.  So from
 * any new connection on, every room is suspect: it sends nothing and publishes
 * nothing from the stream, until the tables were asked for the highest version
 * that the room or a member has, and for the operation that made it.  Where that
 * is lost the room is emptied and its members join anew.
 */
#include "room/state.h"

#include <string.h>

/* End the suspicion, whatever the outcome. */
static void
end_suspicion(struct room *room)
{
	room->rooms->suspect_count -= room->suspect.on;
	room->suspect.on = false;
}

void
room_empty(struct room *room)
{
	struct rooms *rooms = room->rooms;

	end_suspicion(room);
	room_synced_reset(room);
	rooms_drop_shared(rooms, room);
	room_drop_batch(room);
	ring_reset(&room->ring, 0);
	ring_reset(&room->pending.ring, 0);
	room_count(room);
	room->open = false;
	room->gap.want = 0;
	room->gap.attempts = 0;
	room->newest_seq = 0;
	memset(&room->known, 0, sizeof(room->known));
	memset(&room->life.current, 0, sizeof(room->life.current));
}

/* Suspect a room; its pending operations may be another history's. */
static void
suspect(struct room *room)
{
	room_synced_reset(room);
	room->life.ended = false;	/* perhaps not in this history */
	ring_reset(&room->pending.ring, 0);
	room_count(room);
	if (room->users == 0)
		room_empty(room);
	if (!room->open || room->suspect.on)
		return;
	room->suspect.on = true;
	room->rooms->suspect_count++;
}

/* Suspect every room. */
void
rooms_suspect(struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
			suspect((struct room *) n);
	}
}

/* Return the number of suspect rooms. */
uint32_t
rooms_suspect_count(const struct rooms *rooms)
{
	return rooms->suspect_count;
}

/* Return true if a document's room is suspect. */
bool
rooms_is_suspect(const struct rooms *rooms, const struct uuid *doc)
{
	const struct room *room = doc_map_find(&rooms->map, doc);

	return room != NULL && room->suspect.on;
}

bool
rooms_is_at(const struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	const struct room *room = doc_map_find(&rooms->map, doc);

	return room != NULL && room->open && uuid_equal(&room->life.current, life);
}

/* The tables have what the room has: go on. */
void
rooms_confirm(struct rooms *rooms, const struct uuid *doc)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->suspect.on)
		return;
	end_suspicion(room);
	room_all_fall_behind(room);
	room_merge_pending(room);
	room_close_gap(room);
}

/* The tables have lost it: empty the room, so that its members join anew. */
void
rooms_reset(struct rooms *rooms, const struct uuid *doc)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->open)
		return;
	room_empty(room);
	rooms_forget_seen(rooms, doc);
	rooms->metrics->rooms_lost++;
	rooms->callbacks.lost(rooms->callbacks.arg, doc);
}
