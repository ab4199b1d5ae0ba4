/*
 * presence/seal.c: texts that only those who hold the key can read, or make.
 *
 * PostgreSQL lets every role listen to a channel and notify on it, whatever it
 * may read in tables. So what relays tell each other there is encrypted and
 * authenticated, by AES-256-GCM under a key that the database gives to relays
 * alone. The sealed form is the base64 of nonce, ciphertext and tag.
 */
#include "presence/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Read a key written as hexadecimal digits. */
bool
seal_key_parse(const char *hex, size_t len, struct seal_key *key)
{
	if (len != 2 * SEAL_KEY_BYTES || strspn(hex, "0123456789abcdef") != len)
		return false;
	for (size_t i = 0; i < SEAL_KEY_BYTES; i++)
	{
		unsigned	value;

		sscanf(hex + 2 * i, "%2x", &value);
		key->bytes[i] = (unsigned char) value;
	}
	return true;
}

/* Encrypt behind the nonce that stands at the front, and put the tag behind that. */
static bool
encrypt(const struct seal_key *key, const char *text, size_t len, unsigned char *box)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *cipher = box + SEAL_NONCE_BYTES;
	int			n;
	bool		done = ctx != NULL &&
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, box) == 1 &&
	EVP_EncryptUpdate(ctx, cipher, &n, (const unsigned char *) text, (int) len) == 1 &&
	EVP_EncryptFinal_ex(ctx, cipher + n, &n) == 1 &&
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES, cipher + len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return done;
}

/* Decrypt what encrypt() made; false where another key did, or nobody. */
static bool
decrypt(const struct seal_key *key, unsigned char *box, size_t len, char *text)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *cipher = box + SEAL_NONCE_BYTES;
	int			n;
	bool		done = ctx != NULL &&
	EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, box) == 1 &&
	EVP_DecryptUpdate(ctx, (unsigned char *) text, &n, cipher, (int) len) == 1 &&
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES, cipher + len) == 1 &&
	EVP_DecryptFinal_ex(ctx, (unsigned char *) text + n, &n) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return done;
}

/* Seal a text; the buffer's content is replaced by it, with a NUL behind. */
bool
seal(const struct seal_key *key, const char *text, size_t len, struct buf *sealed)
{
	size_t		box_len = SEAL_NONCE_BYTES + len + SEAL_TAG_BYTES;
	unsigned char *box = mem_alloc(box_len);
	bool		done = RAND_bytes(box, SEAL_NONCE_BYTES) == 1 && encrypt(key, text, len, box);

	buf_clear(sealed);
	if (done)
	{
		buf_reserve(sealed, SEALED_LEN(len) + 1);
		sealed->len = (size_t) EVP_EncodeBlock((unsigned char *) sealed->data, box, (int) box_len);
	}
	free(box);
	return done;
}

/* Open a sealed text; false where it is none, or not of this key. */
bool
unseal(const struct seal_key *key, const char *sealed, size_t len, struct buf *text)
{
	unsigned char *box;
	int			box_len;
	bool		done = false;

	buf_clear(text);
	if (len % 4 != 0 || len < SEALED_LEN(0))
		return false;
	box = mem_alloc(len);
	box_len = EVP_DecodeBlock(box, (const unsigned char *) sealed, (int) len);
	/* it counts what only fills up the last group */
	for (size_t i = len; box_len > 0 && i > len - 2 && sealed[i - 1] == '='; i--)
		box_len--;
	if (box_len >= SEAL_NONCE_BYTES + SEAL_TAG_BYTES)
	{
		size_t		text_len = (size_t) box_len - SEAL_NONCE_BYTES - SEAL_TAG_BYTES;

		buf_reserve(text, text_len + 1);
		done = decrypt(key, box, text_len, text->data);
		text->len = done ? text_len : 0;
	}
	free(box);
	return done;
}
