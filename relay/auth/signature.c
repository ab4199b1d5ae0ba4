/*
 * auth/signature.c: whether a key signed a token: HS256, RS256 and ES256 of RFC 7518.
 *
 * A key is of the kind that its algorithm wants, which keys.c has seen to.
 */
#include "auth/signature.h"

#include "auth/jwk.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define MAC_BYTES 32

/* of each of the two numbers that an ES256 signature is */
#define NUMBER_BYTES 32

/* Compare a message authentication code, in the same time whatever it is. */
static bool
is_mac(const struct key *key, const char *text, size_t len, const unsigned char *mac, size_t mac_len)
{
	unsigned char own[EVP_MAX_MD_SIZE];
	unsigned	own_len = 0;

	return mac_len == MAC_BYTES &&
		HMAC(EVP_sha256(), key->data, key->len, (const unsigned char *) text, len, own, &own_len) != NULL &&
		own_len == MAC_BYTES && CRYPTO_memcmp(own, mac, MAC_BYTES) == 0;
}

/* Encode the two numbers of an ES256 signature as OpenSSL wants them; to be freed with OPENSSL_free. */
static unsigned char *
encode_numbers(const unsigned char *numbers, size_t len, size_t *encoded_len)
{
	ECDSA_SIG  *signature = len == 2 * NUMBER_BYTES ? ECDSA_SIG_new() : NULL;
	BIGNUM	   *r = signature != NULL ? BN_bin2bn(numbers, NUMBER_BYTES, NULL) : NULL;
	BIGNUM	   *s = signature != NULL ? BN_bin2bn(numbers + NUMBER_BYTES, NUMBER_BYTES, NULL) : NULL;
	unsigned char *encoded = NULL;
	int			size = -1;

	if (r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1)
		size = i2d_ECDSA_SIG(signature, &encoded);
	else
	{
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(signature);
	*encoded_len = size > 0 ? (size_t) size : 0;
	return size > 0 ? encoded : NULL;
}

/* Verify a signature with a public key. */
static bool
verify(EVP_PKEY *public, const char *text, size_t len, const unsigned char *signature, size_t signature_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool		good = context != NULL &&
	EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public) == 1 &&
	EVP_DigestVerify(context, signature, signature_len, (const unsigned char *) text, len) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

/* Tell whether a public key made a signature. */
static bool
is_signed(const struct key *key, const char *text, size_t len, const unsigned char *signature, size_t signature_len)
{
	BIO		   *pem = BIO_new_mem_buf(key->data, key->len);
	EVP_PKEY   *public = pem != NULL ? PEM_read_bio_PUBKEY(pem, NULL, NULL, NULL) : NULL;
	unsigned char *encoded = NULL;
	bool		good = false;

	BIO_free(pem);
	if (public != NULL && key->algorithm == JWT_ALG_ES256)
	{
		encoded = encode_numbers(signature, signature_len, &signature_len);
		good = encoded != NULL && verify(public, text, len, encoded, signature_len);
	}
	else if (public != NULL)
		good = verify(public, text, len, signature, signature_len);
	OPENSSL_free(encoded);
	EVP_PKEY_free(public);
	return good;
}

/* Tell whether a key signed a token. */
bool
signature_is_good(const struct key *key, const char *token)
{
	const char *dot = strrchr(token, '.');
	size_t		len = dot != NULL ? (size_t) (dot - token) : 0;
	size_t		signature_len = 0;
	unsigned char *signature = dot != NULL ? jwk_decode(dot + 1, strlen(dot + 1), &signature_len) : NULL;
	bool		good = false;

	if (signature != NULL && key->algorithm == JWT_ALG_HS256)
		good = is_mac(key, token, len, signature, signature_len);
	else if (signature != NULL && (key->algorithm == JWT_ALG_RS256 || key->algorithm == JWT_ALG_ES256))
		good = is_signed(key, token, len, signature, signature_len);
	free(signature);
	return good;
}
