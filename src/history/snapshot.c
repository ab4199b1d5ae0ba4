/*
 * history/snapshot.c
 *		The content of a document: its newest snapshot with the composed ops since
 *		applied once.
 *
 * By the law of composition the ops may be composed in any tree shape, so a read
 * costs the log since the snapshot and one pass over the text, not a pass an op.
 */
#include "history/snapshot.h"

#include "access/access.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/limits.h"
#include "store/heads.h"
#include "store/labels.h"
#include "store/log.h"
#include "store/names.h"
#include "store/ops.h"
#include "store/roles.h"
#include "store/scan.h"
#include "store/snapshots.h"
#include "type/op_type.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(converge_content);
PG_FUNCTION_INFO_V1(converge_content_at_version);
PG_FUNCTION_INFO_V1(converge_content_at_moment);
PG_FUNCTION_INFO_V1(converge_content_at_text);
PG_FUNCTION_INFO_V1(converge_snapshot);
PG_FUNCTION_INFO_V1(converge_version_at);
PG_FUNCTION_INFO_V1(converge_stored_text);

/* Compose a run of ops into an empty buffer. */
static OtStatus
try_compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto, OtBuffer *out)
{
	CvgOpScan  *scan = cvg_runs_begin(doc_id, after, upto, NULL);
	CvgOpRow	row;
	OtFold	   *fold;
	OtStatus	status = OT_OK;

	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	while (status == OT_OK && cvg_ops_next(scan, &row))
		status = ot_fold_push(fold, row.op);
	if (status == OT_OK)
		status = ot_fold_finish(fold, out);
	ot_fold_free(fold);
	cvg_ops_end(scan);
	return status;
}

/* Likewise, and fail where it cannot be. */
static void
compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto, OtBuffer *out)
{
	cvg_check_status(try_compose_range(doc_id, after, upto, out));
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

/* A code point has a byte at least. */
bool
cvg_too_large_to_catch_up(const CvgHead *head, Size bytes)
{
	return bytes > CVG_MAX_CATCH_UP_BYTES && bytes > (Size) head->length;
}

/* Compose a run of ops up to the head into a datum, where that is worth it. */
bool
cvg_compose_bounded(const pg_uuid_t *doc_id, int64 after, const CvgHead *head, Datum *op)
{
	OtBuffer	out;
	OtStatus	status;

	cvg_datum_begin(&out);
	status = try_compose_range(doc_id, after, head->version, &out);
	if (status == OT_TOO_LARGE)
		return false;
	cvg_check_status(status);
	if (cvg_too_large_to_catch_up(head, out.size))
	{
		ot_buffer_free(&out);
		return false;
	}
	*op = cvg_datum_finish(&out);
	return true;
}

/* The text of a document at a version. */
text	   *
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

/* The op that leads from one version to another. */
Datum
cvg_diff(const pg_uuid_t *doc_id, int64 from, int64 upto)
{
	text	   *content;
	OtBuffer	forward;
	OtBuffer	back;

	if (from <= upto)
		return cvg_compose_range(doc_id, from, upto);
	content = cvg_content_at(doc_id, upto);
	ot_buffer_init(&forward, &cvg_allocator, 0);
	compose_range(doc_id, upto, from, &forward);
	cvg_datum_begin(&back);
	cvg_check_status(ot_invert(ot_buffer_op(&forward), VARDATA_ANY(content),
							   VARSIZE_ANY_EXHDR(content), &back));
	return cvg_datum_finish(&back);
}

/* Keep the text as it is now. */
void
cvg_keep_text(const pg_uuid_t *doc_id, const char *kind, CvgHead *seen)
{
	text	   *content;
	int64		length;
	pg_uuid_t	op_id;
	bool		has_op_id;

	cvg_push_latest_snapshot();
	if (!cvg_head_read(doc_id, seen))
		cvg_no_document(doc_id);
	content = cvg_content_at(doc_id, seen->version);
	length = ot_utf8_length(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));

	/*
	 * where rows are missing (a restore is under way, say), it must not be
	 * kept
	 */
	if (length != seen->length)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("text of document %s does not have its recorded length",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
				 errdetail("The text has " INT64_FORMAT " code points, converge.heads records " INT64_FORMAT ".",
						   length, seen->length)));
	has_op_id = cvg_op_id_of(doc_id, seen, seen->version, &op_id);
	cvg_snapshot_keep(doc_id, seen->version, seen->seq, GetCurrentTimestamp(), kind, content,
					  has_op_id ? &op_id : NULL);
	PopActiveSnapshot();
}

/* How many bytes the ops of a run of the log have. */
int64
cvg_log_bytes(const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);
	CvgOpRow	row;
	int64		bytes = 0;

	while (cvg_ops_next(scan, &row))
		bytes += row.op.size;
	cvg_ops_end(scan);
	return bytes;
}

/*
 * Note a snapshot in the head.  Since that was seen, writers have gone on; and
 * where another snapshot was taken, what its log_bytes count has changed too.
 */
static void
note_snapshot(const pg_uuid_t *doc_id, CvgHead *head, const CvgHead *seen)
{
	if (head->floor_version > seen->version)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("version " INT64_FORMAT " was pruned while its snapshot was being taken",
						seen->version)));
	if (head->snapshot_version >= seen->version)
		return;
	if (head->snapshot_version == seen->snapshot_version)
		head->log_bytes -= seen->log_bytes;
	else
	{
		cvg_push_latest_snapshot();
		head->log_bytes = cvg_log_bytes(doc_id, seen->version, head->version);
		PopActiveSnapshot();
	}
	head->snapshot_version = seen->version;
}

