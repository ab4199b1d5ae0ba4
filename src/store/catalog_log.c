/*
 * store/catalog_log.c
 *		Reads the log of a document: its older part from packs, the rest from
 *		ops, as one.
 *
 * A scan begins in ops, and turns to packs only where the first row it finds is
 * not the one it wants: a keystroke never asks about packs.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/row.h"
#include "past/pack_format.h"
#include "store/catalog.h"
#include "type/op_type.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "miscadmin.h"
#include "port/pg_crc32c.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

struct CvgOpScan
{
	const pg_uuid_t *doc_id;
	int64		expected;		/* version of the next row */
	int64		upto;

	/* in ops */
	Relation	ops;
	Relation	index;
	SysScanDesc scan;
	HeapTuple	tuple;			/* found, but what is before it comes from
								 * packs */
	MemoryContext row_context;	/* what one row needs; reset for the next */

	/* in packs */
	int64		packed_upto;	/* versions up to here come from packs */
	MemoryContext pack_context; /* what one pack needs */
	PackReader *pack;
	CvgPackRange range;			/* its */
};

/* What tells one submitted content from another. */
int32
cvg_content_hash(OtOp op)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, op.data, op.size);
	FIN_CRC32C(crc);
	return (int32) crc;
}

/* The log has a hole. */
pg_noreturn static void
missing_version(const pg_uuid_t *doc_id, int64 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("version " INT64_FORMAT " is missing in the log of document %s", version,
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id))))));
}

/* ---- rows of ops ---- */

/* Take a row of ops apart; it points into the tuple where it can. */
static void
read_op_row(HeapTuple tuple, TupleDesc desc, CvgOpRow *row)
{
	Datum		values[MaxHeapAttributeNumber];
	bool		nulls[MaxHeapAttributeNumber];
	text	   *user_id;

	heap_deform_tuple(tuple, desc, values, nulls);
	row->version = DatumGetInt64(values[OPS_VERSION - 1]);
	row->seq = DatumGetInt64(values[OPS_SEQ - 1]);
	row->base_version = DatumGetInt64(values[OPS_BASE_VERSION - 1]);
	row->created_at = DatumGetTimestampTz(values[OPS_CREATED_AT - 1]);
	row->op_id = *DatumGetUUIDP(cvg_given(values[OPS_OP_ID - 1], nulls[OPS_OP_ID - 1]));
	row->submitted_hash = DatumGetInt32(values[OPS_SUBMITTED_HASH - 1]);
	user_id = DatumGetTextPP(cvg_given(values[OPS_USER_ID - 1], nulls[OPS_USER_ID - 1]));
	row->user_id = VARDATA_ANY(user_id);
	row->user_len = VARSIZE_ANY_EXHDR(user_id);
	row->op = cvg_op_of(PG_DETOAST_DATUM_PACKED(cvg_given(values[OPS_OP - 1], nulls[OPS_OP - 1])));
	row->packed = false;
}

/* Give a row memory of its own, in the current context. */
static void
copy_op_row(CvgOpRow *row)
{
	uint8	   *copy = palloc(row->op.size + 1);

	row->user_id = pnstrdup(row->user_id, row->user_len);
	if (row->op.size > 0)
		memcpy(copy, row->op.data, row->op.size);
	row->op.data = copy;
}

/* An op that is not packed yet, by its id. */
bool
cvg_op_by_id(const pg_uuid_t *doc_id, const pg_uuid_t *op_id, CvgOpRow *row)
{
	Relation	ops = cvg_open_table(cvg_catalog()->ops, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	cvg_document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_OP_ID, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(op_id));
	scan = systable_beginscan(ops, cvg_catalog()->ops_op_id_key, true, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		read_op_row(tuple, RelationGetDescr(ops), row);
		copy_op_row(row);
	}
	systable_endscan(scan);
	table_close(ops, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* An op by the version it made, packed or not. */
bool
cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, version - 1, version);
	bool		found = cvg_ops_next(scan, row);

	if (found)
		copy_op_row(row);
	cvg_ops_end(scan);
	return found;
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
					DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(scan->doc_id))))));
}

/* Raise the error that a status of reading a pack stands for. */
static void
check_pack_status(const CvgOpScan *scan, OtStatus status)
{
	if (status == OT_MALFORMED)
		damaged_pack(scan);
	cvg_check_status(status);
}

/* Take what a pack's row says of it. */
static void
read_pack_range(HeapTuple tuple, TupleDesc desc, CvgPackRange *range)
{
	bool		isnull;

	range->from_version = DatumGetInt64(cvg_row_column(tuple, PACKS_FROM_VERSION, desc, &isnull));
	range->to_version = DatumGetInt64(cvg_row_column(tuple, PACKS_TO_VERSION, desc, &isnull));
	range->first_at = DatumGetTimestampTz(cvg_row_column(tuple, PACKS_FIRST_AT, desc, &isnull));
}

