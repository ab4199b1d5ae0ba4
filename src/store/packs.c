/*
 * store/packs.c
 *		Reads, writes and deletes rows of converge.packs.
 */
#include "store/packs.h"

#include "base/row.h"
#include "past/pack_ids.h"
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

/* Find the row of the first pack that ends at a version or later. */
static HeapTuple
begin_at(CvgScan *scan, ScanKey keys, const pg_uuid_t *doc_id, int64 version, CvgPackRange *range)
{
	HeapTuple	tuple;

	cvg_document_key(&keys[0], PACKS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], PACKS_TO_VERSION, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(version));
	cvg_scan_begin(scan, cvg_catalog()->packs, cvg_catalog()->packs_pkey, keys, 2);
	tuple = cvg_scan_next(scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		read_range(tuple, RelationGetDescr(scan->table), range);
	return tuple;
}

/* Fetch the pack that holds a version. */
bytea	   *
cvg_pack_fetch(const pg_uuid_t *doc_id, int64 version, MemoryContext context, CvgPackRange *range)
{
	ScanKeyData keys[2];
	CvgScan		scan;
	HeapTuple	tuple = begin_at(&scan, keys, doc_id, version, range);
	bytea	   *data = NULL;
	bool		isnull;

	if (HeapTupleIsValid(tuple) && range->from_version <= version)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		data = DatumGetByteaPCopy(cvg_given(cvg_row_column(tuple, PACKS_DATA, RelationGetDescr(scan.table),
														   &isnull), isnull));
		MemoryContextSwitchTo(caller);
	}
	cvg_scan_end(&scan);
	return data;
}

/* Return true if a pack may hold an op; one without a filter may hold any. */
static bool
may_hold(HeapTuple tuple, TupleDesc desc, const pg_uuid_t *op_id)
{
	bool		isnull;
	Datum		value = cvg_row_column(tuple, PACKS_IDS, desc, &isnull);
	bytea	   *ids;
	bool		may;

	if (isnull)
		return true;
	ids = DatumGetByteaPP(value);
	may = pack_ids_may_have((const uint8_t *) VARDATA_ANY(ids), VARSIZE_ANY_EXHDR(ids), op_id->data);
	if ((Pointer) ids != DatumGetPointer(value))
		pfree(ids);
	return may;
}

/* Fetch the composition of the pack that begins with a version. */
struct varlena *
cvg_pack_composed(const pg_uuid_t *doc_id, int64 from_version, int64 upto, const pg_uuid_t *sought,
				  MemoryContext context, CvgPackRange *range)
{
	ScanKeyData keys[2];
	CvgScan		scan;
	HeapTuple	tuple = begin_at(&scan, keys, doc_id, from_version, range);
	struct varlena *composed = NULL;
	bool		isnull = true;
	Datum		value = 0;

	if (HeapTupleIsValid(tuple) && range->from_version == from_version && range->to_version <= upto)
		value = cvg_row_column(tuple, PACKS_COMPOSED, RelationGetDescr(scan.table), &isnull);
	if (!isnull && (sought == NULL || !may_hold(tuple, RelationGetDescr(scan.table), sought)))
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		composed = PG_DETOAST_DATUM_COPY(value);
		MemoryContextSwitchTo(caller);
	}
	cvg_scan_end(&scan);
	return composed;
}

/* A copy of a column of a pack; NULL where it has none. */
static struct varlena *
copy_column(HeapTuple tuple, TupleDesc desc, AttrNumber column)
{
	bool		isnull;
	Datum		value = cvg_row_column(tuple, column, desc, &isnull);

	return isnull ? NULL : PG_DETOAST_DATUM_COPY(value);
}

/* Fetch what a pack has beside its data. */
void
cvg_pack_extras(const pg_uuid_t *doc_id, int64 from_version, struct varlena **composed, bytea **ids)
{
	ScanKeyData keys[2];
	CvgScan		scan;
	CvgPackRange range;
	HeapTuple	tuple = begin_at(&scan, keys, doc_id, from_version, &range);

	*composed = NULL;
	*ids = NULL;
	if (HeapTupleIsValid(tuple) && range.from_version == from_version)
	{
		*composed = copy_column(tuple, RelationGetDescr(scan.table), PACKS_COMPOSED);
		*ids = copy_column(tuple, RelationGetDescr(scan.table), PACKS_IDS);
	}
	cvg_scan_end(&scan);
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

/* Fail where a column of a pack that was just written has not what was put in it. */
static void
check_column(const pg_uuid_t *doc_id, int64 to_version, AttrNumber column, const void *expected)
{
	cvg_check_written(cvg_catalog()->packs, cvg_catalog()->packs_pkey, doc_id, PACKS_TO_VERSION, to_version,
					  column, expected);
}

/* Keep a pack. */
void
cvg_pack_keep(const pg_uuid_t *doc_id, const CvgPackRange *range, bytea *data,
			  struct varlena *composed, bytea *ids)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID, TIMESTAMPTZOID, BYTEAOID, cvg_catalog()->op_type, BYTEAOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(range->from_version), Int64GetDatum(range->to_version),
		TimestampTzGetDatum(range->first_at), PointerGetDatum(data), PointerGetDatum(composed),
		PointerGetDatum(ids)
	};
	const char *nulls = composed == NULL ? "     nn" : NULL;

	SPI_connect();
	cvg_execute("INSERT INTO converge.packs (doc_id, from_version, to_version, first_at, data, composed, ids) "
				"VALUES ($1, $2, $3, $4, $5, $6, $7)", 7, types, values, nulls);
	SPI_finish();
	check_column(doc_id, range->to_version, PACKS_DATA, data);
	if (composed == NULL)
		return;
	check_column(doc_id, range->to_version, PACKS_COMPOSED, composed);
	check_column(doc_id, range->to_version, PACKS_IDS, ids);
}

/* Drop the pack that ends at a version. */
void
cvg_pack_forget(const pg_uuid_t *doc_id, int64 to_version)
{
	cvg_run_for_version("DELETE FROM ONLY converge.packs "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.=) $2",
						doc_id, to_version);
}
