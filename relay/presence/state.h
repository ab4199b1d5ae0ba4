/*
 * presence/state.h: what the files of presence share, and nobody else.
 */
#ifndef RELAY_PRESENCE_STATE_H
#define RELAY_PRESENCE_STATE_H

#include "base/bounds.h"
#include "presence/presence.h"

#include <sys/queue.h>

struct presence_doc;
struct peer;

enum writing
{
	WRITING_NOTHING,
	WRITING_LATER,				/* its cursor moved: with the next second */
	WRITING_NOW
};

/*
 * A client, here or on another relay. It outlives its end until everybody has
 * been told.
 */
struct presence_client
{
	struct doc_node node;		/* its id; in the map of those elsewhere */
	struct presence *owner;
	struct presence_doc *doc;	/* while it is there or has changed */
	struct peer *peer;			/* where it is; NULL: here */
	uint32_t	generation;		/* of the peer's telling */
	struct presence_view view;
	bool		gone;
	bool		hidden;			/* there are too many to show it */
	bool		shown;			/* others may have seen it */
	bool		changed;
	bool		news;			/* the change is more than of its cursor */
	bool		telling;
	bool		written;		/* the table may have its row */
	enum writing writing;
				TAILQ_ENTRY(presence_client) seat;
				TAILQ_ENTRY(presence_client) change;
				TAILQ_ENTRY(presence_client) to_tell;
				TAILQ_ENTRY(presence_client) to_write;
				LIST_ENTRY(presence_client) of_peer;
};

TAILQ_HEAD(presence_clients, presence_client);
LIST_HEAD(peer_clients, presence_client);

enum shown_state
{
	SHOWN_QUIET,
	SHOWN_CHANGED,				/* in this turn */
	SHOWN_WAITING					/* until it may be shown again */
};

/* a document that somebody is in, here or elsewhere */
struct presence_doc
{
	struct doc_node node;
	struct presence *owner;
	struct presence_clients visible;
	struct presence_clients hidden;
	struct presence_clients changed;
	int			here;			/* clients here, hidden or not */
	int			visible_here;
	int			elsewhere;
	enum shown_state state;
				TAILQ_ENTRY(presence_doc) turn;
	int64_t		next_ms;		/* not to be shown earlier */
	bool		users_known;
	struct buf	users;			/* the list of visible ones, while known */
	struct frame *everybody;	/* ... as a message */
};

TAILQ_HEAD(presence_docs, presence_doc);

/* another relay; one that has been forgotten stays, so that old messages of it mean nothing */
struct peer
{
	LIST_ENTRY(peer) entry;
	struct uuid id;
	bool		alive;
	int64_t		number;			/* of its last message */
	int64_t		forgotten_ms;	/* unless it is heard of before */
	uint32_t	generation;
	struct peer_clients clients;
};

LIST_HEAD(peers, peer);

/* presence.c: what changed here, to be shown to the clients here */
struct presence_showing
{
	struct presence_docs changed;	/* in this turn */
	struct presence_docs waiting;	/* until they may be shown again */
};

/* rows.c: clients whose rows in the table are to be written */
struct presence_row_queue
{
	struct presence_clients now;
	struct presence_clients later;	/* with the next second */
};

/* peers.c: other relays, their clients, and what they are still to be told */
struct presence_peers
{
	struct doc_map elsewhere;	/* clients of other relays */
	struct peers list;
	int			peer_count;		/* remembered, alive or not */
	int			alive_count;
	int64_t		number;			/* of the last message made */
	bool		owes_hello;
	bool		owes_all;		/* everything here is to be told */
	struct presence_clients to_tell;
	struct buf	all;			/* lists of everybody, ready to be told, a NUL
								 * after each */
	size_t		all_told;		/* ... bytes of it */
};

struct presence
{
	struct presence_callbacks callbacks;
	struct metrics *metrics;
	struct uuid relay;
	int			timeout_s;
	struct doc_map docs;
	bool		connected;		/* to PostgreSQL */
	struct presence_showing showing;
	struct presence_row_queue rows;
	struct presence_peers peers;
};

/* client.c */
struct presence_doc *presence_find_doc(struct presence *presence, const struct uuid *doc);
void		presence_drop_list(struct presence_doc *doc);
void		presence_changed(struct presence_client *c, bool news);
void		presence_tell(struct presence_client *c);
void		presence_release(struct presence_client *c);
bool		presence_set(struct presence_view *view, const struct presence_said *said, bool *news);
void		presence_clear_view(struct presence_view *view);

/* rows.c */
void		presence_write(struct presence_client *c, enum writing when);
void		presence_drop_rows(struct presence *presence);

/* peers.c */
void		presence_stop_telling(struct presence *presence);
void		presence_forget_all(struct presence *presence);

/* presence.c */
void		presence_show_all(struct presence *presence);

#endif							/* RELAY_PRESENCE_STATE_H */
