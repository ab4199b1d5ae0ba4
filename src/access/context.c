/*
 * access/context.c
 *		For whom, and with whose rights, a part of the work is done.
 *
 * Code that others hang on converge's tables runs with the role and the search
 * path of the session that called, at every entry point, and the acting user is
 * the author of the operation.  So converge takes other rights only around SQL
 * of its own, never around an edit.
 */
#include "access/context.h"

#include "access/access.h"
#include "base/limits.h"

#include "access/context.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* ---- the acting user ---- */

/* Set a setting up to the end of the nest level. */
static void
set_for_now(const char *name, const char *value, GucContext context)
{
	set_config_option(name, value, context, PGC_S_SESSION, GUC_ACTION_SAVE, true, ERROR, false);
}

bool
cvg_is_acting(const char *user_id, int user_len)
{
	const char *acting = cvg_acting_user();

	return strlen(acting) == user_len && memcmp(acting, user_id, user_len) == 0;
}

/* Act for a user; an id that no user can have changes nothing, and may do nothing either. */
int
cvg_act_begin(const char *user_id, int user_len)
{
	int			nest_level = NewGUCNestLevel();
	bool		is_everyone = user_len == 1 && user_id[0] == '*';

	if (user_len <= CVG_MAX_USER_BYTES && !is_everyone)
	{
		char	   *name = pnstrdup(user_id, user_len);

		cvg_name_user(name, GUC_ACTION_SAVE);
		pfree(name);
	}
	return nest_level;
}

/* Act for the one before. */
void
cvg_act_end(int nest_level)
{
	AtEOXact_GUC(true, nest_level);
}

/* ---- rights ---- */

/* The owner of a table. */
static Oid
owner_of(Oid table)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Take the rights of a table's owner, as a SECURITY DEFINER function does. */
void
cvg_owner_begin(Oid table, CvgCaller *caller)
{
	caller->nest_level = NewGUCNestLevel();
	GetUserIdAndSecContext(&caller->user, &caller->security);
	set_for_now("search_path", "pg_catalog, pg_temp", PGC_USERSET);
	SetUserIdAndSecContext(owner_of(table), caller->security | SECURITY_LOCAL_USERID_CHANGE);
}

/* Give them back. */
void
cvg_owner_end(const CvgCaller *caller)
{
	SetUserIdAndSecContext(caller->user, caller->security);
	AtEOXact_GUC(true, caller->nest_level);
}

/* ---- other people's code ---- */

/* What writing a row to a table runs that is not converge's. */
static CvgForeignCode
code_of(Oid table, int columns)
{
	Relation	rel = table_open(table, RowExclusiveLock);
	TriggerDesc *triggers = rel->trigdesc;
	CvgForeignCode code = CVG_NO_CODE;

	if (triggers != NULL && (triggers->trig_insert_before_row || triggers->trig_insert_after_row))
		code = CVG_ROW_TRIGGERS;
	else if (triggers != NULL || RelationGetDescr(rel)->natts > columns ||
			 (rel->rd_att->constr != NULL && rel->rd_att->constr->num_check > 0))
		code = CVG_CODE;
	table_close(rel, NoLock);
	return code;
}

CvgForeignCode
cvg_foreign_code(void)
{
	CvgForeignCode of_ops = code_of(cvg_catalog()->ops, OPS_COLUMNS);
	CvgForeignCode of_heads = code_of(cvg_catalog()->heads, HEADS_COLUMNS);

	return Max(of_ops, of_heads);
}

/* Add the names of a table's triggers that wait for the commit to a list. */
static List *
add_deferred(List *names, Oid table)
{
	Relation	rel = table_open(table, RowExclusiveLock);
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tginitdeferred && !trigger->tgisinternal && OidIsValid(trigger->tgconstraint))
			names = lappend(names, makeRangeVar("converge", get_constraint_name(trigger->tgconstraint), -1));
	}
	table_close(rel, NoLock);
	return names;
}

/* As SET CONSTRAINTS ... IMMEDIATE does, and back to DEFERRED. */
void
cvg_fire_deferred(void)
{
	List	   *names = add_deferred(add_deferred(NIL, cvg_catalog()->ops), cvg_catalog()->heads);
	ConstraintsSetStmt *set;

	if (names == NIL)
		return;
	set = makeNode(ConstraintsSetStmt);
	set->constraints = names;
	CommandCounterIncrement();
	AfterTriggerSetState(set);
	set->deferred = true;
	AfterTriggerSetState(set);
}
