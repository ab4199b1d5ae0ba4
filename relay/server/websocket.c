/*
 * server/websocket.c: WebSockets: how sessions send messages, and receive them.
 *
 * A frame is written at once if the socket has accepted everything before it:
 * libwebsockets keeps what a socket did not accept, and permits no second write
 * until that is sent, which lws_partial_buffered() reports. The writeable
 * callback serves connections that did not accept everything, or that are behind.
 *
 * A connection is closed only from its own callback, by returning -1; other code
 * requests a callback to close it. On libuv, libwebsockets 4.1 handles a -1 from
 * the writeable callback twice, the second time without the requested close
 * frame. The timer's callback does not have that fault, so a connection that the
 * relay closes is closed there.
 */
#include "server/state.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(FRAME_HEADROOM >= LWS_PRE, "a frame has room for libwebsockets's header");

#define KEY_CHARACTERS 24

/* pieces of one message before other clients are served */
#define PIECES_A_TURN 16

/* a list of subprotocols, and the longest name in it, that libwebsockets reads */
#define SUBPROTOCOLS_BYTES 128
#define SUBPROTOCOL_MOST 40

static const char collab_path[] = "/v1/collab/";
static const char websocket[] = "websocket";

/* Note how much memory a message takes that has come in part. */
static void
take_in(struct conn *conn, size_t bytes)
{
	ledger_set(session_purse(conn->session), LEDGER_REQUESTS, bytes);
}

/* ---- what sessions call ---- */

/* Return true if a socket has sent everything written to it. */
static bool
has_room(void *arg)
{
	struct conn *conn = arg;

	return conn->writing == NULL && !lws_partial_buffered(conn->wsi);
}

/* End a connection without a word; its closed callback follows by itself. */
static void
kill_conn(void *arg)
{
	struct conn *conn = arg;

	if (conn->killed)
		return;
	conn->killed = true;
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	/* its timers are only looked at after an event of its own: make one */
	lws_cancel_service(lws_get_context(conn->wsi));
}

/* Charge a client for what its socket has not taken of a message now. */
static void
change_held(struct server *server, struct conn *conn, size_t bytes)
{
	struct ledger_purse *purse = session_purse(conn->session);

	ledger_release(purse, LEDGER_FRAMES, conn->held_bytes);
	ledger_charge(purse, LEDGER_FRAMES, bytes);
	server->config.metrics->socket_bytes += bytes - conn->held_bytes;
	conn->held_bytes = bytes;
}

/* Note how much of a message the socket has not taken: mostly nothing, as before. */
static inline void
note_held(struct server *server, struct conn *conn, size_t bytes)
{
	if (bytes != conn->held_bytes)
		change_held(server, conn, bytes);
}

/*
 * Write one piece of a message, a fragment of its own; false: the connection is
 * lost. libwebsockets writes the header in front of it, where other receivers read
 * the piece before: so it is copied.
 */
static bool
write_piece(struct server *server, struct conn *conn)
{
	unsigned char piece[LWS_PRE + LIMIT_PIECE_BYTES];
	struct frame *frame = conn->writing;
	size_t		left = frame->len - conn->written;
	size_t		len = left < LIMIT_PIECE_BYTES ? left : LIMIT_PIECE_BYTES;
	int			kind = conn->written == 0 ? LWS_WRITE_TEXT : LWS_WRITE_CONTINUATION;
	bool		written;

	memcpy(piece + LWS_PRE, frame->text + conn->written, len);
	server->compressed = conn->writes_packed && conn->written == 0;
	written = lws_write(conn->wsi, piece + LWS_PRE, len, len == left ? kind : kind | LWS_WRITE_NO_FIN) >= 0;
	server->compressed = false;
	conn->written += len;
	return written;
}

/* Let go of a message that is written in pieces. */
static void
end_writing(struct conn *conn)
{
	frame_unref(conn->writing);
	conn->writing = NULL;
	conn->written = 0;
}

/* Write a message on, a few pieces at a time, so that others are served between them. */
static void
go_on_writing(struct server *server, struct conn *conn)
{
	int			pieces = 0;

	while (conn->writing != NULL && !lws_partial_buffered(conn->wsi) && pieces++ < PIECES_A_TURN)
	{
		if (!write_piece(server, conn))
		{
			end_writing(conn);
			kill_conn(conn);
			return;
		}
		if (conn->written < conn->writing->len)
			continue;
		server->config.metrics->bytes_out += conn->writing->len;
		end_writing(conn);
	}
	if (conn->writing != NULL)
		lws_callback_on_writable(conn->wsi);
}

