/*
 * store/exec_heads.h
 *		Writes a head as an UPDATE does, without a plan.
 */
#ifndef CVG_EXEC_HEADS_H
#define CVG_EXEC_HEADS_H

#include "postgres.h"

#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

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

#endif							/* CVG_EXEC_HEADS_H */
