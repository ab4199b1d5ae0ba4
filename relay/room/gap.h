/*
 * room/gap.h: operations that a room knows of and does not have.
 */
#ifndef RELAY_ROOM_GAP_H
#define RELAY_ROOM_GAP_H

#include <stdbool.h>
#include <stdint.h>

struct room;

struct room_gap
{
	int64_t		want;			/* the highest version known to be committed */
	bool		fetching;		/* the tables are being read */
	bool		waiting;		/* on the list of rooms to be retried */
	struct room *next_wait;
	uint32_t	attempts;
	uint32_t	pause;			/* ticks until the next attempt */
};

/* note that a version is committed */
static inline void
room_gap_note(struct room_gap *gap, int64_t version)
{
	if (gap->want < version)
		gap->want = version;
}

/* read the tables, where the room knows of operations it does not have */
void		room_close_gap(struct room *room);

/* read the tables, whether the room knows of more or not; room may be NULL */
void		room_ask_again(struct room *room);

/* a fetch has ended: look again later if operations are still missing */
void		room_gap_fetched(struct room *room);

#endif							/* RELAY_ROOM_GAP_H */
