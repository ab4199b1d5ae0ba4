/*
 * history.h
 *		An editing trace as the history of a document: ops in the order of their
 *		versions, each with the columns it would have in the log.
 */
#ifndef CONVERGE_TEST_HISTORY_H
#define CONVERGE_TEST_HISTORY_H

#include "lib/trace.h"
#include "../../src/past/pack_format.h"
#include "../ot/support.h"

/* How the columns that a trace does not tell are made up. */
typedef struct HistoryStyle
{
	bool		random_ids;		/* or counting up, by author */
	int64_t		gap_us;			/* between two ops, in the middle */
} HistoryStyle;

typedef struct History
{
	PackOp	   *ops;
	size_t		count;
	Trace		trace;			/* whose bytes the ops are, unless concurrent */
	OtBuffer   *carried;		/* else they are here */
} History;

/* What a submitted_hash is in the tests. */
extern int32_t history_hash(OtOp op);

/* Read a trace; a concurrent one is put in order as a server would. */
extern void history_load(History *history, const char *path, const HistoryStyle *style);
extern void history_free(History *history);

#endif							/* CONVERGE_TEST_HISTORY_H */
