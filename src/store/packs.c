/*
 * store/packs.c
 *		Reads, writes and deletes rows of converge.packs.
 */
#include "store/packs.h"

#include "base/row.h"
#include "store/columns.h"
#include "store/names.h"
#include "store/scan.h"
#include "store/statements.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

/* ---- reading ---- */

/* Take what a pack's row says of it. */
static void
read_range(HeapTuple tuple, TupleDesc desc, CvgPackRange *range)
{
	bool		isnull;

	range->from_version = DatumGetInt64(cvg_row_column(tuple, PACKS_FROM_VERSION, desc, &isnull));
	range->to_version = DatumGetInt64(cvg_row_column(tuple, PACKS_TO_VERSION, desc, &isnull));
	range->first_at = DatumGetTimestampTz(cvg_row_column(tuple, PACKS_FIRST_AT, desc, &isnull));
}

/* Fetch the pack that holds a version. */
bytea	   *
cvg_pack_fetch(const pg_uuid_t *doc_id, int64 version, MemoryContext context, CvgPackRange *range)
{
	ScanKeyData keys[2];
	CvgScan		scan;
	HeapTuple	tuple;
	TupleDesc	desc;
	bytea	   *data = NULL;
	bool		isnull;

	cvg_document_key(&keys[0], PACKS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], PACKS_TO_VERSION, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(version));
	cvg_scan_begin(&scan, cvg_catalog()->packs, cvg_catalog()->packs_pkey, keys, 2);
	desc = RelationGetDescr(scan.table);
	tuple = cvg_scan_next(&scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		read_range(tuple, desc, range);
	if (HeapTupleIsValid(tuple) && range->from_version <= version)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		data = DatumGetByteaPCopy(cvg_given(cvg_row_column(tuple, PACKS_DATA, desc, &isnull), isnull));
		MemoryContextSwitchTo(caller);
	}
	cvg_scan_end(&scan);
	return data;
}

/* What the packs of a document say they hold, in order. */
int
cvg_pack_ranges(const pg_uuid_t *doc_id, CvgPackRange **ranges)
{
	ScanKeyData key;
	CvgScan		scan;
	HeapTuple	tuple;
	int			count = 0;
	int			capacity = 16;

	*ranges = palloc(capacity * sizeof(CvgPackRange));
	cvg_document_key(&key, PACKS_DOC_ID, doc_id);
	cvg_scan_begin(&scan, cvg_catalog()->packs, cvg_catalog()->packs_pkey, &key, 1);
	while (HeapTupleIsValid(tuple = cvg_scan_next(&scan, ForwardScanDirection)))
	{
		if (count == capacity)
		{
			capacity *= 2;
			*ranges = repalloc(*ranges, capacity * sizeof(CvgPackRange));
		}
		read_range(tuple, RelationGetDescr(scan.table), &(*ranges)[count++]);
	}
	cvg_scan_end(&scan);
	return count;
}

/* The pack that holds a version. */
bool
cvg_pack_find(const pg_uuid_t *doc_id, int64 version, int64 *from_version, int64 *to_version)
{
	Oid			types[] = {UUIDOID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version)};
	bool		found;

	SPI_connect();
	cvg_execute("SELECT from_version, to_version FROM ONLY converge.packs "
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.>=) $2 "
				"AND from_version OPERATOR(pg_catalog.<=) $2 ORDER BY to_version LIMIT 1",
				2, types, values, NULL);
	found = SPI_processed > 0;
	if (found)
	{
		bool		isnull;

		*from_version = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		*to_version = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_finish();
	return found;
}

/* ---- writing ---- */

/* Keep a pack. */
void
cvg_pack_keep(const pg_uuid_t *doc_id, int64 from_version, int64 to_version,
			  TimestampTz first_at, bytea *data)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID, TIMESTAMPTZOID, BYTEAOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(from_version), Int64GetDatum(to_version),
		TimestampTzGetDatum(first_at), PointerGetDatum(data)
	};

	SPI_connect();
	cvg_execute("INSERT INTO converge.packs (doc_id, from_version, to_version, first_at, data) "
				"VALUES ($1, $2, $3, $4, $5)", 5, types, values, NULL);
	SPI_finish();
	cvg_check_written(cvg_catalog()->packs, cvg_catalog()->packs_pkey, doc_id, PACKS_TO_VERSION, to_version,
					  PACKS_DATA, data);
}

/* Drop the pack that ends at a version. */
void
cvg_pack_forget(const pg_uuid_t *doc_id, int64 to_version)
{
	cvg_run_for_version("DELETE FROM ONLY converge.packs "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.=) $2",
						doc_id, to_version);
}
