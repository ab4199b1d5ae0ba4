/*
 * tables/lag.c: how far behind the end of the log its reader is, in bytes and in
 * time.
 *
 * The time is how long ago the oldest end was seen that is not reached yet, by
 * one clock alone. Marks are as many as memory allows, not as the reader would
 * need: where there is no room for a new one, the old ones say enough.
 */
#include "tables/lag.h"

#include <string.h>

/* Drop the marks that were reached. */
static void
drop_reached(struct lag *lag)
{
	int			reached = 0;

	while (reached < lag->count && lag->marks[reached].end <= lag->reached)
		reached++;
	lag->count -= reached;
	memmove(lag->marks, lag->marks + reached, (size_t) lag->count * sizeof(struct lag_mark));
}

/* Note what was reached, 0 while that is unknown, and where the log ends; tell how far that is apart. */
struct lag_figures
lag_look(struct lag *lag, uint64_t reached, uint64_t end, uint64_t now_us)
{
	struct lag_figures figures = {0};

	if (reached != 0)
		lag->reached = reached;
	drop_reached(lag);
	if (lag->reached == 0 || end <= lag->reached)
		return figures;
	if (lag->count < LAG_MARKS && (lag->count == 0 || lag->marks[lag->count - 1].end < end))
		lag->marks[lag->count++] = (struct lag_mark)
	{
		end, now_us
	};
	figures.bytes = end - lag->reached;
	figures.us = lag->count > 0 ? now_us - lag->marks[0].seen_us : 0;
	return figures;
}
