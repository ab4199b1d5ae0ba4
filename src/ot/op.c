/*
 * ot/op.c
 *		The packed form: reading it, building it, checking what comes from outside.
 *
 * The builder is the only maker of ops, so the normal form is kept in one place.
 * A retain or delete waits in the builder until another kind follows; an insert
 * is written at once, and its header is written anew whenever it grows.
 */
#include "ot_internal.h"

/* ---- reading ---- */

/* Begin to read an op. */
void
ot_reader_init(OtReader *reader, OtOp op)
{
	reader->next = op.data;
	reader->end = op.size == 0 ? op.data : op.data + op.size;
}

/* The next component; false at the end of the op. */
bool
ot_reader_next(OtReader *reader, OtComponent *component)
{
	component->text = NULL;
	component->text_size = 0;
	return ot_reader_step(reader, component);
}

/* What an op needs, brings and takes. */
void
ot_measure(OtOp op, OtMeasure *measure)
{
	OtReader	reader;
	OtComponent component;

	memset(measure, 0, sizeof(*measure));
	ot_reader_init(&reader, op);
	while (ot_reader_step(&reader, &component))
	{
		measure->components++;
		if (component.kind == OT_INSERT)
			measure->inserted += component.length;
		else
			measure->base_length += component.length;
		if (component.kind == OT_DELETE)
			measure->deleted += component.length;
	}
}

/* ---- building ---- */

/*
 * Let an op without an error end at `end`, an offset in its buffer; false is a
 * failure noted.
 */
static bool
extend_to(OtBuilder *builder, size_t end)
{
	OtBuffer   *out = builder->out;

	builder->status = OT_TOO_LARGE;
	if (end - out->reserved <= OT_MAX_BYTES)
		builder->status = ot_buffer_reserve(out, end - out->size);
	return builder->status == OT_OK;
}

/* Count a component into the lengths of base and result; false past a limit. */
static bool
count(OtBuilder *builder, OtKind kind, int64_t length)
{
	if (kind != OT_INSERT)
		builder->base_length += length;
	if (kind != OT_DELETE)
		builder->result_length += length;
	if (builder->base_length <= OT_MAX_LENGTH && builder->result_length <= OT_MAX_LENGTH)
		return true;
	builder->status = OT_TOO_LARGE;
	return false;
}

/* The bytes of a varint. */
static inline size_t
varint_size(uint64_t value)
{
	size_t		size = 1;

	while ((value >>= 7) != 0)
		size++;
	return size;
}

/* Write out the pending retain or delete. */
static void
flush(OtBuilder *builder)
{
	OtBuffer   *out = builder->out;
	uint8_t    *at;
	uint64_t	header;

	if (builder->length == 0 || builder->kind == OT_INSERT)
		return;
	header = (uint64_t) builder->length << OT_KIND_BITS | builder->kind;
	if (!count(builder, builder->kind, builder->length) ||
		!extend_to(builder, out->size + varint_size(header)))
		return;
	at = ot_varint_write(out->data + out->size, header);
	out->size = (size_t) (at - out->data);
}

/* Begin an op in an empty buffer, whose reserved bytes exist from here on. */
void
ot_builder_init(OtBuilder *builder, OtBuffer *out)
{
	memset(builder, 0, sizeof(*builder));
	builder->out = out;
	builder->kind = OT_RETAIN;
	builder->status = ot_buffer_reserve(out, OT_MAX_HEADER);
}

/* Let `kind` be what is pending; what was, if it is another, is done. */
static void
turn_to(OtBuilder *builder, OtKind kind)
{
	if (builder->kind == kind)
		return;
	flush(builder);
	builder->kind = kind;
	builder->length = 0;
	builder->header_at = builder->out->size;
	builder->text_at = builder->out->size;
}

/* Append a retain or a delete. */
void
ot_builder_add(OtBuilder *builder, OtKind kind, int64_t length)
{
	if (length <= 0 || builder->status != OT_OK)
		return;
	if (length > OT_MAX_LENGTH)
	{
		builder->status = OT_TOO_LARGE;
		return;
	}
	turn_to(builder, kind);
	builder->length += length;
}

/* Append a retain. */
void
ot_builder_retain(OtBuilder *builder, int64_t length)
{
	ot_builder_add(builder, OT_RETAIN, length);
}

/* Append a delete. */
void
ot_builder_delete(OtBuilder *builder, int64_t length)
{
	ot_builder_add(builder, OT_DELETE, length);
}

/* Write the pending insert's header, and behind it make room for `size` bytes. */
static uint8_t *
extend_insert(OtBuilder *builder, size_t size)
{
	OtBuffer   *out = builder->out;
	size_t		old_size = out->size - builder->text_at;
	size_t		extra = old_size + size - (size_t) builder->length;
	unsigned	kind = extra == 0 ? OT_INSERT : OT_WIDE_INSERT;
	uint64_t	header = (uint64_t) builder->length << OT_KIND_BITS | kind;
	size_t		text_at = builder->header_at + varint_size(header);
	uint8_t    *at;

	if (extra != 0)
		text_at += varint_size(extra);
	if (!extend_to(builder, text_at + old_size + size))
		return NULL;
	/* A longer header pushes the text it stands before. */
	if (text_at != builder->text_at && old_size > 0)
		memmove(out->data + text_at, out->data + builder->text_at, old_size);
	at = ot_varint_write(out->data + builder->header_at, header);
	if (extra != 0)
		(void) ot_varint_write(at, extra);
	builder->text_at = text_at;
	out->size = text_at + old_size + size;
	return out->data + text_at + old_size;
}

