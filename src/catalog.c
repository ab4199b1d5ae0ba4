/*
 * catalog.c
 *		Finds the extension's tables and reads them through their indexes.
 *
 * Rows are read without the executor: a keystroke makes three to four index
 * probes, and setting up a plan for each would cost more than they do.
 */
#include "catalog.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
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
	DOCUMENTS_ID = 1, DOCUMENTS_TITLE
};

enum
{
	MEMBERS_DOC_ID = 1, MEMBERS_USER_ID, MEMBERS_ROLE
};

enum
{
	SNAPSHOTS_DOC_ID = 1, SNAPSHOTS_VERSION, SNAPSHOTS_CONTENT = 7
};

struct CvgOpScan
{
	Relation	ops;
	Relation	index;
	SysScanDesc scan;
	MemoryContext context;		/* what one row needs; reset for the next */
	int64		expected;		/* version of the next row */
	int64		upto;
};

static CvgCatalog catalog;
static bool catalog_valid = false;
static bool catalog_watched = false;

/* ---- names to OIDs ---- */

/* Forget the OIDs when one of them may have changed. */
static void
forget_catalog(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == catalog.documents || relid == catalog.heads ||
		relid == catalog.members || relid == catalog.ops || relid == catalog.snapshots)
		catalog_valid = false;
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

/* Look everything up. */
static void
load_catalog(void)
{
	Oid			schema = get_namespace_oid("converge", false);

	catalog.documents = find_relation(schema, "documents");
	catalog.documents_pkey = find_relation(schema, "documents_pkey");
	catalog.heads = find_relation(schema, "heads");
	catalog.heads_pkey = find_relation(schema, "heads_pkey");
	catalog.members = find_relation(schema, "members");
	catalog.members_pkey = find_relation(schema, "members_pkey");
	catalog.ops = find_relation(schema, "ops");
	catalog.ops_pkey = find_relation(schema, "ops_pkey");
	catalog.ops_op_id_key = find_relation(schema, "ops_doc_id_op_id_key");
	catalog.snapshots = find_relation(schema, "snapshots");
	catalog.snapshots_pkey = find_relation(schema, "snapshots_pkey");
	catalog.op_seq = find_relation(schema, "op_seq");
	catalog.op_type = find_type(schema, "op");
	catalog.role_type = find_type(schema, "role");
	for (int role = CVG_VIEWER; role <= CVG_OWNER; role++)
		catalog.roles[role] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
											  ObjectIdGetDatum(catalog.role_type),
											  CStringGetDatum(cvg_role_name(role)));
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
		 * read: valid is set first, so that they can unset it.
		 */
		do
		{
			catalog_valid = true;
			load_catalog();
		} while (!catalog_valid);
	}
	return &catalog;
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
static void
document_key(ScanKey key, AttrNumber column, const pg_uuid_t *doc_id)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(doc_id));
}

