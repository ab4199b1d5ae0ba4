/*
 * type/op_functions.c
 *		The algebra as SQL functions: constructors, apply, compose, transform,
 *		invert, positions, and the compose aggregate.
 */
#include "type/op_type.h"

#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(converge_insert);
PG_FUNCTION_INFO_V1(converge_delete);
PG_FUNCTION_INFO_V1(converge_replace);
PG_FUNCTION_INFO_V1(converge_apply);
PG_FUNCTION_INFO_V1(converge_compose);
PG_FUNCTION_INFO_V1(converge_transform);
PG_FUNCTION_INFO_V1(converge_invert);
PG_FUNCTION_INFO_V1(converge_transform_position);
PG_FUNCTION_INFO_V1(converge_compose_step);
PG_FUNCTION_INFO_V1(converge_compose_final);

/* ---- arguments ---- */

/* A position or length: whole, not negative, within the core's limit. */
static int64
length_argument(const char *what, int64 value)
{
	if (value < 0 || value > OT_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s " INT64_FORMAT " is out of range", what, value),
				 errdetail("It is counted in code points, from 0 to %lld.",
						   (long long) OT_MAX_LENGTH)));
	return value;
}

/* 'left' or 'right'. */
static OtSide
side_argument(const text * side)
{
	const char *name = VARDATA_ANY(side);
	int			size = VARSIZE_ANY_EXHDR(side);

	if (size == 4 && memcmp(name, "left", 4) == 0)
		return OT_LEFT;
	if (size == 5 && memcmp(name, "right", 5) == 0)
		return OT_RIGHT;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized side: \"%s\"", text_to_cstring(side)),
			 errhint("A side is \"left\" or \"right\".")));
}

/* Append text that a datum holds. */
static void
insert_text(OtBuilder *builder, const text * content)
{
	const char *bytes = VARDATA_ANY(content);
	Size		size = VARSIZE_ANY_EXHDR(content);

	ot_builder_insert(builder, bytes, size, ot_utf8_length(bytes, size));
}

/* ---- constructors ---- */

Datum
converge_insert(PG_FUNCTION_ARGS)
{
	OtBuffer	out;
	OtBuilder	builder;

	cvg_datum_begin(&out);
	ot_builder_init(&builder, &out);
	ot_builder_retain(&builder, length_argument("position", PG_GETARG_INT64(0)));
	insert_text(&builder, PG_GETARG_TEXT_PP(1));
	cvg_check_status(ot_builder_finish(&builder));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_delete(PG_FUNCTION_ARGS)
{
	OtBuffer	out;
	OtBuilder	builder;

	cvg_datum_begin(&out);
	ot_builder_init(&builder, &out);
	ot_builder_retain(&builder, length_argument("position", PG_GETARG_INT64(0)));
	ot_builder_delete(&builder, length_argument("length", PG_GETARG_INT64(1)));
	cvg_check_status(ot_builder_finish(&builder));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_replace(PG_FUNCTION_ARGS)
{
	OtBuffer	out;
	OtBuilder	builder;

	cvg_datum_begin(&out);
	ot_builder_init(&builder, &out);
	ot_builder_retain(&builder, length_argument("position", PG_GETARG_INT64(0)));
	insert_text(&builder, PG_GETARG_TEXT_PP(2));
	ot_builder_delete(&builder, length_argument("length", PG_GETARG_INT64(1)));
	cvg_check_status(ot_builder_finish(&builder));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

/* ---- the algebra ---- */

Datum
converge_apply(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(0);
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(ot_apply(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document),
							  PG_GETARG_CVG_OP(1), &out));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_compose(PG_FUNCTION_ARGS)
{
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(ot_compose(PG_GETARG_CVG_OP(0), PG_GETARG_CVG_OP(1), &out));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_transform(PG_FUNCTION_ARGS)
{
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(ot_transform(PG_GETARG_CVG_OP(0), PG_GETARG_CVG_OP(1),
								  side_argument(PG_GETARG_TEXT_PP(2)), &out));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_invert(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(1);
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(ot_invert(PG_GETARG_CVG_OP(0), VARDATA_ANY(document),
							   VARSIZE_ANY_EXHDR(document), &out));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}

Datum
converge_transform_position(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(ot_transform_position(length_argument("position", PG_GETARG_INT64(0)),
										  PG_GETARG_CVG_OP(1),
										  side_argument(PG_GETARG_TEXT_PP(2))));
}

/* ---- the aggregate: its state is a fold in the aggregate's context ---- */

typedef struct ComposeState
{
	OtAllocator allocator;
	OtFold	   *fold;
} ComposeState;

/* A state that lives as long as the aggregate does. */
static ComposeState *
create_compose_state(MemoryContext context)
{
	ComposeState *state = MemoryContextAlloc(context, sizeof(ComposeState));

	state->allocator = cvg_allocator;
	state->allocator.ctx = context;
	cvg_check_status(ot_fold_create(&state->allocator, &state->fold));
	return state;
}

Datum
converge_compose_step(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	ComposeState *state = PG_ARGISNULL(0) ? NULL : (ComposeState *) PG_GETARG_POINTER(0);

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "converge.compose_step called outside an aggregate");
	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = create_compose_state(context);
	cvg_check_status(ot_fold_push(state->fold, PG_GETARG_CVG_OP(1)));
	PG_RETURN_POINTER(state);
}

Datum
converge_compose_final(PG_FUNCTION_ARGS)
{
	ComposeState *state = PG_ARGISNULL(0) ? NULL : (ComposeState *) PG_GETARG_POINTER(0);
	OtBuffer	out;

	if (state == NULL)
		PG_RETURN_NULL();
	cvg_datum_begin(&out);
	cvg_check_status(ot_fold_finish(state->fold, &out));
	PG_RETURN_DATUM(cvg_datum_finish(&out));
}
