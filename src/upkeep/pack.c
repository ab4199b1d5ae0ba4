/*
 * upkeep/pack.c
 *		Packs cold ops, and prunes history.
 *
 * Packing moves ops from the table ops to the table packs in one transaction, so
 * that every reader finds each op once.  The ops never change, so it only needs
 * the lock that excludes other maintainers; it takes the head's lock at the end,
 * to move packed_version.
 */
#include "upkeep/pack.h"

#include "access/access.h"
#include "history/snapshot.h"
#include "past/pack_format.h"
#include "past/pack_ids.h"
#include "store/documents.h"
#include "store/forget.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/names.h"
#include "store/ops.h"
#include "store/packs.h"
#include "store/roles.h"
#include "store/scan.h"
#include "store/snapshots.h"
#include "store/statements.h"
#include "type/op_type.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(converge_pack);
PG_FUNCTION_INFO_V1(converge_prune);

/* A pack ends at this number of ops, or of bytes before compression. */
#define PACK_OPS		8192
#define PACK_BYTES		((size_t) 8 << 20)

/* A last pack of fewer ops is opened again to take more. */
#define SMALL_PACK_OPS	(PACK_OPS / 2)

/* A pack in the making. */
typedef struct Making
{
	const pg_uuid_t *doc_id;
	CvgPackRange range;
	PackWriter *writer;
	OtFold	   *fold;			/* its ops; NULL: their composition is too large */
	uint8_t		(*op_ids)[UUID_LEN];	/* of PACK_OPS */
} Making;

/* Begin the next pack, whose first op is this. */
static void
begin_pack(Making *making, const CvgOpRow *first)
{
	making->range.from_version = first->version;
	making->range.first_at = first->created_at;
	if (making->fold == NULL)
		cvg_check_status(ot_fold_create(&cvg_allocator, &making->fold));
}

/* Give up composing where the result is too large; other errors are raised. */
static void
check_composing(Making *making, OtStatus status)
{
	if (status != OT_TOO_LARGE)
		return cvg_check_status(status);
	ot_fold_free(making->fold);
	making->fold = NULL;
}

/* Put one op into it. */
static void
add_to_pack(Making *making, const CvgOpRow *row)
{
	PackOp		op = {
		.version = row->version,.seq = row->seq,.base_version = row->base_version,
		.created_at = row->created_at,.submitted_hash = row->submitted_hash,
		.user_id = row->user_id,.user_len = row->user_len,.op = row->op
	};

	memcpy(op.op_id, &row->op_id, UUID_LEN);
	memcpy(making->op_ids[pack_writer_count(making->writer)], &row->op_id, UUID_LEN);
	cvg_check_status(pack_writer_add(making->writer, &op));
	if (making->fold != NULL)
		check_composing(making, ot_fold_push(making->fold, row->op));
	making->range.to_version = row->version;
}

/* The ops of a pack as one; NULL: too large. */
static struct varlena *
compose_pack(Making *making)
{
	OtBuffer	out;

	if (making->fold == NULL)
		return NULL;
	cvg_datum_begin(&out);
	check_composing(making, ot_fold_finish(making->fold, &out));
	return making->fold == NULL ? NULL : (struct varlena *) DatumGetPointer(cvg_datum_finish(&out));
}

/* The filter of the ids in a pack. */
static bytea *
filter_ids(Making *making)
{
	int64		count = pack_writer_count(making->writer);
	Size		size = pack_ids_size(making->op_ids, count);
	bytea	   *filter = palloc0(VARHDRSZ + size);

	SET_VARSIZE(filter, VARHDRSZ + size);
	for (int64 i = 0; i < count; i++)
		pack_ids_add((uint8_t *) VARDATA(filter), size, making->op_ids[i]);
	return filter;
}

/* Write it. */
static void
write_pack(Making *making)
{
	struct varlena *composed = compose_pack(making);
	bytea	   *ids = filter_ids(making);
	OtBuffer	out;

	cvg_datum_begin(&out);
	cvg_check_status(pack_writer_finish(making->writer, &out));
	cvg_pack_keep(making->doc_id, &making->range, DatumGetByteaPP(cvg_datum_finish(&out)), composed, ids);
	ot_buffer_free(&out);
	pfree(ids);
	if (composed != NULL)
		pfree(composed);
}

/* Write the ops of a source as packs. */
void
cvg_write_packs(const pg_uuid_t *doc_id, CvgRowSource next, void *ctx, int64 upto)
{
	Making		making = {.doc_id = doc_id,.op_ids = palloc(PACK_OPS * UUID_LEN)};
	CvgOpRow	row;

	cvg_check_status(pack_writer_create(&cvg_allocator, cvg_content_hash, &making.writer));
	while (next(ctx, &row))
	{
		if (pack_writer_count(making.writer) == 0)
			begin_pack(&making, &row);
		add_to_pack(&making, &row);
		if (row.version == upto || pack_writer_count(making.writer) == PACK_OPS ||
			pack_writer_size(making.writer) >= PACK_BYTES)
			write_pack(&making);
	}
	pack_writer_free(making.writer);
	ot_fold_free(making.fold);
	pfree(making.op_ids);
}

