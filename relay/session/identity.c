/*
 * session/identity.c: which user a client is, by its token.
 */
#include "session/identity.h"

#include "session/state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool
session_authenticate(struct session *s, const char *token)
{
	struct identity identity;
	const char *problem;

	if (token == NULL)
	{
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "a token is needed");
		return false;
	}
	if (!auth_check(s->owner->config.auth, token, time(NULL), &identity, &problem))
	{
		s->owner->config.metrics->refused_token++;
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", problem);
		return false;
	}
	if (s->user != NULL && strcmp(s->user, identity.user) != 0)
	{
		free(identity.user);
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "the token belongs to another user");
		return false;
	}
	if (s->user == NULL)
	{
		bool		few = session_hold_account(s, identity.user);

		ledger_take_over(&s->purse, s->user);
		if (!few)
		{
			free(identity.user);
			session_refuse(s, CLOSE_FLOODING, "flooding", "too many connections of this user (max-per-user)");
			return false;
		}
	}
	free(identity.user);
	session_set_expiry(s, identity.expires);
	return true;
}
