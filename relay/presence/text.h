/*
 * presence/text.h: presence as JSON: what clients say, what they are shown,
 * what relays tell each other, what the table gets. Pure.
 */
#ifndef RELAY_PRESENCE_TEXT_H
#define RELAY_PRESENCE_TEXT_H

#include "base/docmap.h"
#include "wire/frame.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* what a client says of itself; what it does not name stays as it was */
struct presence_said
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

/* what relays tell each other */
enum presence_kind
{
	PRESENCE_HELLO,				/* I am here (again): tell me of yours */
	PRESENCE_STATE,				/* clients of mine */
	PRESENCE_BEAT,				/* I am still here */
	PRESENCE_BYE				/* I end, and mine with me */
};

struct presence_news
{
	json_t	   *root;
	struct uuid relay;
	int64_t		number;			/* rises with each message of a relay */
	int			timeout_s;		/* forget it after so long a silence */
	enum presence_kind kind;
	bool		first;			/* of all that it has: what does not come is
								 * no more */
	bool		last;
	const json_t *clients;
};

/* one client of a state */
struct presence_told
{
	struct presence_view view;
	bool		left;
};

/* on false, *problem says what is wrong in a sentence */
bool		presence_read_said(const json_t *root, struct presence_said *said, const char **problem);

/* lists of clients; each call appends an element, with its comma */
void		presence_put_user(struct buf *list, const struct presence_view *view);
void		presence_put_left(struct buf *list, const struct uuid *client);
void		presence_put_told(struct buf *list, const struct presence_view *view, bool left);
void		presence_put_row(struct buf *list, const struct presence_view *view);
void		presence_put_gone(struct buf *list, const struct uuid *doc, const struct uuid *client);

struct frame *presence_frame(const struct buf *users, const struct buf *left, bool complete);

bool		presence_read_news(const char *text, size_t len, struct presence_news *news);
bool		presence_read_told(const json_t *client, struct presence_told *told);
void		presence_news_release(struct presence_news *news);
void		presence_open_news(struct buf *text, const struct presence_news *news);
void		presence_close_news(struct buf *text, bool last);

#endif							/* RELAY_PRESENCE_TEXT_H */
