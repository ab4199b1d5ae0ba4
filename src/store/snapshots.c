/*
 * store/snapshots.c
 *		Reads, writes and thins out rows of converge.snapshots.
 */
#include "store/snapshots.h"

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

/* The newest snapshot at or below a version. */
text	   *
cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version)
{
	ScanKeyData keys[2];
	CvgScan		scan;
	HeapTuple	tuple;
	text	   *content = NULL;

	cvg_document_key(&keys[0], SNAPSHOTS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], SNAPSHOTS_VERSION, BTLessEqualStrategyNumber, F_INT8LE,
				Int64GetDatum(version));
	cvg_scan_begin(&scan, cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey, keys, 2);
	tuple = cvg_scan_next(&scan, BackwardScanDirection);
	*snapshot_version = 0;
	if (HeapTupleIsValid(tuple))
	{
		TupleDesc	desc = RelationGetDescr(scan.table);
		bool		isnull;

		*snapshot_version = DatumGetInt64(cvg_row_column(tuple, SNAPSHOTS_VERSION, desc, &isnull));
		content = DatumGetTextPCopy(cvg_given(cvg_row_column(tuple, SNAPSHOTS_CONTENT, desc, &isnull), isnull));
	}
	cvg_scan_end(&scan);
	return content;
}

/* The versions of a document's snapshots. */
int
cvg_snapshot_versions(const pg_uuid_t *doc_id, int64 **versions)
{
	return cvg_list_versions(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey,
							 SNAPSHOTS_DOC_ID, SNAPSHOTS_VERSION, doc_id, versions);
}

/* ---- writing ---- */

/* Keep a snapshot. */
void
cvg_snapshot_keep(const pg_uuid_t *doc_id, int64 version, int64 seq, TimestampTz at,
				  const char *kind, text * content, const pg_uuid_t *op_id)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, UUIDOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(version), Int64GetDatum(seq), TimestampTzGetDatum(at),
		CStringGetTextDatum(kind), PointerGetDatum(content), UUIDPGetDatum(op_id)
	};
	char		nulls[] = "       ";

	if (op_id == NULL)
		nulls[6] = 'n';
	SPI_connect();
	cvg_execute("INSERT INTO converge.snapshots AS s (doc_id, version, seq, created_at, kind, content, op_id) "
				"VALUES ($1, $2, $3, $4, $5, $6, $7) "
				"ON CONFLICT (doc_id, version) DO UPDATE "
				"SET kind = excluded.kind "
				"WHERE excluded.kind OPERATOR(pg_catalog.=) 'named' OR s.kind OPERATOR(pg_catalog.=) 'due'",
				7, types, values, nulls);
	SPI_finish();
	cvg_check_written(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey, doc_id, SNAPSHOTS_VERSION, version,
					  SNAPSHOTS_CONTENT, content);
}

/*
 * Thin out the due snapshots: walking up, one stays only where it is `spacing`
 * versions above the last that stayed.  What was asked for stays, and so does
 * the newest.
 */
void
cvg_snapshots_thin(const pg_uuid_t *doc_id, int64 spacing)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(doc_id)};
	int64	   *surplus;
	int			count = 0;
	int64		kept = 0;

	SPI_connect();
	cvg_execute("SELECT version, kind OPERATOR(pg_catalog.=) 'due' FROM ONLY converge.snapshots "
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 ORDER BY version", 1, types, values, NULL);
	surplus = palloc(Max(SPI_processed, 1) * sizeof(int64));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		int64		version = DatumGetInt64(SPI_getbinval(tuple, desc, 1, &isnull));
		bool		due = DatumGetBool(SPI_getbinval(tuple, desc, 2, &isnull));

		if (due && i + 1 < SPI_processed && version - kept < spacing)
			surplus[count++] = version;
		else
			kept = version;
	}
	for (int i = 0; i < count; i++)
		/* the kind again: while this waits, a user may give it a label */
		cvg_run_for_version("DELETE FROM ONLY converge.snapshots "
							"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2 "
							"AND kind OPERATOR(pg_catalog.=) 'due'",
							doc_id, surplus[i]);
	SPI_finish();
}
