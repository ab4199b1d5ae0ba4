/*
 * presence/text.h: presence as JSON: what clients send and get,
 * what relays send each other, what the table gets. Pure.
 */
#ifndef RELAY_PRESENCE_TEXT_H
#define RELAY_PRESENCE_TEXT_H

#include "base/docmap.h"
#include "wire/frame.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* what a client sends about itself; a field that it does not name stays as it was */
struct presence_update
{
	bool		names_name;
	bool		names_color;
	bool		names_cursor;
	const char *name;			/* NULL: none; these are the message's */
	const char *color;
	bool		has_cursor;
	int64_t		version;
	int64_t		anchor;
	int64_t		head;
};

/* a client as others see it */
struct presence_view
{
	struct uuid doc;
	struct uuid client;
	const char *user;
	const char *name;			/* or NULL */
	const char *color;
	bool		has_cursor;
	int64_t		version;
	int64_t		anchor;
	int64_t		head;
	int64_t		since_s;
};

/* the messages of relays to each other */
enum presence_kind
{
	PRESENCE_HELLO,				/* this relay is here (again): send it yours */
	PRESENCE_STATE,				/* clients of this relay */
	PRESENCE_BEAT,				/* this relay is still here */
	PRESENCE_BYE				/* this relay ends, with its clients */
};

struct presence_message
{
	json_t	   *root;
	struct uuid relay;
	int64_t		number;			/* rises with each message of a relay */
	int			timeout_s;		/* forget the relay after this time without a message */
	enum presence_kind kind;
	bool		first;			/* of all that it has: what does not come is
								 * no more */
	bool		last;
	const json_t *clients;
};

/* one client of a state */
struct presence_peer_state
{
	struct presence_view view;
	bool		left;
};

/* on false, *problem says what is wrong in a sentence */
bool		presence_read_update(const json_t *root, struct presence_update *update, const char **problem);

/* lists of clients; each call appends an element, with its comma */
void		presence_put_user(struct buf *list, const struct presence_view *view);
void		presence_put_left(struct buf *list, const struct uuid *client);
void		presence_put_peer_state(struct buf *list, const struct presence_view *view, bool left);
void		presence_put_row(struct buf *list, const struct presence_view *view);
void		presence_put_gone(struct buf *list, const struct uuid *doc, const struct uuid *client);

struct frame *presence_frame(const struct buf *users, const struct buf *left, bool complete);

bool		presence_read_message(const char *text, size_t len, struct presence_message *message);
bool		presence_read_peer_state(const json_t *client, struct presence_peer_state *state);
void		presence_message_release(struct presence_message *message);
void		presence_open_message(struct buf *text, const struct presence_message *message);
void		presence_close_message(struct buf *text, bool last);

#endif							/* RELAY_PRESENCE_TEXT_H */
