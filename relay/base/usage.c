/*
 * base/usage.c: how much each name (a user, an address) has here at once.
 *
 * A row outlives its last holder for a while, so that nobody empties his
 * bucket's debt by coming back.
 */
#include "base/usage.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

/* Get the slot of a name (FNV-1a). */
static size_t
slot_of(const struct usage *usage, char kind, const char *name)
{
	uint64_t	hash = (UINT64_C(14695981039346656037) ^ (unsigned char) kind) * UINT64_C(1099511628211);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char) *name) * UINT64_C(1099511628211);
	return (size_t) (hash ^ hash >> 32) & (usage->slot_count - 1);
}

/* Make room for more rows. */
static void
grow(struct usage *usage)
{
	struct usage_row **old = usage->slots;
	size_t		old_count = usage->slot_count;

	usage->slot_count = old_count > 0 ? old_count * 2 : SLOTS_FIRST;
	usage->slots = mem_zalloc(usage->slot_count * sizeof(struct usage_row *));
	for (size_t i = 0; i < old_count; i++)
	{
		struct usage_row *next;

		for (struct usage_row *row = old[i]; row != NULL; row = next)
		{
			size_t		slot = slot_of(usage, row->kind, row->name);

			next = row->next;
			row->next = usage->slots[slot];
			usage->slots[slot] = row;
		}
	}
	free(old);
}

/* Hold the row of a name of a table that has one kind. */
struct usage_row *
usage_hold(struct usage *usage, const char *name)
{
	return usage_hold_kind(usage, '\0', name);
}

/* Hold the row of a name, which is made where there is none. */
struct usage_row *
usage_hold_kind(struct usage *usage, char kind, const char *name)
{
	struct usage_row *row = NULL;
	size_t		slot;

	if (usage->row_count == usage->slot_count)
		grow(usage);
	slot = slot_of(usage, kind, name);
	for (row = usage->slots[slot]; row != NULL && (row->kind != kind || strcmp(row->name, name) != 0); row = row->next)
		;
	if (row == NULL)
	{
		row = mem_zalloc(sizeof(struct usage_row) + strlen(name) + 1);
		memcpy(row->name, name, strlen(name));
		row->kind = kind;
		row->next = usage->slots[slot];
		usage->slots[slot] = row;
		usage->row_count++;
	}
	row->count++;
	return row;
}

/* Let go of a row. */
void
usage_let_go(struct usage_row *row)
{
	row->count--;
}

/* Forget the rows that nobody holds, and whose buckets nobody used since then. */
void
usage_forget(struct usage *usage, int64_t idle_since_ms)
{
	for (size_t i = 0; i < usage->slot_count; i++)
	{
		for (struct usage_row **at = &usage->slots[i]; *at != NULL;)
		{
			struct usage_row *row = *at;

			if (row->count > 0 || row->bucket.at_ms > idle_since_ms)
			{
				at = &row->next;
				continue;
			}
			*at = row->next;
			free(row);
			usage->row_count--;
		}
	}
}

/* Forget everything. */
void
usage_free(struct usage *usage)
{
	for (size_t i = 0; i < usage->slot_count; i++)
	{
		while (usage->slots[i] != NULL)
		{
			struct usage_row *row = usage->slots[i];

			usage->slots[i] = row->next;
			free(row);
		}
	}
	free(usage->slots);
	memset(usage, 0, sizeof(*usage));
}
