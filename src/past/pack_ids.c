/*
 * past/pack_ids.c
 *		A filter of the operation ids in a pack.
 */
#include "pack_ids.h"

#include <stdlib.h>
#include <string.h>

#define GROUP_BITS		6		/* of the last byte */
#define BYTES_PER_GROUP	2
#define HASHES			8

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static bool
same_group(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 15) == 0 && a[15] >> GROUP_BITS == b[15] >> GROUP_BITS;
}

size_t
pack_ids_size(uint8_t (*ids)[16], int64_t count)
{
	size_t		groups = 0;

	qsort(ids, (size_t) count, 16, compare_ids);
	for (int64_t i = 0; i < count; i++)
		if (i == 0 || !same_group(ids[i], ids[i - 1]))
			groups++;
	return groups * BYTES_PER_GROUP;
}

/* Eight bytes as a number, the first the highest. */
static uint64_t
number_of(const uint8_t *bytes)
{
	uint64_t	number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

/*
 * Spread every bit of a number over all of it: the finalizer of SplitMix64
 * (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
 * generators", 2014), with the constants of D. Stafford's variant 13.
 */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Where the bits of an id's group are: at `first`, and on by `step`. */
static void
places_of(const uint8_t id[16], uint64_t *first, uint64_t *step)
{
	*first = mix(number_of(id) + mix(number_of(id + 8) >> GROUP_BITS));
	*step = mix(*first) | 1;
}

void
pack_ids_add(uint8_t *filter, size_t size, const uint8_t id[16])
{
	uint64_t	place;
	uint64_t	step;

	places_of(id, &place, &step);
	for (int i = 0; i < HASHES && size > 0; i++, place += step)
	{
		uint64_t	bit = place % (size * 8);

		filter[bit / 8] |= (uint8_t) (1 << bit % 8);
	}
}

bool
pack_ids_may_have(const uint8_t *filter, size_t size, const uint8_t id[16])
{
	uint64_t	place;
	uint64_t	step;

	places_of(id, &place, &step);
	for (int i = 0; i < HASHES && size > 0; i++, place += step)
	{
		uint64_t	bit = place % (size * 8);

		if ((filter[bit / 8] & 1 << bit % 8) == 0)
			return false;
	}
	return true;
}
