/*
 * unit-anchors.c
 *		Ranges that follow ops, against each of them carried by itself; ranges that return.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/anchors.h"
#include "../ot/naive.h"
#include "../ot/tap.h"
#include "scarce.h"

#define MOST_RANGES 300

static Anchors *
new_anchors(void)
{
	Anchors    *anchors = NULL;

	CHECK_NUMBER(anchors_create(&ot_libc_allocator, &anchors), OT_OK);
	return anchors;
}

/* A passage of ASCII, with what stood around it. */
static Quote
quote(const char *prefix, const char *text, const char *suffix)
{
	return (Quote)
	{
		(int64_t) strlen(text), text, strlen(text), prefix, strlen(prefix), suffix, strlen(suffix)
	};
}

static void
add(Anchors *anchors, int64_t from, int64_t to, const char *text)
{
	Quote		passage = quote("", text, "");
	AnchorPlace place = {from, to, true};

	CHECK_NUMBER(anchors_add(anchors, &place, &passage), OT_OK);
}

/* Add what is left of a passage without its first character. */
static void
add_rest(Anchors *anchors, int64_t from, int64_t to, const char *text)
{
	Quote		passage = quote("", text, "");
	AnchorPlace place = {from, to, false};

	CHECK_NUMBER(anchors_add(anchors, &place, &passage), OT_OK);
}

static void
apply(Anchors *anchors, const char *op)
{
	CHECK_NUMBER(anchors_apply(anchors, op_of(op)), OT_OK);
}

/* All ranges as text: "4-8 9-9", with a "+" where the first character lives. */
static const char *
places(const Anchors *anchors, int count)
{
	AnchorPlace all[MOST_RANGES];
	char	   *text = support_keep(4000);
	size_t		at = 0;

	anchors_places(anchors, all);
	text[0] = '\0';
	for (int i = 0; i < count; i++)
		at += (size_t) sprintf(text + at, "%s%d-%d%s", i > 0 ? " " : "", (int) all[i].from, (int) all[i].to,
						all[i].alive ? "+" : "");
	return text;
}

/* ---- by example ---- */

static void
moves_with_its_text(void)
{
	Anchors    *anchors = new_anchors();

	add(anchors, 4, 8, "");
	add(anchors, 0, 1, "");
	apply(anchors, "[2,\"xyz\"]");
	CHECK_TEXT(places(anchors, 2), "7-11+ 0-1+");
	apply(anchors, "[7,\"a\",4,\"b\"]");
	CHECK_TEXT(places(anchors, 2), "8-12+ 0-1+");
	apply(anchors, "[10,\"cd\"]");
	CHECK_TEXT(places(anchors, 2), "8-14+ 0-1+");
	apply(anchors, "[7,{\"d\":3}]");
	CHECK_TEXT(places(anchors, 2), "7-11 0-1+");
	apply(anchors, "[7,\"x\"]");
	CHECK_TEXT(places(anchors, 2), "7-12 0-1+");
	apply(anchors, "[{\"d\":20}]");
	CHECK_TEXT(places(anchors, 2), "0-0 0-0");
	apply(anchors, "[\"new\"]");
	CHECK_TEXT(places(anchors, 2), "0-0 0-0");
	anchors_free(anchors);
}

static void
begins_where_it_is_added(void)
{
	Anchors    *anchors = new_anchors();

	apply(anchors, "[\"before\"]");
	add(anchors, 2, 4, "");
	apply(anchors, "[\"ab\"]");
	add(anchors, 2, 4, "");
	apply(anchors, "[3,\"c\"]");
	CHECK_TEXT(places(anchors, 2), "5-7+ 2-5+");
	anchors_free(anchors);
}

