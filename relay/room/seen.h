/*
 * room/seen.h: the versions that the stream showed of documents without a room.
 */
#ifndef RELAY_ROOM_SEEN_H
#define RELAY_ROOM_SEEN_H

#include "base/docmap.h"

#include <stdint.h>

struct rooms;

/* a row of the table; another document with the same hash replaces it */
struct seen
{
	struct uuid doc;
	int64_t		version;
	int64_t		sequence_id;	/* of that operation */
};

void		rooms_note_seen(struct rooms *rooms, const struct uuid *doc, int64_t version, int64_t sequence_id);
int64_t		rooms_seen(struct rooms *rooms, const struct uuid *doc, const struct uuid *life);

#endif							/* RELAY_ROOM_SEEN_H */
