/*
 * past/anchors_state.h
 *		The points of ranges, in blocks: how anchors.c keeps them.
 */
#ifndef CONVERGE_ANCHORS_STATE_H
#define CONVERGE_ANCHORS_STATE_H

#include "anchors.h"

#ifndef ANCHORS_BLOCK
#define ANCHORS_BLOCK	128		/* points of a block at most */
#endif

typedef struct Point
{
	uint32_t	name;			/* 2 * range for its start, + 1 for its end */
	int64_t		gap;			/* from the point before it, or from the start of the text */
} Point;

typedef struct Block
{
	int			count;
	int			alive;			/* starts whose character lives */
	int64_t		sum;			/* of the gaps */
	Point		points[ANCHORS_BLOCK];
} Block;

typedef struct Range
{
	Quote		quote;
	bool		alive;			/* its first character lives, and its start point is
								 * behind that */
	uint64_t	start_seen;		/* the last search that met its start, ... */
	uint64_t	end_seen;		/* ... and its end */
} Range;

struct Anchors
{
	const OtAllocator *allocator;
	Block	  **blocks;			/* none is empty */
	size_t		block_count;
	size_t		block_capacity;
	Range	   *ranges;
	size_t		range_count;
	size_t		range_capacity;
	uint64_t	search;			/* number of the search under way */
};

/* Does this point stand behind a first character that lives? */
static inline bool
anchors_is_alive(const Anchors *a, const Point *point)
{
	return point->name % 2 == 0 && a->ranges[point->name / 2].alive;
}

#endif							/* CONVERGE_ANCHORS_STATE_H */
