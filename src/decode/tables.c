/*
 * decode/tables.c
 *		Which tables belong to the extension, for the output plugin.
 *
 * The catalogs are scanned, not read through caches, if a transaction's own DDL
 * matters: the caches learn of its last command only after it has been decoded.
 */
#include "decode/tables.h"
#include "base/row.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#define EXTENSION_NAME		"converge"

const char *const cvg_told_names[CVG_TOLD_TABLES] =
{
	"documents", "heads", "members", "ops", "packs", "snapshots", "comments", "messages", "suggestions", "threads"
};

/* ---- what belongs to the extension ---- */

/* Find an object by its name in a catalog whose rows begin with their oid. */
static Oid
find_named(Oid catalog, Oid index, AttrNumber column, const char *name)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			oid = InvalidOid;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(name));
	scan = systable_beginscan(rel, index, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		/* the catalogs asked about have it first */
		oid = DatumGetObjectId(cvg_row_column(tuple, 1, RelationGetDescr(rel), &isnull));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return oid;
}

/* The extension in this database, or InvalidOid. */
static Oid
find_extension(void)
{
	return find_named(ExtensionRelationId, ExtensionNameIndexId, Anum_pg_extension_extname, EXTENSION_NAME);
}

/* Does an object belong to the extension? */
static bool
is_own(Oid class_oid, Oid object_oid)
{
	Oid			extension = find_extension();

	return OidIsValid(extension) && getExtensionOfObject(class_oid, object_oid) == extension;
}

/* Is it converge's own type of that name? */
static bool
is_own_type(Oid type, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool		named;

	if (!HeapTupleIsValid(tuple))
		return false;
	named = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), name) == 0;
	ReleaseSysCache(tuple);
	return named && is_own(TypeRelationId, type);
}

/* ---- a table's layout ---- */

/* Find the place of a column among a table's, or -1 where there is none with its name and type. */
static int
find_column(Relation relation, const CvgEventColumn *column)
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), column->name) != 0)
			continue;
		if (OidIsValid(column->type) ? attribute->atttypid == column->type
			: is_own_type(attribute->atttypid, column->own_type))
			return i;
	}
	return -1;
}

/* Does the log have the key of each old row? */
static bool
is_identified(Relation relation, const CvgEventLayout *layout, int key_count)
{
	Bitmapset  *identity;

	if (relation->rd_rel->relreplident == REPLICA_IDENTITY_FULL)
		return true;
	if (relation->rd_rel->relreplident == REPLICA_IDENTITY_NOTHING)
		return false;
	identity = RelationGetIdentityKeyBitmap(relation);
	for (int i = 0; i < key_count; i++)
		if (!bms_is_member(layout->columns[i] + 1 - FirstLowInvalidHeapAttributeNumber, identity))
			return false;
	return true;
}

/* Look up where the columns of an event stand. */
void
cvg_look_up_layout(Relation relation, const CvgEventColumn *columns, int column_count,
				   int key_count, CvgEventLayout *layout)
{
	char	   *schema = get_namespace_name(RelationGetNamespace(relation));

	memset(layout, 0, sizeof(*layout));
	layout->relid = RelationGetRelid(relation);
	layout->state = CVG_TABLE_FOREIGN;
	if (schema == NULL || strcmp(schema, CVG_SCHEMA) != 0 || !is_own(RelationRelationId, layout->relid))
		return;
	layout->state = CVG_TABLE_UNREADABLE;
	for (int i = 0; i < column_count; i++)
	{
		layout->bad_column = i;
		layout->columns[i] = find_column(relation, &columns[i]);
		if (layout->columns[i] < 0)
			return;
	}
	layout->state = CVG_TABLE_OWN;
	layout->identified = is_identified(relation, layout, key_count);
}

/* ---- all tables ---- */

/* Find a table by its name and schema. */
static void
find_told_table(Relation pg_class, Oid schema, const char *name, CvgToldTable *table)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_class_relname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(name));
	ScanKeyInit(&keys[1], Anum_pg_class_relnamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(pg_class, ClassNameNspIndexId, true, NULL, 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (form->relpersistence == RELPERSISTENCE_PERMANENT && is_own(RelationRelationId, form->oid))
			*table = (CvgToldTable)
		{
			form->oid, form->relfilenode
		};
	}
	systable_endscan(scan);
}

/* Look all of them up. */
void
cvg_look_up_told_tables(CvgToldTable tables[CVG_TOLD_TABLES])
{
	Oid			schema;
	Relation	pg_class;

	memset(tables, 0, CVG_TOLD_TABLES * sizeof(CvgToldTable));
	if (!OidIsValid(find_extension()))
		return;
	schema = find_named(NamespaceRelationId, NamespaceNameIndexId, Anum_pg_namespace_nspname, CVG_SCHEMA);
	pg_class = table_open(RelationRelationId, AccessShareLock);
	for (int i = 0; i < CVG_TOLD_TABLES; i++)
		find_told_table(pg_class, schema, cvg_told_names[i], &tables[i]);
	table_close(pg_class, AccessShareLock);
}

/* Return true if it is one of the extension's tables whose changes are reported. */
bool
cvg_is_told_table(Relation relation)
{
	char	   *schema;

	for (int i = 0; i < CVG_TOLD_TABLES; i++)
	{
		if (strcmp(RelationGetRelationName(relation), cvg_told_names[i]) != 0)
			continue;
		schema = get_namespace_name(RelationGetNamespace(relation));
		return schema != NULL && strcmp(schema, CVG_SCHEMA) == 0 &&
			is_own(RelationRelationId, RelationGetRelid(relation));
	}
	return false;
}
