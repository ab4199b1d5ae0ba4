/*
 * exhaustive.c
 *		The laws on every op there is on small documents.
 *
 * What the letters are plays no part in the algebra, but which op they came from
 * does: x, b1, b2 and b3 have alphabets of their own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sets.h"

static OtBuffer got;
static OtBuffer want;
static OtBuffer step;
static uint64_t checks;

/* ---- comparing ---- */

/* A result as text: that of an op, or a document as it is. */
static const char *
outcome_of(const OtBuffer *result)
{
	OtOp		op = ot_buffer_op(result);

	return ot_check(op) == OT_OK ? json_of(op) : text_of(result);
}

static void
broken(const char *law, const OtOp *ops, int count)
{
	printf("not ok - %s\n", law);
	for (int i = 0; i < count; i++)
		printf("#   %s\n", json_of(ops[i]));
	printf("#   got:  %s\n#   want: %s\n", outcome_of(&got), outcome_of(&want));
	exit(EXIT_FAILURE);
}

static void
must(OtStatus status)
{
	if (status != OT_OK)
	{
		printf("not ok - %s\n", status_name(status));
		exit(EXIT_FAILURE);
	}
}

static OtBuffer *
fresh(OtBuffer *buffer)
{
	ot_buffer_reset(buffer);
	return buffer;
}

/* What was got is what was wanted. */
static void
compare(const char *law, const OtOp *ops, int count)
{
	checks++;
	if (got.size != want.size || (got.size > 0 && memcmp(got.data, want.data, got.size) != 0))
		broken(law, ops, count);
}

/* ---- the laws ---- */

/* Of one op: positions, invert, JSON, ot_check. */
static void
check_single(const Rules *rules)
{
	Set			set = every_op(rules);
	NaiveText	document = {0};
	NaiveOp		inverse = {0};
	OtBuffer	text;
	size_t		error_at;
	const char *detail;

	document.cps = calloc((size_t) rules->document + 1, sizeof(uint32_t));
	document.count = rules->document;
	for (int i = 0; i < rules->document; i++)
		document.cps[i] = 0x20ac + (uint32_t) i;
	ot_buffer_init(&text, &ot_libc_allocator, 0);
	naive_utf8(&document, &text);
	for (int i = 0; i < set.count; i++)
	{
		OtOp		op = set.ops[i];

		must(ot_check(op));
		must(ot_invert(op, (const char *) text.data, text.size, fresh(&got)));
		naive_invert(&set.models[i], &document, &inverse);
		naive_pack(&inverse, &want);
		compare("invert", &op, 1);
		must(ot_to_json(op, fresh(&step)));
		must(ot_from_json((const char *) step.data, step.size, fresh(&got), &error_at, &detail));
		must(ot_buffer_append(fresh(&want), op.data, op.size));
		compare("JSON round trip", &op, 1);
		for (int at = 0; at <= rules->document + 1; at++)
			for (int side = OT_LEFT; side <= OT_RIGHT; side++, checks++)
				if (ot_transform_position(at, op, side) !=
					naive_position(at, &set.models[i], side))
					broken("position", &op, 1);
	}
	ot_buffer_free(&text);
	naive_text_free(&document);
	naive_op_free(&inverse);
	free_set(&set);
}

/* The document after `first`, then `second` carried over it. */
static void
apply_both(OtOp first, OtOp second, OtSide side, int length, OtBuffer *out)
{
	OtBuffer	carried;

	ot_buffer_init(&carried, &ot_libc_allocator, 0);
	must(ot_transform(second, first, side, &carried));
	must(ot_apply("012345", (size_t) length, first, fresh(&step)));
	must(ot_apply((const char *) step.data, step.size, ot_buffer_op(&carried), fresh(out)));
	ot_buffer_free(&carried);
}

/* Of two ops on one document: transform is the model's, and TP1. */
static void
check_pairs(const Rules *rules)
{
	Rules		others = *rules;
	Set			xs = every_op(rules);
	Set			bs;
	NaiveOp		model = {0};

	others.alphabet += 2;
	bs = every_op(&others);
	for (int i = 0; i < xs.count; i++)
		for (int k = 0; k < bs.count; k++)
		{
			OtOp		pair[] = {xs.ops[i], bs.ops[k]};

			for (int side = OT_LEFT; side <= OT_RIGHT; side++)
			{
				must(ot_transform(pair[0], pair[1], side, fresh(&got)));
				naive_transform(&xs.models[i], &bs.models[k], side, &model);
				naive_pack(&model, &want);
				compare("transform", pair, 2);
			}
			apply_both(pair[1], pair[0], OT_LEFT, rules->document, &got);
			apply_both(pair[0], pair[1], OT_RIGHT, rules->document, &want);
			compare("TP1", pair, 2);
		}
	naive_op_free(&model);
	free_set(&xs);
	free_set(&bs);
}

