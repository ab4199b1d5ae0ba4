/*
 * base/usage.h: how much each name (a user, an address) has here at once.
 */
#ifndef RELAY_USAGE_H
#define RELAY_USAGE_H

#include "base/bucket.h"

#include <stddef.h>

struct usage_row
{
	struct usage_row *next;
	int			count;			/* of those who hold the row */
	struct bucket bucket;
	char		name[];
};

/* all zero is an empty one */
struct usage
{
	struct usage_row **slots;
	size_t		slot_count;
	size_t		row_count;
};

/* a row is held until it is let go of, and forgotten some time after by usage_forget */
struct usage_row *usage_hold(struct usage *usage, const char *name);
void		usage_let_go(struct usage_row *row);
void		usage_forget(struct usage *usage, int64_t idle_since_ms);
void		usage_free(struct usage *usage);

#endif							/* RELAY_USAGE_H */
