/*
 * room/ring.c: the newest operations of a document, as slices of encoded frames.
 *
 * A ring is bounded in entries and in bytes; an entry appended beyond a bound
 * pushes the oldest out, which raises the base. The newest entry stays unless the
 * bounds are strict: memory is short, and the tables have it, too.
 */
#include "room/ring.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 8

/* Get the slot of the nth entry from the oldest. */
static struct ring_slot *
slot_at(const struct ring *r, uint32_t n)
{
	return &r->slots[(r->first + n) & (r->cap - 1)];
}

/* Push the oldest entry out. */
static void
evict(struct ring *r)
{
	struct ring_slot *slot = slot_at(r, 0);

	r->bytes -= slot->len;
	frame_unref(slot->frame);
	r->first = (r->first + 1) & (r->cap - 1);
	r->count--;
	r->base++;
}

/* Double the slots, the oldest entry first again. */
static void
widen(struct ring *r)
{
	uint32_t	cap = r->cap > 0 ? r->cap * 2 : FIRST_CAP;
	struct ring_slot *slots = mem_alloc(cap * sizeof(struct ring_slot));

	for (uint32_t i = 0; i < r->count; i++)
		slots[i] = *slot_at(r, i);
	free(r->slots);
	r->slots = slots;
	r->cap = cap;
	r->first = 0;
}

/* Append the next version; the ring takes over one reference to the frame. */
void
ring_append(struct ring *r, struct frame *f, uint32_t offset, uint32_t len, const struct ring_bounds *bounds)
{
	while (r->count > 0 && (r->count >= bounds->entries || r->bytes + len > bounds->bytes))
		evict(r);
	if (r->count == r->cap)
		widen(r);
	*slot_at(r, r->count) = (struct ring_slot)
	{
		f, offset, len
	};
	r->count++;
	r->bytes += len;
	if (bounds->strict)
		ring_shorten(r, bounds->bytes);
}

/* Push out the oldest entries down to a number of bytes, if need be all. */
void
ring_shorten(struct ring *r, size_t bytes)
{
	while (r->count > 0 && r->bytes > bytes)
		evict(r);
}

/* Get the entry that makes this version, or NULL. */
const struct ring_slot *
ring_get(const struct ring *r, int64_t version)
{
	if (version <= r->base || version > ring_head(r))
		return NULL;
	return slot_at(r, (uint32_t) (version - r->base - 1));
}

/* Drop everything and begin anew after a version. */
void
ring_reset(struct ring *r, int64_t base)
{
	while (r->count > 0)
		evict(r);
	r->base = base;
}

/* Free the memory. */
void
ring_free(struct ring *r)
{
	ring_reset(r, 0);
	free(r->slots);
	memset(r, 0, sizeof(*r));
}
