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

/* a secret, or a public key in PEM; to be freed; NULL: of no use here */
char	   *jwk_read(const json_t *jwk, jwt_alg_t *algorithm, size_t *len);

/* a public key is of the kind and strength that an algorithm wants */
bool		jwk_suits(const EVP_PKEY *key, jwt_alg_t algorithm);

/* base64url without padding; to be freed; NULL: it is none */
unsigned char *jwk_decode(const char *text, size_t text_len, size_t *len);

#endif							/* RELAY_JWK_H */
