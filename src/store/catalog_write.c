/*
 * store/catalog_write.c
 *		Locks and advances heads, appends to ops.
 *
 * LOCK ORDER: a writer takes the lock of the document's row in heads before it
 * decides anything, and holds it to the end of its transaction.  Whoever takes
 * several does so in the order of their ids.
 */
#include "postgres.h"

#include "base/errors.h"
#include "store/catalog.h"
#include "store/catalog_exec.h"
#include "store/catalog_layout.h"
#include "type/op_type.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * The head row this transaction wrote last.  A transaction of many edits finds
 * it here: through the index it would walk all the versions it has made of it,
 * which cannot be pruned before it ends.
 */
static struct
{
	TransactionId xid;
	uint64		changes;		/* of the catalog: a table that is written
								 * anew has other places */
	pg_uuid_t	doc_id;
	ItemPointerData tid;
} last_written;

/* ---- heads ---- */

/* Take the head out of a slot that holds its row. */
static void
head_from_slot(TupleTableSlot *slot, CvgHead *head)
{
	slot_getallattrs(slot);
	cvg_head_from_columns(slot->tts_values, head);
	head->tid = slot->tts_tid;
}

/* Return true if the row in a slot was made by this transaction, in a part of it that stands. */
static bool
is_own_row(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);

	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/*
 * Read the head as this transaction left it, if it wrote it last; then its lock
 * is ours already.  The row may be gone with a subtransaction, and its place
 * taken by another: of another document, or of this one by another session,
 * which has not given us its lock.
 */
static bool
read_own_head(Relation heads, const pg_uuid_t *doc_id, TupleTableSlot *slot)
{
	bool		isnull;

	return TransactionIdIsValid(last_written.xid) &&
		last_written.xid == GetTopTransactionIdIfAny() &&
	last_written.changes == cvg_catalog_changes() &&
	memcmp(&last_written.doc_id, doc_id, UUID_LEN) == 0 &&
	table_tuple_fetch_row_version(heads, &last_written.tid, GetActiveSnapshot(), slot) &&
	is_own_row(slot) &&
	memcmp(DatumGetUUIDP(slot_getattr(slot, HEADS_DOC_ID, &isnull)), doc_id, UUID_LEN) == 0;
}

/* Lock a row's newest version, as SELECT FOR NO KEY UPDATE does. */
static TM_Result
lock_row(Relation heads, ItemPointer tid, bool wait, TupleTableSlot *slot)
{
	TM_FailureData failure;
	uint8		flags = IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION;

	return table_tuple_lock(heads, tid, GetActiveSnapshot(), slot,
							GetCurrentCommandId(false), LockTupleNoKeyExclusive,
							wait ? LockWaitBlock : LockWaitSkip, flags, &failure);
}

/* What a try to lock came to. */
static CvgLockResult
lock_result(TM_Result result)
{
	switch (result)
	{
		case TM_Ok:
			return CVG_LOCKED;
		case TM_WouldBlock:
			return CVG_BUSY;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("could not serialize access due to concurrent update")));
			return CVG_ABSENT;
		default:
			elog(ERROR, "unexpected result of locking a document's head: %d", (int) result);
	}
}

/*
 * Lock a document's head and read it as it stands now.  Finds the row by what
 * the active snapshot sees; the lock then leads to its newest version.
 */
CvgLockResult
cvg_head_lock(Relation heads, const pg_uuid_t *doc_id, bool wait, CvgHead *head)
{
	CvgLockResult result = CVG_ABSENT;
	TupleTableSlot *slot = table_slot_create(heads, NULL);

	cvg_check_current(heads, &cvg_catalog()->heads);
	cvg_push_own_snapshot();
	if (read_own_head(heads, doc_id, slot))
		result = CVG_LOCKED;
	else if (cvg_head_find(heads, doc_id, head))
		result = lock_result(lock_row(heads, &head->tid, wait, slot));
	if (result == CVG_LOCKED)
		head_from_slot(slot, head);
	ExecDropSingleTupleTableSlot(slot);
	PopActiveSnapshot();
	return result;
}

/* Write a head in its place, where nothing was added to the table. */
static void
update_in_place(Relation heads, Datum *values, ItemPointer tid)
{
	bool		nulls[HEADS_COLUMNS] = {false};
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(heads), values, nulls);

	CatalogTupleUpdate(heads, tid, tuple);
	*tid = tuple->t_self;
	heap_freetuple(tuple);
}

