/*
 * history/activity.c
 *		Sessions of work: the ops of each user, divided where a pause is longer than a gap.
 *
 * One pass over the log, with a session open for each user.
 */
#include "postgres.h"

#include "base/call.h"
#include "base/limits.h"
#include "history/snapshot.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_activity);

typedef struct Session
{
	int64		from_version;
	int64		to_version;
	TimestampTz from_at;
	TimestampTz to_at;
	int64		edits;
	int64		inserted;		/* cp */
	int64		deleted;		/* cp */
	const char *user_id;
} Session;

/* A user, by name, and the session of theirs that is open. */
typedef struct Worker
{
	char		name[CVG_MAX_USER_BYTES + 1];	/* the key */
	int			session;
} Worker;

typedef struct Sessions
{
	Session    *rows;			/* in the order of their first op */
	int			count;
	int			capacity;
	HTAB	   *workers;
	int64		gap_us;
} Sessions;

/* Get the session that an op belongs to: the open one of its user, or a new one. */
static Session *
session_of(Sessions *sessions, const CvgOpRow *row)
{
	char		name[CVG_MAX_USER_BYTES + 1];
	int			len = Min(row->user_len, CVG_MAX_USER_BYTES);
	bool		found;
	Worker	   *worker;

	memcpy(name, row->user_id, len);
	name[len] = '\0';
	worker = hash_search(sessions->workers, name, HASH_ENTER, &found);
	if (found && row->created_at - sessions->rows[worker->session].to_at <= sessions->gap_us)
		return &sessions->rows[worker->session];
	if (sessions->count == sessions->capacity)
	{
		sessions->capacity *= 2;
		sessions->rows = repalloc_huge(sessions->rows, sessions->capacity * sizeof(Session));
	}
	worker->session = sessions->count++;
	sessions->rows[worker->session] = (Session) {.from_version = row->version,.from_at = row->created_at,.user_id = worker->name};
	return &sessions->rows[worker->session];
}

/* Count an op. */
static void
add_op(Sessions *sessions, const CvgOpRow *row)
{
	Session    *session = session_of(sessions, row);
	OtMeasure	measure;

	ot_measure(row->op, &measure);
	session->to_version = row->version;
	session->to_at = row->created_at;
	session->edits++;
	session->inserted += measure.inserted;
	session->deleted += measure.deleted;
}

/* Put out a session. */
static void
put_session(ReturnSetInfo *result, const Session *session)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = CStringGetTextDatum(session->user_id);
	values[1] = Int64GetDatum(session->from_version);
	values[2] = Int64GetDatum(session->to_version);
	values[3] = TimestampTzGetDatum(session->from_at);
	values[4] = TimestampTzGetDatum(session->to_at);
	values[5] = Int64GetDatum(session->edits);
	values[6] = Int64GetDatum(session->inserted);
	values[7] = Int64GetDatum(session->deleted);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
}

/* The gap in microseconds; a month counts as thirty days. */
static int64
gap_argument(const Interval *gap)
{
	double		us = (double) gap->time + ((double) gap->day + 30.0 * gap->month) * USECS_PER_DAY;

	if (us < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the gap between two sessions must not be negative")));
	return us >= (double) PG_INT64_MAX ? PG_INT64_MAX : (int64) us;
}

/* The version after which ops are asked for. */
static int64
first_version(FunctionCallInfo fcinfo, const pg_uuid_t *doc_id, const CvgHead *head)
{
	TimestampTz since;
	int64		version;

	if (PG_ARGISNULL(2))
		return head->floor_version;
	since = PG_GETARG_TIMESTAMPTZ(2);
	if (since <= cvg_history_begins(doc_id, head))
		return head->floor_version;
	/* an op made at that very time belongs to it */
	version = cvg_version_at(doc_id, head, since - 1);
	return Max(version, head->floor_version);
}

Datum
converge_activity(PG_FUNCTION_ARGS)
{
	HASHCTL		control = {.keysize = CVG_MAX_USER_BYTES + 1,.entrysize = sizeof(Worker),.hcxt = CurrentMemoryContext};
	Sessions	sessions = {.capacity = 64};
	pg_uuid_t  *doc_id;
	CvgHead		head;
	CvgOpScan  *scan;
	CvgOpRow	row;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1), "document and gap");
	doc_id = PG_GETARG_UUID_P(0);
	cvg_open_head(doc_id, &head);
	sessions.gap_us = gap_argument(PG_GETARG_INTERVAL_P(1));
	sessions.rows = palloc(sessions.capacity * sizeof(Session));
	sessions.workers = hash_create("users at work", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	InitMaterializedSRF(fcinfo, 0);
	scan = cvg_ops_begin(doc_id, first_version(fcinfo, doc_id, &head), head.version);
	while (cvg_ops_next(scan, &row))
		add_op(&sessions, &row);
	cvg_ops_end(scan);
	for (int i = 0; i < sessions.count; i++)
		put_session((ReturnSetInfo *) fcinfo->resultinfo, &sessions.rows[i]);
	return (Datum) 0;
}
