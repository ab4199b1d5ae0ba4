/*
 * unit-algebra.c
 *		Transform, compose, apply, invert and positions, an example a behaviour.
 *
 * That the examples are the whole truth is what laws.c and exhaustive.c show.
 */
#include <string.h>

#include "support.h"
#include "tap.h"

#define E_ACUTE "\xc3\xa9"
#define COMBINING_ACUTE "\xcc\x81"
#define HAN		"\xe6\xbc\xa2"
#define EMOJI	"\xf0\x9f\x98\x80"

/* ---- transform ---- */

static void
transform_moves_behind_an_insert(void)
{
	CHECK_TEXT(transformed("[5,\"x\"]", "[2,\"" HAN HAN "\"]", OT_LEFT), "[7,\"x\"]");
	CHECK_TEXT(transformed("[5,{\"d\":2}]", "[2,\"ab\"]", OT_LEFT), "[7,{\"d\":2}]");
	CHECK_TEXT(transformed("[2,\"x\"]", "[5,\"ab\"]", OT_LEFT), "[2,\"x\"]");
}

static void
transform_breaks_a_tie_by_side(void)
{
	CHECK_TEXT(transformed("[2,\"x\"]", "[2,\"ab\"]", OT_LEFT), "[2,\"x\"]");
	CHECK_TEXT(transformed("[2,\"x\"]", "[2,\"ab\"]", OT_RIGHT), "[4,\"x\"]");
	CHECK_TEXT(transformed("[\"x\"]", "[\"ab\"]", OT_LEFT), "[\"x\"]");
	CHECK_TEXT(transformed("[\"x\"]", "[\"ab\"]", OT_RIGHT), "[2,\"x\"]");
}

static void
transform_moves_before_a_delete(void)
{
	CHECK_TEXT(transformed("[5,\"x\"]", "[1,{\"d\":2}]", OT_LEFT), "[3,\"x\"]");
	CHECK_TEXT(transformed("[5,\"x\"]", "[1,{\"d\":8}]", OT_LEFT), "[1,\"x\"]");
	CHECK_TEXT(transformed("[5,\"x\"]", "[1,{\"d\":8}]", OT_RIGHT), "[1,\"x\"]");
}

static void
transform_deletes_nothing_twice(void)
{
	CHECK_TEXT(transformed("[2,{\"d\":4}]", "[3,{\"d\":2}]", OT_LEFT), "[2,{\"d\":2}]");
	CHECK_TEXT(transformed("[2,{\"d\":4}]", "[1,{\"d\":9}]", OT_LEFT), "[]");
	CHECK_TEXT(transformed("[2,{\"d\":4}]", "[{\"d\":3}]", OT_LEFT), "[{\"d\":3}]");
}

static void
transform_splits_a_delete_around_an_insert(void)
{
	CHECK_TEXT(transformed("[1,{\"d\":4}]", "[3,\"" EMOJI "\"]", OT_LEFT),
			   "[1,{\"d\":2},1,{\"d\":2}]");
}

static void
transform_merges_what_comes_together(void)
{
	CHECK_TEXT(transformed("[\"a\",1,\"" E_ACUTE "\"]", "[{\"d\":1}]", OT_LEFT), "[\"a" E_ACUTE "\"]");
	CHECK_TEXT(transformed("[{\"d\":1},1,{\"d\":1}]", "[1,{\"d\":1}]", OT_RIGHT), "[{\"d\":2}]");
	CHECK_TEXT(transformed("[\"a\",{\"d\":2},\"b\"]", "[{\"d\":2}]", OT_RIGHT), "[\"ab\"]");
}

static void
transform_drops_what_it_retains_at_the_end(void)
{
	CHECK_TEXT(transformed("[3,{\"d\":1}]", "[3,{\"d\":1}]", OT_LEFT), "[]");
	CHECK_TEXT(transformed("[{\"d\":1},3,{\"d\":1}]", "[4,{\"d\":1},\"z\"]", OT_LEFT), "[{\"d\":1}]");
}

static void
transform_with_identities(void)
{
	CHECK_TEXT(transformed("[]", "[2,\"a\",{\"d\":1}]", OT_LEFT), "[]");
	CHECK_TEXT(transformed("[2,\"a\",{\"d\":1}]", "[]", OT_RIGHT), "[2,\"a\",{\"d\":1}]");
	CHECK_TEXT(transformed("[]", "[]", OT_LEFT), "[]");
}

