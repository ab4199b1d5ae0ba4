/*
 * room/room.h: a document here: a ring of ready frames, its members, and the
 * contiguous-version rule.
 *
 * A room knows no socket and no database. It passes frames to `deliver`, calls
 * `wake` for members that are behind, and `fetch` for operations that it misses.
 */
#ifndef RELAY_ROOM_H
#define RELAY_ROOM_H

#include "base/docmap.h"
#include "wire/frame.h"
#include "base/metrics.h"
#include "wire/protocol.h"
#include "room/ring.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct room;
struct rooms;

/* a receiver; a member of the struct that receives */
struct room_member
{
	LIST_ENTRY(room_member) seat;	/* among all, live or not */
	struct room_member *prev;
	struct room_member *next;
	struct room *room;
	int64_t		cursor;			/* the version it was last sent */
	bool		live;			/* receives what is published */
	bool		behind;			/* takes from its cursor on, when it can */
};

struct rooms_callbacks
{
	/* send a frame at once; false: the member cannot take it now */
	bool		(*deliver) (struct room_member *member, struct frame *frame);
	/* call room_next for this member as soon as it can take frames */
	void		(*wake) (struct room_member *member);

	/*
	 * read everything after a version from the tables: room_frame, then
	 * room_fetched
	 */
	void		(*fetch) (void *arg, const struct uuid *doc, int64_t from, const struct revision *known);
	/* call rooms_retry in a moment */
	void		(*retry) (void *arg);

	/*
	 * what the tables gave is about to be published, and may be ahead of the
	 * stream; members that are paused meanwhile are not sent it
	 */
	void		(*from_tables) (void *arg, const struct uuid *doc);

	/*
	 * the database has lost what this room had: the room is empty now, and
	 * its members are to begin anew
	 */
	void		(*lost) (void *arg, const struct uuid *doc);

	/*
	 * the document of this room was deleted, and another was created under its
	 * id: the room is empty now, and its members are to leave
	 */
	void		(*ended) (void *arg, const struct uuid *doc);

	/* the past of its document was changed: likewise, but its members come back */
	void		(*renewed) (void *arg, const struct uuid *doc);
	void	   *arg;
};

enum room_open_result
{
	ROOM_OPEN,
	ROOM_OTHER,					/* the room is at another document, created
								 * under this id later */
	ROOM_DELETED				/* the stream has shown that this document was
								 * deleted */
};

/* an operation that was committed, from the answer to its submission */
struct room_answer
{
	struct revision revision;
	const char *entry;
	size_t		entry_len;
	int64_t		member_changes; /* as submit() returns them; -1: it does not */
	bool		streamed;		/* the stream will show it, too; else the
								 * tables are read */
};

enum room_next_result
{
	ROOM_NOTHING,				/* the member has everything */
	ROOM_FRAME,					/* send this frame; the cursor is after it */
	ROOM_TABLES					/* the cursor fell off the ring */
};

/* the bounds are a room's, and that of all their bytes together */
struct rooms *rooms_new(const struct ring_bounds *bounds, size_t bytes_in_all, const struct rooms_callbacks *callbacks,
						struct metrics *metrics);
void		rooms_free(struct rooms *rooms);

/* members */
void		room_attach(struct rooms *rooms, const struct uuid *doc, struct room_member *member);
enum room_open_result room_open(struct room_member *member, const struct revision *revision);
void		room_learn(struct room_member *member, const struct revision *revision);
const struct revision *room_known(const struct room_member *member);
void		room_go_live(struct room_member *member, int64_t cursor);
void		room_pause(struct room_member *member);
void		room_detach(struct room_member *member);
void		rooms_each_member(struct rooms *rooms, const struct uuid *doc,
							  void (*visit) (void *arg, struct room_member *member), void *arg);
enum room_next_result room_next(struct room_member *member, struct frame **frame);

/* operations */
void		rooms_event(struct rooms *rooms, const struct event *event);
void		rooms_answer(struct rooms *rooms, const struct uuid *doc, const struct room_answer *answer);
bool		rooms_owe_nothing(const struct rooms *rooms);
void		rooms_frame(struct rooms *rooms, const struct uuid *doc, int64_t from, const struct revision *revision,
						bool composed, const char *frame, size_t len);
void		rooms_fetched(struct rooms *rooms, const struct uuid *doc, bool readable);

/* whether the database still has what rooms have: suspect.c */
void		rooms_suspect(struct rooms *rooms);
uint32_t	rooms_suspect_count(const struct rooms *rooms);
bool		rooms_is_suspect(const struct rooms *rooms, const struct uuid *doc);

/* return true if there is a room that is at this life of its document */
bool		rooms_is_at(const struct rooms *rooms, const struct uuid *doc, const struct uuid *life);
void		rooms_confirm(struct rooms *rooms, const struct uuid *doc);
void		rooms_reset(struct rooms *rooms, const struct uuid *doc);

/* a document that was deleted, and another under its id: life.c */
bool		rooms_deleted(struct rooms *rooms, const struct uuid *doc, const struct uuid *life);
bool		rooms_renewed(struct rooms *rooms, const struct uuid *doc, const struct uuid *life);
void		rooms_gone(struct rooms *rooms, const struct uuid *doc);

/* the turn of the loop, and timers */
void		rooms_flush(struct rooms *rooms);
bool		rooms_note_talk(struct rooms *rooms, const struct uuid *doc, int64_t changed);
void		rooms_flush_one(struct rooms *rooms, const struct uuid *doc);

/* where all rings together are too large, shorten those that have more than their share */
void		rooms_shorten(struct rooms *rooms);

/* let go of that many bytes of operations, of those that have most; the tables have them */
void		rooms_shed(struct rooms *rooms, size_t bytes);
bool		rooms_retry(struct rooms *rooms);
void		rooms_each_open(struct rooms *rooms,
							void (*visit) (void *arg, const struct uuid *doc, int64_t head, const struct revision *known), void *arg);
void		rooms_each(struct rooms *rooms, void (*visit) (void *arg, const struct uuid *doc), void *arg);
void		rooms_refetch(struct rooms *rooms, const struct uuid *doc);
void		rooms_forget_seen(struct rooms *rooms, const struct uuid *doc);

#endif							/* RELAY_ROOM_H */