/* Write a head we hold the lock of. */
void
cvg_head_update(Relation heads, const pg_uuid_t *doc_id, const CvgHead *head)
{
	ItemPointerData tid = head->tid;
	Datum		values[HEADS_COLUMNS];

	values[HEADS_DOC_ID - 1] = UUIDPGetDatum(doc_id);
	values[HEADS_VERSION - 1] = Int64GetDatum(head->version);
	values[HEADS_SEQ - 1] = Int64GetDatum(head->seq);
	values[HEADS_LENGTH - 1] = Int64GetDatum(head->length);
	values[HEADS_FLOOR_VERSION - 1] = Int64GetDatum(head->floor_version);
	values[HEADS_SNAPSHOT_VERSION - 1] = Int64GetDatum(head->snapshot_version);
	values[HEADS_LOG_BYTES - 1] = Int64GetDatum(head->log_bytes);
	values[HEADS_UPDATED_AT - 1] = TimestampTzGetDatum(head->updated_at);
	values[HEADS_PACKED_VERSION - 1] = Int64GetDatum(head->packed_version);
	values[HEADS_MEMBER_CHANGES - 1] = Int64GetDatum(head->member_changes);
	values[HEADS_LIFE - 1] = UUIDPGetDatum(&head->life);
	if (cvg_heads_are_plain(heads))
		update_in_place(heads, values, &tid);
	else
		cvg_head_update_fully(heads, doc_id, values, &tid);
	last_written.xid = GetTopTransactionId();
	last_written.changes = cvg_catalog_changes();
	last_written.doc_id = *doc_id;
	last_written.tid = tid;
}

/* The next number of the server sequence. */
int64
cvg_next_seq(void)
{
	return nextval_internal(cvg_catalog()->op_seq, false);
}

/* ---- ops ---- */

struct CvgAppender
{
	EState	   *estate;			/* NULL: the log is not open yet */
	ResultRelInfo *target;
	List	   *defaults;		/* of columns behind ours */
	bool		row_by_row;		/* triggers or defaults may look at the table */
	MemoryContext context;		/* of one document's ops */
	TupleTableSlot **slots;
	int			slot_count;
};

/* Get so many slots; they stay, and are filled anew for each document. */
static TupleTableSlot **
need_slots(CvgAppender *appender, int count)
{
	EState	   *estate = appender->estate;

	if (count > appender->slot_count)
	{
		MemoryContext before = MemoryContextSwitchTo(estate->es_query_cxt);
		Size		size = count * sizeof(TupleTableSlot *);

		appender->slots = appender->slots == NULL ? palloc(size) : repalloc(appender->slots, size);
		while (appender->slot_count < count)
			appender->slots[appender->slot_count++] =
				table_slot_create(appender->target->ri_RelationDesc, &estate->es_tupleTable);
		MemoryContextSwitchTo(before);
	}
	return appender->slots;
}

/* Fill a slot with a row of ops. */
static void
fill_op_slot(TupleTableSlot *slot, const pg_uuid_t *doc_id, const CvgOpRow *row)
{
	Datum	   *values = slot->tts_values;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, OPS_COLUMNS * sizeof(bool));
	values[OPS_DOC_ID - 1] = UUIDPGetDatum(doc_id);
	values[OPS_VERSION - 1] = Int64GetDatum(row->version);
	values[OPS_SEQ - 1] = Int64GetDatum(row->seq);
	values[OPS_BASE_VERSION - 1] = Int64GetDatum(row->base_version);
	values[OPS_CREATED_AT - 1] = TimestampTzGetDatum(row->created_at);
	values[OPS_OP_ID - 1] = UUIDPGetDatum(&row->op_id);
	values[OPS_SUBMITTED_HASH - 1] = Int32GetDatum(row->submitted_hash);
	values[OPS_USER_ID - 1] = PointerGetDatum(cstring_to_text_with_len(row->user_id, row->user_len));
	values[OPS_OP - 1] = cvg_op_datum(row->op);
	/* columns that somebody added behind ours */
	for (int i = OPS_COLUMNS; i < slot->tts_tupleDescriptor->natts; i++)
		slot->tts_isnull[i] = true;
	ExecStoreVirtualTuple(slot);
}

/* Let the BEFORE triggers see a row, and veto it. */
static void
fire_before_row(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
				TupleTableSlot *slot, int64 version)
{
	Relation	ops = appender->target->ri_RelationDesc;
	Datum		before[OPS_COLUMNS];

	if (ops->trigdesc == NULL || !ops->trigdesc->trig_insert_before_row)
		return;
	memcpy(before, slot->tts_values, sizeof(before));
	if (!ExecBRInsertTriggers(appender->estate, appender->target, slot))
		ereport(ERROR,
				(errcode(ERRCODE_CVG_VETOED),
				 errmsg("the edit was vetoed by a trigger on converge.ops")));
	cvg_check_unchanged(ops, slot, before, OPS_COLUMNS, version);
	cvg_check_head_unmoved(heads, doc_id, &head->tid);
}

/* Insert one row, with all that the table has for it. */
static void
insert_row(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
		   const CvgOpRow *row, TransitionCaptureState *capture)
{
	EState	   *estate = appender->estate;
	ResultRelInfo *target = appender->target;
	TupleTableSlot *slot = *need_slots(appender, 1);
	List	   *recheck;

	fill_op_slot(slot, doc_id, row);
	cvg_defaults_fill(appender->defaults, estate, slot);
	fire_before_row(appender, heads, doc_id, head, slot, row->version);
	cvg_complete_row(target, slot, estate, CMD_INSERT);
	table_tuple_insert(target->ri_RelationDesc, slot, GetCurrentCommandId(true), 0, NULL);
	recheck = InsertIndexTuples(target, slot, estate, false, false);
	ExecARInsertTriggers(estate, target, slot, recheck, capture);
	ResetPerTupleExprContext(estate);
}

