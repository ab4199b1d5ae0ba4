/*
 * store/catalog_layout.c
 *		Checks that tables, columns and indexes are what this library takes them
 *		for, whatever ALTER TABLE made of them.
 *
 * Values are read by number and by type, so a column that became another one
 * would be a wild pointer.  It is checked when the catalog is loaded, which is
 * after each change of a table, and before the first row is touched.
 */
#include "store/catalog_layout.h"

#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteDefine.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* ---- tables and columns ---- */

/* Fail where one of our tables is not an ordinary one. */
void
cvg_check_table(Oid table, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Form_pg_class form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	form = (Form_pg_class) GETSTRUCT(tuple);
	if (form->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation converge.%s is not an ordinary table", name)));
	if (form->relam != HEAP_TABLE_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table converge.%s has access method \"%s\"", name, get_am_name(form->relam)),
				 errhint("ALTER TABLE converge.%s SET ACCESS METHOD heap makes it usable again.", name)));
	if (form->relpersistence != RELPERSISTENCE_PERMANENT)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table converge.%s is unlogged", name),
				 errdetail("A crash would lose what was acknowledged, and no relay would see it."),
				 errhint("ALTER TABLE converge.%s SET LOGGED makes it usable again.", name)));
	ReleaseSysCache(tuple);
}

/* Fail where a column is not what it must be. */
void
cvg_check_column(Oid table, const char *table_name, AttrNumber number,
				 const char *name, Oid type, bool nullable)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(number));
	Form_pg_attribute column = HeapTupleIsValid(tuple) ? (Form_pg_attribute) GETSTRUCT(tuple) : NULL;

	if (column == NULL || column->attisdropped || strcmp(NameStr(column->attname), name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column %d of table converge.%s is not \"%s\"", number, table_name, name),
				 errhint("ALTER EXTENSION converge UPDATE brings the tables to what the library expects.")));
	if (column->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table converge.%s is of type %s, not %s", name, table_name,
						format_type_be(column->atttypid), format_type_be(type)),
				 errhint("ALTER TABLE converge.%s ALTER COLUMN %s TYPE %s makes it usable again.",
						 table_name, quote_identifier(name), format_type_be(type))));
	if (!column->attnotnull && !nullable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of table converge.%s may be null", name, table_name),
				 errhint("ALTER TABLE converge.%s ALTER COLUMN %s SET NOT NULL makes it usable again.",
						 table_name, quote_identifier(name))));
	ReleaseSysCache(tuple);
}

/* ---- indexes ---- */

/* Return true if an index is a b-tree. */
static bool
is_btree(Oid index)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool		btree = HeapTupleIsValid(tuple) && ((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return btree;
}

/* Return true if a column of an index is that of the table, rising. */
static bool
index_column_is(HeapTuple index, int i, AttrNumber column)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(index);
	bool		isnull;
	int2vector *options = (int2vector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, index,
																		 Anum_pg_index_indoption, &isnull));

	return form->indnkeyatts > i && form->indkey.values[i] == column &&
		(options->values[i] & INDOPTION_DESC) == 0;
}

/* Fail where an index is not a unique b-tree that begins with these columns. */
void
cvg_check_index(Oid index, Oid table, AttrNumber first, AttrNumber second)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form = HeapTupleIsValid(tuple) ? (Form_pg_index) GETSTRUCT(tuple) : NULL;

	if (form == NULL || form->indrelid != table || !form->indisvalid || !form->indisunique ||
		!is_btree(index) ||
		!heap_attisnull(tuple, Anum_pg_index_indpred, NULL) ||
		!index_column_is(tuple, 0, first) ||
		(second != 0 && !index_column_is(tuple, 1, second)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("index converge.%s is not the one that converge made", get_rel_name(index)),
				 errdetail("It must be a valid unique b-tree on %s%s%s of converge.%s.",
						   get_attname(table, first, false), second != 0 ? ", " : "",
						   second != 0 ? get_attname(table, second, false) : "",
						   get_rel_name(table))));
	ReleaseSysCache(tuple);
}

/* ---- what a table has beside ---- */

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
