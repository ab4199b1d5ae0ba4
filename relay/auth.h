/*
 * auth.h: who a client is, by its token.
 */
#ifndef RELAY_AUTH_H
#define RELAY_AUTH_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct auth;

struct identity
{
	char	   *user;			/* to be freed */
	int64_t		expires;		/* seconds since 1970, or 0: never */
};

struct auth *auth_new(const char *algorithm, const char *key_file, const char **problem);
void		auth_free(struct auth *auth);
bool		auth_check(const struct auth *auth, const char *token, time_t now,
					   struct identity *identity, const char **problem);

#endif							/* RELAY_AUTH_H */
