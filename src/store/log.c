/*
 * store/log.c
 *		Reads the log of a document: its older part from packs, the rest from ops, as one.
 *
 *		A scan begins in ops, and turns to packs only where the first row it finds is
 *		not the one it wants: a keystroke never asks about packs.
 */
#include "store/log.h"

#include "base/errors.h"
#include "base/row.h"
#include "base/uuid_text.h"
#include "past/pack_format.h"
#include "store/columns.h"
#include "store/documents.h"
#include "store/names.h"
#include "store/packs.h"
#include "store/scan.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

struct CvgOpScan
{
	const pg_uuid_t *doc_id;
	int64		expected;		/* version of the next row */
	int64		upto;
	bool		runs;			/* packs may come composed */
	const pg_uuid_t *sought;	/* but for those that may hold this op */

	/* in ops */
	CvgScan		ops;
	HeapTuple	tuple;			/* found, but what is before it comes from
								 * packs */
	MemoryContext row_context;	/* what one row needs; reset for the next */

	/* in packs */
	int64		packed_upto;	/* versions up to here come from packs */
	MemoryContext pack_context; /* what one pack needs */
	PackReader *pack;
	CvgPackRange range;			/* its */
};

/* The log has a hole. */
pg_noreturn static void
missing_version(const pg_uuid_t *doc_id, int64 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("version " INT64_FORMAT " is missing from the log of document %s", version,
					cvg_uuid_text(doc_id))));
}

/* ---- packs ---- */

/* A pack is not what was written. */
static void
damaged_pack(const CvgOpScan *scan)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("the pack of versions " INT64_FORMAT " to " INT64_FORMAT " of document %s is damaged",
					scan->range.from_version, scan->range.to_version,
					cvg_uuid_text(scan->doc_id))));
}

/* Raise the error that a status of reading a pack stands for. */
static void
check_pack_status(const CvgOpScan *scan, OtStatus status)
{
	if (status == OT_MALFORMED)
		damaged_pack(scan);
	cvg_check_status(status);
}

/* Memory for what one pack needs, empty. */
static MemoryContext
fresh_pack_context(CvgOpScan *scan)
{
	if (scan->pack_context == NULL)
		scan->pack_context = AllocSetContextCreate(GetMemoryChunkContext(scan), "converge pack",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(scan->pack_context);
	return scan->pack_context;
}

/* Open the pack that holds the next version. */
static void
open_next_pack(CvgOpScan *scan)
{
	bytea	   *data;
	MemoryContext caller;

	data = cvg_pack_fetch(scan->doc_id, scan->expected, fresh_pack_context(scan), &scan->range);
	if (data == NULL)
		missing_version(scan->doc_id, scan->expected);
	caller = MemoryContextSwitchTo(scan->pack_context);
	check_pack_status(scan, pack_reader_open(&cvg_allocator, cvg_content_hash,
											 (const uint8_t *) VARDATA_ANY(data),
											 VARSIZE_ANY_EXHDR(data), &scan->pack));
	MemoryContextSwitchTo(caller);
	if (pack_reader_count(scan->pack) != scan->range.to_version - scan->range.from_version + 1)
		damaged_pack(scan);
}

/* Take over what a pack says of an op. */
static void
row_from_pack(const PackOp *op, CvgOpRow *row)
{
	row->version = op->version;
	row->seq = op->seq;
	row->base_version = op->base_version;
	row->created_at = op->created_at;
	memcpy(&row->op_id, op->op_id, UUID_LEN);
	row->submitted_hash = op->submitted_hash;
	row->user_id = op->user_id;
	row->user_len = op->user_len;
	row->op = op->op;
	row->packed = true;
	row->composed = false;
}

/* Take the pack that comes next as one row, if it can be. */
static bool
next_composed(CvgOpScan *scan, CvgOpRow *row)
{
	struct varlena *composed;

	if (!scan->runs || scan->pack != NULL)
		return false;
	composed = cvg_pack_composed(scan->doc_id, scan->expected, scan->packed_upto, scan->sought,
								 fresh_pack_context(scan), &scan->range);
	if (composed == NULL)
		return false;
	memset(row, 0, sizeof(CvgOpRow));
	row->version = scan->range.to_version;
	row->op = cvg_op_of(composed);
	row->packed = true;
	row->composed = true;
	scan->expected = row->version + 1;
	return true;
}

/* The next op, which is in a pack. */
static void
next_packed(CvgOpScan *scan, CvgOpRow *row)
{
	PackOp		op = {.version = -1};
	bool		found = true;
	MemoryContext caller;

	if (scan->pack == NULL)
		open_next_pack(scan);
	caller = MemoryContextSwitchTo(scan->pack_context);
	while (found && op.version < scan->expected)
		check_pack_status(scan, pack_reader_next(scan->pack, &op, &found));
	MemoryContextSwitchTo(caller);
	if (!found || op.version != scan->expected)
		damaged_pack(scan);
	if (op.version == scan->range.to_version)
		scan->pack = NULL;		/* its memory goes when the next one comes */
	row_from_pack(&op, row);
	scan->expected++;
}

/* ---- the log as one ---- */

/* Begin to read a run of the log. */
CvgOpScan  *
cvg_ops_begin(const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	CvgOpScan  *scan = palloc0(sizeof(CvgOpScan));
	ScanKeyData keys[3];

	scan->doc_id = doc_id;
	scan->expected = after + 1;
	scan->upto = upto;
	scan->packed_upto = after;
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "converge op row",
											  ALLOCSET_SMALL_SIZES);
	cvg_document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_VERSION, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
	ScanKeyInit(&keys[2], OPS_VERSION, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
	cvg_scan_begin(&scan->ops, cvg_catalog()->ops, cvg_catalog()->ops_pkey, keys, 3);
	return scan;
}

/* Likewise, by whole packs where that can be. */
CvgOpScan  *
cvg_runs_begin(const pg_uuid_t *doc_id, int64 after, int64 upto, const pg_uuid_t *sought)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);

	scan->runs = true;
	scan->sought = sought;
	return scan;
}

