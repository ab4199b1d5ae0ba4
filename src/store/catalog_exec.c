/*
 * store/catalog_exec.c
 *		Writes rows as the executor does, for tables to which something was added.
 *
 * The executor's pieces are used without a plan: a plan would ask for privileges
 * on the tables, which members do not have.  For the same reason row-level
 * security does not apply to what is written here.
 */
#include "store/catalog_exec.h"

#include "base/errors.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#if PG_VERSION_NUM >= 160000
#define InitEvalPlanQual(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#else
#define InitEvalPlanQual(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#endif

#if PG_VERSION_NUM >= 180000
#define BeforeRowUpdateTriggers(estate, epq, rri, tid, slot, failure) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, NULL, failure, false)
#elif PG_VERSION_NUM >= 160000
#define BeforeRowUpdateTriggers(estate, epq, rri, tid, slot, failure) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, NULL, failure)
#else
#define BeforeRowUpdateTriggers(estate, epq, rri, tid, slot, failure) \
	ExecBRUpdateTriggers(estate, epq, rri, tid, NULL, slot, failure)
#endif

/* ---- columns behind the known ones ---- */

typedef struct ColumnDefault
{
	int			index;			/* in the slot */
	ExprState  *value;
} ColumnDefault;

/* Return true if a row is not complete with the columns that this library fills. */
bool
cvg_has_defaults(TupleDesc desc, int known)
{
	for (int i = known; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped &&
			(column->atthasdef || column->attidentity != '\0' || get_typtype(column->atttypid) == TYPTYPE_DOMAIN))
			return true;
	}
	return false;
}

/* What a column gets that is not mentioned; NULL: null. */
static Expr *
default_of(Relation table, Form_pg_attribute column)
{
	Node	   *value = build_column_default(table, column->attnum);
	Oid			base;
	int32		typmod = column->atttypmod;

	if (value != NULL || get_typtype(column->atttypid) != TYPTYPE_DOMAIN)
		return (Expr *) value;
	/* a domain may refuse null */
	base = getBaseTypeAndTypmod(column->atttypid, &typmod);
	value = (Node *) makeNullConst(base, typmod, column->attcollation);
	return (Expr *) coerce_to_domain(value, base, typmod, column->atttypid,
									 COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1, false);
}

/* The defaults of columns behind the known ones. */
List	   *
cvg_defaults_begin(Relation table, int known)
{
	TupleDesc	desc = RelationGetDescr(table);
	List	   *defaults = NIL;

	for (int i = known; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		ColumnDefault *entry;
		Expr	   *value;

		if (column->attisdropped || column->attgenerated != '\0')
			continue;
		value = default_of(table, column);
		if (value == NULL)
			continue;
		entry = palloc(sizeof(ColumnDefault));
		entry->index = i;
		entry->value = ExecInitExpr(expression_planner(value), NULL);
		defaults = lappend(defaults, entry);
	}
	return defaults;
}

/* Fill defaults into a slot that holds a virtual tuple. */
void
cvg_defaults_fill(List *defaults, EState *estate, TupleTableSlot *slot)
{
	ListCell   *cell;

	foreach(cell, defaults)
	{
		ColumnDefault *entry = lfirst(cell);

		slot->tts_values[entry->index] =
			ExecEvalExprSwitchContext(entry->value, GetPerTupleExprContext(estate),
									  &slot->tts_isnull[entry->index]);
	}
}

/* ---- rows ---- */

/* What the executor does with a row right before it is written. */
void
cvg_complete_row(ResultRelInfo *target, TupleTableSlot *slot, EState *estate, CmdType command)
{
	Relation	table = target->ri_RelationDesc;
	TupleConstr *constraints = RelationGetDescr(table)->constr;

	slot->tts_tableOid = RelationGetRelid(table);
	if (constraints != NULL && constraints->has_generated_stored)
		ExecComputeStoredGenerated(target, estate, slot, command);
	if (constraints != NULL)
		ExecConstraints(target, slot, estate);
	if (table->rd_rel->relispartition)
		ExecPartitionCheck(target, slot, estate, true);
}

