/*
 * pg/array.c: one-dimensional arrays in PostgreSQL's binary form.
 *
 * It is: dimensions, a flag for nulls, the elements' type, and for each
 * dimension its size and lower bound; then each element with its length in
 * front. All in network order.
 */
#include "pg/array.h"

#define SIZE_OFFSET 12

/* Begin an array; what was in the buffer is dropped. */
void
pg_array_begin(struct buf *array, uint32_t element_oid)
{
	buf_clear(array);
	buf_be32(array, 1);			/* dimensions */
	buf_be32(array, 0);			/* no nulls */
	buf_be32(array, element_oid);
	buf_be32(array, 0);			/* elements, filled in at the end */
	buf_be32(array, 1);			/* lower bound */
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
	buf_be32(array, 8);
	buf_be64(array, (uint64_t) value);
}

/* Write how many elements the array has got. */
void
pg_array_finish(struct buf *array, uint32_t count)
{
	for (int i = 0; i < 4; i++)
		array->data[SIZE_OFFSET + i] = (char) (count >> (24 - 8 * i));
}
