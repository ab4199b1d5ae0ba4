/*
 * session/flow.c: how fast a client may speak.
 *
 * Everything that comes costs something, of the connection's bucket and of
 * its user's. Who overdraws is first read more slowly, which is all that an
 * honest program that types too fast notices; then its operations are
 * rejected, with when to come back; then the connection ends.
 */
#include "session/state.h"

/* a message costs one token, and one more for each so many bytes */
#define BYTES_A_TOKEN 16384

/* no pause is longer: who is not held by pauses is to be told, and not left hanging */
#define PAUSE_MOST_MS 200

/* a user's debt is remembered so long after his last connection */
#define REMEMBERED_MS 60000

/* Count a connection to its user; false where he has too many. */
bool
session_hold_account(struct session *s)
{
	struct sessions *sessions = s->owner;
	int			most = sessions->config.config->user_connections;

	s->account = tally_hold(&sessions->users, s->user);
	if (most == 0 || s->account->count <= most)
		return true;
	sessions->config.metrics->refused_user++;
	return false;
}

/* Read nothing more of a client for a while. */
static void
slow_down(struct session *s, int64_t now_ms)
{
	struct sessions *sessions = s->owner;

	if (s->resumes_ms != 0)
		return;
	s->resumes_ms = now_ms + (s->wait_ms < PAUSE_MOST_MS ? s->wait_ms : PAUSE_MOST_MS);
	LIST_INSERT_HEAD(&sessions->slowed, s, slowed.entry);
	sessions->config.metrics->slowed++;
	sessions->config.transport.read(s->conn, false);
	sessions->config.slowed(sessions->config.arg);
}

/* Let a pause end. */
static void
end_pause(struct session *s)
{
	if (s->resumes_ms != 0)
		LIST_REMOVE(s, slowed.entry);
	s->resumes_ms = 0;
}

/* Take what something costs that a client sent; false where that ends it. */
bool
session_charge(struct session *s, size_t len)
{
	const struct config *config = s->owner->config.config;
	struct bucket_size own = {config->rate, config->burst};
	struct bucket_size all = {config->user_rate, config->user_burst};
	double		cost = 1 + (double) len / BYTES_A_TOKEN;
	int64_t		now_ms = metrics_clock_ms();
	int			wait_ms;

	s->flow = bucket_take(&s->bucket, &own, cost, now_ms);
	s->wait_ms = bucket_wait_ms(&s->bucket, &own);
	if (s->account != NULL)
	{
		enum flow	flow = bucket_take(&s->account->bucket, &all, cost, now_ms);

		s->flow = flow > s->flow ? flow : s->flow;
		wait_ms = bucket_wait_ms(&s->account->bucket, &all);
		s->wait_ms = wait_ms > s->wait_ms ? wait_ms : s->wait_ms;
	}
	if (s->flow == FLOW_FLOOD)
	{
		s->owner->config.metrics->floods++;
		session_refuse(s, CLOSE_FLOODING, "flooding", "too much at once, for too long");
		return false;
	}
	if (s->flow != FLOW_FREE)
		slow_down(s, now_ms);
	return true;
}

/* Let those be read again whose pause is over; tells whether there are others. */
bool
sessions_speed_up(struct sessions *sessions)
{
	int64_t		now_ms = metrics_clock_ms();
	struct session *next;

	for (struct session *s = LIST_FIRST(&sessions->slowed); s != NULL; s = next)
	{
		next = LIST_NEXT(s, slowed.entry);
		if (s->resumes_ms > now_ms)
			continue;
		end_pause(s);
		sessions->config.transport.read(s->conn, true);
	}
	return !LIST_EMPTY(&sessions->slowed);
}

/* A client has gone. */
void
session_end_flow(struct session *s)
{
	end_pause(s);
	if (s->account != NULL)
		tally_let_go(s->account);
	s->account = NULL;
}

/* Forget users who have been away for a while. */
void
sessions_forget_users(struct sessions *sessions)
{
	tally_sweep(&sessions->users, metrics_clock_ms() - REMEMBERED_MS);
}