/* Read a document's head without locking it. */
bool
cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	heads = table_open(cat->heads, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	document_key(&key, HEADS_DOC_ID, doc_id);
	scan = systable_beginscan(heads, cat->heads_pkey, true, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[HEADS_COLUMNS];
		bool		nulls[HEADS_COLUMNS];

		heap_deform_tuple(tuple, RelationGetDescr(heads), values, nulls);
		head->version = DatumGetInt64(values[HEADS_VERSION - 1]);
		head->seq = DatumGetInt64(values[HEADS_SEQ - 1]);
		head->length = DatumGetInt64(values[HEADS_LENGTH - 1]);
		head->floor_version = DatumGetInt64(values[HEADS_FLOOR_VERSION - 1]);
		head->snapshot_version = DatumGetInt64(values[HEADS_SNAPSHOT_VERSION - 1]);
		head->log_bytes = DatumGetInt64(values[HEADS_LOG_BYTES - 1]);
		head->updated_at = DatumGetTimestampTz(values[HEADS_UPDATED_AT - 1]);
		head->tid = tuple->t_self;
	}
	systable_endscan(scan);
	table_close(heads, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* A user's own row in members. */
CvgRole
cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	members = table_open(cat->members, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	CvgRole		role = CVG_NO_ROLE;

	document_key(&keys[0], MEMBERS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], MEMBERS_USER_ID, BTEqualStrategyNumber, F_TEXTEQ,
				PointerGetDatum(cstring_to_text_with_len(user_id, user_len)));
	keys[1].sk_collation = DEFAULT_COLLATION_OID;
	scan = systable_beginscan(members, cat->members_pkey, true, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Oid			value = DatumGetObjectId(heap_getattr(tuple, MEMBERS_ROLE,
														  RelationGetDescr(members), &isnull));

		for (role = CVG_OWNER; role > CVG_NO_ROLE; role--)
			if (cat->roles[role] == value)
				break;
	}
	systable_endscan(scan);
	table_close(members, AccessShareLock);
	return role;
}

/* A document's title. */
text *
cvg_document_title(const pg_uuid_t *doc_id)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	documents = table_open(cat->documents, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	text	   *title = NULL;

	document_key(&key, DOCUMENTS_ID, doc_id);
	scan = systable_beginscan(documents, cat->documents_pkey, true, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		title = DatumGetTextPCopy(heap_getattr(tuple, DOCUMENTS_TITLE,
											   RelationGetDescr(documents), &isnull));
	}
	systable_endscan(scan);
	table_close(documents, AccessShareLock);
	return title;
}

/* The newest snapshot at or below a version. */
text *
cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version)
{
	const CvgCatalog *cat = cvg_catalog();
	Relation	snapshots = table_open(cat->snapshots, AccessShareLock);
	Relation	index = index_open(cat->snapshots_pkey, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	text	   *content = NULL;

	document_key(&keys[0], SNAPSHOTS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], SNAPSHOTS_VERSION, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(version));
	scan = systable_beginscan_ordered(snapshots, index, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	*snapshot_version = 0;
	if (HeapTupleIsValid(tuple))
	{
		TupleDesc	desc = RelationGetDescr(snapshots);
		bool		isnull;

		*snapshot_version = DatumGetInt64(heap_getattr(tuple, SNAPSHOTS_VERSION, desc, &isnull));
		content = DatumGetTextPCopy(heap_getattr(tuple, SNAPSHOTS_CONTENT, desc, &isnull));
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(snapshots, AccessShareLock);
	return content;
}

/* ---- reading ops ---- */

/* Take a row of ops apart; it points into the tuple where it can. */
static void
read_op_row(HeapTuple tuple, TupleDesc desc, CvgOpRow *row)
{
	Datum		values[OPS_COLUMNS];
	bool		nulls[OPS_COLUMNS];
	text	   *user_id;

	heap_deform_tuple(tuple, desc, values, nulls);
	row->version = DatumGetInt64(values[OPS_VERSION - 1]);
	row->seq = DatumGetInt64(values[OPS_SEQ - 1]);
	row->base_version = DatumGetInt64(values[OPS_BASE_VERSION - 1]);
	row->created_at = DatumGetTimestampTz(values[OPS_CREATED_AT - 1]);
	row->op_id = *DatumGetUUIDP(values[OPS_OP_ID - 1]);
	row->submitted_hash = DatumGetInt32(values[OPS_SUBMITTED_HASH - 1]);
	user_id = DatumGetTextPP(values[OPS_USER_ID - 1]);
	row->user_id = VARDATA_ANY(user_id);
	row->user_len = VARSIZE_ANY_EXHDR(user_id);
	row->op = cvg_op_of(PG_DETOAST_DATUM_PACKED(values[OPS_OP - 1]));
}

/* Give a row memory of its own, in the current context. */
static void
copy_op_row(CvgOpRow *row)
{
	row->user_id = pnstrdup(row->user_id, row->user_len);
	row->op.data = memcpy(palloc(row->op.size + 1), row->op.data, row->op.size);
}

/* The one row of ops that two keys name. */
static bool
find_op(Oid index, ScanKey keys, CvgOpRow *row)
{
	Relation	ops = table_open(cvg_catalog()->ops, AccessShareLock);
	SysScanDesc scan = systable_beginscan(ops, index, true, GetActiveSnapshot(), 2, keys);
	HeapTuple	tuple = systable_getnext(scan);

	if (HeapTupleIsValid(tuple))
	{
		read_op_row(tuple, RelationGetDescr(ops), row);
		copy_op_row(row);
	}
	systable_endscan(scan);
	table_close(ops, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* An op by its id. */
bool
cvg_op_by_id(const pg_uuid_t *doc_id, const pg_uuid_t *op_id, CvgOpRow *row)
{
	ScanKeyData keys[2];

	document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_OP_ID, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(op_id));
	return find_op(cvg_catalog()->ops_op_id_key, keys, row);
}

/* An op by the version it made. */
bool
cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row)
{
	ScanKeyData keys[2];

	document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_VERSION, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(version));
	return find_op(cvg_catalog()->ops_pkey, keys, row);
}

/* Begin to read a run of ops. */
CvgOpScan *
cvg_ops_begin(const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	CvgOpScan  *scan = palloc(sizeof(CvgOpScan));
	ScanKeyData keys[3];

	scan->ops = table_open(cvg_catalog()->ops, AccessShareLock);
	scan->index = index_open(cvg_catalog()->ops_pkey, AccessShareLock);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "converge op row",
										  ALLOCSET_SMALL_SIZES);
	scan->expected = after + 1;
	scan->upto = upto;
	document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_VERSION, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
	ScanKeyInit(&keys[2], OPS_VERSION, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
	scan->scan = systable_beginscan_ordered(scan->ops, scan->index, GetActiveSnapshot(), 3, keys);
	return scan;
}

/* The next op of the run; false behind the last. */
bool
cvg_ops_next(CvgOpScan *scan, CvgOpRow *row)
{
	HeapTuple	tuple = systable_getnext_ordered(scan->scan, ForwardScanDirection);
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	if (!HeapTupleIsValid(tuple))
	{
		if (scan->expected <= scan->upto)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("version " INT64_FORMAT " is missing in the log of a document",
							scan->expected)));
		return false;
	}
	MemoryContextReset(scan->context);
	caller = MemoryContextSwitchTo(scan->context);
	read_op_row(tuple, RelationGetDescr(scan->ops), row);
	MemoryContextSwitchTo(caller);
	if (row->version != scan->expected)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("version " INT64_FORMAT " is missing in the log of a document",
						scan->expected)));
	scan->expected++;
	return true;
}

/* Done with a run. */
void
cvg_ops_end(CvgOpScan *scan)
{
	systable_endscan_ordered(scan->scan);
	MemoryContextDelete(scan->context);
	index_close(scan->index, AccessShareLock);
	table_close(scan->ops, AccessShareLock);
	pfree(scan);
}
