/*
 * history/carry_ranges.c
 *		Where the ranges of many threads are at a version: carried over the ops since they
 *		were made, in one pass over the log.  A pack is taken as one composed op where that
 *		leads to the same places.
 *
 * A range whose text was deleted is looked for at the end by its quote, near the place
 * where it vanished: an undo in several steps, or a paste, may have brought it back.
 */
#include "postgres.h"

#include "base/arrays.h"
#include "history/snapshot.h"
#include "past/anchors.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_carry_ranges);

/* How far on each side of its place a passage is looked for, in bytes. */
#define NEAR_BYTES	((size_t) 32 << 10)

/* What the arguments say of each range, from the oldest on. */
typedef struct Ranges
{
	int			count;
	const int64 *versions;
	AnchorPlace *born;			/* where each is at its version */
	Quote	   *quotes;
} Ranges;

/* ---- arguments ---- */

/* Get the numbers of an array argument. */
static const int64 *
number_argument(FunctionCallInfo fcinfo, int n, int *count)
{
	Datum	   *values = cvg_array_argument(fcinfo, n, INT8OID, count);
	int64	   *numbers = palloc(Max(*count, 1) * sizeof(int64));

	for (int i = 0; i < *count; i++)
		numbers[i] = DatumGetInt64(values[i]);
	return numbers;
}

/* Get where the ranges are at their versions. */
static void
place_arguments(FunctionCallInfo fcinfo, Ranges *ranges)
{
	const int64 *from = number_argument(fcinfo, 3, &ranges->count);
	const int64 *to = number_argument(fcinfo, 4, &ranges->count);
	Datum	   *alive = cvg_array_argument(fcinfo, 9, BOOLOID, &ranges->count);

	ranges->born = palloc(Max(ranges->count, 1) * sizeof(AnchorPlace));
	for (int i = 0; i < ranges->count; i++)
		ranges->born[i] = (AnchorPlace)
	{
		from[i], to[i], DatumGetBool(alive[i])
	};
}

/* Get a text's bytes. */
static const char *
bytes_of(Datum value, size_t *size)
{
	text	   *bytes = DatumGetTextPP(value);

	*size = VARSIZE_ANY_EXHDR(bytes);
	return VARDATA_ANY(bytes);
}

/* Get the quotes, and what stood around them. */
static void
quote_arguments(FunctionCallInfo fcinfo, Ranges *ranges)
{
	const int64 *lengths = number_argument(fcinfo, 5, &ranges->count);
	Datum	   *texts = cvg_array_argument(fcinfo, 6, TEXTOID, &ranges->count);
	Datum	   *prefixes = cvg_array_argument(fcinfo, 7, TEXTOID, &ranges->count);
	Datum	   *suffixes = cvg_array_argument(fcinfo, 8, TEXTOID, &ranges->count);

	ranges->quotes = palloc(Max(ranges->count, 1) * sizeof(Quote));
	for (int i = 0; i < ranges->count; i++)
	{
		Quote	   *quote = &ranges->quotes[i];

		quote->length = lengths[i];
		quote->text = bytes_of(texts[i], &quote->size);
		quote->prefix = bytes_of(prefixes[i], &quote->prefix_size);
		quote->suffix = bytes_of(suffixes[i], &quote->suffix_size);
	}
}

/* Fail for a range that cannot be one, or is out of order. */
static void
check_range(const Ranges *ranges, int i, const CvgHead *head, int64 version)
{
	const AnchorPlace *born = &ranges->born[i];

	if (ranges->versions[i] < head->floor_version || ranges->versions[i] > version ||
		(i > 0 && ranges->versions[i] < ranges->versions[i - 1]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("version " INT64_FORMAT " of range %d is out of order", ranges->versions[i], i + 1),
				 errdetail("The versions must rise from the oldest available one, " INT64_FORMAT ", to " INT64_FORMAT ".",
						   head->floor_version, version)));
	if (born->from < 0 || born->from > born->to || born->to > OT_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("range %d, from " INT64_FORMAT " to " INT64_FORMAT ", is out of range",
						i + 1, born->from, born->to)));
}

/* ---- the pass over the log ---- */

/* Add the ranges that were made on a version; return the number of the next range. */
static int
add_ranges(Anchors *anchors, const Ranges *ranges, int next, int64 version)
{
	for (; next < ranges->count && ranges->versions[next] == version; next++)
		cvg_check_status(anchors_add(anchors, &ranges->born[next], &ranges->quotes[next]));
	return next;
}

/* Carry all ranges over a run of ops, one by one; return the number of the next range. */
static int
carry_singly(const pg_uuid_t *doc_id, Anchors *anchors, const Ranges *ranges, int next, int64 after, int64 upto)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);
	CvgOpRow	row;

	while (cvg_ops_next(scan, &row))
	{
		cvg_check_status(anchors_apply(anchors, row.op));
		next = add_ranges(anchors, ranges, next, row.version);
	}
	cvg_ops_end(scan);
	return next;
}

/* Return true if no range was made before the last op of a pack, and its ops may be taken as one. */
static bool
can_take_composed(Anchors *anchors, const Ranges *ranges, int next, const CvgOpRow *pack)
{
	return (next == ranges->count || ranges->versions[next] >= pack->version) &&
		anchors_follow_composed(anchors, pack->op);
}