/* The log as a source. */
static bool
next_of_log(void *scan, CvgOpRow *row)
{
	return cvg_ops_next(scan, row);
}

/* Write the ops after one version up to another as packs. */
static void
write_packs(const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);

	cvg_write_packs(doc_id, next_of_log, scan, upto);
	cvg_ops_end(scan);
}

/* Pack all but the newest ops. */
int64
cvg_pack_ops(const pg_uuid_t *doc_id, int64 keep, int64 *packed_version)
{
	CvgHead		head;
	int64		after;
	int64		upto;
	int64		from_version;
	int64		to_version;

	cvg_push_latest_snapshot();
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	after = head.packed_version;
	upto = head.version - keep;
	if (upto > after)
	{
		bool		reopen = cvg_pack_find(doc_id, after, &from_version, &to_version) &&
		to_version - from_version + 1 < SMALL_PACK_OPS;

		/* our snapshot still has it, and a new one may end where it did */
		if (reopen)
			cvg_pack_forget(doc_id, to_version);
		write_packs(doc_id, reopen ? from_version - 1 : after, upto);
		cvg_ops_drop(doc_id, upto);
	}
	PopActiveSnapshot();
	*packed_version = Max(upto, after);
	return *packed_version - after;
}

/* ---- prune ---- */

/* Keep of the pack that holds a version only what comes after it. */
static void
cut_pack(const pg_uuid_t *doc_id, int64 version)
{
	int64		from_version;
	int64		to_version;

	if (!cvg_pack_find(doc_id, version, &from_version, &to_version) || to_version == version)
		return;
	cvg_push_own_snapshot();
	cvg_pack_forget(doc_id, to_version);
	write_packs(doc_id, version, to_version);
	PopActiveSnapshot();
}

/* Forget what led to a version that there is, and keep the version. */
static void
forget_before(Relation heads, const pg_uuid_t *doc_id, CvgHead *head, int64 version)
{
	CvgOpRow	row;

	if (!cvg_op_by_version(doc_id, version, &row))
		elog(ERROR, "version " INT64_FORMAT " is missing", version);
	cvg_run_for_version("SELECT converge.carry_talk($1, $2)", doc_id, version);
	cvg_snapshot_keep(doc_id, version, row.seq, row.created_at, "floor",
					  cvg_content_at(doc_id, version), &row.op_id);
	cut_pack(doc_id, version);
	cvg_history_forget(doc_id, version);

	if (head->snapshot_version <= version)
	{
		head->snapshot_version = version;
		head->log_bytes = cvg_log_bytes(doc_id, version, head->version);
	}
	head->packed_version = Max(head->packed_version, version);
	head->floor_version = version;
	CommandCounterIncrement();
	cvg_head_update(heads, doc_id, head);
	CommandCounterIncrement();
}

/* ---- SQL ---- */

/* What pack and prune ask of their caller and arguments. */
static pg_uuid_t *
owner_arguments(FunctionCallInfo fcinfo, const char *command)
{
	pg_uuid_t  *doc_id;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("arguments of %s must not be null", command)));
	if (PG_GETARG_INT64(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("argument 2 of %s must not be negative, but is " INT64_FORMAT,
						command, PG_GETARG_INT64(1))));
	PreventCommandIfReadOnly(command);
	doc_id = PG_GETARG_UUID_P(0);
	cvg_require_role(doc_id, CVG_OWNER);
	return doc_id;
}

Datum
converge_pack(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = owner_arguments(fcinfo, "converge.pack()");
	int64		packed_version;
	int64		packed;

	cvg_maintainer_lock(doc_id, true);
	packed = cvg_pack_ops(doc_id, PG_GETARG_INT64(1), &packed_version);
	if (packed > 0)
		cvg_note_kept(doc_id, NULL, packed_version);
	PG_RETURN_INT64(packed);
}

Datum
converge_prune(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = owner_arguments(fcinfo, "converge.prune()");
	int64		version = PG_GETARG_INT64(1);
	int64		floor_version;
	Relation	heads;
	CvgHead		head;

	cvg_maintainer_lock(doc_id, true);
	CommandCounterIncrement();
	heads = cvg_lock_document(doc_id, &head);
	cvg_push_latest_snapshot();
	floor_version = head.floor_version;
	if (version > floor_version)
	{
		cvg_check_version(&head, version);
		forget_before(heads, doc_id, &head, version);
	}
	PopActiveSnapshot();
	table_close(heads, NoLock);
	PG_RETURN_INT64(Max(version - floor_version, 0));
}
