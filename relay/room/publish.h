/*
 * room/publish.h: what one turn of the loop publishes in a room, as one frame.
 */
#ifndef RELAY_ROOM_PUBLISH_H
#define RELAY_ROOM_PUBLISH_H

#include "wire/frame.h"
#include "wire/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct room;

/* an entry inside the frame that is being built */
struct cut
{
	uint32_t	offset;
	uint32_t	len;
	int64_t		committed_us;	/* 0: not from the stream */
};

/* a room's part of this turn */
struct room_batch
{
	bool		dirty;			/* on the list of rooms to be flushed */
	struct room *next_dirty;
	struct frame *frame;		/* under construction */
	struct cut *cuts;
	uint32_t	count;
	uint32_t	cap;
};

/* append the entry that makes head + 1 */
void		room_publish(struct room *room, const char *entry, size_t len, int64_t committed_us);

/* the stream shows an operation that was published before: note its delay */
void		room_measure_late(struct room *room, const struct event *event);

/* encode the batch and send it to every member that is up to date */
void		room_flush(struct room *room);

void		room_drop_batch(struct room *room);
void		room_free_batch(struct room *room);

#endif							/* RELAY_ROOM_PUBLISH_H */
