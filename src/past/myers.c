/*
 * past/myers.c
 *		The shortest edit script of two sequences of numbers: myers.h cites the paper.
 *
 * An edit graph has a point (x, y) for x elements of a and y of b that are passed; a
 * step right drops an element of a, a step down takes one of b, and a diagonal step
 * keeps one.  Diagonal k has the points with x - y = k.
 */
#include "myers.h"

#include <stddef.h>

#define PAUSE_STEPS	65536

/* No point of this diagonal can be reached; stays below 0 with a step added. */
#define UNREACHED	(INT32_MIN / 2)

/* The index of diagonal k in a table of furthest points. */
#define AT(k)		((k) + MYERS_REACH + 2)

/* A rectangle of the edit graph, and whether its points count from its far corner. */
typedef struct Box
{
	const uint32_t *a;			/* the first element, or the last one */
	const uint32_t *b;
	int32_t		step;			/* 1, or -1 from the far corner */
	int32_t		width;			/* elements of a */
	int32_t		height;			/* elements of b */
} Box;

/* A point where a rectangle is divided. */
typedef struct Middle
{
	int32_t		x;
	int32_t		y;
	bool		left_known;		/* what lies before it is the part with few
								 * differences */
} Middle;

/* Count steps, and pause when it is time. */
void
myers_spend(Myers *myers, int64_t steps)
{
	myers->budget -= steps;
	myers->until_pause -= steps;
	if (myers->until_pause > 0)
		return;
	myers->until_pause = PAUSE_STEPS;
	if (myers->pause != NULL)
		myers->pause();
}

/* Get as far as possible on diagonal k with one difference more than its neighbours took. */
static int32_t
reach(const Box *box, const int32_t *furthest, int32_t k, int64_t *steps)
{
	int32_t		right = furthest[AT(k - 1)] + 1;
	int32_t		down = furthest[AT(k + 1)];
	int32_t		x = UNREACHED;
	int32_t		start;
	int32_t		y;

	/* a step out of the rectangle is none */
	if (right >= 0 && right <= box->width)
		x = right;
	if (down > x && down - k <= box->height)
		x = down;
	if (x < 0)
		return UNREACHED;
	start = x;
	for (y = x - k; x < box->width && y < box->height && box->a[x * box->step] == box->b[y * box->step]; y++)
		x++;
	*steps += 1 + (x - start) / 4;
	return x;
}

/*
 * Take one more difference on every diagonal.  Return the diagonal where the paths from
 * both corners meet, or INT32_MAX; `distance` is what the other side took so far, or -1
 * where they can only meet on the other side's turn.
 */
static int32_t
advance(Myers *myers, const Box *box, int32_t *mine, const int32_t *other, int32_t d, int32_t distance)
{
	int32_t		delta = box->width - box->height;
	int32_t		met = INT32_MAX;
	int64_t		steps = 0;

	mine[AT(-d - 1)] = mine[AT(d + 1)] = UNREACHED;
	mine[AT(-d)] = mine[AT(d)] = UNREACHED;
	for (int32_t k = -d; k <= d && met == INT32_MAX; k += 2)
	{
		int32_t		opposite = delta - k;

		mine[AT(k)] = k < -box->height || k > box->width ? UNREACHED : reach(box, mine, k, &steps);
		if (mine[AT(k)] >= 0 && opposite >= -distance && opposite <= distance &&
			other[AT(opposite)] >= 0 && mine[AT(k)] + other[AT(opposite)] >= box->width)
			met = k;
	}
	myers_spend(myers, steps + 1);
	return met;
}

/* The diagonal on which a side has got furthest after d differences. */
static int32_t
furthest_diagonal(const int32_t *table, int32_t d, int64_t *progress)
{
	int32_t		best = 0;

	*progress = -1;
	for (int32_t k = -d; k <= d; k += 2)
	{
		int64_t		here = 2 * (int64_t) table[AT(k)] - k;

		if (table[AT(k)] >= 0 && here > *progress)
		{
			*progress = here;
			best = k;
		}
	}
	return best;
}

/* The point of the edit graph that a side has reached on its diagonal k. */
static void
set_middle(const Box *box, const int32_t *table, int32_t k, Middle *middle)
{
	int32_t		x = table[AT(k)];

	middle->left_known = box->step > 0;
	middle->x = box->step > 0 ? x : box->width - x;
	middle->y = box->step > 0 ? x - k : box->height - (x - k);
}

/* Divide a rectangle whose corners' elements differ. */
static void
find_middle(Myers *myers, const Box *forward, const Box *backward, Middle *middle)
{
	bool		odd = ((forward->width - forward->height) & 1) != 0;
	int64_t		forward_progress;
	int64_t		backward_progress;
	int32_t		forward_k;
	int32_t		backward_k;
	int32_t		d;

	myers->forward[AT(0)] = myers->backward[AT(0)] = 0;
	for (d = 1; d <= MYERS_REACH; d++)
	{
		forward_k = advance(myers, forward, myers->forward, myers->backward, d, odd ? d - 1 : -1);
		if (forward_k != INT32_MAX)
		{
			set_middle(forward, myers->forward, forward_k, middle);
			return;
		}
		backward_k = advance(myers, backward, myers->backward, myers->forward, d, odd ? -1 : d);
		if (backward_k != INT32_MAX)
		{
			set_middle(backward, myers->backward, backward_k, middle);
			return;
		}
	}
	forward_k = furthest_diagonal(myers->forward, d - 1, &forward_progress);
	backward_k = furthest_diagonal(myers->backward, d - 1, &backward_progress);
	if (forward_progress >= backward_progress)
		set_middle(forward, myers->forward, forward_k, middle);
	else
		set_middle(backward, myers->backward, backward_k, middle);
}

/* Mark a run as changed. */
static void
change(bool *changed, int32_t from, int32_t to)
{
	for (int32_t i = from; i < to; i++)
		changed[i] = true;
}

/*
 * Find what differs.  What has few differences is done first, by a call whose depth is
 * the logarithm of them; the rest in turns of the loop.
 */
void
myers_compare(Myers *myers, int32_t a_from, int32_t a_to, int32_t b_from, int32_t b_to)
{
	for (;;)
	{
		Box			forward;
		Box			backward;
		Middle		middle;
		int32_t		start = a_from;

		while (a_from < a_to && b_from < b_to && myers->a[a_from] == myers->b[b_from])
			a_from++, b_from++;
		while (a_from < a_to && b_from < b_to && myers->a[a_to - 1] == myers->b[b_to - 1])
			a_to--, b_to--;
		myers_spend(myers, 1 + (a_from - start) / 4);
		if (a_from == a_to || b_from == b_to || myers->budget < 0)
			break;
		forward = (Box) {&myers->a[a_from], &myers->b[b_from], 1, a_to - a_from, b_to - b_from};
		backward = (Box) {&myers->a[a_to - 1], &myers->b[b_to - 1], -1, a_to - a_from, b_to - b_from};
		find_middle(myers, &forward, &backward, &middle);
		middle.x += a_from;
		middle.y += b_from;
		if (middle.left_known)
		{
			myers_compare(myers, a_from, middle.x, b_from, middle.y);
			a_from = middle.x;
			b_from = middle.y;
		}
		else
		{
			myers_compare(myers, middle.x, a_to, middle.y, b_to);
			a_to = middle.x;
			b_to = middle.y;
		}
	}
	change(myers->a_changed, a_from, a_to);
	change(myers->b_changed, b_from, b_to);
}
