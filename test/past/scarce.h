/*
 * scarce.h
 *		Memory that runs out when a test wants it to, and that tells how much of it
 *		was asked for.
 */
#ifndef CONVERGE_TEST_SCARCE_H
#define CONVERGE_TEST_SCARCE_H

#include "../ot/support.h"

typedef struct Scarce
{
	OtAllocator allocator;
	long		left;			/* requests that are answered; -1: all */
	long		asked;			/* requests */
	size_t		largest;		/* bytes of the largest one */
} Scarce;

/* Memory for `requests` allocations. */
extern void scarce_init(Scarce *scarce, long requests);

#endif							/* CONVERGE_TEST_SCARCE_H */