/* Begin to write a long message. */
static void
begin_writing(struct server *server, struct conn *conn, struct frame *frame, bool packed)
{
	conn->writing = frame_ref(frame);
	conn->written = 0;
	conn->writes_packed = packed;
	go_on_writing(server, conn);
	note_held(server, conn, conn->writing != NULL ? frame->len : lws_partial_buffered(conn->wsi) ? LIMIT_PIECE_BYTES : 0);
}

/* Drop what is left of a message, and what came of one: true if a client was sent a part of one. */
static bool
abandon(void *arg)
{
	struct conn *conn = arg;
	struct server *server = conn->server;
	bool		cut = conn->writing != NULL && conn->written > 0;

	conn->cut = conn->cut || cut;
	end_writing(conn);
	note_held(server, conn, 0);
	take_in(conn, 0);
	buf_free(&conn->message);
	return conn->cut;
}

/* Write a frame, if the socket has taken everything before it. */
static bool
send_frame(void *arg, struct frame *frame)
{
	struct conn *conn = arg;
	struct server *server = conn->server;
	struct frame *packed;

	if (conn->killed || conn->cut || conn->writing != NULL || lws_partial_buffered(conn->wsi))
		return false;
	packed = conn->deflates ? server_pack(server, frame) : frame;
	if (packed->len > LIMIT_PIECE_BYTES)
	{
		begin_writing(server, conn, packed, packed != frame);
		return true;
	}
	server->compressed = packed != frame;
	if (lws_write(conn->wsi, packed->text, packed->len, LWS_WRITE_TEXT) < 0)
		kill_conn(conn);
	else
		server->config.metrics->bytes_out += packed->len;
	note_held(server, conn, lws_partial_buffered(conn->wsi) ? packed->len : 0);
	server->compressed = false;
	return true;
}

/* Ask for the writeable callback. */
static void
wake(void *arg)
{
	struct conn *conn = arg;

	lws_callback_on_writable(conn->wsi);
}

/* Ping, where there is room; where there is none, data waits for the client anyway. */
static void
ping(void *arg)
{
	struct conn *conn = arg;
	unsigned char payload[LWS_PRE + 1] = {0};	/* an empty pong would not be
												 * told us */

	if (!conn->killed && !lws_partial_buffered(conn->wsi) &&
		lws_write(conn->wsi, payload + LWS_PRE, 1, LWS_WRITE_PING) < 0)
		kill_conn(conn);
}

/* Stop reading, or go on. */
static void
read_on(void *arg, bool on)
{
	struct conn *conn = arg;

	if (conn->killed)
		return;
	lws_rx_flow_control(conn->wsi, on ? 1 : 0);
	/* what it has read already is only looked at after an event: make one */
	if (on)
		lws_cancel_service(lws_get_context(conn->wsi));
}

/* Return since when the relay has been waiting for the rest of a message. */
static int64_t
unfinished_since(void *arg)
{
	const struct conn *conn = arg;

	return conn->message_since_s;
}

/* Return true if a client has taken some of what waited for it at the last question. */
static bool
has_taken(void *arg)
{
	struct conn *conn = arg;

	return progress_look(&conn->progress, lws_get_socket_fd(conn->wsi), lws_partial_buffered(conn->wsi));
}

/* Get what sessions send through. */
struct session_transport
server_transport(void)
{
	return (struct session_transport)
	{
		.send = send_frame,.has_room = has_room,.wake = wake,.ping = ping,
			.read = read_on,.unfinished_since = unfinished_since,.has_taken = has_taken,
			.kill = kill_conn,.abandon = abandon,
	};
}

/* ---- becoming a WebSocket ---- */

/* Return true if a browser on this page may connect. */
static bool
origin_allowed(const struct server *server, struct lws *wsi)
{
	char		origin[URI_BYTES];

	if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	return lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) >= 0 &&
		http_origin_allowed(server->config.config, origin);
}

/* What a request asks to go over to. */
enum upgrade
{
	UPGRADE_WEBSOCKET,
	UPGRADE_OTHER,
	UPGRADE_ANSWERED			/* nothing that libwebsockets knows, which it
								 * has refused by itself */
};

/*
 * Find out what a request asks for. libwebsockets looks at the first of several
 * Upgrade headers, and would go over to HTTP/2 without asking any further.
 */
static enum upgrade
wanted_upgrade(struct lws *wsi)
{
	char		all[sizeof(websocket)];
	char		first[sizeof(websocket)];

	if (lws_hdr_copy_fragment(wsi, first, sizeof(first), WSI_TOKEN_UPGRADE, 0) <= 0 ||
		(strcasecmp(first, websocket) != 0 && strcasecmp(first, "h2c") != 0))
		return UPGRADE_ANSWERED;
	if (lws_hdr_copy(wsi, all, sizeof(all), WSI_TOKEN_UPGRADE) <= 0 || strcasecmp(all, websocket) != 0)
		return UPGRADE_OTHER;
	return UPGRADE_WEBSOCKET;
}

