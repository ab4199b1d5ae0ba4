/*
 * room/room.c: what every feature of a room uses: its bounds, the highest
 * version that it or a member has, and members that fall behind.
 *
 * An open room has the document at one version, its head, and takes exactly the
 * operation that makes head + 1 (feed.c).
 */
#include "room/state.h"

/* Count what the rings of a room hold, after any change. */
void
room_count(struct room *room)
{
	struct metrics *m = room->rooms->metrics;
	size_t		bytes = room->ring.bytes + room->pending.ring.bytes;
	uint32_t	entries = room->ring.count + room->pending.ring.count;

	m->ring_bytes += bytes - room->counted_bytes;
	m->ring_entries += (uint64_t) entries - room->counted_entries;
	room->counted_bytes = bytes;
	room->counted_entries = entries;
}

/* Get the bounds of a room's ring now: where all rings together are too large, each has its share. */
void
rooms_bounds(const struct rooms *rooms, struct ring_bounds *bounds)
{
	size_t		share = rooms->bytes_in_all / (rooms->map.count > 0 ? rooms->map.count : 1);

	*bounds = rooms->bounds;
	if (rooms->metrics->ring_bytes <= rooms->bytes_in_all || share >= bounds->bytes)
		return;
	bounds->bytes = share;
	bounds->strict = true;
}

/* Let a member take from its cursor on as soon as it can. */
void
room_fall_behind(struct room_member *member)
{
	if (member->behind)
		return;
	member->behind = true;
	member->room->rooms->callbacks.wake(member);
}

/* Let every live member that has not all of the ring take the rest. */
void
room_all_fall_behind(struct room *room)
{
	for (struct room_member *m = room->live; m != NULL; m = m->next)
	{
		if (m->cursor < ring_head(&room->ring))
			room_fall_behind(m);
	}
}

/* Note a version that the room or a member has, or that an answer named. */
void
room_note_known(struct room *room, const struct revision *revision)
{
	if (revision->sequence_id > room->newest_seq)
		room->newest_seq = revision->sequence_id;
	if (revision->version <= room->known.version)
		return;
	room->known = *revision;
	room->known.life = room->life.current;
}

/* Note a version that a member got from the tables by itself. */
void
room_learn(struct room_member *member, const struct revision *revision)
{
	room_note_known(member->room, revision);
}

/* Get the highest version that the room or a member has; it implies all versions before it. */
const struct revision *
room_known(const struct room_member *member)
{
	return &member->room->known;
}

/* Let the end of the turn end this room, unless it has members again. */
void
room_reap_later(struct room *room)
{
	if (room->reaping)
		return;
	room->reaping = true;
	room->next_reap = room->rooms->reap;
	room->rooms->reap = room;
}
