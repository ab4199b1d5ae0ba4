/*
 * test-auth.c: tokens and keys: what is taken, and everything that is not.
 */
#include "auth/auth.h"
#include "base/bounds.h"
#include "auth/jwk.h"
#include "auth/keys.h"
#include "base/log.h"
#include "base/mem.h"
#include "tap.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW 1000000000
#define SECRET "a secret of the tests, long enough"
#define OTHER "another secret, which is long enough"

static struct config config;
static char *items[4];
static char problem[512];
static const char *wrong;
static struct identity who;

/* Write bytes as base64url. */
static void
encode(struct buf *out, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = data;

	for (size_t bit = 0; bit < len * 8; bit += 6)
	{
		unsigned	two = p[bit / 8] << 8 | (bit / 8 + 1 < len ? p[bit / 8 + 1] : 0);

		buf_put(out, &digits[two >> (10 - bit % 8) & 63], 1);
	}
}

/* Make a token by hand, signed with a secret; it lives until the next one. */
static const char *
token(const char *header, const char *claims, const char *secret)
{
	static struct buf b;
	unsigned char mac[32];
	unsigned	len = sizeof(mac);

	buf_clear(&b);
	encode(&b, header, strlen(header));
	buf_text(&b, ".");
	encode(&b, claims, strlen(claims));
	HMAC(EVP_sha256(), secret, (int) strlen(secret), (unsigned char *) b.data, b.len, mac, &len);
	buf_text(&b, ".");
	encode(&b, mac, len);
	buf_put(&b, "", 1);
	return b.data;
}

/* Write a file; it is removed when the next of its name is written, or at the end. */
static char *
file(const char *text)
{
	static char path[] = "/tmp/converge-test-auth-XXXXXX";
	FILE	   *f;

	unlink(path);
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	f = fdopen(mkstemp(path), "w");
	fputs(text, f);
	fclose(f);
	return path;
}

/* Begin with a configuration of keys. */
static void
configure(const char *alg, const char *key, const char *jwks)
{
	memset(&config, 0, sizeof(config));
	config.jwt_alg = (char *) alg;
	config.jwt_keys = (struct config_list)
	{
		items, key != NULL
	};
	items[0] = (char *) key;
	config.jwks = (char *) (jwks != NULL ? jwks : "");
	config.jwt_audience = config.jwt_issuer = (char *) "";
	*problem = '\0';
}

/* Tell whether a token is taken; forgets who it was. */
static bool
taken(const struct auth *auth, const char *text)
{
	bool		good = auth_check(auth, text, NOW, &who, &wrong);

	free(who.user);
	return good;
}

#define HS "{\"alg\":\"HS256\"}"
#define SUB "{\"sub\":\"zo\xc3\xab\"}"

static struct auth *
with_secret(void)
{
	configure("HS256", file(SECRET "\n"), NULL);
	return auth_new(&config, problem, sizeof(problem));
}

static void
good_tokens(void)
{
	struct auth *auth = with_secret();

	CHECK(auth_check(auth, token(HS, "{\"sub\":\"zo\xc3\xab\",\"exp\":1000000100.5}", SECRET), NOW, &who, &wrong));
	CHECK(strcmp(who.user, "zo\xc3\xab") == 0 && who.expires == NOW + 100);
	free(who.user);
	CHECK(taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"any\",\"typ\":\"JWT\"}", SUB, SECRET)));
	CHECK(who.expires == 0);
	auth_free(auth);
}

static void
types_of_tokens(void)
{
	static const char *const good[] = {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt", "application/jwt"};
	static const char *const bad[] = {"\"JWS\"", "\"\"", "\"at+jwt \"", "\"at jwt\"", "\"secevent+jwt\"", "\"dpop+jwt\"", "\"application/\"", "7", "null", "[\"JWT\"]"};
	struct auth *auth = with_secret();
	char		header[128];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"typ\":\"%s\"}", good[i]);
		CHECK(taken(auth, token(header, SUB, SECRET)));
		CHECK(!taken(auth, token(header, SUB, OTHER)));
		CHECK(strstr(wrong, "signature") != NULL);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"typ\":%s}", bad[i]);
		CHECK(!taken(auth, token(header, SUB, SECRET)));
		CHECK(strstr(wrong, "typ is JWT or at+jwt") != NULL);
	}
	auth_free(auth);
}

