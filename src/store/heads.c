/*
 * store/heads.c
 *		Reads, locks and advances heads.
 *
 *		LOCK ORDER: a writer takes the lock of the document's row in heads before it
 *		decides anything, and holds it to the end of its transaction.  A transaction that
 *		takes several does so in the order of their ids.
 */
#include "store/heads.h"

#include "store/additions.h"
#include "store/columns.h"
#include "store/exec_heads.h"
#include "store/names.h"
#include "store/scan.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "commands/sequence.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/*
 * The head row this transaction wrote last.  A transaction of many edits finds
 * it here: through the index it would walk all the versions it has made of it,
 * which cannot be pruned before it ends.
 */
static struct
{
	TransactionId xid;
	uint64		changes;		/* of the catalog: a table that is written
								 * anew has other places */
	pg_uuid_t	doc_id;
	ItemPointerData tid;
} last_written;

/* ---- reading ---- */

/* Take a head apart. */
static void
head_from_columns(const Datum *values, CvgHead *head)
{
	head->version = DatumGetInt64(values[HEADS_VERSION - 1]);
	head->seq = DatumGetInt64(values[HEADS_SEQ - 1]);
	head->length = DatumGetInt64(values[HEADS_LENGTH - 1]);
	head->floor_version = DatumGetInt64(values[HEADS_FLOOR_VERSION - 1]);
	head->snapshot_version = DatumGetInt64(values[HEADS_SNAPSHOT_VERSION - 1]);
	head->log_bytes = DatumGetInt64(values[HEADS_LOG_BYTES - 1]);
	head->updated_at = DatumGetTimestampTz(values[HEADS_UPDATED_AT - 1]);
	head->packed_version = DatumGetInt64(values[HEADS_PACKED_VERSION - 1]);
	head->member_changes = DatumGetInt64(values[HEADS_MEMBER_CHANGES - 1]);
	head->life = *DatumGetUUIDP(values[HEADS_LIFE - 1]);
}

/* Find a document's head in its table, which is open. */
bool
cvg_head_find(Relation heads, const pg_uuid_t *doc_id, CvgHead *head)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	cvg_document_key(&key, HEADS_DOC_ID, doc_id);
	scan = systable_beginscan(heads, cvg_catalog()->heads_pkey, true, GetActiveSnapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Datum		values[MaxHeapAttributeNumber];
		bool		nulls[MaxHeapAttributeNumber];

		heap_deform_tuple(tuple, RelationGetDescr(heads), values, nulls);
		head_from_columns(values, head);
		head->tid = tuple->t_self;
	}
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/* Read a document's head without locking it. */
bool
cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head)
{
	Relation	heads = cvg_open_table(cvg_catalog()->heads, AccessShareLock);
	bool		found = cvg_head_find(heads, doc_id, head);

	table_close(heads, AccessShareLock);
	return found;
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
		head_from_columns(slot->tts_values, &head);
		visit(ctx, DatumGetUUIDP(slot->tts_values[HEADS_DOC_ID - 1]), &head);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	table_close(heads, AccessShareLock);
}

/* ---- locking ---- */

/* Take the head out of a slot that holds its row. */
static void
head_from_slot(TupleTableSlot *slot, CvgHead *head)
{
	slot_getallattrs(slot);
	head_from_columns(slot->tts_values, head);
	head->tid = slot->tts_tid;
}

/* Return true if the row in a slot was made by this transaction, in a part of it that stands. */
static bool
is_own_row(TupleTableSlot *slot)
{
	bool		isnull;
	Datum		xmin = slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull);

	return TransactionIdIsCurrentTransactionId(DatumGetTransactionId(xmin));
}

/*
 * Read the head as this transaction left it, if it wrote it last; then its lock
 * is ours already.  The row may be gone with a subtransaction, and its place
 * taken by another: of another document, or of this one by another session,
 * which has not given us its lock.
 */
static bool
read_own_head(Relation heads, const pg_uuid_t *doc_id, TupleTableSlot *slot)
{
	bool		isnull;

	return TransactionIdIsValid(last_written.xid) &&
		last_written.xid == GetTopTransactionIdIfAny() &&
	last_written.changes == cvg_catalog_changes() &&
	memcmp(&last_written.doc_id, doc_id, UUID_LEN) == 0 &&
	table_tuple_fetch_row_version(heads, &last_written.tid, GetActiveSnapshot(), slot) &&
	is_own_row(slot) &&
	memcmp(DatumGetUUIDP(slot_getattr(slot, HEADS_DOC_ID, &isnull)), doc_id, UUID_LEN) == 0;
}

