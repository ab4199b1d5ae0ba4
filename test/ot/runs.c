/*
 * runs.c
 *		Fold and rebase on random runs of ops: what they give is what the ops give one
 *		by one.
 */
#include "case.h"

#define LONGEST_RUN 40

static OtBuffer got;
static OtBuffer other;
static OtBuffer step;
static NaiveOp model;

/* A run of ops one after another, as packed ops. */
static int
make_run(Case *c, OtBuffer *run)
{
	int			count = random_below(&c->random, LONGEST_RUN + 1);
	int			length = c->document.count;

	for (int i = 0; i < count; i++)
	{
		NaiveShape	shape = c->shape;

		/* Mostly keystrokes, now and then something as large as x. */
		if (random_below(&c->random, 8) != 0)
			shape.insert = 2;
		naive_random_op(&c->random, &shape, length, &model);
		length = naive_length_after(&model, length);
		naive_pack(&model, case_fresh(&run[i]));
	}
	return count;
}

static void
swap(OtBuffer *a, OtBuffer *b)
{
	OtBuffer	swapped = *a;

	*a = *b;
	*b = swapped;
}

/* A fold, and a fold of folds however split, is what composing in order gives. */
static void
check_fold(Case *c, const OtBuffer *run, int count)
{
	OtFold	   *fold;
	OtFold	   *part;

	case_fresh(&got);
	for (int i = 0; i < count; i++)
	{
		case_must(c, ot_compose(ot_buffer_op(&got), ot_buffer_op(&run[i]), case_fresh(&step)), "compose");
		swap(&got, &step);
	}
	case_must(c, ot_fold_create(&ot_libc_allocator, &fold), "fold");
	for (int i = 0; i < count; i++)
		case_must(c, ot_fold_push(fold, ot_buffer_op(&run[i])), "fold");
	case_must(c, ot_fold_finish(fold, case_fresh(&other)), "fold");
	case_same(c, &other, &got, "a fold is a composition");

	case_must(c, ot_fold_create(&ot_libc_allocator, &part), "fold");
	for (int i = 0; i < count;)
	{
		int			end = i + 1 + random_below(&c->random, count - i);

		for (; i < end; i++)
			case_must(c, ot_fold_push(part, ot_buffer_op(&run[i])), "fold");
		case_must(c, ot_fold_finish(part, case_fresh(&step)), "fold");
		case_must(c, ot_fold_push(fold, ot_buffer_op(&step)), "fold");
	}
	case_must(c, ot_fold_finish(fold, case_fresh(&other)), "fold");
	case_same(c, &other, &got, "a fold of folds is a composition");
	ot_fold_free(fold);
	ot_fold_free(part);
}

/* A rebase is what transforming over one op after another gives. */
static void
check_rebase(Case *c, const OtBuffer *run, int count)
{
	OtRebase   *rebase;

	case_must(c, ot_buffer_append(case_fresh(&got), c->packed[X].data, c->packed[X].size), "copy");
	case_must(c, ot_rebase_create(&ot_libc_allocator, case_op(c, X), &rebase), "rebase");
	for (int i = 0; i < count; i++)
	{
		case_must(c, ot_transform(ot_buffer_op(&got), ot_buffer_op(&run[i]), OT_LEFT, case_fresh(&step)),
				  "transform");
		swap(&got, &step);
		case_must(c, ot_rebase_push(rebase, ot_buffer_op(&run[i])), "rebase");
	}
	case_must(c, ot_rebase_finish(rebase, case_fresh(&other)), "rebase");
	case_same(c, &other, &got, "a rebase is transforming over one after another");
	ot_rebase_free(rebase);
}

static void
check_runs(Case *c)
{
	static OtBuffer run[LONGEST_RUN];
	int			count = make_run(c, run);

	check_fold(c, run, count);
	check_rebase(c, run, count);
}

/* In the long family x is large enough to be carried by runs. */
static const Family families[] = {
	{"fold and rebase, short", check_runs, {8, 3, 3}, 50},
	{"fold and rebase, long", check_runs, {400, 120, 60}, 500}
};

int
main(void)
{
	return case_run(families, sizeof(families) / sizeof(families[0]));
}
