/*
 * history/blame.c
 *		Who wrote what of a version.
 *
 * The runs of the text follow the log from where history begins; the text itself
 * is only read at the end.  Memory is proportional to the runs and the users.
 */
#include "postgres.h"

#include "base/limits.h"
#include "history/snapshot.h"
#include "past/spans.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_blame);

/* Users by number and number by user. */
typedef struct Users
{
	HTAB	   *numbers;
	char	  **names;
	int			count;
	int			capacity;
} Users;

typedef struct UserNumber
{
	char		name[CVG_MAX_USER_BYTES + 1];
	int			number;
} UserNumber;

/* Nobody yet. */
static void
init_users(Users *users)
{
	HASHCTL		control = {.keysize = CVG_MAX_USER_BYTES + 1,.entrysize = sizeof(UserNumber),
	.hcxt = CurrentMemoryContext};

	users->numbers = hash_create("converge users", 64, &control,
								 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	users->count = 0;
	users->capacity = 16;
	users->names = palloc(users->capacity * sizeof(char *));
}

/* The number of a user. */
static int
user_number(Users *users, const char *name, int size)
{
	char		key[CVG_MAX_USER_BYTES + 1];
	UserNumber *entry;
	bool		found;

	memcpy(key, name, Min(size, CVG_MAX_USER_BYTES));
	key[Min(size, CVG_MAX_USER_BYTES)] = '\0';
	entry = hash_search(users->numbers, key, HASH_ENTER, &found);
	if (found)
		return entry->number;
	if (users->count == users->capacity)
	{
		users->capacity *= 2;
		users->names = repalloc(users->names, users->capacity * sizeof(char *));
	}
	users->names[users->count] = entry->name;
	entry->number = users->count;
	return users->count++;
}

/* The runs of a version. */
static Spans *
follow_log(const pg_uuid_t *doc_id, const CvgHead *head, int64 version, Users *users)
{
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	int64		length = ot_utf8_length(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start));
	CvgOpScan  *scan = cvg_ops_begin(doc_id, head->floor_version, version);
	CvgOpRow	row;
	Spans	   *spans;

	cvg_check_status(spans_create(&cvg_allocator, &spans));
	cvg_check_status(spans_init_run(spans, length));
	while (cvg_ops_next(scan, &row))
		cvg_check_status(spans_apply(spans, row.op, row.version,
									 user_number(users, row.user_id, row.user_len),
									 row.created_at));
	cvg_ops_end(scan);
	return spans;
}

/* Put out one run. */
static void
put_run(ReturnSetInfo *result, const Users *users, const Span *span, int64 pos,
		const char *content, Size size)
{
	bool		known = span->user != SPANS_NOBODY;
	Datum		values[5] = {0};
	bool		nulls[5] = {false, false, !known, !known, !known};

	values[0] = Int64GetDatum(pos);
	values[1] = PointerGetDatum(cstring_to_text_with_len(content, (int) size));
	if (known)
		values[2] = CStringGetTextDatum(users->names[span->user]);
	values[3] = Int64GetDatum(span->version);
	values[4] = TimestampTzGetDatum(span->at);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[1]));
}

Datum
converge_blame(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t  *doc_id;
	CvgHead		head;
	Users		users;
	Spans	   *spans;
	SpansReader reader;
	Span		span;
	text	   *content;
	const char *next;
	const char *end;
	int64		version;
	int64		pos = 0;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document must not be null")));
	doc_id = PG_GETARG_UUID_P(0);
	cvg_open_head(doc_id, &head);
	version = PG_ARGISNULL(1) ? head.version : PG_GETARG_INT64(1);
	cvg_check_version(&head, version);
	InitMaterializedSRF(fcinfo, 0);

	init_users(&users);
	spans = follow_log(doc_id, &head, version, &users);
	content = cvg_content_at(doc_id, version);
	next = VARDATA_ANY(content);
	end = next + VARSIZE_ANY_EXHDR(content);
	spans_reader_init(&reader, spans);
	while (spans_reader_next(&reader, &span))
	{
		Size		size = ot_utf8_offset(next, end - next, span.length);

		put_run(result, &users, &span, pos, next, size);
		next += size;
		pos += span.length;
	}
	spans_free(spans);
	return (Datum) 0;
}
