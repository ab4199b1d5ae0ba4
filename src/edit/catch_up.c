/*
 * edit/catch_up.c
 *		Ready messages for clients that are behind: ops one by one while they are
 *		few, composed where they are many, bounded in bytes.
 *
 * Only the relay's role may call these functions: the user is an argument, or is not
 * checked at all.
 */
#include "postgres.h"

#include "access/access.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/limits.h"
#include "edit/ready_text.h"
#include "history/snapshot.h"
#include "store/append.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/event.h"
#include "type/op_type.h"

#include "funcapi.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_catch_up);

/* Up to this many ops are sent to a client one by one, with their authors. */
#define SINGLE_OPS	64

/* A stretch of the log on its way into one message. */
typedef struct Stretch
{
	ReturnSetInfo *result;
	const pg_uuid_t *doc_id;
	const CvgHead *head;		/* where it ends at the latest */
	int64		most;			/* bytes of a message that is made */
	int64		from_version;
	int64		count;
	bool		composed;		/* it goes as one op: the ops are many, or
								 * much */
	StringInfoData entries;		/* the ops one by one, unless composed, ... */
	int64		left_out;		/* ... without those that alone are more than a
								 * message may be, of so many bytes */
	OtFold	   *fold;			/* all of them */
	int64		version;		/* of the last one */
	bool		ends_in_pack;	/* what follows is not known of it */
	int64		seq;
	pg_uuid_t	op_id;
} Stretch;

/*
 * Fail where the ops since a version are too much: as with a version that is
 * forgotten, the client is better served with the text.
 */
pg_noreturn static void
too_far_behind(const Stretch *stretch)
{
	ereport(ERROR,
			(errcode(ERRCODE_CVG_STALE),
			 errmsg("version " INT64_FORMAT " is too old to catch up from", stretch->from_version),
			 errdetail("The operations since then are larger than the text of the document and larger than %zu bytes.",
					   CVG_MAX_CATCH_UP_BYTES),
			 errhint("Open the document without a known version to get the whole text.")));
}

/* Check the status of composing; what cannot be held is too much. */
static void
check_composing(const Stretch *stretch, OtStatus status)
{
	if (status == OT_TOO_LARGE)
		too_far_behind(stretch);
	cvg_check_status(status);
}

/* Let the stretch be composed once its ops are too many, or too much, to go one by one. */
static void
bound_entries(Stretch *stretch, const CvgOpRow *row)
{
	if (cvg_too_large_to_catch_up(stretch->head, row->op.size))
		too_far_behind(stretch);
	if (stretch->composed || (stretch->count == 0 && !row->composed) ||
		(!row->composed && stretch->count < SINGLE_OPS &&
		 stretch->entries.len + row->op.size <= CVG_MAX_SINGLE_BYTES))
		return;
	stretch->composed = true;
	pfree(stretch->entries.data);
	initStringInfo(&stretch->entries);
}

/* Take one op into the stretch. */
static void
stretch_add(Stretch *stretch, const CvgOpRow *row)
{
	bound_entries(stretch, row);
	if (!stretch->composed && row->op.size > (size_t) stretch->most)
		stretch->left_out += row->op.size;
	else if (!stretch->composed)
	{
		if (stretch->count > 0)
			appendStringInfoChar(&stretch->entries, ',');
		cvg_event_entry(&stretch->entries, row->version, row->seq, &row->op_id,
						row->user_id, row->user_len, row->base_version, row->created_at, row->op);
	}
	check_composing(stretch, ot_fold_push(stretch->fold, row->op));
	stretch->count++;
	stretch->version = row->version;
	stretch->seq = row->seq;
	stretch->op_id = row->op_id;
	stretch->ends_in_pack = row->composed;
}

/* Look up what a pack that came composed does not say of its last op. */
static void
identify_end(Stretch *stretch)
{
	CvgOpRow	last;

	if (!stretch->ends_in_pack)
		return;
	cvg_op_by_version(stretch->doc_id, stretch->version, &last);
	stretch->seq = last.seq;
	stretch->op_id = last.op_id;
}

/* The stretch as a catchup message. */
static void
catchup_message(StringInfo message, const Stretch *stretch, OtOp op)
{
	appendStringInfoString(message, "{\"type\":\"catchup\",\"fromVersion\":");
	cvg_append_int64(message, stretch->from_version);
	appendStringInfoString(message, ",\"version\":");
	cvg_append_int64(message, stretch->version);
	appendStringInfoString(message, ",\"sequenceId\":");
	cvg_append_int64(message, stretch->seq);
	appendStringInfoString(message, ",\"operationId\":\"");
	cvg_append_uuid(message, &stretch->op_id);
	appendStringInfoString(message, "\",\"op\":");
	cvg_append_json_op(message, op);
	appendStringInfoChar(message, '}');
}

