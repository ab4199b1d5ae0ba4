/*
 * store/catalog.c
 *		Finds the extension's tables and reads them through their indexes.
 *
 * Rows are read without the executor: a keystroke makes three to four index
 * probes, and setting up a plan for each would cost more than they do.
 */
#include "store/catalog.h"
#include "store/catalog_layout.h"
#include "base/row.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

enum
{
	DOCUMENTS_ID = 1, DOCUMENTS_TITLE, DOCUMENTS_CREATED_AT = 4
};

enum
{
	LABELS_DOC_ID = 1, LABELS_VERSION
};

enum
{
	MEMBERS_DOC_ID = 1, MEMBERS_USER_ID, MEMBERS_ROLE
};

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
	{"snapshots", SNAPSHOTS_DOC_ID, "doc_id", UUIDOID, false},
	{"snapshots", SNAPSHOTS_VERSION, "version", INT8OID, false},
	{"snapshots", SNAPSHOTS_CREATED_AT, "created_at", TIMESTAMPTZOID, false},
	{"snapshots", SNAPSHOTS_CONTENT, "content", TEXTOID, false},
	{"snapshots", SNAPSHOTS_OP_ID, "op_id", UUIDOID, true},
};

static const char *const role_names[] = {"none", "viewer", "commenter", "editor", "owner"};

static CvgCatalog catalog;
static bool catalog_valid = false;	/* loaded, checked, and unchanged since */
static bool catalog_watched = false;
static uint64 catalog_changes = 1;	/* counts what may have changed it */

/* ---- names to OIDs ---- */

const char *
cvg_role_name(CvgRole role)
{
	return role_names[role];
}

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
				 errhint("Is the extension converge created in this database, and up to date?")));
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

/* Fail where a table that was opened is not the one by that name any longer. */
void
cvg_check_current(Relation table, const Oid *current)
{
	if (RelationGetRelid(table) != *current)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table converge.%s was replaced just now", RelationGetRelationName(table)),
				 errhint("Try again.")));
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

/* ---- snapshots of the database ---- */

/* The active snapshot, with this transaction's own doings up to now. */
void
cvg_push_own_snapshot(void)
{
	PushCopiedSnapshot(GetActiveSnapshot());
	UpdateActiveSnapshotCommandId();
}

/* All that is committed by now, where the isolation level lets us see it. */
void
cvg_push_latest_snapshot(void)
{
	if (IsolationUsesXactSnapshot())
		cvg_push_own_snapshot();
	else
		PushActiveSnapshot(GetLatestSnapshot());
}

/* ---- reading rows ---- */

/* A key on the document's id. */
void
cvg_document_key(struct ScanKeyData *key, AttrNumber column, const pg_uuid_t *doc_id)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(doc_id));
}

/* Take a head apart. */
void
cvg_head_from_columns(const Datum *values, CvgHead *head)
{
	head->version = DatumGetInt64(values[HEADS_VERSION - 1]);
	head->seq = DatumGetInt64(values[HEADS_SEQ - 1]);
	head->length = DatumGetInt64(values[HEADS_LENGTH - 1]);
	head->floor_version = DatumGetInt64(values[HEADS_FLOOR_VERSION - 1]);
	head->snapshot_version = DatumGetInt64(values[HEADS_SNAPSHOT_VERSION - 1]);
	head->log_bytes = DatumGetInt64(values[HEADS_LOG_BYTES - 1]);
	head->updated_at = DatumGetTimestampTz(values[HEADS_UPDATED_AT - 1]);
	head->packed_version = DatumGetInt64(values[HEADS_PACKED_VERSION - 1]);
	head->member_changes = DatumGetInt64(values[HEADS_MEMBER_CHANGES - 1]);
	head->life = *DatumGetUUIDP(values[HEADS_LIFE - 1]);
}

/* Find a document's head in its table, which is open. */
bool
cvg_head_find(Relation heads, const pg_uuid_t *doc_id, CvgHead *head)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	cvg_document_key(&key, HEADS_DOC_ID, doc_id);
	scan = systable_beginscan(heads, cvg_catalog()->heads_pkey, true, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[MaxHeapAttributeNumber];
		bool		nulls[MaxHeapAttributeNumber];

		heap_deform_tuple(tuple, RelationGetDescr(heads), values, nulls);
		cvg_head_from_columns(values, head);
		head->tid = tuple->t_self;
	}
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Read a document's head without locking it. */
bool
cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head)
{
	Relation	heads = cvg_open_table(cvg_catalog()->heads, AccessShareLock);
	bool		found = cvg_head_find(heads, doc_id, head);

	table_close(heads, AccessShareLock);
	return found;
}

/* A user's own row in members. */
CvgRole
cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	members = cvg_open_table(cat->members, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	CvgRole		role = CVG_NO_ROLE;

	cvg_document_key(&keys[0], MEMBERS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], MEMBERS_USER_ID, BTEqualStrategyNumber, F_TEXTEQ,
				PointerGetDatum(cstring_to_text_with_len(user_id, user_len)));
	keys[1].sk_collation = C_COLLATION_OID;
	scan = systable_beginscan(members, cat->members_pkey, true, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Oid			value = DatumGetObjectId(cvg_row_column(tuple, MEMBERS_ROLE,
															RelationGetDescr(members), &isnull));

		for (role = CVG_OWNER; role > CVG_NO_ROLE; role--)
			if (cat->roles[role] == value)
				break;
	}
	systable_endscan(scan);
	table_close(members, AccessShareLock);
	return role;
}

