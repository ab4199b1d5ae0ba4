/*
 * store/names.c
 *		Finds the tables, indexes and types of converge, and checks that they are what
 *		this library takes them for.
 */
#include "store/names.h"

#include "store/columns.h"
#include "store/layout.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* Stand for the types that have another OID in each database. */
#define OP_TYPE		((Oid) 1)
#define ROLE_TYPE	((Oid) 2)

/*
 * Where the columns must be that this library reads and writes by number, and of
 * which type: their values are taken for what the type says.
 */
static const struct
{
	const char *table;
	AttrNumber	number;
	const char *name;
	Oid			type;
	bool		nullable;
}			known_columns[] =

{
	{"documents", DOCUMENTS_ID, "id", UUIDOID, false},
	{"documents", DOCUMENTS_TITLE, "title", TEXTOID, false},
	{"documents", DOCUMENTS_CREATED_AT, "created_at", TIMESTAMPTZOID, false},
	{"heads", HEADS_DOC_ID, "doc_id", UUIDOID, false},
	{"heads", HEADS_VERSION, "version", INT8OID, false},
	{"heads", HEADS_SEQ, "seq", INT8OID, false},
	{"heads", HEADS_LENGTH, "length", INT8OID, false},
	{"heads", HEADS_FLOOR_VERSION, "floor_version", INT8OID, false},
	{"heads", HEADS_SNAPSHOT_VERSION, "snapshot_version", INT8OID, false},
	{"heads", HEADS_LOG_BYTES, "log_bytes", INT8OID, false},
	{"heads", HEADS_UPDATED_AT, "updated_at", TIMESTAMPTZOID, false},
	{"heads", HEADS_PACKED_VERSION, "packed_version", INT8OID, false},
	{"heads", HEADS_MEMBER_CHANGES, "member_changes", INT8OID, false},
	{"heads", HEADS_LIFE, "life", UUIDOID, false},
	{"labels", LABELS_DOC_ID, "doc_id", UUIDOID, false},
	{"labels", LABELS_VERSION, "version", INT8OID, false},
	{"members", MEMBERS_DOC_ID, "doc_id", UUIDOID, false},
	{"members", MEMBERS_USER_ID, "user_id", TEXTOID, false},
	{"members", MEMBERS_ROLE, "role", ROLE_TYPE, false},
	{"ops", OPS_DOC_ID, "doc_id", UUIDOID, false},
	{"ops", OPS_VERSION, "version", INT8OID, false},
	{"ops", OPS_SEQ, "seq", INT8OID, false},
	{"ops", OPS_BASE_VERSION, "base_version", INT8OID, false},
	{"ops", OPS_CREATED_AT, "created_at", TIMESTAMPTZOID, false},
	{"ops", OPS_OP_ID, "op_id", UUIDOID, false},
	{"ops", OPS_SUBMITTED_HASH, "submitted_hash", INT4OID, false},
	{"ops", OPS_USER_ID, "user_id", TEXTOID, false},
	{"ops", OPS_OP, "op", OP_TYPE, false},
	{"packs", PACKS_DOC_ID, "doc_id", UUIDOID, false},
	{"packs", PACKS_FROM_VERSION, "from_version", INT8OID, false},
	{"packs", PACKS_TO_VERSION, "to_version", INT8OID, false},
	{"packs", PACKS_FIRST_AT, "first_at", TIMESTAMPTZOID, false},
	{"packs", PACKS_DATA, "data", BYTEAOID, false},
	{"packs", PACKS_COMPOSED, "composed", OP_TYPE, true},
	{"packs", PACKS_IDS, "ids", BYTEAOID, true},
	{"snapshots", SNAPSHOTS_DOC_ID, "doc_id", UUIDOID, false},
	{"snapshots", SNAPSHOTS_VERSION, "version", INT8OID, false},
	{"snapshots", SNAPSHOTS_CREATED_AT, "created_at", TIMESTAMPTZOID, false},
	{"snapshots", SNAPSHOTS_CONTENT, "content", TEXTOID, false},
	{"snapshots", SNAPSHOTS_OP_ID, "op_id", UUIDOID, true},
};

static CvgCatalog catalog;
static bool catalog_valid = false;	/* loaded, checked, and unchanged since */
static bool catalog_watched = false;
static uint64 catalog_changes = 1;	/* counts what may have changed it */

/* ---- names to OIDs ---- */

/* Forget the OIDs when one of them may have changed. */
static void
forget_catalog(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == catalog.documents || relid == catalog.heads ||
		relid == catalog.members || relid == catalog.ops || relid == catalog.packs ||
		relid == catalog.snapshots || relid == catalog.labels)
	{
		catalog_valid = false;
		catalog_changes++;
	}
}

/* Counts what may have changed one of the tables. */
uint64
cvg_catalog_changes(void)
{
	return catalog_changes;
}

/* The OID of one of our relations. */
static Oid
find_relation(Oid schema, const char *name)
{
	Oid			oid = get_relname_relid(name, schema);

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"converge.%s\" does not exist", name),
				 errhint("Check that the extension converge is installed in this database and up to date.")));
	return oid;
}

/* The OID of one of our types. */
static Oid
find_type(Oid schema, const char *name)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum(name), ObjectIdGetDatum(schema));
}

/* The type that a known column must have. */
static Oid
known_type(Oid type)
{
	return type == OP_TYPE ? catalog.op_type : type == ROLE_TYPE ? catalog.role_type : type;
}

