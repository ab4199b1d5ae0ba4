/*
 * unit-many.c
 *		Fold and rebase: many ops at once, and what they do when one of them fails.
 *
 * That their results are those of the ops one by one is what laws.c shows.
 */
#include <stdio.h>
#include <string.h>

#include "support.h"
#include "tap.h"

#define EMOJI	"\xf0\x9f\x98\x80"

static OtFold *
new_fold(void)
{
	OtFold	   *fold = NULL;

	CHECK_NUMBER(ot_fold_create(&ot_libc_allocator, &fold), OT_OK);
	return fold;
}

static OtRebase *
new_rebase(const char *op)
{
	OtRebase   *rebase = NULL;

	CHECK_NUMBER(ot_rebase_create(&ot_libc_allocator, op_of(op), &rebase), OT_OK);
	return rebase;
}

/* End a fold, which may go on then. */
static const char *
folded(OtFold *fold)
{
	OtBuffer	out;
	OtStatus	status;
	const char *text;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	status = ot_fold_finish(fold, &out);
	text = status == OT_OK ? json_of(ot_buffer_op(&out)) : status_name(status);
	ot_buffer_free(&out);
	return text;
}

/* End a rebase. */
static const char *
rebased(OtRebase *rebase)
{
	OtBuffer	out;
	OtStatus	status;
	const char *text;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	status = ot_rebase_finish(rebase, &out);
	text = status == OT_OK ? json_of(ot_buffer_op(&out)) : status_name(status);
	ot_buffer_free(&out);
	ot_rebase_free(rebase);
	return text;
}

/* ---- fold ---- */

static void
fold_of_nothing_is_the_identity(void)
{
	OtFold	   *fold = new_fold();

	CHECK_NUMBER(ot_fold_size(fold), 0);
	CHECK_TEXT(folded(fold), "[]");
	CHECK_NUMBER(ot_fold_push(fold, op_of("[]")), OT_OK);
	CHECK_TEXT(folded(fold), "[]");
	ot_fold_free(fold);
}

static void
fold_composes_in_order(void)
{
	OtFold	   *fold = new_fold();

	ot_fold_push(fold, op_of("[\"c\"]"));
	ot_fold_push(fold, op_of("[1,\"" EMOJI "\"]"));
	ot_fold_push(fold, op_of("[1,{\"d\":1},\"t\"]"));
	CHECK(ot_fold_size(fold) > 0);
	CHECK_TEXT(folded(fold), "[\"ct\"]");
	ot_fold_free(fold);
}

static void
fold_begins_anew_after_its_end(void)
{
	OtFold	   *fold = new_fold();

	ot_fold_push(fold, op_of("[\"abc\"]"));
	CHECK_TEXT(folded(fold), "[\"abc\"]");
	CHECK_NUMBER(ot_fold_size(fold), 0);
	ot_fold_push(fold, op_of("[7,{\"d\":1}]"));
	CHECK_TEXT(folded(fold), "[7,{\"d\":1}]");
	ot_fold_free(fold);
}

static void
fold_copies_what_is_pushed(void)
{
	OtFold	   *fold = new_fold();
	uint8_t		bytes[] = {0x06, 'x'};
	OtOp		op = {bytes, sizeof(bytes)};

	ot_fold_push(fold, op);
	bytes[1] = 'y';
	CHECK_TEXT(folded(fold), "[\"x\"]");
	ot_fold_free(fold);
}

static void
fold_holds_nothing_of_what_cancels_out(void)
{
	OtFold	   *fold = new_fold();

	for (int i = 0; i < 1000; i++)
	{
		ot_fold_push(fold, op_of("[3,\"x\"]"));
		ot_fold_push(fold, op_of("[3,{\"d\":1}]"));
	}
	CHECK(ot_fold_size(fold) < 100);
	CHECK_TEXT(folded(fold), "[]");
	ot_fold_free(fold);
}

static void
fold_takes_ops_of_falling_and_rising_size(void)
{
	OtFold	   *fold = new_fold();
	char		json[4096 + 16];
	OtMeasure	measure;
	OtBuffer	out;
	int64_t		pushed = 0;

	for (int i = 0; i < 24; i++)
	{
		int			length = 1 << (i < 12 ? 12 - i : i - 12);

		json[0] = '[';
		json[1] = '"';
		memset(json + 2, 'a' + i, (size_t) length);
		strcpy(json + 2 + length, "\"]");
		pushed += length;
		CHECK_NUMBER(ot_fold_push(fold, op_of(json)), OT_OK);
	}
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ot_fold_finish(fold, &out), OT_OK);
	ot_measure(ot_buffer_op(&out), &measure);
	CHECK_NUMBER(measure.inserted, pushed);
	CHECK_NUMBER(measure.components, 1);
	ot_buffer_free(&out);
	ot_fold_free(fold);
}

