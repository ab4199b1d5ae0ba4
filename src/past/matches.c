/*
 * past/matches.c
 *		Where a text occurs in a document, followed over its ops.
 *
 * Occurrences stand on two stacks, with a gap where the last edit was: those before it by
 * their distance from the start of the document, those behind it from its end.  So an
 * edit moves none of them, and who types on where they are moves the gap no further.
 */
#include "matches.h"

#include <string.h>

typedef struct Match
{
	int64_t		place;			/* cp from the start, or to the end */
	int64_t		id;
} Match;

typedef struct Stack
{
	Match	   *matches;		/* the last one is next to the gap */
	size_t		count;
	size_t		capacity;
} Stack;

struct Matches
{
	const OtAllocator *allocator;
	char	   *sought;
	size_t		size;			/* bytes of it */
	int64_t		length;			/* cp of it */
	int64_t		document_length;	/* cp */
	int64_t		next_id;
	Stack		before;
	Stack		behind;
	OtBuffer	window;			/* what is looked at again */
	OtBuffer	step;			/* a component as an op of its own */
};

/* ---- stacks ---- */

static OtStatus
push(const Matches *matches, Stack *stack, int64_t place, int64_t id)
{
	if (stack->count == stack->capacity)
	{
		size_t		capacity = stack->capacity == 0 ? 64 : 2 * stack->capacity;
		Match	   *more = matches->allocator->resize(matches->allocator->ctx, stack->matches, capacity * sizeof(Match));

		if (more == NULL)
			return OT_NO_MEMORY;
		stack->matches = more;
		stack->capacity = capacity;
	}
	stack->matches[stack->count++] = (Match) {place, id};
	return OT_OK;
}

/* The position of the match next to the gap; -1 where there is none. */
static int64_t
last_before(const Matches *matches)
{
	const Stack *stack = &matches->before;

	return stack->count == 0 ? -1 : stack->matches[stack->count - 1].place;
}

static int64_t
first_behind(const Matches *matches)
{
	const Stack *stack = &matches->behind;

	return stack->count == 0 ? -1 : matches->document_length - stack->matches[stack->count - 1].place;
}

/* Move the gap, so that what begins at `pos` or later is behind it. */
static OtStatus
move_gap(Matches *matches, int64_t pos)
{
	OtStatus	status = OT_OK;

	while (status == OT_OK && last_before(matches) >= pos)
	{
		Match	   *match = &matches->before.matches[--matches->before.count];

		status = push(matches, &matches->behind, matches->document_length - match->place, match->id);
	}
	while (status == OT_OK && matches->behind.count > 0 && first_behind(matches) < pos)
	{
		Match	   *match = &matches->behind.matches[--matches->behind.count];

		status = push(matches, &matches->before, matches->document_length - match->place, match->id);
	}
	return status;
}

/* ---- looking ---- */

/* Look for what is sought from `from` to `to`, which is all before the gap, or right behind it. */
static OtStatus
look(Matches *matches, const Rope *rope, int64_t from, int64_t to, MatchEvent begin, void *ctx)
{
	OtStatus	status;
	const char *text;
	const char *end;
	const char *found;

	if (to - from < matches->length)
		return OT_OK;
	ot_buffer_reset(&matches->window);
	status = rope_read(rope, from, to - from, &matches->window);
	text = (const char *) matches->window.data;
	end = text + matches->window.size;
	while (status == OT_OK && (found = memmem(text, (size_t) (end - text), matches->sought, matches->size)) != NULL)
	{
		from += ot_utf8_length(text, (size_t) (found - text));
		begin(ctx, matches->next_id, from);
		status = push(matches, &matches->before, from, matches->next_id++);
		/* the next one may begin inside it */
		text = found + ot_utf8_offset(found, (size_t) (end - found), 1);
		from++;
	}
	return status;
}

/* End what an edit at `pos` touches, which is next to the gap there. */
static void
end_touched(Matches *matches, int64_t pos, int64_t deleted, MatchEvent end, void *ctx)
{
	while (matches->before.count > 0 && last_before(matches) > pos - matches->length)
	{
		end(ctx, matches->before.matches[matches->before.count - 1].id, last_before(matches));
		matches->before.count--;
	}
	while (matches->behind.count > 0 && first_behind(matches) < pos + deleted)
	{
		end(ctx, matches->behind.matches[matches->behind.count - 1].id, first_behind(matches));
		matches->behind.count--;
	}
}

