/*
 * case.c
 *		What case.h promises.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

static const char *const op_names[OPS] = {"x", "b1", "b2", "b3"};

OtOp
case_op(const Case *c, int which)
{
	return ot_buffer_op(&c->packed[which]);
}

/* A buffer with room for a new result. */
OtBuffer   *
case_fresh(OtBuffer *buffer)
{
	if (buffer->allocator == NULL)
		ot_buffer_init(buffer, &ot_libc_allocator, 0);
	ot_buffer_reset(buffer);
	return buffer;
}

/* ---- comparing ---- */

/* An op as JSON, a document as it is. */
static void
print_result(const char *name, const OtBuffer *result)
{
	OtOp		op = ot_buffer_op(result);

	printf("#   %-6s %s\n", name, ot_check(op) == OT_OK ? json_of(op) : text_of(result));
}

/* Say which law broke, on what, and end. */
void
case_broken(Case *c, const char *law)
{
	printf("not ok - %s\n# %s, case %" PRIu64 " of OT_SEED=%" PRIu64 "\n",
		   law, c->family, c->number, c->seed);
	printf("#   document of %d code points: %s\n", c->document.count, text_of(&c->utf8));
	for (int i = 0; i < OPS; i++)
		print_result(op_names[i], &c->packed[i]);
	exit(EXIT_FAILURE);
}

/* A call that must not fail. */
void
case_must(Case *c, OtStatus status, const char *what)
{
	if (status == OT_OK)
		return;
	printf("# %s\n", status_name(status));
	case_broken(c, what);
}

/* Two results that must be the same bytes, ops or texts. */
void
case_same(Case *c, const OtBuffer *got, const OtBuffer *want, const char *law)
{
	if (got->size == want->size &&
		(got->size == 0 || memcmp(got->data, want->data, got->size) == 0))
		return;
	print_result("got", got);
	print_result("want", want);
	case_broken(c, law);
}

/* A result that must be what the naive model says. */
void
case_as_model(Case *c, const OtBuffer *got, const NaiveOp *model, const char *law)
{
	static OtBuffer want;

	naive_pack(model, case_fresh(&want));
	case_same(c, got, &want, law);
}

/* ---- making and running ---- */

static void
make_case(Case *c)
{
	int			length = random_below(&c->random, c->shape.document + 1);

	naive_random_text(&c->random, length, &c->document);
	naive_utf8(&c->document, case_fresh(&c->utf8));
	naive_random_op(&c->random, &c->shape, length, &c->ops[X]);
	for (int i = B1; i < OPS; i++)
	{
		naive_random_op(&c->random, &c->shape, length, &c->ops[i]);
		length = naive_length_after(&c->ops[i], length);
	}
	for (int i = 0; i < OPS; i++)
		naive_pack(&c->ops[i], case_fresh(&c->packed[i]));
}

/* Run one family's cases. */
static void
run_family(const Family *family, uint64_t seed, uint64_t cases)
{
	Case		c = {0};

	c.family = family->name;
	c.seed = seed;
	c.random.state = seed;
	c.shape = family->shape;
	for (c.number = 0; c.number < cases; c.number++)
	{
		make_case(&c);
		family->check(&c);
	}
	ot_buffer_free(&c.utf8);
	naive_text_free(&c.document);
	for (int i = 0; i < OPS; i++)
	{
		ot_buffer_free(&c.packed[i]);
		naive_op_free(&c.ops[i]);
	}
}

/* Run all families; what main() returns. */
int
case_run(const Family *families, size_t count)
{
	uint64_t	seed = setting("OT_SEED", 1);
	uint64_t	cases = setting("OT_CASES", 1000000);

	printf("1..%zu\n# OT_SEED=%" PRIu64 " OT_CASES=%" PRIu64 "\n", count, seed, cases);
	for (size_t i = 0; i < count; i++)
	{
		uint64_t	share = cases / (uint64_t) families[i].share + 1;

		run_family(&families[i], seed, share);
		printf("ok %zu - %s: %" PRIu64 " cases\n", i + 1, families[i].name, share);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}
