/*
 * store/catalog_keep.c
 *		What maintenance writes: snapshots, packs, undos, and what is forgotten.
 *
 * None of it is in the way of a keystroke, so it is plain SQL.  The callers'
 * functions are SECURITY DEFINER with a fixed search_path.
 *
 * LOCK ORDER: who maintains a document locks its row in documents, which no
 * writer does, and takes the lock of its head last and briefly.
 */
#include "store/catalog.h"
#include "base/row.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Run one statement; the caller has connected to SPI. */
static void
execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls)
{
	int			result = SPI_execute_with_args(sql, count, types, values, nulls, false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", sql, SPI_result_code_string(result));
}

/* Run one statement about a document and a version; how many rows it touched. */
static int64
run_for_version(const char *sql, const pg_uuid_t *doc_id, int64 version)
{
	Oid			types[] = {UUIDOID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version)};
	int64		touched;

	SPI_connect();
	execute(sql, 2, types, values, NULL);
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

/*
 * Fail where a row that was just kept is not there, or has not what was put in a
 * column: by a trigger, a rule or a policy of somebody's.  Else what it stands for
 * would be forgotten next.
 */
static void
check_kept(Oid table_oid, Oid index, const pg_uuid_t *doc_id, AttrNumber key, int64 version,
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
				 errmsg("what converge wrote to converge.%s is not there, or is something else",
						RelationGetRelationName(table)),
				 errdetail("A trigger, a rule or a policy kept version " INT64_FORMAT " of document %s out of it, or changed it.",
						   version, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id))))));
	end_check(table, scan);
}

/* Fail where ops are still there that were just deleted. */
static void
check_ops_gone(const pg_uuid_t *doc_id, int64 upto)
{
	Relation	ops = cvg_open_table(cvg_catalog()->ops, AccessShareLock);
	SysScanDesc scan = begin_check(ops, cvg_catalog()->ops_pkey, doc_id, OPS_VERSION,
								   BTLessEqualStrategyNumber, F_INT8LE, upto);

	if (HeapTupleIsValid(systable_getnext(scan)))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows that converge deleted from converge.ops are still there"),
				 errdetail("A trigger, a rule or a policy kept versions up to " INT64_FORMAT " of document %s in it.",
						   upto, DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id))))));
	end_check(ops, scan);
}

/* ---- locks and heads ---- */

/* Be the one who maintains a document. */
bool
cvg_maintainer_lock(const pg_uuid_t *doc_id, bool wait)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(doc_id)};
	bool		locked;

	SPI_connect();
	execute(wait
			? "SELECT FROM ONLY converge.documents WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE"
			: "SELECT FROM ONLY converge.documents WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED",
			1, types, values, NULL);
	locked = SPI_processed > 0;
	SPI_finish();
	return locked;
}

