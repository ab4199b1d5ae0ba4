/*
 * store/additions.c
 *		Finds what was added to a table of converge, and whether it must be heeded when a
 *		row is written.
 */
#include "store/additions.h"

#include "store/columns.h"
#include "store/names.h"

#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteDefine.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* Fail where a table has a rule for a command, which only a plan would follow. */
void
cvg_check_rules(Relation table, CmdType command)
{
	const RuleLock *rules = table->rd_rules;

	for (int i = 0; rules != NULL && i < rules->numLocks; i++)
	{
		const RewriteRule *rule = rules->rules[i];

		if (rule->event == command && rule->enabled != RULE_DISABLED)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("table converge.%s must not have a rule", RelationGetRelationName(table)),
					 errhint("Drop its rules, and write a trigger that does what they do.")));
	}
}

/* Return true if an index is kept by its columns alone, and at once. */
static bool
index_is_simple(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		simple;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	simple = form->indimmediate && !form->indisexclusion &&
		heap_attisnull(tuple, Anum_pg_index_indexprs, NULL) &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);
	return simple;
}

/* Return true if all indexes of a table are such. */
static bool
indexes_are_simple(Relation table)
{
	List	   *indexes = RelationGetIndexList(table);
	ListCell   *cell;
	bool		simple = true;

	foreach(cell, indexes)
		simple = simple && index_is_simple(lfirst_oid(cell));
	list_free(indexes);
	return simple;
}

/* Return true if no trigger fires when a row is updated. */
static bool
no_update_triggers(const TriggerDesc *triggers)
{
	return triggers == NULL ||
		!(triggers->trig_update_before_row || triggers->trig_update_after_row ||
		  triggers->trig_update_before_statement || triggers->trig_update_after_statement);
}

/* Return true if no constraint is checked when a row is updated, but that columns are not null. */
static bool
no_constraints(const TupleConstr *constraints)
{
	return constraints == NULL || (constraints->num_check == 0 && !constraints->has_generated_stored);
}

/* Return true if heads have nothing that an update in place would miss. */
static bool
look_at_heads(Relation heads)
{
	cvg_check_rules(heads, CMD_UPDATE);
	CheckCmdReplicaIdentity(heads, CMD_UPDATE);
	return RelationGetNumberOfAttributes(heads) == HEADS_COLUMNS &&
		no_update_triggers(heads->trigdesc) &&
		no_constraints(RelationGetDescr(heads)->constr) &&
		!heads->rd_rel->relispartition &&
		indexes_are_simple(heads);
}

/* Return true if heads have nothing that an update in place would miss; looked at once a change. */
bool
cvg_heads_are_plain(Relation heads)
{
	static uint64 looked_at = 0;
	static bool plain;

	if (looked_at != cvg_catalog_changes())
	{
		uint64		now = cvg_catalog_changes();

		plain = look_at_heads(heads);
		looked_at = now;
	}
	return plain;
}
