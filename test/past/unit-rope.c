/*
 * unit-rope.c
 *		The rope against a document that is an array of code points.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/chunks.h"
#include "../../src/past/rope.h"
#include "../ot/naive.h"
#include "../ot/tap.h"
#include "scarce.h"

#define E_ACUTE	"\xc3\xa9"
#define HAN		"\xe6\xbc\xa2"
#define EMOJI	"\xf0\x9f\x98\x80"
#define COMBINING "e\xcc\x81"

static Rope *
new_rope(const char *text)
{
	Rope	   *rope = NULL;

	CHECK_NUMBER(rope_create(&ot_libc_allocator, text, strlen(text), &rope), OT_OK);
	return rope;
}

/* A rope's text. */
static const char *
text_in(const Rope *rope)
{
	OtBuffer	text;
	const char *kept;

	ot_buffer_init(&text, &ot_libc_allocator, 0);
	CHECK_NUMBER(rope_text(rope, &text), OT_OK);
	CHECK_NUMBER(rope_size(rope), text.size);
	CHECK_NUMBER(rope_length(rope), ot_utf8_length((const char *) text.data, text.size));
	kept = text_of(&text);
	ot_buffer_free(&text);
	return kept;
}

/* What an op is told to do: "+pos:text" and "-pos:text", one after another. */
static OtStatus
note(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *text, size_t size)
{
	char	   *notes = ctx;
	size_t		at = strlen(notes);

	CHECK_NUMBER(ot_utf8_length(text, size), length);
	sprintf(notes + at, "%c%d:%.*s ", kind == OT_INSERT ? '+' : '-', (int) pos,
			(int) size, text);
	return OT_OK;
}

static OtStatus
refuse(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *text, size_t size)
{
	(void) ctx;
	(void) pos;
	(void) length;
	(void) text;
	(void) size;
	return kind == OT_DELETE ? OT_TOO_LARGE : OT_OK;
}

static void
begins_with_its_text(void)
{
	Rope	   *empty = new_rope("");
	Rope	   *rope = new_rope("a" E_ACUTE HAN EMOJI COMBINING);

	CHECK_TEXT(text_in(empty), "");
	CHECK_TEXT(text_in(rope), "a" E_ACUTE HAN EMOJI COMBINING);
	CHECK_NUMBER(rope_length(rope), 6);
	CHECK_NUMBER(rope_size(rope), 13);
	rope_free(empty);
	rope_free(rope);
	rope_free(NULL);
}

static void
counts_positions_in_code_points(void)
{
	Rope	   *rope = new_rope(EMOJI HAN E_ACUTE);

	CHECK_NUMBER(rope_apply(rope, op_of("[1,\"x\",1,{\"d\":1},\"" COMBINING "\"]"),
							NULL, NULL), OT_OK);
	CHECK_TEXT(text_in(rope), EMOJI "x" HAN COMBINING);
	CHECK_NUMBER(rope_apply(rope, op_of("[]"), NULL, NULL), OT_OK);
	CHECK_NUMBER(rope_apply(rope, op_of("[{\"d\":5}]"), NULL, NULL), OT_OK);
	CHECK_TEXT(text_in(rope), "");
	CHECK_NUMBER(rope_apply(rope, op_of("[\"" HAN "\"]"), NULL, NULL), OT_OK);
	CHECK_TEXT(text_in(rope), HAN);
	rope_free(rope);
}

static void
tells_of_each_edit_where_it_acts(void)
{
	Rope	   *rope = new_rope("abc" EMOJI "def");
	char		notes[200] = "";

	CHECK_NUMBER(rope_apply(rope, op_of("[1,{\"d\":1},\"XY\",1,{\"d\":2},1,\"" HAN "\",{\"d\":1}]"),
							note, notes), OT_OK);
	CHECK_TEXT(notes, "-1:b +1:XY -4:" EMOJI "d +5:" HAN " -6:f ");
	CHECK_TEXT(text_in(rope), "aXYce" HAN);
	rope_free(rope);
}

