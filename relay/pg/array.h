/*
 * pg/array.h: one-dimensional arrays in PostgreSQL's binary form.
 */
#ifndef RELAY_PG_ARRAY_H
#define RELAY_PG_ARRAY_H

#include "base/mem.h"

#include <stdint.h>

#define INT8_OID 20
#define TEXT_OID 25
#define UUID_OID 2950

void		pg_array_begin(struct buf *array, uint32_t element_oid);
void		pg_array_put(struct buf *array, const void *data, size_t len);
void		pg_array_put_int8(struct buf *array, int64_t value);
void		pg_array_finish(struct buf *array, uint32_t count);

#endif							/* RELAY_PG_ARRAY_H */