/* Fail where a table is not laid out as this library knows it. */
static void
check_columns(Oid schema)
{
	for (int i = 0; i < lengthof(known_columns); i++)
		cvg_check_column(get_relname_relid(known_columns[i].table, schema), known_columns[i].table,
						 known_columns[i].number, known_columns[i].name,
						 known_type(known_columns[i].type), known_columns[i].nullable);
}

/* Fail where a table or an index is not what this library reads and writes. */
static void
check_relations(void)
{
	cvg_check_table(catalog.documents, "documents");
	cvg_check_table(catalog.heads, "heads");
	cvg_check_table(catalog.members, "members");
	cvg_check_table(catalog.ops, "ops");
	cvg_check_table(catalog.packs, "packs");
	cvg_check_table(catalog.snapshots, "snapshots");
	cvg_check_index(catalog.documents_pkey, catalog.documents, DOCUMENTS_ID, 0);
	cvg_check_index(catalog.heads_pkey, catalog.heads, HEADS_DOC_ID, 0);
	cvg_check_index(catalog.members_pkey, catalog.members, MEMBERS_DOC_ID, MEMBERS_USER_ID);
	cvg_check_index(catalog.ops_pkey, catalog.ops, OPS_DOC_ID, OPS_VERSION);
	cvg_check_index(catalog.ops_op_id_key, catalog.ops, OPS_DOC_ID, OPS_OP_ID);
	cvg_check_index(catalog.packs_pkey, catalog.packs, PACKS_DOC_ID, PACKS_TO_VERSION);
	cvg_check_index(catalog.snapshots_pkey, catalog.snapshots, SNAPSHOTS_DOC_ID, SNAPSHOTS_VERSION);
}

/* Look everything up. */
static void
load_catalog(void)
{
	Oid			schema = get_namespace_oid("converge", false);

	catalog.documents = find_relation(schema, "documents");
	catalog.documents_pkey = find_relation(schema, "documents_pkey");
	catalog.heads = find_relation(schema, "heads");
	catalog.heads_pkey = find_relation(schema, "heads_pkey");
	catalog.labels = find_relation(schema, "labels");
	catalog.labels_pkey = find_relation(schema, "labels_pkey");
	catalog.members = find_relation(schema, "members");
	catalog.members_pkey = find_relation(schema, "members_pkey");
	catalog.ops = find_relation(schema, "ops");
	catalog.ops_pkey = find_relation(schema, "ops_pkey");
	catalog.ops_op_id_key = find_relation(schema, "ops_doc_id_op_id_key");
	catalog.packs = find_relation(schema, "packs");
	catalog.packs_pkey = find_relation(schema, "packs_pkey");
	catalog.snapshots = find_relation(schema, "snapshots");
	catalog.snapshots_pkey = find_relation(schema, "snapshots_pkey");
	catalog.op_seq = find_relation(schema, "op_seq");
	catalog.op_type = find_type(schema, "op");
	catalog.role_type = find_type(schema, "role");
	for (int role = CVG_VIEWER; role <= CVG_OWNER; role++)
		catalog.roles[role] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
											  ObjectIdGetDatum(catalog.role_type),
											  CStringGetDatum(cvg_role_name(role)));
	check_relations();
	check_columns(schema);
}

/* The OIDs of everything. */
const CvgCatalog *
cvg_catalog(void)
{
	if (!catalog_valid)
	{
		if (!catalog_watched)
			CacheRegisterRelcacheCallback(forget_catalog, (Datum) 0);
		catalog_watched = true;

		/*
		 * The look-ups may take in invalidations that strike what was just
		 * read.  What is not as it must be is an error, and stays one: valid
		 * is set only when all was found and checked.
		 */
		while (!catalog_valid)
		{
			uint64		before = catalog_changes;

			load_catalog();
			catalog_valid = catalog_changes == before;
		}
	}
	return &catalog;
}

/* ---- opening and locking ---- */

/* Fail where a table that was opened is not the one by that name any longer. */
void
cvg_check_current(Relation table, const Oid *current)
{
	if (RelationGetRelid(table) != *current)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table converge.%s was replaced concurrently", RelationGetRelationName(table)),
				 errhint("Retry the statement.")));
}

/* Open one of our tables. */
Relation
cvg_open_table(Oid table, LOCKMODE lock)
{
	uint64		before = catalog_changes;
	Relation	relation = table_open(table, lock);
	const CvgCatalog *cat = cvg_catalog();
	const Oid  *tables[] = {
		&cat->documents, &cat->heads, &cat->members, &cat->ops, &cat->packs, &cat->snapshots
	};
	int			i = 0;

	if (catalog_changes == before)
		return relation;
	while (i < lengthof(tables) - 1 && *tables[i] != table)
		i++;
	cvg_check_current(relation, tables[i]);
	return relation;
}

/* Take a relation's lock for reading, and for writing where that is wanted, too. */
static void
hold_lock(Oid relation, bool written)
{
	LockRelationOid(relation, AccessShareLock);
	if (written)
		LockRelationOid(relation, RowExclusiveLock);
}

/* Take the locks that reading and writing one document after another would take each time. */
void
cvg_hold_locks(void)
{
	const CvgCatalog *cat = cvg_catalog();

	hold_lock(cat->heads, true);
	hold_lock(cat->heads_pkey, true);
	hold_lock(cat->members, false);
	hold_lock(cat->members_pkey, false);
	hold_lock(cat->ops, true);
	hold_lock(cat->ops_pkey, true);
	hold_lock(cat->ops_op_id_key, true);
}
