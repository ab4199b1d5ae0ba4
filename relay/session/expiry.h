/*
 * session/expiry.h: when clients' tokens expire.
 */
#ifndef RELAY_SESSION_EXPIRY_H
#define RELAY_SESSION_EXPIRY_H

#include "base/bounds.h"

#include <stdint.h>
#include <sys/queue.h>

struct session;
struct sessions;

/* a client's place on the wheel, while its token expires at all */
struct session_expiry
{
	int64_t		at_s;			/* 0: never */
	LIST_ENTRY(session) entry;
};

LIST_HEAD(session_expiries, session);

/* the wheel: a slot for each second, modulo its size */
struct sessions_expiry
{
	int64_t		looked_at_s;	/* tokens up to this time were looked at */
	struct session_expiries slots[LIMIT_EXPIRY_SLOTS];
};

/* note when a client's token expires, or with 0 that it never does */
void		session_set_expiry(struct session *s, int64_t expires);

/* call expired for each client whose token has expired; each second that has passed is looked at once */
void		sessions_each_expired(struct sessions *sessions, int64_t now, void (*expired) (struct session *s));

#endif							/* RELAY_SESSION_EXPIRY_H */
