/*
 * auth/keys.c: the keys that tokens are checked with: files of one key each, and a
 * JWKS file of many.
 *
 * Each key is good for exactly one algorithm, which it has from the
 * configuration or from what it is, never from a token; so no public key can
 * be taken for a shared secret. A key is looked at once, here: what is no key
 * of its algorithm is refused before any token comes.
 */
#include "auth/keys.h"

#include "base/bounds.h"
#include "auth/jwk.h"
#include "base/log.h"
#include "base/mem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pem_open[] = "-----BEGIN ";

static const struct
{
	const char *name;
	jwt_alg_t	algorithm;
}			algorithms[] =

{
	{"HS256", JWT_ALG_HS256},
	{"RS256", JWT_ALG_RS256},
	{"ES256", JWT_ALG_ES256},
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

/* Look an algorithm up by its name; there are no others. */
bool
keys_algorithm(const char *name, jwt_alg_t *algorithm)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++)
	{
		if (strcmp(algorithms[i].name, name) == 0)
		{
			*algorithm = algorithms[i].algorithm;
			return true;
		}
	}
	return false;
}

/* Read a whole file, which must not be longer than a key file may be. */
static char *
read_file(const char *path, size_t *len)
{
	FILE	   *file = fopen(path, "rb");
	char	   *text;

	if (file == NULL)
		return NULL;
	text = mem_zalloc(LIMIT_KEY_FILE_BYTES + 2);
	*len = fread(text, 1, LIMIT_KEY_FILE_BYTES + 1, file);
	if (ferror(file) || *len > LIMIT_KEY_FILE_BYTES)
	{
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/* Tell whether a PEM text is a public key that the algorithm can use. */
static bool
is_public_key(const char *text, size_t len, jwt_alg_t algorithm)
{
	BIO		   *bio = BIO_new_mem_buf(text, (int) len);
	EVP_PKEY   *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	bool		good = key != NULL && jwk_suits(key, algorithm);

	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

/* Say what is wrong with a key for an algorithm, or NULL. */
static const char *
key_problem(const char *text, size_t len, jwt_alg_t algorithm)
{
	if (algorithm != JWT_ALG_HS256)
		return is_public_key(text, len, algorithm) ? NULL :
			"not a public key in PEM for this algorithm (RSA of 2048 bits or more, or EC on P-256)";
	if (len < LIMIT_SECRET_BYTES_LEAST)
		return "the secret has less than 16 bytes";
	return strncmp(text, pem_open, sizeof(pem_open) - 1) == 0 ? "a PEM file is no secret" : NULL;
}

/* Add a key, which the set owns from now on. */
static void
add_key(struct key_set *set, const char *kid, size_t kid_len, jwt_alg_t algorithm, char *data, size_t len)
{
	struct key *key;

	set->keys = mem_grow(set->keys, (size_t) (set->count + 1) * sizeof(struct key));
	key = &set->keys[set->count++];
	*key = (struct key)
	{
		.kid = kid != NULL ? mem_string(kid, kid_len) : NULL,.algorithm = algorithm,
			.data = (unsigned char *) data,.len = (int) len,
	};
}

/* Cut the newline off that editors leave at a file's end; it is no part of a secret. */
static size_t
without_newline(const char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	return len;
}

/* Load a key from "FILE" or "KID=FILE". */
static bool
load_file(struct key_set *set, const char *item, jwt_alg_t algorithm, char *problem, size_t size)
{
	size_t		kid_len = strcspn(item, "=/");
	bool		named = item[kid_len] == '=' && kid_len > 0;
	const char *path = named ? item + kid_len + 1 : item;
	size_t		len = 0;
	char	   *text = read_file(path, &len);
	const char *wrong = "the file cannot be read";

	if (text != NULL)
	{
		if (algorithm == JWT_ALG_HS256)
			len = without_newline(text, len);
		text[len] = '\0';
		wrong = key_problem(text, len, algorithm);
	}
	if (wrong == NULL)
		add_key(set, named ? item : NULL, kid_len, algorithm, text, len);
	else
	{
		snprintf(problem, size, "jwt-key: %.200s: %s", path, wrong);
		free(text);
	}
	return wrong == NULL;
}

/* Load what can be used of a JWKS file. */
static bool
load_jwks(struct key_set *set, const char *path, char *problem, size_t size)
{
	size_t		len = 0;
	char	   *text = read_file(path, &len);
	json_t	   *root = text != NULL ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t	   *jwk;
	size_t		i;
	int			before = set->count;

	json_array_foreach(json_object_get(root, "keys"), i, jwk)
	{
		const char *kid = json_string_value(json_object_get(jwk, "kid"));
		jwt_alg_t	algorithm;
		char	   *data = jwk_read(jwk, &algorithm, &len);

		if (data != NULL && set->count < LIMIT_KEYS)
			add_key(set, kid, kid != NULL ? strlen(kid) : 0, algorithm, data, len);
		else
		{
			log_event(RELAY_WARN, "auth", "jwks: key %.80s is of no use here", kid != NULL ? kid : "without a kid");
			free(data);
		}
	}
	json_decref(root);
	free(text);
	if (set->count > before)
		return true;
	snprintf(problem, size, "jwks: %.200s: %s", path, text == NULL ? "the file cannot be read" : "no key that can be used");
	return false;
}

/* Load every key that is configured. */
bool
keys_load(struct key_set *set, const struct config *config, char *problem, size_t problem_size)
{
	jwt_alg_t	algorithm;
	bool		good = keys_algorithm(config->jwt_alg, &algorithm);

	memset(set, 0, sizeof(*set));
	if (!good)
		snprintf(problem, problem_size, "jwt-alg: none of HS256, RS256, ES256");
	for (int i = 0; good && i < config->jwt_keys.count; i++)
		good = load_file(set, config->jwt_keys.items[i], algorithm, problem, problem_size);
	if (good && *config->jwks != '\0')
		good = load_jwks(set, config->jwks, problem, problem_size);
	if (!good)
		keys_free(set);
	return good;
}

/* Forget the keys. */
void
keys_free(struct key_set *set)
{
	for (int i = 0; i < set->count; i++)
	{
		explicit_bzero(set->keys[i].data, (size_t) set->keys[i].len);
		free(set->keys[i].data);
		free(set->keys[i].kid);
	}
	free(set->keys);
	memset(set, 0, sizeof(*set));
}