static void
forged_tokens(void)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"HS384\"}", "{\"alg\":\"RS256\"}", "{\"alg\":\"ES256\"}",
		"{\"alg\":\"\"}", "{\"alg\":1}", "{\"alg\":null}", "{}", "[]", "\"HS256\"", "", "{\"alg\":\"HS256\",\"alg\":\"none\"}",
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{\"alg\":\"HS256\",\"kid\":1}", "{\"alg\":\"HS256\"} x",
		"{\"alg\":\"HS256\\u0000\"}",
	};
	static const char *const texts[] = {
		"", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9..",
		"eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJIUzI1NiJ9=.e30.x", " eyJhbGciOiJIUzI1NiJ9.e30.x", "\xff.\xff.\xff",
	};
	struct auth *auth = with_secret();
	char	   *cut;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		CHECK(!taken(auth, token(headers[i], SUB, SECRET)));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(!taken(auth, texts[i]));
	CHECK(!taken(auth, token(HS, SUB, OTHER)));
	cut = mem_string(token(HS, SUB, SECRET), strlen(token(HS, SUB, SECRET)));
	CHECK(taken(auth, cut));
	for (size_t len = strlen(cut) - 1; len > 0; len--)
	{
		cut[len] = '\0';
		CHECK(!taken(auth, cut));
	}
	free(cut);
	cut = mem_alloc(1000);
	snprintf(cut, 1000, "%s.", token(HS, SUB, SECRET));
	CHECK(!taken(auth, cut));
	snprintf(cut, 1000, "%s=", token(HS, SUB, SECRET));
	CHECK(!taken(auth, cut));
	free(cut);
	auth_free(auth);
}

static void
long_tokens(void)
{
	struct auth *auth = with_secret();
	char	   *text = mem_zalloc(1 << 20);

	memset(text, 'e', (1 << 20) - 1);
	CHECK(!taken(auth, text) && strstr(wrong, "long") != NULL);
	memset(text, '.', (1 << 20) - 1);
	CHECK(!taken(auth, text));
	text[LIMIT_TOKEN_BYTES] = '\0';
	CHECK(!taken(auth, text) && strstr(wrong, "long") == NULL);
	free(text);
	auth_free(auth);
}

static void
claims(void)
{
	static const struct
	{
		const char *claims;
		const char *wrong;		/* NULL: taken */
	}			cases[] =

	{
		{"{\"sub\":\"ann\",\"exp\":1000000000}", NULL}, /* within the skew */
		{"{\"sub\":\"ann\",\"exp\":999999990}", "expired"},
		{"{\"sub\":\"ann\",\"exp\":-1}", "expired"},
		{"{\"sub\":\"ann\",\"exp\":null}", "no number"},
		{"{\"sub\":\"ann\",\"exp\":\"2000000000\"}", "no number"},
		{"{\"sub\":\"ann\",\"exp\":1e300}", "no number"},
		{"{\"sub\":\"ann\",\"exp\":9223372036854775807}", "no number"},
		{"{\"sub\":\"ann\",\"nbf\":1000000010}", NULL},
		{"{\"sub\":\"ann\",\"nbf\":1000000011}", "not valid yet"},
		{"{\"sub\":\"ann\",\"iat\":1000000010}", NULL},
		{"{\"sub\":\"ann\",\"iat\":1000000011}", "future"},
		{"{\"sub\":\"ann\",\"iat\":true}", "no number"},
		{"{\"sub\":\"\"}", "no user"},
		{"{\"sub\":\"*\"}", "no user"},
		{"{\"sub\":7}", "no user"},
		{"{}", "no user"},
		{"[]", ""},
		{"{\"sub\":\"a\\u0000b\"}", ""},
	};
	struct auth *auth = with_secret();

	config.jwt_skew_s = 10;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		bool		good = taken(auth, token(HS, cases[i].claims, SECRET));

		CHECK(good == (cases[i].wrong == NULL));
		CHECK(good || strstr(wrong, cases[i].wrong) != NULL);
		if (tap_wrong > 0)
			printf("# in case %zu: %s\n", i, wrong);
	}
	auth_free(auth);
}

