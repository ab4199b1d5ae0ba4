/*
 * edit/gateway.c
 *		What the relay calls: batches of ops in, ready messages out.
 *
 * The user is an argument here, so nobody but the relay's role may call these.
 * A document's lock is only waited for on request, and a batch takes its
 * documents in the order of their ids, so that batches cannot deadlock.
 */
#include "postgres.h"

#include "access/access.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/subxact.h"
#include "edit/apply.h"
#include "edit/document.h"
#include "history/snapshot.h"
#include "type/event.h"
#include "type/op_type.h"

#include "access/context.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_submit);
PG_FUNCTION_INFO_V1(converge_join_document);
PG_FUNCTION_INFO_V1(converge_catch_up);
PG_FUNCTION_INFO_V1(converge_checksum);
PG_FUNCTION_INFO_V1(converge_has_version);

/* Up to so many ops a client gets one by one, with their authors. */
#define SINGLE_OPS	64

/* So many packed ops, the newest, are looked through for a client's pending one. */
#define MAX_PENDING_OPS	100000

typedef struct BatchItem
{
	pg_uuid_t	doc_id;
	int			ord;
	CvgSubmission sub;
} BatchItem;

/* ---- submit: reading the batch ---- */

/* Take one array argument apart: no nulls, one dimension, `count` long. */
static Datum *
batch_array(FunctionCallInfo fcinfo, int argument, Oid type, int16 length, bool by_value,
			char align, int *count)
{
	ArrayType  *array;
	Datum	   *elements;
	int			n;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("arrays of a batch must not be null")));
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of a batch must have one dimension and no nulls")));
	deconstruct_array(array, type, length, by_value, align, &elements, NULL, &n);
	if (*count >= 0 && n != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of a batch must be of one length, not %d and %d", *count, n)));
	if (n > CVG_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_TOO_LARGE),
				 errmsg("a batch of %d operations is too large", n),
				 errdetail("A batch has at most %d.", CVG_MAX_BATCH)));
	*count = n;
	return elements;
}

/* Parse the op of one item; a malformed one is refused by itself. */
static void
parse_item_op(BatchItem *item, text * json)
{
	OtBuffer	buffer;
	size_t		error_at;
	const char *detail;
	OtStatus	status;

	ot_buffer_init(&buffer, &cvg_allocator, 0);
	status = ot_from_json(VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json), &buffer, &error_at, &detail);
	if (status == OT_NO_MEMORY)
		cvg_check_status(status);
	item->sub.outcome = CVG_APPLIED;
	if (status == OT_OK)
	{
		item->sub.op = ot_buffer_op(&buffer);
		return;
	}
	item->sub.outcome = status == OT_TOO_LARGE ? CVG_TOO_LARGE : CVG_MALFORMED;
	item->sub.detail = psprintf("At byte %zu of the operation: %s.", error_at, detail);
}

/* Read the whole batch. */
static BatchItem *
read_batch(FunctionCallInfo fcinfo, int *count)
{
	Datum	   *doc_ids,
			   *user_ids,
			   *op_ids,
			   *bases,
			   *ops,
			   *lives = NULL;
	BatchItem  *items;

	*count = -1;
	doc_ids = batch_array(fcinfo, 0, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, count);
	user_ids = batch_array(fcinfo, 1, TEXTOID, -1, false, TYPALIGN_INT, count);
	op_ids = batch_array(fcinfo, 2, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, count);
	bases = batch_array(fcinfo, 3, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, count);
	ops = batch_array(fcinfo, 4, TEXTOID, -1, false, TYPALIGN_INT, count);
	if (!PG_ARGISNULL(6))
		lives = batch_array(fcinfo, 6, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR, count);

	items = palloc0(Max(*count, 1) * sizeof(BatchItem));
	for (int i = 0; i < *count; i++)
	{
		BatchItem  *item = &items[i];
		text	   *user_id = DatumGetTextPP(user_ids[i]);

		item->doc_id = *DatumGetUUIDP(doc_ids[i]);
		item->ord = i;
		item->sub.user_id = VARDATA_ANY(user_id);
		item->sub.user_len = VARSIZE_ANY_EXHDR(user_id);
		item->sub.op_id = *DatumGetUUIDP(op_ids[i]);
		item->sub.base_version = DatumGetInt64(bases[i]);
		item->sub.has_life = lives != NULL;
		if (lives != NULL)
			item->sub.life = *DatumGetUUIDP(lives[i]);
		parse_item_op(item, DatumGetTextPP(ops[i]));
	}
	return items;
}

