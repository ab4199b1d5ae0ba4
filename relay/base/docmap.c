/*
 * base/docmap.c: uuids, and a hash table of entries keyed by document.
 *
 * Users may choose document ids, so the hash has a random seed: a user cannot
 * make many documents collide in one slot.
 */
#include "base/docmap.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FIRST_SLOTS 64

/* where the pairs of digits of a uuid's text begin, and its dashes stand */
static const unsigned char pair_places[UUID_BYTES] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
static const unsigned char dash_places[] = {8, 13, 18, 23};

/* the values of hexadecimal digits, and one more; 0: not a digit */
static const unsigned char digit_values[256] = {
	['0'] = 1,['1'] = 2,['2'] = 3,['3'] = 4,['4'] = 5,['5'] = 6,['6'] = 7,['7'] = 8,['8'] = 9,['9'] = 10,
	['a'] = 11,['b'] = 12,['c'] = 13,['d'] = 14,['e'] = 15,['f'] = 16,
	['A'] = 11,['B'] = 12,['C'] = 13,['D'] = 14,['E'] = 15,['F'] = 16,
};

/* Read a uuid in its usual form, 8-4-4-4-12 hexadecimal digits. */
bool
uuid_parse(const char *text, size_t len, struct uuid *id)
{
	if (len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < sizeof(dash_places); i++)
	{
		if (text[dash_places[i]] != '-')
			return false;
	}
	for (size_t i = 0; i < UUID_BYTES; i++)
	{
		unsigned	high = digit_values[(unsigned char) text[pair_places[i]]];
		unsigned	low = digit_values[(unsigned char) text[pair_places[i] + 1]];

		if (high == 0 || low == 0)
			return false;
		id->bytes[i] = (unsigned char) ((high - 1) << 4 | (low - 1));
	}
	return true;
}

/* Write a uuid in its usual form. */
void
uuid_format(const struct uuid *id, char text[UUID_TEXT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(dash_places); i++)
		text[dash_places[i]] = '-';
	for (size_t i = 0; i < UUID_BYTES; i++)
	{
		text[pair_places[i]] = digits[id->bytes[i] >> 4];
		text[pair_places[i] + 1] = digits[id->bytes[i] & 15];
	}
	text[UUID_TEXT_LEN] = '\0';
}

/* Compare two uuids. */
bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, UUID_BYTES) == 0;
}

/* Make a random uuid (version 4). */
void
uuid_make(struct uuid *id)
{
	if (getrandom(id->bytes, UUID_BYTES, 0) != UUID_BYTES)
		abort();
	id->bytes[6] = (unsigned char) ((id->bytes[6] & 0x0f) | 0x40);
	id->bytes[8] = (unsigned char) ((id->bytes[8] & 0x3f) | 0x80);
}

/* Get the process's random seed, the same one every time. */
static uint64_t
hash_seed(void)
{
	static uint64_t seed;

	while (seed == 0)
	{
		if (getrandom(&seed, sizeof(seed), 0) != (ssize_t) sizeof(seed))
			seed = (uint64_t) (uintptr_t) &seed;
	}
	return seed;
}

/* Hash a uuid: two halves, each multiplied and folded. */
uint64_t
uuid_hash(const struct uuid *id)
{
	uint64_t	half[2];
	uint64_t	h = hash_seed();

	memcpy(half, id->bytes, UUID_BYTES);
	for (int i = 0; i < 2; i++)
	{
		h = (h ^ half[i]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return h;
}

/* Get the slot an id belongs into. */
static struct doc_node **
slot_of(const struct doc_map *map, const struct uuid *id)
{
	return &map->slots[uuid_hash(id) & (map->slot_count - 1)];
}

/* Set an empty map up. */
void
doc_map_init(struct doc_map *map)
{
	map->slot_count = FIRST_SLOTS;
	map->slots = mem_zalloc(FIRST_SLOTS * sizeof(struct doc_node *));
	map->count = 0;
}

/* Give the map's own memory back; what is in it is the caller's. */
void
doc_map_free(struct doc_map *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

/* Find what belongs to a document, or NULL. */
void	   *
doc_map_find(const struct doc_map *map, const struct uuid *id)
{
	for (struct doc_node *n = *slot_of(map, id); n != NULL; n = n->next)
	{
		if (uuid_equal(&n->id, id))
			return n;
	}
	return NULL;
}

/* Spread the nodes over twice as many slots. */
static void
double_slots(struct doc_map *map)
{
	struct doc_node **old = map->slots;
	size_t		old_count = map->slot_count;

	map->slot_count *= 2;
	map->slots = mem_zalloc(map->slot_count * sizeof(struct doc_node *));
	for (size_t i = 0; i < old_count; i++)
	{
		struct doc_node *next;

		for (struct doc_node *n = old[i]; n != NULL; n = next)
		{
			struct doc_node **slot = slot_of(map, &n->id);

			next = n->next;
			n->next = *slot;
			*slot = n;
		}
	}
	free(old);
}

/* Put a node in; its id must not be there yet. */
void
doc_map_add(struct doc_map *map, struct doc_node *node)
{
	struct doc_node **slot;

	if (map->count >= map->slot_count)
		double_slots(map);
	slot = slot_of(map, &node->id);
	node->next = *slot;
	*slot = node;
	map->count++;
}

/* Take a node out. */
void
doc_map_remove(struct doc_map *map, struct doc_node *node)
{
	for (struct doc_node **p = slot_of(map, &node->id); *p != NULL; p = &(*p)->next)
	{
		if (*p == node)
		{
			*p = node->next;
			map->count--;
			return;
		}
	}
}
