/*
 * session/session.h: a client: its state, what it was sent, what it may do.
 *
 * A session knows no socket: it sends through the transport that the server
 * provides, and the server passes on what the client sent.
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include "auth/auth.h"
#include "base/config.h"
#include "base/docmap.h"
#include "base/ledger.h"
#include "wire/frame.h"
#include "base/metrics.h"
#include "presence/presence.h"
#include "wire/protocol.h"
#include "tables/reader.h"
#include "room/room.h"
#include "tables/writer.h"
#include "wire/talk_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct sessions;
struct sql_pool;

struct session_transport
{
	/* send a frame; false: the socket has no room now, nothing was sent */
	bool		(*send) (void *conn, struct frame *frame);
	bool		(*has_room) (void *conn);
	/* call session_writable as soon as there is room */
	void		(*wake) (void *conn);
	void		(*ping) (void *conn);
	/* stop reading, or go on */
	void		(*read) (void *conn, bool on);
	/* since when the rest of a message is awaited, or 0 */
	int64_t		(*unfinished_since) (void *conn);
	/* return true if the client took some of what waited for it, since the last call */
	bool		(*has_taken) (void *conn);
	/* drop the rest of what is being written or read; true: a client was sent a part of a message */
	bool		(*abandon) (void *conn);
	/* end a connection whose peer does not answer any more */
	void		(*kill) (void *conn);
};

struct sessions_config
{
	const struct config *config;
	struct session_transport transport;
	struct auth *auth;
	struct metrics *metrics;
	struct ledger *ledger;		/* or NULL */
	/* call sessions_speed_up every few milliseconds, until it says no */
	void		(*slowed) (void *arg);
	/* return true if the stream shows the events of a document */
	bool		(*shows) (void *arg, const struct uuid *doc);
	void	   *arg;
};

struct sessions_parts
{
	struct rooms *rooms;
	struct writer *writer;
	struct reader *reader;
	struct presence *presence;
	struct sql_pool *pool;
};

struct sessions *sessions_new(const struct sessions_config *config);
void		sessions_free(struct sessions *sessions);

/* what sessions use; created after them, since these call back */
void		sessions_connect(struct sessions *sessions, const struct sessions_parts *parts);

/* from the server */
struct session *session_open(struct sessions *sessions, void *conn, const char *doc, const char *token, const char *peer);
void		session_receive(struct session *s, const char *text, size_t len);
void		session_heard(struct session *s);
bool		session_charge(struct session *s, size_t len);
struct ledger_purse *session_purse(struct session *s);
size_t		session_message_limit(const struct session *s);
int64_t		session_now_s(const struct session *s);
void		session_refuse(struct session *s, enum close_code code, const char *error, const char *message);
void		session_writable(struct session *s);
bool		session_wants_close(const struct session *s, enum close_code *code, const char **reason);
void		session_closed(struct session *s);

/* from rooms and writer, by way of main */
bool		session_deliver(struct room_member *member, struct frame *frame);
void		session_wake(struct room_member *member);
void		session_answer(void *arg, void *owner, const struct write_answer *answer);

/* who may read: access.c */
void		sessions_notice(struct sessions *sessions, const struct notice *notice);
void		sessions_check(struct sessions *sessions, const struct uuid *doc, const char *user);

/* from the stream, by way of main: talk.c */
void		sessions_hear(struct sessions *sessions, const struct talk_event *event);
void		sessions_miss_talk(struct sessions *sessions);

/* from presence, by way of main: presence.c */
void		sessions_show(struct sessions *sessions, const struct uuid *doc, struct frame *frame);

/* from main */
bool		sessions_speed_up(struct sessions *sessions);
void		sessions_tick(struct sessions *sessions, int64_t now_s);
void		sessions_drain(struct sessions *sessions);
void		sessions_close_all(struct sessions *sessions, const char *message);
void		sessions_end(struct sessions *sessions, const struct uuid *doc);
void		sessions_restart(struct sessions *sessions, const struct uuid *doc, const char *message);
void		sessions_reap(struct sessions *sessions);
int			sessions_count(const struct sessions *sessions);

#endif							/* RELAY_SESSION_H */
