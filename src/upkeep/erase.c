/*
 * upkeep/erase.c
 *		Replacing a user's id as the author of ops, packed or not.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/limits.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "store/scan.h"
#include "upkeep/rewrite.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_FUNCTION_INFO_V1(converge_has_author);
PG_FUNCTION_INFO_V1(converge_erase_author);

typedef struct Erasure
{
	const text *user_id;
	const text *replacement;
} Erasure;

/* Return true if a user made an op. */
static bool
is_author(const CvgOpRow *row, const text *user_id)
{
	return row->user_len == VARSIZE_ANY_EXHDR(user_id) &&
		memcmp(row->user_id, VARDATA_ANY(user_id), row->user_len) == 0;
}

/* Give an op of the user's another author. */
static bool
change_author(void *ctx, CvgOpRow *row)
{
	const Erasure *erasure = ctx;

	if (!is_author(row, erasure->user_id))
		return false;
	row->user_id = VARDATA_ANY(erasure->replacement);
	row->user_len = VARSIZE_ANY_EXHDR(erasure->replacement);
	return true;
}

/* has_author(doc_id, user_id): return true if the log has an op of the user's. */
Datum
converge_has_author(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	text	   *user_id = PG_GETARG_TEXT_PP(1);
	bool		found = false;
	CvgHead		head;
	CvgOpScan  *scan;
	CvgOpRow	row;

	if (!cvg_head_read(doc_id, &head))
		PG_RETURN_BOOL(false);
	scan = cvg_ops_begin(doc_id, head.floor_version, head.version);
	while (!found && cvg_ops_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		found = is_author(&row, user_id);
	}
	cvg_ops_end(scan);
	PG_RETURN_BOOL(found);
}

/* erase_author(doc_id, user_id, replacement): return how many ops were the user's.  The caller holds all locks. */
Datum
converge_erase_author(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	Erasure		erasure = {PG_GETARG_TEXT_PP(1), PG_GETARG_TEXT_PP(2)};
	int64		changed = 0;
	CvgHead		head;

	cvg_push_latest_snapshot();
	if (cvg_head_read(doc_id, &head))
		changed = cvg_rewrite_log(doc_id, &head, change_author, &erasure);
	PopActiveSnapshot();
	PG_RETURN_INT64(changed);
}
