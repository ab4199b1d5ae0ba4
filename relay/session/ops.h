/*
 * session/ops.h: the operations of a client, and the answers to them.
 */
#ifndef RELAY_SESSION_OPS_H
#define RELAY_SESSION_OPS_H

#include "wire/protocol.h"

#include <stdbool.h>
#include <stdint.h>

struct session;

struct session_ops
{
	uint16_t	in_flight;		/* submitted and not answered */
	bool		has_pending;
	struct uuid pending;		/* the last one, which catching up must not
								 * compose */
	int64_t		own_version;	/* that the last one made; 0: not known */
};

/* handle an op */
void		session_on_op(struct session *s, const struct message *m);

#endif							/* RELAY_SESSION_OPS_H */