/* ---- following ---- */

/* Follow a component: a delete or an insert at `pos`, which the rope takes here. */
static OtStatus
follow(Matches *matches, Rope *rope, const OtComponent *component, int64_t pos,
	   MatchEvent begin, MatchEvent end, void *ctx)
{
	int64_t		inserted = component->kind == OT_INSERT ? component->length : 0;
	int64_t		deleted = component->kind == OT_DELETE ? component->length : 0;
	int64_t		from = pos - matches->length + 1;
	int64_t		to;
	OtBuilder	builder;
	OtStatus	status = move_gap(matches, pos);

	if (status != OT_OK)
		return status;
	end_touched(matches, pos, deleted, end, ctx);
	ot_buffer_reset(&matches->step);
	ot_builder_init(&builder, &matches->step);
	ot_builder_retain(&builder, pos);
	if (inserted > 0)
		ot_builder_insert(&builder, component->text, component->text_size, inserted);
	ot_builder_delete(&builder, deleted);
	status = ot_builder_finish(&builder);
	if (status == OT_OK)
		status = rope_apply(rope, ot_buffer_op(&matches->step), NULL, NULL);
	if (status != OT_OK)
		return status;
	matches->document_length += inserted - deleted;
	to = pos + inserted + matches->length - 1;
	return look(matches, rope, from < 0 ? 0 : from,
				to > matches->document_length ? matches->document_length : to, begin, ctx);
}

/* Apply an op to the rope, and follow it. */
OtStatus
matches_apply(Matches *matches, Rope *rope, OtOp op, MatchEvent begin, MatchEvent end, void *ctx)
{
	OtReader	reader;
	OtComponent component;
	int64_t		pos = 0;
	OtStatus	status = OT_OK;

	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		if (component.kind != OT_RETAIN)
			status = follow(matches, rope, &component, pos, begin, end, ctx);
		if (component.kind != OT_DELETE)
			pos += component.length;
	}
	return status;
}

/* Report where each occurrence is now. */
void
matches_tell(const Matches *matches, MatchEvent tell, void *ctx)
{
	for (size_t i = 0; i < matches->before.count; i++)
		tell(ctx, matches->before.matches[i].id, matches->before.matches[i].place);
	for (size_t i = matches->behind.count; i > 0; i--)
		tell(ctx, matches->behind.matches[i - 1].id, matches->document_length - matches->behind.matches[i - 1].place);
}

/* ---- beginning and end ---- */

/* Look for a text in a rope. */
OtStatus
matches_create(const OtAllocator *allocator, const Rope *rope, const char *sought, size_t size,
			   MatchEvent begin, void *ctx, Matches **matches)
{
	Matches    *made = allocator->resize(allocator->ctx, NULL, sizeof(Matches));
	OtStatus	status = OT_NO_MEMORY;

	*matches = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	memset(made, 0, sizeof(Matches));
	made->allocator = allocator;
	made->size = size;
	made->length = ot_utf8_length(sought, size);
	made->document_length = rope_length(rope);
	ot_buffer_init(&made->window, allocator, 0);
	ot_buffer_init(&made->step, allocator, 0);
	made->sought = allocator->resize(allocator->ctx, NULL, size);
	if (made->sought != NULL)
	{
		memcpy(made->sought, sought, size);
		status = look(made, rope, 0, made->document_length, begin, ctx);
	}
	if (status == OT_OK)
		*matches = made;
	else
		matches_free(made);
	return status;
}

/* Give the memory back. */
void
matches_free(Matches *matches)
{
	const OtAllocator *allocator;
	void	   *parts[3];

	if (matches == NULL)
		return;
	allocator = matches->allocator;
	parts[0] = matches->sought;
	parts[1] = matches->before.matches;
	parts[2] = matches->behind.matches;
	for (int i = 0; i < 3; i++)
		if (parts[i] != NULL)
			allocator->release(allocator->ctx, parts[i]);
	ot_buffer_free(&matches->window);
	ot_buffer_free(&matches->step);
	allocator->release(allocator->ctx, matches);
}
