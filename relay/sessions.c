/*
 * sessions.c: all clients: their lists by time, pings, and the end.
 */
#include "bounds.h"
#include "mem.h"
#include "session_private.h"

#include <stdlib.h>
#include <time.h>

struct sessions *
sessions_new(const struct sessions_config *config)
{
	struct sessions *sessions = mem_zalloc(sizeof(struct sessions));

	sessions->config = *config;
	session_list_init(&sessions->greeting);
	session_list_init(&sessions->settled);
	session_list_init(&sessions->closing);
	session_list_init(&sessions->reaped);
	return sessions;
}

/* Say what sessions stand on. */
void
sessions_connect(struct sessions *sessions, struct rooms *rooms, struct writer *writer, struct reader *reader)
{
	sessions->rooms = rooms;
	sessions->writer = writer;
	sessions->reader = reader;
}

/* Free the sessions that nobody holds any more. */
void
sessions_reap(struct sessions *sessions)
{
	struct session *s;

	while ((s = session_list_first(&sessions->reaped)) != NULL)
	{
		session_list_remove(&s->link);
		free(s->user);
		free(s->offered_token);
		free(s->close_reason);
		free(s);
	}
}

void
sessions_free(struct sessions *sessions)
{
	sessions_reap(sessions);
	free(sessions);
}

/* Ping a client, or close it: its token may have run out, or it may be dead. */
static void
attend(struct session *s)
{
	struct sessions *sessions = s->owner;

	session_list_add(&sessions->settled, &s->link, s, sessions->now_s);
	if (s->expires != 0 && s->expires <= (int64_t) time(NULL))
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "the token has expired");
	else if (sessions->now_s - s->link.heard_s >= (int64_t) 3 * sessions->config.config->ping_interval_s)
	{
		session_log(s, RELAY_INFO, "not heard of for %lld s", (long long) (sessions->now_s - s->link.heard_s));
		sessions->config.transport.kill(s->conn);
	}
	else
		sessions->config.transport.ping(s->conn);
}

/* A second has passed: look after those whose time has come. */
void
sessions_tick(struct sessions *sessions, int64_t now_s)
{
	const struct config *config = sessions->config.config;
	struct session *s;

	sessions->now_s = now_s;
	while ((s = session_list_due(&sessions->greeting, now_s - config->hello_timeout_s)) != NULL)
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "no hello came");
	while ((s = session_list_due(&sessions->settled, now_s - config->ping_interval_s)) != NULL)
		attend(s);
	while ((s = session_list_due(&sessions->closing, now_s - LIMIT_CLOSING_S)) != NULL)
	{
		session_list_add(&sessions->closing, &s->link, s, now_s);
		sessions->config.transport.kill(s->conn);
	}
}

/* Take no more operations. */
void
sessions_drain(struct sessions *sessions)
{
	sessions->draining = true;
}

/* Close everybody; they are to come back. */
void
sessions_close_all(struct sessions *sessions, const char *message)
{
	struct session *s;

	while ((s = session_list_first(&sessions->greeting)) != NULL)
		session_refuse(s, CLOSE_RESTARTING, "restarting", message);
	while ((s = session_list_first(&sessions->settled)) != NULL)
		session_refuse(s, CLOSE_RESTARTING, "restarting", message);
}

int
sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}