/* What comes before the start of a range pushes it only while its first character lives. */
static void
goes_on_without_its_first_character(void)
{
	Anchors    *anchors = new_anchors();

	add(anchors, 4, 8, "rice");
	add_rest(anchors, 4, 8, "rice");
	add_rest(anchors, 4, 4, "rice");
	CHECK_TEXT(places(anchors, 3), "4-8+ 4-8 4-4");
	apply(anchors, "[4,\"x\"]");
	CHECK_TEXT(places(anchors, 3), "5-9+ 4-9 4-4");
	apply(anchors, "[5,{\"d\":1}]");
	CHECK_TEXT(places(anchors, 3), "5-8 4-8 4-4");
	apply(anchors, "[4,{\"d\":4},\"rice\"]");
	CHECK_TEXT(places(anchors, 3), "4-8+ 4-8+ 4-8+");
	anchors_free(anchors);
}

/* An empty range has no first character, whatever the caller says. */
static void
an_empty_range_is_not_alive(void)
{
	Anchors    *anchors = new_anchors();

	add(anchors, 2, 2, "");
	CHECK_TEXT(places(anchors, 1), "2-2");
	apply(anchors, "[2,\"x\"]");
	CHECK_TEXT(places(anchors, 1), "2-2");
	anchors_free(anchors);
}

static void
returns_with_its_passage(void)
{
	Anchors    *anchors = new_anchors();

	add(anchors, 4, 8, "rice");
	apply(anchors, "[4,{\"d\":4}]");
	CHECK_TEXT(places(anchors, 1), "4-4");
	apply(anchors, "[4,\"pasta\"]");
	CHECK_TEXT(places(anchors, 1), "4-4");
	apply(anchors, "[4,\"the \xc3\xa9 rice, \"]");
	CHECK_TEXT(places(anchors, 1), "10-14+");
	apply(anchors, "[12,\"_\"]");
	CHECK_TEXT(places(anchors, 1), "10-15+");
	apply(anchors, "[9,{\"d\":6}]");
	CHECK_TEXT(places(anchors, 1), "9-9");
	apply(anchors, "[8,\"rice\"]");
	CHECK_TEXT(places(anchors, 1), "13-13");
	apply(anchors, "[13,\"ric\"]");
	apply(anchors, "[13,\"rice\"]");
	CHECK_TEXT(places(anchors, 1), "13-17+");
	anchors_free(anchors);
}

/* What was deleted at once comes back at once: each finds its own place. */
static void
many_return_together(void)
{
	Anchors    *anchors = new_anchors();
	Quote		third = quote("the ", "cat", ".");
	AnchorPlace place = {21, 24, true};

	add(anchors, 4, 7, "cat");
	add(anchors, 12, 15, "dog");
	add(anchors, 4, 15, "cat and dog");
	CHECK_NUMBER(anchors_add(anchors, &place, &third), OT_OK);
	apply(anchors, "[{\"d\":25}]");
	CHECK_TEXT(places(anchors, 4), "0-0 0-0 0-0 0-0");
	apply(anchors, "[\"the cat and dog, the cat.\"]");
	CHECK_TEXT(places(anchors, 4), "4-7+ 12-15+ 4-15+ 21-24+");
	anchors_free(anchors);
}

/* A range returns wherever the blocks of points end. */
static void
returns_at_the_end_of_a_block(void)
{
	for (int before = 0; before < 140; before++)
	{
		Anchors    *anchors = new_anchors();
		AnchorPlace all[MOST_RANGES];

		add(anchors, 0, 20, "");
		for (int i = 0; i < before; i++)
			add(anchors, 1, 1, "");
		add(anchors, 4, 8, "rice");
		for (int i = 0; i < 100; i++)
			add(anchors, 9, 9, "");
		apply(anchors, "[4,{\"d\":4}]");
		apply(anchors, "[4,\"rice\"]");
		anchors_places(anchors, all);
		CHECK_NUMBER(all[before + 1].from, 4);
		CHECK_NUMBER(all[before + 1].to, 8);
		CHECK_NUMBER(all[before + 101].to, 9);
		anchors_free(anchors);
	}
}

