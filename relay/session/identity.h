/*
 * session/identity.h: which user a client is.
 */
#ifndef RELAY_SESSION_IDENTITY_H
#define RELAY_SESSION_IDENTITY_H

#include <stdbool.h>

struct session;

/* check a client's token, NULL: it gave none; false: the client was refused */
bool		session_authenticate(struct session *s, const char *token);

#endif							/* RELAY_SESSION_IDENTITY_H */
