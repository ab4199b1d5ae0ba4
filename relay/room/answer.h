/*
 * room/answer.h: whether an operation may be published from the answer to its
 * submission, before the stream shows it.
 */
#ifndef RELAY_ROOM_ANSWER_H
#define RELAY_ROOM_ANSWER_H

#include <stdint.h>

struct room;

/* how far the stream is, in versions and in changes of members */
struct room_synced
{
	int64_t		streamed;		/* the highest version that the stream showed */
	int64_t		changes;		/* changes of members that the stream has
								 * shown; -1: not known */
	int64_t		next_version;	/* when the stream shows this version, or 0 ... */
	int64_t		next_changes;	/* ... it has shown these changes */
};

/* nothing is known of changes: there may be another history, or a new stream */
void		room_synced_reset(struct room *room);

/* the stream has shown a version, and so all changes of members before it */
void		room_note_streamed(struct room *room, int64_t version);

#endif							/* RELAY_ROOM_ANSWER_H */
