/*
 * upkeep/transfer.c
 *		The log of a document that leaves or comes: written into a container, read from
 *		one, or copied to another document.
 *
 * What comes gets sequence numbers of this database, and is packed at once.  The SQL
 * functions around these have the rows of all other tables.
 */
#include "postgres.h"

#include "base/call.h"
#include "base/errors.h"
#include "base/limits.h"
#include "edit/sequence.h"
#include "history/snapshot.h"
#include "past/pack_format.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "store/scan.h"
#include "store/snapshots.h"
#include "type/op_type.h"
#include "upkeep/container.h"
#include "upkeep/pack.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(converge_export_log);
PG_FUNCTION_INFO_V1(converge_export_description);
PG_FUNCTION_INFO_V1(converge_import_log);
PG_FUNCTION_INFO_V1(converge_copy_log);
PG_FUNCTION_INFO_V1(converge_import_snapshot);

/* A pack of a container ends at this number of ops, or of bytes before compression. */
#define PACK_OPS		65536
#define PACK_BYTES		((size_t) 16 << 20)

/* ---- leaving ---- */

/* Add what a writer holds to a container. */
static void
add_pack(StringInfo out, PackWriter *writer)
{
	OtBuffer	pack;

	ot_buffer_init(&pack, &cvg_allocator, 0);
	cvg_check_status(pack_writer_finish(writer, &pack));
	cvg_container_add(out, pack.data, pack.size);
	ot_buffer_free(&pack);
}

/* Write the log of a document up to a version into a container, behind a description. */
Datum
converge_export_log(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	StringInfoData out;
	PackWriter *writer;
	CvgOpScan  *scan;
	CvgOpRow	row;
	CvgHead		head;

	cvg_open_head(doc_id, &head);
	cvg_container_begin(&out, PG_GETARG_TEXT_PP(2));
	cvg_check_status(pack_writer_create(&cvg_allocator, cvg_content_hash, &writer));
	scan = cvg_ops_begin(doc_id, head.floor_version, PG_GETARG_INT64(1));
	while (cvg_ops_next(scan, &row))
	{
		PackOp		op = {
			.version = row.version,.base_version = row.base_version,.created_at = row.created_at,
			.submitted_hash = row.submitted_hash,.user_id = row.user_id,.user_len = row.user_len,.op = row.op,
			/* numbers of this database mean nothing elsewhere */
			.seq = row.version
		};

		memcpy(op.op_id, &row.op_id, UUID_LEN);
		cvg_check_status(pack_writer_add(writer, &op));
		if (pack_writer_count(writer) >= PACK_OPS || pack_writer_size(writer) >= PACK_BYTES)
			add_pack(&out, writer);
	}
	cvg_ops_end(scan);
	if (pack_writer_count(writer) > 0)
		add_pack(&out, writer);
	pack_writer_free(writer);
	PG_RETURN_BYTEA_P(cvg_container_finish(&out));
}

/* Check a container, return its description. */
Datum
converge_export_description(PG_FUNCTION_ARGS)
{
	ContainerReader reader;

	PG_RETURN_TEXT_P(cvg_container_open(PG_GETARG_BYTEA_PP(0), &reader));
}

/* ---- coming ---- */

/* What comes, and what is known of it so far. */
typedef struct Arrival
{
	CvgRowSource next;
	void	   *source;
	int64		version;		/* of the last op */
	int64		seq;
	int64		length;			/* cp of its text */
	int64		log_bytes;
	TimestampTz at;
	HTAB	   *op_ids;
	const char *prefix;			/* put in front of its authors, or NULL */
	char		user_id[CVG_MAX_USER_BYTES + 1];
} Arrival;

