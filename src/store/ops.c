/*
 * store/ops.c
 *		Reads, fills and deletes rows of converge.ops.
 */
#include "store/ops.h"

#include "store/columns.h"
#include "store/names.h"
#include "store/scan.h"
#include "store/statements.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "port/pg_crc32c.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

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

/* ---- rows ---- */

/* Take a row of ops apart; it points into the tuple where it can. */
void
cvg_op_row_read(HeapTuple tuple, TupleDesc desc, CvgOpRow *row)
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
	row->composed = false;
}

/* Fill a slot with a row of ops. */
void
cvg_op_row_fill(TupleTableSlot *slot, const pg_uuid_t *doc_id, const CvgOpRow *row)
{
	Datum	   *values = slot->tts_values;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, false, OPS_COLUMNS * sizeof(bool));
	values[OPS_DOC_ID - 1] = UUIDPGetDatum(doc_id);
	values[OPS_VERSION - 1] = Int64GetDatum(row->version);
	values[OPS_SEQ - 1] = Int64GetDatum(row->seq);
	values[OPS_BASE_VERSION - 1] = Int64GetDatum(row->base_version);
	values[OPS_CREATED_AT - 1] = TimestampTzGetDatum(row->created_at);
	values[OPS_OP_ID - 1] = UUIDPGetDatum(&row->op_id);
	values[OPS_SUBMITTED_HASH - 1] = Int32GetDatum(row->submitted_hash);
	values[OPS_USER_ID - 1] = PointerGetDatum(cstring_to_text_with_len(row->user_id, row->user_len));
	values[OPS_OP - 1] = cvg_op_datum(row->op);
	/* columns that others added behind ours */
	for (int i = OPS_COLUMNS; i < slot->tts_tupleDescriptor->natts; i++)
		slot->tts_isnull[i] = true;
	ExecStoreVirtualTuple(slot);
}

/* Give a row memory of its own, in the current context. */
void
cvg_op_row_copy(CvgOpRow *row)
{
	uint8	   *copy = palloc(row->op.size + 1);

	row->user_id = pnstrdup(row->user_id, row->user_len);
	if (row->op.size > 0)
		memcpy(copy, row->op.data, row->op.size);
	row->op.data = copy;
}

/* ---- the table ---- */

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
		cvg_op_row_read(tuple, RelationGetDescr(ops), row);
		cvg_op_row_copy(row);
	}
	systable_endscan(scan);
	table_close(ops, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

/* Delete ops that are packed now. */
int64
cvg_ops_drop(const pg_uuid_t *doc_id, int64 upto)
{
	int64		deleted = cvg_run_for_version("DELETE FROM ONLY converge.ops "
											  "WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.<=) $2",
											  doc_id, upto);

	cvg_check_deleted(cvg_catalog()->ops, cvg_catalog()->ops_pkey, doc_id, OPS_VERSION, upto);
	return deleted;
}