/* Find the next row in ops, and how far packs must be read before it. */
static void
find_next_hot(CvgOpScan *scan)
{
	bool		isnull;

	scan->tuple = cvg_scan_next(&scan->ops, ForwardScanDirection);
	scan->packed_upto = scan->upto;
	if (HeapTupleIsValid(scan->tuple))
		scan->packed_upto = DatumGetInt64(cvg_row_column(scan->tuple, OPS_VERSION,
														 RelationGetDescr(scan->ops.table), &isnull)) - 1;
}

/* The next op of the run; false behind the last. */
bool
cvg_ops_next(CvgOpScan *scan, CvgOpRow *row)
{
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	if (scan->expected > scan->upto)
		return false;
	if (scan->packed_upto < scan->expected && !HeapTupleIsValid(scan->tuple))
		find_next_hot(scan);
	if (scan->expected <= scan->packed_upto)
	{
		if (!next_composed(scan, row))
			next_packed(scan, row);
		return true;
	}
	MemoryContextReset(scan->row_context);
	caller = MemoryContextSwitchTo(scan->row_context);
	cvg_op_row_read(scan->tuple, RelationGetDescr(scan->ops.table), row);
	MemoryContextSwitchTo(caller);
	if (row->version != scan->expected)
		missing_version(scan->doc_id, scan->expected);
	scan->tuple = NULL;
	scan->expected++;
	return true;
}

/* Done with a run. */
void
cvg_ops_end(CvgOpScan *scan)
{
	cvg_scan_end(&scan->ops);
	MemoryContextDelete(scan->row_context);
	if (scan->pack_context != NULL)
		MemoryContextDelete(scan->pack_context);
	pfree(scan);
}

/* An op by the version it made, packed or not. */
bool
cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, version - 1, version);
	bool		found = cvg_ops_next(scan, row);

	if (found)
		cvg_op_row_copy(row);
	cvg_ops_end(scan);
	return found;
}

/* ---- moments and ids ---- */

/* The last of the packed versions that was made at or before a moment. */
static int64
packed_version_at(const pg_uuid_t *doc_id, const CvgHead *head, TimestampTz at)
{
	CvgPackRange *ranges;
	int			count = cvg_pack_ranges(doc_id, &ranges);
	int64		version = head->floor_version;
	CvgOpScan  *ops;
	CvgOpRow	row;

	while (count > 0 && ranges[count - 1].first_at > at)
		count--;
	if (count == 0)
		return version;
	version = ranges[count - 1].from_version - 1;
	ops = cvg_ops_begin(doc_id, version, ranges[count - 1].to_version);
	while (cvg_ops_next(ops, &row) && row.created_at <= at)
		version = row.version;
	cvg_ops_end(ops);
	return version;
}

/* The last version at or before a moment. */
int64
cvg_version_at(const pg_uuid_t *doc_id, const CvgHead *head, TimestampTz at)
{
	int64		low = head->packed_version; /* known, or taken, to be at or
											 * before */
	int64		high = head->version + 1;	/* known to be after */
	CvgOpRow	row;

	while (high - low > 1)
	{
		int64		middle = low + (high - low) / 2;

		cvg_op_by_version(doc_id, middle, &row);
		if (row.created_at <= at)
			low = middle;
		else
			high = middle;
	}
	if (low > head->packed_version || head->packed_version == head->floor_version)
		return low;
	return packed_version_at(doc_id, head, at);
}

/* A column of the snapshot that keeps the floor version. */
static bool
floor_column(const pg_uuid_t *doc_id, const CvgHead *head, AttrNumber column, Datum *value)
{
	ScanKeyData keys[2];

	cvg_document_key(&keys[0], SNAPSHOTS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], SNAPSHOTS_VERSION, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(head->floor_version));
	return cvg_fetch_column(cvg_catalog()->snapshots, cvg_catalog()->snapshots_pkey, keys, 2,
							column, value);
}

/* When the floor version came to be. */
TimestampTz
cvg_history_begins(const pg_uuid_t *doc_id, const CvgHead *head)
{
	Datum		at = 0;

	if (head->floor_version == 0)
		return cvg_document_created_at(doc_id);
	floor_column(doc_id, head, SNAPSHOTS_CREATED_AT, &at);
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
