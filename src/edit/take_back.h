/*
 * edit/take_back.h
 *		Undoing many ops at once: the op that takes back what some of a run of the log
 *		did, carried over the others.
 */
#ifndef CVG_TAKE_BACK_H
#define CVG_TAKE_BACK_H

#include "postgres.h"

#include "ot/ot.h"
#include "utils/uuid.h"

/*
 * The op for the text of version `upto` that takes back those of the ops since `after`
 * that are chosen.
 */
extern OtOp cvg_take_back(const pg_uuid_t *doc_id, int64 after, int64 upto,
						  bool (*is_chosen) (void *ctx, int64 version), void *ctx);

#endif							/* CVG_TAKE_BACK_H */
