/*
 * unit-spans.c
 *		Runs against an array that holds a version for each code point.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/chunks.h"
#include "../../src/past/spans.h"
#include "../ot/naive.h"
#include "../ot/tap.h"
#include "scarce.h"

#define EMOJI	"\xf0\x9f\x98\x80"

static Spans *
new_spans(int64_t length)
{
	Spans	   *spans = NULL;

	CHECK_NUMBER(spans_create(&ot_libc_allocator, &spans), OT_OK);
	CHECK_NUMBER(spans_init_run(spans, length), OT_OK);
	return spans;
}

/* The runs as text: "length*version/user@at ...". */
static const char *
runs_in(const Spans *spans)
{
	char	   *text = support_keep(4000);
	size_t		at = 0;
	SpansReader reader;
	Span		span;

	text[0] = '\0';
	spans_reader_init(&reader, spans);
	while (spans_reader_next(&reader, &span))
		at += (size_t) sprintf(text + at, "%s%d*%d/%d@%d", at == 0 ? "" : " ", (int) span.length,
							   (int) span.version, (int) span.user, (int) span.at);
	CHECK(!spans_reader_next(&reader, &span));
	return text;
}

static void
begins_with_nobody(void)
{
	Spans	   *empty = new_spans(0);
	Spans	   *spans = new_spans(7);

	CHECK_TEXT(runs_in(empty), "");
	CHECK_TEXT(runs_in(spans), "7*0/-1@0");
	CHECK_NUMBER(spans_init_run(empty, OT_MAX_LENGTH + 1), OT_TOO_LARGE);
	CHECK_NUMBER(spans_length(spans), 7);
	spans_free(empty);
	spans_free(spans);
	spans_free(NULL);
}

static void
notes_who_inserted(void)
{
	Spans	   *spans = new_spans(0);

	CHECK_NUMBER(spans_apply(spans, op_of("[\"ab" EMOJI "c\"]"), 1, 5, 100), OT_OK);
	CHECK_NUMBER(spans_apply(spans, op_of("[3,\"xy\"]"), 2, 6, 200), OT_OK);
	CHECK_NUMBER(spans_apply(spans, op_of("[\"z\",6,\"z\"]"), 3, 7, 300), OT_OK);
	CHECK_TEXT(runs_in(spans), "1*3/7@300 3*1/5@100 2*2/6@200 1*1/5@100 1*3/7@300");
	CHECK_NUMBER(spans_length(spans), 8);
	spans_free(spans);
}

static void
forgets_what_is_deleted(void)
{
	Spans	   *spans = new_spans(10);

	spans_apply(spans, op_of("[5,\"abc\"]"), 1, 1, 1);
	CHECK_NUMBER(spans_apply(spans, op_of("[4,{\"d\":2}]"), 2, 2, 2), OT_OK);
	CHECK_TEXT(runs_in(spans), "4*0/-1@0 2*1/1@1 5*0/-1@0");
	CHECK_NUMBER(spans_apply(spans, op_of("[1,{\"d\":1},\"X\",1,{\"d\":4},\"Y\"]"), 3, 3, 3), OT_OK);
	CHECK_TEXT(runs_in(spans), "1*0/-1@0 1*3/3@3 1*0/-1@0 1*3/3@3 4*0/-1@0");
	CHECK_NUMBER(spans_apply(spans, op_of("[{\"d\":8}]"), 4, 4, 4), OT_OK);
	CHECK_TEXT(runs_in(spans), "");
	CHECK_NUMBER(spans_apply(spans, op_of("[\"a\"]"), 5, 5, 5), OT_OK);
	CHECK_TEXT(runs_in(spans), "1*5/5@5");
	spans_free(spans);
}

