/*
 * session/join.h: how a client gets the text of its document, and again where it
 * cannot catch up.
 */
#ifndef RELAY_SESSION_JOIN_H
#define RELAY_SESSION_JOIN_H

#include "wire/protocol.h"

#include <stdint.h>

struct session;

struct session_join
{
	char	   *offered_token;	/* from the URL or a header, until the hello */
	int64_t		held_version;	/* that the client has, where it resumes */
	int64_t		snapshot_seq;	/* the sequence id that its ack must name */
};

/* handle a hello, and an ack */
void		session_on_hello(struct session *s, const struct message *m);
void		session_on_ack(struct session *s, const struct message *m);

/* ask the tables for a snapshot, or for what a client needs that resumes as its hello says */
void		session_join(struct session *s, const struct hello *hello);

#endif							/* RELAY_SESSION_JOIN_H */
