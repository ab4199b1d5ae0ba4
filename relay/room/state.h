/*
 * room/state.h: what the files of rooms share, and nobody else.
 */
#ifndef RELAY_ROOM_STATE_H
#define RELAY_ROOM_STATE_H

#include "base/bounds.h"
#include "room/room.h"

struct cut
{
	uint32_t	offset;
	uint32_t	len;
	int64_t		committed_us;	/* 0: not from the stream, and nobody else
								 * tells */
};

LIST_HEAD(room_seats, room_member);

struct room
{
	struct doc_node node;
	struct rooms *rooms;
	struct room_member *live;
	struct room_seats seats;	/* of all members */
	uint32_t	users;			/* members, live or not */
	bool		open;			/* the head is known */
	bool		fetching;
	bool		dirty;			/* on the list of rooms to be flushed */
	bool		reaping;		/* on the list of rooms to be looked at for
								 * their end */
	bool		waiting;		/* on the list of rooms to be retried */
	bool		ended;			/* the stream has told that documents up to
								 * last_life were deleted */
	bool		doubtful;		/* a connection to PostgreSQL is new: it may
								 * be another history; nothing is shown */
	uint32_t	attempts;
	uint32_t	pause;			/* ticks until the next attempt */
	int64_t		want;			/* the highest version known to be committed */
	int64_t		newest_seq;		/* the highest sequence id that was told of */
	struct uuid life;			/* of the document, while the room is open */
	struct uuid last_life;		/* of the last that was deleted */
	struct mark known;			/* the highest version that the room or a
								 * member holds, or an answer told of */
	int64_t		streamed;		/* the highest version that the stream showed */
	int64_t		settled;		/* changes of members that the stream has told
								 * of; -1: not known */
	int64_t		unsettled;		/* a version that the stream has yet to show,
								 * or 0 */
	int64_t		unsettled_changes;	/* ... and the changes before it */
	struct ring ring;
	struct ring ahead;			/* from the stream, not yet contiguous */
	struct frame *building;		/* what this turn has published */
	struct cut *cuts;			/* ... its entries */
	uint32_t	cut_count;
	uint32_t	cut_cap;
	struct room *next_dirty;
	struct room *next_reap;
	struct room *next_wait;
};

struct seen
{
	struct uuid doc;
	int64_t		version;
	int64_t		sequence_id;	/* of that operation */
};

struct rooms
{
	struct doc_map map;
	struct ring_bounds bounds;	/* of a room */
	size_t		bytes_in_all;
	struct rooms_callbacks callbacks;
	struct metrics *metrics;
	struct room *dirty;
	struct room *reap;
	struct room *waiting;
	uint32_t	doubtful;		/* rooms */
	struct seen seen[LIMIT_SEEN_DOCUMENTS];
	struct frame *shared;		/* the last frame room_next built, for its
								 * next member */
	struct room *shared_room;
	int64_t		shared_from;
	int64_t		shared_to;
};

void		rooms_bounds(const struct rooms *rooms, struct ring_bounds *bounds);
int64_t		room_head(const struct room *room);
void		room_flush(struct room *room);
void		room_close_gap(struct room *room);
void		room_reap_later(struct room *room);
void		room_fall_behind(struct room_member *member);
void		room_merge_ahead(struct room *room);
void		room_publish(struct room *room, const char *entry, size_t len, int64_t committed_us);
void		room_unsettle(struct room *room);
void		room_note_streamed(struct room *room, int64_t version);
void		room_note_known(struct room *room, const struct mark *mark);
int64_t		rooms_seen(struct rooms *rooms, const struct uuid *doc, const struct uuid *life);
void		rooms_note_seen(struct rooms *rooms, const struct uuid *doc, int64_t version, int64_t sequence_id);
void		room_empty(struct room *room);
bool		room_may_have(const struct room *room, const struct event *event);
void		room_ask_again(struct room *room);
enum room_open_result room_check_life(struct room *room, const struct uuid *life);
void		room_drop_others(struct room *room);
void		rooms_drop_shared(struct rooms *rooms);

#endif							/* RELAY_ROOM_STATE_H */