/* Fail where a trigger changed what must stay as it is. */
void
cvg_check_unchanged(Relation table, TupleTableSlot *slot, const Datum *before, int count, int64 version)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;

	slot_getallattrs(slot);
	for (int i = 0; i < count; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (slot->tts_isnull[i] ||
			!datum_image_eq(slot->tts_values[i], before[i], column->attbyval, column->attlen))
			ereport(ERROR,
					(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
					 errmsg("a trigger on converge.%s must not change column \"%s\"",
							RelationGetRelationName(table), NameStr(column->attname)),
					 errdetail("Version " INT64_FORMAT " would not be what was applied.", version)));
	}
}

/* ---- heads ---- */

/* One head while it is updated. */
typedef struct HeadUpdate
{
	Relation	heads;
	EState	   *estate;
	ResultRelInfo *target;
	TupleTableSlot *old;
	TupleTableSlot *slot;		/* new */
	ItemPointerData tid;		/* of the old one */
	int64		version;		/* of the new one */
	TransitionCaptureState *capture;
} HeadUpdate;

/* A trigger wrote what only operations may write. */
static void
head_moved(const pg_uuid_t *doc_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger changed document %s while it was being changed",
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
			 errhint("An AFTER trigger may edit the document, a BEFORE trigger may not.")));
}

/* The columns of converge's own in which a row differs from `values`; NULL: none. */
static Bitmapset *
changed_columns(TupleTableSlot *old, const Datum *values)
{
	Bitmapset  *changed = NULL;

	slot_getallattrs(old);
	for (int i = 0; i < HEADS_COLUMNS; i++)
	{
		Form_pg_attribute column = TupleDescAttr(old->tts_tupleDescriptor, i);

		if (!datum_image_eq(old->tts_values[i], values[i], column->attbyval, column->attlen))
			changed = bms_add_member(changed, i + 1 - FirstLowInvalidHeapAttributeNumber);
	}
	return changed;
}

/* Return true if two rows of heads have the same in converge's own columns. */
static bool
same_head(TupleTableSlot *one, TupleTableSlot *other)
{
	slot_getallattrs(one);
	return changed_columns(other, one->tts_values) == NULL;
}

/*
 * Find a head as this transaction sees it now.  Triggers may have written their
 * own columns since it was locked at `tid`, but none of ours.
 */
static void
fetch_current_head(Relation heads, const pg_uuid_t *doc_id, const ItemPointerData * tid,
				   TupleTableSlot *locked, TupleTableSlot *now)
{
	CvgHead		head;
	ItemPointerData locked_at = *tid;

	if (!table_tuple_fetch_row_version(heads, &locked_at, SnapshotAny, locked) ||
		!cvg_head_find(heads, doc_id, &head) ||
		!table_tuple_fetch_row_version(heads, &head.tid, GetActiveSnapshot(), now) ||
		!same_head(locked, now))
		head_moved(doc_id);
}

/* Fail where a trigger has moved a document's head. */
void
cvg_check_head_unmoved(Relation heads, const pg_uuid_t *doc_id, const ItemPointerData * tid)
{
	TupleTableSlot *locked = table_slot_create(heads, NULL);
	TupleTableSlot *now = table_slot_create(heads, NULL);

	CommandCounterIncrement();
	cvg_push_own_snapshot();
	fetch_current_head(heads, doc_id, tid, locked, now);
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(now);
	ExecDropSingleTupleTableSlot(locked);
}

/* Make a range table of the one table, as an UPDATE of these columns has it. */
static void
init_range_table(EState *estate, Relation table, Bitmapset *changed)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
#if PG_VERSION_NUM >= 160000
	List	   *permissions = NIL;
#endif

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(table);
	entry->relkind = table->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	addRTEPermissionInfo(&permissions, entry)->updatedCols = changed;
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#else
	ExecInitRangeTable(estate, list_make1(entry), permissions);
#endif
#else
	entry->updatedCols = changed;
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

/* Set the executor's pieces up; in the estate's context. */
static void
open_target(HeadUpdate *update, Bitmapset *changed)
{
	EState	   *estate = update->estate;

	init_range_table(estate, update->heads, changed);
	update->target = makeNode(ResultRelInfo);
	InitResultRelInfo(update->target, update->heads, 1, NULL, 0);
	/* where the triggers' code looks for it, or else opens it once more */
	estate->es_opened_result_relations = list_make1(update->target);
	estate->es_output_cid = GetCurrentCommandId(true);
	estate->es_snapshot = GetActiveSnapshot();
	ExecOpenIndices(update->target, false);
}