static void
refuses_what_reaches_past_the_end(void)
{
	Rope	   *rope = new_rope("ab" EMOJI);
	char		notes[200] = "";

	CHECK_NUMBER(rope_apply(rope, op_of("[\"x\",3,{\"d\":1}]"), note, notes), OT_OUT_OF_RANGE);
	CHECK_NUMBER(rope_apply(rope, op_of("[4,\"x\"]"), note, notes), OT_OUT_OF_RANGE);
	CHECK_TEXT(notes, "");
	CHECK_TEXT(text_in(rope), "ab" EMOJI);
	CHECK_NUMBER(rope_apply(rope, op_of("[3,\"x\"]"), note, notes), OT_OK);
	CHECK_TEXT(text_in(rope), "ab" EMOJI "x");
	rope_free(rope);
}

static void
ends_where_its_visitor_does(void)
{
	Rope	   *rope = new_rope("abc");

	CHECK_NUMBER(rope_apply(rope, op_of("[\"x\",1,{\"d\":1},\"y\"]"), refuse, NULL), OT_TOO_LARGE);
	CHECK_TEXT(text_in(rope), "xabc");
	rope_free(rope);
}

/* Insert a character at one place, again and again. */
static void
takes_many_inserts_at_one_place(void)
{
	static const char *const ops[] = {"[\"a\"]", "[1000,\"" EMOJI "\"]", "[3000,\"" HAN "\"]"};
	Rope	   *rope = new_rope("");
	char		start[6000];

	memset(start, 'z', sizeof(start) - 1);
	start[sizeof(start) - 1] = '\0';
	rope_free(rope);
	rope = new_rope(start);
	for (int i = 0; i < 3; i++)
	{
		OtOp		op = op_of(ops[i]);

		for (int j = 0; j < 5000; j++)
			CHECK_NUMBER(rope_apply(rope, op, NULL, NULL), OT_OK);
	}
	CHECK_NUMBER(rope_length(rope), 5999 + 15000);
	CHECK_NUMBER(rope_size(rope), 5999 + 5000 * (1 + 4 + 3));
	CHECK_NUMBER(strlen(text_in(rope)), 5999 + 5000 * (1 + 4 + 3));
	rope_free(rope);
}

/* Type until chunks are full, then at the end of the first, again and again. */
static void
fills_chunks_at_their_ends(void)
{
	Scarce		scarce;
	Rope	   *rope;
	char		json[40];

	scarce_init(&scarce, -1);
	CHECK_NUMBER(rope_create(&scarce.allocator, "x", 1, &rope), OT_OK);
	for (int i = 1; i < CHUNK_BYTES * 2; i++)
	{
		sprintf(json, "[%d,\"x\"]", i);
		CHECK_NUMBER(rope_apply(rope, op_of(json), NULL, NULL), OT_OK);
	}
	sprintf(json, "[%d,\"x\"]", CHUNK_BYTES);
	for (int i = 0; i < 4000; i++)
		CHECK_NUMBER(rope_apply(rope, op_of(json), NULL, NULL), OT_OK);
	CHECK(scarce.asked < 20 + 4000 / CHUNK_BYTES * 6);
	rope_free(rope);
}

/* Build an op on a large document. */
static OtOp
large_op(int64_t retain, int64_t delete, const char *text, size_t size, OtBuffer *out)
{
	OtBuilder	builder;

	ot_buffer_reset(out);
	ot_builder_init(&builder, out);
	ot_builder_retain(&builder, retain);
	ot_builder_delete(&builder, delete);
	ot_builder_insert(&builder, text, size, ot_utf8_length(text, size));
	CHECK_NUMBER(ot_builder_finish(&builder), OT_OK);
	return ot_buffer_op(out);
}

