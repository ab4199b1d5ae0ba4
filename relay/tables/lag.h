/*
 * tables/lag.h: how far behind the end of the log its reader is, in bytes and in
 * time. Pure: both ends and the time are handed in.
 */
#ifndef RELAY_LAG_H
#define RELAY_LAG_H

#include <stdint.h>

#define LAG_MARKS 64

/* an end of the log that was seen and is not reached */
struct lag_mark
{
	uint64_t	end;
	uint64_t	seen_us;
};

/* all zero is a reader that has not begun, and is behind nothing */
struct lag
{
	uint64_t	reached;
	int			count;
	struct lag_mark marks[LAG_MARKS];	/* the oldest first */
};

struct lag_figures
{
	uint64_t	bytes;
	uint64_t	us;
};

struct lag_figures lag_look(struct lag *lag, uint64_t reached, uint64_t end, uint64_t now_us);

#endif							/* RELAY_LAG_H */
