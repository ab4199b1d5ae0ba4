/*
 * history/timeline.c
 *		The past in few rows: what a slider over many versions needs.
 *
 * Versions are divided into buckets of equal numbers of ops, in one pass over the
 * log that holds no more of it than one row and the current bucket's users.
 */
#include "postgres.h"

#include "base/limits.h"
#include "history/snapshot.h"
#include "type/op_type.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_timeline);

/* A user of the current bucket, by name. */
typedef struct BucketUser
{
	char		name[CVG_MAX_USER_BYTES + 1];	/* the key */
} BucketUser;

/* What is counted of a bucket; users stand in the order of their first op. */
typedef struct Bucket
{
	int64		first_version;
	int64		last_version;
	TimestampTz first_at;
	TimestampTz last_at;
	int64		edits;
	int64		inserted;		/* cp */
	int64		deleted;		/* cp */
	HTAB	   *known_users;
	ArrayBuildState *users;
} Bucket;

/* Begin an empty bucket in the current memory context, which it fills alone. */
static void
begin_bucket(Bucket *bucket)
{
	HASHCTL		control = {.keysize = CVG_MAX_USER_BYTES + 1,.entrysize = sizeof(BucketUser),.hcxt = CurrentMemoryContext};

	memset(bucket, 0, sizeof(Bucket));
	bucket->known_users = hash_create("users of a timeline's bucket", 16, &control,
									  HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	bucket->users = initArrayResult(TEXTOID, CurrentMemoryContext, false);
}

/* Count a user once. */
static void
add_user(Bucket *bucket, const char *user_id, int user_len)
{
	char		name[CVG_MAX_USER_BYTES + 1];
	bool		found;

	memcpy(name, user_id, Min(user_len, CVG_MAX_USER_BYTES));
	name[Min(user_len, CVG_MAX_USER_BYTES)] = '\0';
	hash_search(bucket->known_users, name, HASH_ENTER, &found);
	if (!found)
		bucket->users = accumArrayResult(bucket->users,
										 PointerGetDatum(cstring_to_text_with_len(user_id, user_len)), false,
										 TEXTOID, CurrentMemoryContext);
}

/* Count an op. */
static void
add_op(Bucket *bucket, const CvgOpRow *row)
{
	OtMeasure	measure;

	ot_measure(row->op, &measure);
	if (bucket->edits == 0)
	{
		bucket->first_version = row->version;
		bucket->first_at = row->created_at;
	}
	bucket->last_version = row->version;
	bucket->last_at = row->created_at;
	bucket->edits++;
	bucket->inserted += measure.inserted;
	bucket->deleted += measure.deleted;
	add_user(bucket, row->user_id, row->user_len);
}

/* Put out a bucket. */
static void
put_bucket(ReturnSetInfo *result, const Bucket *bucket)
{
	Datum		values[8];
	bool		nulls[8] = {false};

	values[0] = Int64GetDatum(bucket->first_version);
	values[1] = Int64GetDatum(bucket->last_version);
	values[2] = TimestampTzGetDatum(bucket->first_at);
	values[3] = TimestampTzGetDatum(bucket->last_at);
	values[4] = Int64GetDatum(bucket->edits);
	values[5] = Int64GetDatum(bucket->inserted);
	values[6] = Int64GetDatum(bucket->deleted);
	values[7] = makeArrayResult(bucket->users, CurrentMemoryContext);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The versions asked for, cut to those whose ops history holds. */
static void
timeline_range(FunctionCallInfo fcinfo, const CvgHead *head, int64 *from, int64 *upto)
{
	*from = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	*upto = PG_ARGISNULL(3) ? head->version : PG_GETARG_INT64(3);
	*from = Max(*from, head->floor_version + 1);
	*upto = Min(*upto, head->version);
}

/* How many buckets a call asks for. */
static int32
bucket_argument(FunctionCallInfo fcinfo)
{
	int32		buckets = PG_ARGISNULL(1) ? CVG_TIMELINE_BUCKETS : PG_GETARG_INT32(1);

	if (buckets < 1 || buckets > CVG_MAX_TIMELINE_BUCKETS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of buckets %d is out of range", buckets),
				 errdetail("A timeline has 1 to %d buckets.", CVG_MAX_TIMELINE_BUCKETS)));
	return buckets;
}

/*
 * Put out the versions from .. upto in at most `buckets` rows, each with as many
 * ops as the others, or one fewer.
 */
static void
put_buckets(ReturnSetInfo *result, const pg_uuid_t *doc_id, int64 from, int64 upto, int32 buckets)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "timeline bucket", ALLOCSET_SMALL_SIZES);
	int64		total = upto - from + 1;
	int64		number = 0;
	CvgOpScan  *scan = cvg_ops_begin(doc_id, from - 1, upto);
	CvgOpRow	row;
	Bucket		bucket;

	buckets = (int32) Min(buckets, total);
	MemoryContextSwitchTo(context);
	begin_bucket(&bucket);
	MemoryContextSwitchTo(caller);
	while (cvg_ops_next(scan, &row))
	{
		MemoryContextSwitchTo(context);
		add_op(&bucket, &row);
		/* bucket k ends with the op of number total * (k + 1) / buckets */
		if (row.version - from + 1 >= total / buckets * (number + 1) + total % buckets * (number + 1) / buckets)
		{
			put_bucket(result, &bucket);
			MemoryContextReset(context);
			begin_bucket(&bucket);
			number++;
		}
		MemoryContextSwitchTo(caller);
	}
	cvg_ops_end(scan);
	MemoryContextDelete(context);
}

Datum
converge_timeline(PG_FUNCTION_ARGS)
{
	CvgHead		head;
	int32		buckets;
	int64		from;
	int64		upto;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document must not be null")));
	cvg_open_head(PG_GETARG_UUID_P(0), &head);
	buckets = bucket_argument(fcinfo);
	timeline_range(fcinfo, &head, &from, &upto);
	InitMaterializedSRF(fcinfo, 0);
	if (from <= upto)
		put_buckets((ReturnSetInfo *) fcinfo->resultinfo, PG_GETARG_UUID_P(0), from, upto, buckets);
	return (Datum) 0;
}
