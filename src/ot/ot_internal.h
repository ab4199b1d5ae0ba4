/*
 * ot/ot_internal.h
 *		What the files of the core share and nobody else sees: room in a buffer,
 *		varints, and the cursor that takes an op apart.
 *
 * Reading here trusts its input; only ot_check() reads what nobody vouches for.
 */
#ifndef CONVERGE_OT_INTERNAL_H
#define CONVERGE_OT_INTERNAL_H

#include <string.h>

#include "ot.h"

/*
 * Largest buffer: what PostgreSQL's palloc() gives in one piece.  Being refused
 * here is an ordinary status, being refused there is an internal error.
 */
#define OT_MAX_BUFFER	((size_t) 0x3fffffff)

/* Largest varint, of 35 bits, and largest header, which is two of them. */
#define OT_MAX_VARINT	5
#define OT_MAX_HEADER	10

/* The kind of an insert that holds a character beyond ASCII. */
#define OT_WIDE_INSERT	3

#define OT_KIND_BITS	2

extern OtStatus ot_buffer_grow(OtBuffer *buffer, size_t extra);
extern OtStatus ot_utf8_check_at(const char *text, size_t size, int64_t *length_cp,
								 size_t *bad_at);
extern size_t ot_utf8_skip(const char *text, size_t size, int64_t *length_cp);

/* Make room for `extra` more bytes. */
static inline OtStatus
ot_buffer_reserve(OtBuffer *buffer, size_t extra)
{
	if (buffer->capacity >= buffer->size && buffer->capacity - buffer->size >= extra)
		return OT_OK;
	return ot_buffer_grow(buffer, extra);
}

/* Write a varint, return the byte behind it. */
static inline uint8_t *
ot_varint_write(uint8_t *at, uint64_t value)
{
	while (value >= 0x80)
	{
		*at++ = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t) value;
	return at;
}

/* Read a trusted varint, return the byte behind it. */
static inline const uint8_t *
ot_varint_read(const uint8_t *at, uint64_t *value)
{
	uint64_t	byte = *at++;
	uint64_t	result = byte & 0x7f;

	for (int shift = 7; byte >= 0x80; shift += 7)
	{
		byte = *at++;
		result |= (byte & 0x7f) << shift;
	}
	*value = result;
	return at;
}

/* ot_reader_next() where the call would cost more than the work. */
static inline bool
ot_reader_step(OtReader *reader, OtComponent *component)
{
	uint64_t	header;
	uint64_t	extra = 0;
	unsigned	kind;

	if (reader->next == reader->end)
		return false;
	reader->next = ot_varint_read(reader->next, &header);
	kind = header & ((1 << OT_KIND_BITS) - 1);
	component->length = (int64_t) (header >> OT_KIND_BITS);
	if (kind < OT_INSERT)
	{
		component->kind = (OtKind) kind;
		return true;
	}
	if (kind == OT_WIDE_INSERT)
		reader->next = ot_varint_read(reader->next, &extra);
	component->kind = OT_INSERT;
	component->text = (const char *) reader->next;
	component->text_size = (size_t) component->length + extra;
	reader->next += component->text_size;
	return true;
}

/*
 * A place in an op: what is left of the component there, and the reader behind
 * it.  at.length is 0 exactly when the op has ended; from there on it retains.
 */
typedef struct OtCursor
{
	OtReader	reader;
	OtComponent at;
} OtCursor;

static inline void
ot_cursor_next(OtCursor *cursor)
{
	if (!ot_reader_step(&cursor->reader, &cursor->at))
		cursor->at.length = 0;
}

static inline void
ot_cursor_init(OtCursor *cursor, OtOp op)
{
	ot_reader_init(&cursor->reader, op);
	cursor->at.text = NULL;
	cursor->at.text_size = 0;
	ot_cursor_next(cursor);
}

static inline bool
ot_cursor_ended(const OtCursor *cursor)
{
	return cursor->at.length == 0;
}

/* Pass `length` cp of the retain or delete here. */
static inline void
ot_cursor_pass(OtCursor *cursor, int64_t length)
{
	cursor->at.length -= length;
	if (cursor->at.length == 0)
		ot_cursor_next(cursor);
}

/* Append what is left of the component here, whole. */
extern void ot_builder_take(OtBuilder *builder, OtCursor *cursor);

/* Append all that is left of the op; nothing may be appended after it. */
extern void ot_builder_rest(OtBuilder *builder, OtCursor *cursor);

/* Append a retain or a delete. */
extern void ot_builder_add(OtBuilder *builder, OtKind kind, int64_t length);

#endif							/* CONVERGE_OT_INTERNAL_H */
