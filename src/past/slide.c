/*
 * past/slide.c
 *		Choosing, among the shortest differences, the one that people expect.
 *
 * A run that ends with the element in front of it may as well begin with that one.
 */
#include "slide.h"

/* How far a run is moved at most: bounds the cost of a text that repeats itself. */
#define FARTHEST	200

/* How good a place is for a run to begin, by the element in front of it. */
static int
rank(uint32_t before)
{
	return before == '\n' ? 2 : before == ' ' || before == '\t' ? 1 : 0;
}

/* Find how far the run [from, to) should move to the left, where it may begin at `least`. */
static int32_t
best_shift(const uint32_t *points, int32_t from, int32_t to, int32_t least)
{
	int32_t		best = 0;
	int			best_rank = from > 0 ? rank(points[from - 1]) : 2;

	for (int32_t shift = 1; shift <= FARTHEST && from - shift >= least &&
		 points[from - shift] == points[to - shift]; shift++)
	{
		int			here = from - shift > 0 ? rank(points[from - shift - 1]) : 2;

		if (here > best_rank)
		{
			best_rank = here;
			best = shift;
		}
	}
	return best;
}

/* Move the run [from, to) to the left. */
static void
shift_run(bool *changed, int32_t from, int32_t to, int32_t shift)
{
	for (int32_t i = 1; i <= shift; i++)
	{
		changed[to - i] = false;
		changed[from - i] = true;
	}
}

/* Move the runs that may be moved. */
void
slide_runs(const uint32_t *points, bool *changed, int32_t count,
		   const bool *other_changed, int32_t other_count)
{
	int32_t		i = 0;
	int32_t		other = 0;
	int32_t		least = 0;		/* behind the run before, and an element that is kept */

	while (i < count)
	{
		int32_t		from = i;
		int32_t		other_from = other;

		while (other < other_count && other_changed[other])
			other++;
		while (i < count && changed[i])
			i++;
		/* what was added at the end stays there */
		if (i > from && i < count && other == other_from)
			shift_run(changed, from, i, best_shift(points, from, i, least));
		if (i > from || other > other_from)
			least = i + 1;
		i++;
		other++;
	}
}