/* An insert made left of a deleted range and one right of it stay in their order. */
static void
transform_past_inserts_around_a_delete(void)
{
	CHECK_TEXT(transformed("[1,\"x\"]", "[\"a\",{\"d\":1},\"b\"]", OT_LEFT), "[1,\"x\"]");
	CHECK_TEXT(transformed("[1,\"x\"]", "[\"a\",{\"d\":1},\"b\"]", OT_RIGHT), "[2,\"x\"]");
	CHECK_TEXT(transformed("[\"x\"]", "[\"a\",{\"d\":1},\"b\"]", OT_LEFT), "[\"x\"]");
	CHECK_TEXT(transformed("[\"x\"]", "[\"a\",{\"d\":1},\"b\"]", OT_RIGHT), "[1,\"x\"]");
}

static void
transform_refuses_what_grows_too_long(void)
{
	CHECK_TEXT(transformed("[1073741823,{\"d\":1}]", "[\"a\"]", OT_LEFT), "OT_TOO_LARGE");
	CHECK_TEXT(transformed("[1073741823,\"a\"]", "[\"b\"]", OT_LEFT), "OT_TOO_LARGE");
}

/* ---- compose ---- */

static void
compose_joins_typing(void)
{
	CHECK_TEXT(composed("[5,\"h\"]", "[6,\"i\"]"), "[5,\"hi\"]");
	CHECK_TEXT(composed("[5,\"i\"]", "[5,\"" HAN "\"]"), "[5,\"" HAN "i\"]");
	CHECK_TEXT(composed("[\"ad\"]", "[1,\"" E_ACUTE "\"]"), "[\"a" E_ACUTE "d\"]");
}

static void
compose_deletes_what_was_inserted(void)
{
	CHECK_TEXT(composed("[5,\"hi\"]", "[5,{\"d\":2}]"), "[]");
	CHECK_TEXT(composed("[5,\"a" E_ACUTE "b" EMOJI "c\"]", "[6,{\"d\":3}]"), "[5,\"ac\"]");
	CHECK_TEXT(composed("[5,\"hi\"]", "[4,{\"d\":4}]"), "[4,{\"d\":2}]");
}

/* What is left of a wide insert may be ASCII, and is packed as that. */
static void
compose_narrows_what_is_left(void)
{
	CHECK_TEXT(composed("[\"a" EMOJI "b\"]", "[1,{\"d\":1}]"), "[\"ab\"]");
	CHECK_TEXT(composed("[\"" EMOJI "b\"]", "[{\"d\":1}]"), "[\"b\"]");
	CHECK_TEXT(composed("[\"b" EMOJI "\"]", "[1,{\"d\":1}]"), "[\"b\"]");
	CHECK_TEXT(composed("[\"e" COMBINING_ACUTE "\"]", "[1,{\"d\":1}]"), "[\"e\"]");
}

static void
compose_joins_deletes(void)
{
	CHECK_TEXT(composed("[2,{\"d\":1}]", "[2,{\"d\":1}]"), "[2,{\"d\":2}]");
	CHECK_TEXT(composed("[2,{\"d\":1}]", "[1,{\"d\":1}]"), "[1,{\"d\":2}]");
	CHECK_TEXT(composed("[2,{\"d\":1}]", "[{\"d\":5}]"), "[{\"d\":6}]");
}

/* The choice that everything rests on. */
static void
compose_puts_the_first_delete_before_the_second_insert(void)
{
	CHECK_TEXT(composed("[2,{\"d\":2}]", "[2,\"aa\"]"), "[2,{\"d\":2},\"aa\"]");
	CHECK_TEXT(composed("[{\"d\":1}]", "[\"a\"]"), "[{\"d\":1},\"a\"]");
	CHECK_TEXT(composed("[\"a\"]", "[1,{\"d\":1}]"), "[\"a\",{\"d\":1}]");
	CHECK_TEXT(composed("[\"a\",{\"d\":1}]", "[1,\"b\"]"), "[\"a\",{\"d\":1},\"b\"]");
}

static void
compose_with_identities(void)
{
	CHECK_TEXT(composed("[]", "[2,\"a\",{\"d\":1}]"), "[2,\"a\",{\"d\":1}]");
	CHECK_TEXT(composed("[2,\"a\",{\"d\":1}]", "[]"), "[2,\"a\",{\"d\":1}]");
	CHECK_TEXT(composed("[]", "[]"), "[]");
}

static void
compose_drops_what_it_retains_at_the_end(void)
{
	CHECK_TEXT(composed("[3,\"ab\"]", "[1,{\"d\":1},1,{\"d\":2}]"), "[1,{\"d\":1}]");
}

