/*
 * presence/presence.h: who is in a document, with which name, colour and cursor; here
 * and on other relays.
 *
 * It knows no socket and no database: what clients are to be shown goes to a
 * callback, what other relays are to be told and the table is to hold is
 * fetched by presence_link.c.
 */
#ifndef RELAY_PRESENCE_H
#define RELAY_PRESENCE_H

#include "base/docmap.h"
#include "wire/frame.h"
#include "base/metrics.h"
#include "presence/text.h"

#include <stdbool.h>
#include <stdint.h>

struct presence;
struct presence_client;

struct presence_callbacks
{
	/* show a message to all clients of a document here */
	void		(*show) (void *arg, const struct uuid *doc, struct frame *frame);
	/* call presence_tick every few milliseconds, until it says no */
	void		(*waiting) (void *arg);
	void	   *arg;
};

struct presence *presence_new(const struct presence_callbacks *callbacks, const struct uuid *relay, int timeout_s,
							  struct metrics *metrics);
void		presence_free(struct presence *presence);

/* clients here; after presence_leave the client is no longer its caller's */
struct presence_client *presence_join(struct presence *presence, const struct uuid *doc, const struct uuid *client,
									  const char *user, int64_t since_s);
void		presence_say(struct presence_client *client, const struct presence_said *said);
void		presence_leave(struct presence_client *client);

/* everybody in the document of a client: as a list, as a message */
const struct buf *presence_users(struct presence_client *client);
struct frame *presence_everybody(struct presence_client *client);

/* the end of a turn, and what presence_callbacks.waiting asked for; tells whether something still waits */
void		presence_flush(struct presence *presence, int64_t now_ms);
bool		presence_tick(struct presence *presence, int64_t now_ms);

/* other relays and the table: while connected, what happens here is kept for them to be fetched */
void		presence_connect(struct presence *presence);
void		presence_disconnect(struct presence *presence);
void		presence_hear(struct presence *presence, const char *text, size_t len, int64_t now_ms);
void		presence_forget_silent(struct presence *presence, int64_t now_ms);

/* the next message for other relays; false: there is none */
bool		presence_has_news(const struct presence *presence);
bool		presence_next_news(struct presence *presence, struct buf *text);
void		presence_signal(struct presence *presence, enum presence_kind kind, struct buf *text);

/* the next rows for the table, as JSON lists of those here and those gone; false: there are none */
bool		presence_has_rows(const struct presence *presence);
bool		presence_next_rows(struct presence *presence, struct buf *here, struct buf *gone);
void		presence_second(struct presence *presence);
void		presence_write_all(struct presence *presence);

#endif							/* RELAY_PRESENCE_H */
