/*
 * base/tally.h: how much each name (a user, an address) has here at once.
 */
#ifndef RELAY_TALLY_H
#define RELAY_TALLY_H

#include "base/bucket.h"

#include <stddef.h>

struct tally_row
{
	struct tally_row *next;
	int			count;			/* of those who hold the row */
	struct bucket bucket;
	char		name[];
};

/* all zero is an empty one */
struct tally
{
	struct tally_row **slots;
	size_t		slot_count;
	size_t		row_count;
};

/* a row is held until it is let go of, and forgotten some time after by a sweep */
struct tally_row *tally_hold(struct tally *tally, const char *name);
void		tally_let_go(struct tally_row *row);
void		tally_sweep(struct tally *tally, int64_t idle_since_ms);
void		tally_free(struct tally *tally);

#endif							/* RELAY_TALLY_H */