static void
compose_refuses_what_grows_too_long(void)
{
	CHECK_TEXT(composed("[{\"d\":1}]", "[1073741823,\"a\"]"), "[{\"d\":1},1073741823,\"a\"]");
	CHECK_TEXT(composed("[{\"d\":1}]", "[1073741823,{\"d\":1}]"), "OT_TOO_LARGE");
}

/*
 * The history with which ot-text-unicode's author shows that its transform does
 * not go along with its compose.  Here it does, for the left side, exactly.
 */
static void
compose_holds_the_known_counter_example(void)
{
	static const char *const history[] = {"[2,{\"d\":2}]", "[2,\"aa\"]", "[{\"d\":2}]", "[\"bb\"]"};
	static const char *const inserts[] = {"[\"x\"]", "[1,\"x\"]", "[2,\"x\"]", "[3,\"x\"]", "[4,\"x\"]"};
	const char *all = "[]";

	for (size_t i = 0; i < 4; i++)
		all = composed(all, history[i]);
	CHECK_TEXT(all, "[{\"d\":4},\"bbaa\"]");
	for (size_t i = 0; i < 5; i++)
	{
		const char *moved = inserts[i];

		for (size_t k = 0; k < 4; k++)
			moved = transformed(moved, history[k], OT_LEFT);
		CHECK_TEXT(moved, "[\"x\"]");
		CHECK_TEXT(transformed(inserts[i], all, OT_LEFT), "[\"x\"]");
	}
}

static void
compose_holds_the_known_counter_example_in_any_tree(void)
{
	const char *first = composed("[2,{\"d\":2}]", "[2,\"aa\"]");
	const char *second = composed("[{\"d\":2}]", "[\"bb\"]");

	CHECK_TEXT(composed(first, second), "[{\"d\":4},\"bbaa\"]");
	CHECK_TEXT(composed("[2,{\"d\":2}]", composed("[2,\"aa\"]", second)), "[{\"d\":4},\"bbaa\"]");
	CHECK_TEXT(composed("[2,{\"d\":2}]", composed(composed("[2,\"aa\"]", "[{\"d\":2}]"), "[\"bb\"]")),
			   "[{\"d\":4},\"bbaa\"]");
}

/* ---- apply and invert ---- */

static void
apply_counts_code_points(void)
{
	CHECK_TEXT(applied("a" E_ACUTE HAN EMOJI "z", "[3,{\"d\":1},\"" HAN "\"]"), "a" E_ACUTE HAN HAN "z");
	CHECK_TEXT(applied("e" COMBINING_ACUTE "x", "[1,{\"d\":1}]"), "ex");
	CHECK_TEXT(applied("", "[\"" EMOJI "\"]"), EMOJI);
}

static void
apply_keeps_what_the_op_does_not_reach(void)
{
	CHECK_TEXT(applied("abc", "[]"), "abc");
	CHECK_TEXT(applied("abc", "[1,\"x\"]"), "axbc");
	CHECK_TEXT(applied("abc", "[3,\"x\"]"), "abcx");
}

static void
apply_refuses_to_reach_past_the_end(void)
{
	CHECK_TEXT(applied("abc", "[4,\"x\"]"), "OT_OUT_OF_RANGE");
	CHECK_TEXT(applied("abc", "[3,{\"d\":1}]"), "OT_OUT_OF_RANGE");
	CHECK_TEXT(applied("ab" EMOJI, "[{\"d\":4}]"), "OT_OUT_OF_RANGE");
	CHECK_TEXT(applied("", "[{\"d\":1}]"), "OT_OUT_OF_RANGE");
}

static void
apply_and_invert_take_no_document(void)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ot_apply(NULL, 0, op_of("[]"), &out), OT_OK);
	CHECK_NUMBER(out.size, 0);
	CHECK_NUMBER(ot_invert(op_of("[\"a\"]"), NULL, 0, &out), OT_OK);
	CHECK_TEXT(json_of(ot_buffer_op(&out)), "[{\"d\":1}]");
	ot_buffer_free(&out);
}

static void
apply_leaves_reserved_bytes(void)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 4);
	CHECK_NUMBER(ot_apply("abc", 3, op_of("[{\"d\":3}]"), &out), OT_OK);
	CHECK(out.data != NULL);
	CHECK_NUMBER(out.size, 4);
	ot_buffer_reset(&out);
	CHECK_NUMBER(ot_apply("abc", 3, op_of("[3,\"d\"]"), &out), OT_OK);
	CHECK_TEXT(text_of(&out), "abcd");
	ot_buffer_free(&out);
}

