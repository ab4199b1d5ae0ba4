/*
 * client/copy.h
 *		One client's copy of a document: pure state, no socket.
 *
 * The text is the server's at `version` with the client's own edits on top, the
 * first of which may be in flight; the others wait, composed as far as the client
 * allows.  Each edit is kept as it must be to come after the one before it.  An
 * incoming op is transformed over them as the right one and they over it as the
 * left one, which is what the server does with them when they arrive.
 *
 * The contiguous-version rule is the caller's: every op given here must be the
 * one that follows `version`.
 */
#ifndef BENCH_COPY_H
#define BENCH_COPY_H

#include "lib/ids.h"
#include "ot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CopyEdit
{
	OtBuffer	op;
	char		id[ID_SIZE];
	bool		sealed;			/* nothing more may be composed into it */
} CopyEdit;

typedef struct Copy
{
	OtBuffer	text;
	int64_t		version;
	char		operation_id[ID_SIZE];	/* of the op that made version; or
										 * empty */
	CopyEdit   *edits;			/* a run in an array: first, count */
	size_t		first;
	size_t		count;
	size_t		capacity;
	bool		in_flight;		/* the first edit has been sent */
	OtBuffer	spare[3];
} Copy;

extern void copy_init(Copy *copy);
extern void copy_free(Copy *copy);

/* Take the server's text; there must be no edits of one's own. */
extern OtStatus copy_set(Copy *copy, const char *text, size_t size, int64_t version);

/*
 * An edit of one's own, made against the text as it is.  It is composed into the
 * last waiting edit unless that is sealed or in flight; otherwise it becomes an
 * edit named `id`, and *id_used is set.  `seal` closes the edit it ended up in.
 */
extern OtStatus copy_type(Copy *copy, OtOp op, const char *id, bool seal, bool *id_used);

/* The edit in flight, or the one that would go out next; NULL without any. */
extern const CopyEdit *copy_front(const Copy *copy);

/* The front edit goes out. */
extern void copy_sent(Copy *copy);

/* Is this op the edit in flight? */
extern bool copy_is_mine(const Copy *copy, const char *operation_id);

/*
 * The edit in flight came back as the op that made `version`.  *same: the server
 * rebased it to exactly what this copy made of it.
 */
extern void copy_acknowledge(Copy *copy, int64_t version, OtOp op, bool *same);

/* The edit in flight changes nothing, and made no version: drop it. */
extern void copy_drop_front(Copy *copy);

/* Somebody else's op, or many composed, that lead to `version`. */
extern OtStatus copy_foreign(Copy *copy, int64_t version, const char *operation_id, OtOp op);

#endif							/* BENCH_COPY_H */
