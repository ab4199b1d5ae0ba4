/*
 * lib/jwt.c
 *		Tokens for the relay: JWT, HS256.
 */
#include "lib/jwt.h"

#include "lib/common.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIFETIME_S 3600

/* Append base64url without padding. */
static void
append_base64url(char *out, const void *bytes, size_t size)
{
	char	   *at = out + strlen(out);

	EVP_EncodeBlock((unsigned char *) at, bytes, (int) size);
	for (; *at != '\0' && *at != '='; at++)
	{
		if (*at == '+')
			*at = '-';
		else if (*at == '/')
			*at = '_';
	}
	*at = '\0';
}

/* Read the key; its size without a line end. */
static size_t
read_key(const char *path, char *key, size_t capacity)
{
	FILE	   *file = fopen(path, "r");
	size_t		size;

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	size = fread(key, 1, capacity, file);
	fclose(file);
	while (size > 0 && (key[size - 1] == '\n' || key[size - 1] == '\r'))
		size--;
	return size;
}

char	   *
jwt_token(const char *key_file, const char *user)
{
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	char		key[4096];
	char		claims[512];
	unsigned char signature[EVP_MAX_MD_SIZE];
	unsigned int signature_size = 0;
	size_t		key_size = read_key(key_file, key, sizeof(key));
	long long	now = (long long) time(NULL);
	char	   *token = xcalloc(1, 2048);

	if (snprintf(claims, sizeof(claims), "{\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
				 user, now, now + LIFETIME_S) >= (int) sizeof(claims))
		die("user name too long");
	append_base64url(token, header, strlen(header));
	strcat(token, ".");
	append_base64url(token, claims, strlen(claims));
	HMAC(EVP_sha256(), key, (int) key_size, (unsigned char *) token, strlen(token),
		 signature, &signature_size);
	strcat(token, ".");
	append_base64url(token, signature, signature_size);
	return token;
}