static void
invert_gives_the_text_back(void)
{
	CHECK_TEXT(inverted("[1,{\"d\":2},\"xyz\"]", "a" HAN EMOJI "b"), "[1,\"" HAN EMOJI "\",{\"d\":3}]");
	CHECK_TEXT(inverted("[\"x\",{\"d\":1}]", "ab"), "[{\"d\":1},\"a\"]");
	CHECK_TEXT(inverted("[]", "ab"), "[]");
}

static void
invert_refuses_to_reach_past_the_end(void)
{
	CHECK_TEXT(inverted("[1,{\"d\":2}]", "a" EMOJI), "OT_OUT_OF_RANGE");
	CHECK_TEXT(inverted("[3,\"x\"]", "ab"), "OT_OUT_OF_RANGE");
}

/* ---- positions ---- */

static void
position_moves_like_an_insert(void)
{
	CHECK_NUMBER(position_after(5, "[2,\"" EMOJI "b\"]", OT_LEFT), 7);
	CHECK_NUMBER(position_after(5, "[2,{\"d\":2}]", OT_LEFT), 3);
	CHECK_NUMBER(position_after(5, "[2,{\"d\":9}]", OT_LEFT), 2);
	CHECK_NUMBER(position_after(5, "[7,\"ab\"]", OT_LEFT), 5);
	CHECK_NUMBER(position_after(5, "[]", OT_RIGHT), 5);
}

static void
position_breaks_a_tie_by_side(void)
{
	CHECK_NUMBER(position_after(2, "[2,\"ab\"]", OT_LEFT), 2);
	CHECK_NUMBER(position_after(2, "[2,\"ab\"]", OT_RIGHT), 4);
	CHECK_NUMBER(position_after(0, "[\"ab\"]", OT_LEFT), 0);
	CHECK_NUMBER(position_after(1, "[{\"d\":1},\"ab\"]", OT_LEFT), 0);
	CHECK_NUMBER(position_after(1, "[{\"d\":1},\"ab\"]", OT_RIGHT), 2);
	CHECK_NUMBER(position_after(0, "[{\"d\":1},\"ab\"]", OT_RIGHT), 0);
}

static void
position_saturates(void)
{
	CHECK_NUMBER(position_after(OT_MAX_LENGTH, "[\"ab\"]", OT_LEFT), OT_MAX_LENGTH);
	CHECK_NUMBER(position_after(INT64_MAX, "[\"ab\"]", OT_RIGHT), OT_MAX_LENGTH);
}

static const TapTest tests[] = {
	{"transform moves behind an earlier insert", transform_moves_behind_an_insert},
	{"transform breaks a tie by side", transform_breaks_a_tie_by_side},
	{"transform moves to the front of what was deleted around it", transform_moves_before_a_delete},
	{"transform deletes nothing twice", transform_deletes_nothing_twice},
	{"transform splits a delete around an insert", transform_splits_a_delete_around_an_insert},
	{"transform merges what comes together", transform_merges_what_comes_together},
	{"transform drops what it retains at the end", transform_drops_what_it_retains_at_the_end},
	{"transform with identities", transform_with_identities},
	{"transform past inserts around a delete", transform_past_inserts_around_a_delete},
	{"transform refuses what grows too long", transform_refuses_what_grows_too_long},
	{"compose joins typing", compose_joins_typing},
	{"compose deletes what was inserted", compose_deletes_what_was_inserted},
	{"compose narrows what is left of an insert", compose_narrows_what_is_left},
	{"compose joins deletes", compose_joins_deletes},
	{"compose puts the first's delete before the second's insert",
	compose_puts_the_first_delete_before_the_second_insert},
	{"compose with identities", compose_with_identities},
	{"compose drops what it retains at the end", compose_drops_what_it_retains_at_the_end},
	{"compose refuses what grows too long", compose_refuses_what_grows_too_long},
	{"the known counter-example holds from the left", compose_holds_the_known_counter_example},
	{"the known counter-example composes in any tree",
	compose_holds_the_known_counter_example_in_any_tree},
	{"apply counts code points", apply_counts_code_points},
	{"apply keeps what the op does not reach", apply_keeps_what_the_op_does_not_reach},
	{"apply refuses to reach past the end", apply_refuses_to_reach_past_the_end},
	{"an empty document needs no address", apply_and_invert_take_no_document},
	{"apply leaves the reserved bytes", apply_leaves_reserved_bytes},
	{"invert gives the text back", invert_gives_the_text_back},
	{"invert refuses to reach past the end", invert_refuses_to_reach_past_the_end},
	{"a position moves as an insert does", position_moves_like_an_insert},
	{"a position breaks a tie by side", position_breaks_a_tie_by_side},
	{"a position saturates", position_saturates}
};

TAP_MAIN("unit-algebra", tests);
