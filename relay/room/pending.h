/*
 * room/pending.h: operations from the stream that a room cannot publish yet.
 */
#ifndef RELAY_ROOM_PENDING_H
#define RELAY_ROOM_PENDING_H

#include "room/ring.h"
#include "wire/protocol.h"

struct room;

/* consecutive versions that do not follow the head yet, each with its time in front */
struct room_pending
{
	struct ring ring;
};

/* keep an operation; a gap between it and those kept drops these */
void		room_keep_pending(struct room *room, const struct event *event);

/* publish what is kept, where it follows the head now */
void		room_merge_pending(struct room *room);

/* drop what is kept if it belongs to a document that had this id before */
void		room_drop_others(struct room *room);

#endif							/* RELAY_ROOM_PENDING_H */
