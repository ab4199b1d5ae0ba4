/*
 * session/presence.h: a client among the others in its document.
 */
#ifndef RELAY_SESSION_PRESENCE_H
#define RELAY_SESSION_PRESENCE_H

#include "presence/presence.h"
#include "wire/protocol.h"

#include <stdbool.h>

struct session;

struct session_presence
{
	struct presence_client *client; /* while others may see it */
	struct uuid id;				/* by which others know it */
	bool		missed;			/* messages; the client is owed the whole list */
};

/* let others see a client that has joined; returns the list it is sent, NULL while its role is being asked for */
const struct buf *session_appear(struct session *s);

/* let others see it no more */
void		session_disappear(struct session *s);

/* take a client's message about itself; false: it is malformed, *problem says how */
bool		session_update_presence(struct session *s, const struct message *m, const char **problem);

/* send the whole list to a client that missed messages, if it can take it now */
void		session_send_missed_presence(struct session *s);

#endif							/* RELAY_SESSION_PRESENCE_H */
