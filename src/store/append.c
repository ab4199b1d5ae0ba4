/*
 * store/append.c
 *		Appends runs of ops to the log and moves the head: with the executor's pieces,
 *		without a plan.
 */
#include "store/append.h"

#include "base/errors.h"
#include "store/additions.h"
#include "store/columns.h"
#include "store/exec.h"
#include "store/exec_heads.h"
#include "store/names.h"
#include "store/whole.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

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

/* Get `count` slots; they stay, and are filled anew for each document. */
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

	cvg_op_row_fill(slot, doc_id, row);
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
		cvg_op_row_fill(slots[i], doc_id, &rows[i]);
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
