/*
 * base/tally.c: how much each name (a user, an address) has here at once.
 *
 * A row outlives its last holder for a while, so that nobody empties his
 * bucket's debt by coming back.
 */
#include "base/tally.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

/* Get the slot of a name (FNV-1a). */
static size_t
slot_of(const struct tally *tally, const char *name)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char) *name) * UINT64_C(1099511628211);
	return (size_t) (hash ^ hash >> 32) & (tally->slot_count - 1);
}

/* Make room for more rows. */
static void
grow(struct tally *tally)
{
	struct tally_row **old = tally->slots;
	size_t		old_count = tally->slot_count;

	tally->slot_count = old_count > 0 ? old_count * 2 : SLOTS_FIRST;
	tally->slots = mem_zalloc(tally->slot_count * sizeof(struct tally_row *));
	for (size_t i = 0; i < old_count; i++)
	{
		struct tally_row *next;

		for (struct tally_row *row = old[i]; row != NULL; row = next)
		{
			size_t		slot = slot_of(tally, row->name);

			next = row->next;
			row->next = tally->slots[slot];
			tally->slots[slot] = row;
		}
	}
	free(old);
}

/* Hold the row of a name, which is made where there is none. */
struct tally_row *
tally_hold(struct tally *tally, const char *name)
{
	struct tally_row *row = NULL;
	size_t		slot;

	if (tally->row_count == tally->slot_count)
		grow(tally);
	slot = slot_of(tally, name);
	for (row = tally->slots[slot]; row != NULL && strcmp(row->name, name) != 0; row = row->next)
		;
	if (row == NULL)
	{
		row = mem_zalloc(sizeof(struct tally_row) + strlen(name) + 1);
		memcpy(row->name, name, strlen(name));
		row->next = tally->slots[slot];
		tally->slots[slot] = row;
		tally->row_count++;
	}
	row->count++;
	return row;
}

/* Let go of a row. */
void
tally_let_go(struct tally_row *row)
{
	row->count--;
}

/* Forget the rows that nobody holds, and whose buckets nobody used since then. */
void
tally_sweep(struct tally *tally, int64_t idle_since_ms)
{
	for (size_t i = 0; i < tally->slot_count; i++)
	{
		for (struct tally_row **at = &tally->slots[i]; *at != NULL;)
		{
			struct tally_row *row = *at;

			if (row->count > 0 || row->bucket.at_ms > idle_since_ms)
			{
				at = &row->next;
				continue;
			}
			*at = row->next;
			free(row);
			tally->row_count--;
		}
	}
}

/* Forget everything. */
void
tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->slot_count; i++)
	{
		while (tally->slots[i] != NULL)
		{
			struct tally_row *row = tally->slots[i];

			tally->slots[i] = row->next;
			free(row);
		}
	}
	free(tally->slots);
	memset(tally, 0, sizeof(*tally));
}
