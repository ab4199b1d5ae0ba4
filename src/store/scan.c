/*
 * store/scan.c
 *		Reads rows through an index, without the executor.
 */
#include "store/scan.h"

#include "base/row.h"
#include "store/names.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* ---- what is seen ---- */

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

/* ---- rows ---- */

/* A key on the document's id. */
void
cvg_document_key(ScanKey key, AttrNumber column, const pg_uuid_t *doc_id)
{
	ScanKeyInit(key, column, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(doc_id));
}

/* One column of the row that scan keys name, copied; false for no row, or null. */
bool
cvg_fetch_column(Oid table, Oid index, ScanKey keys, int key_count, AttrNumber column, Datum *value)
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

/* Open a table and an index, and begin to read. */
void
cvg_scan_begin(CvgScan *scan, Oid table, Oid index, ScanKey keys, int key_count)
{
	scan->table = cvg_open_table(table, AccessShareLock);
	scan->index = index_open(index, AccessShareLock);
	scan->scan = systable_beginscan_ordered(scan->table, scan->index, GetActiveSnapshot(), key_count, keys);
}

/* Get the next row; it lives until the one after it is asked for. */
HeapTuple
cvg_scan_next(CvgScan *scan, ScanDirection direction)
{
	return systable_getnext_ordered(scan->scan, direction);
}

/* Close what a scan has opened. */
void
cvg_scan_end(CvgScan *scan)
{
	systable_endscan_ordered(scan->scan);
	index_close(scan->index, AccessShareLock);
	table_close(scan->table, AccessShareLock);
}

/* List the versions of a document's rows in a table. */
int
cvg_list_versions(Oid table, Oid index, AttrNumber doc_id_column, AttrNumber version_column,
				  const pg_uuid_t *doc_id, int64 **versions)
{
	ScanKeyData key;
	CvgScan		scan;
	HeapTuple	tuple;
	int			count = 0;
	int			capacity = 16;

	*versions = palloc(capacity * sizeof(int64));
	cvg_document_key(&key, doc_id_column, doc_id);
	cvg_scan_begin(&scan, table, index, &key, 1);
	while (HeapTupleIsValid(tuple = cvg_scan_next(&scan, ForwardScanDirection)))
	{
		bool		isnull;

		if (count == capacity)
		{
			capacity *= 2;
			*versions = repalloc(*versions, capacity * sizeof(int64));
		}
		(*versions)[count++] = DatumGetInt64(cvg_row_column(tuple, version_column,
															RelationGetDescr(scan.table), &isnull));
	}
	cvg_scan_end(&scan);
	return count;
}
