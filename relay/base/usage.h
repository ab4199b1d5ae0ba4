/*
 * base/usage.h: how much each name (a user, an address) has here at once.  Names of
 * different kinds stand in one table, so that all that a user has is in one row.
 */
#ifndef RELAY_USAGE_H
#define RELAY_USAGE_H

#include "base/bucket.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct ledger_purse;
struct write_share;

LIST_HEAD(ledger_purses, ledger_purse);

struct usage_row
{
	struct usage_row *next;
	int			count;			/* of those who hold the row */
	int			connections;	/* WebSockets of a user */
	char		kind;
	bool		slowed;			/* owes too much (base/ledger.h) */
	size_t		bytes;			/* that wait, in all purses of an account */
	struct ledger_purses purses;
	struct write_share *held;	/* edits that wait for PostgreSQL; NULL: none */
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

/* kinds of names that stand in one table */
#define USAGE_ADDRESS '@'
#define USAGE_USER 'u'

/* a row is held until it is let go of, and forgotten some time after by usage_forget */
struct usage_row *usage_hold(struct usage *usage, const char *name);
struct usage_row *usage_hold_kind(struct usage *usage, char kind, const char *name);
void		usage_let_go(struct usage_row *row);
void		usage_forget(struct usage *usage, int64_t idle_since_ms);
void		usage_free(struct usage *usage);

#endif							/* RELAY_USAGE_H */