static void
tells_neighbours_of_one_version_as_one(void)
{
	Spans	   *spans = new_spans(4);

	spans_apply(spans, op_of("[1,\"ab\",1,\"cd\"]"), 1, 1, 1);
	spans_apply(spans, op_of("[3,{\"d\":1}]"), 2, 2, 2);
	CHECK_TEXT(runs_in(spans), "1*0/-1@0 4*1/1@1 2*0/-1@0");
	spans_apply(spans, op_of("[2,\"x\"]"), 3, 3, 3);
	spans_apply(spans, op_of("[2,{\"d\":1}]"), 4, 4, 4);
	CHECK_TEXT(runs_in(spans), "1*0/-1@0 4*1/1@1 2*0/-1@0");
	spans_apply(spans, op_of("[1,{\"d\":4}]"), 5, 5, 5);
	CHECK_TEXT(runs_in(spans), "3*0/-1@0");
	spans_free(spans);
}

static void
refuses_what_reaches_past_the_end(void)
{
	Spans	   *spans = new_spans(3);

	CHECK_NUMBER(spans_apply(spans, op_of("[\"x\",3,{\"d\":1}]"), 1, 1, 1), OT_OUT_OF_RANGE);
	CHECK_NUMBER(spans_apply(spans, op_of("[4,\"x\"]"), 1, 1, 1), OT_OUT_OF_RANGE);
	CHECK_TEXT(runs_in(spans), "3*0/-1@0");
	spans_free(spans);
}

/* ---- against the model ---- */

/* The version of each code point after an op. */
static void
naive_follow(const NaiveText *before, const NaiveOp *op, uint32_t version, NaiveText *after)
{
	NaiveOp		named = {0};

	/* To apply is to follow, when the inserted characters are the version. */
	naive_copy(&named, op);
	for (int i = 0; i < named.count; i++)
		if (named.units[i].kind == 'i')
			named.units[i].cp = version;
	naive_apply(before, &named, after);
	naive_op_free(&named);
}

static bool
same_runs(const Spans *spans, const NaiveText *versions)
{
	SpansReader reader;
	Span		span;
	int64_t		at = 0;
	int64_t		last = -1;

	spans_reader_init(&reader, spans);
	while (spans_reader_next(&reader, &span))
	{
		if (span.length <= 0 || span.version == last || at + span.length > versions->count)
			return false;
		for (int64_t i = at; i < at + span.length; i++)
			if (versions->cps[i] != span.version)
				return false;
		if (span.version > 0 && (span.user != span.version % 3 || span.at != span.version * 10))
			return false;
		last = span.version;
		at += span.length;
	}
	return at == versions->count && spans_length(spans) == at;
}

/* Many ops on one document of a random shape. */
static bool
random_case(Random *random)
{
	NaiveShape	shape = {1 + random_below(random, 4000), 1 + random_below(random, 6),
	1 + random_below(random, 60)};
	NaiveText	versions = {0};
	NaiveText	next = {0};
	NaiveText	swap;
	NaiveOp		op = {0};
	OtBuffer	packed;
	Spans	   *spans;
	bool		passed = true;

	ot_buffer_init(&packed, &ot_libc_allocator, 0);
	naive_random_text(random, random_below(random, shape.document + 1), &versions);
	for (int i = 0; i < versions.count; i++)
		versions.cps[i] = 0;
	spans = new_spans(versions.count);
	for (uint32_t i = 1; i < 60 && passed && versions.count < 20000; i++)
	{
		naive_random_op(random, &shape, versions.count, &op);
		naive_pack(&op, &packed);
		naive_follow(&versions, &op, i, &next);
		passed = spans_apply(spans, ot_buffer_op(&packed), i, (int32_t) i % 3, i * 10) == OT_OK &&
			same_runs(spans, &next);
		swap = versions;
		versions = next;
		next = swap;
	}
	spans_free(spans);
	naive_text_free(&versions);
	naive_text_free(&next);
	naive_op_free(&op);
	ot_buffer_free(&packed);
	return passed;
}

static void
is_an_array_of_versions(void)
{
	uint64_t	cases = setting("PAST_CASES", 150);
	Random		random = {setting("PAST_SEED", 1)};

	for (uint64_t i = 0; i < cases; i++)
		if (!CHECK(random_case(&random)))
		{
			printf("# case %d\n", (int) i);
			break;
		}
}

