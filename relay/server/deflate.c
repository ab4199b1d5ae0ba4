/*
 * server/deflate.c: permessage-deflate on libwebsockets.
 *
 * The implementation of libwebsockets cannot be used: it keeps a pointer into a
 * message that it has not compressed completely, without reporting it, and treats
 * the next write (even a ping) as a continuation. This extension passes every
 * byte through and only sets the bit that marks a message as compressed; messages
 * are compressed before they are written, and inflated when they are complete.
 */
#include "server/state.h"

#include "base/bounds.h"
#include "wire/deflate.h"

#define OFFERS_BYTES 512
#define RSV1 0x40

/* Bytes pass as they are; what the connection's server writes now may be marked. */
static int
on_extension(struct lws_context *context, const struct lws_extension *extension, struct lws *wsi,
			 enum lws_extension_callback_reasons reason, void *user, void *in, size_t len)
{
	/*
	 * told to a client who asks for them: the first is so anyway, the second
	 * does not hurt
	 */
	static const struct lws_ext_options options[] = {
		{"server_no_context_takeover", EXTARG_NONE}, {"client_no_context_takeover", EXTARG_NONE}, {NULL, EXTARG_NONE}
	};
	const struct server *server = lws_context_user(context);
	struct lws_tokens *written = in;

	(void) extension;
	(void) wsi;
	(void) user;
	(void) len;
	if (reason == LWS_EXT_CB_CONSTRUCT)
		*(const struct lws_ext_options **) in = options;
	else if (reason == LWS_EXT_CB_PACKET_TX_PRESEND && written->token != NULL && server->compressed)
		*written->token |= RSV1;
	return 0;
}

/* Get what libwebsockets is to know of. */
const struct lws_extension *
server_extensions(void)
{
	static const struct lws_extension extensions[] = {
		{"permessage-deflate", on_extension, NULL}, {NULL, NULL, NULL}
	};

	return extensions;
}

/* Return true if the client's offer is accepted. */
bool
server_accepts_extension(struct server *server, struct lws *wsi)
{
	char		offers[OFFERS_BYTES];

	return server->deflater != NULL && server->deflate_clients < LIMIT_DEFLATE_CLIENTS &&
		lws_hdr_copy(wsi, offers, sizeof(offers), WSI_TOKEN_EXTENSIONS) > 0 && deflate_accepts(offers);
}

/* Count a client that sends compressed messages, or one that is gone. */
void
server_count_deflating(struct server *server, int change)
{
	server->deflate_clients += change;
	server->config.metrics->deflate_clients = (uint64_t) server->deflate_clients;
}

/* Get the form in which a message goes to such clients: compressed once, for all of them. */
struct frame *
server_pack(struct server *server, struct frame *frame)
{
	if (frame->len < (size_t) server->config.config->deflate_bytes || frame->len > LIMIT_DEFLATE_BYTES)
		return frame;
	if (!frame->tried)
		frame->deflated = deflate_frame(server->deflater, frame);
	frame->tried = true;
	if (frame->deflated == NULL)
		return frame;
	server->config.metrics->deflate_sent++;
	server->config.metrics->deflate_saved += frame->len - frame->deflated->len;
	return frame->deflated;
}

/* Hand a whole message that came compressed on to its session. */
void
server_inflate(struct server *server, struct conn *conn, const char *data, size_t len)
{
	size_t		limit = session_message_limit(conn->session);
	struct buf	out = {0};

	server->config.metrics->deflate_received++;
	if (limit > LIMIT_INFLATED_FREE + len * LIMIT_INFLATED_RATIO)
		limit = LIMIT_INFLATED_FREE + len * LIMIT_INFLATED_RATIO;
	switch (inflate_message(&conn->inflater, data, len, limit, &out))
	{
		case INFLATE_DONE:
			session_receive(conn->session, out.data, out.len);
			break;
		case INFLATE_TOO_BIG:
			session_refuse(conn->session, CLOSE_TOO_BIG, "too_large", "the message is too big (limit: max-message), or more than 256 times as large as it was sent");
			break;
		case INFLATE_BAD:
			session_refuse(conn->session, CLOSE_MALFORMED, "malformed", "the message could not be decompressed");
			break;
	}
	buf_free(&out);
}