/* Lock a row's newest version, as SELECT FOR NO KEY UPDATE does. */
static TM_Result
lock_row(Relation heads, ItemPointer tid, bool wait, TupleTableSlot *slot)
{
	TM_FailureData failure;
	uint8		flags = IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION;

	return table_tuple_lock(heads, tid, GetActiveSnapshot(), slot,
							GetCurrentCommandId(false), LockTupleNoKeyExclusive,
							wait ? LockWaitBlock : LockWaitSkip, flags, &failure);
}

/* What a try to lock came to. */
static CvgLockResult
lock_result(TM_Result result)
{
	switch (result)
	{
		case TM_Ok:
			return CVG_LOCKED;
		case TM_WouldBlock:
			return CVG_BUSY;
		case TM_Updated:
		case TM_Deleted:
			if (IsolationUsesXactSnapshot())
				ereport(ERROR,
						(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
						 errmsg("could not serialize access due to concurrent update")));
			return CVG_ABSENT;
		default:
			elog(ERROR, "unexpected result of locking a document's head: %d", (int) result);
	}
}

/*
 * Lock a document's head and read it as it stands now.  Finds the row by what
 * the active snapshot sees; the lock then leads to its newest version.
 */
CvgLockResult
cvg_head_lock(Relation heads, const pg_uuid_t *doc_id, bool wait, CvgHead *head)
{
	CvgLockResult result = CVG_ABSENT;
	TupleTableSlot *slot = table_slot_create(heads, NULL);

	cvg_check_current(heads, &cvg_catalog()->heads);
	cvg_push_own_snapshot();
	if (read_own_head(heads, doc_id, slot))
		result = CVG_LOCKED;
	else if (cvg_head_find(heads, doc_id, head))
		result = lock_result(lock_row(heads, &head->tid, wait, slot));
	if (result == CVG_LOCKED)
		head_from_slot(slot, head);
	ExecDropSingleTupleTableSlot(slot);
	PopActiveSnapshot();
	return result;
}

/* ---- writing ---- */

/* Write a head in its place, where nothing was added to the table. */
static void
update_in_place(Relation heads, Datum *values, ItemPointer tid)
{
	bool		nulls[HEADS_COLUMNS] = {false};
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(heads), values, nulls);

	CatalogTupleUpdate(heads, tid, tuple);
	*tid = tuple->t_self;
	heap_freetuple(tuple);
}

/* Write a head we hold the lock of. */
void
cvg_head_update(Relation heads, const pg_uuid_t *doc_id, const CvgHead *head)
{
	ItemPointerData tid = head->tid;
	Datum		values[HEADS_COLUMNS];

	values[HEADS_DOC_ID - 1] = UUIDPGetDatum(doc_id);
	values[HEADS_VERSION - 1] = Int64GetDatum(head->version);
	values[HEADS_SEQ - 1] = Int64GetDatum(head->seq);
	values[HEADS_LENGTH - 1] = Int64GetDatum(head->length);
	values[HEADS_FLOOR_VERSION - 1] = Int64GetDatum(head->floor_version);
	values[HEADS_SNAPSHOT_VERSION - 1] = Int64GetDatum(head->snapshot_version);
	values[HEADS_LOG_BYTES - 1] = Int64GetDatum(head->log_bytes);
	values[HEADS_UPDATED_AT - 1] = TimestampTzGetDatum(head->updated_at);
	values[HEADS_PACKED_VERSION - 1] = Int64GetDatum(head->packed_version);
	values[HEADS_MEMBER_CHANGES - 1] = Int64GetDatum(head->member_changes);
	values[HEADS_LIFE - 1] = UUIDPGetDatum(&head->life);
	if (cvg_heads_are_plain(heads))
		update_in_place(heads, values, &tid);
	else
		cvg_head_update_fully(heads, doc_id, values, &tid);
	last_written.xid = GetTopTransactionId();
	last_written.changes = cvg_catalog_changes();
	last_written.doc_id = *doc_id;
	last_written.tid = tid;
}

/* The next number of the server sequence. */
int64
cvg_next_seq(void)
{
	return nextval_internal(cvg_catalog()->op_seq, false);
}