/* Of b1, then b2, beside x: compose is the model's, and the one-sided law. */
static void
check_one_sided_law(const Rules *rules)
{
	Rules		others = *rules;
	Set			xs = every_op(rules);
	Set			b1s;
	Set		   *b2s;
	int			longest;
	NaiveOp		model = {0};
	OtBuffer   *moved = calloc((size_t) xs.count, sizeof(OtBuffer));
	OtBuffer	both;

	others.alphabet += 2;
	b1s = every_op(&others);
	longest = longest_after(&b1s);
	others.alphabet += 2;
	b2s = sets_up_to(longest, &others);
	ot_buffer_init(&both, &ot_libc_allocator, 0);
	for (int i = 0; i < xs.count; i++)
		ot_buffer_init(&moved[i], &ot_libc_allocator, 0);
	for (int k = 0; k < b1s.count; k++)
	{
		const Set  *after = &b2s[b1s.lengths[k]];

		for (int i = 0; i < xs.count; i++)
			must(ot_transform(xs.ops[i], b1s.ops[k], OT_LEFT, fresh(&moved[i])));
		for (int m = 0; m < after->count; m++)
		{
			OtOp		ops[] = {b1s.ops[k], after->ops[m], {NULL, 0}};

			must(ot_compose(ops[0], ops[1], fresh(&got)));
			naive_compose(&b1s.models[k], &after->models[m], &model);
			naive_pack(&model, &want);
			compare("compose", ops, 2);
			must(ot_buffer_append(fresh(&both), got.data, got.size));
			for (int i = 0; i < xs.count; i++)
			{
				ops[2] = xs.ops[i];
				must(ot_transform(ot_buffer_op(&moved[i]), ops[1], OT_LEFT, fresh(&want)));
				must(ot_transform(ops[2], ot_buffer_op(&both), OT_LEFT, fresh(&got)));
				compare("the one-sided composition law", ops, 3);
			}
		}
	}
	for (int i = 0; i < xs.count; i++)
		ot_buffer_free(&moved[i]);
	free(moved);
	ot_buffer_free(&both);
	naive_op_free(&model);
	free_sets(b2s, longest);
	free_set(&b1s);
	free_set(&xs);
}

/* Of three ops one after another: compose is associative. */
static void
check_associativity(const Rules *rules)
{
	Rules		others = *rules;
	Set			firsts = every_op(rules);
	Set		   *seconds;
	Set		   *thirds;
	int			longest = longest_after(&firsts);
	int			longer;
	OtBuffer	both;

	others.alphabet += 2;
	seconds = sets_up_to(longest, &others);
	longer = longest_after(&seconds[longest]);
	others.alphabet += 2;
	thirds = sets_up_to(longer, &others);
	ot_buffer_init(&both, &ot_libc_allocator, 0);
	for (int i = 0; i < firsts.count; i++)
		for (int k = 0; k < seconds[firsts.lengths[i]].count; k++)
		{
			const Set  *second = &seconds[firsts.lengths[i]];
			const Set  *third = &thirds[second->lengths[k]];

			must(ot_compose(firsts.ops[i], second->ops[k], fresh(&both)));
			for (int m = 0; m < third->count; m++)
			{
				OtOp		ops[] = {firsts.ops[i], second->ops[k], third->ops[m]};

				must(ot_compose(ot_buffer_op(&both), ops[2], fresh(&got)));
				must(ot_compose(ops[1], ops[2], fresh(&step)));
				must(ot_compose(ops[0], ot_buffer_op(&step), fresh(&want)));
				compare("compose is associative", ops, 3);
			}
		}
	ot_buffer_free(&both);
	free_sets(thirds, longer);
	free_sets(seconds, longest);
	free_set(&firsts);
}

typedef struct Search
{
	const char *title;
	void		(*check) (const Rules *rules);
	Rules		rules;
} Search;

/* What is within reach: the number of triples grows by a factor of hundreds. */
static const Search searches[] = {
	{"one op, documents of 2, inserts up to 3 of 2 letters", check_single, {2, 3, 2, 'a'}},
	{"one op, documents of 3, inserts up to 2 of 2 letters", check_single, {3, 2, 2, 'a'}},
	{"pairs, documents of 1, inserts up to 2 of 2 letters", check_pairs, {1, 2, 2, 'a'}},
	{"pairs, documents of 3, inserts of 1 letter of 2", check_pairs, {3, 1, 2, 'a'}},
	{"x, b1, b2, documents of 1, inserts up to 2", check_one_sided_law, {1, 2, 1, 'a'}},
	{"x, b1, b2, documents of 2, inserts of 1 letter of 2", check_one_sided_law, {2, 1, 2, 'a'}},
	{"x, b1, b2, documents of 3, inserts of 1", check_one_sided_law, {3, 1, 1, 'a'}},
	{"b1, b2, b3, the empty document, inserts up to 2", check_associativity, {0, 2, 1, 'a'}},
	{"b1, b2, b3, documents of 1, inserts of 1", check_associativity, {1, 1, 1, 'a'}}
};

int
main(void)
{
	size_t		count = sizeof(searches) / sizeof(searches[0]);

	ot_buffer_init(&got, &ot_libc_allocator, 0);
	ot_buffer_init(&want, &ot_libc_allocator, 0);
	ot_buffer_init(&step, &ot_libc_allocator, 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++)
	{
		checks = 0;
		searches[i].check(&searches[i].rules);
		printf("ok %zu - %s: %" PRIu64 " checks\n", i + 1, searches[i].title, checks);
		fflush(stdout);
	}
	ot_buffer_free(&got);
	ot_buffer_free(&want);
	ot_buffer_free(&step);
	return EXIT_SUCCESS;
}
