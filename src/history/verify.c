/*
 * history/verify.c
 *		Rebuilds a document from its log and compares.
 *
 * One walk over the log, with the snapshots and the packs in order beside it.  It
 * reports each problem as a row, and continues as long as further results are
 * meaningful.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/subxact.h"
#include "history/snapshot.h"
#include "past/pack_ids.h"
#include "past/rope.h"
#include "store/heads.h"
#include "store/labels.h"
#include "store/log.h"
#include "store/ops.h"
#include "store/packs.h"
#include "store/snapshots.h"
#include "store/statements.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_verify);

typedef struct Check
{
	ReturnSetInfo *result;
	const pg_uuid_t *doc_id;
	CvgHead		head;
	Rope	   *rope;
	HTAB	   *op_ids;
	int64		last_seq;
	TimestampTz last_at;
	int64		log_bytes;		/* since the newest snapshot, as in the head */

	int64	   *snapshots;		/* versions, rising */
	int			snapshot_count;
	int			next_snapshot;
	CvgPackRange *packs;
	int			pack_count;
	int			next_pack;
	int			current_pack;
	OtFold	   *fold;			/* the ops of the pack under way */
	struct varlena *composed;	/* what it says they are as one; or NULL */
	bytea	   *ids;			/* and the filter of their ids; or NULL */
} Check;

/* Report one problem. */
static void
report(Check *check, int64 version, char *problem)
{
	Datum		values[2];
	bool		nulls[2] = {false};

	values[0] = Int64GetDatum(version);
	values[1] = CStringGetTextDatum(problem);
	tuplestore_putvalues(check->result->setResult, check->result->setDesc, values, nulls);
}

/* Start from what the floor is said to hold. */
static void
begin_rebuild(Check *check)
{
	HASHCTL		control = {.keysize = UUID_LEN,.entrysize = UUID_LEN,.hcxt = CurrentMemoryContext};
	text	   *start = cvg_content_at(check->doc_id, check->head.floor_version);

	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start),
								 &check->rope));
	check->op_ids = hash_create("converge op ids", 1024, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	check->last_at = cvg_history_begins(check->doc_id, &check->head);
}

/* Check what an op's row says of itself and of the one before. */
static void
check_row(Check *check, const CvgOpRow *row)
{
	bool		found;

	if (row->seq <= check->last_seq)
		report(check, row->version,
			   psprintf("seq " INT64_FORMAT " does not rise above " INT64_FORMAT
						": the sequence converge.op_seq was behind the rows, as where they are copied without it. "
						"The text is whole and this document needs nothing; for the others "
						"SELECT setval('converge.op_seq', max(seq)) FROM converge.heads, unless that is done.",
						row->seq, check->last_seq));
	if (row->created_at < check->last_at)
		report(check, row->version, pstrdup("created_at goes back"));
	if (row->base_version < 0 || row->base_version >= row->version)
		report(check, row->version,
			   psprintf("base version " INT64_FORMAT " is not lower than the version", row->base_version));
	if (row->base_version == row->version - 1 && row->submitted_hash != cvg_content_hash(row->op))
		report(check, row->version, pstrdup("the operation differs from the one submitted"));
	if (ot_check(row->op) != OT_OK)
		report(check, row->version, pstrdup("the operation is not in normal form"));
	hash_search(check->op_ids, &row->op_id, HASH_ENTER, &found);
	if (found)
		report(check, row->version, pstrdup("its operation id occurs more than once"));
	check->last_seq = row->seq;
	check->last_at = row->created_at;
}

/* Does the list of packs cover what the head says is packed, each version once? */
static void
check_packs(Check *check)
{
	int64		covered = check->head.floor_version;

	check->pack_count = cvg_pack_ranges(check->doc_id, &check->packs);
	for (int i = 0; i < check->pack_count; i++)
	{
		const CvgPackRange *pack = &check->packs[i];

		if (pack->from_version != covered + 1)
			report(check, pack->to_version,
				   psprintf("a pack begins at version " INT64_FORMAT ", expected " INT64_FORMAT,
							pack->from_version, covered + 1));
		covered = pack->to_version;
	}
	if (covered != check->head.packed_version)
		report(check, check->head.version,
			   psprintf("packs end at version " INT64_FORMAT ", the head records " INT64_FORMAT,
						covered, check->head.packed_version));
}

