/*
 * ot/compose.c
 *		Two ops that follow one another, as one.
 *
 * At a tie the first op's delete stands before the second op's insert.  Only so
 * is transforming over a composition the same as transforming over its parts.
 */
#include "ot_internal.h"

/* Append, or pass over, `length` cp of the insert at a cursor. */
static void
split_insert(OtBuilder *builder, OtCursor *cursor, int64_t length, bool keep)
{
	OtComponent *at = &cursor->at;
	size_t		size = (size_t) length;

	if (length == at->length)
		size = at->text_size;
	else if (at->text_size != (size_t) at->length)
		size = ot_utf8_offset(at->text, at->text_size, length);
	if (keep)
		ot_builder_insert(builder, at->text, size, length);
	at->text += size;
	at->text_size -= size;
	ot_cursor_pass(cursor, length);
}

/* Append what becomes of the characters both stand at: theirs, then kept or not. */
static void
pair(OtBuilder *builder, OtCursor *first, OtCursor *second)
{
	bool		keep = second->at.kind == OT_RETAIN;
	int64_t		length = first->at.length;

	if (length > second->at.length)
		length = second->at.length;
	if (first->at.kind == OT_INSERT)
		split_insert(builder, first, length, keep);
	else
	{
		ot_builder_add(builder, second->at.kind, length);
		ot_cursor_pass(first, length);
	}
	ot_cursor_pass(second, length);
}

/* `first` then `second` as one op. */
OtStatus
ot_compose(OtOp first, OtOp second, OtBuffer *out)
{
	OtCursor	earlier;
	OtCursor	later;
	OtBuilder	builder;

	ot_cursor_init(&earlier, first);
	ot_cursor_init(&later, second);
	ot_builder_init(&builder, out);
	while (!ot_cursor_ended(&earlier) && !ot_cursor_ended(&later))
	{
		if (earlier.at.kind == OT_DELETE)
			ot_builder_take(&builder, &earlier);
		else if (later.at.kind == OT_INSERT)
			ot_builder_take(&builder, &later);
		else
			pair(&builder, &earlier, &later);
	}
	/* One of them has ended, and retains what the other still does. */
	ot_builder_rest(&builder, &earlier);
	ot_builder_rest(&builder, &later);
	return ot_builder_finish(&builder);
}