/* ---- submit: applying it ---- */

/* By document, then in the order of arrival. */
static int
compare_items(const void *a, const void *b)
{
	const BatchItem *x = *(const BatchItem *const *) a;
	const BatchItem *y = *(const BatchItem *const *) b;
	int			order = memcmp(&x->doc_id, &y->doc_id, UUID_LEN);

	return order != 0 ? order : x->ord - y->ord;
}

/* Wait for a document's lock, which stays with the transaction. */
static void
lock_document(void *arg)
{
	Relation	heads = table_open(cvg_catalog()->heads, RowExclusiveLock);
	CvgHead		head;

	cvg_head_lock(heads, arg, true, &head);
	table_close(heads, NoLock);
}

/*
 * Wait for a document's lock, but no longer than lock_timeout says: false then.
 * In a subtransaction, so that it is an answer, and no error in the server's
 * log for each time that somebody keeps a document to himself.
 */
static bool
lock_patiently(const pg_uuid_t *doc_id)
{
	ErrorData  *error = LockTimeout > 0 ? cvg_try(lock_document, (void *) doc_id) : NULL;

	if (error != NULL && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	return error == NULL;
}

/* The end of the run of one user's ops. */
static int
run_of_user(CvgSubmission **subs, int from, int count)
{
	int			upto = from + 1;

	while (upto < count && subs[upto]->user_len == subs[from]->user_len &&
		   memcmp(subs[upto]->user_id, subs[from]->user_id, subs[from]->user_len) == 0)
		upto++;
	return upto;
}

/* Note that ops were not tried. */
static void
leave_busy(CvgSubmission **subs, int count)
{
	for (int i = 0; i < count; i++)
		subs[i]->outcome = CVG_DOC_BUSY;
}

/*
 * Apply a run of one user's ops.  Row triggers are to see the document before and
 * after their op, as with edits one by one, so each op then goes by itself.
 * False where the document is busy.
 */
static bool
apply_run(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **subs, int count, bool wait,
		  CvgForeignCode code)
{
	int			step = code == CVG_ROW_TRIGGERS ? 1 : count;
	bool		busy = false;

	for (int from = 0; from < count && !busy; from += step)
	{
		cvg_apply(appender, doc_id, subs + from, step, wait);
		busy = subs[from]->outcome == CVG_DOC_BUSY;
	}
	return !busy;
}

/*
 * Likewise, acting for the user.  Deferred triggers fire before, for the user for
 * whom the session acts, and after, for this one: at COMMIT it would not be known
 * any more for whom each of them is to act.
 */
static bool
apply_run_for_user(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **subs, int count, bool wait,
				   CvgForeignCode code)
{
	int			nest_level;
	bool		done;

	if (cvg_is_acting(subs[0]->user_id, subs[0]->user_len))
		return apply_run(appender, doc_id, subs, count, wait, code);
	cvg_fire_deferred();
	nest_level = cvg_act_begin(subs[0]->user_id, subs[0]->user_len);
	done = apply_run(appender, doc_id, subs, count, wait, code);
	cvg_fire_deferred();
	cvg_act_end(nest_level);
	return done;
}

/*
 * Apply ops on one document.  Where other people's code looks on, each user's run
 * goes by itself.  What is busy for the first op is so for all, or a user's ops
 * would change their order.
 */
static void
apply_to_document(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **subs, int count, bool wait,
				  CvgForeignCode code)
{
	if (code == CVG_NO_CODE)
	{
		cvg_apply(appender, doc_id, subs, count, wait);
		return;
	}
	for (int from = 0, upto; from < count; from = upto)
	{
		upto = run_of_user(subs, from, count);
		if (!apply_run_for_user(appender, doc_id, subs + from, upto - from, wait, code))
		{
			leave_busy(subs + from, count - from);
			return;
		}
	}
}

/* Apply what is well-formed, a document after the other. */
static void
apply_batch(BatchItem *items, int count, bool wait)
{
	BatchItem **sorted = palloc(Max(count, 1) * sizeof(BatchItem *));
	CvgSubmission **subs = palloc(Max(count, 1) * sizeof(CvgSubmission *));
	CvgAppender *appender = cvg_appender_begin();
	CvgForeignCode code = cvg_foreign_code();
	int			well_formed = 0;

	for (int i = 0; i < count; i++)
		if (items[i].sub.outcome == CVG_APPLIED)
			sorted[well_formed++] = &items[i];
	qsort(sorted, well_formed, sizeof(BatchItem *), compare_items);
	if (well_formed > 1)
		cvg_hold_locks();
	for (int from = 0, upto; from < well_formed; from = upto)
	{
		const pg_uuid_t *doc_id = &sorted[from]->doc_id;

		for (upto = from; upto < well_formed &&
			 memcmp(&sorted[upto]->doc_id, doc_id, UUID_LEN) == 0; upto++)
			subs[upto] = &sorted[upto]->sub;
		apply_to_document(appender, doc_id, subs + from, upto - from, wait && lock_patiently(doc_id), code);
	}
	cvg_appender_end(appender);
}

/* ---- submit: answering ---- */

/* What each outcome is called on the wire. */
static const struct
{
	const char *code;
	const char *message;
}			outcome_words[] =

{
	[CVG_APPLIED] = {"applied", NULL},
	[CVG_DUPLICATE] = {"duplicate", NULL},
	[CVG_UNCHANGED] = {"applied", NULL},	/* without member_changes */
	[CVG_DOC_BUSY] = {"busy", "The document is locked by another transaction."},
	[CVG_NOT_FOUND] = {"not_found", "The document does not exist."},
	[CVG_FORBIDDEN] = {"forbidden", NULL},
	[CVG_CONFLICT] = {"conflict", NULL},
	[CVG_FUTURE] = {"invalid", NULL},
	[CVG_STALE] = {"stale", NULL},
	[CVG_OUT_OF_RANGE] = {"invalid", NULL},
	[CVG_TOO_LARGE] = {"too_large", NULL},
	[CVG_MALFORMED] = {"invalid", NULL},
};

/*
 * Answer the identity at the version that its client made it on: there it knows
 * the operation as its own, and has nothing to apply.
 */
static void
place_identity(const pg_uuid_t *doc_id, CvgSubmission *sub)
{
	CvgHead		head;
	CvgOpRow	row;

	if (sub->outcome != CVG_UNCHANGED || sub->version == sub->base_version)
		return;
	sub->version = sub->base_version;
	sub->seq = 0;
	if (cvg_head_read(doc_id, &head) && sub->version > head.floor_version &&
		cvg_op_by_version(doc_id, sub->version, &row))
		sub->seq = row.seq;
}

/* Put one answer out. */
static void
put_answer(ReturnSetInfo *result, const BatchItem *item, StringInfo event)
{
	const CvgSubmission *sub = &item->sub;
	bool		taken = sub->outcome == CVG_APPLIED || sub->outcome == CVG_DUPLICATE ||
	sub->outcome == CVG_UNCHANGED;
	const char *message = sub->detail != NULL ? sub->detail : outcome_words[sub->outcome].message;
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = Int32GetDatum(item->ord + 1);
	values[1] = CStringGetTextDatum(outcome_words[sub->outcome].code);
	values[2] = Int64GetDatum(sub->version);
	nulls[2] = nulls[3] = !taken;
	if (taken)
	{
		resetStringInfo(event);
		cvg_event_entry(event, sub->version, sub->seq, &sub->op_id, sub->user_id, sub->user_len,
						sub->first_base, sub->created_at, sub->applied);
		values[3] = PointerGetDatum(cstring_to_text_with_len(event->data, event->len));
	}
	nulls[4] = message == NULL;
	if (message != NULL)
		values[4] = CStringGetTextDatum(message);
	values[5] = Int64GetDatum(sub->member_changes);
	nulls[5] = sub->outcome != CVG_APPLIED;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
converge_submit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	StringInfoData event;
	BatchItem  *items;
	int			count;
	bool		wait = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);

	PreventCommandIfReadOnly("converge.submit()");
	PreventCommandIfParallelMode("converge.submit()");

	/*
	 * what the caller expects is at hand; what we declare would be read from
	 * the catalogs each time
	 */
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	items = read_batch(fcinfo, &count);
	apply_batch(items, count, wait);
	initStringInfo(&event);
	for (int i = 0; i < count; i++)
	{
		place_identity(&items[i].doc_id, &items[i].sub);
		put_answer(result, &items[i], &event);
	}
	return (Datum) 0;
}

