/*
 * past/rope.c
 *		A text that many ops are applied to, one after another.
 *
 * Chunks hold whole code points.  A full chunk is halved before it takes an
 * insert, except at its end, so that neither typing nor many small inserts
 * leave chunks of next to nothing behind.
 */
#include <string.h>

#include "chunks.h"
#include "rope.h"

/* What a chunk of a new text gets: room to type into is left. */
#define FILL_BYTES	(CHUNK_BYTES / 8 * 7)

struct Rope
{
	ChunkList	chunks;
	OtBuffer	deleted;		/* text of a delete across chunks */
};

/* ---- finding ---- */

/* The bytes of the first `length` cp of a chunk. */
static size_t
bytes_of(const Chunk *chunk, int64_t length)
{
	if ((size_t) chunk->length == chunk->size)
		return (size_t) length;
	return ot_utf8_offset((const char *) chunk->data, chunk->size, length);
}

/* The largest number of bytes, at most `limit`, after which a cp begins. */
static size_t
whole_cps(const char *text, size_t size, size_t limit)
{
	if (size <= limit)
		return size;
	while (((uint8_t) text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

/* ---- inserting ---- */

/* Fill new chunks behind a place, and stay in the last one. */
static OtStatus
append_chunks(ChunkList *list, ChunkPlace *place, const char *text, size_t size)
{
	while (size > 0)
	{
		size_t		step = whole_cps(text, size, FILL_BYTES);
		OtStatus	status = chunks_add(list, place);

		if (status != OT_OK)
			return status;
		chunks_splice(list, place, 0, 0, text, step, ot_utf8_length(text, step));
		text += step;
		size -= step;
	}
	return OT_OK;
}

/* Insert what is larger than half a chunk: into chunks of its own. */
static OtStatus
insert_large(ChunkList *list, int64_t pos, const char *text, size_t size)
{
	ChunkPlace	place;
	Chunk	   *chunk;
	OtStatus	status = OT_OK;

	chunks_locate(list, pos, false, &place);
	chunk = chunks_at(list, &place);
	if (place.offset < chunk->length)
		status = chunks_split(list, &place, bytes_of(chunk, place.offset), place.offset);
	if (status != OT_OK)
		return status;
	/* The split may have moved the chunk; its end has not moved. */
	chunks_locate(list, pos, false, &place);
	status = append_chunks(list, &place, text, size);
	if (status != OT_OK)
		return status;
	/* What is left of the chunk on both sides may be small, or nothing. */
	if (chunks_next(list, &place))
		chunks_tidy(list, &place);
	chunks_locate(list, pos, false, &place);
	chunks_tidy(list, &place);
	return OT_OK;
}

/* Halve a full chunk; at its end rather go on behind it. */
static OtStatus
make_room(ChunkList *list, ChunkPlace *place, int64_t pos, size_t size)
{
	Chunk	   *chunk = chunks_at(list, place);
	size_t		half;
	OtStatus	status;

	if (place->offset == chunk->length)
		return chunks_go_on(list, place, size);
	half = whole_cps((const char *) chunk->data, chunk->size, chunk->size / 2);
	status = chunks_split(list, place, half,
						  ot_utf8_length((const char *) chunk->data, half));
	chunks_locate(list, pos, false, place);
	return status;
}

static OtStatus
insert(ChunkList *list, int64_t pos, const char *text, size_t size, int64_t length)
{
	ChunkPlace	place;
	OtStatus	status = OT_OK;

	if (size > CHUNK_BYTES / 2)
		return insert_large(list, pos, text, size);
	chunks_locate(list, pos, false, &place);
	while (status == OT_OK && chunks_at(list, &place)->size + size > CHUNK_BYTES)
		status = make_room(list, &place, pos, size);
	if (status == OT_OK)
		chunks_splice(list, &place, bytes_of(chunks_at(list, &place), place.offset), 0,
					  text, size, length);
	return status;
}

/* ---- deleting ---- */

/* Take up to `length` cp at a place out of its chunk; returns how many. */
static int64_t
remove_here(ChunkList *list, const ChunkPlace *place, int64_t length)
{
	const Chunk *chunk = chunks_at(list, place);
	size_t		from = bytes_of(chunk, place->offset);
	size_t		to = chunk->size;

	if (length < chunk->length - place->offset)
		to = from + ot_utf8_offset((const char *) chunk->data + from, chunk->size - from, length);
	else
		length = chunk->length - place->offset;
	chunks_splice(list, place, from, to - from, NULL, 0, -length);
	chunks_tidy(list, place);
	return length;
}

static void
delete(ChunkList *list, int64_t pos, int64_t length)
{
	ChunkPlace	place;

	while (length > 0)
	{
		chunks_locate(list, pos, true, &place);
		length -= remove_here(list, &place, length);
	}
}

/* The text at a place, in one piece: in its chunk, or gathered from several. */
static OtStatus
gather(Rope *rope, int64_t pos, int64_t length, const char **text, size_t *size)
{
	ChunkList  *list = &rope->chunks;
	ChunkPlace	place;
	OtStatus	status = OT_OK;

	ot_buffer_reset(&rope->deleted);
	chunks_locate(list, pos, true, &place);
	do
	{
		const Chunk *chunk = chunks_at(list, &place);
		size_t		from = bytes_of(chunk, place.offset);
		const char *part = (const char *) chunk->data + from;
		size_t		part_size = ot_utf8_offset(part, chunk->size - from, length);

		*text = part;
		*size = part_size;
		if (rope->deleted.size == 0 && length <= chunk->length - place.offset)
			return OT_OK;
		status = ot_buffer_append(&rope->deleted, part, part_size);
		length -= chunk->length - place.offset;
	}
	while (status == OT_OK && length > 0 && chunks_next(list, &place));
	*text = (const char *) rope->deleted.data;
	*size = rope->deleted.size;
	return status;
}

/* ---- the rope ---- */

/* A rope of valid UTF-8. */
OtStatus
rope_create(const OtAllocator *allocator, const char *text, size_t size, Rope **rope)
{
	Rope	   *made = allocator->resize(allocator->ctx, NULL, sizeof(Rope));
	OtStatus	status;

	*rope = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	ot_buffer_init(&made->deleted, allocator, 0);
	status = chunks_init(&made->chunks, allocator);
	if (status == OT_OK && size > 0)
		status = insert_large(&made->chunks, 0, text, size);
	if (status == OT_OK)
		*rope = made;
	else
		rope_free(made);
	return status;
}

/* Report a delete, and apply it. */
static OtStatus
apply_delete(Rope *rope, int64_t pos, int64_t length, RopeVisit visit, void *ctx)
{
	const char *text;
	size_t		size;
	OtStatus	status = OT_OK;

	if (visit != NULL)
		status = gather(rope, pos, length, &text, &size);
	if (visit != NULL && status == OT_OK)
		status = visit(ctx, OT_DELETE, pos, length, text, size);
	if (status == OT_OK)
		delete(&rope->chunks, pos, length);
	return status;
}

/* Apply an op, telling of its deletes and inserts. */
OtStatus
rope_apply(Rope *rope, OtOp op, RopeVisit visit, void *ctx)
{
	OtMeasure	measure;
	OtReader	reader;
	OtComponent component;
	int64_t		pos = 0;
	OtStatus	status = OT_OK;

	ot_measure(op, &measure);
	if (measure.base_length > rope->chunks.length)
		return OT_OUT_OF_RANGE;
	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		if (component.kind == OT_DELETE)
			status = apply_delete(rope, pos, component.length, visit, ctx);
		else if (component.kind == OT_INSERT)
		{
			if (visit != NULL)
				status = visit(ctx, OT_INSERT, pos, component.length,
							   component.text, component.text_size);
			if (status == OT_OK)
				status = insert(&rope->chunks, pos, component.text, component.text_size,
								component.length);
		}
		if (component.kind != OT_DELETE)
			pos += component.length;
	}
	return status;
}

/* In cp. */
int64_t
rope_length(const Rope *rope)
{
	return rope->chunks.length;
}

/* In bytes. */
size_t
rope_size(const Rope *rope)
{
	return rope->chunks.size;
}

/* Append a passage. */
OtStatus
rope_read(const Rope *rope, int64_t pos, int64_t length, OtBuffer *out)
{
	ChunkPlace	place;
	OtStatus	status = OT_OK;

	if (length == 0)
		return OT_OK;
	chunks_locate(&rope->chunks, pos, true, &place);
	do
	{
		const Chunk *chunk = chunks_at(&rope->chunks, &place);
		size_t		from = bytes_of(chunk, place.offset);
		const char *part = (const char *) chunk->data + from;

		status = ot_buffer_append(out, part, ot_utf8_offset(part, chunk->size - from, length));
		length -= chunk->length - place.offset;
	}
	while (status == OT_OK && length > 0 && chunks_next(&rope->chunks, &place));
	return status;
}

/* Append the whole text. */
OtStatus
rope_text(const Rope *rope, OtBuffer *out)
{
	ChunkPlace	place = {0, 0, 0};
	OtStatus	status;

	do
	{
		const Chunk *chunk = chunks_at(&rope->chunks, &place);

		status = ot_buffer_append(out, chunk->data, chunk->size);
	}
	while (status == OT_OK && chunks_next(&rope->chunks, &place));
	return status;
}

/* Give the rope's memory back. */
void
rope_free(Rope *rope)
{
	const OtAllocator *allocator;

	if (rope == NULL)
		return;
	allocator = rope->deleted.allocator;
	chunks_free(&rope->chunks);
	ot_buffer_free(&rope->deleted);
	allocator->release(allocator->ctx, rope);
}