/* Carry all ranges to a version. */
static AnchorPlace *
carry(const pg_uuid_t *doc_id, const Ranges *ranges, int64 version)
{
	AnchorPlace *places = palloc(Max(ranges->count, 1) * sizeof(AnchorPlace));
	Anchors    *anchors;
	int			next;
	int64		at;
	CvgOpScan  *scan;
	CvgOpRow	row;

	if (ranges->count == 0)
		return places;
	cvg_check_status(anchors_create(&cvg_allocator, &anchors));
	next = add_ranges(anchors, ranges, 0, ranges->versions[0]);
	at = ranges->versions[0];
	scan = cvg_runs_begin(doc_id, at, version, NULL);
	for (; cvg_ops_next(scan, &row); at = row.version)
	{
		if (row.composed && !can_take_composed(anchors, ranges, next, &row))
		{
			next = carry_singly(doc_id, anchors, ranges, next, at, row.version);
			continue;
		}
		cvg_check_status(anchors_apply(anchors, row.op));
		next = add_ranges(anchors, ranges, next, row.version);
	}
	cvg_ops_end(scan);
	anchors_places(anchors, places);
	anchors_free(anchors);
	return places;
}

/* ---- passages that came back ---- */

/* The text at a version, and how far it was counted. */
typedef struct Reader
{
	const char *text;
	size_t		size;
	size_t		bytes;
	int64		length;			/* of these bytes, in cp */
	int64		whole;			/* of the text, in cp */
} Reader;

static const AnchorPlace *compared;

/* Compare the places of two ranges. */
static int
compare_places(const void *a, const void *b)
{
	int64		from_a = compared[*(const int *) a].from;
	int64		from_b = compared[*(const int *) b].from;

	return from_a < from_b ? -1 : from_a > from_b;
}

/* Get the empty ranges in the order of their places; return how many. */
static int
find_empty(const Ranges *ranges, const AnchorPlace *places, int **empty)
{
	int			count = 0;

	*empty = palloc(Max(ranges->count, 1) * sizeof(int));
	for (int i = 0; i < ranges->count; i++)
		if (places[i].from == places[i].to && ranges->quotes[i].size > 0)
			(*empty)[count++] = i;
	compared = places;
	qsort(*empty, count, sizeof(int), compare_places);
	return count;
}

/* Look for a passage near the place where it vanished. */
static void
look_for(Reader *reader, const Quote *quote, AnchorPlace *place)
{
	size_t		budget = 2 * NEAR_BYTES + 2 * quote->size;
	size_t		start;
	size_t		end;
	size_t		found;
	size_t		around;
	int64		from;

	reader->bytes += ot_utf8_offset(reader->text + reader->bytes, reader->size - reader->bytes, place->from - reader->length);
	reader->length = place->from;
	start = reader->bytes > NEAR_BYTES ? reader->bytes - NEAR_BYTES : 0;
	end = Min(reader->size, reader->bytes + NEAR_BYTES + quote->size);
	if (!quote_find(reader->text, reader->size, start, end, reader->bytes, quote, &budget, &found, &around) ||
		!quote_is_same_place(quote, around))
		return;
	from = found < reader->bytes ? reader->length - ot_utf8_length(reader->text + found, reader->bytes - found)
		: reader->length + ot_utf8_length(reader->text + reader->bytes, found - reader->bytes);
	if (quote->length < 1 || from + quote->length > reader->whole)
		return;
	*place = (AnchorPlace)
	{
		from, from + quote->length, true
	};
}

/* Look for the passages of all empty ranges. */
static void
look_for_empty(const pg_uuid_t *doc_id, const Ranges *ranges, int64 version, AnchorPlace *places)
{
	Reader		reader = {0};
	int		   *empty;
	int			count = find_empty(ranges, places, &empty);
	text	   *content;

	if (count == 0)
		return;
	content = cvg_content_at(doc_id, version);
	reader.text = VARDATA_ANY(content);
	reader.size = VARSIZE_ANY_EXHDR(content);
	reader.whole = ot_utf8_length(reader.text, reader.size);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		look_for(&reader, &ranges->quotes[empty[i]], &places[empty[i]]);
	}
}

/* ---- SQL ---- */

/* Put out where a range is. */
static void
put_place(ReturnSetInfo *result, int ord, const AnchorPlace *place)
{
	Datum		values[4] = {Int32GetDatum(ord), Int64GetDatum(place->from), Int64GetDatum(place->to), BoolGetDatum(place->alive)};
	bool		nulls[4] = {false, false, false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
converge_carry_ranges(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	int64		version = PG_GETARG_INT64(1);
	Ranges		ranges = {.count = -1};
	CvgHead		head;
	AnchorPlace *places;

	ranges.versions = number_argument(fcinfo, 2, &ranges.count);
	place_arguments(fcinfo, &ranges);
	quote_arguments(fcinfo, &ranges);
	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, version);
	for (int i = 0; i < ranges.count; i++)
		check_range(&ranges, i, &head, version);
	InitMaterializedSRF(fcinfo, 0);

	places = carry(doc_id, &ranges, version);
	look_for_empty(doc_id, &ranges, version, places);
	for (int i = 0; i < ranges.count; i++)
		put_place((ReturnSetInfo *) fcinfo->resultinfo, i + 1, &places[i]);
	return (Datum) 0;
}
