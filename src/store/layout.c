/*
 * store/layout.c
 *		Checks that tables, columns and indexes are what this library takes them for,
 *		whatever ALTER TABLE made of them.
 *
 *		Values are read by number and by type, so a column that became another one
 *		would be a wild pointer.  It is checked when the names are loaded, which is
 *		after each change of a table, and before the first row is touched.
 */
#include "store/layout.h"

#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
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
