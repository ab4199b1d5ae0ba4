/*
 * store/catalog_whole.c
 *		Fails where an edit would be built on a version whose row is missing, as
 *		after a restore that could not load a table.
 *
 * A head alone is enough to append to a log; but nothing that comes after a hole
 * can be read.  Each backend looks once at each document it comes to edit.
 */
#include "store/catalog.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* How many documents a backend remembers to have found whole. */
#define REMEMBERED	256

/* Of documents that share a place the last one; nothing of it outlives a change of the tables. */
static struct
{
	uint64		changes;
	pg_uuid_t	documents[REMEMBERED];
} found_whole;

/* The place where a document is remembered. */
static pg_uuid_t *
place_of(const pg_uuid_t *doc_id)
{
	if (found_whole.changes != cvg_catalog_changes())
	{
		memset(found_whole.documents, 0, sizeof(found_whole.documents));
		found_whole.changes = cvg_catalog_changes();
	}
	return &found_whole.documents[(doc_id->data[0] ^ doc_id->data[UUID_LEN - 1]) % REMEMBERED];
}

/* Return true if a table has a row of a document at a version, or at that or a later one. */
static bool
has_row(Oid table_oid, Oid index, const pg_uuid_t *doc_id, AttrNumber column, bool or_later, int64 version)
{
	Relation	table = cvg_open_table(table_oid, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	bool		found;

	cvg_document_key(&keys[0], 1, doc_id);
	ScanKeyInit(&keys[1], column, or_later ? BTGreaterEqualStrategyNumber : BTEqualStrategyNumber,
				or_later ? F_INT8GE : F_INT8EQ, Int64GetDatum(version));
	scan = systable_beginscan(table, index, true, GetActiveSnapshot(), 2, keys);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

/* Return true if the row that a version is made of is there. */
static bool
has_version(const pg_uuid_t *doc_id, const CvgHead *head, int64 version)
{
	const CvgCatalog *cat = cvg_catalog();

	if (version > head->packed_version)
		return has_row(cat->ops, cat->ops_pkey, doc_id, OPS_VERSION, false, version);
	if (version > head->floor_version)
		return has_row(cat->packs, cat->packs_pkey, doc_id, PACKS_TO_VERSION, true, version);
	return version == 0 || has_row(cat->snapshots, cat->snapshots_pkey, doc_id, SNAPSHOTS_VERSION, false, version);
}

/* Fail where a document's last version is not there. */
void
cvg_check_whole(const pg_uuid_t *doc_id, const CvgHead *head, int64 version)
{
	pg_uuid_t  *place = place_of(doc_id);

	if (memcmp(place, doc_id, UUID_LEN) == 0)
		return;
	if (!has_version(doc_id, head, version))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("version " INT64_FORMAT " is missing in the log of document %s", version,
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)))),
				 errdetail("Nothing that is appended to it could be read."),
				 errhint("Was a restore incomplete? Its messages say which table it could not load.")));
	*place_of(doc_id) = *doc_id;
}
