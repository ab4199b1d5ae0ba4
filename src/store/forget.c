/*
 * store/forget.c
 *		Forgets the past of a document, in all tables that hold some of it.
 */
#include "store/forget.h"

#include "store/ops.h"
#include "store/statements.h"

/* Forget all that led to a version, in ops, packs, snapshots, labels and undos. */
void
cvg_history_forget(const pg_uuid_t *doc_id, int64 upto)
{
	cvg_ops_drop(doc_id, upto);
	cvg_run_for_version("DELETE FROM ONLY converge.packs "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.<=) $2",
						doc_id, upto);
	cvg_run_for_version("DELETE FROM ONLY converge.snapshots "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<) $2",
						doc_id, upto);
	cvg_run_for_version("DELETE FROM ONLY converge.labels "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<) $2",
						doc_id, upto);
	cvg_run_for_version("DELETE FROM ONLY converge.undos "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2",
						doc_id, upto);
}
