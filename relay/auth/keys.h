/*
 * auth/keys.h: the keys that tokens are checked with.
 */
#ifndef RELAY_KEYS_H
#define RELAY_KEYS_H

#include "base/config.h"

#include <jwt.h>
#include <stdbool.h>
#include <stddef.h>

struct key
{
	char	   *kid;			/* or NULL: any token's */
	jwt_alg_t	algorithm;		/* the one it is good for */
	unsigned char *data;		/* a secret, or a public key in PEM */
	int			len;
};

struct key_set
{
	struct key *keys;
	int			count;
};

/* on false, problem says what is wrong with the keys; nothing is left in the set then */
bool		keys_load(struct key_set *set, const struct config *config, char *problem, size_t problem_size);
void		keys_free(struct key_set *set);
bool		keys_algorithm(const char *name, jwt_alg_t *algorithm);

#endif							/* RELAY_KEYS_H */
