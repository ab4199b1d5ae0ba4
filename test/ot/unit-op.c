/*
 * unit-op.c
 *		The packed form: buffer, builder, reader, measure, and what ot_check() takes.
 */
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tap.h"

/* e with acute accent, and an emoji. */
#define E_ACUTE "\xc3\xa9"
#define EMOJI	"\xf0\x9f\x98\x80"

static OtBuffer out;
static OtBuilder builder;

/* Begin an op in an empty buffer. */
static void
begin(void)
{
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	ot_builder_init(&builder, &out);
}

/* End it; its JSON text, or the status. */
static const char *
finish(void)
{
	OtStatus	status = ot_builder_finish(&builder);
	const char *text;

	text = status == OT_OK ? json_of(ot_buffer_op(&out)) : status_name(status);
	ot_buffer_free(&out);
	return text;
}

/* ---- buffer ---- */

static void
buffer_keeps_reserved_bytes(void)
{
	ot_buffer_init(&out, &ot_libc_allocator, 16);
	CHECK_NUMBER(ot_buffer_append(&out, "abc", 3), OT_OK);
	memset(out.data, 0xff, 16);
	CHECK_NUMBER(out.size, 19);
	CHECK_NUMBER(ot_buffer_op(&out).size, 3);
	CHECK(memcmp(ot_buffer_op(&out).data, "abc", 3) == 0);
	ot_buffer_reset(&out);
	CHECK_NUMBER(out.size, 16);
	ot_buffer_free(&out);
}

static void
buffer_has_reserved_bytes_for_an_identity(void)
{
	ot_buffer_init(&out, &ot_libc_allocator, 4);
	ot_builder_init(&builder, &out);
	CHECK_NUMBER(ot_builder_finish(&builder), OT_OK);
	CHECK(out.data != NULL && out.capacity >= 4);
	CHECK_NUMBER(ot_buffer_op(&out).size, 0);
	ot_buffer_free(&out);
}

static void
buffer_without_memory_is_an_identity(void)
{
	ot_buffer_init(&out, &ot_libc_allocator, 4);
	CHECK_NUMBER(ot_buffer_op(&out).size, 0);
	CHECK_TEXT(json_of(ot_buffer_op(&out)), "[]");
}

static void
buffer_refuses_more_than_a_datum(void)
{
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ot_buffer_append(&out, "abc", (size_t) 1 << 30), OT_TOO_LARGE);
	CHECK_NUMBER(ot_buffer_append(&out, "abc", SIZE_MAX), OT_TOO_LARGE);
	CHECK_NUMBER(ot_buffer_append(&out, "abc", 3), OT_OK);
	CHECK_NUMBER(ot_buffer_append(&out, "abc", SIZE_MAX - 1), OT_TOO_LARGE);
	ot_buffer_free(&out);
}

/* ---- builder ---- */

static void
builder_makes_nothing_of_nothing(void)
{
	begin();
	ot_builder_retain(&builder, 0);
	ot_builder_insert(&builder, "", 0, 0);
	ot_builder_delete(&builder, 0);
	CHECK_TEXT(finish(), "[]");
}

static void
builder_drops_a_retain_at_the_end(void)
{
	begin();
	ot_builder_insert(&builder, "a", 1, 1);
	ot_builder_retain(&builder, 5);
	CHECK_TEXT(finish(), "[\"a\"]");
}

static void
builder_merges_neighbours(void)
{
	begin();
	ot_builder_retain(&builder, 2);
	ot_builder_retain(&builder, 3);
	ot_builder_insert(&builder, "a", 1, 1);
	ot_builder_delete(&builder, 0);
	ot_builder_insert(&builder, EMOJI, 4, 1);
	ot_builder_insert(&builder, "b", 1, 1);
	ot_builder_delete(&builder, 4);
	ot_builder_retain(&builder, 0);
	ot_builder_delete(&builder, 1);
	CHECK_TEXT(finish(), "[5,\"a" EMOJI "b\",{\"d\":5}]");
}

static void
builder_keeps_the_order_of_insert_and_delete(void)
{
	begin();
	ot_builder_delete(&builder, 1);
	ot_builder_insert(&builder, "a", 1, 1);
	CHECK_TEXT(finish(), "[{\"d\":1},\"a\"]");
	begin();
	ot_builder_insert(&builder, "a", 1, 1);
	ot_builder_delete(&builder, 1);
	CHECK_TEXT(finish(), "[\"a\",{\"d\":1}]");
}

