/*
 * snapshot.c
 *		The content of a document: its newest snapshot with the composed ops since
 *		applied once.
 *
 * By the law of composition the ops may be composed in any tree shape, so a read
 * costs the log since the snapshot and one pass over the text, not a pass an op.
 */
#include "snapshot.h"

#include "catalog.h"

#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(converge_content);
PG_FUNCTION_INFO_V1(converge_content_at_version);

/* Compose a run of ops into an empty buffer. */
static void
compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto, OtBuffer *out)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);
	CvgOpRow	row;
	OtFold	   *fold;

	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	while (cvg_ops_next(scan, &row))
		cvg_check_status(ot_fold_push(fold, row.op));
	cvg_check_status(ot_fold_finish(fold, out));
	ot_fold_free(fold);
	cvg_ops_end(scan);
}

/* Compose a run of ops into a datum. */
Datum
cvg_compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	OtBuffer	out;

	cvg_datum_begin(&out);
	compose_range(doc_id, after, upto, &out);
	return cvg_datum_finish(&out);
}

/* The text of a document at a version. */
text *
cvg_content_at(const pg_uuid_t *doc_id, int64 version)
{
	int64		snapshot_version;
	text	   *start = cvg_snapshot_before(doc_id, version, &snapshot_version);
	OtBuffer	ops;
	OtBuffer	content;

	if (start == NULL)
		start = cstring_to_text("");
	if (snapshot_version == version)
		return start;
	ot_buffer_init(&ops, &cvg_allocator, 0);
	compose_range(doc_id, snapshot_version, version, &ops);
	cvg_datum_begin(&content);
	cvg_check_status(ot_apply(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start),
							  ot_buffer_op(&ops), &content));
	ot_buffer_free(&ops);
	return (text *) DatumGetPointer(cvg_datum_finish(&content));
}

/* ---- SQL ---- */

Datum
converge_content(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	CvgHead		head;

	cvg_require_reader(doc_id, cvg_acting_user());
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	PG_RETURN_TEXT_P(cvg_content_at(doc_id, head.version));
}

Datum
converge_content_at_version(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		version = PG_GETARG_INT64(1);
	CvgHead		head;

	cvg_require_reader(doc_id, cvg_acting_user());
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (version < 0 || version > head.version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FUTURE_BASE),
				 errmsg("version " INT64_FORMAT " does not exist", version),
				 errdetail("The document has versions 0 to " INT64_FORMAT ".", head.version)));
	if (version < head.floor_version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_STALE),
				 errmsg("version " INT64_FORMAT " is forgotten", version),
				 errdetail("History begins at version " INT64_FORMAT ".", head.floor_version)));
	PG_RETURN_TEXT_P(cvg_content_at(doc_id, version));
}
