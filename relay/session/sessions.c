/*
 * session/sessions.c: all clients: their lists by time, pings, and the end.
 */
#include "base/bounds.h"
#include "base/mem.h"
#include "session/state.h"

#include <stdlib.h>
#include <time.h>

/* how often users without connections are looked through */
#define FORGET_EVERY_S 30

struct sessions *
sessions_new(const struct sessions_config *config)
{
	struct sessions *sessions = mem_zalloc(sizeof(struct sessions));

	sessions->config = *config;
	doc_map_init(&sessions->access.asking);
	session_list_init(&sessions->greeting);
	session_list_init(&sessions->settled);
	session_list_init(&sessions->closing);
	session_list_init(&sessions->reaped);
	return sessions;
}

/* Note what sessions use. */
void
sessions_connect(struct sessions *sessions, const struct sessions_parts *parts)
{
	sessions->rooms = parts->rooms;
	sessions->writer = parts->writer;
	sessions->reader = parts->reader;
	sessions->presence = parts->presence;
	sessions->pool = parts->pool;
}

/* Free the sessions without references. */
void
sessions_reap(struct sessions *sessions)
{
	struct session *s;

	while ((s = session_list_first(&sessions->reaped)) != NULL)
	{
		session_list_remove(&s->link);
		ledger_close(&s->purse);
		session_free_flow(s);
		free(s->join.offered_token);
		free(s->close_reason);
		free(s);
	}
}

void
sessions_free(struct sessions *sessions)
{
	sessions_reap(sessions);
	usage_free(&sessions->flow.users);
	free(sessions->talk.docs);
	doc_map_free(&sessions->access.asking);
	free(sessions);
}

static void
end_expired(struct session *s)
{
	session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "the token has expired");
}

/* Return true if a message has been coming in for too long. */
static bool
is_stuck(const struct session *s)
{
	int64_t		since_s = s->owner->config.transport.unfinished_since(s->conn);

	return since_s != 0 && s->owner->now_s - since_s >= LIMIT_MESSAGE_S;
}

/*
 * Ping a client, or end it if it seems to be dead. A client that takes what waits for
 * it is alive: its pong comes after all of that, however slow its line.
 */
static void
attend(struct session *s)
{
	struct sessions *sessions = s->owner;

	if (sessions->config.transport.has_taken(s->conn))
		session_heard(s);
	session_list_add(&sessions->settled, &s->link, s, sessions->now_s);
	if (is_stuck(s))
	{
		sessions->config.metrics->timeouts_message++;
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "a message was not completed in time");
	}
	else if (sessions->now_s - s->link.heard_s >= (int64_t) 3 * sessions->config.config->ping_interval_s)
	{
		sessions->config.metrics->timeouts_pong++;
		session_log(s, RELAY_INFO, "no sign of life for %lld s, closing", (long long) (sessions->now_s - s->link.heard_s));
		sessions->config.transport.kill(s->conn);
	}
	else
		sessions->config.transport.ping(s->conn);
}

/* A second has passed: act on timeouts, and ping. */
void
sessions_tick(struct sessions *sessions, int64_t now_s)
{
	const struct config *config = sessions->config.config;
	struct session *s;

	sessions->now_s = now_s;
	if (now_s % FORGET_EVERY_S == 0)
		sessions_forget_users(sessions);
	sessions_each_expired(sessions, (int64_t) time(NULL), end_expired);
	while ((s = session_list_due(&sessions->greeting, now_s - config->hello_timeout_s)) != NULL)
	{
		sessions->config.metrics->timeouts_hello++;
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "no hello message arrived in time (hello-timeout)");
	}
	while ((s = session_list_due(&sessions->settled, now_s - config->ping_interval_s)) != NULL)
		attend(s);
	while ((s = session_list_due(&sessions->closing, now_s - LIMIT_CLOSING_S)) != NULL)
	{
		session_list_add(&sessions->closing, &s->link, s, now_s);
		sessions->config.transport.kill(s->conn);
	}
	sessions_verify(sessions);
	sessions_tick_talk(sessions);
}

/* Take no more operations. */
void
sessions_drain(struct sessions *sessions)
{
	sessions->draining = true;
}

/* Close all clients; they are to come back. */
void
sessions_close_all(struct sessions *sessions, const char *message)
{
	struct session *s;

	while ((s = session_list_first(&sessions->greeting)) != NULL)
		session_refuse(s, CLOSE_RESTARTING, "restarting", message);
	while ((s = session_list_first(&sessions->settled)) != NULL)
		session_refuse(s, CLOSE_RESTARTING, "restarting", message);
}

static void
restart(void *arg, struct room_member *member)
{
	struct session *s = (struct session *) member;

	if (s->state == SESSION_SYNCING || s->state == SESSION_LIVE)
		session_refuse(s, CLOSE_RESTARTING, "restarting", arg);
}

static void
end_deleted(void *arg, struct room_member *member)
{
	struct session *s = (struct session *) member;

	(void) arg;
	if (s->state == SESSION_SYNCING || s->state == SESSION_LIVE)
		session_end_deleted(s);
}

/* Close the clients that have the text of a document that was deleted. */
void
sessions_end(struct sessions *sessions, const struct uuid *doc)
{
	rooms_each_member(sessions->rooms, doc, end_deleted, NULL);
}

/* Close the clients that have a document's text; they are to come back. */
void
sessions_restart(struct sessions *sessions, const struct uuid *doc, const char *message)
{
	rooms_each_member(sessions->rooms, doc, restart, (void *) message);
}

int
sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}
