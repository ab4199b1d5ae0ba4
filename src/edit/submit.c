/*
 * edit/submit.c
 *		A batch of ops from the relay: read, applied by document and user, answered.
 *
 * The user is an argument here, so only the relay's role may call it.  It waits for a
 * document's lock only on request, and locks documents in the order of their ids,
 * so that batches cannot deadlock.
 */
#include "postgres.h"

#include "access/access.h"
#include "access/context.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/limits.h"
#include "base/subxact.h"
#include "edit/apply.h"
#include "edit/ready_text.h"
#include "store/append.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/names.h"
#include "store/ops.h"
#include "store/scan.h"
#include "type/event.h"
#include "type/op_type.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_submit);

typedef struct BatchItem
{
	pg_uuid_t	doc_id;
	int			ord;
	CvgSubmission sub;
} BatchItem;

/* ---- reading the batch ---- */

/* Take one array argument apart: no nulls, one dimension, `count` long. */
static Datum *
batch_array(FunctionCallInfo fcinfo, int argument, Oid type, int16 length, bool by_value,
			char align, int *count)
{
	ArrayType  *array;
	Datum	   *elements;
	int			n;

	cvg_require_given(PG_ARGISNULL(argument), "arrays of a batch");
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of a batch must have one dimension and no nulls")));
	deconstruct_array(array, type, length, by_value, align, &elements, NULL, &n);
	if (*count >= 0 && n != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of a batch must have the same length, not %d and %d", *count, n)));
	if (n > CVG_MAX_BATCH)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_TOO_LARGE),
				 errmsg("a batch of %d operations is too large", n),
				 errdetail("A batch must have at most %d operations.", CVG_MAX_BATCH)));
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

/* ---- applying it ---- */

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
 * Wait for a document's lock, but return false after lock_timeout.  It waits in a
 * subtransaction, so that a time-out is an answer, and not an error in the server's
 * log whenever another transaction has a document locked for long.
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

/* ---- answering ---- */

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
	/* this batch may have made that version */
	cvg_push_own_snapshot();
	if (cvg_head_read(doc_id, &head) && sub->version > head.floor_version &&
		cvg_op_by_version(doc_id, sub->version, &row))
		sub->seq = row.seq;
	PopActiveSnapshot();
}

/* Put one answer out. */
static void
put_answer(ReturnSetInfo *result, const BatchItem *item, const Datum *codes, StringInfo event)
{
	const CvgSubmission *sub = &item->sub;
	bool		taken = sub->outcome == CVG_APPLIED || sub->outcome == CVG_DUPLICATE ||
	sub->outcome == CVG_UNCHANGED;
	const char *message = sub->detail != NULL ? sub->detail : outcome_words[sub->outcome].message;
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = Int32GetDatum(item->ord + 1);
	values[1] = codes[sub->outcome];
	values[2] = Int64GetDatum(sub->version);
	nulls[2] = nulls[3] = nulls[6] = !taken;
	if (taken)
	{
		cvg_text_begin(event);
		cvg_event_entry(event, sub->version, sub->seq, &sub->op_id, sub->user_id, sub->user_len,
						sub->first_base, sub->created_at, sub->applied);
		values[3] = PointerGetDatum(cvg_text_finish(event));
	}
	nulls[4] = message == NULL;
	if (message != NULL)
		values[4] = CStringGetTextDatum(message);
	values[5] = Int64GetDatum(sub->member_changes);
	nulls[5] = sub->outcome != CVG_APPLIED;
	values[6] = Int64GetDatum(sub->seq);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
converge_submit(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	StringInfoData event;
	Datum		codes[lengthof(outcome_words)];
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
	memset(codes, 0, sizeof(codes));
	for (int i = 0; i < count; i++)
	{
		place_identity(&items[i].doc_id, &items[i].sub);
		if (codes[items[i].sub.outcome] == 0)
			codes[items[i].sub.outcome] = CStringGetTextDatum(outcome_words[items[i].sub.outcome].code);
		put_answer(result, &items[i], codes, &event);
	}
	return (Datum) 0;
}