/* Are there snapshots outside of history, is the newest the one the head says? */
static void
check_snapshots(Check *check)
{
	const CvgHead *head = &check->head;
	int64		newest = head->floor_version;

	check->snapshot_count = cvg_snapshot_versions(check->doc_id, &check->snapshots);
	for (int i = 0; i < check->snapshot_count; i++)
	{
		int64		version = check->snapshots[i];

		if (version < head->floor_version || version > head->version)
			report(check, version, pstrdup("the snapshot's version does not exist"));
		newest = version;
	}
	if (newest != head->snapshot_version)
		report(check, head->version,
			   psprintf("the newest snapshot is of version " INT64_FORMAT ", the head records " INT64_FORMAT,
						newest, head->snapshot_version));
}

/* Check that each label belongs to a snapshot; check_snapshots() came before. */
static void
check_labels(Check *check)
{
	int64	   *labels;
	int			count = cvg_label_versions(check->doc_id, &labels);
	int			next = 0;

	for (int i = 0; i < count; i++)
	{
		if (i > 0 && labels[i] == labels[i - 1])
			continue;
		while (next < check->snapshot_count && check->snapshots[next] < labels[i])
			next++;
		if (next == check->snapshot_count || check->snapshots[next] != labels[i])
			report(check, labels[i], pstrdup("the version has a label but no snapshot"));
	}
}

/* Check where an op is kept. */
static void
check_place(Check *check, const CvgOpRow *row)
{
	if (row->packed != (row->version <= check->head.packed_version))
		report(check, row->version, pstrdup(row->packed ? "the version is packed, but the head records it as not packed"
											: "the version is not packed, but the head records it as packed"));
	while (check->next_pack < check->pack_count &&
		   check->packs[check->next_pack].from_version < row->version)
		check->next_pack++;
	if (check->next_pack < check->pack_count &&
		check->packs[check->next_pack].from_version == row->version &&
		check->packs[check->next_pack].first_at != row->created_at)
		report(check, row->version, pstrdup("the pack that begins with this version records a different time"));
}

/* Forget the pack that was under way. */
static void
leave_pack(Check *check)
{
	if (check->composed != NULL)
		pfree(check->composed);
	if (check->ids != NULL)
		pfree(check->ids);
	check->composed = NULL;
	check->ids = NULL;
}

/* Compare what a pack says its ops are as one with what they are. */
static void
end_pack(Check *check, const CvgPackRange *pack)
{
	OtBuffer	rebuilt;
	OtStatus	status;

	ot_buffer_init(&rebuilt, &cvg_allocator, 0);
	status = ot_fold_finish(check->fold, &rebuilt);
	if (check->composed != NULL &&
		(status != OT_OK || rebuilt.size != VARSIZE_ANY_EXHDR(check->composed) ||
		 memcmp(rebuilt.data, VARDATA_ANY(check->composed), rebuilt.size) != 0))
		report(check, pack->to_version, pstrdup("the pack that ends with this version differs from its operations composed"));
	ot_buffer_free(&rebuilt);
	ot_fold_free(check->fold);
	check->fold = NULL;
	leave_pack(check);
}

/* Check what a pack has beside its ops; check_place() came before. */
static void
check_extras(Check *check, const CvgOpRow *row)
{
	const CvgPackRange *pack = &check->packs[check->current_pack];

	while (check->current_pack < check->pack_count && pack->to_version < row->version)
		pack = &check->packs[++check->current_pack];
	if (check->current_pack == check->pack_count || pack->from_version > row->version)
		return;
	if (pack->from_version == row->version)
	{
		cvg_pack_extras(check->doc_id, pack->from_version, &check->composed, &check->ids);
		cvg_check_status(ot_fold_create(&cvg_allocator, &check->fold));
	}
	if (check->fold == NULL)
		return;
	ot_fold_push(check->fold, row->op); /* an error sticks */
	if (check->ids != NULL &&
		!pack_ids_may_have((const uint8_t *) VARDATA_ANY(check->ids), VARSIZE_ANY_EXHDR(check->ids),
						   row->op_id.data))
		report(check, row->version, pstrdup("the filter of its pack does not have its operation id"));
	if (pack->to_version == row->version)
		end_pack(check, pack);
}

