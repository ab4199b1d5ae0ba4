/*
 * store/exec.c
 *		Completes rows as the executor does, for tables to which something was added.
 *
 *		The executor's pieces are used without a plan: a plan would ask for privileges
 *		on the tables, which members do not have.  For the same reason row-level
 *		security does not apply to what is written here.
 */
#include "store/exec.h"

#include "access/htup_details.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

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
