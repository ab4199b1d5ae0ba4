/*
 * wire/deflate.c: messages compressed as permessage-deflate (RFC 7692) has them.
 *
 * What goes out is compressed without regard to the message before, which
 * anybody can read: so one state is enough for all clients, a message of a
 * room is compressed once for all who receive it, and an idle client costs
 * nothing. What comes in may lean on the client's message before, and wants
 * a state for each that sends such.
 */
#include "wire/deflate.h"

#include "base/bounds.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* raw deflate, with the largest window: a smaller one is refused at the handshake */
#define WINDOW_BITS (-15)
#define MEMORY_LEVEL 8

/* what inflating begins with, and then twice as much each time */
#define FIRST_BYTES 4096

struct deflater
{
	z_stream	z;
};

struct inflater
{
	z_stream	z;
};

/* a message ends with a flush, whose last bytes are not sent */
static const unsigned char tail[] = {0x00, 0x00, 0xff, 0xff};

/* ---- the handshake ---- */

/* Cut white space off both ends. */
static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t'))
		(*text)++, (*len)--;
	while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
		(*len)--;
}

/* Tell whether a parameter asks for nothing that we do not do anyway, or need not. */
static bool
accepts_parameter(const char *name, size_t len)
{
	static const char *const names[] = {"server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"};

	trim(&name, &len);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		size_t		known = strlen(names[i]);

		if (len >= known && memcmp(name, names[i], known) == 0 && (len == known || (i == 2 && name[known] == '=')))
			return true;
	}
	return false;
}

/* Tell whether the first offer is one that we take; libwebsockets looks at no other. */
bool
deflate_accepts(const char *offers)
{
	static const char extension[] = "permessage-deflate";
	size_t		offer_len = strcspn(offers, ",");
	size_t		len = strcspn(offers, ",;");
	const char *name = offers;
	const char *p = offers + len;

	trim(&name, &len);
	if (len != sizeof(extension) - 1 || memcmp(name, extension, len) != 0)
		return false;
	while (p < offers + offer_len)
	{
		len = strcspn(p + 1, ",;");
		if (!accepts_parameter(p + 1, len))
			return false;
		p += 1 + len;
	}
	return true;
}

/* ---- out ---- */

/* Make the compressor; NULL where there is no memory. */
struct deflater *
deflater_new(void)
{
	struct deflater *d = mem_zalloc(sizeof(struct deflater));

	if (deflateInit2(&d->z, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
		return d;
	free(d);
	return NULL;
}

void
deflater_free(struct deflater *d)
{
	if (d == NULL)
		return;
	deflateEnd(&d->z);
	free(d);
}

/* Compress a message; NULL where that does not make it shorter. */
struct frame *
deflate_frame(struct deflater *d, const struct frame *f)
{
	struct frame *out = frame_new(f->len);

	deflateReset(&d->z);
	d->z.next_in = (z_const Bytef *) f->text;
	d->z.avail_in = (uInt) f->len;
	d->z.next_out = out->text;
	d->z.avail_out = (uInt) out->cap;
	/* it ends with the tail, and had room to spare */
	if (deflate(&d->z, Z_SYNC_FLUSH) != Z_OK || d->z.avail_in > 0 || d->z.avail_out == 0)
	{
		frame_unref(out);
		return NULL;
	}
	out->len = out->cap - d->z.avail_out - sizeof(tail);
	return out;
}

/* ---- in ---- */

/* Get a client's state, or make it. */
static struct inflater *
state_of(struct inflater **state)
{
	if (*state != NULL)
		return *state;
	*state = mem_zalloc(sizeof(struct inflater));
	if (inflateInit2(&(*state)->z, WINDOW_BITS) == Z_OK)
		return *state;
	free(*state);
	*state = NULL;
	return NULL;
}

/* Inflate some bytes behind what is there. */
static enum inflate_result
inflate_bytes(z_stream *z, const unsigned char *data, size_t len, size_t limit, struct buf *out)
{
	int			status = Z_OK;

	z->next_in = (z_const Bytef *) data;
	z->avail_in = (uInt) len;
	do
	{
		if (out->len > limit)
			return INFLATE_TOO_BIG;
		buf_reserve(out, out->len > 0 ? out->len : FIRST_BYTES);
		z->next_out = (Bytef *) out->data + out->len;
		z->avail_out = (uInt) (out->cap - out->len);
		status = inflate(z, Z_SYNC_FLUSH);
		out->len = out->cap - z->avail_out;
		/* who ends the stream begins another */
		if (status == Z_STREAM_END)
			status = inflateReset(z);
	}
	while (status == Z_OK && (z->avail_in > 0 || z->avail_out == 0));
	if (status != Z_OK && status != Z_BUF_ERROR)
		return INFLATE_BAD;
	return out->len > limit ? INFLATE_TOO_BIG : INFLATE_DONE;
}

/* Inflate a message, of so many bytes at most. */
enum inflate_result
inflate_message(struct inflater **state, const char *data, size_t len, size_t limit, struct buf *out)
{
	struct inflater *inflater = state_of(state);
	enum inflate_result result;

	if (inflater == NULL)
		return INFLATE_BAD;
	result = inflate_bytes(&inflater->z, (const unsigned char *) data, len, limit, out);
	if (result == INFLATE_DONE)
		result = inflate_bytes(&inflater->z, tail, sizeof(tail), limit, out);
	return result;
}

void
inflater_free(struct inflater *state)
{
	if (state == NULL)
		return;
	inflateEnd(&state->z);
	free(state);
}