/* Built of single characters, an insert's header grows under its text. */
static void
builder_makes_room_for_a_growing_header(void)
{
	enum
	{
		LENGTH = 9000
	};
	OtReader	reader;
	OtComponent component;

	begin();
	ot_builder_retain(&builder, 1);
	for (int i = 0; i < LENGTH; i++)
		if (i % 2 == 0 || i < 40)
			ot_builder_insert(&builder, &"abcdefghij"[i % 10], 1, 1);
		else
			ot_builder_insert(&builder, E_ACUTE, 2, 1);
	CHECK_NUMBER(ot_builder_finish(&builder), OT_OK);
	CHECK_NUMBER(ot_check(ot_buffer_op(&out)), OT_OK);
	ot_reader_init(&reader, ot_buffer_op(&out));
	CHECK(ot_reader_next(&reader, &component) && component.kind == OT_RETAIN);
	CHECK(ot_reader_next(&reader, &component) && component.kind == OT_INSERT);
	CHECK_NUMBER(component.length, LENGTH);
	CHECK(memcmp(component.text, "abcdefghij", 10) == 0);
	CHECK(memcmp(component.text + component.text_size - 3, "i" E_ACUTE, 3) == 0);
	CHECK(!ot_reader_next(&reader, &component));
	ot_buffer_free(&out);
}

static void
builder_takes_the_longest_and_no_more(void)
{
	begin();
	ot_builder_retain(&builder, OT_MAX_LENGTH - 1);
	ot_builder_delete(&builder, 1);
	CHECK_TEXT(finish(), "[1073741823,{\"d\":1}]");
	begin();
	ot_builder_retain(&builder, OT_MAX_LENGTH);
	ot_builder_delete(&builder, 1);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
	begin();
	ot_builder_delete(&builder, OT_MAX_LENGTH + 1);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
	begin();
	ot_builder_retain(&builder, INT64_MAX);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
}

/* Retains and deletes that are each within the limit, and merged far beyond. */
static void
builder_refuses_what_merges_past_the_limit(void)
{
	begin();
	for (int i = 0; i < 100; i++)
		ot_builder_retain(&builder, OT_MAX_LENGTH);
	ot_builder_insert(&builder, "a", 1, 1);
	ot_builder_delete(&builder, 1);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
	begin();
	for (int i = 0; i < 100; i++)
		ot_builder_delete(&builder, OT_MAX_LENGTH);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
}

static void
builder_refuses_absurd_inserts(void)
{
	begin();
	ot_builder_retain(&builder, 1);
	ot_builder_insert(&builder, "a", 1, INT64_MAX);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
	begin();
	ot_builder_retain(&builder, 1);
	ot_builder_insert(&builder, "a", SIZE_MAX, 1);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
}

static void
builder_limits_the_result(void)
{
	begin();
	ot_builder_retain(&builder, OT_MAX_LENGTH - 1);
	ot_builder_insert(&builder, "a", 1, 1);
	CHECK_TEXT(finish(), "[1073741823,\"a\"]");
	begin();
	ot_builder_retain(&builder, OT_MAX_LENGTH);
	ot_builder_insert(&builder, "a", 1, 1);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
	/* What is deleted makes room. */
	begin();
	ot_builder_delete(&builder, OT_MAX_LENGTH);
	ot_builder_insert(&builder, "a", 1, 1);
	CHECK_TEXT(finish(), "[{\"d\":1073741824},\"a\"]");
}

static void
builder_does_not_count_a_retain_it_drops(void)
{
	begin();
	ot_builder_delete(&builder, 1);
	ot_builder_retain(&builder, OT_MAX_LENGTH);
	ot_builder_retain(&builder, OT_MAX_LENGTH);
	CHECK_TEXT(finish(), "[{\"d\":1}]");
}

static void
builder_keeps_its_first_error(void)
{
	begin();
	ot_builder_insert(&builder, "a", OT_MAX_BYTES + 1, 1);
	ot_builder_insert(&builder, "b", 1, 1);
	ot_builder_retain(&builder, 1);
	ot_builder_delete(&builder, 1);
	CHECK_NUMBER(builder.status, OT_TOO_LARGE);
	CHECK_TEXT(finish(), "OT_TOO_LARGE");
}

/* A builder in memory that is never touched but at its end. */
static void
builder_limits_bytes_exactly(void)
{
	const size_t reserved = 16;
	uint8_t    *memory = calloc(OT_MAX_BYTES + 64, 1);

	for (size_t over = 0; CHECK(memory != NULL) && over < 2; over++)
	{
		OtStatus	want = over == 0 ? OT_OK : OT_TOO_LARGE;

		out.allocator = &ot_libc_allocator;
		out.data = memory;
		out.capacity = OT_MAX_BYTES + 64;
		out.reserved = reserved;
		out.size = reserved;
		ot_builder_init(&builder, &out);
		out.size = reserved + OT_MAX_BYTES - 2 + over;
		ot_builder_insert(&builder, "a", 1, 1);
		CHECK_NUMBER(ot_builder_finish(&builder), want);
		ot_builder_init(&builder, &out);
		out.size = reserved + OT_MAX_BYTES - 1 + over;
		ot_builder_delete(&builder, 1);
		CHECK_NUMBER(ot_builder_finish(&builder), want);
	}
	free(memory);
}