/* Fetch the pack that holds a version, into the scan's pack context. */
static bytea *
fetch_pack(CvgOpScan *scan, int64 version)
{
	Relation	packs = cvg_open_table(cvg_catalog()->packs, AccessShareLock);
	Relation	index = index_open(cvg_catalog()->packs_pkey, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc packs_scan;
	HeapTuple	tuple;
	TupleDesc	desc = RelationGetDescr(packs);
	bytea	   *data = NULL;
	bool		isnull;

	cvg_document_key(&keys[0], PACKS_DOC_ID, scan->doc_id);
	ScanKeyInit(&keys[1], PACKS_TO_VERSION, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum(version));
	packs_scan = systable_beginscan_ordered(packs, index, GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext_ordered(packs_scan, ForwardScanDirection);
	if (HeapTupleIsValid(tuple))
		read_pack_range(tuple, desc, &scan->range);
	if (HeapTupleIsValid(tuple) && scan->range.from_version <= version)
	{
		MemoryContext caller = MemoryContextSwitchTo(scan->pack_context);

		data = DatumGetByteaPCopy(cvg_given(cvg_row_column(tuple, PACKS_DATA, desc, &isnull), isnull));
		MemoryContextSwitchTo(caller);
	}
	systable_endscan_ordered(packs_scan);
	index_close(index, AccessShareLock);
	table_close(packs, AccessShareLock);
	return data;
}

/* Open the pack that holds the next version. */
static void
open_next_pack(CvgOpScan *scan)
{
	bytea	   *data;
	MemoryContext caller;

	if (scan->pack_context == NULL)
		scan->pack_context = AllocSetContextCreate(GetMemoryChunkContext(scan), "converge pack",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(scan->pack_context);
	data = fetch_pack(scan, scan->expected);
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
}

/* The next op, which is in a pack. */
static void
next_packed(CvgOpScan *scan, CvgOpRow *row)
{
	PackOp		op = {.version = -1};
	bool		found = false;
	bool		fresh = false;

	while (op.version < scan->expected)
	{
		MemoryContext caller;

		if (scan->pack == NULL)
		{
			open_next_pack(scan);
			fresh = true;
		}
		caller = MemoryContextSwitchTo(scan->pack_context);
		check_pack_status(scan, pack_reader_next(scan->pack, &op, &found));
		MemoryContextSwitchTo(caller);
		if (found)
			continue;
		if (fresh)				/* it ends before what it is said to hold */
			damaged_pack(scan);
		scan->pack = NULL;		/* its memory goes when the next one comes */
	}
	if (op.version != scan->expected)
		damaged_pack(scan);
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
	scan->ops = cvg_open_table(cvg_catalog()->ops, AccessShareLock);
	scan->index = index_open(cvg_catalog()->ops_pkey, AccessShareLock);
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "converge op row",
											  ALLOCSET_SMALL_SIZES);
	cvg_document_key(&keys[0], OPS_DOC_ID, doc_id);
	ScanKeyInit(&keys[1], OPS_VERSION, BTGreaterStrategyNumber, F_INT8GT, Int64GetDatum(after));
	ScanKeyInit(&keys[2], OPS_VERSION, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(upto));
	scan->scan = systable_beginscan_ordered(scan->ops, scan->index, GetActiveSnapshot(), 3, keys);
	return scan;
}

/* Find the next row in ops, and how far packs must be read before it. */
static void
find_next_hot(CvgOpScan *scan)
{
	bool		isnull;

	scan->tuple = systable_getnext_ordered(scan->scan, ForwardScanDirection);
	scan->packed_upto = scan->upto;
	if (HeapTupleIsValid(scan->tuple))
		scan->packed_upto = DatumGetInt64(cvg_row_column(scan->tuple, OPS_VERSION,
														 RelationGetDescr(scan->ops), &isnull)) - 1;
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
		next_packed(scan, row);
		return true;
	}
	MemoryContextReset(scan->row_context);
	caller = MemoryContextSwitchTo(scan->row_context);
	read_op_row(scan->tuple, RelationGetDescr(scan->ops), row);
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
	systable_endscan_ordered(scan->scan);
	MemoryContextDelete(scan->row_context);
	if (scan->pack_context != NULL)
		MemoryContextDelete(scan->pack_context);
	index_close(scan->index, AccessShareLock);
	table_close(scan->ops, AccessShareLock);
	pfree(scan);
}

/* ---- moments ---- */

/* What the packs of a document say they hold, in order. */
int
cvg_pack_ranges(const pg_uuid_t *doc_id, CvgPackRange **ranges)
{
	Relation	packs = cvg_open_table(cvg_catalog()->packs, AccessShareLock);
	Relation	index = index_open(cvg_catalog()->packs_pkey, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;
	int			capacity = 16;

	*ranges = palloc(capacity * sizeof(CvgPackRange));
	cvg_document_key(&key, PACKS_DOC_ID, doc_id);
	scan = systable_beginscan_ordered(packs, index, GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		if (count == capacity)
		{
			capacity *= 2;
			*ranges = repalloc(*ranges, capacity * sizeof(CvgPackRange));
		}
		read_pack_range(tuple, RelationGetDescr(packs), &(*ranges)[count++]);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(packs, AccessShareLock);
	return count;
}

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