/* One column of the row that scan keys name, copied; false for no row, or null. */
static bool
fetch_column(Oid table, Oid index, ScanKey keys, int key_count, AttrNumber column, Datum *value)
{
	Relation	rel = cvg_open_table(table, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, index, true, GetActiveSnapshot(), key_count, keys);
	HeapTuple	tuple = systable_getnext(scan);
	bool		found = false;

	if (HeapTupleIsValid(tuple))
	{
		TupleDesc	desc = RelationGetDescr(rel);
		Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
		bool		isnull;

		*value = cvg_row_column(tuple, column, desc, &isnull);
		found = !isnull;
		if (found)
			*value = datumCopy(*value, attribute->attbyval, attribute->attlen);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* A document's title. */
text	   *
cvg_document_title(const pg_uuid_t *doc_id)
{
	ScanKeyData key;
	Datum		title;

	cvg_document_key(&key, DOCUMENTS_ID, doc_id);
	if (!fetch_column(cvg_catalog()->documents, cvg_catalog()->documents_pkey, &key, 1,
					  DOCUMENTS_TITLE, &title))
		return NULL;
	return DatumGetTextPP(title);
}

/* A column of the snapshot that keeps the floor version. */
static bool
floor_column(const pg_uuid_t *doc_id, const CvgHead *head, AttrNumber column, Datum *value)
{
	ScanKeyData keys[2];

	cvg_document_key(&keys[0], SNAPSHOTS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], SNAPSHOTS_VERSION, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(head->floor_version));
	return fetch_column(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey, keys, 2,
						column, value);
}

/* When the floor version came to be. */
TimestampTz
cvg_history_begins(const pg_uuid_t *doc_id, const CvgHead *head)
{
	ScanKeyData key;
	Datum		at = 0;

	if (head->floor_version > 0)
		floor_column(doc_id, head, SNAPSHOTS_CREATED_AT, &at);
	else
	{
		cvg_document_key(&key, DOCUMENTS_ID, doc_id);
		fetch_column(cvg_catalog()->documents, cvg_catalog()->documents_pkey, &key, 1,
					 DOCUMENTS_CREATED_AT, &at);
	}
	return DatumGetTimestampTz(at);
}

/* The id of the op that made a version. */
bool
cvg_op_id_of(const pg_uuid_t *doc_id, const CvgHead *head, int64 version, pg_uuid_t *op_id)
{
	CvgOpRow	row;
	Datum		value;

	if (version <= 0 || version < head->floor_version || version > head->version)
		return false;
	if (version > head->floor_version)
	{
		if (!cvg_op_by_version(doc_id, version, &row))
			return false;
		*op_id = row.op_id;
		return true;
	}
	if (!floor_column(doc_id, head, SNAPSHOTS_OP_ID, &value))
		return false;
	*op_id = *DatumGetUUIDP(value);
	return true;
}

/* The newest snapshot at or below a version. */
text	   *
cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	snapshots = cvg_open_table(cat->snapshots, AccessShareLock);
	Relation	index = index_open(cat->snapshots_pkey, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	text	   *content = NULL;

	cvg_document_key(&keys[0], SNAPSHOTS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], SNAPSHOTS_VERSION, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(version));
	scan = systable_beginscan_ordered(snapshots, index, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	*snapshot_version = 0;
	if (HeapTupleIsValid(tuple))
	{
		TupleDesc	desc = RelationGetDescr(snapshots);
		bool		isnull;

		*snapshot_version = DatumGetInt64(cvg_row_column(tuple, SNAPSHOTS_VERSION, desc, &isnull));
		content = DatumGetTextPCopy(cvg_given(cvg_row_column(tuple, SNAPSHOTS_CONTENT, desc, &isnull), isnull));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(snapshots, AccessShareLock);
	return content;
}

/* The versions of a document's rows in a table whose key begins with the document and the version. */
static int
list_versions(Oid table_oid, Oid index_oid, AttrNumber doc_id_column, AttrNumber version_column,
			  const pg_uuid_t *doc_id, int64 **versions)
{
	Relation	table = cvg_open_table(table_oid, AccessShareLock);
	Relation	index = index_open(index_oid, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;
	int			capacity = 16;

	*versions = palloc(capacity * sizeof(int64));
	cvg_document_key(&key, doc_id_column, doc_id);
	scan = systable_beginscan_ordered(table, index, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		bool		isnull;

		if (count == capacity)
		{
			capacity *= 2;
			*versions = repalloc(*versions, capacity * sizeof(int64));
		}
		(*versions)[count++] = DatumGetInt64(cvg_row_column(tuple, version_column,
															RelationGetDescr(table), &isnull));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(table, AccessShareLock);
	return count;
}

/* The versions of a document's snapshots. */
int
cvg_snapshot_versions(const pg_uuid_t *doc_id, int64 **versions)
{
	return list_versions(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey,
						 SNAPSHOTS_DOC_ID, SNAPSHOTS_VERSION, doc_id, versions);
}

/* The versions of a document's labels. */
int
cvg_label_versions(const pg_uuid_t *doc_id, int64 **versions)
{
	return list_versions(cvg_catalog()->labels, cvg_catalog()->labels_pkey,
						 LABELS_DOC_ID, LABELS_VERSION, doc_id, versions);
}