static void
finds_the_place_that_looks_the_same(void)
{
	const char *text = "a cat, the cat. my cat!";
	Quote		passage = quote("the ", "cat", ". my");
	size_t		budget = 1000;
	size_t		place;
	size_t		around;

	CHECK(quote_find(text, strlen(text), 0, strlen(text), 0, &passage, &budget, &place, &around));
	CHECK_NUMBER(place, 11);
	CHECK(quote_is_same_place(&passage, around));
	passage = quote("", "cat", "");
	CHECK(quote_find(text, strlen(text), 0, strlen(text), 18, &passage, &budget, &place, &around));
	CHECK_NUMBER(place, 19);
	passage = quote("some ", "cat", " that");
	CHECK(quote_find(text, strlen(text), 0, strlen(text), 0, &passage, &budget, &place, &around));
	CHECK(!quote_is_same_place(&passage, around));
	passage = quote("", "cow", "");
	CHECK(!quote_find(text, strlen(text), 0, strlen(text), 0, &passage, &budget, &place, &around));
	budget = 4;
	passage = quote("", "cat", "");
	CHECK(!quote_find(text, strlen(text), 0, strlen(text), 0, &passage, &budget, &place, &around));
	CHECK_NUMBER(budget, 0);
}

/* ---- against the model ---- */

/* A range carried by itself, as the rule says it. */
typedef struct Model
{
	int			from;
	int			to;
	bool		alive;
} Model;

/* Does an op delete a character? */
static bool
deletes(const NaiveOp *op, int at)
{
	int			position = 0;

	for (int i = 0; i < op->count; i++)
	{
		if (op->units[i].kind == 'i')
			continue;
		if (position++ == at)
			return op->units[i].kind == 'd';
	}
	return false;
}

static void
model_apply(Model *model, const NaiveOp *op)
{
	bool		dies = model->alive && deletes(op, model->from);

	model->from = model->alive ? naive_position(model->from + 1, op, OT_LEFT) - !dies
		: naive_position(model->from, op, OT_LEFT);
	model->alive = model->alive && !dies;
	model->to = naive_position(model->to, op, OT_LEFT);
}

/* Add a range as its model is. */
static void
add_again(Anchors *anchors, const Model *model)
{
	(model->alive ? add : add_rest) (anchors, model->from, model->to, "");
}

static void
add_random(Random *random, Anchors *anchors, int length, Model *model)
{
	int			a = random_below(random, length + 1);
	int			b = random_below(random, 4) == 0 ? a : random_below(random, length + 1);

	*model = (Model)
	{
		a < b ? a : b, a < b ? b : a, a != b && random_below(random, 3) > 0
	};
	add_again(anchors, model);
}

static bool
same_places(const Anchors *anchors, const Model *models, int count)
{
	AnchorPlace all[MOST_RANGES];

	anchors_places(anchors, all);
	for (int i = 0; i < count; i++)
		if (all[i].from != models[i].from || all[i].to != models[i].to || all[i].alive != models[i].alive)
			return false;
	return true;
}

/* Ranges that are added between ops: each is where the model is, after each op. */
static bool
random_case(Random *random)
{
	NaiveShape	shape = {1 + random_below(random, 300), 1 + random_below(random, 6), 1 + random_below(random, 40)};
	int			length = random_below(random, shape.document + 1);
	Model		models[MOST_RANGES];
	int			count = 0;
	NaiveOp		op = {0};
	OtBuffer	packed;
	Anchors    *anchors = new_anchors();
	bool		passed = true;

	ot_buffer_init(&packed, &ot_libc_allocator, 0);
	for (int i = 0; i < 60 && passed && length < 5000; i++)
	{
		for (int more = random_below(random, 6); more > 0 && count < MOST_RANGES; more--)
			add_random(random, anchors, length, &models[count++]);
		naive_random_op(random, &shape, length, &op);
		naive_pack(&op, &packed);
		passed = anchors_apply(anchors, ot_buffer_op(&packed)) == OT_OK;
		for (int r = 0; r < count; r++)
			model_apply(&models[r], &op);
		length = naive_length_after(&op, length);
		passed = passed && same_places(anchors, models, count);
	}
	anchors_free(anchors);
	naive_op_free(&op);
	ot_buffer_free(&packed);
	return passed;
}