/* ---- reader and measure ---- */

static void
reader_gives_each_component(void)
{
	OtReader	reader;
	OtComponent component;

	ot_reader_init(&reader, op_of("[300,\"ab\",{\"d\":7},\"c" EMOJI "\"]"));
	CHECK(ot_reader_next(&reader, &component));
	CHECK(component.kind == OT_RETAIN && component.length == 300);
	CHECK(component.text == NULL && component.text_size == 0);
	CHECK(ot_reader_next(&reader, &component));
	CHECK(component.kind == OT_INSERT && component.length == 2 && component.text_size == 2);
	CHECK(memcmp(component.text, "ab", 2) == 0);
	CHECK(ot_reader_next(&reader, &component));
	CHECK(component.kind == OT_DELETE && component.length == 7);
	CHECK(component.text == NULL && component.text_size == 0);
	CHECK(ot_reader_next(&reader, &component));
	CHECK(component.kind == OT_INSERT && component.length == 2 && component.text_size == 5);
	CHECK(memcmp(component.text, "c" EMOJI, 5) == 0);
	CHECK(!ot_reader_next(&reader, &component));
	CHECK(!ot_reader_next(&reader, &component));
}

static void
measure_counts(void)
{
	OtMeasure	measure;

	ot_measure(op_of("[300,\"ab\",{\"d\":7},2,\"c" EMOJI "\"]"), &measure);
	CHECK_NUMBER(measure.base_length, 309);
	CHECK_NUMBER(measure.inserted, 4);
	CHECK_NUMBER(measure.deleted, 7);
	CHECK_NUMBER(measure.components, 5);
	ot_measure(op_of("[]"), &measure);
	CHECK_NUMBER(measure.base_length, 0);
	CHECK_NUMBER(measure.components, 0);
}

/* ---- the packed form, byte by byte ---- */

typedef struct Packed
{
	const char *bytes;
	size_t		size;
	OtStatus	status;
	const char *json;			/* what it is, or what is wrong */
} Packed;

#define BYTES(literal)	literal, sizeof(literal) - 1

static const Packed packed_forms[] = {
	{BYTES(""), OT_OK, "[]"},
	{BYTES("\x05"), OT_OK, "[{\"d\":1}]"},
	{BYTES("\x08\x06x"), OT_OK, "[2,\"x\"]"},
	{BYTES("\x80\x01\x06x"), OT_OK, "[32,\"x\"]"},
	{BYTES("\x07\x01\xc3\xa9"), OT_OK, "[\"" E_ACUTE "\"]"},
	{BYTES("\x0b\x03" "a\xf0\x9f\x98\x80"), OT_OK, "[\"a" EMOJI "\"]"},
	{BYTES("\x05\x06x"), OT_OK, "[{\"d\":1},\"x\"]"},
	{BYTES("\x06x\x05"), OT_OK, "[\"x\",{\"d\":1}]"},
	{BYTES("\x81\x80\x80\x80\x10"), OT_OK, "[{\"d\":1073741824}]"},

	{BYTES("\x08"), OT_MALFORMED, "a retain at the end"},
	{BYTES("\x08\x08\x05"), OT_MALFORMED, "two retains"},
	{BYTES("\x05\x05"), OT_MALFORMED, "two deletes"},
	{BYTES("\x06x\x06y"), OT_MALFORMED, "two inserts"},
	{BYTES("\x06x\x07\x01\xc3\xa9"), OT_MALFORMED, "two inserts, one of them wide"},
	{BYTES("\x00\x05"), OT_MALFORMED, "an empty retain"},
	{BYTES("\x01"), OT_MALFORMED, "an empty delete"},
	{BYTES("\x02"), OT_MALFORMED, "an empty insert"},
	{BYTES("\x03\x01x"), OT_MALFORMED, "an empty wide insert"},
	{BYTES("\x85\x00"), OT_MALFORMED, "a header longer than it need be"},
	{BYTES("\x85\x80\x00"), OT_MALFORMED, "a header much longer than it need be"},
	{BYTES("\x85"), OT_MALFORMED, "a header cut off"},
	{BYTES("\x85\x80\x80\x80\x80\x01"), OT_MALFORMED, "a header of six bytes"},
	{BYTES("\x06"), OT_MALFORMED, "an insert without its text"},
	{BYTES("\x0ax"), OT_MALFORMED, "an insert with half its text"},
	{BYTES("\x07"), OT_MALFORMED, "a wide insert without its second header"},
	{BYTES("\x07\x01\xc3"), OT_MALFORMED, "a wide insert cut off"},
	{BYTES("\x07\x00x"), OT_MALFORMED, "a wide insert that is ASCII"},
	{BYTES("\x07\x81\x00\xc3\xa9"), OT_MALFORMED, "a second header longer than it need be"},
	{BYTES("\x0b\x01\xc3\xa9"), OT_MALFORMED, "a wide insert with fewer bytes than it says"},
	{BYTES("\x07\x02\xc3\xa9x"), OT_MALFORMED, "a wide insert of more cp than it says"},
	{BYTES("\x0a\xc3\xa9"), OT_MALFORMED, "a plain insert that is not ASCII"},
	{BYTES("\x06\xc3\xa9"), OT_BAD_UTF8, "a plain insert that ends in a character"},
	{BYTES("\x07\x01\xc3\x41"), OT_BAD_UTF8, "text that is not UTF-8"},
	{BYTES("\x06\x00"), OT_NUL, "U+0000"},
	{BYTES("\x85\x80\x80\x80\x10"), OT_TOO_LARGE, "a delete past the limit"},
	{BYTES("\x80\x80\x80\x80\x10\x05"), OT_TOO_LARGE, "a base past the limit"},
	{BYTES("\x80\x80\x80\x80\x10\x06x"), OT_TOO_LARGE, "a result past the limit"},
	{BYTES("\xff\xff\xff\xff\x7f"), OT_TOO_LARGE, "the largest header of five bytes"}
};