/* ---- join ---- */

/* The whole text as a ready message. */
static text *
snapshot_message(const pg_uuid_t *doc_id, const CvgOpened *opened)
{
	text	   *content = cvg_content_at(doc_id, opened->head.version);
	StringInfoData message;

	initStringInfo(&message);
	appendStringInfoString(&message, "{\"type\":\"snapshot\",\"version\":");
	cvg_append_int64(&message, opened->head.version);
	appendStringInfoString(&message, ",\"sequenceId\":");
	cvg_append_int64(&message, opened->head.seq);
	if (opened->has_op_id)
	{
		appendStringInfoString(&message, ",\"operationId\":\"");
		cvg_append_uuid(&message, &opened->op_id);
		appendStringInfoChar(&message, '"');
	}
	appendStringInfoString(&message, ",\"content\":");
	cvg_append_json_string(&message, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	appendStringInfoChar(&message, '}');
	return cstring_to_text_with_len(message.data, message.len);
}

/*
 * Find the version that a client's pending op made, which is above the one that
 * the client holds; 0 where it made none.  Returns whether that is certain: not
 * where the history that might have it is forgotten, or is longer than is looked
 * through for one join.
 */
static bool
find_pending(const pg_uuid_t *doc_id, const pg_uuid_t *pending, const CvgHead *head,
			 int64 held, int64 *version)
{
	int64		from = Max(held, Max(head->floor_version, head->packed_version - MAX_PENDING_OPS));
	CvgOpScan  *scan;
	CvgOpRow	row;

	*version = 0;
	if (cvg_op_by_id(doc_id, pending, &row))
		*version = row.version;
	else if (from < head->packed_version)
	{
		scan = cvg_ops_begin(doc_id, from, head->packed_version);
		while (*version == 0 && cvg_ops_next(scan, &row))
			if (memcmp(&row.op_id, pending, UUID_LEN) == 0)
				*version = row.version;
		cvg_ops_end(scan);
	}
	return *version != 0 || from <= held;
}

Datum
converge_join_document(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	int64		known_version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	CvgOpened	opened;
	TupleDesc	desc;
	Datum		values[10] = {0};
	bool		nulls[10] = {false};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("user and document must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	doc_id = PG_GETARG_UUID_P(1);
	cvg_open(doc_id, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_ARGISNULL(2) ? NULL : &known_version,
			 PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3),
			 PG_ARGISNULL(4) ? NULL : PG_GETARG_UUID_P(4), &opened);

	values[0] = CStringGetTextDatum(cvg_role_name(opened.role));
	values[1] = PointerGetDatum(opened.title);
	values[2] = Int64GetDatum(opened.head.version);
	values[3] = Int64GetDatum(opened.head.seq);
	values[4] = UUIDPGetDatum(&opened.op_id);
	nulls[4] = !opened.has_op_id;
	values[5] = BoolGetDatum(opened.resumed);
	nulls[6] = opened.resumed;
	if (!opened.resumed)
		values[6] = PointerGetDatum(snapshot_message(doc_id, &opened));
	values[7] = UUIDPGetDatum(&opened.head.life);
	nulls[8] = PG_ARGISNULL(5);
	nulls[9] = true;
	if (!PG_ARGISNULL(5))
	{
		int64		version = 0;

		values[8] = BoolGetDatum(find_pending(doc_id, PG_GETARG_UUID_P(5), &opened.head,
											  opened.resumed ? known_version : 0, &version));
		values[9] = Int64GetDatum(version);
		nulls[9] = version == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- catch_up ---- */

/* A stretch of the log on its way into one message. */
typedef struct Stretch
{
	ReturnSetInfo *result;
	const CvgHead *head;		/* where it ends at the latest */
	int64		from_version;
	int64		count;
	bool		composed;		/* it goes as one op: the ops are many, or
								 * much */
	StringInfoData entries;		/* the ops one by one, unless composed */
	OtFold	   *fold;			/* all of them */
	int64		version;		/* of the last one */
	int64		seq;
	pg_uuid_t	op_id;
} Stretch;

/*
 * Fail where the ops since a version are too much: as with a version that is
 * forgotten, the client is better served with the text.
 */
pg_attribute_noreturn() static void
too_far_behind(const Stretch *stretch)
{
	ereport(ERROR,
			(errcode(ERRCODE_CVG_STALE),
			 errmsg("version " INT64_FORMAT " is too far behind to catch up from", stretch->from_version),
			 errdetail("The operations since then are more than the text of the document, and more than %zu bytes.",
					   CVG_MAX_CATCH_UP_BYTES),
			 errhint("Open the document without a known version.")));
}

/* Check the status of composing; what cannot be held is too much. */
static void
check_composing(const Stretch *stretch, OtStatus status)
{
	if (status == OT_TOO_LARGE)
		too_far_behind(stretch);
	cvg_check_status(status);
}

/* Let the stretch be composed once its ops are too many, or too much, to go one by one. */
static void
bound_entries(Stretch *stretch, const CvgOpRow *row)
{
	if (cvg_too_large_to_catch_up(stretch->head, row->op.size))
		too_far_behind(stretch);
	if (stretch->composed || stretch->count == 0 ||
		(stretch->count < SINGLE_OPS &&
		 stretch->entries.len + row->op.size <= CVG_MAX_SINGLE_BYTES))
		return;
	stretch->composed = true;
	pfree(stretch->entries.data);
	initStringInfo(&stretch->entries);
}

/* Take one op into the stretch. */
static void
stretch_add(Stretch *stretch, const CvgOpRow *row)
{
	bound_entries(stretch, row);
	if (!stretch->composed)
	{
		if (stretch->count > 0)
			appendStringInfoChar(&stretch->entries, ',');
		cvg_event_entry(&stretch->entries, row->version, row->seq, &row->op_id,
						row->user_id, row->user_len, row->base_version, row->created_at, row->op);
	}
	check_composing(stretch, ot_fold_push(stretch->fold, row->op));
	stretch->count++;
	stretch->version = row->version;
	stretch->seq = row->seq;
	stretch->op_id = row->op_id;
}

/* The stretch as a catchup message. */
static void
catchup_message(StringInfo message, const Stretch *stretch, OtOp op)
{
	appendStringInfoString(message, "{\"type\":\"catchup\",\"fromVersion\":");
	cvg_append_int64(message, stretch->from_version);
	appendStringInfoString(message, ",\"version\":");
	cvg_append_int64(message, stretch->version);
	appendStringInfoString(message, ",\"sequenceId\":");
	cvg_append_int64(message, stretch->seq);
	appendStringInfoString(message, ",\"operationId\":\"");
	cvg_append_uuid(message, &stretch->op_id);
	appendStringInfoString(message, "\",\"op\":");
	cvg_append_json_op(message, op);
	appendStringInfoChar(message, '}');
}

/* Put the stretch out as one row, and start the next behind it. */
static void
stretch_finish(Stretch *stretch)
{
	StringInfoData message;
	OtBuffer	composed;
	Datum		values[5];
	bool		nulls[5] = {false};

	if (stretch->count == 0)
		return;
	initStringInfo(&message);
	ot_buffer_init(&composed, &cvg_allocator, 0);
	check_composing(stretch, ot_fold_finish(stretch->fold, &composed));
	if (stretch->composed && cvg_too_large_to_catch_up(stretch->head, composed.size))
		too_far_behind(stretch);
	if (!stretch->composed)
	{
		appendStringInfoString(&message, "{\"type\":\"ops\",\"ops\":[");
		appendBinaryStringInfo(&message, stretch->entries.data, stretch->entries.len);
		appendStringInfoString(&message, "]}");
	}
	else
		catchup_message(&message, stretch, ot_buffer_op(&composed));
	values[0] = Int64GetDatum(stretch->from_version);
	values[1] = Int64GetDatum(stretch->version);
	values[2] = Int64GetDatum(stretch->seq);
	values[3] = UUIDPGetDatum(&stretch->op_id);
	values[4] = PointerGetDatum(cstring_to_text_with_len(message.data, message.len));
	tuplestore_putvalues(stretch->result->setResult, stretch->result->setDesc, values, nulls);

	ot_buffer_free(&composed);
	pfree(message.data);
	resetStringInfo(&stretch->entries);
	stretch->from_version = stretch->version;
	stretch->count = 0;
	stretch->composed = false;
}

/* Where a client's catching up ends, or why it cannot begin. */
static void
catch_up_target(const pg_uuid_t *doc_id, int64 since, CvgHead *head)
{
	if (!cvg_head_read(doc_id, head))
		cvg_no_document(doc_id);
	if (since < head->floor_version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_STALE),
				 errmsg("version " INT64_FORMAT " is forgotten", since),
				 errdetail("History begins at version " INT64_FORMAT ".", head->floor_version)));
	if (since > head->version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FUTURE_BASE),
				 errmsg("version " INT64_FORMAT " does not exist", since),
				 errdetail("The document is at version " INT64_FORMAT ".", head->version)));
}