static void
is_where_each_alone_would_be(void)
{
	Random		random = {setting("PAST_SEED", 4)};
	int			rounds = (int) setting("PAST_ROUNDS", 400);
	int			failed = 0;

	for (int i = 0; i < rounds; i++)
		failed += !random_case(&random);
	CHECK_NUMBER(failed, 0);
}

/* Are the ranges of two at the same places? */
static bool
agree(const Anchors *one, const Anchors *other, int count)
{
	AnchorPlace a[MOST_RANGES];
	AnchorPlace b[MOST_RANGES];

	anchors_places(one, a);
	anchors_places(other, b);
	for (int i = 0; i < count; i++)
		if (a[i].from != b[i].from || a[i].to != b[i].to || a[i].alive != b[i].alive)
			return false;
	return true;
}

/* A client that joins at the moment takes the places that there are. */
static void
join(Anchors *late, const Anchors *first, int count)
{
	AnchorPlace all[MOST_RANGES];
	Quote		passage = quote("", "", "");

	anchors_places(first, all);
	for (int i = 0; i < count; i++)
		CHECK_NUMBER(anchors_add(late, &all[i], &passage), OT_OK);
}

/* Ops one by one, composed, and for one who joins between: the ranges are at the same places. */
static bool
composed_case(Random *random)
{
	NaiveShape	shape = {1 + random_below(random, 30), 1 + random_below(random, 4), 1 + random_below(random, 6)};
	int			length = random_below(random, shape.document + 1);
	int			ops = 1 + random_below(random, 6);
	Model		models[20];
	NaiveOp		op = {0};
	OtBuffer	packed;
	OtBuffer	whole;
	OtFold	   *fold;
	Anchors    *single = new_anchors();
	Anchors    *composed = new_anchors();
	Anchors    *late = new_anchors();
	int			joins = random_below(random, ops);
	bool		passed;

	ot_buffer_init(&packed, &ot_libc_allocator, 0);
	ot_buffer_init(&whole, &ot_libc_allocator, 0);
	ot_fold_create(&ot_libc_allocator, &fold);
	for (int r = 0; r < 20; r++)
	{
		add_random(random, single, length, &models[r]);
		add_again(composed, &models[r]);
	}
	for (int i = 0; i < ops; i++)
	{
		naive_random_op(random, &shape, length, &op);
		naive_pack(&op, &packed);
		ot_fold_push(fold, ot_buffer_op(&packed));
		anchors_apply(single, ot_buffer_op(&packed));
		anchors_apply(late, ot_buffer_op(&packed));
		if (i == joins)
			join(late, single, 20);
		length = naive_length_after(&op, length);
	}
	ot_fold_finish(fold, &whole);
	anchors_apply(composed, ot_buffer_op(&whole));
	passed = agree(single, composed, 20) && agree(single, late, 20);
	ot_fold_free(fold);
	ot_buffer_free(&packed);
	ot_buffer_free(&whole);
	naive_op_free(&op);
	anchors_free(single);
	anchors_free(composed);
	anchors_free(late);
	return passed;
}

static void
is_the_same_over_the_composition(void)
{
	Random		random = {setting("PAST_SEED", 5)};
	int			rounds = (int) setting("PAST_ROUNDS", 20000);
	int			failed = 0;

	for (int i = 0; i < rounds; i++)
		failed += !composed_case(&random);
	CHECK_NUMBER(failed, 0);
}

/* ---- packs of ops ---- */

#define LETTERS 3