/* Refuse an op that cannot have come from a document. */
static void
check_arrival(Arrival *arrival, const CvgOpRow *row)
{
	OtMeasure	measure;
	bool		found;

	ot_measure(row->op, &measure);
	hash_search(arrival->op_ids, &row->op_id, HASH_ENTER, &found);
	if (row->version != arrival->version + 1)
		cvg_container_damaged("Its versions have a gap.");
	if (found)
		cvg_container_damaged("Two operations have one id.");
	if (row->base_version < 0 || row->base_version >= row->version)
		cvg_container_damaged("An operation is based on a version that was not there.");
	if (row->created_at < arrival->at || TIMESTAMP_NOT_FINITE(row->created_at))
		cvg_container_damaged("The times of its operations decrease.");
	if (arrival->prefix != NULL && row->created_at > GetCurrentTimestamp())
		cvg_container_damaged("The time of an operation is in the future.");
	if (row->user_len < 1 || row->user_len > CVG_MAX_USER_BYTES ||
		!pg_verifymbstr(row->user_id, row->user_len, true))
		cvg_container_damaged("The author of an operation is no user id.");
	if (ot_check(row->op) != OT_OK || measure.base_length > arrival->length ||
		arrival->length + measure.inserted - measure.deleted > CVG_MAX_DOCUMENT_LENGTH)
		cvg_container_damaged("An operation does not fit its text.");
	arrival->length += measure.inserted - measure.deleted;
}

/* Mark an author as one of elsewhere. */
static void
mark_author(Arrival *arrival, CvgOpRow *row)
{
	int			prefix_len;
	int			len;

	if (arrival->prefix == NULL)
		return;
	prefix_len = (int) strlen(arrival->prefix);
	len = pg_mbcliplen(row->user_id, row->user_len, CVG_MAX_USER_BYTES - prefix_len);
	memcpy(arrival->user_id, arrival->prefix, prefix_len);
	memcpy(arrival->user_id + prefix_len, row->user_id, len);
	row->user_id = arrival->user_id;
	row->user_len = prefix_len + len;
}

/* The next op, as it is stored here. */
static bool
next_arrival(void *ctx, CvgOpRow *row)
{
	Arrival    *arrival = ctx;

	CHECK_FOR_INTERRUPTS();
	if (!arrival->next(arrival->source, row))
		return false;
	check_arrival(arrival, row);
	mark_author(arrival, row);
	arrival->version = row->version;
	arrival->at = row->created_at;
	arrival->log_bytes += row->op.size;
	arrival->seq = row->seq = cvg_next_seq_above(arrival->seq);
	return true;
}

/* Store what comes as the log of a document; return what its head must say. */
static Datum
take_in(FunctionCallInfo fcinfo, const pg_uuid_t *doc_id, Arrival *arrival, int64 upto)
{
	HASHCTL		control = {.keysize = UUID_LEN,.entrysize = UUID_LEN,.hcxt = CurrentMemoryContext};
	Datum		values[5];
	bool		nulls[5] = {false};
	int64		from = arrival->version + 1;

	arrival->op_ids = hash_create("converge op ids", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	if (upto >= from)
		cvg_write_packs(doc_id, next_arrival, arrival, upto);
	if (arrival->version != Max(upto, from - 1))
		cvg_container_damaged("Its last versions are missing.");
	values[0] = Int64GetDatum(arrival->version);
	values[1] = Int64GetDatum(arrival->seq);
	values[2] = Int64GetDatum(arrival->length);
	values[3] = Int64GetDatum(arrival->log_bytes);
	values[4] = TimestampTzGetDatum(arrival->at);
	return HeapTupleGetDatum(heap_form_tuple(cvg_row_type(fcinfo), values, nulls));
}

/* ---- from a container ---- */

typedef struct Unpacking
{
	ContainerReader container;
	MemoryContext context;		/* what one pack needs */
	PackReader *pack;
} Unpacking;

/* The next op of a container. */
static bool
next_unpacked(void *ctx, CvgOpRow *row)
{
	Unpacking  *from = ctx;
	MemoryContext caller = MemoryContextSwitchTo(from->context);
	const uint8 *pack;
	Size		size;
	PackOp		op;
	bool		found = false;

	while (!found)
	{
		if (from->pack == NULL)
		{
			MemoryContextReset(from->context);
			if (!cvg_container_next(&from->container, &pack, &size))
				break;
			if (pack_reader_open(&cvg_allocator, cvg_content_hash, pack, size, &from->pack) != OT_OK)
				cvg_container_damaged("A pack of it cannot be read.");
		}
		if (pack_reader_next(from->pack, &op, &found) != OT_OK)
			cvg_container_damaged("A pack of it cannot be read.");
		if (!found)
			from->pack = NULL;
	}
	MemoryContextSwitchTo(caller);
	if (!found)
		return false;
	*row = (CvgOpRow) {.version = op.version,.base_version = op.base_version,.created_at = op.created_at,
	.submitted_hash = op.submitted_hash,.user_id = op.user_id,.user_len = op.user_len,.op = op.op};
	memcpy(&row->op_id, op.op_id, UUID_LEN);
	return true;
}

/* What a function that takes in a log is told of where it begins. */
static Arrival
arrival_arguments(FunctionCallInfo fcinfo, int first)
{
	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(first) ||
					  PG_ARGISNULL(first + 1) || PG_ARGISNULL(first + 2) || PG_ARGISNULL(first + 3), "arguments");
	return (Arrival) {.version = PG_GETARG_INT64(first),.length = PG_GETARG_INT64(first + 1),
	.at = PG_GETARG_TIMESTAMPTZ(first + 2),.seq = PG_GETARG_INT64(first + 3)};
}

