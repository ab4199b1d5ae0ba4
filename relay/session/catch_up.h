/*
 * session/catch_up.h: operations that a client reads from the tables, because the
 * room does not have them any more.
 */
#ifndef RELAY_SESSION_CATCH_UP_H
#define RELAY_SESSION_CATCH_UP_H

#include <stdbool.h>
#include <stdint.h>

struct session;

struct session_catch_up
{
	bool		running;
	int64_t		covered;		/* versions up to here came without entries of
								 * their own */
};

/* read what follows the cursor from the tables */
void		session_catch_up(struct session *s);

#endif							/* RELAY_SESSION_CATCH_UP_H */