static void
audiences(void)
{
	struct auth *auth = with_secret();

	config.jwt_audience = (char *) "docs";
	CHECK(!taken(auth, token(HS, SUB, SECRET)) && strstr(wrong, "audience") != NULL);
	CHECK(!taken(auth, token(HS, "{\"sub\":\"ann\",\"aud\":\"doc\"}", SECRET)));
	CHECK(!taken(auth, token(HS, "{\"sub\":\"ann\",\"aud\":{\"docs\":1}}", SECRET)));
	CHECK(!taken(auth, token(HS, "{\"sub\":\"ann\",\"aud\":[7,[\"docs\"]]}", SECRET)));
	CHECK(taken(auth, token(HS, "{\"sub\":\"ann\",\"aud\":\"docs\"}", SECRET)));
	CHECK(taken(auth, token(HS, "{\"sub\":\"ann\",\"aud\":[1,\"x\",\"docs\"]}", SECRET)));
	config.jwt_audience = (char *) "";
	config.jwt_issuer = (char *) "https://id.example";
	CHECK(!taken(auth, token(HS, SUB, SECRET)) && strstr(wrong, "issuer") != NULL);
	CHECK(!taken(auth, token(HS, "{\"sub\":\"ann\",\"iss\":[\"https://id.example\"]}", SECRET)));
	CHECK(taken(auth, token(HS, "{\"sub\":\"ann\",\"iss\":\"https://id.example\"}", SECRET)));
	auth_free(auth);
}

#define JWKS "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"one\",\"k\":\"%s\"},{\"kty\":\"oct\",\"kid\":\"two\",\"k\":\"%s\",\"alg\":\"HS256\"}]}"

/* Make a file of two secrets. */
static char *
two_secrets(const char *one, const char *two)
{
	struct buf	a = {0};
	struct buf	b = {0};
	char		text[1024];

	encode(&a, one, strlen(one));
	encode(&b, two, strlen(two));
	buf_put(&a, "", 1);
	buf_put(&b, "", 1);
	snprintf(text, sizeof(text), JWKS, a.data, b.data);
	buf_free(&a);
	buf_free(&b);
	return file(text);
}

static void
keys_by_name(void)
{
	struct auth *auth;

	configure("RS256", NULL, two_secrets(SECRET, OTHER));
	auth = auth_new(&config, problem, sizeof(problem));
	CHECK(auth != NULL);
	if (auth == NULL)
		return;
	CHECK(taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"one\"}", SUB, SECRET)));
	CHECK(taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"two\"}", SUB, OTHER)));
	CHECK(taken(auth, token(HS, SUB, SECRET)) && taken(auth, token(HS, SUB, OTHER)));
	CHECK(!taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"two\"}", SUB, SECRET)));
	CHECK(!taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"six\"}", SUB, SECRET)) && strstr(wrong, "not known") != NULL);
	CHECK(!taken(auth, token("{\"alg\":\"RS256\",\"kid\":\"one\"}", SUB, SECRET)) && strstr(wrong, "not known") != NULL);
	config.jwks = two_secrets(OTHER, OTHER);
	CHECK(auth_reload(auth, problem, sizeof(problem)));
	CHECK(!taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"one\"}", SUB, SECRET)));
	CHECK(taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"one\"}", SUB, OTHER)));
	config.jwks = (char *) "/no/such/file";
	CHECK(!auth_reload(auth, problem, sizeof(problem)) && strstr(problem, "jwks") != NULL);
	CHECK(taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"one\"}", SUB, OTHER)));
	auth_free(auth);
}

/* Get a new key's public half in PEM; it lives until the next one. */
static const char *
public_pem(EVP_PKEY *key)
{
	static char text[4096];
	BIO		   *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PUBKEY(bio, key);
	text[BIO_read(bio, text, sizeof(text) - 1)] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(key);
	return text;
}

