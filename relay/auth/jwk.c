/*
 * auth/jwk.c: one key of a JWKS file (RFC 7517, 7518), as libjwt wants it: a
 * secret as it is, a public key in PEM. OpenSSL judges the numbers.
 */
#include "auth/jwk.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_LEAST 2048
#define COORDINATE_BYTES 32
#define POINT_BYTES (1 + 2 * COORDINATE_BYTES)
#define POINT_UNCOMPRESSED 4

/* ---- base64url ---- */

/* Get the value of a digit, or -1. */
static int
digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int) (at - digits) : -1;
}

/* Decode base64url without padding; what is left of the last digit must be zero. */
unsigned char *
jwk_decode(const char *text, size_t text_len, size_t *len)
{
	unsigned char *data = mem_zalloc(text_len * 3 / 4 + 1);
	unsigned	bits = 0;
	int			count = 0;

	*len = 0;
	for (size_t i = 0; i < text_len; i++)
	{
		int			value = digit(text[i]);

		if (value < 0)
			break;
		bits = (bits << 6 | (unsigned) value) & 0xffff;
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			data[(*len)++] = (unsigned char) (bits >> count);
			bits &= (1U << count) - 1;
		}
		if (i + 1 == text_len && count < 6 && bits == 0)
			return data;
	}
	free(data);
	return NULL;
}

/* Decode a member of a key. */
static unsigned char *
member(const json_t *jwk, const char *name, size_t *len)
{
	const json_t *value = json_object_get(jwk, name);

	return json_is_string(value) ? jwk_decode(json_string_value(value), json_string_length(value), len) : NULL;
}

/* ---- public keys ---- */

/* Tell whether a public key is of the kind and strength that an algorithm wants. */
bool
jwk_suits(const EVP_PKEY *key, jwt_alg_t algorithm)
{
	char		curve[64] = "";
	size_t		len;

	if (algorithm == JWT_ALG_RS256)
		return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_LEAST;
	return algorithm == JWT_ALG_ES256 && EVP_PKEY_is_a(key, "EC") &&
		EVP_PKEY_get_group_name(key, curve, sizeof(curve), &len) == 1 && strcmp(curve, "prime256v1") == 0;
}

/* Write a public key as PEM. */
static char *
to_pem(EVP_PKEY *key, size_t *len)
{
	BIO		   *bio = BIO_new(BIO_s_mem());
	char	   *text;
	char	   *copy = NULL;
	long		size;

	if (PEM_write_bio_PUBKEY(bio, key) == 1 && (size = BIO_get_mem_data(bio, &text)) > 0)
	{
		*len = (size_t) size;
		copy = mem_string(text, *len);
	}
	BIO_free(bio);
	return copy;
}

/* Make a public key of what was gathered, if it is one that the algorithm can use. */
static char *
build(const char *type, OSSL_PARAM_BLD *builder, jwt_alg_t algorithm, size_t *len)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY   *key = NULL;
	char	   *pem = NULL;

	if (params != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) == 1 && jwk_suits(key, algorithm))
		pem = to_pem(key, len);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return pem;
}

/* Read an RSA key. */
static char *
read_rsa(const json_t *jwk, size_t *len)
{
	size_t		n_len = 0;
	size_t		e_len = 0;
	unsigned char *n = member(jwk, "n", &n_len);
	unsigned char *e = member(jwk, "e", &e_len);
	char	   *pem = NULL;

	if (n != NULL && e != NULL && n_len <= LIMIT_RSA_BYTES && e_len <= sizeof(uint64_t))
	{
		OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
		BIGNUM	   *modulus = BN_bin2bn(n, (int) n_len, NULL);
		BIGNUM	   *exponent = BN_bin2bn(e, (int) e_len, NULL);

		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
		pem = build("RSA", builder, JWT_ALG_RS256, len);
		BN_free(modulus);
		BN_free(exponent);
		OSSL_PARAM_BLD_free(builder);
	}
	free(n);
	free(e);
	return pem;
}

/* Read a key on the curve P-256. */
static char *
read_ec(const json_t *jwk, size_t *len)
{
	const char *curve = json_string_value(json_object_get(jwk, "crv"));
	size_t		x_len = 0;
	size_t		y_len = 0;
	unsigned char *x = member(jwk, "x", &x_len);
	unsigned char *y = member(jwk, "y", &y_len);
	unsigned char point[POINT_BYTES] = {POINT_UNCOMPRESSED};
	char	   *pem = NULL;

	if (curve != NULL && strcmp(curve, "P-256") == 0 && x != NULL && y != NULL &&
		x_len == COORDINATE_BYTES && y_len == COORDINATE_BYTES)
	{
		OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

		memcpy(point + 1, x, COORDINATE_BYTES);
		memcpy(point + 1 + COORDINATE_BYTES, y, COORDINATE_BYTES);
		OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
		OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
		pem = build("EC", builder, JWT_ALG_ES256, len);
		OSSL_PARAM_BLD_free(builder);
	}
	free(x);
	free(y);
	return pem;
}

/* Read a shared secret. */
static char *
read_secret(const json_t *jwk, size_t *len)
{
	char	   *secret = (char *) member(jwk, "k", len);

	if (secret != NULL && *len >= LIMIT_SECRET_BYTES_LEAST)
		return secret;
	free(secret);
	return NULL;
}

static const struct
{
	const char *type;
	const char *name;
	jwt_alg_t	algorithm;
	char	   *(*read) (const json_t *jwk, size_t *len);
}			kinds[] =

{
	{"oct", "HS256", JWT_ALG_HS256, read_secret},
	{"RSA", "RS256", JWT_ALG_RS256, read_rsa},
	{"EC", "ES256", JWT_ALG_ES256, read_ec},
};

/* Tell whether a member is absent, or has the one value that serves here. */
static bool
is_or_absent(const json_t *jwk, const char *name, const char *value)
{
	const json_t *there = json_object_get(jwk, name);

	return there == NULL || (json_is_string(there) && strcmp(json_string_value(there), value) == 0);
}

/* Read a key, if it is one that tokens can be checked with. */
char	   *
jwk_read(const json_t *jwk, jwt_alg_t *algorithm, size_t *len)
{
	const char *type = json_string_value(json_object_get(jwk, "kty"));

	for (size_t i = 0; type != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		if (strcmp(kinds[i].type, type) != 0)
			continue;
		*algorithm = kinds[i].algorithm;
		if (!is_or_absent(jwk, "use", "sig") || !is_or_absent(jwk, "alg", kinds[i].name))
			return NULL;
		return kinds[i].read(jwk, len);
	}
	return NULL;
}
