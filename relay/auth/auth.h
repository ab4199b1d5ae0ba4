/*
 * auth/auth.h: who a client is, by its token.
 */
#ifndef RELAY_AUTH_H
#define RELAY_AUTH_H

#include "base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct auth;

struct identity
{
	char	   *user;			/* to be freed */
	int64_t		expires;		/* seconds since 1970, or 0: never */
};

/* the configuration must stay; on failure, problem says why */
struct auth *auth_new(const struct config *config, char *problem, size_t problem_size);
void		auth_free(struct auth *auth);

/* read the keys anew; on false, the old ones are kept */
bool		auth_reload(struct auth *auth, char *problem, size_t problem_size);
bool		auth_check(const struct auth *auth, const char *token, time_t now,
					   struct identity *identity, const char **problem);

/* make a token, to be freed; NULL where there is no secret to sign it with */
char	   *auth_issue(const struct auth *auth, const char *user, time_t now, int64_t *expires);

#endif							/* RELAY_AUTH_H */