/* Tell what is wrong with a key file, or "". */
static const char *
refusal(const char *alg, const char *text)
{
	struct auth *auth;

	configure(alg, file(text), NULL);
	auth = auth_new(&config, problem, sizeof(problem));
	auth_free(auth);
	return auth != NULL ? "" : problem;
}

static void
bad_key_files(void)
{
	const char *rsa = public_pem(EVP_RSA_gen(2048));
	char		named[64];

	CHECK(strcmp(refusal("RS256", rsa), "") == 0);
	CHECK(strstr(refusal("HS256", rsa), "PEM") != NULL);
	CHECK(strstr(refusal("ES256", rsa), "public key") != NULL);
	CHECK(strstr(refusal("RS256", public_pem(EVP_RSA_gen(1024))), "2048") != NULL);
	CHECK(strcmp(refusal("ES256", public_pem(EVP_EC_gen("P-256"))), "") == 0);
	CHECK(strstr(refusal("ES256", public_pem(EVP_EC_gen("P-384"))), "P-256") != NULL);
	CHECK(strstr(refusal("RS256", SECRET), "public key") != NULL);
	CHECK(strstr(refusal("HS256", "short"), "16 bytes") != NULL);
	CHECK(strstr(refusal("HS256", ""), "16 bytes") != NULL);
	CHECK(strstr(refusal("none", SECRET), "jwt-alg") != NULL);
	CHECK(strstr(refusal("HS512", SECRET), "jwt-alg") != NULL);
	snprintf(named, sizeof(named), "me=%s", file(SECRET));
	configure("HS256", named, NULL);
	struct auth *auth = auth_new(&config, problem, sizeof(problem));

	CHECK(auth != NULL && taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"me\"}", SUB, SECRET)));
	CHECK(auth != NULL && !taken(auth, token("{\"alg\":\"HS256\",\"kid\":\"you\"}", SUB, SECRET)));
	auth_free(auth);
}

static void
bad_key_sets(void)
{
	static const char *const texts[] = {
		"", "{", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[7,null,[],\"x\"]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"YSBzZWNyZXQgb2YgdGhlIHRlc3Rz====\"}]}",
		"{\"keys\":[{\"kty\":\"oct\",\"use\":\"enc\",\"k\":\"YSBzZWNyZXQgb2YgdGhlIHRlc3Rz\"}]}",
		"{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS512\",\"k\":\"YSBzZWNyZXQgb2YgdGhlIHRlc3Rz\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"\"}]}", "{\"keys\":[{\"kty\":\"RSA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		struct auth *auth;

		configure("HS256", NULL, file(texts[i]));
		auth = auth_new(&config, problem, sizeof(problem));
		CHECK(auth == NULL && strstr(problem, "jwks") != NULL);
		auth_free(auth);
	}
}

static void
base64url(void)
{
	static const char *const bad[] = {"a", "aaaaa", "ab", "aab=", "a b=", "a+b/", "\xc3\xa9", "AB", "AAB"};
	size_t		len;
	unsigned char *data = jwk_decode("4pyTIMOgIGxhIG1vZGU_-_8", 23, &len);

	CHECK(data != NULL && len == 17 && memcmp(data, "\xe2\x9c\x93 \xc3\xa0 la mode?\xfb\xff", len) == 0);
	free(data);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		data = jwk_decode(bad[i], strlen(bad[i]), &len);
		CHECK(data == NULL);
		free(data);
	}
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a good token names its user and its end", good_tokens},
		{"an access token may say that it is one", types_of_tokens},
		{"a forged, cut or malformed token is refused", forged_tokens},
		{"a long token is refused before it is looked into", long_tokens},
		{"times, each clock a little off, and the user", claims},
		{"audience and issuer", audiences},
		{"a key has a name, and is read again", keys_by_name},
		{"a key file that is no key of its algorithm", bad_key_files},
		{"a key set without a key that can be used", bad_key_sets},
		{"base64url", base64url},
	};
	int			result;

	log_set_level(RELAY_ERROR);
	result = TAP_RUN(tests);
	unlink(file(""));
	return result;
}
