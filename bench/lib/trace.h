/*
 * lib/trace.h
 *		An editing trace (traces/README.md) read into ops.
 *
 * One patch is one edit.  In a concurrent trace an edit also knows how many edits
 * of every author it was made knowing of; that count never falls from one edit of
 * an author to his next, and counts all his own earlier ones.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include "ot.h"

#include <stdbool.h>
#include <stddef.h>

#define TRACE_MAX_AUTHORS 2

typedef struct TraceEdit
{
	int			author;
	size_t		knows[TRACE_MAX_AUTHORS];	/* edits of each author before it */
	OtBuffer	op;
} TraceEdit;

typedef struct Trace
{
	char	   *start;
	char	   *end;
	bool		concurrent;
	int			authors;
	TraceEdit  *edits;
	size_t		count;
} Trace;

/* Read a .json.gz (or plain .json) file; gives up with a message on a bad one. */
extern void trace_load(Trace *trace, const char *path);
extern void trace_free(Trace *trace);

#endif							/* BENCH_TRACE_H */
