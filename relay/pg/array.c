/*
 * pg/array.c: writes one-dimensional arrays in PostgreSQL's binary format.
 *
 * The format is: number of dimensions, a flag for nulls, the element type, and
 * for each dimension its size and lower bound; then each element, preceded by its
 * length. All numbers are in network byte order.
 */
#include "pg/array.h"

#include <arpa/inet.h>

#define SIZE_OFFSET 12

/* Begin an array; what was in the buffer is dropped. */
void
pg_array_begin(struct buf *array, uint32_t element_oid)
{
	/* dimensions, nulls, type, elements (filled in at the end), lower bound */
	const uint32_t head[] = {htonl(1), 0, htonl(element_oid), 0, htonl(1)};

	buf_clear(array);
	buf_put(array, head, sizeof(head));
}

/* Append an element. */
void
pg_array_put(struct buf *array, const void *data, size_t len)
{
	buf_be32(array, (uint32_t) len);
	buf_put(array, data, len);
}

/* Append a bigint. */
void
pg_array_put_int8(struct buf *array, int64_t value)
{
	const uint32_t element[] = {htonl(8), htonl((uint32_t) ((uint64_t) value >> 32)), htonl((uint32_t) value)};

	buf_put(array, element, sizeof(element));
}

/* Write how many elements the array has got. */
void
pg_array_finish(struct buf *array, uint32_t count)
{
	for (int i = 0; i < 4; i++)
		array->data[SIZE_OFFSET + i] = (char) (count >> (24 - 8 * i));
}