/* Note in the head what is kept by now. */
void
cvg_note_kept(const pg_uuid_t *doc_id, const CvgHead *snapshot_of, int64 packed_version)
{
	Relation	heads;
	CvgHead		head;

	CommandCounterIncrement();
	heads = cvg_lock_document(doc_id, &head);
	if (snapshot_of != NULL)
		note_snapshot(doc_id, &head, snapshot_of);
	head.packed_version = Max(head.packed_version, packed_version);
	cvg_head_update(heads, doc_id, &head);
	CommandCounterIncrement();
	table_close(heads, NoLock);
}

/* Read the head of a document that the acting user may read. */
void
cvg_open_head(const pg_uuid_t *doc_id, CvgHead *head)
{
	cvg_require_acting_reader(doc_id);
	if (!cvg_head_read(doc_id, head))
		cvg_no_document(doc_id);
}

/* Fail for a version that does not exist yet, or was pruned. */
void
cvg_check_version(const CvgHead *head, int64 version)
{
	if (version < 0 || version > head->version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FUTURE_BASE),
				 errmsg("version " INT64_FORMAT " does not exist", version),
				 errdetail("The document has versions 0 to " INT64_FORMAT ".", head->version)));
	if (version < head->floor_version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_STALE),
				 errmsg("version " INT64_FORMAT " is no longer available", version),
				 errdetail("The oldest available version is " INT64_FORMAT ".", head->floor_version)));
}

/* ---- SQL ---- */

Datum
converge_content(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	PG_RETURN_TEXT_P(cvg_content_at(doc_id, head.version));
}

Datum
converge_content_at_version(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		version = PG_GETARG_INT64(1);
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, version);
	PG_RETURN_TEXT_P(cvg_content_at(doc_id, version));
}

/* Return the version of a document at a time; fail if that is before its history begins. */
static int64
version_at(const pg_uuid_t *doc_id, TimestampTz at)
{
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	if (at < cvg_history_begins(doc_id, &head))
		ereport(ERROR,
				(errcode(head.floor_version > 0 ? ERRCODE_CVG_STALE : ERRCODE_CVG_FUTURE_BASE),
				 errmsg("the document's history begins after %s", timestamptz_to_str(at)),
				 errdetail("It begins at %s.", timestamptz_to_str(cvg_history_begins(doc_id, &head)))));
	return cvg_version_at(doc_id, &head, at);
}

Datum
converge_version_at(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(version_at(PG_GETARG_UUID_P(0), PG_GETARG_TIMESTAMPTZ(1)));
}

Datum
converge_content_at_moment(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);

	PG_RETURN_TEXT_P(cvg_content_at(doc_id, version_at(doc_id, PG_GETARG_TIMESTAMPTZ(1))));
}

/* Return true if a text is a whole number, as int8in() takes one. */
static bool
is_whole_number(const char *text)
{
	static const char space[] = " \t\n\v\f\r";
	Size		digits;

	text += strspn(text, space);
	if (*text == '-' || *text == '+')
		text++;
	digits = strspn(text, "0123456789");
	return digits > 0 && text[digits + strspn(text + digits, space)] == '\0';
}

/*
 * A parameter without a type, as drivers send them, could be a version or a
 * moment; PostgreSQL takes it for a text, and what it holds decides.
 */
Datum
converge_content_at_text(PG_FUNCTION_ARGS)
{
	Datum		doc_id = PG_GETARG_DATUM(0);
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(1));

	if (is_whole_number(value))
		PG_RETURN_DATUM(DirectFunctionCall2(converge_content_at_version, doc_id,
											DirectFunctionCall1(int8in, CStringGetDatum(value))));
	PG_RETURN_DATUM(DirectFunctionCall2(converge_content_at_moment, doc_id,
										DirectFunctionCall3(timestamptz_in, CStringGetDatum(value),
															ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
}

Datum
converge_snapshot(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	text	   *label = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	CvgHead		seen;

	cvg_require_given(PG_ARGISNULL(0), "document");
	if (label != NULL && VARSIZE_ANY_EXHDR(label) > CVG_MAX_LABEL_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_TOO_LARGE),
				 errmsg("a label of %d bytes is too long", (int) VARSIZE_ANY_EXHDR(label)),
				 errdetail("A label must have at most %d bytes.", CVG_MAX_LABEL_BYTES)));
	PreventCommandIfReadOnly("converge.snapshot()");
	doc_id = PG_GETARG_UUID_P(0);
	cvg_require_role(doc_id, CVG_EDITOR);
	cvg_keep_text(doc_id, "named", &seen);
	if (label != NULL)
		cvg_label_add(doc_id, seen.version, label, cvg_acting_user(), GetCurrentTimestamp());
	cvg_note_kept(doc_id, &seen, 0);
	PG_RETURN_INT64(seen.version);
}

/* The text of a version, whoever asks; for functions that have looked at that. */
Datum
converge_stored_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cvg_content_at(PG_GETARG_UUID_P(0), PG_GETARG_INT64(1)));
}
