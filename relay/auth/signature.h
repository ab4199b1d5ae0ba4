/*
 * auth/signature.h: whether a key signed a token. libjwt would say so too, but takes
 * no token of a type other than JWT, such as the access tokens of RFC 9068.
 */
#ifndef RELAY_SIGNATURE_H
#define RELAY_SIGNATURE_H

#include "auth/keys.h"

#include <stdbool.h>

/* a token of three parts of base64url; the key's algorithm is that of its header */
bool		signature_is_good(const struct key *key, const char *token);

#endif							/* RELAY_SIGNATURE_H */