/* Compare the snapshot of a version that has one. */
static void
compare_snapshot(Check *check, int64 version)
{
	int64		snapshot_version;
	text	   *content = cvg_snapshot_before(check->doc_id, version, &snapshot_version);
	OtBuffer	rebuilt;

	ot_buffer_init(&rebuilt, &cvg_allocator, 0);
	cvg_check_status(rope_text(check->rope, &rebuilt));
	if (rebuilt.size != VARSIZE_ANY_EXHDR(content) ||
		memcmp(rebuilt.data, VARDATA_ANY(content), rebuilt.size) != 0)
		report(check, version, pstrdup("the snapshot differs from the text that the log produces"));
	ot_buffer_free(&rebuilt);
	pfree(content);
}

/* Compare the snapshot of a version, if there is one; they are asked for in order. */
static void
check_text(Check *check, int64 version)
{
	while (check->next_snapshot < check->snapshot_count &&
		   check->snapshots[check->next_snapshot] < version)
		check->next_snapshot++;
	if (check->next_snapshot < check->snapshot_count &&
		check->snapshots[check->next_snapshot] == version)
		compare_snapshot(check, version);
}

/* Walk the log; false where it cannot be followed to its end. */
static bool
rebuild(Check *check)
{
	CvgOpScan  *scan = cvg_ops_begin(check->doc_id, check->head.floor_version, check->head.version);
	CvgOpRow	row;
	bool		whole = true;

	while (whole && cvg_ops_next(scan, &row))
	{
		check_row(check, &row);
		check_place(check, &row);
		check_extras(check, &row);
		if (row.version > check->head.snapshot_version)
			check->log_bytes += row.op.size;
		whole = rope_apply(check->rope, row.op, NULL, NULL) == OT_OK;
		if (whole)
			check_text(check, row.version);
		else
			report(check, row.version, pstrdup("the operation does not fit the text of the version before"));
	}
	cvg_ops_end(scan);
	return whole;
}

/* Compare the end of the log with the head. */
static void
check_head(Check *check)
{
	const CvgHead *head = &check->head;

	if (rope_length(check->rope) != head->length)
		report(check, head->version,
			   psprintf("the text has " INT64_FORMAT " code points, the head records " INT64_FORMAT,
						rope_length(check->rope), head->length));
	if (head->version > head->floor_version && check->last_seq != head->seq)
		report(check, head->version,
			   psprintf("the last seq is " INT64_FORMAT ", the head records " INT64_FORMAT,
						check->last_seq, head->seq));
	if (check->log_bytes != head->log_bytes)
		report(check, head->version,
			   psprintf("the log since the snapshot has " INT64_FORMAT " bytes, the head records " INT64_FORMAT,
						check->log_bytes, head->log_bytes));
}

/* What can be said without the log. */
static bool
check_bounds(Check *check)
{
	const CvgHead *head = &check->head;

	if (head->floor_version >= 0 && head->floor_version <= head->packed_version &&
		head->packed_version <= head->version && head->snapshot_version <= head->version)
		return true;
	report(check, head->version,
		   psprintf("the head is out of order: floor " INT64_FORMAT ", packed " INT64_FORMAT
					", snapshot " INT64_FORMAT, head->floor_version, head->packed_version,
					head->snapshot_version));
	return false;
}

/* Report what is wrong with threads, comments, suggestions and messages. */
static void
check_talk(Check *check)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(check->doc_id)};

	SPI_connect();
	cvg_execute("SELECT version, problem FROM converge.talk_problems($1)", 1, types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;
		int64		version = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));

		report(check, version, TextDatumGetCString(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull)));
	}
	SPI_finish();
}

/* All of it; what it cannot read, it fails on. */
static void
verify_log(void *arg)
{
	Check	   *check = arg;

	check_packs(check);
	check_snapshots(check);
	check_labels(check);
	begin_rebuild(check);
	if (!rebuild(check))
		return;
	check_head(check);
	check_talk(check);
}

Datum
converge_verify(PG_FUNCTION_ARGS)
{
	Check		check = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	ErrorData  *error;

	check.doc_id = PG_GETARG_UUID_P(0);
	cvg_open_head(check.doc_id, &check.head);
	InitMaterializedSRF(fcinfo, 0);
	if (!check_bounds(&check))
		return (Datum) 0;

	/* a hole in the log or a broken pack is what we are here to tell */
	error = cvg_try(verify_log, &check);
	if (error != NULL)
	{
		if (error->sqlerrcode != ERRCODE_DATA_CORRUPTED &&
			error->sqlerrcode != ERRCODE_INVALID_BINARY_REPRESENTATION &&
			error->sqlerrcode != ERRCODE_CVG_OUT_OF_RANGE)
			ReThrowError(error);
		report(&check, check.head.version, error->message);
	}
	return (Datum) 0;
}
