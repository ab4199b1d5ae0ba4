/*
 * history/occurrences.c
 *		The versions in which a text came and went, in one pass over the log.
 */
#include "postgres.h"

#include "base/call.h"
#include "base/errors.h"
#include "base/limits.h"
#include "history/snapshot.h"
#include "past/matches.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_occurrences);

/* The op that was being followed when an occurrence came or went. */
typedef struct Moment
{
	int64		version;
	TimestampTz at;
	const char *user_id;		/* NULL: nobody that history knows */
} Moment;

typedef struct Occurrence
{
	Moment		came;
	Moment		went;			/* version 0: it is still there */
	int64		pos;			/* when it came */
	int64		last_pos;		/* now, or before it went */
} Occurrence;

typedef struct Search
{
	Moment		now;
	Occurrence *rows;			/* by number */
	int64		count;
	int64		capacity;
	HTAB	   *users;			/* their names, each once */
} Search;

/* ---- what is told ---- */

static void
note_begin(void *ctx, int64_t id, int64_t pos)
{
	Search	   *search = ctx;

	if (search->count == search->capacity)
	{
		search->capacity *= 2;
		search->rows = repalloc_huge(search->rows, search->capacity * sizeof(Occurrence));
	}
	search->rows[search->count++] = (Occurrence) {.came = search->now,.pos = pos};
	Assert(search->count == id + 1);
}

static void
note_end(void *ctx, int64_t id, int64_t pos)
{
	Search	   *search = ctx;

	search->rows[id].went = search->now;
	search->rows[id].last_pos = pos;
}

static void
note_place(void *ctx, int64_t id, int64_t pos)
{
	((Search *) ctx)->rows[id].last_pos = pos;
}

/* Get a user's name, stored once. */
static const char *
name_of(Search *search, const char *user_id, int user_len)
{
	char		name[CVG_MAX_USER_BYTES + 1];
	int			len = Min(user_len, CVG_MAX_USER_BYTES);

	memcpy(name, user_id, len);
	name[len] = '\0';
	return hash_search(search->users, name, HASH_ENTER, NULL);
}

/* ---- the search ---- */

/* Look through the log. */
static void
search_log(const pg_uuid_t *doc_id, const CvgHead *head, const text *sought, Search *search)
{
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	CvgOpScan  *scan = cvg_ops_begin(doc_id, head->floor_version, head->version);
	Matches    *matches;
	CvgOpRow	row;
	Rope	   *rope;

	search->now.version = head->floor_version;
	search->now.at = cvg_history_begins(doc_id, head);
	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &rope));
	cvg_check_status(matches_create(&cvg_allocator, rope, VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought),
									note_begin, search, &matches));
	while (cvg_ops_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		search->now = (Moment) {row.version, row.created_at, name_of(search, row.user_id, row.user_len)};
		cvg_check_status(matches_apply(matches, rope, row.op, note_begin, note_end, search));
	}
	cvg_ops_end(scan);
	matches_tell(matches, note_place, search);
	matches_free(matches);
	rope_free(rope);
}

/* Put out an occurrence, unless it came and went with one op. */
static void
put_occurrence(ReturnSetInfo *result, const Occurrence *row)
{
	bool		is_there = row->went.version == 0;
	Datum		values[8] = {0};
	bool		nulls[8] = {false, is_there, false, row->came.user_id == NULL, is_there, false, is_there, false};

	if (row->went.version == row->came.version && !is_there)
		return;
	values[0] = Int64GetDatum(row->came.version);
	values[1] = Int64GetDatum(row->went.version);
	values[2] = Int64GetDatum(row->pos);
	if (row->came.user_id != NULL)
		values[3] = CStringGetTextDatum(row->came.user_id);
	if (!is_there)
		values[4] = CStringGetTextDatum(row->went.user_id);
	values[5] = TimestampTzGetDatum(row->came.at);
	values[6] = TimestampTzGetDatum(row->went.at);
	values[7] = Int64GetDatum(row->last_pos);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Refuse what cannot be looked for. */
static void
check_sought(const text *sought)
{
	int64		length = ot_utf8_length(VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought));

	if (length == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the text to look for must not be empty")));
	if (length > CVG_MAX_SOUGHT_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_TOO_LARGE),
				 errmsg("text of " INT64_FORMAT " code points is too long to look for", length),
				 errdetail("It must have at most %d code points.", CVG_MAX_SOUGHT_LENGTH)));
}

Datum
converge_occurrences(PG_FUNCTION_ARGS)
{
	HASHCTL		control = {.keysize = CVG_MAX_USER_BYTES + 1,.entrysize = CVG_MAX_USER_BYTES + 1,.hcxt = CurrentMemoryContext};
	Search		search = {.capacity = 64};
	CvgHead		head;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1), "document and text");
	check_sought(PG_GETARG_TEXT_PP(1));
	cvg_open_head(PG_GETARG_UUID_P(0), &head);
	search.rows = palloc(search.capacity * sizeof(Occurrence));
	search.users = hash_create("users of occurrences", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	InitMaterializedSRF(fcinfo, 0);
	search_log(PG_GETARG_UUID_P(0), &head, PG_GETARG_TEXT_PP(1), &search);
	for (int64 i = 0; i < search.count; i++)
		put_occurrence((ReturnSetInfo *) fcinfo->resultinfo, &search.rows[i]);
	return (Datum) 0;
}
