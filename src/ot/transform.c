/*
 * ot/transform.c
 *		An op, or a position, carried over an op made against the same document.
 *
 * Both walk the document in step.  The result is exactly ot-text-unicode's; what
 * one op does not reach it retains, so the walk ends with the shorter of them.
 */
#include "ot_internal.h"

static inline int64_t
shorter(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* `op` as it must be to come after `over`, both made against one document. */
OtStatus
ot_transform(OtOp op, OtOp over, OtSide side, OtBuffer *out)
{
	OtCursor	mine;
	OtCursor	theirs;
	OtBuilder	builder;

	ot_cursor_init(&mine, op);
	ot_cursor_init(&theirs, over);
	ot_builder_init(&builder, out);
	while (!ot_cursor_ended(&mine) && !ot_cursor_ended(&theirs))
	{
		bool		inserting = mine.at.kind == OT_INSERT;

		if (theirs.at.kind == OT_INSERT)
		{
			if (inserting && side == OT_LEFT)
				ot_builder_take(&builder, &mine);
			ot_builder_add(&builder, OT_RETAIN, theirs.at.length);
			ot_cursor_next(&theirs);
		}
		else if (inserting)
			ot_builder_take(&builder, &mine);
		else
		{
			int64_t		length = shorter(mine.at.length, theirs.at.length);

			/* What they deleted is neither there to retain nor to delete. */
			if (theirs.at.kind == OT_RETAIN)
				ot_builder_add(&builder, mine.at.kind, length);
			ot_cursor_pass(&mine, length);
			ot_cursor_pass(&theirs, length);
		}
	}
	ot_builder_rest(&builder, &mine);
	return ot_builder_finish(&builder);
}

/* Where an insert made at `position` goes once `over` was applied. */
int64_t
ot_transform_position(int64_t position, OtOp over, OtSide side)
{
	OtReader	reader;
	OtComponent component;
	int64_t		before = 0;
	int64_t		left = shorter(position, OT_MAX_LENGTH);

	ot_reader_init(&reader, over);
	while (ot_reader_step(&reader, &component))
	{
		if (component.kind == OT_INSERT)
		{
			if (left == 0 && side == OT_LEFT)
				break;
			before += component.length;
			continue;
		}
		if (left < component.length)
		{
			if (component.kind == OT_DELETE)
				left = 0;
			break;
		}
		left -= component.length;
		if (component.kind == OT_RETAIN)
			before += component.length;
	}
	return shorter(before + left, OT_MAX_LENGTH);
}