Datum
converge_catch_up(PG_FUNCTION_ARGS)
{
	Stretch		stretch = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	pg_uuid_t  *doc_id;
	pg_uuid_t  *pending = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	CvgOpScan  *scan;
	CvgOpRow	row;
	CvgHead		head;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document and version must not be null")));
	InitMaterializedSRF(fcinfo, 0);
	doc_id = PG_GETARG_UUID_P(0);
	stretch.from_version = PG_GETARG_INT64(1);
	catch_up_target(doc_id, stretch.from_version, &head);
	if (stretch.from_version >= head.version)
		return (Datum) 0;
	stretch.head = &head;

	initStringInfo(&stretch.entries);
	cvg_check_status(ot_fold_create(&cvg_allocator, &stretch.fold));
	scan = cvg_ops_begin(doc_id, stretch.from_version, head.version);
	while (cvg_ops_next(scan, &row))
	{
		bool		is_pending = pending != NULL && memcmp(&row.op_id, pending, UUID_LEN) == 0;

		if (is_pending)
			stretch_finish(&stretch);
		stretch_add(&stretch, &row);
		if (is_pending)
			stretch_finish(&stretch);
	}
	cvg_ops_end(scan);
	stretch_finish(&stretch);
	ot_fold_free(stretch.fold);
	return (Datum) 0;
}

