/*
 * laws.c
 *		The laws of the algebra on random cases, every result compared byte for byte
 *		with the naive model.
 */
#include <stdio.h>
#include <stdlib.h>

#include "case.h"

/* Results, kept between cases for their memory. */
static OtBuffer got;
static OtBuffer other;
static OtBuffer step;
static OtBuffer want;
static NaiveOp model;
static NaiveText model_text;

/* transform is the model's, from both sides and both ways. */
static void
check_transform(Case *c)
{
	for (int side = OT_LEFT; side <= OT_RIGHT; side++)
	{
		case_must(c, ot_transform(case_op(c, X), case_op(c, B1), side, case_fresh(&got)), "transform");
		naive_transform(&c->ops[X], &c->ops[B1], side, &model);
		case_as_model(c, &got, &model, "transform(x, b1) is the model's");
		case_must(c, ot_transform(case_op(c, B1), case_op(c, X), side, case_fresh(&got)), "transform");
		naive_transform(&c->ops[B1], &c->ops[X], side, &model);
		case_as_model(c, &got, &model, "transform(b1, x) is the model's");
	}
}

/* TP1: apply(apply(d, b1), transform(x, b1, left)) and the other way are one text. */
static void
check_convergence(Case *c)
{
	OtOp		utf8 = ot_buffer_op(&c->utf8);

	case_must(c, ot_apply((const char *) utf8.data, utf8.size, case_op(c, B1), case_fresh(&got)), "apply");
	case_must(c, ot_transform(case_op(c, X), case_op(c, B1), OT_LEFT, case_fresh(&step)), "transform");
	case_must(c, ot_apply((const char *) got.data, got.size, ot_buffer_op(&step), case_fresh(&other)),
			  "a transformed op fits");
	case_must(c, ot_apply((const char *) utf8.data, utf8.size, case_op(c, X), case_fresh(&got)), "apply");
	case_must(c, ot_transform(case_op(c, B1), case_op(c, X), OT_RIGHT, case_fresh(&step)), "transform");
	case_must(c, ot_apply((const char *) got.data, got.size, ot_buffer_op(&step), case_fresh(&want)),
			  "a transformed op fits");
	case_same(c, &other, &want, "TP1");
}

/* apply is the model's, and applying a composition is applying its parts. */
static void
check_apply(Case *c)
{
	OtOp		utf8 = ot_buffer_op(&c->utf8);

	case_must(c, ot_apply((const char *) utf8.data, utf8.size, case_op(c, B1), case_fresh(&step)), "apply");
	naive_apply(&c->document, &c->ops[B1], &model_text);
	naive_utf8(&model_text, &want);
	case_same(c, &step, &want, "apply(d, b1) is the model's");
	case_must(c, ot_apply((const char *) step.data, step.size, case_op(c, B2), case_fresh(&got)), "apply");
	case_must(c, ot_compose(case_op(c, B1), case_op(c, B2), case_fresh(&step)), "compose");
	case_must(c, ot_apply((const char *) utf8.data, utf8.size, ot_buffer_op(&step), case_fresh(&other)),
			  "a composition fits");
	case_same(c, &got, &other, "apply(d, compose(b1, b2)) = apply(apply(d, b1), b2)");
}

/* compose is the model's, and associative, structure included. */
static void
check_compose(Case *c)
{
	case_must(c, ot_compose(case_op(c, B1), case_op(c, B2), case_fresh(&step)), "compose");
	naive_compose(&c->ops[B1], &c->ops[B2], &model);
	case_as_model(c, &step, &model, "compose(b1, b2) is the model's");
	case_must(c, ot_compose(ot_buffer_op(&step), case_op(c, B3), case_fresh(&got)), "compose");
	case_must(c, ot_compose(case_op(c, B2), case_op(c, B3), case_fresh(&step)), "compose");
	case_must(c, ot_compose(case_op(c, B1), ot_buffer_op(&step), case_fresh(&other)), "compose");
	case_same(c, &got, &other, "compose is associative");
}

/* transform(transform(x, b1, left), b2, left) = transform(x, compose(b1, b2), left). */
static void
check_one_sided_law(Case *c)
{
	case_must(c, ot_transform(case_op(c, X), case_op(c, B1), OT_LEFT, case_fresh(&step)), "transform");
	case_must(c, ot_transform(ot_buffer_op(&step), case_op(c, B2), OT_LEFT, case_fresh(&got)), "transform");
	case_must(c, ot_compose(case_op(c, B1), case_op(c, B2), case_fresh(&step)), "compose");
	case_must(c, ot_transform(case_op(c, X), ot_buffer_op(&step), OT_LEFT, case_fresh(&other)), "transform");
	case_same(c, &other, &got, "the one-sided composition law");
}

