/*
 * auth.c: who a client is, by its token: a JWT signed with the one algorithm
 * that is configured.
 *
 * The algorithm a token names is never trusted: it must be the configured
 * one, or a public key could be passed off as a shared secret. `none` is no
 * algorithm. The user id is the claim `sub`; '*' means everybody in the
 * tables and so is nobody here.
 */
#include "auth.h"

#include "bounds.h"
#include "mem.h"

#include <errno.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES (64 * 1024)
#define SECRET_BYTES_LEAST 16

struct auth
{
	jwt_alg_t	algorithm;
	unsigned char *key;
	int			key_len;
};

static const struct
{
	const char *name;
	jwt_alg_t	algorithm;
}			algorithms[] =

{
	{"HS256", JWT_ALG_HS256},
	{"RS256", JWT_ALG_RS256},
	{"ES256", JWT_ALG_ES256},
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

/* Look the algorithm up. */
static bool
find_algorithm(const char *name, jwt_alg_t *algorithm)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++)
	{
		if (strcmp(algorithms[i].name, name) == 0)
		{
			*algorithm = algorithms[i].algorithm;
			return true;
		}
	}
	return false;
}

/* Read the key file; the newline that editors leave at its end is no part of a secret. */
static bool
read_key(struct auth *auth, const char *path)
{
	FILE	   *file = fopen(path, "rb");
	size_t		len;

	if (file == NULL)
		return false;
	auth->key = mem_zalloc(KEY_BYTES + 1);
	len = fread(auth->key, 1, KEY_BYTES, file);
	fclose(file);
	if (auth->algorithm == JWT_ALG_HS256)
	{
		if (len > 0 && auth->key[len - 1] == '\n')
			len--;
		if (len > 0 && auth->key[len - 1] == '\r')
			len--;
	}
	auth->key_len = (int) len;
	return true;
}

/* Get ready to check tokens; NULL with the problem where that is impossible. */
struct auth *
auth_new(const char *algorithm, const char *key_file, const char **problem)
{
	struct auth *auth = mem_zalloc(sizeof(struct auth));

	*problem = NULL;
	if (!find_algorithm(algorithm, &auth->algorithm))
		*problem = "jwt-alg: none of HS256, RS256, ES256";
	else if (!read_key(auth, key_file))
		*problem = "jwt-key: the file cannot be read";
	else if (auth->key_len < SECRET_BYTES_LEAST)
		*problem = "jwt-key: the key has less than 16 bytes";
	if (*problem == NULL)
		return auth;
	auth_free(auth);
	return NULL;
}

/* Forget the key. */
void
auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	if (auth->key != NULL)
		explicit_bzero(auth->key, (size_t) auth->key_len);
	free(auth->key);
	free(auth);
}

/* Read a claim that is a time; false where it is there and no number. */
static bool
time_claim(jwt_t *jwt, const char *name, bool *there, int64_t *value)
{
	errno = 0;
	*value = jwt_get_grant_int(jwt, name);
	*there = errno != ENOENT;
	return errno == 0 || errno == ENOENT;
}

/* Check what a token with a good signature claims. */
static bool
check_claims(const struct auth *auth, jwt_t *jwt, time_t now, struct identity *identity, const char **problem)
{
	const char *user = jwt_get_grant(jwt, "sub");
	bool		expires,
				begins;
	int64_t		expiry,
				beginning;

	if (jwt_get_alg(jwt) != auth->algorithm)
		*problem = "the token is signed with another algorithm";
	else if (!time_claim(jwt, "exp", &expires, &expiry) || !time_claim(jwt, "nbf", &begins, &beginning))
		*problem = "the token has a time that is no number";
	else if (expires && expiry <= (int64_t) now)
		*problem = "the token has expired";
	else if (begins && beginning > (int64_t) now)
		*problem = "the token is not valid yet";
	else if (user == NULL || *user == '\0' || strcmp(user, "*") == 0 || strlen(user) >= LIMIT_USER_BYTES)
		*problem = "the token names no user";
	else
	{
		identity->user = mem_string(user, strlen(user));
		identity->expires = expires ? expiry : 0;
		return true;
	}
	return false;
}

/* Check a token. */
bool
auth_check(const struct auth *auth, const char *token, time_t now, struct identity *identity, const char **problem)
{
	jwt_t	   *jwt = NULL;
	bool		good;

	memset(identity, 0, sizeof(*identity));
	*problem = "the token is malformed or its signature is wrong";
	if (strlen(token) > LIMIT_TOKEN_BYTES || jwt_decode(&jwt, token, auth->key, auth->key_len) != 0)
		return false;
	good = check_claims(auth, jwt, now, identity, problem);
	jwt_free(jwt);
	return good;
}
