/*
 * edit/at_head.h
 *		Making an op for a document's current text and applying it to just that.
 *
 * The head's lock is taken first, so that the op is applied at exactly the head that
 * it was made for.
 */
#ifndef CVG_AT_HEAD_H
#define CVG_AT_HEAD_H

#include "postgres.h"

#include "fmgr.h"
#include "ot/ot.h"
#include "store/heads.h"
#include "utils/uuid.h"

/* Get the document, the first argument; refuse nulls in the first `needed` and transactions that may not write. */
extern pg_uuid_t *cvg_write_arguments(FunctionCallInfo fcinfo, int needed, const char *command);

/*
 * Lock the document, check that the acting user may write, see all of it.  What is
 * pushed is an active snapshot, which cvg_edit_finish() pops.
 */
extern void cvg_edit_begin(const pg_uuid_t *doc_id, CvgHead *head);

/* Apply the op made for the head that is locked; return the new version, or the current one. */
extern int64 cvg_edit_finish(const pg_uuid_t *doc_id, OtOp op);

#endif							/* CVG_AT_HEAD_H */
