/*
 * past/pack_columns.h
 *		The columns of a pack, and the numbers and bytes in them.
 *
 * Most of what is stored is how far something is from what pack_model.h, or the
 * op before it, let expect.  A change of anything here or there is a new
 * PACK_FORMAT.
 *
 *		column			holds, one after another
 *		origin			first version; first time; unit of the time deltas
 *		user text		for each user new to the pack: bytes of the id, the id
 *		hash			for each hash that is not that of the op: how many ops
 *						since the last such, 4 bytes
 *		id				16 bytes of each operation id that continues nothing
 *		seq				each seq less the one before it, less 1
 *		base			each version less 1 less its base
 *		user			each op's user: his number in order of appearance
 *		id stream		which of its user's last ids an op's id continues
 *		id step			by how much its counter is not one higher
 *		kinds			a byte for each component, see PACK_KIND_MASK
 *		position		where an op's first edit is, less where it was expected
 *		retain delete insert		lengths above 1; a first retain is the position
 *		time low, middle, high		deltas of time in units: two bytes, the rest
 *		text			all that is inserted
 *
 * Numbers are LEB128 varints; those that may be negative, zigzag-coded.
 */
#ifndef CONVERGE_PACK_COLUMNS_H
#define CONVERGE_PACK_COLUMNS_H

#include "pack_format.h"

#define PACK_FORMAT		1

/* Bytes of an operation id. */
#define PACK_ID_SIZE	16

/* In this order in the frame: what is mostly of few bytes comes first. */
typedef enum PackColumnNumber
{
	PACK_ORIGIN,
	PACK_USER_TEXT,
	PACK_HASH,
	PACK_ID,
	PACK_SEQ,
	PACK_BASE,
	PACK_USER,
	PACK_ID_STREAM,
	PACK_ID_STEP,
	PACK_KINDS,
	PACK_POSITION,
	PACK_RETAIN,
	PACK_DELETE,
	PACK_INSERT,
	PACK_TIME_LOW,
	PACK_TIME_MIDDLE,
	PACK_TIME_HIGH,
	PACK_TEXT,
	PACK_COLUMNS
} PackColumnNumber;

/*
 * A component's byte: its OtKind, whether another follows, whether its length is
 * 1 and therefore not stored.  The identity is PACK_IDENTITY.
 */
#define PACK_KIND_MASK	3
#define PACK_MORE		4
#define PACK_ONE		8
#define PACK_IDENTITY	3

/* ---- numbers ---- */

/* Largest varint: 64 bits. */
#define PACK_MAX_VARINT 10

/* Write a varint, return the byte behind it. */
static inline uint8_t *
pack_varint_write(uint8_t *at, uint64_t value)
{
	while (value >= 0x80)
	{
		*at++ = (uint8_t) (value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8_t) value;
	return at;
}

/* Read a varint nobody vouches for; false, and nothing read, when there is none. */
static inline bool
pack_varint_read(OtReader *reader, uint64_t *value)
{
	const uint8_t *at = reader->next;
	uint64_t	result = 0;

	for (int shift = 0; shift < 7 * PACK_MAX_VARINT && at < reader->end; shift += 7)
	{
		uint8_t		byte = *at++;

		result |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			reader->next = at;
			*value = result;
			return true;
		}
	}
	return false;
}

/* Small numbers of either sign as small ones without. */
static inline uint64_t
pack_zigzag(uint64_t value)
{
	return value << 1 ^ (0 - (value >> 63));
}

static inline uint64_t
pack_unzigzag(uint64_t value)
{
	return value >> 1 ^ (0 - (value & 1));
}

/* ---- reading ---- */

/*
 * Columns being read.  Nobody vouches for them: a number is read only where its
 * column still has one.  A column that ends early gives zeros and makes the
 * status OT_MALFORMED, which is to be looked at before an op is believed.
 */
typedef struct PackInput
{
	OtStatus	status;			/* the first error sticks */
	OtReader	columns[PACK_COLUMNS];
} PackInput;

static inline void
pack_fail(PackInput *input)
{
	if (input->status == OT_OK)
		input->status = OT_MALFORMED;
}

/* Bytes not yet read of a column. */
static inline size_t
pack_left(const PackInput *input, PackColumnNumber number)
{
	return (size_t) (input->columns[number].end - input->columns[number].next);
}

/* The next number of a column. */
static inline uint64_t
pack_get(PackInput *input, PackColumnNumber number)
{
	OtReader   *column = &input->columns[number];
	uint64_t	value = 0;

	/* Most numbers are of one byte. */
	if (column->next < column->end && *column->next < 0x80)
		return *column->next++;
	if (!pack_varint_read(column, &value))
		pack_fail(input);
	return value;
}

/* A number that is the distance from what was expected. */
static inline uint64_t
pack_get_difference(PackInput *input, PackColumnNumber column, uint64_t expected)
{
	return expected + pack_unzigzag(pack_get(input, column));
}

static inline uint8_t
pack_get_byte(PackInput *input, PackColumnNumber number)
{
	OtReader   *column = &input->columns[number];

	if (column->next < column->end)
		return *column->next++;
	pack_fail(input);
	return 0;
}

/* The next `size` bytes of a column; NULL when there are not as many. */
static inline const uint8_t *
pack_get_bytes(PackInput *input, PackColumnNumber number, uint64_t size)
{
	const uint8_t *bytes = input->columns[number].next;

	if (size > pack_left(input, number))
	{
		pack_fail(input);
		return NULL;
	}
	input->columns[number].next += size;
	return bytes;
}

/* ---- the frame (pack_frame.c) ---- */

/*
 * Write format byte, count and the compressed columns into an empty `out`, and
 * say in `sizes` where the bytes went.
 */
extern OtStatus pack_frame_write(const OtAllocator *allocator, int64_t count,
								 const OtBuffer *columns, PackColumn *sizes, OtBuffer *out);

/*
 * Read it: *payload, which the caller releases, holds the bytes that the columns
 * point to.  What it says of itself is checked: the columns are inside.
 */
extern OtStatus pack_frame_read(const OtAllocator *allocator, const uint8_t *data, size_t size,
								int64_t *count, uint8_t **payload, PackInput *input);

#endif							/* CONVERGE_PACK_COLUMNS_H */
