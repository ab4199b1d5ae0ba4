/*
 * edit/at_head.c
 *		Making an op for a document's current text and applying it to just that.
 */
#include "edit/at_head.h"

#include "access/access.h"
#include "edit/apply.h"
#include "store/roles.h"
#include "store/scan.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

/* Get the document; refuse nulls and transactions that may not write. */
pg_uuid_t *
cvg_write_arguments(FunctionCallInfo fcinfo, int needed, const char *command)
{
	for (int i = 0; i < needed; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of %s must not be null", i + 1, command)));
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
	return PG_GETARG_UUID_P(0);
}

/* Lock the document, check that the acting user may write, see all of it. */
void
cvg_edit_begin(const pg_uuid_t *doc_id, CvgHead *head)
{
	Relation	heads;

	CommandCounterIncrement();
	heads = cvg_lock_document(doc_id, head);
	table_close(heads, NoLock);
	cvg_push_latest_snapshot();
	cvg_require_role(doc_id, CVG_EDITOR);
}

/* Apply the op made for the head we hold. */
int64
cvg_edit_finish(const pg_uuid_t *doc_id, OtOp op)
{
	CvgSubmission sub = {.at_head = true,.op = op,.op_id = cvg_fresh_op_id()};

	PopActiveSnapshot();
	cvg_apply_one(doc_id, &sub);
	return sub.version;
}
