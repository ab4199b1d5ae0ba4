/*
 * base/life.h: which document it is, of those that have had its id, one after the
 * other: the life that PostgreSQL gave it when it was created.
 *
 * It begins with the last sequence id there was then, so a later life is the
 * greater one, and every operation of a life has a higher sequence id than that.
 */
#ifndef RELAY_LIFE_H
#define RELAY_LIFE_H

#include "base/docmap.h"

#include <string.h>

/* Tell whether one life came after another. */
static inline bool
life_is_later(const struct uuid *life, const struct uuid *other)
{
	return memcmp(life->bytes, other->bytes, UUID_BYTES) > 0;
}

/* Tell whether an operation may belong to a life; of those from old dumps, which are all zeros, any may. */
static inline bool
life_may_have(const struct uuid *life, int64_t sequence_id)
{
	uint64_t	first = 0;

	for (int i = 0; i < 8; i++)
		first = first << 8 | life->bytes[i];
	return first == 0 || (uint64_t) sequence_id > first;
}

#endif							/* RELAY_LIFE_H */
