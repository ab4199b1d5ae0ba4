/*
 * store/catalog_exec.h
 *		Writing rows of tables to which triggers, constraints, indexes or columns
 *		were added: with the executor's pieces, without a plan.
 */
#ifndef CVG_CATALOG_EXEC_H
#define CVG_CATALOG_EXEC_H

#include "store/catalog.h"

#include "executor/executor.h"

#if PG_VERSION_NUM >= 160000
#define InsertIndexTuples(rri, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples(rri, slot, estate, update, false, NULL, NIL, only_summarizing)
#else
#define InsertIndexTuples(rri, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples(rri, slot, estate, update, false, NULL, NIL)
#endif

/*
 * Update a head whose lock we hold, to `values`, its HEADS_COLUMNS columns: other
 * columns keep theirs, and triggers, constraints and indexes of any kind do what
 * they do in an UPDATE.  The row may have moved since it was locked, by triggers
 * that write their own columns; `tid` is where it stands then.
 */
extern void cvg_head_update_fully(Relation heads, const pg_uuid_t *doc_id, const Datum *values,
								  ItemPointer tid);

/* Fail where a trigger has moved a document's head since it was locked at `tid`. */
extern void cvg_check_head_unmoved(Relation heads, const pg_uuid_t *doc_id, const ItemPointerData * tid);

/* Return true if a row is not complete with the columns that this library fills. */
extern bool cvg_has_defaults(TupleDesc desc, int known);

/* The defaults of columns behind the known ones; the list lives in the current context. */
extern List *cvg_defaults_begin(Relation table, int known);

/* Fill them into a slot that holds a virtual tuple, until the estate's per-tuple context is reset. */
extern void cvg_defaults_fill(List *defaults, EState *estate, TupleTableSlot *slot);

/* What the executor does with a row right before it is written. */
extern void cvg_complete_row(ResultRelInfo *target, TupleTableSlot *slot, EState *estate, CmdType command);

/* Fail where a trigger changed one of the first `count` columns. */
extern void cvg_check_unchanged(Relation table, TupleTableSlot *slot, const Datum *before, int count,
								int64 version);

#endif							/* CVG_CATALOG_EXEC_H */