/* import_log(doc_id, data, upto, floor_version, length, at, seq, prefix) */
Datum
converge_import_log(PG_FUNCTION_ARGS)
{
	Unpacking	from = {0};
	Arrival		arrival = arrival_arguments(fcinfo, 3);

	from.context = AllocSetContextCreate(CurrentMemoryContext, "converge import", ALLOCSET_DEFAULT_SIZES);
	cvg_container_open(PG_GETARG_BYTEA_PP(1), &from.container);
	arrival.next = next_unpacked;
	arrival.source = &from;
	arrival.prefix = text_to_cstring(PG_GETARG_TEXT_PP(7));
	if (*arrival.prefix == '\0')
		arrival.prefix = NULL;
	PG_RETURN_DATUM(take_in(fcinfo, PG_GETARG_UUID_P(0), &arrival, PG_GETARG_INT64(2)));
}

/* ---- from another document ---- */

static bool
next_copied(void *ctx, CvgOpRow *row)
{
	return cvg_ops_next(ctx, row);
}

/* copy_log(doc_id, from_doc_id, upto, floor_version, length, at, seq) */
Datum
converge_copy_log(PG_FUNCTION_ARGS)
{
	Arrival		arrival = arrival_arguments(fcinfo, 3);
	CvgOpScan  *scan = cvg_ops_begin(PG_GETARG_UUID_P(1), arrival.version, PG_GETARG_INT64(2));
	Datum		result;

	arrival.next = next_copied;
	arrival.source = scan;
	result = take_in(fcinfo, PG_GETARG_UUID_P(0), &arrival, PG_GETARG_INT64(2));
	cvg_ops_end(scan);
	PG_RETURN_DATUM(result);
}

/* ---- snapshots of what came ---- */

/*
 * Store the text of a version as a snapshot: import_snapshot(doc_id, version, kind, at,
 * head_version).  Return how many bytes of ops come after it.
 */
Datum
converge_import_snapshot(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		version = PG_GETARG_INT64(1);
	char	   *kind = text_to_cstring(PG_GETARG_TEXT_PP(2));
	CvgOpRow	row = {0};
	int64		bytes;

	cvg_push_own_snapshot();
	if (!cvg_op_by_version(doc_id, version, &row))
		cvg_container_damaged("A snapshot is of a version that is not there.");
	cvg_snapshot_keep(doc_id, version, row.seq, PG_GETARG_TIMESTAMPTZ(3), kind,
					  cvg_content_at(doc_id, version), &row.op_id);
	bytes = cvg_log_bytes(doc_id, version, PG_GETARG_INT64(4));
	PopActiveSnapshot();
	PG_RETURN_INT64(bytes);
}
