/*
 * ot/apply.c
 *		An op and the document it was made against: applying it, inverting it.
 *
 * The document is valid UTF-8 of any length; an op that reaches past its end is
 * refused, never cut short.
 */
#include "ot_internal.h"

/* The part of the document that the op has not walked yet. */
typedef struct Rest
{
	const char *text;
	size_t		size;
} Rest;

/* An empty document may come without an address. */
static Rest
whole(const char *document, size_t size)
{
	Rest		rest = {size == 0 ? "" : document, size};

	return rest;
}

/* Take `length` cp off the front; false when there are not as many. */
static bool
take_front(Rest *rest, int64_t length, const char **text, size_t *size)
{
	*text = rest->text;
	*size = ot_utf8_skip(rest->text, rest->size, &length);
	rest->text += *size;
	rest->size -= *size;
	return length == 0;
}

/* The room a result can take, as far as one may ask for it. */
static size_t
result_bound(size_t document_size, size_t op_size, const OtBuffer *out)
{
	size_t		bound = OT_MAX_BUFFER - out->size;

	if (document_size < bound && op_size < bound - document_size)
		return document_size + op_size;
	return bound;
}

/* The document after the op. */
OtStatus
ot_apply(const char *document, size_t size, OtOp op, OtBuffer *out)
{
	OtReader	reader;
	OtComponent component;
	Rest		rest = whole(document, size);
	OtStatus	status = ot_buffer_reserve(out, result_bound(size, op.size, out));

	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		const char *text = component.text;
		size_t		text_size = component.text_size;

		if (component.kind != OT_INSERT &&
			!take_front(&rest, component.length, &text, &text_size))
			return OT_OUT_OF_RANGE;
		if (component.kind != OT_DELETE)
			status = ot_buffer_append(out, text, text_size);
	}
	if (status == OT_OK)
		status = ot_buffer_append(out, rest.text, rest.size);
	return status;
}

/* The op that takes apply(document, op) back to document. */
OtStatus
ot_invert(OtOp op, const char *document, size_t size, OtBuffer *out)
{
	OtReader	reader;
	OtComponent component;
	OtBuilder	builder;
	Rest		rest = whole(document, size);

	ot_builder_init(&builder, out);
	ot_reader_init(&reader, op);
	while (ot_reader_next(&reader, &component))
	{
		const char *text;
		size_t		text_size;

		if (component.kind == OT_INSERT)
		{
			ot_builder_delete(&builder, component.length);
			continue;
		}
		if (!take_front(&rest, component.length, &text, &text_size))
			return OT_OUT_OF_RANGE;
		if (component.kind == OT_RETAIN)
			ot_builder_retain(&builder, component.length);
		else
			ot_builder_insert(&builder, text, text_size, component.length);
	}
	return ot_builder_finish(&builder);
}
