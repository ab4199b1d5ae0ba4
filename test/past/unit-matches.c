/*
 * unit-matches.c
 *		Occurrences followed over ops, against looking for them anew after each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/matches.h"
#include "../ot/tap.h"
#include "scarce.h"

#define MOST	4096

/* What was told: where each occurrence is, or -1. */
static int64_t places[MOST * 16];
static int64_t known;

static void
note_begin(void *ctx, int64_t id, int64_t pos)
{
	(void) ctx;
	CHECK_NUMBER(id, known);
	places[known++] = pos;
}

static void
note_end(void *ctx, int64_t id, int64_t pos)
{
	(void) ctx;
	CHECK(id < known && places[id] >= 0 && pos >= 0);
	places[id] = -1;
}

typedef struct Told
{
	int64_t		pos[MOST];
	int			count;
} Told;

static void
note_place(void *ctx, int64_t id, int64_t pos)
{
	Told	   *told = ctx;

	CHECK(places[id] >= 0);
	told->pos[told->count++] = pos;
}

/* Compare what is known with the text. */
static void
check_places(const Matches *matches, const Rope *rope, const char *sought)
{
	OtBuffer	text;
	Told		told = {.count = 0};
	const char *at;
	int			count = 0;

	ot_buffer_init(&text, &ot_libc_allocator, 0);
	CHECK_NUMBER(rope_text(rope, &text), OT_OK);
	matches_tell(matches, note_place, &told);
	at = (const char *) text.data;
	while (text.size > 0 && (at = memmem(at, text.size - (at - (const char *) text.data), sought, strlen(sought))) != NULL)
	{
		CHECK(count < told.count);
		CHECK_NUMBER(told.pos[count++], ot_utf8_length((const char *) text.data, at - (const char *) text.data));
		at += ot_utf8_offset(at, strlen(sought), 1);
	}
	CHECK_NUMBER(count, told.count);
	ot_buffer_free(&text);
}

static const char *const letters[] = {"a", "b", "\xc3\xa9", "\xf0\x9f\x98\x80"};

/* An op of one to three edits that fits. */
static void
random_op(Random *random, int64_t length, OtBuffer *out)
{
	OtBuilder	builder;

	ot_buffer_reset(out);
	ot_builder_init(&builder, out);
	for (int edits = 1 + random_below(random, 3); edits > 0; edits--)
	{
		int64_t		kept = random_below(random, (int) length + 1);
		int64_t		gone;

		ot_builder_retain(&builder, kept);
		length -= kept;
		for (int n = random_below(random, 4); n > 0; n--)
		{
			const char *letter = letters[random_below(random, 4)];

			ot_builder_insert(&builder, letter, strlen(letter), 1);
		}
		gone = random_below(random, (int) (length < 4 ? length : 4) + 1);
		ot_builder_delete(&builder, gone);
		length -= gone;
	}
	CHECK_NUMBER(ot_builder_finish(&builder), OT_OK);
}

static void
knows_what_looking_anew_finds(void)
{
	static const char *const sought[] = {"a", "aa", "ab\xc3\xa9", "\xc3\xa9\xf0\x9f\x98\x80", "abab"};
	Random		random = {setting("PAST_SEED", 6)};

	for (int round = 0; round < 200; round++)
	{
		const char *looked_for = sought[round % 5];
		const char *start = round % 2 == 0 ? "abab\xc3\xa9\xf0\x9f\x98\x80" "aaab" : "";
		Matches    *matches;
		Rope	   *rope;
		OtBuffer	op;

		known = 0;
		ot_buffer_init(&op, &ot_libc_allocator, 0);
		CHECK_NUMBER(rope_create(&ot_libc_allocator, start, strlen(start), &rope), OT_OK);
		CHECK_NUMBER(matches_create(&ot_libc_allocator, rope, looked_for, strlen(looked_for), note_begin, NULL, &matches), OT_OK);
		check_places(matches, rope, looked_for);
		for (int i = 0; i < 60; i++)
		{
			random_op(&random, rope_length(rope), &op);
			CHECK_NUMBER(matches_apply(matches, rope, ot_buffer_op(&op), note_begin, note_end, NULL), OT_OK);
			check_places(matches, rope, looked_for);
		}
		matches_free(matches);
		rope_free(rope);
		ot_buffer_free(&op);
	}
}

static void
says_when_there_is_no_memory(void)
{
	OtStatus	status = OT_NO_MEMORY;
	OtOp		op = op_of("[3,\"ababab\"]");

	for (int left = 0; status == OT_NO_MEMORY; left++)
	{
		Scarce		scarce;
		Matches    *matches = NULL;
		Rope	   *rope = NULL;

		known = 0;
		CHECK_NUMBER(rope_create(&ot_libc_allocator, "abab", 4, &rope), OT_OK);
		scarce_init(&scarce, left);
		status = matches_create(&scarce.allocator, rope, "ab", 2, note_begin, NULL, &matches);
		if (status == OT_OK)
			status = matches_apply(matches, rope, op, note_begin, note_end, NULL);
		CHECK(status == OT_OK || status == OT_NO_MEMORY);
		CHECK(left < 100);
		matches_free(matches);
		rope_free(rope);
	}
}

static const TapTest tests[] = {
	{"it knows what looking anew finds", knows_what_looking_anew_finds},
	{"it says when there is no memory", says_when_there_is_no_memory},
};

TAP_MAIN("unit-matches", tests);
