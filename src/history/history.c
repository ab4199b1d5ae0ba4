/*
 * history/history.c
 *		The past as relations: history, changes, diff.
 *
 * They read the log as one, packed or not, and hold no more of it than a row.
 * Ranges are cut to what there is: from behind the floor to the head.
 */
#include "postgres.h"

#include "history/snapshot.h"
#include "past/rope.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_history);
PG_FUNCTION_INFO_V1(converge_changes);
PG_FUNCTION_INFO_V1(converge_diff);

/* The versions a call asks for, cut to those that history holds. */
static void
asked_range(FunctionCallInfo fcinfo, const CvgHead *head, int64 *from, int64 *upto)
{
	*from = PG_ARGISNULL(1) ? 1 : PG_GETARG_INT64(1);
	*upto = PG_ARGISNULL(2) ? head->version : PG_GETARG_INT64(2);
	*from = Max(*from, head->floor_version + 1);
	*upto = Min(*upto, head->version);
}

/* The document a call is about. */
static pg_uuid_t *
document_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document must not be null")));
	return PG_GETARG_UUID_P(0);
}

/* ---- history ---- */

/* A row an op. */
Datum
converge_history(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t  *doc_id = document_argument(fcinfo);
	CvgHead		head;
	CvgOpScan  *scan;
	CvgOpRow	row;
	int64		from;
	int64		upto;

	cvg_open_head(doc_id, &head);
	InitMaterializedSRF(fcinfo, 0);
	asked_range(fcinfo, &head, &from, &upto);
	scan = cvg_ops_begin(doc_id, from - 1, upto);
	while (cvg_ops_next(scan, &row))
	{
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = Int64GetDatum(row.version);
		values[1] = Int64GetDatum(row.seq);
		values[2] = UUIDPGetDatum(&row.op_id);
		values[3] = PointerGetDatum(cstring_to_text_with_len(row.user_id, row.user_len));
		values[4] = Int64GetDatum(row.base_version);
		values[5] = TimestampTzGetDatum(row.created_at);
		values[6] = cvg_op_datum(row.op);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[3]));
		pfree(DatumGetPointer(values[6]));
	}
	cvg_ops_end(scan);
	return (Datum) 0;
}

/* ---- changes ---- */

typedef struct ChangesSink
{
	ReturnSetInfo *result;
	const CvgOpRow *row;		/* whose components come in */
} ChangesSink;

/* Put out one component. */
static OtStatus
put_change(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *content, size_t size)
{
	ChangesSink *sink = ctx;
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = Int64GetDatum(sink->row->version);
	values[1] = PointerGetDatum(cstring_to_text_with_len(sink->row->user_id, sink->row->user_len));
	values[2] = TimestampTzGetDatum(sink->row->created_at);
	values[3] = CStringGetTextDatum(kind == OT_INSERT ? "insert" : "delete");
	values[4] = Int64GetDatum(pos);
	values[5] = Int64GetDatum(length);
	values[6] = PointerGetDatum(cstring_to_text_with_len(content, (int) size));
	tuplestore_putvalues(sink->result->setResult, sink->result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
	pfree(DatumGetPointer(values[3]));
	pfree(DatumGetPointer(values[6]));
	return OT_OK;
}

/* A row a component; what was deleted is spelled out by replaying the text. */
Datum
converge_changes(PG_FUNCTION_ARGS)
{
	ChangesSink sink = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	pg_uuid_t  *doc_id = document_argument(fcinfo);
	CvgHead		head;
	CvgOpScan  *scan;
	CvgOpRow	row;
	Rope	   *rope;
	text	   *start;
	int64		from;
	int64		upto;

	cvg_open_head(doc_id, &head);
	InitMaterializedSRF(fcinfo, 0);
	asked_range(fcinfo, &head, &from, &upto);
	if (from > upto)
		return (Datum) 0;
	start = cvg_content_at(doc_id, from - 1);
	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &rope));
	sink.row = &row;
	scan = cvg_ops_begin(doc_id, from - 1, upto);
	while (cvg_ops_next(scan, &row))
		cvg_check_status(rope_apply(rope, row.op, put_change, &sink));
	cvg_ops_end(scan);
	rope_free(rope);
	return (Datum) 0;
}

/* ---- diff ---- */

Datum
converge_diff(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		from = PG_GETARG_INT64(1);
	int64		upto = PG_GETARG_INT64(2);
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, from);
	cvg_check_version(&head, upto);
	PG_RETURN_DATUM(cvg_diff(doc_id, from, upto));
}