/* A text of a few letters, so that what was deleted often comes again. */
static void
random_letters(Random *random, NaiveOp *op, int most)
{
	for (int i = random_below(random, most + 1); i > 0; i--)
		naive_add(op, 'i', (uint32_t) ('a' + random_below(random, LETTERS)));
}

/* An op that deletes and inserts at some places. */
static void
random_letters_op(Random *random, int length, NaiveOp *op)
{
	int			often = 2 + random_below(random, 12);

	naive_clear(op);
	for (int i = 0; i <= length; i++)
	{
		if (random_below(random, often) == 0)
			random_letters(random, op, 6);
		if (i < length)
			naive_add(op, random_below(random, often) < 2 ? 'd' : 'r', 0);
	}
	naive_trim(op);
}

/* Add the same ranges to both, each with the letters that it is about, or some. */
static int
add_letters(Random *random, Anchors *one, Anchors *other, int length, int count)
{
	static const char *const quotes[] = {"a", "b", "ab", "ca", "abc", "bb"};

	for (int more = random_below(random, 4); more > 0 && count < MOST_RANGES; more--, count++)
	{
		const char *text = quotes[random_below(random, 6)];
		int			from = random_below(random, length + 1);
		int			to = from + random_below(random, 4);

		add(one, from, to < length ? to : length, text);
		add(other, from, to < length ? to : length, text);
	}
	return count;
}

/* Follow some ops one by one, and the composition in their place where that is said to be the same. */
static bool
pack_case(Random *random, Anchors *single, Anchors *packed, int *length)
{
	NaiveOp		op = {0};
	OtBuffer	ops[5];
	OtBuffer	whole;
	int			count = 1 + random_below(random, 5);
	OtFold	   *fold;
	bool		composed;

	ot_buffer_init(&whole, &ot_libc_allocator, 0);
	ot_fold_create(&ot_libc_allocator, &fold);
	for (int i = 0; i < count; i++)
	{
		random_letters_op(random, *length, &op);
		ot_buffer_init(&ops[i], &ot_libc_allocator, 0);
		naive_pack(&op, &ops[i]);
		ot_fold_push(fold, ot_buffer_op(&ops[i]));
		anchors_apply(single, ot_buffer_op(&ops[i]));
		*length = naive_length_after(&op, *length);
	}
	ot_fold_finish(fold, &whole);
	composed = anchors_follow_composed(packed, ot_buffer_op(&whole));
	for (int i = 0; i < count && !composed; i++)
		anchors_apply(packed, ot_buffer_op(&ops[i]));
	if (composed)
		anchors_apply(packed, ot_buffer_op(&whole));
	for (int i = 0; i < count; i++)
		ot_buffer_free(&ops[i]);
	ot_fold_free(fold);
	ot_buffer_free(&whole);
	naive_op_free(&op);
	return composed;
}

/* Some packs of ops, with ranges that are added between; count those that were taken as one op. */
static bool
packs_case(Random *random, int *taken)
{
	Anchors    *single = new_anchors();
	Anchors    *packed = new_anchors();
	int			length = random_below(random, 30);
	int			count = 0;
	bool		passed = true;

	for (int i = 0; i < 8 && passed && length < 200; i++)
	{
		count = add_letters(random, single, packed, length, count);
		*taken += pack_case(random, single, packed, &length);
		passed = agree(single, packed, count);
	}
	anchors_free(single);
	anchors_free(packed);
	return passed;
}

static void
takes_a_pack_as_one_where_that_is_the_same(void)
{
	Random		random = {setting("PAST_SEED", 6)};
	int			rounds = (int) setting("PAST_ROUNDS", 6000);
	int			failed = 0;
	int			taken = 0;

	for (int i = 0; i < rounds; i++)
		failed += !packs_case(&random, &taken);
	CHECK_NUMBER(failed, 0);
	CHECK(taken > rounds / 2);
	printf("# %d of at most %d packs were taken as one\n", taken, 8 * rounds);
}

