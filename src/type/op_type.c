/*
 * type/op_type.c
 *		The SQL type op: input, output, casts, equality; and the one map from
 *		the core's status to PostgreSQL's errors.
 *
 * A datum is a varlena whose payload is the packed form of ot/ot.h in normal
 * form, so that equal ops are equal bytes.
 */
#include "type/op_type.h"

#include "base/errors.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(converge_op_in);
PG_FUNCTION_INFO_V1(converge_op_out);
PG_FUNCTION_INFO_V1(converge_op_recv);
PG_FUNCTION_INFO_V1(converge_op_send);
PG_FUNCTION_INFO_V1(converge_op_to_jsonb);
PG_FUNCTION_INFO_V1(converge_op_from_json);
PG_FUNCTION_INFO_V1(converge_op_from_jsonb);
PG_FUNCTION_INFO_V1(converge_op_eq);
PG_FUNCTION_INFO_V1(converge_op_ne);
PG_FUNCTION_INFO_V1(converge_op_hash);
PG_FUNCTION_INFO_V1(converge_op_hash_extended);

/* ---- memory ---- */

/* Allocate or resize in the context given, else in the current one. */
static void *
resize_in_context(void *ctx, void *ptr, size_t size)
{
	if (ptr != NULL)
		return repalloc_huge(ptr, size);
	return MemoryContextAllocHuge(ctx != NULL ? (MemoryContext) ctx : CurrentMemoryContext, size);
}

/* Free. */
static void
release_in_context(void *ctx, void *ptr)
{
	if (ptr != NULL)
		pfree(ptr);
}

const OtAllocator cvg_allocator = {resize_in_context, release_in_context, NULL};

/* Start a buffer with room for a varlena header. */
void
cvg_datum_begin(OtBuffer *buffer)
{
	ot_buffer_init(buffer, &cvg_allocator, VARHDRSZ);
}

/* Write the varlena header of a finished buffer. */
Datum
cvg_datum_finish(OtBuffer *buffer)
{
	if (buffer->size > MaxAllocSize)
		cvg_check_status(OT_TOO_LARGE);
	if (buffer->data == NULL)
	{
		struct varlena *empty = palloc(VARHDRSZ);

		SET_VARSIZE(empty, VARHDRSZ);
		return PointerGetDatum(empty);
	}
	SET_VARSIZE(buffer->data, buffer->size);
	return PointerGetDatum(buffer->data);
}

/* Copy a packed op into a datum. */
Datum
cvg_op_datum(OtOp op)
{
	struct varlena *datum = palloc(VARHDRSZ + op.size);

	SET_VARSIZE(datum, VARHDRSZ + op.size);
	memcpy(VARDATA(datum), op.data, op.size);
	return PointerGetDatum(datum);
}

/* ---- errors ---- */

/* Raise what a status of the core stands for. */
void
cvg_check_status(OtStatus status)
{
	switch (status)
	{
		case OT_OK:
			return;
		case OT_NO_MEMORY:
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory")));
		case OT_TOO_LARGE:
			ereport(ERROR,
					(errcode(ERRCODE_CVG_TOO_LARGE),
					 errmsg("operation is too large"),
					 errdetail("An operation addresses and produces at most %lld code points.",
							   (long long) OT_MAX_LENGTH)));
		case OT_OUT_OF_RANGE:
			ereport(ERROR,
					(errcode(ERRCODE_CVG_OUT_OF_RANGE),
					 errmsg("operation reaches past the end of the document")));
		case OT_MALFORMED:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid binary representation of an operation"),
					 errdetail("The bytes are no packed operation in normal form.")));
		case OT_SYNTAX:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type op")));
		case OT_BAD_UTF8:
			ereport(ERROR,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("text of an operation is not valid UTF-8")));
		case OT_NUL:
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("text of an operation must not contain U+0000")));
		case OT_SURROGATE:
			ereport(ERROR,
					(errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
					 errmsg("text of an operation must not contain a lone surrogate")));
	}
	elog(ERROR, "unrecognized status of the OT core: %d", (int) status);
}

