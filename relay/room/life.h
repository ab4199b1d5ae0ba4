/*
 * room/life.h: which document a room is at, of those that have had its id.
 */
#ifndef RELAY_ROOM_LIFE_H
#define RELAY_ROOM_LIFE_H

#include "base/docmap.h"
#include "room/room.h"

#include <stdbool.h>

struct room_life
{
	struct uuid current;		/* the document's, while the room is open */
	bool		ended;			/* documents up to last were deleted */
	struct uuid last;			/* of the last one that was deleted */
	bool		renewed;		/* ... or rather whose past was changed */
};

/* return true if an operation from the stream may be of the room's document */
bool		room_may_have(const struct room *room, const struct event *event);

/*
 * check that a room may be at a document, which the tables gave to a client that
 * joins; a room that is at an earlier one leaves it
 */
enum room_open_result room_check_life(struct room *room, const struct uuid *life);

#endif							/* RELAY_ROOM_LIFE_H */
