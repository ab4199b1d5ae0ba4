/*
 * edit/document.c
 *		The SQL functions that edit and open one document as the acting user.
 */
#include "edit/document.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/limits.h"
#include "edit/apply.h"
#include "history/snapshot.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(converge_apply_op);
PG_FUNCTION_INFO_V1(converge_edit);
PG_FUNCTION_INFO_V1(converge_open_document);
PG_FUNCTION_INFO_V1(converge_max_document_length);

/* ---- editing ---- */

/* Raise what a refusal stands for. */
static void
check_outcome(const pg_uuid_t *doc_id, const CvgSubmission *sub)
{
	int			code;
	const char *message;

	switch (sub->outcome)
	{
		case CVG_APPLIED:
		case CVG_DUPLICATE:
		case CVG_UNCHANGED:
			return;
		case CVG_NOT_FOUND:
			cvg_no_document(doc_id);
		case CVG_FORBIDDEN:
			code = ERRCODE_CVG_FORBIDDEN;
			message = "permission denied for document %s";
			break;
		case CVG_CONFLICT:
			code = ERRCODE_CVG_OP_ID_CONFLICT;
			message = "operation id is already taken in document %s";
			break;
		case CVG_FUTURE:
			code = ERRCODE_CVG_FUTURE_BASE;
			message = "base version does not exist in document %s";
			break;
		case CVG_STALE:
			code = ERRCODE_CVG_STALE;
			message = "base version is too old for document %s";
			break;
		case CVG_OUT_OF_RANGE:
			code = ERRCODE_CVG_OUT_OF_RANGE;
			message = "operation reaches past the end of document %s";
			break;
		case CVG_TOO_LARGE:
			code = ERRCODE_CVG_TOO_LARGE;
			message = "operation is too large for document %s";
			break;
		default:
			elog(ERROR, "unexpected outcome of an operation: %d", (int) sub->outcome);
	}
	ereport(ERROR,
			(errcode(code),
			 errmsg(message, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
			 sub->detail != NULL ? errdetail("%s", sub->detail) : 0));
}

/* Apply one op as the acting user. */
void
cvg_apply_one(const pg_uuid_t *doc_id, CvgSubmission *sub)
{
	CvgAppender *appender = cvg_appender_begin();

	/* a copy: a trigger may change the setting that it comes from */
	sub->user_id = pstrdup(cvg_acting_user());
	sub->user_len = strlen(sub->user_id);
	cvg_apply(appender, doc_id, &sub, 1, true);
	cvg_appender_end(appender);
	check_outcome(doc_id, sub);
}

/* Refuse nulls and transactions that may not write. */
static void
check_write_call(FunctionCallInfo fcinfo, const char *command)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument %d of %s must not be null", i + 1, command)));
	PreventCommandIfReadOnly(command);
	PreventCommandIfParallelMode(command);
}

/*
 * The row type of apply_op's answer, made once a backend: looking up a
 * function's OUT arguments costs more than the rest of the call's frame.
 */
static TupleDesc
apply_result_type(void)
{
	static TupleDesc desc = NULL;
	Oid			op_type = cvg_catalog()->op_type;

	if (desc == NULL || TupleDescAttr(desc, 2)->atttypid != op_type)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);
		TupleDesc	fresh = CreateTemplateTupleDesc(4);

		TupleDescInitEntry(fresh, 1, "version", INT8OID, -1, 0);
		TupleDescInitEntry(fresh, 2, "seq", INT8OID, -1, 0);
		TupleDescInitEntry(fresh, 3, "applied", op_type, -1, 0);
		TupleDescInitEntry(fresh, 4, "duplicate", BOOLOID, -1, 0);
		desc = BlessTupleDesc(fresh);
		MemoryContextSwitchTo(caller);
	}
	return desc;
}

Datum
converge_apply_op(PG_FUNCTION_ARGS)
{
	CvgSubmission sub = {0};
	Datum		values[4];
	bool		nulls[4] = {false};

	check_write_call(fcinfo, "converge.apply_op()");
	sub.op_id = *PG_GETARG_UUID_P(1);
	sub.base_version = PG_GETARG_INT64(2);
	sub.op = PG_GETARG_CVG_OP(3);
	cvg_apply_one(PG_GETARG_UUID_P(0), &sub);

	values[0] = Int64GetDatum(sub.version);
	values[1] = Int64GetDatum(sub.seq);
	values[2] = cvg_op_datum(sub.applied);
	values[3] = BoolGetDatum(sub.outcome == CVG_DUPLICATE);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(apply_result_type(), values, nulls)));
}

