/*
 * base/life.h: a document's life, which PostgreSQL generates at its creation. It
 * distinguishes documents that had the same id at different times.
 *
 * It begins with the last sequence id at that time, so a later life compares
 * greater, and every operation of a life has a higher sequence id.
 */
#ifndef RELAY_LIFE_H
#define RELAY_LIFE_H

#include "base/docmap.h"

#include <string.h>

/* Return true if one life began after another. */
static inline bool
life_is_later(const struct uuid *life, const struct uuid *other)
{
	return memcmp(life->bytes, other->bytes, UUID_BYTES) > 0;
}

/* Return true if two lives are of one document, whose past was changed between them: what was submitted in the one is good in the other. */
static inline bool
life_is_renewed(const struct uuid *life, const struct uuid *other)
{
	return memcmp(life->bytes, other->bytes, UUID_BYTES / 2) == 0;
}

/* Return true if an operation may belong to a life; any operation may belong to a life of zeros, which comes from an old dump. */
static inline bool
life_may_have(const struct uuid *life, int64_t sequence_id)
{
	uint64_t	first = 0;

	for (int i = 0; i < 8; i++)
		first = first << 8 | life->bytes[i];
	return first == 0 || (uint64_t) sequence_id > first;
}

#endif							/* RELAY_LIFE_H */
