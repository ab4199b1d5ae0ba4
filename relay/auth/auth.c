/*
 * auth/auth.c: who a client is, by its token: a JWT signed with one of our keys.
 *
 * A token is bounded before it is looked into. What its header says chooses
 * among the keys, and only among those that are good for exactly the
 * algorithm it names: a public key is never tried as a secret, and `none` is
 * no algorithm. The user id is the claim `sub`; '*' means everybody in the
 * tables and so is nobody here.
 */
#include "auth/auth.h"

#include "base/bounds.h"
#include "auth/jwk.h"
#include "auth/keys.h"
#include "base/mem.h"
#include "auth/signature.h"

#include <jansson.h>
#include <jwt.h>
#include <stdlib.h>
#include <string.h>

/* beyond this, a time is none */
#define TIME_MOST 1e15

struct auth
{
	const struct config *config;
	struct key_set keys;
};

/* Get ready to check tokens; NULL with the problem where that is impossible. */
struct auth *
auth_new(const struct config *config, char *problem, size_t problem_size)
{
	struct auth *auth = mem_zalloc(sizeof(struct auth));

	auth->config = config;
	if (keys_load(&auth->keys, config, problem, problem_size))
		return auth;
	free(auth);
	return NULL;
}

/* Read the keys anew. */
bool
auth_reload(struct auth *auth, char *problem, size_t problem_size)
{
	struct key_set fresh;

	if (!keys_load(&fresh, auth->config, problem, problem_size))
		return false;
	keys_free(&auth->keys);
	auth->keys = fresh;
	return true;
}

/* Forget the keys. */
void
auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	keys_free(&auth->keys);
	free(auth);
}

/* ---- the header ---- */

/* Tell whether a token is three parts of base64url; libjwt overlooks what else there is. */
static bool
is_compact(const char *token)
{
	for (int i = 0; i < 3; i++)
	{
		size_t		text_len = strcspn(token, ".");
		size_t		len;
		unsigned char *part = jwk_decode(token, text_len, &len);
		bool		good = part != NULL;

		free(part);
		if (!good || token[text_len] != (i < 2 ? '.' : '\0'))
			return false;
		token += text_len + (i < 2 ? 1 : 0);
	}
	return true;
}

