/*
 * room/shared.h: the frame built for one member that is behind, which the next
 * member at the same version is sent as well.
 */
#ifndef RELAY_ROOM_SHARED_H
#define RELAY_ROOM_SHARED_H

#include "wire/frame.h"

#include <stdint.h>

struct room;
struct rooms;

/* the last frame that was built, until the end of the turn */
struct rooms_shared
{
	struct frame *frame;
	struct room *room;
	int64_t		from;
	int64_t		to;
};

/* get a frame of what follows a version in the room's ring; the caller releases it */
struct frame *room_frame_since(struct room *room, int64_t from, int64_t *to);

/* forget the frame, if it is of this room, or with NULL whichever it is */
void		rooms_drop_shared(struct rooms *rooms, const struct room *room);

#endif							/* RELAY_ROOM_SHARED_H */