/* invert is the model's, and undoes. */
static void
check_invert(Case *c)
{
	OtOp		utf8 = ot_buffer_op(&c->utf8);

	case_must(c, ot_invert(case_op(c, B1), (const char *) utf8.data, utf8.size, case_fresh(&got)), "invert");
	naive_invert(&c->ops[B1], &c->document, &model);
	case_as_model(c, &got, &model, "invert(b1, d) is the model's");
	case_must(c, ot_apply((const char *) utf8.data, utf8.size, case_op(c, B1), case_fresh(&step)), "apply");
	case_must(c, ot_apply((const char *) step.data, step.size, ot_buffer_op(&got), case_fresh(&other)),
			  "an inverse fits");
	case_same(c, &other, &c->utf8, "apply(apply(d, b1), invert(b1, d)) = d");
}

/* A position goes where an insert made there goes. */
static void
check_position(Case *c)
{
	/* Some lie behind the document's end: everything there is retained. */
	int			position = random_below(&c->random, c->document.count + 3);

	for (int side = OT_LEFT; side <= OT_RIGHT; side++)
		if (ot_transform_position(position, case_op(c, B1), side) !=
			naive_position(position, &c->ops[B1], side))
		{
			printf("# position %d, side %d\n", position, side);
			case_broken(c, "transform_position is where transform puts an insert");
		}
}

/* What is printed is parsed to the same bytes. */
static void
check_json(Case *c)
{
	size_t		error_at;
	const char *detail;

	case_must(c, ot_to_json(case_op(c, X), case_fresh(&step)), "to_json");
	case_must(c, ot_from_json((const char *) step.data, step.size, case_fresh(&got), &error_at, &detail),
			  "what is printed can be parsed");
	case_same(c, &got, &c->packed[X], "JSON round trip");
}

/* Count an op's components by the naive model. */
static void
check_measure(Case *c)
{
	const NaiveOp *x = &c->ops[X];
	OtMeasure	measure;
	OtMeasure	counted = {0};

	for (int i = 0; i < x->count; i++)
	{
		counted.base_length += x->units[i].kind != 'i';
		counted.inserted += x->units[i].kind == 'i';
		counted.deleted += x->units[i].kind == 'd';
		counted.components += i == 0 || x->units[i].kind != x->units[i - 1].kind;
	}
	ot_measure(case_op(c, X), &measure);
	if (measure.base_length != counted.base_length || measure.inserted != counted.inserted ||
		measure.deleted != counted.deleted || measure.components != counted.components)
		case_broken(c, "measure is the model's");
}

/* Append units from `start` to before `end` of the case's x, all of a kind. */
static void
build_piece(Case *c, OtBuilder *builder, int start, int end)
{
	const NaiveUnit *units = c->ops[X].units;
	uint32_t	cps[4];
	NaiveText	piece = {cps, 0, 4};

	if (units[start].kind == 'r')
		ot_builder_retain(builder, end - start);
	else if (units[start].kind == 'd')
		ot_builder_delete(builder, end - start);
	else
	{
		for (int i = start; i < end; i++)
			cps[piece.count++] = units[i].cp;
		naive_utf8(&piece, case_fresh(&step));
		ot_builder_insert(builder, (const char *) step.data, step.size, end - start);
	}
}

/* Whatever the pieces, the builder comes to one normal form. */
static void
check_builder(Case *c)
{
	const NaiveOp *x = &c->ops[X];
	OtBuilder	builder;

	ot_builder_init(&builder, case_fresh(&got));
	for (int i = 0, end; i < x->count; i = end)
	{
		int			most = 1 + random_below(&c->random, 4);

		for (end = i + 1; end < x->count && end - i < most; end++)
			if (x->units[end].kind != x->units[i].kind)
				break;
		build_piece(c, &builder, i, end);
		if (random_below(&c->random, 4) == 0)
			ot_builder_insert(&builder, "", 0, 0);
		if (random_below(&c->random, 4) == 0)
			ot_builder_delete(&builder, 0);
	}
	ot_builder_retain(&builder, random_below(&c->random, 3));
	case_must(c, ot_builder_finish(&builder), "build");
	case_same(c, &got, &c->packed[X], "the builder's normal form");
	case_must(c, ot_check(ot_buffer_op(&got)), "what is built is checked");
}

static void
check_laws(Case *c)
{
	check_transform(c);
	check_convergence(c);
	check_apply(c);
	check_compose(c);
	check_one_sided_law(c);
	check_invert(c);
	check_position(c);
	check_json(c);
	check_measure(c);
	check_builder(c);
}

/*
 * Short ops on short documents meet at ties most often; long ones cross the
 * sizes at which headers grow and words are counted in blocks.
 */
static const Family families[] = {
	{"laws, short", check_laws, {8, 2, 2}, 1},
	{"laws, middling", check_laws, {60, 5, 8}, 20},
	{"laws, long", check_laws, {3000, 700, 500}, 1000}
};

int
main(void)
{
	return case_run(families, sizeof(families) / sizeof(families[0]));
}
