/*
 * session/talk.h: comments, suggestions and chat: what a client asks for, and the
 * events of a document.
 */
#ifndef RELAY_SESSION_TALK_H
#define RELAY_SESSION_TALK_H

#include "wire/protocol.h"
#include "wire/talk_message.h"

#include <stdbool.h>
#include <stdint.h>

struct session;
struct sessions;
struct talk_call;

struct session_talk
{
	struct talk_call *first;	/* under way, and what waits for it */
	uint16_t	count;
	bool		missed;			/* an event that it was not sent: it is told to
								 * list them */
};

struct sessions_talk
{
	int64_t		again_s;		/* when all documents are to be looked at once more; 0: never */
	char	   *docs;			/* the parameter of that */
	bool		asking;			/* the tables are asked for their numbers */
};

/* handle a comment, thread, suggest, decide or chat */
void		session_on_talk(struct session *s, const struct message *m);

/* tell a client that it missed events, if it did and can be sent something */
void		session_send_missed_talk(struct session *s);

/* a second has passed */
void		sessions_tick_talk(struct sessions *sessions);

#endif							/* RELAY_SESSION_TALK_H */
