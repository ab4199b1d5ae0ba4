/*
 * auth/jwk.h: one key of a JWKS file.
 */
#ifndef RELAY_JWK_H
#define RELAY_JWK_H

#include <jansson.h>
#include <jwt.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* return a secret, or a public key in PEM, to be freed; NULL if the key cannot be used */
char	   *jwk_read(const json_t *jwk, jwt_alg_t *algorithm, size_t *len);

/* return true if a public key has the type and strength that an algorithm requires */
bool		jwk_suits(const EVP_PKEY *key, jwt_alg_t algorithm);

/* decode base64url without padding; the result is to be freed; NULL if the text is invalid */
unsigned char *jwk_decode(const char *text, size_t text_len, size_t *len);

#endif							/* RELAY_JWK_H */
