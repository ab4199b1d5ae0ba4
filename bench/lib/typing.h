/*
 * lib/typing.h
 *		A trace typed into a document at a person's pace, an edit an op, and looked
 *		after meanwhile as a server would: maintenance every so many edits, and
 *		VACUUM when autovacuum's turn would come.
 *
 * Nobody waits for the person: the clock that ops get their time from never goes
 * back behind the head's updated_at, and that is set forward by each pause.
 */
#ifndef BENCH_TYPING_H
#define BENCH_TYPING_H

#include "lib/pg.h"
#include "lib/trace.h"

#include <stdbool.h>

typedef struct Typing
{
	/* what is wanted */
	bool		maintained;
	bool		random_ids;		/* else they count up */

	/* what came of it */
	double		maintenance_seconds;	/* in CALL converge.maintain() */
	double		longest_call_ms;	/* ... at once */
} Typing;

/*
 * Type the whole trace into a new document of conn's database, which has the
 * extension.  The document's id, to be freed.
 */
extern char *typing_run(PGconn *conn, const Trace *trace, Typing *typing);

/* VACUUM of all that converge has. */
extern void typing_vacuum(PGconn *conn);

/* Bytes of all tables of converge, with their indexes and TOAST. */
extern double typing_bytes(PGconn *conn);

#endif							/* BENCH_TYPING_H */
