/*
 * past/pack_write.c
 *		Ops into a pack.
 *
 * What an op says goes into the columns at once, but for the times, whose unit
 * is known only at the end.  An error leaves half an op in them: it sticks.
 */
#include <string.h>

#include "pack_model.h"

struct PackWriter
{
	const OtAllocator *allocator;
	PackHash	hash;
	OtStatus	status;
	PackModel	model;
	int64_t		count;
	int64_t		version;		/* of the last op, as those below */
	int64_t		seq;
	int64_t		hash_gap;		/* ops since the last hash that was stored */
	OtBuffer	times;			/* an int64 for each op */
	OtBuffer	columns[PACK_COLUMNS];
	PackColumn	sizes[PACK_COLUMNS];	/* of what was written last */
};

/* ---- bytes ---- */

/* Append bytes to a column. */
static void
put_bytes(PackWriter *writer, PackColumnNumber column, const void *bytes, size_t size)
{
	if (writer->status == OT_OK)
		writer->status = ot_buffer_append(&writer->columns[column], bytes, size);
}

/* Append a number to a column. */
static void
put(PackWriter *writer, PackColumnNumber column, uint64_t value)
{
	uint8_t		bytes[PACK_MAX_VARINT];

	put_bytes(writer, column, bytes, (size_t) (pack_varint_write(bytes, value) - bytes));
}

/* Append how far `value` is from what was expected. */
static void
put_difference(PackWriter *writer, PackColumnNumber column, int64_t value, int64_t expected)
{
	put(writer, column, pack_zigzag((uint64_t) value - (uint64_t) expected));
}

static void
put_byte(PackWriter *writer, PackColumnNumber column, unsigned value)
{
	uint8_t		byte = (uint8_t) value;

	put_bytes(writer, column, &byte, 1);
}

/* ---- an op ---- */

static void
put_id(PackWriter *writer, PackUser *user, const uint8_t *id)
{
	int			stream = pack_user_stream(user, id);

	put_byte(writer, PACK_ID_STREAM, (unsigned) stream);
	if (stream == user->streams)
		put_bytes(writer, PACK_ID, id, PACK_ID_SIZE);
	else
		put_difference(writer, PACK_ID_STEP,
					   (int32_t) (pack_id_counter(id) - user->stream[stream].next), 0);
	pack_user_continue(user, stream, id);
}

/* Put down a hash that is not that of the op. */
static void
put_hash(PackWriter *writer, const PackOp *op)
{
	uint32_t	hash = (uint32_t) op->submitted_hash;
	uint8_t		bytes[4];

	if (writer->hash(op->op) == op->submitted_hash)
	{
		writer->hash_gap++;
		return;
	}
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t) (hash >> (8 * i));
	put(writer, PACK_HASH, (uint64_t) writer->hash_gap);
	put_bytes(writer, PACK_HASH, bytes, sizeof(bytes));
	writer->hash_gap = 0;
}

/* Put down a component but for its place. */
static void
put_component(PackWriter *writer, const OtComponent *component, bool more)
{
	static const PackColumnNumber lengths[] = {
		[OT_RETAIN] = PACK_RETAIN,
		[OT_DELETE] = PACK_DELETE,
		[OT_INSERT] = PACK_INSERT
	};
	unsigned	code = component->kind;

	if (more)
		code |= PACK_MORE;
	if (component->length == 1)
		code |= PACK_ONE;
	put_byte(writer, PACK_KINDS, code);
	if (component->length != 1)
		put(writer, lengths[component->kind], (uint64_t) component->length);
	if (component->kind == OT_INSERT)
		put_bytes(writer, PACK_TEXT, component->text, component->text_size);
}

/* Put down an op's components. */
static void
put_op(PackWriter *writer, PackUser *user, OtOp op)
{
	OtReader	reader;
	OtComponent component;
	PackEdit	edit = {0};
	bool		more;

	ot_reader_init(&reader, op);
	if (!ot_reader_next(&reader, &component))
	{
		put_byte(writer, PACK_KINDS, PACK_IDENTITY);
		return;
	}
	if (component.kind == OT_RETAIN)
	{
		edit.pos = component.length;
		ot_reader_next(&reader, &component);
	}
	edit.kind = component.kind;
	edit.length = component.length;
	edit.end = edit.pos;
	put_difference(writer, PACK_POSITION, edit.pos,
				   pack_user_expects(user, edit.kind, edit.length));
	do
	{
		if (component.kind != OT_DELETE)
			edit.end += component.length;
		more = reader.next < reader.end;
		put_component(writer, &component, more);
	}
	while (more && ot_reader_next(&reader, &component));
	pack_model_follow(&writer->model, user, op, &edit);
}

/* Begin a pack with its first op. */
static void
put_origin(PackWriter *writer, const PackOp *op)
{
	put_difference(writer, PACK_ORIGIN, op->version, 0);
	put_difference(writer, PACK_ORIGIN, op->created_at, 0);
	writer->version = (int64_t) ((uint64_t) op->version - 1);
	writer->seq = 0;
	writer->hash_gap = 0;
}

