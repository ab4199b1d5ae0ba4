/*
 * session/verify.h: whether clients have the text that the database has.
 */
#ifndef RELAY_SESSION_VERIFY_H
#define RELAY_SESSION_VERIFY_H

#include "wire/protocol.h"

#include <stdbool.h>
#include <stdint.h>

struct session;
struct sessions;

struct session_verify
{
	bool		asked;			/* for a checksum */
	int64_t		verified_s;		/* when a report was last looked into */
};

struct sessions_verify
{
	int			in_flight;		/* checksums that the tables are asked for */
};

/* handle a checksum */
void		session_on_checksum(struct session *s, const struct message *m);

/* a second has passed: ask a client for its checksum, if it is time to */
void		sessions_verify(struct sessions *sessions);

#endif							/* RELAY_SESSION_VERIFY_H */
