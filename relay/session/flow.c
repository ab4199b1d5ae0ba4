/*
 * session/flow.c: how much a client and its user may send.
 *
 * Every message takes tokens from the connection's bucket and from its user's.
 * A client that overdraws one is first read more slowly, which is all that an
 * honest program that types too fast notices; then its operations are rejected,
 * with the time to wait; then the connection ends.
 */
#include "session/state.h"

/* a message costs one token, and one more for each so many bytes, and elements of JSON */
#define BYTES_A_TOKEN 16384
#define ELEMENTS_A_TOKEN 16

/* a message of this cost is not even read when operations are rejected */
#define EXPENSIVE 200

/* no pause is longer: a client that pauses do not slow down is rejected, not left waiting */
#define PAUSE_MOST_MS 200

/* a user's debt is remembered for this time after their last connection */
#define REMEMBERED_MS 60000

/* Get the users: the ledger's accounts, so that each user has one row here. */
static struct usage *
users_of(struct sessions *sessions)
{
	return sessions->config.ledger != NULL ? &sessions->config.ledger->accounts : &sessions->flow.users;
}

bool
session_hold_account(struct session *s, const char *user)
{
	struct sessions *sessions = s->owner;
	int			most = sessions->config.config->user_connections;

	s->flow.account = usage_hold_kind(users_of(sessions), USAGE_USER, user);
	s->user = s->flow.account->name;
	s->flow.account->connections++;
	if (most == 0 || s->flow.account->connections <= most)
		return true;
	sessions->config.metrics->refused_user++;
	return false;
}

/* Read nothing from a client for a while. */
static void
slow_down(struct session *s, int64_t now_ms)
{
	struct sessions *sessions = s->owner;

	if (s->flow.resumes_ms != 0)
		return;
	s->flow.resumes_ms = now_ms + (s->flow.wait_ms < PAUSE_MOST_MS ? s->flow.wait_ms : PAUSE_MOST_MS);
	LIST_INSERT_HEAD(&sessions->flow.slowed, s, flow.entry);
	sessions->config.metrics->slowed++;
	sessions->config.transport.read(s->conn, false);
	sessions->config.slowed(sessions->config.arg);
}

/* End a pause. */
static void
end_pause(struct session *s)
{
	if (s->flow.resumes_ms != 0)
		LIST_REMOVE(s, flow.entry);
	s->flow.resumes_ms = 0;
}

bool
session_take_charge(struct session *s, size_t len, size_t elements)
{
	const struct config *config = s->owner->config.config;
	struct bucket_size own = {config->rate, config->burst};
	struct bucket_size all = {config->user_rate, config->user_burst};
	double		cost = 1 + (double) len / BYTES_A_TOKEN + (double) elements / ELEMENTS_A_TOKEN;
	int64_t		now_ms = metrics_clock_ms();
	int			wait_ms;

	s->flow.level = bucket_take(&s->flow.bucket, &own, cost, now_ms);
	s->flow.wait_ms = bucket_wait_ms(&s->flow.bucket, &own);
	if (s->flow.account != NULL)
	{
		enum flow	flow = bucket_take(&s->flow.account->bucket, &all, cost, now_ms);

		s->flow.level = flow > s->flow.level ? flow : s->flow.level;
		wait_ms = bucket_wait_ms(&s->flow.account->bucket, &all);
		s->flow.wait_ms = wait_ms > s->flow.wait_ms ? wait_ms : s->flow.wait_ms;
	}
	/* what is expensive to read is not read to be rejected */
	if (s->flow.level == FLOW_FLOOD || (s->flow.level == FLOW_REJECT && cost >= EXPENSIVE))
	{
		s->owner->config.metrics->floods++;
		return false;
	}
	if (s->flow.level != FLOW_FREE)
		slow_down(s, now_ms);
	return true;
}

void
session_charge_answer(struct session *s, size_t bytes)
{
	const struct config *config = s->owner->config.config;
	struct bucket_size all = {config->user_rate, config->user_burst};

	if (s->flow.account != NULL)
		bucket_take(&s->flow.account->bucket, &all, (double) bytes / BYTES_A_TOKEN, metrics_clock_ms());
}

/* Read clients again whose pause is over; return true if others are still paused. */
bool
sessions_speed_up(struct sessions *sessions)
{
	int64_t		now_ms = metrics_clock_ms();
	struct session *next;

	for (struct session *s = LIST_FIRST(&sessions->flow.slowed); s != NULL; s = next)
	{
		next = LIST_NEXT(s, flow.entry);
		if (s->flow.resumes_ms > now_ms)
			continue;
		end_pause(s);
		if (!s->purse.slowed)
			sessions->config.transport.read(s->conn, true);
	}
	return !LIST_EMPTY(&sessions->flow.slowed);
}

void
session_slow(struct ledger_purse *purse, bool on)
{
	struct session *s = (struct session *) ((char *) purse - offsetof(struct session, purse));

	if (s->state != SESSION_CLOSED && s->flow.resumes_ms == 0)
		s->owner->config.transport.read(s->conn, !on);
}

void
session_end_flow(struct session *s)
{
	end_pause(s);
	if (s->flow.account != NULL)
		s->flow.account->connections--;
}

void
session_free_flow(struct session *s)
{
	if (s->flow.account != NULL)
		usage_let_go(s->flow.account);
}

void
sessions_forget_users(struct sessions *sessions)
{
	usage_forget(users_of(sessions), metrics_clock_ms() - REMEMBERED_MS);
}