static void
shrinks_and_grows_by_megabytes(void)
{
	enum
	{
		REPEATS = 512 * CHUNK_BYTES
	};
	size_t		size = REPEATS * strlen("a" EMOJI HAN);
	char	   *text = support_keep(size + 1);
	Rope	   *rope;
	OtBuffer	op;

	ot_buffer_init(&op, &ot_libc_allocator, 0);
	for (int i = 0; i < REPEATS; i++)
		memcpy(text + (size_t) i * 8, "a" EMOJI HAN, 8);
	text[size] = '\0';
	rope = new_rope(text);
	CHECK(strcmp(text_in(rope), text) == 0);
	/* All but six go, then all of it comes in between. */
	CHECK_NUMBER(rope_apply(rope, large_op(3, 3 * REPEATS - 6, "", 0, &op), NULL, NULL), OT_OK);
	CHECK_TEXT(text_in(rope), "a" EMOJI HAN "a" EMOJI HAN);
	CHECK_NUMBER(rope_apply(rope, large_op(3, 0, text, size - 16, &op), NULL, NULL), OT_OK);
	CHECK(strcmp(text_in(rope), text) == 0);
	ot_buffer_free(&op);
	rope_free(rope);
}

/* ---- against the model ---- */

typedef struct Model
{
	NaiveText	text;
	NaiveText	edited;			/* what the visitor's tale makes of it */
} Model;

static void
naive_splice(NaiveText *text, int at, int removed, const NaiveText *inserted)
{
	int			count = text->count - removed + inserted->count;

	if (text->capacity <= count)
	{
		text->capacity = count * 2 + 1;
		text->cps = realloc(text->cps, (size_t) text->capacity * sizeof(uint32_t));
		if (text->cps == NULL)
			abort();
	}
	memmove(text->cps + at + inserted->count, text->cps + at + removed,
			(size_t) (text->count - at - removed) * sizeof(uint32_t));
	if (inserted->count > 0)
		memcpy(text->cps + at, inserted->cps, (size_t) inserted->count * sizeof(uint32_t));
	text->count = count;
}

