/*
 * auth/signature.h: verifies a token's signature. libjwt could do that, but refuses
 * tokens of a type other than JWT, such as the access tokens of RFC 9068.
 */
#ifndef RELAY_SIGNATURE_H
#define RELAY_SIGNATURE_H

#include "auth/keys.h"

#include <stdbool.h>

/* the token must have three parts of base64url, and the key the algorithm of its header */
bool		signature_is_good(const struct key *key, const char *token);

#endif							/* RELAY_SIGNATURE_H */