/*
 * Say what is wrong with a handshake, or NULL. libwebsockets takes any version
 * and any key, and a body as frames, which a proxy may take for a body.
 */
static const char *
handshake_problem(struct lws *wsi)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char		version[8];
	char		key[KEY_CHARACTERS + 1];

	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0 ||
		lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return "a WebSocket handshake must not have a body";
	if (lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_VERSION) <= 0 || strcmp(version, "13") != 0)
		return "Sec-WebSocket-Version must be 13";
	if (lws_hdr_copy(wsi, key, sizeof(key), WSI_TOKEN_KEY) <= 0 || strspn(key, digits) != KEY_CHARACTERS - 2 ||
		strcmp(key + KEY_CHARACTERS - 2, "==") != 0)
		return "Sec-WebSocket-Key must be 16 bytes in base64";
	return NULL;
}

/*
 * Return true if a client asks for our subprotocol, or for none. Of a list without
 * one that it knows, or with one that it cannot read, libwebsockets would close
 * the connection without an answer.
 */
static bool
subprotocol_fits(struct lws *wsi)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	static const char separators[] = ", \t";
	char		list[SUBPROTOCOLS_BYTES];
	const char *p = list;
	bool		found = false;

	if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) <= 0)
		return true;
	if (lws_hdr_copy(wsi, list, sizeof(list), WSI_TOKEN_PROTOCOL) <= 0)
		return false;
	while (*(p += strspn(p, separators)) != '\0')
	{
		size_t		len = strspn(p, letters);

		if (len == 0 || len > SUBPROTOCOL_MOST)
			return found;
		found = found || (len == sizeof(PROTOCOL_NAME) - 1 && memcmp(p, PROTOCOL_NAME, len) == 0);
		p += len;
	}
	return found;
}

/* Refuse what cannot become a WebSocket here: 1 tells that it was answered. */
int
server_confirm_upgrade(struct server *server, struct lws *wsi)
{
	char		path[URI_BYTES];
	const char *problem;
	enum upgrade upgrade = wanted_upgrade(wsi);

	if (upgrade == UPGRADE_ANSWERED)
		return -1;
	if (upgrade != UPGRADE_WEBSOCKET)
		return server_refuse_upgrade(server, wsi, 400, "malformed", "Upgrade must be websocket");
	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) < 0 ||
		strncmp(path, collab_path, sizeof(collab_path) - 1) != 0)
		return server_refuse_upgrade(server, wsi, 404, "not_found", "WebSockets are at /v1/collab/{document}");
	problem = handshake_problem(wsi);
	if (problem != NULL)
		return server_refuse_upgrade(server, wsi, 400, "malformed", problem);
	if (!subprotocol_fits(wsi))
		return server_refuse_upgrade(server, wsi, 400, "malformed", "Sec-WebSocket-Protocol must contain " PROTOCOL_NAME);
	if (!origin_allowed(server, wsi))
	{
		server->config.metrics->refused_origin++;
		return server_refuse_upgrade(server, wsi, 403, "forbidden", "requests from this Origin are not allowed");
	}
	if (server->draining || server->sockets > server->config.config->max_connections)
	{
		server->config.metrics->refused_full++;
		return server_refuse_upgrade(server, wsi, 503, "unavailable", "the relay is at its limit of connections (max-connections)");
	}
	return 0;
}

/* Get the token of the request: of its Authorization header, or of its URL. */
static const char *
request_token(struct lws *wsi, char *buf, int size)
{
	static const char bearer[] = "Bearer ";

	if (lws_hdr_copy(wsi, buf, size, WSI_TOKEN_HTTP_AUTHORIZATION) > 0 &&
		strncasecmp(buf, bearer, sizeof(bearer) - 1) == 0)
		return buf + sizeof(bearer) - 1;
	return lws_get_urlarg_by_name(wsi, "token=", buf, size);
}

/* A WebSocket is there: make it a session. */
static int
open_conn(struct server *server, struct conn *conn, struct lws *wsi)
{
	char		path[URI_BYTES];
	char		token[LIMIT_TOKEN_BYTES];
	char		peer[64] = "?";
	struct socket *socket = lws_get_opaque_user_data(wsi);

	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) < (int) sizeof(collab_path) - 1)
		return -1;
	if (socket != NULL)
	{
		free(socket->target);
		socket->target = NULL;
	}
	conn->wsi = wsi;
	conn->server = server;
	if (conn->deflates)
		server_count_deflating(server, 1);
	lws_get_peer_simple(wsi, peer, sizeof(peer));
	conn->session = session_open(server->sessions, conn, path + sizeof(collab_path) - 1,
								 request_token(wsi, token, sizeof(token)), peer);
	return 0;
}