static void
fold_keeps_its_first_error(void)
{
	OtFold	   *fold = new_fold();
	OtOp		op = op_of("[1073741823,{\"d\":1}]");
	OtStatus	status = OT_OK;

	for (int i = 0; i < 100; i++)
		status = ot_fold_push(fold, op);
	CHECK_TEXT(status_name(status), "OT_TOO_LARGE");
	/* What does not compose is not piled up. */
	CHECK_NUMBER(ot_fold_size(fold), 2 * op.size);
	CHECK_TEXT(folded(fold), "OT_TOO_LARGE");
	ot_fold_free(fold);
}

/* ---- rebase ---- */

static void
rebase_over_nothing_is_the_op(void)
{
	CHECK_TEXT(rebased(new_rebase("[3,\"x\"]")), "[3,\"x\"]");
	CHECK_TEXT(rebased(new_rebase("[]")), "[]");
}

static void
rebase_keeps_to_the_left(void)
{
	OtRebase   *rebase = new_rebase("[2,\"x\"]");

	ot_rebase_push(rebase, op_of("[2,\"a\"]"));
	ot_rebase_push(rebase, op_of("[3,\"" EMOJI "\"]"));
	ot_rebase_push(rebase, op_of("[\"z\"]"));
	CHECK_TEXT(rebased(rebase), "[3,\"x\"]");
}

/* An op of many bytes, over so many small ones that it goes by runs. */
static void
rebase_of_a_large_op_goes_by_runs(void)
{
	char		json[2048];
	char		want[2064];
	OtRebase   *rebase;

	memset(json, 'x', sizeof(json));
	memcpy(json, "[5,\"", 4);
	memcpy(json + 1500, "\"]", 3);
	rebase = new_rebase(json);
	for (int i = 0; i < 1000; i++)
		CHECK_NUMBER(ot_rebase_push(rebase, op_of("[1,\"a\"]")), OT_OK);
	snprintf(want, sizeof(want), "[1005,%s", json + 3);
	CHECK_TEXT(rebased(rebase), want);
}

static void
rebase_copies_its_op(void)
{
	uint8_t		bytes[] = {0x06, 'x'};
	OtOp		op = {bytes, sizeof(bytes)};
	OtRebase   *rebase = NULL;

	CHECK_NUMBER(ot_rebase_create(&ot_libc_allocator, op, &rebase), OT_OK);
	bytes[1] = 'y';
	CHECK_TEXT(rebased(rebase), "[\"x\"]");
}

static void
rebase_tells_of_an_op_too_long(void)
{
	OtRebase   *rebase = new_rebase("[1073741823,\"x\"]");

	CHECK_NUMBER(ot_rebase_push(rebase, op_of("[\"a\"]")), OT_TOO_LARGE);
	ot_rebase_free(rebase);
}

static void
nothing_to_free_is_freed(void)
{
	ot_fold_free(NULL);
	ot_rebase_free(NULL);
	CHECK(true);
}

static const TapTest tests[] = {
	{"a fold of nothing is the identity", fold_of_nothing_is_the_identity},
	{"a fold composes in order", fold_composes_in_order},
	{"a fold begins anew after its end", fold_begins_anew_after_its_end},
	{"a fold copies what is pushed", fold_copies_what_is_pushed},
	{"a fold holds nothing of what cancels out", fold_holds_nothing_of_what_cancels_out},
	{"a fold takes ops of falling and rising size", fold_takes_ops_of_falling_and_rising_size},
	{"a fold keeps its first error", fold_keeps_its_first_error},
	{"a rebase over nothing is the op", rebase_over_nothing_is_the_op},
	{"a rebase keeps its op to the left", rebase_keeps_to_the_left},
	{"a large op is rebased by runs", rebase_of_a_large_op_goes_by_runs},
	{"a rebase copies its op", rebase_copies_its_op},
	{"a rebase tells of an op that grows too long", rebase_tells_of_an_op_too_long},
	{"freeing nothing is fine", nothing_to_free_is_freed}
};

TAP_MAIN("unit-many", tests);
