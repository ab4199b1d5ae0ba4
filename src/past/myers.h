/*
 * past/myers.h
 *		The shortest edit script of two sequences of numbers, with a bounded cost.
 *
 * E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986),
 * 251-266: the variation in linear space, which looks for the middle of a shortest path
 * from both ends.
 */
#ifndef CONVERGE_MYERS_H
#define CONVERGE_MYERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The most differences that one search for a middle goes through from either end.
 * Beyond it, the path that got furthest is taken as it is.
 */
#define MYERS_REACH		1024

/* Room for the furthest points on the diagonals around a corner. */
#define MYERS_DIAGONALS	(2 * MYERS_REACH + 5)

typedef struct Myers
{
	const uint32_t *a;
	const uint32_t *b;
	bool	   *a_changed;		/* set for each element that is not kept */
	bool	   *b_changed;
	int64_t		budget;			/* steps left; below 0, all that is left is changed */
	int64_t		until_pause;	/* steps left to the next call of pause */
	void		(*pause) (void);	/* or NULL; it need not return */
	int32_t		forward[MYERS_DIAGONALS];	/* private from here on */
	int32_t		backward[MYERS_DIAGONALS];
} Myers;

/* Count steps against the budget, and pause when it is time. */
extern void myers_spend(Myers *myers, int64_t steps);

/* Find what differs between a[a_from .. a_to) and b[b_from .. b_to). */
extern void myers_compare(Myers *myers, int32_t a_from, int32_t a_to, int32_t b_from, int32_t b_to);

#endif							/* CONVERGE_MYERS_H */