/* Can a pack of one composed op be taken as one, with ranges from 4 to 8, and what was added before? */
static bool
follows(Anchors *anchors, const char *op)
{
	bool		composed;

	add(anchors, 4, 8, "rice");
	composed = anchors_follow_composed(anchors, op_of(op));
	anchors_free(anchors);
	return composed;
}

static void
takes_no_pack_as_one_in_which_a_range_may_return(void)
{
	Anchors    *anchors;

	CHECK(follows(new_anchors(), "[]"));
	CHECK(follows(new_anchors(), "[4,\"x\",4,\"y\"]"));
	CHECK(follows(new_anchors(), "[4,{\"d\":4}]"));
	CHECK(follows(new_anchors(), "[3,{\"d\":5},1,\"x\"]"));
	CHECK(follows(new_anchors(), "[5,{\"d\":6},\"x\"]"));
	CHECK(follows(new_anchors(), "[3,\"x\",{\"d\":4}]"));
	CHECK(!follows(new_anchors(), "[4,{\"d\":4},\"x\"]"));
	CHECK(!follows(new_anchors(), "[4,\"x\",{\"d\":4}]"));
	CHECK(!follows(new_anchors(), "[2,{\"d\":2},\"x\",{\"d\":8}]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	CHECK(follows(anchors, "[3,\"x\"]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	CHECK(!follows(anchors, "[2,\"x\"]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	CHECK(!follows(anchors, "[1,\"x\",{\"d\":1}]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	CHECK(follows(anchors, "[2,{\"d\":1}]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	CHECK(!follows(anchors, "[2,{\"d\":9}]"));
	add(anchors = new_anchors(), 2, 2, "rice");
	add(anchors, 2, 2, "corn");
	CHECK(!follows(anchors, "[9,\"x\"]"));
}

/* However little memory there is, it says so, and all of it is given back. */
static void
ends_well_without_memory(void)
{
	for (long requests = 0; requests < 30; requests++)
	{
		Scarce		scarce;
		Anchors    *anchors = NULL;
		Quote		passage = quote("", "x", "");
		OtStatus	status;

		scarce_init(&scarce, requests);
		status = anchors_create(&scarce.allocator, &anchors);
		for (int i = 0; i < 200 && status == OT_OK; i++)
		{
			AnchorPlace place = {i, i + 1, true};

			status = anchors_add(anchors, &place, &passage);
		}
		if (status == OT_OK)
			status = anchors_apply(anchors, op_of("[{\"d\":300}]"));
		if (status == OT_OK)
			status = anchors_apply(anchors, op_of("[\"xxxxx\"]"));
		CHECK(status == OT_OK || status == OT_NO_MEMORY);
		if (anchors != NULL)
			anchors_free(anchors);
	}
}

static const TapTest tests[] = {
	{"a range moves with its text", moves_with_its_text},
	{"a range begins where it is added", begins_where_it_is_added},
	{"a range goes on without its first character", goes_on_without_its_first_character},
	{"an empty range has no first character", an_empty_range_is_not_alive},
	{"an empty range returns with its passage", returns_with_its_passage},
	{"many return together, each to its own place", many_return_together},
	{"a range returns wherever the blocks of points end", returns_at_the_end_of_a_block},
	{"of many places the one is found that looks the same", finds_the_place_that_looks_the_same},
	{"each of many is where it would be alone", is_where_each_alone_would_be},
	{"after composed ops, and for who joins between, each is where it is after single ones", is_the_same_over_the_composition},
	{"a pack is taken as one where the ranges are then at the same places", takes_a_pack_as_one_where_that_is_the_same},
	{"a pack is not taken as one if a range may have returned in it", takes_no_pack_as_one_in_which_a_range_may_return},
	{"without memory it ends well", ends_well_without_memory},
};

TAP_MAIN("unit-anchors", tests);