/* Append an insert, or lengthen the one that was begun. */
void
ot_builder_insert(OtBuilder *builder, const char *text, size_t size, int64_t length)
{
	uint8_t    *at;

	if (length <= 0 || builder->status != OT_OK)
		return;
	if (length > OT_MAX_LENGTH || size > OT_MAX_BYTES)
	{
		builder->status = OT_TOO_LARGE;
		return;
	}
	turn_to(builder, OT_INSERT);
	if (builder->status != OT_OK || !count(builder, OT_INSERT, length))
		return;
	builder->length += length;
	at = extend_insert(builder, size);
	if (at == NULL)
		return;
	/* A keystroke is not worth a call. */
	if (size == 1)
		*at = (uint8_t) *text;
	else
		memcpy(at, text, size);
}

/* Append what is left of the component at a cursor, and pass it. */
void
ot_builder_take(OtBuilder *builder, OtCursor *cursor)
{
	const OtComponent *at = &cursor->at;

	if (at->kind == OT_INSERT)
		ot_builder_insert(builder, at->text, at->text_size, at->length);
	else
		ot_builder_add(builder, at->kind, at->length);
	ot_cursor_next(cursor);
}

/*
 * Append all that is left of an op.  Its first component may merge with the
 * pending one; those behind it are in normal form already, and copied.
 */
void
ot_builder_rest(OtBuilder *builder, OtCursor *cursor)
{
	const uint8_t *from;
	size_t		size;

	if (ot_cursor_ended(cursor))
		return;
	from = cursor->reader.next;
	size = (size_t) (cursor->reader.end - from);
	ot_builder_take(builder, cursor);
	if (size == 0 || builder->status != OT_OK)
		return;
	flush(builder);
	builder->length = 0;
	for (; builder->status == OT_OK && !ot_cursor_ended(cursor); ot_cursor_next(cursor))
		(void) count(builder, cursor->at.kind, cursor->at.length);
	if (builder->status != OT_OK || !extend_to(builder, builder->out->size + size))
		return;
	memcpy(builder->out->data + builder->out->size, from, size);
	builder->out->size += size;
}

/* End the op: a retain at the end says nothing and is dropped. */
OtStatus
ot_builder_finish(OtBuilder *builder)
{
	if (builder->status == OT_OK && builder->kind == OT_DELETE)
		flush(builder);
	builder->length = 0;
	return builder->status;
}

/* ---- checking ---- */

/* Read a varint nobody vouches for: within its bounds and in its shortest form. */
static bool
checked_varint(OtReader *reader, uint64_t *value)
{
	uint64_t	result = 0;

	for (int i = 0; i < OT_MAX_VARINT && reader->next < reader->end; i++)
	{
		uint8_t		byte = *reader->next++;

		result |= (uint64_t) (byte & 0x7f) << (7 * i);
		if (byte < 0x80)
		{
			*value = result;
			return byte != 0 || i == 0;
		}
	}
	return false;
}

/* Check the text of an insert, whose header says it has `length` cp. */
static OtStatus
check_text(OtReader *reader, bool wide, int64_t length)
{
	uint64_t	extra = 0;
	uint64_t	size;
	int64_t		found;
	OtStatus	status;

	if (wide && (!checked_varint(reader, &extra) || extra == 0))
		return OT_MALFORMED;
	size = (uint64_t) length + extra;
	if (size > (uint64_t) (reader->end - reader->next))
		return OT_MALFORMED;
	status = ot_utf8_check((const char *) reader->next, (size_t) size, &found);
	if (status != OT_OK)
		return status;
	reader->next += size;
	return found == length ? OT_OK : OT_MALFORMED;
}

/* Is it the packed form of an op in normal form, within the limits? */
OtStatus
ot_check(OtOp op)
{
	OtReader	reader;
	int64_t		base_length = 0;
	int64_t		result_length = 0;
	int			last = -1;

	if (op.size > OT_MAX_BYTES)
		return OT_TOO_LARGE;
	ot_reader_init(&reader, op);
	while (reader.next < reader.end)
	{
		uint64_t	header;
		int64_t		length;
		int			kind;
		OtStatus	status;

		if (!checked_varint(&reader, &header))
			return OT_MALFORMED;
		length = (int64_t) (header >> OT_KIND_BITS);
		kind = header & ((1 << OT_KIND_BITS) - 1);
		base_length += kind < OT_INSERT ? length : 0;
		result_length += kind != OT_DELETE ? length : 0;
		if (base_length > OT_MAX_LENGTH || result_length > OT_MAX_LENGTH)
			return OT_TOO_LARGE;
		if (kind >= OT_INSERT)
		{
			status = check_text(&reader, kind == OT_WIDE_INSERT, length);
			if (status != OT_OK)
				return status;
			kind = OT_INSERT;
		}
		if (length == 0 || kind == last)
			return OT_MALFORMED;
		last = kind;
	}
	return last == OT_RETAIN ? OT_MALFORMED : OT_OK;
}