/* Read the header of a token that is one. */
static json_t *
read_header(const char *token)
{
	size_t		len;
	unsigned char *text = is_compact(token) ? jwk_decode(token, strcspn(token, "."), &len) : NULL;
	json_t	   *header = text != NULL ? json_loadb((char *) text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;

	free(text);
	return header;
}

/* Tell whether a key may have signed a token with this header. */
static bool
may_have_signed(const struct key *key, jwt_alg_t algorithm, const char *kid)
{
	return key->algorithm == algorithm && (kid == NULL || key->kid == NULL || strcmp(key->kid, kid) == 0);
}

/* Tell whether a token is of a type that is taken: an access token may say that it is one (RFC 9068). */
static bool
is_type(const json_t *typ)
{
	static const char *const types[] = {"JWT", "at+jwt", "application/jwt", "application/at+jwt"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (typ == NULL || (json_is_string(typ) && strcasecmp(json_string_value(typ), types[i]) == 0))
			return true;
	}
	return false;
}

/* Read the claims of a token whose signature was found good; NULL where they are none. */
static json_t *
read_claims(const char *token)
{
	const char *part = token + strcspn(token, ".") + 1;
	size_t		len;
	unsigned char *text = jwk_decode(part, strcspn(part, "."), &len);
	json_t	   *claims = text != NULL ? json_loadb((char *) text, len, 0, NULL) : NULL;

	free(text);
	return claims;
}

/* Check the signature with the keys that the header leaves; gives the claims, NULL where none fits. */
static json_t *
verify(const struct auth *auth, const char *token, const json_t *header, const char **problem)
{
	const char *name = json_string_value(json_object_get(header, "alg"));
	const json_t *kid = json_object_get(header, "kid");
	jwt_alg_t	algorithm;
	json_t	   *claims = NULL;

	*problem = "the token is malformed";
	if (name == NULL || (kid != NULL && !json_is_string(kid)) || json_object_get(header, "crit") != NULL)
		return NULL;
	*problem = "the token's type is not taken here: typ is JWT or at+jwt, where it is given";
	if (!is_type(json_object_get(header, "typ")))
		return NULL;
	*problem = "the token is signed with an algorithm that is not taken here";
	if (!keys_algorithm(name, &algorithm))
		return NULL;
	*problem = "the token is signed with a key that is not known here";
	for (int i = 0; claims == NULL && i < auth->keys.count; i++)
	{
		const struct key *key = &auth->keys.keys[i];

		if (!may_have_signed(key, algorithm, json_string_value(kid)))
			continue;
		*problem = "the token is malformed or its signature is wrong";
		if (signature_is_good(key, token))
			claims = read_claims(token);
	}
	return claims;
}

/* ---- the claims ---- */

/* Read a claim that is a time; false where it is there and no number. */
static bool
time_claim(const json_t *claims, const char *name, bool *there, int64_t *value)
{
	const json_t *claim = json_object_get(claims, name);
	double		number = json_number_value(claim);

	*there = claim != NULL;
	*value = 0;
	if (claim == NULL)
		return true;
	if (!json_is_number(claim) || number < -TIME_MOST || number > TIME_MOST)
		return false;
	*value = (int64_t) number;
	return true;
}

/* Check the times of a token, each clock a little off. */
static bool
check_times(const struct auth *auth, const json_t *claims, int64_t now, int64_t *expires, const char **problem)
{
	int64_t		skew = auth->config->jwt_skew_s;
	bool		has_exp,
				has_nbf,
				has_iat;
	int64_t		exp,
				nbf,
				iat;

	*problem = NULL;
	if (!time_claim(claims, "exp", &has_exp, &exp) || !time_claim(claims, "nbf", &has_nbf, &nbf) ||
		!time_claim(claims, "iat", &has_iat, &iat))
		*problem = "the token has a time that is no number";
	else if (has_exp && exp + skew <= now)
		*problem = "the token has expired";
	else if (has_nbf && nbf - skew > now)
		*problem = "the token is not valid yet";
	else if (has_iat && iat - skew > now)
		*problem = "the token was issued in the future";
	*expires = has_exp ? exp + skew : 0;
	return *problem == NULL;
}

/* Tell whether a claim is this text, or a list that holds it. */
static bool
claim_holds(const json_t *claim, const char *text)
{
	json_t	   *item;
	size_t		i;

	if (json_is_string(claim))
		return strcmp(json_string_value(claim), text) == 0;
	json_array_foreach((json_t *) claim, i, item)
	{
		if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
			return true;
	}
	return false;
}

/* Check whose token it is, for whom, and by whom. */
static bool
check_names(const struct auth *auth, const json_t *claims, const char **user, const char **problem)
{
	const char *issuer = json_string_value(json_object_get(claims, "iss"));

	*user = json_string_value(json_object_get(claims, "sub"));
	*problem = NULL;
	if (*user == NULL || **user == '\0' || strcmp(*user, "*") == 0 || strlen(*user) >= LIMIT_USER_BYTES)
		*problem = "the token names no user";
	else if (*auth->config->jwt_audience != '\0' && !claim_holds(json_object_get(claims, "aud"), auth->config->jwt_audience))
		*problem = "the token is for another audience";
	else if (*auth->config->jwt_issuer != '\0' && (issuer == NULL || strcmp(issuer, auth->config->jwt_issuer) != 0))
		*problem = "the token is by another issuer";
	return *problem == NULL;
}

/* Check what a token with a good signature claims. */
static bool
check_claims(const struct auth *auth, const json_t *claims, time_t now, struct identity *identity, const char **problem)
{
	const char *user;

	if (!check_times(auth, claims, (int64_t) now, &identity->expires, problem) ||
		!check_names(auth, claims, &user, problem))
		return false;
	identity->user = mem_string(user, strlen(user));
	return true;
}

/* Check a token. */
bool
auth_check(const struct auth *auth, const char *token, time_t now, struct identity *identity, const char **problem)
{
	json_t	   *header;
	json_t	   *claims;
	bool		good;

	memset(identity, 0, sizeof(*identity));
	*problem = "the token is too long";
	if (strlen(token) > LIMIT_TOKEN_BYTES)
		return false;
	header = read_header(token);
	claims = verify(auth, token, header, problem);
	json_decref(header);
	if (claims == NULL)
		return false;
	good = check_claims(auth, claims, now, identity, problem);
	json_decref(claims);
	return good;
}

/* ---- tokens of our own ---- */

/* Add what a token says; false where libjwt cannot. */
static bool
add_claims(const struct auth *auth, jwt_t *jwt, const char *user, int64_t now, int64_t expires)
{
	const struct config *config = auth->config;
	bool		good = jwt_add_grant(jwt, "sub", user) == 0 && jwt_add_grant_int(jwt, "iat", now) == 0 &&
	jwt_add_grant_int(jwt, "exp", expires) == 0;

	if (good && *config->jwt_audience != '\0')
		good = jwt_add_grant(jwt, "aud", config->jwt_audience) == 0;
	if (good && *config->jwt_issuer != '\0')
		good = jwt_add_grant(jwt, "iss", config->jwt_issuer) == 0;
	return good;
}

/* Make a token that this relay, and others with its keys, will take. */
char	   *
auth_issue(const struct auth *auth, const char *user, time_t now, int64_t *expires)
{
	const struct key *key = auth->keys.count > 0 ? &auth->keys.keys[0] : NULL;
	char	   *text = NULL;
	char	   *copy = NULL;
	jwt_t	   *jwt;

	*expires = (int64_t) now + auth->config->token_lifetime_s;
	if (key == NULL || auth->config->jwt_keys.count == 0 || key->algorithm != JWT_ALG_HS256 || jwt_new(&jwt) != 0)
		return NULL;
	if (add_claims(auth, jwt, user, (int64_t) now, *expires) && jwt_set_alg(jwt, key->algorithm, key->data, key->len) == 0 &&
		(key->kid == NULL || jwt_add_header(jwt, "kid", key->kid) == 0))
		text = jwt_encode_str(jwt);
	if (text != NULL)
		copy = mem_string(text, strlen(text));
	free(text);
	jwt_free(jwt);
	return copy;
}
