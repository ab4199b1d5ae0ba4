/*
 * history/carry_ops.c
 *		Ops that were not applied, as they would be at a later version, and whether there
 *		still is what they touch.
 *
 * The log is composed backwards, from one base to the next older one, so that every op
 * is transformed once over what came since its base: the same result as op by op, by
 * the law of composition.
 */
#include "postgres.h"

#include "base/arrays.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/uuid_text.h"
#include "history/snapshot.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_carry_ops);
PG_FUNCTION_INFO_V1(converge_check_suggestion);

/* ---- whether what an op touches is still there ---- */

/* A walk over the text that an op was made on: the next run that the op deletes. */
typedef struct Deleted
{
	OtReader	reader;
	int64		base;			/* how far it has come */
	int64		from;
	int64		to;				/* == from: there is no more */
} Deleted;

/* Find the next deleted run; runs with nothing retained between them are one. */
static void
next_deleted(Deleted *deleted)
{
	OtComponent component;

	deleted->from = deleted->to = deleted->base;
	while (ot_reader_next(&deleted->reader, &component))
	{
		if (component.kind == OT_DELETE)
		{
			if (deleted->to == deleted->from)
				deleted->from = deleted->base;
			deleted->to = deleted->base += component.length;
		}
		else if (component.kind == OT_RETAIN)
		{
			deleted->base += component.length;
			if (deleted->to > deleted->from)
				return;
			deleted->from = deleted->to = deleted->base;
		}
	}
}

/* Is the place of every insert gone, since the characters on both sides of it were deleted? */
static bool
places_are_gone(OtOp op, OtOp over)
{
	Deleted		deleted = {.base = 0};
	OtReader	reader;
	OtComponent component;
	int64		position = 0;

	ot_reader_init(&deleted.reader, over);
	next_deleted(&deleted);
	ot_reader_init(&reader, op);
	while (ot_reader_next(&reader, &component))
	{
		if (component.kind != OT_INSERT)
		{
			position += component.length;
			continue;
		}
		while (deleted.to > deleted.from && deleted.to <= position)
			next_deleted(&deleted);
		if (deleted.to == deleted.from || deleted.from >= position)
			return false;
	}
	return true;
}

/*
 * Is what an op touches gone?  What it deletes, all of it; of an op that only inserts, the
 * text around every place.
 */
static bool
is_stale(OtOp op, OtOp carried, OtOp over)
{
	OtMeasure	before;
	OtMeasure	after;

	ot_measure(op, &before);
	ot_measure(carried, &after);
	return before.deleted > 0 ? after.deleted == 0 : places_are_gone(op, over);
}

/* ---- carrying ---- */

/* Compose what leads from a base to an older op's base with what came after it. */
static OtOp
extend_back(const pg_uuid_t *doc_id, int64 base, int64 upto, OtOp over)
{
	OtOp		before;
	OtBuffer	out;

	if (base == upto)
		return over;
	before = cvg_op_of((struct varlena *) DatumGetPointer(cvg_compose_range(doc_id, base, upto)));
	ot_buffer_init(&out, &cvg_allocator, 0);
	cvg_check_status(ot_compose(before, over, &out));
	return ot_buffer_op(&out);
}

/* Put out an op as it is after `over`. */
static void
put_carried(ReturnSetInfo *result, int ord, OtOp op, OtOp over)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, false};
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(ot_transform(op, over, OT_LEFT, &out));
	values[0] = Int32GetDatum(ord);
	values[1] = cvg_datum_finish(&out);
	values[2] = BoolGetDatum(is_stale(op, cvg_op_of((struct varlena *) DatumGetPointer(values[1])), over));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	ot_buffer_free(&out);
}

/* Fail for a base that is none, or is out of order. */
static void
check_base(const CvgHead *head, int64 base, int64 upto)
{
	if (base < head->floor_version || base > upto)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("base version " INT64_FORMAT " is out of order", base),
				 errdetail("The base versions must fall from " INT64_FORMAT " to the oldest available one, " INT64_FORMAT ".",
						   upto, head->floor_version)));
}

Datum
converge_carry_ops(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		version = PG_GETARG_INT64(1);
	int			count = -1;
	Datum	   *bases = cvg_array_argument(fcinfo, 2, INT8OID, &count);
	Oid			op_type = get_element_type(get_fn_expr_argtype(fcinfo->flinfo, 3));
	Datum	   *ops = cvg_array_argument(fcinfo, 3, op_type, &count);
	OtOp		over = {(const uint8_t *) "", 0};
	int64		reached = version;
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, version);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < count; i++)
	{
		int64		base = DatumGetInt64(bases[i]);

		CHECK_FOR_INTERRUPTS();
		check_base(&head, base, reached);
		over = extend_back(doc_id, base, reached, over);
		reached = base;
		put_carried((ReturnSetInfo *) fcinfo->resultinfo, i + 1, cvg_op_of(PG_DETOAST_DATUM_PACKED(ops[i])), over);
	}
	return (Datum) 0;
}

/* ---- a new one ---- */

/* Get the length of a document at a version. */
static int64
length_at(const pg_uuid_t *doc_id, const CvgHead *head, int64 version)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, version, head->version);
	int64		length = head->length;
	CvgOpRow	row;

	while (cvg_ops_next(scan, &row))
	{
		OtMeasure	measure;

		ot_measure(row.op, &measure);
		length += measure.deleted - measure.inserted;
	}
	cvg_ops_end(scan);
	return length;
}

/* Fail for an op that changes nothing, or is too large. */
static void
check_size(OtOp op)
{
	if (op.size == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the suggestion changes nothing")));
	if (op.size > CVG_MAX_SUGGESTION_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_TOO_LARGE),
				 errmsg("suggestion of %zu bytes is too large", op.size),
				 errdetail("The operation of a suggestion must have at most %zu bytes.", CVG_MAX_SUGGESTION_BYTES)));
}

Datum
converge_check_suggestion(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		base = PG_GETARG_INT64(1);
	OtOp		op = PG_GETARG_CVG_OP(2);
	OtMeasure	measure;
	CvgHead		head;
	int64		length;

	check_size(op);
	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, base);
	length = length_at(doc_id, &head, base);
	ot_measure(op, &measure);
	if (measure.base_length > length)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_OUT_OF_RANGE),
				 errmsg("suggestion reaches past the end of document %s", cvg_uuid_text(doc_id)),
				 errdetail("The operation reaches to " INT64_FORMAT "; the document has " INT64_FORMAT
						   " code points at version " INT64_FORMAT ".", measure.base_length, length, base)));
	PG_RETURN_VOID();
}