/* Visit every head. */
void
cvg_heads_walk(void (*visit) (void *ctx, const pg_uuid_t *doc_id, const CvgHead *head), void *ctx)
{
	Relation	heads = cvg_open_table(cvg_catalog()->heads, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(heads, NULL);
	TableScanDesc scan = table_beginscan(heads, GetActiveSnapshot(), 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CvgHead		head;

		slot_getallattrs(slot);
		cvg_head_from_columns(slot->tts_values, &head);
		visit(ctx, DatumGetUUIDP(slot->tts_values[HEADS_DOC_ID - 1]), &head);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(heads, AccessShareLock);
}

/* ---- snapshots ---- */

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
	execute("INSERT INTO converge.snapshots AS s (doc_id, version, seq, created_at, kind, content, op_id) "
			"VALUES ($1, $2, $3, $4, $5, $6, $7) "
			"ON CONFLICT (doc_id, version) DO UPDATE "
			"SET kind = excluded.kind "
			"WHERE excluded.kind OPERATOR(pg_catalog.=) 'named' OR s.kind OPERATOR(pg_catalog.=) 'due'",
			7, types, values, nulls);
	SPI_finish();
	check_kept(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey, doc_id, SNAPSHOTS_VERSION, version,
			   SNAPSHOTS_CONTENT, content);
}

/* Label a snapshot. */
void
cvg_label_add(const pg_uuid_t *doc_id, int64 version, text * label,
			  const char *user_id, TimestampTz at)
{
	Oid			types[] = {UUIDOID, INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(version), PointerGetDatum(label),
		CStringGetTextDatum(user_id), TimestampTzGetDatum(at)
	};

	SPI_connect();
	execute("INSERT INTO converge.labels (doc_id, version, label, user_id, created_at) "
			"VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", 5, types, values, NULL);
	SPI_finish();
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
	execute("SELECT version, kind OPERATOR(pg_catalog.=) 'due' FROM ONLY converge.snapshots "
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
		/* the kind again: while this waits, somebody may give it a label */
		run_for_version("DELETE FROM ONLY converge.snapshots "
						"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2 "
						"AND kind OPERATOR(pg_catalog.=) 'due'",
						doc_id, surplus[i]);
	SPI_finish();
}

/* ---- packs ---- */

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
	execute("INSERT INTO converge.packs (doc_id, from_version, to_version, first_at, data) "
			"VALUES ($1, $2, $3, $4, $5)", 5, types, values, NULL);
	SPI_finish();
	check_kept(cvg_catalog()->packs, cvg_catalog()->packs_pkey, doc_id, PACKS_TO_VERSION, to_version,
			   PACKS_DATA, data);
}

/* Drop the pack that ends at a version. */
void
cvg_pack_forget(const pg_uuid_t *doc_id, int64 to_version)
{
	run_for_version("DELETE FROM ONLY converge.packs "
					"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.=) $2",
					doc_id, to_version);
}

/* The pack that holds a version. */
bool
cvg_pack_find(const pg_uuid_t *doc_id, int64 version, int64 *from_version, int64 *to_version)
{
	Oid			types[] = {UUIDOID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version)};
	bool		found;

	SPI_connect();
	execute("SELECT from_version, to_version FROM ONLY converge.packs "
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

/* Delete ops that are packed now. */
int64
cvg_ops_drop(const pg_uuid_t *doc_id, int64 upto)
{
	int64		deleted = run_for_version("DELETE FROM ONLY converge.ops "
										  "WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2",
										  doc_id, upto);

	check_ops_gone(doc_id, upto);
	return deleted;
}

/* Forget all that led to a version, in ops, packs, snapshots, labels and undos. */
void
cvg_history_forget(const pg_uuid_t *doc_id, int64 upto)
{
	cvg_ops_drop(doc_id, upto);
	run_for_version("DELETE FROM ONLY converge.packs "
					"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND to_version OPERATOR(pg_catalog.<=) $2",
					doc_id, upto);
	run_for_version("DELETE FROM ONLY converge.snapshots "
					"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<) $2",
					doc_id, upto);
	run_for_version("DELETE FROM ONLY converge.labels "
					"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<) $2",
					doc_id, upto);
	run_for_version("DELETE FROM ONLY converge.undos "
					"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2",
					doc_id, upto);
}

/* ---- undos ---- */

/* Note that one op undid another. */
void
cvg_undo_keep(const pg_uuid_t *doc_id, int64 version, int64 undone_version)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version), Int64GetDatum(undone_version)};

	SPI_connect();
	execute("INSERT INTO converge.undos (doc_id, version, undone_version) VALUES ($1, $2, $3)",
			3, types, values, NULL);
	SPI_finish();
}

/* All undos of a document, the newest first. */
int
cvg_undos_read(const pg_uuid_t *doc_id, CvgUndo **undos)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(doc_id)};
	int			count;

	SPI_connect();
	execute("SELECT version, undone_version FROM ONLY converge.undos "
			"WHERE doc_id OPERATOR(pg_catalog.=) $1 ORDER BY version DESC", 1, types, values, NULL);
	count = (int) SPI_processed;
	*undos = MemoryContextAlloc(caller, Max(count, 1) * sizeof(CvgUndo));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		(*undos)[i].version = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		(*undos)[i].undone_version = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_finish();
	return count;
}
