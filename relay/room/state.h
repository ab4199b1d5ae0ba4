/*
 * room/state.h: a room and the rooms, for the files of this folder alone.  Each
 * feature's state is a struct of its own, in the header of the file that owns it.
 */
#ifndef RELAY_ROOM_STATE_H
#define RELAY_ROOM_STATE_H

#include "base/bounds.h"
#include "room/answer.h"
#include "room/gap.h"
#include "room/life.h"
#include "room/pending.h"
#include "room/publish.h"
#include "room/room.h"
#include "room/seen.h"
#include "room/shared.h"
#include "room/suspect.h"

LIST_HEAD(room_seats, room_member);

struct room
{
	struct doc_node node;
	struct rooms *rooms;
	struct room_member *live;
	struct room_seats seats;	/* of all members */
	uint32_t	users;			/* members, live or not */
	bool		open;			/* the head is known */
	bool		reaping;		/* on the list of rooms that may have to end */
	struct room *next_reap;
	struct revision known;			/* the highest version that the room or a
								 * member has, or that an answer named */
	int64_t		talk;			/* the last change of comments, suggestions and
								 * chat that was shown or told of */
	int64_t		newest_seq;		/* the highest sequence id that was named */
	struct ring ring;
	size_t		counted_bytes;	/* of its rings, in the metrics */
	uint32_t	counted_entries;
	struct room_batch batch;
	struct room_pending pending;
	struct room_gap gap;
	struct room_synced synced;
	struct room_life life;
	struct room_suspect suspect;
};

struct rooms
{
	struct doc_map map;
	struct ring_bounds bounds;	/* of a room */
	size_t		bytes_in_all;
	struct rooms_callbacks callbacks;
	struct metrics *metrics;
	struct room *dirty;			/* to be flushed at the end of this turn */
	struct room *reap;			/* may have to end with this turn */
	struct room *waiting;		/* to look for missing operations again */
	uint32_t	suspect_count;
	struct seen seen[LIMIT_SEEN_DOCUMENTS];
	struct rooms_shared shared;
};

/* Get the version up to which the room has everything. */
static inline int64_t
room_head(const struct room *room)
{
	return ring_head(&room->ring) + room->batch.count;
}

/* room.c: what every feature of a room uses */
void		room_count(struct room *room);
void		rooms_bounds(const struct rooms *rooms, struct ring_bounds *bounds);
void		room_fall_behind(struct room_member *member);
void		room_all_fall_behind(struct room *room);
void		room_note_known(struct room *room, const struct revision *revision);
void		room_reap_later(struct room *room);

#endif							/* RELAY_ROOM_STATE_H */
