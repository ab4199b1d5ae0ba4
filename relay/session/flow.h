/*
 * session/flow.h: how much a client and its user may send.
 */
#ifndef RELAY_SESSION_FLOW_H
#define RELAY_SESSION_FLOW_H

#include "base/bucket.h"
#include "base/ledger.h"
#include "base/usage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct session;
struct sessions;

struct session_flow
{
	struct bucket bucket;		/* the connection's */
	struct usage_row *account;	/* its user's; NULL: the user is not known */
	enum flow	level;			/* the worse of the two, after the last message */
	int			wait_ms;		/* until the debt is paid */
	int64_t		resumes_ms;		/* not read until then; 0: is read */
	LIST_ENTRY(session) entry;	/* among those that are not read */
};

LIST_HEAD(sessions_slowed, session);

struct sessions_flow
{
	struct usage users;			/* where there is no ledger, which has them */
	struct sessions_slowed slowed;
};

/* note whose a connection is, until it is freed, and count it; false: the user has too many */
bool		session_hold_account(struct session *s, const char *user);

/* charge a user for what the tables gave */
void		session_charge_answer(struct session *s, size_t bytes);

/* charge what a client sent, with its elements; false: it is a flood, which ends the connection */
bool		session_take_charge(struct session *s, size_t len, size_t elements);

/* read nothing from a client while its user makes the relay hold too much, or go on */
void		session_slow(struct ledger_purse *purse, bool on);

/* the client has gone; its session is freed */
void		session_end_flow(struct session *s);
void		session_free_flow(struct session *s);

/* forget users without a connection for a while */
void		sessions_forget_users(struct sessions *sessions);

#endif							/* RELAY_SESSION_FLOW_H */