/* Put the stretch out as one row, and start the next behind it. */
static void
stretch_finish(Stretch *stretch)
{
	StringInfoData message;
	OtBuffer	composed;
	int64		bytes;
	Datum		values[7];
	bool		nulls[7] = {false};

	if (stretch->count == 0)
		return;
	identify_end(stretch);
	initStringInfo(&message);
	cvg_text_begin(&message);
	ot_buffer_init(&composed, &cvg_allocator, 0);
	check_composing(stretch, ot_fold_finish(stretch->fold, &composed));
	if (stretch->composed && cvg_too_large_to_catch_up(stretch->head, composed.size))
		too_far_behind(stretch);
	bytes = stretch->composed ? (int64) composed.size : stretch->entries.len + stretch->left_out;
	if (bytes <= stretch->most)
	{
		if (!stretch->composed)
		{
			appendStringInfoString(&message, "{\"type\":\"ops\",\"ops\":[");
			appendBinaryStringInfo(&message, stretch->entries.data, stretch->entries.len);
			appendStringInfoString(&message, "]}");
		}
		else
			catchup_message(&message, stretch, ot_buffer_op(&composed));
		bytes = message.len - VARHDRSZ;
	}
	values[0] = Int64GetDatum(stretch->from_version);
	values[1] = Int64GetDatum(stretch->version);
	values[2] = Int64GetDatum(stretch->seq);
	values[3] = UUIDPGetDatum(&stretch->op_id);
	nulls[4] = bytes > stretch->most;
	if (!nulls[4])
		values[4] = PointerGetDatum(cvg_text_finish(&message));
	values[5] = BoolGetDatum(stretch->composed);
	values[6] = Int64GetDatum(bytes);
	tuplestore_putvalues(stretch->result->setResult, stretch->result->setDesc, values, nulls);

	ot_buffer_free(&composed);
	pfree(message.data);
	resetStringInfo(&stretch->entries);
	stretch->from_version = stretch->version;
	stretch->count = 0;
	stretch->left_out = 0;
	stretch->composed = false;
}

/* Where a client's catching up ends, or why it cannot begin. */
static void
catch_up_target(const pg_uuid_t *doc_id, int64 since, CvgHead *head)
{
	if (!cvg_head_read(doc_id, head))
		cvg_no_document(doc_id);
	if (since < head->floor_version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_STALE),
				 errmsg("version " INT64_FORMAT " is no longer available", since),
				 errdetail("The oldest available version is " INT64_FORMAT ".", head->floor_version)));
	if (since > head->version)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_FUTURE_BASE),
				 errmsg("version " INT64_FORMAT " does not exist", since),
				 errdetail("The document is at version " INT64_FORMAT ".", head->version)));
}

Datum
converge_catch_up(PG_FUNCTION_ARGS)
{
	Stretch		stretch = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	pg_uuid_t  *doc_id;
	pg_uuid_t  *pending = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	CvgOpScan  *scan;
	CvgOpRow	row;
	CvgHead		head;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1), "document and version");
	InitMaterializedSRF(fcinfo, 0);
	doc_id = PG_GETARG_UUID_P(0);
	stretch.from_version = PG_GETARG_INT64(1);
	catch_up_target(doc_id, stretch.from_version, &head);
	if (stretch.from_version >= head.version)
		return (Datum) 0;
	stretch.doc_id = doc_id;
	stretch.head = &head;
	stretch.most = PG_ARGISNULL(3) ? PG_INT64_MAX : PG_GETARG_INT64(3);

	initStringInfo(&stretch.entries);
	cvg_check_status(ot_fold_create(&cvg_allocator, &stretch.fold));
	scan = head.version - stretch.from_version > SINGLE_OPS
		? cvg_runs_begin(doc_id, stretch.from_version, head.version, pending)
		: cvg_ops_begin(doc_id, stretch.from_version, head.version);
	while (cvg_ops_next(scan, &row))
	{
		bool		is_pending = pending != NULL && !row.composed && memcmp(&row.op_id, pending, UUID_LEN) == 0;

		if (is_pending)
			stretch_finish(&stretch);
		stretch_add(&stretch, &row);
		if (is_pending)
			stretch_finish(&stretch);
	}
	cvg_ops_end(scan);
	stretch_finish(&stretch);
	ot_fold_free(stretch.fold);
	return (Datum) 0;
}
