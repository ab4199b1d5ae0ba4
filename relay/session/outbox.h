/*
 * session/outbox.h: messages to a client, other than operations, that wait for room
 * in its socket.
 */
#ifndef RELAY_SESSION_OUTBOX_H
#define RELAY_SESSION_OUTBOX_H

#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

struct outgoing
{
	struct outgoing *next;
	struct frame *frame;
};

/* answers, snapshots and what the tables gave; operations never overtake it */
struct session_outbox
{
	struct outgoing *first;
	struct outgoing **last;
	uint16_t	count;
};

void		outbox_init(struct session_outbox *outbox);

/* send a frame now, or let it wait; takes over the frame; false: now too many wait */
bool		outbox_add(struct session *s, struct frame *frame);

/* send what waits, as far as the socket takes it; true: nothing waits any more */
bool		outbox_send(struct session *s);

void		outbox_drop(struct session *s);

#endif							/* RELAY_SESSION_OUTBOX_H */
