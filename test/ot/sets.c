/*
 * sets.c
 *		What sets.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "sets.h"

static void
put_op(Set *set, const NaiveOp *op, int length)
{
	NaiveOp    *model;

	if ((set->count & (set->count - 1)) == 0)
	{
		size_t		room = set->count == 0 ? 1 : (size_t) set->count * 2;

		set->models = realloc(set->models, room * sizeof(NaiveOp));
		set->lengths = realloc(set->lengths, room * sizeof(int));
		if (set->models == NULL || set->lengths == NULL)
			abort();
	}
	model = &set->models[set->count];
	memset(model, 0, sizeof(*model));
	naive_copy(model, op);
	naive_trim(model);
	set->lengths[set->count++] = naive_length_after(model, length);
}

/*
 * Extend an op by all that can come next: at a place up to rules->insert
 * characters, then what becomes of the document's character there.
 */
static void
extend(Set *set, const Rules *rules, NaiveOp *op, int place, int inserted)
{
	if (place == rules->document)
		put_op(set, op, rules->document);
	else
	{
		naive_add(op, 'r', 0);
		extend(set, rules, op, place + 1, 0);
		op->count--;
		naive_add(op, 'd', 0);
		extend(set, rules, op, place + 1, 0);
		op->count--;
	}
	if (inserted == rules->insert)
		return;
	for (int letter = 0; letter < rules->letters; letter++)
	{
		naive_add(op, 'i', rules->alphabet + (uint32_t) letter);
		extend(set, rules, op, place, inserted + 1);
		op->count--;
	}
}

/* Every op that the rules allow. */
Set
every_op(const Rules *rules)
{
	Set			set = {0};
	NaiveOp		op = {0};
	OtBuffer	one;
	size_t	   *begins;

	extend(&set, rules, &op, 0, 0);
	naive_op_free(&op);
	ot_buffer_init(&set.bytes, &ot_libc_allocator, 0);
	ot_buffer_init(&one, &ot_libc_allocator, 0);
	begins = calloc((size_t) set.count + 1, sizeof(size_t));
	set.ops = calloc((size_t) set.count, sizeof(OtOp));
	for (int i = 0; i < set.count; i++)
	{
		naive_pack(&set.models[i], &one);
		if (ot_buffer_append(&set.bytes, one.data, one.size) != OT_OK)
			abort();
		begins[i + 1] = set.bytes.size;
	}
	for (int i = 0; i < set.count; i++)
	{
		set.ops[i].data = set.bytes.data + begins[i];
		set.ops[i].size = begins[i + 1] - begins[i];
	}
	free(begins);
	ot_buffer_free(&one);
	return set;
}

void
free_set(Set *set)
{
	for (int i = 0; i < set->count; i++)
		naive_op_free(&set->models[i]);
	free(set->models);
	free(set->ops);
	free(set->lengths);
	ot_buffer_free(&set->bytes);
}

/* The longest document that an op of the set leaves. */
int
longest_after(const Set *set)
{
	int			longest = 0;

	for (int i = 0; i < set->count; i++)
		if (set->lengths[i] > longest)
			longest = set->lengths[i];
	return longest;
}

Set		   *
sets_up_to(int longest, const Rules *rules)
{
	Set		   *sets = calloc((size_t) longest + 1, sizeof(Set));

	for (int i = 0; i <= longest; i++)
	{
		Rules		on = *rules;

		on.document = i;
		sets[i] = every_op(&on);
	}
	return sets;
}

void
free_sets(Set *sets, int longest)
{
	for (int i = 0; i <= longest; i++)
		free_set(&sets[i]);
	free(sets);
}
