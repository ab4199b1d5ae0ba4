/*
 * sets.h
 *		Every op there is on documents of a length, within rules.
 *
 * Ops of a set insert up to so many characters, of an alphabet of one or two
 * letters, at every place of a document, and delete or retain each of its
 * characters.
 */
#ifndef CONVERGE_TEST_SETS_H
#define CONVERGE_TEST_SETS_H

#include "naive.h"

/* Every op on documents of one length, packed one behind another. */
typedef struct Set
{
	NaiveOp    *models;
	OtOp	   *ops;
	int		   *lengths;		/* of the document after each */
	int			count;
	OtBuffer	bytes;
} Set;

typedef struct Rules
{
	int			document;		/* its length */
	int			insert;			/* longest insert */
	int			letters;		/* 1 or 2 */
	uint32_t	alphabet;		/* the first of them */
} Rules;

/* Every op that the rules allow. */
extern Set	every_op(const Rules *rules);
extern void free_set(Set *set);

/* The longest document that an op of the set leaves. */
extern int	longest_after(const Set *set);

/* A set for documents of each length up to `longest`, by otherwise the same rules. */
extern Set *sets_up_to(int longest, const Rules *rules);
extern void free_sets(Set *sets, int longest);

#endif							/* CONVERGE_TEST_SETS_H */