/*
 * A fresh operation id: a version 8 UUID of a part drawn at random once a
 * backend and a counter, which keeps the index on ids local.
 */
pg_uuid_t
cvg_fresh_op_id(void)
{
	static pg_uuid_t session;
	static uint32 counter = 0;
	static int	drawn_by = 0;
	pg_uuid_t	id;

	if (drawn_by != MyProcPid || counter == PG_UINT32_MAX)
	{
		if (!pg_strong_random(&session, sizeof(session)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		drawn_by = MyProcPid;
		counter = 0;
	}
	id = session;
	counter++;
	for (int i = 0; i < 4; i++)
		id.data[UUID_LEN - 1 - i] = (unsigned char) (counter >> (8 * i));
	id.data[6] = (id.data[6] & 0x0F) | 0x80;	/* version 8 */
	id.data[8] = (id.data[8] & 0x3F) | 0x80;	/* variant of RFC 9562 */
	return id;
}

Datum
converge_edit(PG_FUNCTION_ARGS)
{
	CvgSubmission sub = {0};

	check_write_call(fcinfo, "converge.edit()");
	sub.op_id = cvg_fresh_op_id();
	sub.at_head = true;
	sub.op = PG_GETARG_CVG_OP(1);
	cvg_apply_one(PG_GETARG_UUID_P(0), &sub);
	PG_RETURN_INT64(sub.version);
}

/* ---- opening ---- */

/*
 * Does the client hold one of our versions?  The op that made it must be ours:
 * a client of a server that lost its last ops in a failover has others.  No op made
 * version 0, and another document may have had the id: there its life must be ours.
 */
static bool
is_our_version(const pg_uuid_t *doc_id, const CvgHead *head,
			   const int64 *known_version, const pg_uuid_t *known_op_id, const pg_uuid_t *known_life)
{
	pg_uuid_t	op_id;

	if (known_version == NULL ||
		(known_life != NULL && memcmp(known_life, &head->life, UUID_LEN) != 0))
		return false;
	if (*known_version == 0)
		return known_life != NULL && known_op_id == NULL && head->floor_version == 0;
	return known_op_id != NULL &&
		cvg_op_id_of(doc_id, head, *known_version, &op_id) &&
		memcmp(&op_id, known_op_id, UUID_LEN) == 0;
}

/* Open a document for a user; NULL is the acting user. */
void
cvg_open(const pg_uuid_t *doc_id, const char *user_id,
		 const int64 *known_version, const pg_uuid_t *known_op_id, const pg_uuid_t *known_life,
		 CvgOpened *opened)
{
	opened->role = user_id == NULL ? cvg_require_acting_reader(doc_id) : cvg_require_reader(doc_id, user_id);
	opened->title = cvg_document_title(doc_id);
	if (!cvg_head_read(doc_id, &opened->head) || opened->title == NULL)
		cvg_no_document(doc_id);
	opened->has_op_id = cvg_op_id_of(doc_id, &opened->head, opened->head.version, &opened->op_id);
	opened->resumed = is_our_version(doc_id, &opened->head, known_version, known_op_id, known_life);
}

Datum
converge_open_document(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	int64		known_version = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	CvgOpened	opened;
	TupleDesc	desc;
	Datum		op;
	Datum		values[9] = {0};
	bool		nulls[9] = {false};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	doc_id = PG_GETARG_UUID_P(0);
	cvg_open(doc_id, NULL, PG_ARGISNULL(1) ? NULL : &known_version,
			 PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2),
			 PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3), &opened);

	values[0] = ObjectIdGetDatum(cvg_catalog()->roles[opened.role]);
	nulls[0] = opened.role == CVG_NO_ROLE;
	values[1] = PointerGetDatum(opened.title);
	values[2] = Int64GetDatum(opened.head.version);
	values[3] = Int64GetDatum(opened.head.seq);
	values[4] = UUIDPGetDatum(&opened.op_id);
	nulls[4] = !opened.has_op_id;
	/* what is larger than the text itself is not worth resuming by */
	opened.resumed = opened.resumed &&
		cvg_compose_bounded(doc_id, known_version, &opened.head, &op);
	values[5] = BoolGetDatum(opened.resumed);
	nulls[6] = opened.resumed;
	nulls[7] = !opened.resumed;
	if (opened.resumed)
		values[7] = op;
	else
		values[6] = PointerGetDatum(cvg_content_at(doc_id, opened.head.version));
	values[8] = UUIDPGetDatum(&opened.head.life);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

Datum
converge_max_document_length(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(CVG_MAX_DOCUMENT_LENGTH);
}
