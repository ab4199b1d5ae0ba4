/*
 * session/sessions.c: all clients: their lists by time, pings, and the end.
 */
#include "base/bounds.h"
#include "base/mem.h"
#include "session/state.h"

#include <stdlib.h>
#include <time.h>

/* users who have gone are looked through this often */
#define FORGET_EVERY_S 30

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
sessions_connect(struct sessions *sessions, const struct sessions_parts *parts)
{
	sessions->rooms = parts->rooms;
	sessions->writer = parts->writer;
	sessions->reader = parts->reader;
	sessions->presence = parts->presence;
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
	tally_free(&sessions->users);
	free(sessions);
}

/* Note when a client's token runs out, or with 0 that it never does. */
void
session_set_expiry(struct session *s, int64_t expires)
{
	if (s->expires != 0)
		LIST_REMOVE(s, expiry.entry);
	s->expires = expires;
	if (expires != 0)
		LIST_INSERT_HEAD(&s->owner->expiries[expires % LIMIT_EXPIRY_SLOTS], s, expiry.entry);
}

/* Close those whose tokens have run out; each second that has passed is looked at once. */
static void
end_expired(struct sessions *sessions, int64_t now)
{
	int64_t		from = sessions->expired_s + 1;

	/* the first time, or after a jump of the clock: the whole wheel */
	if (from > now + 1 || from < now - LIMIT_EXPIRY_SLOTS)
		from = now - LIMIT_EXPIRY_SLOTS + 1;
	for (int64_t second = from; second <= now; second++)
	{
		struct session *s;

		LIST_FOREACH(s, &sessions->expiries[second % LIMIT_EXPIRY_SLOTS], expiry.entry)
		{
			if (s->expires <= now)
				session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "the token has expired");
		}
	}
	sessions->expired_s = now;
}

/* Tell whether a message has been coming in for too long. */
static bool
is_stuck(const struct session *s)
{
	int64_t		since_s = s->owner->config.transport.unfinished_since(s->conn);

	return since_s != 0 && s->owner->now_s - since_s >= LIMIT_MESSAGE_S;
}

/*
 * Ping a client, or end it where it seems to be dead. One that takes what waits for
 * it is alive: its pong comes behind all of that, however slow its line.
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
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "a message did not come to its end");
	}
	else if (sessions->now_s - s->link.heard_s >= (int64_t) 3 * sessions->config.config->ping_interval_s)
	{
		sessions->config.metrics->timeouts_pong++;
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
	if (now_s % FORGET_EVERY_S == 0)
		sessions_forget_users(sessions);
	end_expired(sessions, (int64_t) time(NULL));
	while ((s = session_list_due(&sessions->greeting, now_s - config->hello_timeout_s)) != NULL)
	{
		sessions->config.metrics->timeouts_hello++;
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "no hello came");
	}
	while ((s = session_list_due(&sessions->settled, now_s - config->ping_interval_s)) != NULL)
		attend(s);
	while ((s = session_list_due(&sessions->closing, now_s - LIMIT_CLOSING_S)) != NULL)
	{
		session_list_add(&sessions->closing, &s->link, s, now_s);
		sessions->config.transport.kill(s->conn);
	}
	sessions_verify(sessions);
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

/* Close those who hold the text of a document that was deleted. */
void
sessions_end(struct sessions *sessions, const struct uuid *doc)
{
	rooms_each_member(sessions->rooms, doc, end_deleted, NULL);
}

/* Close those who hold a document's text; they are to come back. */
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