/* ---- many runs, and no memory ---- */

/* A run for each op, at one place, from left to right, from right to left. */
static OtStatus
type(const OtAllocator *allocator, int ops)
{
	static const char *const places[] = {"[\"x\"]", "[300,\"x\"]", "[300,\"" EMOJI "\"]"};
	Spans	   *spans;
	OtStatus	status;

	status = spans_create(allocator, &spans);
	if (status == OT_OK)
		status = spans_init_run(spans, 300);
	for (int place = 0; place < 3; place++)
	{
		OtOp		op = op_of(places[place]);

		for (int i = 0; i < ops && status == OT_OK; i++)
			status = spans_apply(spans, op, place * ops + i + 1, 1, 1);
	}
	if (status == OT_OK)
		status = spans_apply(spans, op_of("[10,{\"d\":500}]"), 1000000, 1, 1);
	if (status == OT_OK)
		CHECK_NUMBER(spans_length(spans), ops * 3 - 200);
	spans_free(spans);
	return status;
}

static void
holds_memory_by_the_run(void)
{
	Scarce		scarce;

	/* 15000 runs, in chunks that are on average at worst a quarter full. */
	long		chunks = 15000 * (long) sizeof(Span) / CHUNK_BYTES * 4 + 8;

	scarce_init(&scarce, chunks + chunks / CHUNK_GROUP * 4 + 30);
	CHECK_NUMBER(type(&scarce.allocator, 5000), OT_OK);
}

/* Type three chunks of runs, then insert at one place, again and again. */
static long
requests_of_inserts_at(int place, int runs, int inserts)
{
	Scarce		scarce;
	Spans	   *spans;
	char		json[40];

	scarce_init(&scarce, -1);
	CHECK_NUMBER(spans_create(&scarce.allocator, &spans), OT_OK);
	for (int i = 0; i < runs * 3 + inserts; i++)
	{
		int			at = i < runs * 3 ? i : place;

		sprintf(json, at == 0 ? "[\"x\"]" : "[%d,\"x\"]", at);
		CHECK_NUMBER(spans_apply(spans, op_of(json), i + 1, 1, 1), OT_OK);
	}
	spans_free(spans);
	return scarce.asked;
}

static void
fills_chunks_at_their_ends(void)
{
	int			runs = CHUNK_BYTES / (int) sizeof(Span);

	/* Which of these is the end of the first chunk is its own affair. */
	for (int place = runs - 2; place <= runs; place++)
		CHECK(requests_of_inserts_at(place, runs, 2000) < 2000 / runs * 4 + 50);
}

static void
says_when_memory_runs_out(void)
{
	Scarce		scarce;
	long		requests;

	scarce_init(&scarce, -1);
	CHECK_NUMBER(type(&scarce.allocator, 3000), OT_OK);
	requests = scarce.asked;
	CHECK(requests > 100);
	for (long i = 0; i < requests; i += i < 10 ? 1 : 1 + requests / 40)
	{
		scarce_init(&scarce, i);
		CHECK_NUMBER(type(&scarce.allocator, 3000), OT_NO_MEMORY);
	}
}

static const TapTest tests[] = {
	{"what was there first is nobody's", begins_with_nobody},
	{"an insert is its author's", notes_who_inserted},
	{"a delete takes runs and parts of runs", forgets_what_is_deleted},
	{"neighbours of one version are told as one", tells_neighbours_of_one_version_as_one},
	{"an op that reaches past the end changes nothing", refuses_what_reaches_past_the_end},
	{"random ops do what they do to an array", is_an_array_of_versions},
	{"memory is proportional to the runs", holds_memory_by_the_run},
	{"so it is where the ends of chunks are typed at", fills_chunks_at_their_ends},
	{"no memory is said", says_when_memory_runs_out},
};

TAP_MAIN("unit-spans", tests);
