/*
 * room/suspect.h: whether the database may have lost what a room has.
 */
#ifndef RELAY_ROOM_SUSPECT_H
#define RELAY_ROOM_SUSPECT_H

#include <stdbool.h>

struct room;

struct room_suspect
{
	bool		on;				/* a connection to PostgreSQL is new and may
								 * be to another history: nothing is sent */
};

/* forget all operations; the next member that joins opens the room */
void		room_empty(struct room *room);

#endif							/* RELAY_ROOM_SUSPECT_H */
