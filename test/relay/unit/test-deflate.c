/*
 * test-deflate.c: messages compressed, and what comes compressed.
 */
#include "wire/deflate.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define LIMIT 100000

/* A client's compressor, whose messages lean on those before. */
static z_stream client;

/* Compress as a client does. */
static size_t
pack(const char *text, size_t len, int flush, char *out, size_t cap)
{
	client.next_in = (z_const Bytef *) text;
	client.avail_in = (uInt) len;
	client.next_out = (Bytef *) out;
	client.avail_out = (uInt) cap;
	deflate(&client, flush);
	CHECK(client.avail_in == 0 && client.avail_out > 0);
	return cap - client.avail_out - (flush == Z_SYNC_FLUSH ? 4 : 0);
}

static void
offers(void)
{
	static const char *const good[] = {
		"permessage-deflate", " permessage-deflate ", "permessage-deflate; client_max_window_bits",
		"permessage-deflate; client_max_window_bits=10; server_no_context_takeover;client_no_context_takeover",
		"permessage-deflate, permessage-deflate; server_max_window_bits=9",
	};
	static const char *const bad[] = {
		"", "x-webkit-deflate-frame", "permessage-deflated", "permessage-deflate; server_max_window_bits=10",
		"permessage-deflate; server_max_window_bits", "permessage-deflate; mode=2", "permessage-deflate;",
		"permessage-deflate; client_max_window_bitsy", "permessage-bzip2, permessage-deflate",
		"permessage-deflate; server_max_window_bits=9, permessage-deflate",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(deflate_accepts(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!deflate_accepts(bad[i]));
}

/* Every message stands by itself: a reader that keeps its window reads all, in any choice. */
static void
there_and_back(void)
{
	struct deflater *d = deflater_new();
	struct inflater *state = NULL;

	for (int i = 1; i <= 200; i++)
	{
		struct frame *f = frame_new(0);
		struct frame *packed;
		struct buf	out = {0};
		char		word[32];

		for (int n = 0; n < i * 10; n++)
			f = frame_append(f, word, (size_t) sprintf(word, "%d \xf0\x9f\x98\x80 ", n * i % 77));
		packed = deflate_frame(d, f);
		CHECK(packed != NULL && packed->len < f->len);
		if (packed != NULL && i % 3 != 0)
		{
			CHECK(inflate_message(&state, (char *) packed->text, packed->len, LIMIT, &out) == INFLATE_DONE);
			CHECK(out.len == f->len && memcmp(out.data, f->text, f->len) == 0);
		}
		buf_free(&out);
		frame_unref(packed);
		frame_unref(f);
	}
	inflater_free(state);
	deflater_free(d);
}

static void
nothing_to_gain(void)
{
	struct deflater *d = deflater_new();
	struct frame *f = frame_new(0);
	unsigned	seed = 1;

	CHECK(deflate_frame(d, f) == NULL);
	for (int i = 0; i < 5000; i++)
	{
		char		byte;

		seed = seed * 1103515245 + 12345;
		byte = (char) (seed >> 16);
		f = frame_append(f, &byte, 1);
	}
	CHECK(deflate_frame(d, f) == NULL);
	frame_unref(f);
	deflater_free(d);
}

static void
a_client_goes_on(void)
{
	struct inflater *state = NULL;
	char		packed[1000];
	struct buf	out = {0};

	memset(&client, 0, sizeof(client));
	deflateInit2(&client, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	for (int i = 0; i < 20; i++)
	{
		static const char text[] = "{\"type\":\"op\",\"op\":[\"na\xc3\xafve\"]}";
		size_t		len = pack(text, sizeof(text), Z_SYNC_FLUSH, packed, sizeof(packed));

		buf_clear(&out);
		CHECK(i == 0 || len < 12);
		CHECK(inflate_message(&state, packed, len, LIMIT, &out) == INFLATE_DONE);
		CHECK(out.len == sizeof(text) && memcmp(out.data, text, sizeof(text)) == 0);
	}
	deflateEnd(&client);
	inflater_free(state);
	buf_free(&out);
}

/* A hundred megabytes of nothing are not inflated beyond the limit, and a little more. */
static void
bombs(void)
{
	size_t		size = 100 * 1000 * 1000;
	char	   *zeros = calloc(1, size);
	char	   *packed = malloc(200000);
	struct inflater *state = NULL;
	struct buf	out = {0};
	size_t		len;

	memset(&client, 0, sizeof(client));
	deflateInit2(&client, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
	len = pack(zeros, size, Z_SYNC_FLUSH, packed, 200000);
	CHECK(inflate_message(&state, packed, len, LIMIT, &out) == INFLATE_TOO_BIG);
	CHECK(out.cap <= 4 * LIMIT);
	inflater_free(state);
	state = NULL;
	buf_free(&out);
	deflateReset(&client);
	len = pack(zeros, LIMIT, Z_SYNC_FLUSH, packed, 200000);
	CHECK(inflate_message(&state, packed, len, LIMIT, &out) == INFLATE_DONE && out.len == LIMIT);
	inflater_free(state);
	state = NULL;
	buf_free(&out);
	deflateReset(&client);
	len = pack(zeros, LIMIT + 1, Z_SYNC_FLUSH, packed, 200000);
	CHECK(inflate_message(&state, packed, len, LIMIT, &out) == INFLATE_TOO_BIG);
	inflater_free(state);
	buf_free(&out);
	deflateEnd(&client);
	free(packed);
	free(zeros);
}

/* Whatever comes ends, within its bounds. */
static void
rubbish(void)
{
	unsigned	seed = 7;

	for (int round = 0; round < 2000; round++)
	{
		struct inflater *state = NULL;
		struct buf	out = {0};
		char		bytes[64];
		size_t		len = (size_t) round % sizeof(bytes);

		for (size_t i = 0; i < len; i++)
		{
			seed = seed * 1103515245 + 12345;
			bytes[i] = (char) (seed >> 16);
		}
		inflate_message(&state, bytes, len, 1000, &out);
		CHECK(out.cap <= 16384);
		inflater_free(state);
		buf_free(&out);
	}
}

static void
bad_and_ended(void)
{
	struct inflater *state = NULL;
	struct buf	out = {0};
	char		packed[100];
	size_t		len;

	CHECK(inflate_message(&state, "\x07", 1, LIMIT, &out) == INFLATE_BAD);
	inflater_free(state);
	state = NULL;
	buf_clear(&out);
	/* who ends his stream may begin another */
	memset(&client, 0, sizeof(client));
	deflateInit2(&client, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	for (int i = 0; i < 3; i++)
	{
		len = pack("abc", 3, Z_FINISH, packed, sizeof(packed));
		packed[len++] = 0;
		buf_clear(&out);
		CHECK(inflate_message(&state, packed, len, LIMIT, &out) == INFLATE_DONE);
		CHECK(out.len == 3 && memcmp(out.data, "abc", 3) == 0);
		deflateReset(&client);
	}
	deflateEnd(&client);
	inflater_free(state);
	buf_free(&out);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"offers that are taken, and those that are not", offers},
		{"each message is compressed by itself", there_and_back},
		{"what would not get shorter is left", nothing_to_gain},
		{"a client's messages lean on those before", a_client_goes_on},
		{"a bomb is not inflated beyond the limit", bombs},
		{"rubbish ends within its bounds", rubbish},
		{"bad bytes, and streams that end", bad_and_ended},
	};

	return TAP_RUN(tests);
}