/* Put the new row together: ours from `values`, the others as they were. */
static void
fill_new_slot(HeadUpdate *update, const Datum *values)
{
	TupleTableSlot *slot = update->slot;
	TupleDesc	desc = slot->tts_tupleDescriptor;

	ExecClearTuple(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		slot->tts_values[i] = i < HEADS_COLUMNS ? values[i] : update->old->tts_values[i];
		slot->tts_isnull[i] = i >= HEADS_COLUMNS &&
			(update->old->tts_isnull[i] || TupleDescAttr(desc, i)->attisdropped);
	}
	ExecStoreVirtualTuple(slot);
}

/* Let the BEFORE triggers see the row, and veto it. */
static void
fire_before_row(HeadUpdate *update, const Datum *values)
{
	EPQState	epq;
	TM_FailureData failure;

	if (update->target->ri_TrigDesc == NULL || !update->target->ri_TrigDesc->trig_update_before_row)
		return;
	/* asked for, but never run: the row is locked */
	InitEvalPlanQual(&epq, update->estate);
	if (!BeforeRowUpdateTriggers(update->estate, &epq, update->target, &update->tid, update->slot, &failure))
		ereport(ERROR,
				(errcode(ERRCODE_CVG_VETOED),
				 errmsg("the change was vetoed by a trigger on converge.heads")));
	EvalPlanQualEnd(&epq);
	cvg_check_unchanged(update->heads, update->slot, values, HEADS_COLUMNS, update->version);
}

/* Write the row and its index entries; the list of constraints to be checked again. */
static List *
write_head(HeadUpdate *update, const pg_uuid_t *doc_id)
{
	EState	   *estate = update->estate;
	TM_FailureData failure;
	LockTupleMode lock_mode;
#if PG_VERSION_NUM >= 160000
	TU_UpdateIndexes update_indexes;
#else
	bool		update_indexes;
#endif

	if (table_tuple_update(update->heads, &update->tid, update->slot, estate->es_output_cid,
						   estate->es_snapshot, InvalidSnapshot, true, &failure, &lock_mode,
						   &update_indexes) != TM_Ok)
		head_moved(doc_id);
	if (!update_indexes)
		return NIL;
	return InsertIndexTuples(update->target, update->slot, estate, true,
							 update_indexes == TU_Summarizing);
}

/* Update the row and fire what fires. */
static void
update_row(HeadUpdate *update, const pg_uuid_t *doc_id, const Datum *values, ItemPointer new_tid)
{
	EState	   *estate = update->estate;
	ResultRelInfo *target = update->target;
	List	   *recheck;

	AfterTriggerBeginQuery();
	update->capture = MakeTransitionCaptureState(target->ri_TrigDesc, RelationGetRelid(update->heads), CMD_UPDATE);
	ExecBSUpdateTriggers(estate, target);
	fill_new_slot(update, values);
	fire_before_row(update, values);
	cvg_complete_row(target, update->slot, estate, CMD_UPDATE);
	recheck = write_head(update, doc_id);
	*new_tid = update->slot->tts_tid;
	ExecARUpdateTriggers(estate, target, NULL, NULL, &update->tid, NULL, update->slot, recheck,
						 update->capture, false);
	ExecASUpdateTriggers(estate, target, update->capture);
	AfterTriggerEndQuery(estate);
}

/* Update a head as an UPDATE does. */
void
cvg_head_update_fully(Relation heads, const pg_uuid_t *doc_id, const Datum *values, ItemPointer tid)
{
	HeadUpdate	update = {.heads = heads,.estate = CreateExecutorState(),
	.version = DatumGetInt64(values[HEADS_VERSION - 1])};
	EState	   *estate = update.estate;
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);

	/* what triggers before this did must be seen */
	CommandCounterIncrement();
	cvg_push_own_snapshot();
	update.old = table_slot_create(heads, &estate->es_tupleTable);
	update.slot = table_slot_create(heads, &estate->es_tupleTable);
	fetch_current_head(heads, doc_id, tid, update.slot, update.old);
	update.tid = update.old->tts_tid;
	/* UPDATE OF triggers and generated columns ask which columns change */
	open_target(&update, changed_columns(update.old, values));
	update_row(&update, doc_id, values, tid);
	ExecCloseIndices(update.target);
	ExecResetTupleTable(estate->es_tupleTable, false);
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	FreeExecutorState(estate);
}
