/*
 * base/ledger.h: who owes how many of the bytes that wait in this process.
 *
 * Every connection has a purse, and every purse belongs to an account: a user's,
 * or, before the user is known, an address's.  What waits for a client is charged
 * to its purse.  A frame that several clients wait for is one allocation, so it
 * counts once in the whole, and for each of them in what they owe.
 *
 * At the bound the largest debtor goes: first the operations that rooms keep are
 * let go of, since the tables have them; then the account that owes most loses its
 * largest connection, until all fits.  An account that would owe most itself has
 * to wait instead.
 */
#ifndef RELAY_LEDGER_H
#define RELAY_LEDGER_H

#include "base/metrics.h"
#include "base/usage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* what bytes are charged for; frames count in the whole by themselves (wire/frame.h) */
enum ledger_class
{
	LEDGER_FRAMES,				/* messages and answers that wait for a client */
	LEDGER_REQUESTS,			/* bodies, and messages that came in part */
	LEDGER_EDITS,				/* edits that wait for PostgreSQL */
	LEDGER_ASKED,				/* reserved for an answer of PostgreSQL's */
	LEDGER_CONNECTIONS,			/* what each connection takes by itself */
	LEDGER_CLASSES
};

/* bytes that a room's ring and allocator take for an operation beside its text, about */
#define LEDGER_RING_ENTRY 128

struct ledger_purse;

struct ledger_config
{
	size_t		bound;
	struct metrics *metrics;
	size_t		(*frames) (void);	/* all bytes in frames, rings' included */
	/* let go of that many bytes of operations that the tables have; or NULL */
	void		(*shed) (void *arg, size_t bytes);
	void	   *arg;
};

struct ledger
{
	struct ledger_config config;
	struct usage accounts;
	uint64_t	released;		/* counts how often space was given back */
	bool		slows;			/* an account is slowed */
};

/* what is done with a connection whose account owes too much */
struct ledger_acts
{
	/* end the connection, and drop at once what waits for it */
	void		(*close) (struct ledger_purse *purse);
	/* read nothing more from it, or go on; or NULL */
	void		(*slow) (struct ledger_purse *purse, bool on);
};

struct ledger_purse
{
	struct ledger *ledger;		/* NULL: nothing is charged */
	const struct ledger_acts *acts; /* NULL: nothing can be done, it is gone */
	struct usage_row *account;
	LIST_ENTRY(ledger_purse) entry;
	uint32_t	by_class[LEDGER_CLASSES];
	bool		closed;			/* told to go */
	bool		slowed;			/* told to ask for nothing more */
};

void		ledger_init(struct ledger *ledger, const struct ledger_config *config);
void		ledger_free(struct ledger *ledger);

/* open a connection's purse under an address; a user who is known takes it over */
void		ledger_open(struct ledger *ledger, struct ledger_purse *purse, const char *address);
void		ledger_take_over(struct ledger_purse *purse, const char *user);

/* the connection is gone: what it still owes is let go of */
void		ledger_close(struct ledger_purse *purse);

/* charge bytes that wait, or let go of them; ledger_settle finds out whether it was too much */
void		ledger_charge(struct ledger_purse *purse, enum ledger_class class, size_t bytes);
void		ledger_release(struct ledger_purse *purse, enum ledger_class class, size_t bytes);

/* charge or release the difference that brings a class to this number of bytes */
void		ledger_set(struct ledger_purse *purse, enum ledger_class class, size_t bytes);

enum ledger_answer
{
	LEDGER_GRANTED,
	LEDGER_WAIT,				/* others of the same account, or smaller ones, hold it */
	LEDGER_NEVER				/* more than the bound */
};

/*
 * Reserve bytes before something large is asked for, of which some will be kept.
 * Larger debtors make room; the purse's own account waits if it would be the largest.
 */
enum ledger_answer ledger_reserve(struct ledger_purse *purse, size_t bytes, size_t kept);

/* bring the whole below the bound, and slow the largest debtor from three quarters of it */
void		ledger_settle(struct ledger *ledger);

/* what the process holds, as far as it is known */
size_t		ledger_total(const struct ledger *ledger);

/* fill in the metrics that are sums */
void		ledger_measure(const struct ledger *ledger);

/* forget accounts without a purse; every few seconds */
void		ledger_forget(struct ledger *ledger);

#endif							/* RELAY_LEDGER_H */