/* ---- checksum ---- */

Datum
converge_checksum(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	int64		version;
	CvgHead		head;
	Datum		hash;
	Datum		hex;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document and version must not be null")));
	doc_id = PG_GETARG_UUID_P(0);
	version = PG_GETARG_INT64(1);
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (!PG_ARGISNULL(2) && memcmp(PG_GETARG_UUID_P(2), &head.life, UUID_LEN) != 0)
		PG_RETURN_NULL();
	cvg_check_version(&head, version);
	/* a text is its bytes in UTF-8, the only encoding there is here */
	hash = DirectFunctionCall1(sha256_bytea, PointerGetDatum(cvg_content_at(doc_id, version)));
	hex = DirectFunctionCall2(binary_encode, hash, CStringGetTextDatum("hex"));
	PG_RETURN_DATUM(hex);
}

/* ---- has_version ---- */

/*
 * Is a version that exists the one that somebody knows?  Both numbers are
 * compared: after a crash that lost commits, the same operation may come back
 * as the same version behind other ones, but hardly with the same seq.
 */
static bool
is_same_version(const pg_uuid_t *doc_id, const CvgHead *head, int64 version,
				const pg_uuid_t *op_id, int64 seq)
{
	CvgOpRow	row;
	pg_uuid_t	floor_id;

	if (version == 0 || version < head->floor_version)
		return version == 0 && op_id == NULL && head->floor_version == 0;
	if (op_id == NULL)
		return true;
	if (version == head->floor_version)
		return cvg_op_id_of(doc_id, head, version, &floor_id) &&
			memcmp(&floor_id, op_id, UUID_LEN) == 0;
	return cvg_op_by_version(doc_id, version, &row) && row.seq == seq &&
		memcmp(&row.op_id, op_id, UUID_LEN) == 0;
}

Datum
converge_has_version(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	CvgHead		head;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document, version and seq must not be null")));
	doc_id = PG_GETARG_UUID_P(0);
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (!PG_ARGISNULL(4) && memcmp(PG_GETARG_UUID_P(4), &head.life, UUID_LEN) != 0)
		PG_RETURN_BOOL(false);
	if (PG_GETARG_INT64(1) > head.version)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(is_same_version(doc_id, &head, PG_GETARG_INT64(1),
								   PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2), PG_GETARG_INT64(3)));
}