/* ---- being one ---- */

/* Return true if a session has sent everything before its close. */
static bool
may_close(const struct conn *conn)
{
	enum close_code code;
	const char *reason;

	return !conn->closing && session_wants_close(conn->session, &code, &reason) && has_room((void *) conn);
}

/* Close the socket if its session has said everything: the answer to a callback. */
static int
close_if_wanted(struct conn *conn)
{
	enum close_code code;
	const char *reason;

	if (conn->killed)
		return -1;
	if (!may_close(conn) || !session_wants_close(conn->session, &code, &reason))
		return 0;
	conn->closing = true;
	/* libwebsockets copies the reason into its own memory, and takes no const */
	lws_close_reason(conn->wsi, (enum lws_close_status) code, (unsigned char *) reason, strlen(reason));
	return -1;
}

/* Count a piece of a message that is not whole; false where there are too many. */
static bool
count_piece(struct conn *conn)
{
	if (conn->message_since_s == 0)
	{
		conn->message_since_s = session_now_s(conn->session);
		conn->message_frames = 0;
	}
	if (lws_remaining_packet_payload(conn->wsi) == 0)
		conn->message_frames++;
	return conn->message_frames <= LIMIT_MESSAGE_FRAMES;
}

/* Hand a whole message on. */
static void
hand_on(struct server *server, struct conn *conn, const char *message, size_t len)
{
	if (conn->message_deflated)
		server_inflate(server, conn, message, len);
	else
		session_receive(conn->session, message, len);
}

/* Take a piece of a message; hand the message on when it is whole. */
static void
receive(struct server *server, struct conn *conn, const char *piece, size_t len)
{
	bool		whole = lws_is_final_fragment(conn->wsi) && lws_remaining_packet_payload(conn->wsi) == 0;
	size_t		limit = session_message_limit(conn->session);

	if (lws_is_first_fragment(conn->wsi))
		conn->message_deflated = (lws_get_reserved_bits(conn->wsi) & 0x40) != 0;
	if (lws_frame_is_binary(conn->wsi))
		session_refuse(conn->session, CLOSE_MALFORMED, "malformed", "messages must be text frames");
	else if (conn->message.len + len + lws_remaining_packet_payload(conn->wsi) > limit)
		session_refuse(conn->session, CLOSE_TOO_BIG, "too_large", "the message is too big (limit: max-message)");
	else if (whole && conn->message.len == 0)
		hand_on(server, conn, piece, len);
	else if (!whole && !count_piece(conn))
		session_refuse(conn->session, CLOSE_TOO_BIG, "too_large", "the message has too many fragments");
	else
	{
		buf_put(&conn->message, piece, len);
		if (!whole)
		{
			take_in(conn, conn->message.cap);
			return;
		}
		hand_on(server, conn, conn->message.data, conn->message.len);
	}
	if (conn->message.data != NULL)
		take_in(conn, 0);
	buf_free(&conn->message);
	conn->message_since_s = 0;
}

/* The socket is gone. */
static void
close_conn(struct server *server, struct conn *conn)
{
	if (conn->deflates)
		server_count_deflating(server, -1);
	inflater_free(conn->inflater);
	conn->inflater = NULL;
	session_closed(conn->session);
	conn->session = NULL;
	buf_free(&conn->message);
}

/* Serve what libwebsockets has to tell of a WebSocket. */
int
server_on_websocket(struct server *server, struct conn *conn, struct lws *wsi, enum lws_callback_reasons reason,
					void *in, size_t len)
{
	if (reason == LWS_CALLBACK_ESTABLISHED)
		return open_conn(server, conn, wsi);
	if (conn == NULL || conn->session == NULL)
		return reason == LWS_CALLBACK_TIMER || reason == LWS_CALLBACK_CLOSED ? 0 : -1;
	switch (reason)
	{
		case LWS_CALLBACK_RECEIVE:
			receive(server, conn, in, len);
			return close_if_wanted(conn);
		case LWS_CALLBACK_RECEIVE_PONG:
			session_heard(conn->session);
			session_charge(conn->session, len);
			return close_if_wanted(conn);
		case LWS_CALLBACK_SERVER_WRITEABLE:
			go_on_writing(server, conn);
			if (has_room(conn))
				note_held(server, conn, 0);
			session_writable(conn->session);
			if (may_close(conn))
				lws_set_timer_usecs(wsi, 1);
			return 0;
		case LWS_CALLBACK_TIMER:
			return close_if_wanted(conn);
		default:
			end_writing(conn);
			note_held(server, conn, 0);
			take_in(conn, 0);
			close_conn(server, conn);
			return 0;
	}
}
