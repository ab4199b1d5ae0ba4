/*
 * fuzz-receive.c
 *		Bytes from outside as a packed op: what ot_check() takes, everything else may
 *		trust.
 */
#include <string.h>

#include "fuzz.h"

static OtBuffer built;
static OtBuffer text;

/* Walk the op with the reader and build it anew: it comes out as it was. */
static void
walk(OtOp op)
{
	OtReader	reader;
	OtComponent component;
	OtBuilder	builder;
	OtMeasure	measure;
	int64_t		components = 0;

	ot_buffer_reset(&built);
	ot_builder_init(&builder, &built);
	ot_reader_init(&reader, op);
	while (ot_reader_next(&reader, &component))
	{
		components++;
		PROMISE(component.length > 0);
		if (component.kind == OT_RETAIN)
			ot_builder_retain(&builder, component.length);
		else if (component.kind == OT_DELETE)
			ot_builder_delete(&builder, component.length);
		else
		{
			PROMISE(ot_utf8_length(component.text, component.text_size) == component.length);
			ot_builder_insert(&builder, component.text, component.text_size, component.length);
		}
	}
	PROMISE(ot_builder_finish(&builder) == OT_OK);
	PROMISE(built.size == op.size && (op.size == 0 || memcmp(built.data, op.data, op.size) == 0));
	ot_measure(op, &measure);
	PROMISE(measure.components == components);
	PROMISE(measure.base_length <= OT_MAX_LENGTH);
}

/* Print it and parse that: it comes out as it was. */
static void
round_trip(OtOp op)
{
	size_t		error_at;
	const char *detail;

	ot_buffer_reset(&text);
	ot_buffer_reset(&built);
	PROMISE(ot_to_json(op, &text) == OT_OK);
	PROMISE(ot_from_json((const char *) text.data, text.size, &built, &error_at, &detail) == OT_OK);
	PROMISE(built.size == op.size && (op.size == 0 || memcmp(built.data, op.data, op.size) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OtOp		op = {data, size};

	if (built.allocator == NULL)
	{
		ot_buffer_init(&built, &ot_libc_allocator, 0);
		ot_buffer_init(&text, &ot_libc_allocator, 0);
	}
	if (ot_check(op) == OT_OK)
	{
		walk(op);
		round_trip(op);
	}
	return 0;
}