/* Add the next op. */
OtStatus
pack_writer_add(PackWriter *writer, const PackOp *op)
{
	uint64_t	version = (uint64_t) op->version;
	PackUser   *user;
	int			number;

	if (writer->status != OT_OK)
		return writer->status;
	if (op->user_len < 0 || (writer->count > 0 && version - 1 != (uint64_t) writer->version))
		return writer->status = OT_MALFORMED;
	if (writer->count == 0)
		put_origin(writer, op);
	if (writer->status == OT_OK)
		writer->status = ot_buffer_append(&writer->times, &op->created_at, sizeof(int64_t));
	if (writer->status == OT_OK)
		writer->status = pack_model_find(&writer->model, &writer->columns[PACK_USER_TEXT],
										 op->user_id, op->user_len, &number);
	if (writer->status != OT_OK)
		return writer->status;
	user = pack_model_turn(&writer->model, number);
	put(writer, PACK_USER, (uint64_t) number);
	put_difference(writer, PACK_SEQ, op->seq, (int64_t) ((uint64_t) writer->seq + 1));
	put_difference(writer, PACK_BASE, (int64_t) (version - 1), op->base_version);
	put_id(writer, user, op->op_id);
	put_hash(writer, op);
	put_op(writer, user, op->op);
	writer->version = op->version;
	writer->seq = op->seq;
	writer->count++;
	return writer->status;
}

/* Ops added. */
int64_t
pack_writer_count(const PackWriter *writer)
{
	return writer->count;
}

/* Bytes held, before compression. */
size_t
pack_writer_size(const PackWriter *writer)
{
	size_t		size = 0;

	for (int i = 0; i < PACK_COLUMNS; i++)
		size += writer->columns[i].size;
	/* The columns of time, as they will be without their upper part. */
	return size + 2 * (size_t) writer->count;
}

/* ---- times ---- */

/* The i-th delta of time, as its distance from 0. */
static uint64_t
time_delta(const PackWriter *writer, int64_t i, bool *negative)
{
	const uint8_t *at = writer->times.data + (size_t) i * sizeof(int64_t);
	uint64_t	pair[2];

	memcpy(pair, at - sizeof(int64_t), sizeof(pair));
	pair[1] -= pair[0];
	*negative = (int64_t) pair[1] < 0;
	return *negative ? 0 - pair[1] : pair[1];
}

/* The largest unit that all deltas are whole numbers of; 1 if all are 0. */
static uint64_t
time_unit(const PackWriter *writer)
{
	uint64_t	unit = 0;
	bool		negative;

	for (int64_t i = 1; i < writer->count && unit != 1; i++)
	{
		uint64_t	rest = time_delta(writer, i, &negative);

		while (rest != 0)
		{
			uint64_t	next = unit % rest;

			unit = rest;
			rest = next;
		}
	}
	return unit == 0 ? 1 : unit;
}

/* Put down the times, of which the first is in the origin. */
static void
put_times(PackWriter *writer)
{
	uint64_t	unit = time_unit(writer);

	put(writer, PACK_ORIGIN, unit);
	for (int64_t i = 1; i < writer->count; i++)
	{
		bool		negative;
		uint64_t	delta = time_delta(writer, i, &negative) / unit;

		delta = pack_zigzag(negative ? 0 - delta : delta);
		put_byte(writer, PACK_TIME_LOW, (unsigned) (delta & 0xff));
		put_byte(writer, PACK_TIME_MIDDLE, (unsigned) (delta >> 8 & 0xff));
		put(writer, PACK_TIME_HIGH, delta >> 16);
	}
}

/* ---- the pack ---- */

/* A writer without ops. */
OtStatus
pack_writer_create(const OtAllocator *allocator, PackHash hash, PackWriter **writer)
{
	PackWriter *made = allocator->resize(allocator->ctx, NULL, sizeof(PackWriter));

	*writer = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	memset(made, 0, sizeof(*made));
	made->allocator = allocator;
	made->hash = hash;
	pack_model_init(&made->model, allocator);
	ot_buffer_init(&made->times, allocator, 0);
	for (int i = 0; i < PACK_COLUMNS; i++)
		ot_buffer_init(&made->columns[i], allocator, 0);
	*writer = made;
	return OT_OK;
}

/* Forget all ops. */
static void
reset(PackWriter *writer)
{
	writer->count = 0;
	pack_model_reset(&writer->model);
	ot_buffer_reset(&writer->times);
	for (int i = 0; i < PACK_COLUMNS; i++)
		ot_buffer_reset(&writer->columns[i]);
}

/* Write the pack; the writer then begins anew. */
OtStatus
pack_writer_finish(PackWriter *writer, OtBuffer *out)
{
	if (writer->status == OT_OK)
		put_times(writer);
	if (writer->status == OT_OK)
		writer->status = pack_frame_write(writer->allocator, writer->count, writer->columns,
										  writer->sizes, out);
	if (writer->status == OT_OK)
		reset(writer);
	return writer->status;
}

/* The columns of what was written last. */
int
pack_writer_columns(const PackWriter *writer, const PackColumn **columns)
{
	*columns = writer->sizes;
	return PACK_COLUMNS;
}

/* Give the writer's memory back. */
void
pack_writer_free(PackWriter *writer)
{
	if (writer == NULL)
		return;
	pack_model_free(&writer->model);
	ot_buffer_free(&writer->times);
	for (int i = 0; i < PACK_COLUMNS; i++)
		ot_buffer_free(&writer->columns[i]);
	writer->allocator->release(writer->allocator->ctx, writer);
}