/* The SQLSTATE for text that is no op. */
static int
parse_errcode(OtStatus status)
{
	switch (status)
	{
		case OT_NUL:
		case OT_SURROGATE:
			return ERRCODE_UNTRANSLATABLE_CHARACTER;
		case OT_BAD_UTF8:
			return ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
		case OT_TOO_LARGE:
			return ERRCODE_CVG_TOO_LARGE;
		default:
			return ERRCODE_INVALID_TEXT_REPRESENTATION;
	}
}

/* Parse JSON into an op datum, or say where and why it is none. */
static Datum
parse_op(const char *json, Size size)
{
	OtBuffer	buffer;
	size_t		error_at;
	const char *detail;
	OtStatus	status;

	cvg_datum_begin(&buffer);
	status = ot_from_json(json, size, &buffer, &error_at, &detail);
	if (status == OT_NO_MEMORY)
		cvg_check_status(status);
	if (status != OT_OK)
	{
		int			shown = pg_mbcliplen(json, size, 60);

		ereport(ERROR,
				(errcode(parse_errcode(status)),
				 errmsg("invalid input syntax for type op: \"%.*s%s\"",
						shown, json, (Size) shown < size ? "..." : ""),
				 errdetail("At byte %zu: %s.", error_at, detail),
				 errhint("An operation looks like [5, \"hi\", {\"d\": 3}].")));
	}
	return cvg_datum_finish(&buffer);
}

/* ---- input and output ---- */

Datum
converge_op_in(PG_FUNCTION_ARGS)
{
	char	   *json = PG_GETARG_CSTRING(0);

	PG_RETURN_DATUM(parse_op(json, strlen(json)));
}

Datum
converge_op_out(PG_FUNCTION_ARGS)
{
	OtBuffer	json;

	ot_buffer_init(&json, &cvg_allocator, 0);
	cvg_check_status(ot_to_json(PG_GETARG_CVG_OP(0), &json));
	cvg_check_status(ot_buffer_append(&json, "", 1));
	PG_RETURN_CSTRING((char *) json.data);
}

Datum
converge_op_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	OtOp		op;

	op.size = message->len - message->cursor;
	op.data = (const uint8_t *) pq_getmsgbytes(message, op.size);
	cvg_check_status(ot_check(op));
	PG_RETURN_DATUM(cvg_op_datum(op));
}

Datum
converge_op_send(PG_FUNCTION_ARGS)
{
	OtOp		op = PG_GETARG_CVG_OP(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbytes(&message, (const char *) op.data, op.size);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* ---- casts ---- */

Datum
converge_op_to_jsonb(PG_FUNCTION_ARGS)
{
	Datum		json = DirectFunctionCall1(converge_op_out, PG_GETARG_DATUM(0));

	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, json));
}

Datum
converge_op_from_json(PG_FUNCTION_ARGS)
{
	text	   *json = PG_GETARG_TEXT_PP(0);

	PG_RETURN_DATUM(parse_op(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json)));
}

Datum
converge_op_from_jsonb(PG_FUNCTION_ARGS)
{
	char	   *json = DatumGetCString(DirectFunctionCall1(jsonb_out, PG_GETARG_DATUM(0)));

	PG_RETURN_DATUM(parse_op(json, strlen(json)));
}

/* ---- equality ---- */

/* The same bytes? */
static bool
same_op(OtOp a, OtOp b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

Datum
converge_op_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(same_op(PG_GETARG_CVG_OP(0), PG_GETARG_CVG_OP(1)));
}

Datum
converge_op_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!same_op(PG_GETARG_CVG_OP(0), PG_GETARG_CVG_OP(1)));
}

Datum
converge_op_hash(PG_FUNCTION_ARGS)
{
	OtOp		op = PG_GETARG_CVG_OP(0);

	return hash_any(op.data, (int) op.size);
}

Datum
converge_op_hash_extended(PG_FUNCTION_ARGS)
{
	OtOp		op = PG_GETARG_CVG_OP(0);

	return hash_any_extended(op.data, (int) op.size, PG_GETARG_INT64(1));
}