/*
 * Insert one after another, firing what triggers there are.  The head moves in
 * between: a BEFORE trigger finds the document as it was, an AFTER trigger as it
 * has become.
 */
static void
append_row_by_row(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id,
				  const CvgHead *head, const CvgOpRow *rows, int count)
{
	EState	   *estate = appender->estate;
	ResultRelInfo *target = appender->target;
	Relation	ops = target->ri_RelationDesc;
	TransitionCaptureState *capture;

	/* what a trigger's function keeps from call to call must stay */
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);

	AfterTriggerBeginQuery();
	capture = MakeTransitionCaptureState(ops->trigdesc, RelationGetRelid(ops), CMD_INSERT);
	ExecBSInsertTriggers(estate, target);
	for (int i = 0; i < count; i++)
		insert_row(appender, heads, doc_id, head, &rows[i], capture);
	cvg_head_update(heads, doc_id, head);
	ExecASInsertTriggers(estate, target, capture);
	AfterTriggerEndQuery(estate);
	MemoryContextSwitchTo(caller);
}

/* Insert all at once: one WAL record a page, then the indexes. */
static void
append_at_once(CvgAppender *appender, const pg_uuid_t *doc_id, const CvgOpRow *rows, int count)
{
	EState	   *estate = appender->estate;
	ResultRelInfo *target = appender->target;
	Relation	ops = target->ri_RelationDesc;
	TupleTableSlot **slots = need_slots(appender, count);
	MemoryContext caller = MemoryContextSwitchTo(appender->context);

	for (int i = 0; i < count; i++)
	{
		fill_op_slot(slots[i], doc_id, &rows[i]);
		cvg_complete_row(target, slots[i], estate, CMD_INSERT);
	}
	table_multi_insert(ops, slots, count, GetCurrentCommandId(true), 0, NULL);
	for (int i = 0; i < count; i++)
	{
		InsertIndexTuples(target, slots[i], estate, false, false);
		ResetPerTupleExprContext(estate);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextReset(appender->context);
}

/* Begin to append, to one document after the other; the log is opened when there is something for it. */
CvgAppender *
cvg_appender_begin(void)
{
	return palloc0(sizeof(CvgAppender));
}

/* Return true if a trigger fires when a row is inserted. */
static bool
has_insert_triggers(const TriggerDesc *triggers)
{
	return triggers != NULL &&
		(triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
		 triggers->trig_insert_before_statement || triggers->trig_insert_after_statement);
}

/* Find what the log has beside converge's own columns, and who looks on. */
static void
look_at_log(CvgAppender *appender, Relation ops)
{
	cvg_check_rules(ops, CMD_INSERT);
	appender->row_by_row = has_insert_triggers(ops->trigdesc) ||
		cvg_has_defaults(RelationGetDescr(ops), OPS_COLUMNS);
	if (appender->row_by_row)
		appender->defaults = cvg_defaults_begin(ops, OPS_COLUMNS);
}

/* Open the log: the executor's pieces without a plan. */
static void
open_log(CvgAppender *appender)
{
	Relation	ops = cvg_open_table(cvg_catalog()->ops, RowExclusiveLock);
	MemoryContext before;

	appender->estate = CreateExecutorState();
	before = MemoryContextSwitchTo(appender->estate->es_query_cxt);
	appender->context = AllocSetContextCreate(CurrentMemoryContext, "converge append", ALLOCSET_DEFAULT_SIZES);
	appender->target = makeNode(ResultRelInfo);
	InitResultRelInfo(appender->target, ops, 0, NULL, 0);
	/* where the triggers' code looks for it, or else opens it once more */
	appender->estate->es_opened_result_relations = list_make1(appender->target);
	ExecOpenIndices(appender->target, false);
	look_at_log(appender, ops);
	MemoryContextSwitchTo(before);
}

/*
 * Append a run of ops to a document's log and move its head.  The executor's
 * pieces are used without a plan, so that triggers, constraints and whatever
 * indexes there are work as in an INSERT.
 */
void
cvg_append(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
		   const CvgOpRow *rows, int count)
{
	cvg_check_whole(doc_id, head, rows[0].version - 1);
	if (appender->estate == NULL)
		open_log(appender);
	appender->estate->es_output_cid = GetCurrentCommandId(true);
	appender->estate->es_snapshot = GetActiveSnapshot();
	if (appender->row_by_row)
		append_row_by_row(appender, heads, doc_id, head, rows, count);
	else
	{
		append_at_once(appender, doc_id, rows, count);
		cvg_head_update(heads, doc_id, head);
	}
}

/* Close what appending has opened; the log stays locked. */
void
cvg_appender_end(CvgAppender *appender)
{
	if (appender->estate != NULL)
	{
		Relation	ops = appender->target->ri_RelationDesc;

		ExecCloseIndices(appender->target);
		ExecResetTupleTable(appender->estate->es_tupleTable, false);
		FreeExecutorState(appender->estate);
		table_close(ops, NoLock);
	}
	pfree(appender);
}
