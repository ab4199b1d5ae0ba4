/*
 * store/statements.c
 *		Runs plain SQL about a document, and checks what came of it.
 */
#include "store/statements.h"

#include "base/row.h"
#include "base/uuid_text.h"
#include "store/names.h"
#include "store/scan.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Run one statement; the caller has connected to SPI. */
void
cvg_execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	int			result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
}

/* Run one statement about a document and a version; how many rows it touched. */
int64
cvg_run_for_version(const char *sql, const pg_uuid_t *doc_id, int64 version)
{
	Oid			types[] = {UUIDOID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version)};
	int64		touched;

	SPI_connect();
	cvg_execute(sql, 2, types, values, NULL);
	touched = (int64) SPI_processed;
	SPI_finish();
	return touched;
}

/* ---- what came of it ---- */

/* The first row of a document in a table whose key is its id and a version, by that key. */
static SysScanDesc
begin_check(Relation table, Oid index, const pg_uuid_t *doc_id, AttrNumber column,
			StrategyNumber strategy, RegProcedure compare, int64 version)
{
	ScanKeyData keys[2];

	cvg_document_key(&keys[0], 1, doc_id);
	ScanKeyInit(&keys[1], column, strategy, compare, Int64GetDatum(version));
	CommandCounterIncrement();
	cvg_push_own_snapshot();
	return systable_beginscan(table, index, true, GetActiveSnapshot(), 2, keys);
}

/* Done with such a scan. */
static void
end_check(Relation table, SysScanDesc scan)
{
	systable_endscan(scan);
	PopActiveSnapshot();
	table_close(table, AccessShareLock);
}

/* Return true if a trigger may have changed rows on their way into a table. */
static bool
may_change_rows(const TriggerDesc *triggers)
{
	return triggers != NULL && (triggers->trig_insert_before_row || triggers->trig_update_before_row);
}

/* Fail where a row that was just written is not there, or is something else. */
void
cvg_check_written(Oid table_oid, Oid index, const pg_uuid_t *doc_id, AttrNumber key, int64 version,
				  AttrNumber column, const void *expected)
{
	Relation	table = cvg_open_table(table_oid, AccessShareLock);
	SysScanDesc scan = begin_check(table, index, doc_id, key, BTEqualStrategyNumber, F_INT8EQ, version);
	HeapTuple	tuple = systable_getnext(scan);
	bool		isnull;

	if (!HeapTupleIsValid(tuple) ||
		(may_change_rows(table->trigdesc) &&
		 !datum_image_eq(cvg_row_column(tuple, column, RelationGetDescr(table), &isnull),
						 PointerGetDatum(expected), false, -1)))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a row that converge wrote to converge.%s is missing or was changed",
						RelationGetRelationName(table)),
				 errdetail("A trigger, rule or policy removed or changed version " INT64_FORMAT " of document %s.",
						   version, cvg_uuid_text(doc_id))));
	end_check(table, scan);
}

/* Fail where rows are still there that were just deleted. */
void
cvg_check_deleted(Oid table_oid, Oid index, const pg_uuid_t *doc_id, AttrNumber key, int64 upto)
{
	Relation	table = cvg_open_table(table_oid, AccessShareLock);
	SysScanDesc scan = begin_check(table, index, doc_id, key, BTLessEqualStrategyNumber, F_INT8LE, upto);

	if (HeapTupleIsValid(systable_getnext(scan)))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows that converge deleted from converge.%s still exist", RelationGetRelationName(table)),
				 errdetail("A trigger, rule or policy prevented the deletion of versions up to " INT64_FORMAT " of document %s.",
						   upto, cvg_uuid_text(doc_id))));
	end_check(table, scan);
}