/* The code points of valid text. */
static void
decode(const char *text, size_t size, NaiveText *out)
{
	static const uint8_t masks[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
	NaiveText	one = {0};
	uint32_t	cp;

	out->count = 0;
	one.cps = &cp;
	one.count = 1;
	for (size_t at = 0; at < size;)
	{
		uint8_t		lead = (uint8_t) text[at];
		int			bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

		cp = lead & masks[bytes];
		for (int i = 1; i < bytes; i++)
			cp = cp << 6 | ((uint8_t) text[at + (size_t) i] & 0x3f);
		naive_splice(out, out->count, 0, &one);
		at += (size_t) bytes;
	}
}

/* Do to the model what the rope tells. */
static OtStatus
retell(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *text, size_t size)
{
	NaiveText  *edited = &((Model *) ctx)->edited;
	NaiveText	told = {0};
	NaiveText	nothing = {0};

	decode(text, size, &told);
	CHECK_NUMBER(told.count, length);
	CHECK(pos >= 0 && pos <= edited->count);
	if (kind == OT_INSERT)
		naive_splice(edited, (int) pos, 0, &told);
	else if (CHECK(pos + length <= edited->count))
	{
		CHECK(memcmp(edited->cps + pos, told.cps, (size_t) length * sizeof(uint32_t)) == 0);
		naive_splice(edited, (int) pos, (int) length, &nothing);
	}
	naive_text_free(&told);
	return OT_OK;
}

static bool
same_text(const Rope *rope, const NaiveText *text, OtBuffer *utf8, OtBuffer *got)
{
	naive_utf8(text, utf8);
	ot_buffer_reset(got);
	return rope_text(rope, got) == OT_OK && rope_length(rope) == text->count &&
		rope_size(rope) == utf8->size && got->size == utf8->size &&
		(got->size == 0 || memcmp(got->data, utf8->data, got->size) == 0);
}

/* Many ops on one document of a random shape. */
static bool
random_case(Random *random)
{
	NaiveShape	shape = {1 + random_below(random, 12000), 1 + random_below(random, 40),
	1 + random_below(random, 200)};
	Model		model = {0};
	NaiveText	next = {0};
	NaiveOp		op = {0};
	OtBuffer	packed;
	OtBuffer	utf8;
	OtBuffer	got;
	Rope	   *rope;
	bool		passed;

	if (random_below(random, 4) == 0)
		shape.insert = 5000;
	ot_buffer_init(&packed, &ot_libc_allocator, 0);
	ot_buffer_init(&utf8, &ot_libc_allocator, 0);
	ot_buffer_init(&got, &ot_libc_allocator, 0);
	naive_random_text(random, random_below(random, shape.document + 1), &model.text);
	naive_utf8(&model.text, &utf8);
	passed = rope_create(&ot_libc_allocator, (const char *) utf8.data, utf8.size, &rope) == OT_OK;
	for (int i = 0; i < 30 && passed && model.text.count < 20000; i++)
	{
		NaiveText	nothing = {0};

		naive_random_op(random, &shape, model.text.count, &op);
		naive_pack(&op, &packed);
		naive_splice(&model.edited, 0, model.edited.count, &nothing);
		naive_splice(&model.edited, 0, 0, &model.text);
		naive_apply(&model.text, &op, &next);
		passed = rope_apply(rope, ot_buffer_op(&packed), i % 3 == 0 ? NULL : retell, &model) == OT_OK &&
			same_text(rope, &next, &utf8, &got) &&
			(i % 3 == 0 || same_text(rope, &model.edited, &utf8, &got));
		nothing = model.text;
		model.text = next;
		next = nothing;
	}
	rope_free(rope);
	naive_text_free(&model.text);
	naive_text_free(&model.edited);
	naive_text_free(&next);
	naive_op_free(&op);
	ot_buffer_free(&packed);
	ot_buffer_free(&utf8);
	ot_buffer_free(&got);
	return passed;
}

static void
is_an_array_of_code_points(void)
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

/* ---- no memory ---- */

static OtStatus
live(Scarce *scarce)
{
	static const char *const ops[] = {"[10,\"x\",1990,{\"d\":2500}]", "[6000,\"" EMOJI "\"]"};
	char		text[9001];
	char		notes[6000] = "";
	Rope	   *rope;
	OtStatus	status;

	memset(text, 'a', sizeof(text));
	status = rope_create(&scarce->allocator, text, sizeof(text), &rope);
	for (int i = 0; i < 2 && status == OT_OK; i++)
		status = rope_apply(rope, op_of(ops[i]), note, notes);
	for (int i = 0; i < 2000 && status == OT_OK; i++)
		status = rope_apply(rope, op_of("[1000,\"" HAN "\"]"), NULL, NULL);
	rope_free(rope);
	return status;
}

static void
says_when_memory_runs_out(void)
{
	Scarce		scarce;
	long		requests;

	scarce_init(&scarce, -1);
	CHECK_NUMBER(live(&scarce), OT_OK);
	requests = scarce.asked;
	CHECK(requests > 8);
	for (long i = 0; i < requests; i += i < 10 ? 1 : 1 + requests / 40)
	{
		scarce_init(&scarce, i);
		CHECK_NUMBER(live(&scarce), OT_NO_MEMORY);
	}
}

static const TapTest tests[] = {
	{"a rope begins with its text", begins_with_its_text},
	{"positions are code points", counts_positions_in_code_points},
	{"each edit is told of where it acts", tells_of_each_edit_where_it_acts},
	{"an op that reaches past the end changes nothing", refuses_what_reaches_past_the_end},
	{"an op ends where its visitor does", ends_where_its_visitor_does},
	{"many inserts at one place", takes_many_inserts_at_one_place},
	{"inserts at the ends of chunks leave no small ones", fills_chunks_at_their_ends},
	{"megabytes go and come", shrinks_and_grows_by_megabytes},
	{"random ops do what they do to an array", is_an_array_of_code_points},
	{"no memory is said", says_when_memory_runs_out},
};

TAP_MAIN("unit-rope", tests);
