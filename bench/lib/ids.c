/*
 * lib/ids.c
 *		Operation ids that count up, and such that do not.
 */
#include "lib/ids.h"

#include "lib/common.h"

#include <openssl/rand.h>
#include <stdlib.h>

void
ids_start(IdSession *session)
{
	if (RAND_bytes(session->random, sizeof(session->random)) != 1)
		die("no random bytes");
	session->random[6] = (uint8_t) (0x80 | (session->random[6] & 0x0f));
	session->random[8] = (uint8_t) (0x80 | (session->random[8] & 0x3f));
}

void
ids_binary(const IdSession *session, uint64_t number, uint8_t out[16])
{
	for (int i = 0; i < 10; i++)
		out[i] = session->random[i];
	for (int i = 0; i < 6; i++)
		out[10 + i] = (uint8_t) (number >> (40 - 8 * i));
}

/* Write the text form. */
static void
format(const uint8_t bytes[16], char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	*out = '\0';
}

void
ids_format(const IdSession *session, uint64_t number, char *out)
{
	uint8_t		bytes[16];

	ids_binary(session, number, bytes);
	format(bytes, out);
}

void
ids_random(char *out)
{
	uint8_t		bytes[16];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		die("no random bytes");
	bytes[6] = (uint8_t) (0x40 | (bytes[6] & 0x0f));
	bytes[8] = (uint8_t) (0x80 | (bytes[8] & 0x3f));
	format(bytes, out);
}

uint64_t
ids_number(const char *id)
{
	return strtoull(id + 24, NULL, 16);
}
