/*
 * room/ring.h: the newest operations of a document, as slices of encoded frames.
 */
#ifndef RELAY_RING_H
#define RELAY_RING_H

#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* one operation's entry inside a frame */
struct ring_slot
{
	struct frame *frame;
	uint32_t	offset;
	uint32_t	len;
};

/* versions base + 1 to base + count, without gaps */
struct ring
{
	int64_t		base;
	uint32_t	first;			/* the slot of version base + 1 */
	uint32_t	count;
	uint32_t	cap;			/* a power of two, or 0 */
	size_t		bytes;
	struct ring_slot *slots;
};

struct ring_bounds
{
	uint32_t	entries;
	size_t		bytes;
	bool		strict;			/* even the newest entry may go, for the bytes */
};

/* get the newest version, or the base of an empty ring */
static inline int64_t
ring_head(const struct ring *r)
{
	return r->base + r->count;
}

void		ring_append(struct ring *r, struct frame *f, uint32_t offset, uint32_t len,
						const struct ring_bounds *bounds);
void		ring_shorten(struct ring *r, size_t bytes);
const struct ring_slot *ring_get(const struct ring *r, int64_t version);
void		ring_reset(struct ring *r, int64_t base);
void		ring_free(struct ring *r);

#endif							/* RELAY_RING_H */