/* Each form alone in memory, so that the sanitizer sees a byte read too far. */
static void
check_takes_and_refuses(void)
{
	for (size_t i = 0; i < sizeof(packed_forms) / sizeof(packed_forms[0]); i++)
	{
		const Packed *form = &packed_forms[i];
		uint8_t    *bytes = malloc(form->size + (form->size == 0));
		OtOp		op = {bytes, form->size};

		memcpy(bytes, form->bytes, form->size);
		if (!CHECK_TEXT(status_name(ot_check(op)), status_name(form->status)))
			tap_check(false, form->json, __FILE__, __LINE__);
		if (form->status == OT_OK)
		{
			OtOp		same = op_of(form->json);

			CHECK_TEXT(json_of(op), form->json);
			CHECK(same.size == op.size && memcmp(same.data, op.data, op.size) == 0);
		}
		free(bytes);
	}
}

static void
check_refuses_too_many_bytes(void)
{
	OtOp		op = {(const uint8_t *) "", OT_MAX_BYTES + 1};

	CHECK_NUMBER(ot_check(op), OT_TOO_LARGE);
}

static void
a_keystroke_is_small(void)
{
	CHECK_NUMBER(op_of("[100000,\"x\"]").size, 5);
}

static const TapTest tests[] = {
	{"a buffer leaves its reserved bytes alone", buffer_keeps_reserved_bytes},
	{"an identity comes with its reserved bytes", buffer_has_reserved_bytes_for_an_identity},
	{"a buffer without memory holds the identity", buffer_without_memory_is_an_identity},
	{"a buffer refuses more than a datum can be", buffer_refuses_more_than_a_datum},
	{"empty components vanish", builder_makes_nothing_of_nothing},
	{"a retain at the end vanishes", builder_drops_a_retain_at_the_end},
	{"equal neighbours merge", builder_merges_neighbours},
	{"insert and delete keep their order", builder_keeps_the_order_of_insert_and_delete},
	{"a growing header pushes its text", builder_makes_room_for_a_growing_header},
	{"the longest op is taken and no longer one", builder_takes_the_longest_and_no_more},
	{"what merges past the limit is refused", builder_refuses_what_merges_past_the_limit},
	{"inserts of absurd sizes are refused", builder_refuses_absurd_inserts},
	{"the result's length is limited, too", builder_limits_the_result},
	{"a retain that is dropped does not count", builder_does_not_count_a_retain_it_drops},
	{"the first error sticks", builder_keeps_its_first_error},
	{"the limit of bytes is exact", builder_limits_bytes_exactly},
	{"the reader gives each component", reader_gives_each_component},
	{"measure counts what an op needs, brings and takes", measure_counts},
	{"check takes the normal form and nothing else", check_takes_and_refuses},
	{"check refuses too many bytes", check_refuses_too_many_bytes},
	{"a keystroke packs into five bytes", a_keystroke_is_small}
};

TAP_MAIN("unit-op", tests);
