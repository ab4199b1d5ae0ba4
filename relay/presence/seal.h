/*
 * presence/seal.h: texts that only those who hold the key can read, or make.
 */
#ifndef RELAY_SEAL_H
#define RELAY_SEAL_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

#define SEAL_KEY_BYTES 32
#define SEAL_NONCE_BYTES 12
#define SEAL_TAG_BYTES 16

/* how long the sealed form of so many bytes is */
#define SEALED_LEN(len) (((len) + SEAL_NONCE_BYTES + SEAL_TAG_BYTES + 2) / 3 * 4)

struct seal_key
{
	unsigned char bytes[SEAL_KEY_BYTES];
};

bool		seal_key_parse(const char *hex, size_t len, struct seal_key *key);
bool		seal(const struct seal_key *key, const char *text, size_t len, struct buf *sealed);
bool		unseal(const struct seal_key *key, const char *sealed, size_t len, struct buf *text);

#endif							/* RELAY_SEAL_H */
