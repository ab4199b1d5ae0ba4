/*
 * server.c: WebSockets and HTTP, by libwebsockets, which no other file knows.
 *
 * A frame is written at once where the socket has taken everything before it:
 * libwebsockets keeps what a socket did not take and asks for no second write
 * until that is gone, which lws_partial_buffered() tells. The writeable
 * callback is for those that did not take it all, or are behind.
 *
 * A connection is closed only from its own callback, by returning -1; whoever
 * else wants it closed asks for one. On libuv, libwebsockets 4.1 takes a -1
 * from the writeable callback twice, the second time without the close frame
 * that the first had asked for; the timer's callback has no such twin, so that
 * is where a connection ends that ends by itself.
 */
#include "server.h"

#include "bounds.h"
#include "log.h"
#include "mem.h"
#include "tally.h"
#include "tls.h"

#include <libwebsockets.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(FRAME_HEADROOM >= LWS_PRE, "a frame has room for libwebsockets's header");

/* a message is read in pieces of this size, one an edit */
#define RX_BYTES 1024

/* as much as the kernel takes in one go */
#define TX_BYTES (1024 * 1024)

#define SERVICE_BYTES 16384
#define HEADER_BYTES 8192
#define URI_BYTES 512

/* libwebsockets watches nobody's life: sessions are pinged by their own clock */
static const lws_retry_bo_t no_idle_policy = {0};

static const char collab_path[] = "/v1/collab/";

struct server
{
	struct server_config config;
	struct sessions *sessions;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws_protocols protocols[2];
	SSL_CTX    *tls;			/* of the vhost */
	struct tally addresses;
	bool		draining;
};

/* a WebSocket; libwebsockets allocates it, zeroed */
struct conn
{
	struct lws *wsi;
	struct session *session;
	struct buf	message;		/* one that comes in pieces */
	int64_t		message_since_s;	/* when it began; 0: there is none */
	int			message_frames;
	bool		killed;
	bool		closing;		/* the close frame is libwebsockets's business
								 * now */
};

/* ---- what sessions call ---- */

/* Tell whether a socket has taken everything it was given. */
static bool
has_room(void *arg)
{
	struct conn *conn = arg;

	return !lws_partial_buffered(conn->wsi);
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

/* Write a frame, if the socket has taken everything before it. */
static bool
send_frame(void *arg, struct frame *frame)
{
	struct conn *conn = arg;
	struct server *server = lws_context_user(lws_get_context(conn->wsi));

	if (conn->killed || lws_partial_buffered(conn->wsi))
		return false;
	if (lws_write(conn->wsi, frame->text, frame->len, LWS_WRITE_TEXT) < 0)
		kill_conn(conn);
	else
		server->config.metrics->bytes_out += frame->len;
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

/* Tell since when a message is awaited whole. */
static int64_t
unfinished_since(void *arg)
{
	const struct conn *conn = arg;

	return conn->message_since_s;
}

/* Get what sessions send through. */
struct session_transport
server_transport(void)
{
	return (struct session_transport)
	{
		.send = send_frame,.has_room = has_room,.wake = wake,.ping = ping,
			.read = read_on,.unfinished_since = unfinished_since,.kill = kill_conn,
	};
}

/* ---- HTTP ---- */

/* Send a whole answer to a request. */
static int
send_answer(struct lws *wsi, int status, const char *type, const struct buf *body)
{
	unsigned char headers[LWS_PRE + 512];
	unsigned char *start = headers + LWS_PRE;
	unsigned char *p = start;
	unsigned char *end = headers + sizeof(headers) - 1;
	struct frame *frame;
	int			written;

	if (lws_add_http_common_headers(wsi, (unsigned) status, type, body->len, &p, end) ||
		lws_finalize_write_http_header(wsi, start, &p, end))
		return -1;
	frame = frame_text(body->data != NULL ? body->data : "", body->len);
	written = lws_write(wsi, frame->text, frame->len, LWS_WRITE_HTTP_FINAL);
	frame_unref(frame);
	return written < 0 ? -1 : 0;
}

/* Answer a request that is no WebSocket. */
static int
answer_http(struct server *server, struct lws *wsi, const char *path)
{
	struct buf	body = {0};
	const char *type;
	int			status = 405;
	int			result;

	if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0)
		status = http_answer(&server->config.http, path, &body, &type);
	else
	{
		type = "text/plain; charset=utf-8";
		buf_text(&body, "only GET is answered here\n");
	}
	result = send_answer(wsi, status, type, &body);
	buf_free(&body);
	if (result < 0)
		return -1;
	/* a relay that ends keeps no connection for a next request */
	return lws_http_transaction_completed(wsi) || server->draining ? -1 : 0;
}

/* ---- becoming a WebSocket ---- */

/* Tell whether a browser on this page may connect; programs send no Origin. */
static bool
origin_allowed(const struct server *server, struct lws *wsi)
{
	const struct config_list *origins = &server->config.config->origins;
	char		origin[URI_BYTES];

	if (origins->count == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) < 0)
		return false;
	for (int i = 0; i < origins->count; i++)
	{
		if (strcmp(origins->items[i], origin) == 0)
			return true;
	}
	return false;
}

/* Refuse what cannot become a WebSocket here: 1 tells that it was answered. */
static int
confirm_upgrade(struct server *server, struct lws *wsi)
{
	char		path[URI_BYTES];
	struct buf	body = {0};
	int			status = 0;

	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) < 0 ||
		strncmp(path, collab_path, sizeof(collab_path) - 1) != 0)
		status = 404;
	else if (!origin_allowed(server, wsi))
		status = 403;
	else if (server->draining || sessions_count(server->sessions) >= server->config.config->max_connections)
		status = 503;
	if (status == 0)
		return 0;
	if (status == 403)
		server->config.metrics->refused_origin++;
	else if (status == 503)
		server->config.metrics->refused_full++;
	buf_text(&body, status == 404 ? "WebSockets are at /v1/collab/{document}\n" :
			 status == 403 ? "this origin is not allowed\n" : "no more connections here now\n");
	if (send_answer(wsi, status, "text/plain; charset=utf-8", &body) < 0)
		status = -1;
	buf_free(&body);
	return status < 0 ? -1 : 1;
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

	if (lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) < (int) sizeof(collab_path) - 1)
		return -1;
	conn->wsi = wsi;
	conn->session = session_open(server->sessions, conn, path + sizeof(collab_path) - 1,
								 request_token(wsi, token, sizeof(token)));
	return 0;
}

/* ---- being one ---- */

/* Tell whether a session has said everything before its close. */
static bool
may_close(const struct conn *conn)
{
	enum close_code code;
	const char *reason;

	return !conn->closing && session_wants_close(conn->session, &code, &reason) && !lws_partial_buffered(conn->wsi);
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

/* Take a piece of a message; hand the message on when it is whole. */
static void
receive(struct server *server, struct conn *conn, const char *piece, size_t len)
{
	bool		whole = lws_is_final_fragment(conn->wsi) && lws_remaining_packet_payload(conn->wsi) == 0;
	size_t		limit = (size_t) server->config.config->max_message_bytes;

	if (lws_frame_is_binary(conn->wsi))
		session_refuse(conn->session, CLOSE_MALFORMED, "malformed", "messages are text frames");
	else if (conn->message.len + len + lws_remaining_packet_payload(conn->wsi) > limit)
		session_refuse(conn->session, CLOSE_TOO_BIG, "too_large", "the message is too big");
	else if (whole && conn->message.len == 0)
		session_receive(conn->session, piece, len);
	else if (!whole && !count_piece(conn))
		session_refuse(conn->session, CLOSE_TOO_BIG, "too_large", "the message comes in too many pieces");
	else
	{
		buf_put(&conn->message, piece, len);
		if (!whole)
			return;
		session_receive(conn->session, conn->message.data, conn->message.len);
	}
	buf_free(&conn->message);
	conn->message_since_s = 0;
}

/* The socket is gone. */
static void
close_conn(struct conn *conn)
{
	if (conn->session == NULL)
		return;
	session_closed(conn->session);
	conn->session = NULL;
	buf_free(&conn->message);
}

/* A connection is gone: its address has one less. */
static void
forget_address(struct lws *wsi)
{
	struct tally_row *address = lws_get_opaque_user_data(wsi);

	if (address != NULL)
		tally_let_go(address);
	lws_set_opaque_user_data(wsi, NULL);
}

/* Serve what libwebsockets has to tell. */
static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct server *server = lws_context_user(lws_get_context(wsi));
	struct conn *conn = user;

	switch (reason)
	{
		case LWS_CALLBACK_HTTP:
			return answer_http(server, wsi, in);
		case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
			return confirm_upgrade(server, wsi);
		case LWS_CALLBACK_ESTABLISHED:
			return open_conn(server, conn, wsi);
		case LWS_CALLBACK_RECEIVE:
			if (conn->session == NULL)
				return -1;
			receive(server, conn, in, len);
			return close_if_wanted(conn);
		case LWS_CALLBACK_RECEIVE_PONG:
			if (conn->session == NULL)
				return -1;
			session_heard(conn->session);
			session_charge(conn->session, len);
			return close_if_wanted(conn);
		case LWS_CALLBACK_SERVER_WRITEABLE:
			if (conn->session == NULL)
				return -1;
			session_writable(conn->session);
			if (may_close(conn))
				lws_set_timer_usecs(wsi, 1);
			return 0;
		case LWS_CALLBACK_TIMER:
			return conn->session != NULL ? close_if_wanted(conn) : 0;
		case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
			server->tls = user;
			tls_harden(user);
			return 0;
		case LWS_CALLBACK_WSI_DESTROY:
			forget_address(wsi);
			return 0;
		case LWS_CALLBACK_CLOSED:
			close_conn(conn);
			return 0;
		default:
			return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

/* ---- beginning and end ---- */

/* Log what libwebsockets has to say. */
static void
on_log(int level, const char *line)
{
	log_event(level & LLL_ERR ? RELAY_ERROR : RELAY_WARN, "libwebsockets", "%s", line);
}

/* Fill in what libwebsockets wants to know. */
static void
fill_info(struct server *server, struct lws_context_creation_info *info, void **loops)
{
	const struct config *config = server->config.config;
	bool		tls = *config->tls_cert != '\0';

	info->port = tls ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN;
	info->protocols = server->protocols;
	info->options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_NO_LWS_SYSTEM_STATES;
	info->foreign_loops = loops;
	info->pcontext = &server->context;
	info->user = server;
	info->pt_serv_buf_size = SERVICE_BYTES;
	info->max_http_header_data = HEADER_BYTES;
	info->timeout_secs = (unsigned) config->handshake_timeout_s;
	info->timeout_secs_ah_idle = (unsigned) config->handshake_timeout_s;
	info->vhost_name = "converge";
	info->server_string = "converge-relay";
	info->alpn = "http/1.1";
	info->retry_and_idle_policy = &no_idle_policy;
	if (tls)
	{
		info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info->ssl_cert_filepath = config->tls_cert;
		info->ssl_private_key_filepath = config->tls_key;
	}
}

/* Begin; NULL where that is impossible, which was logged. */
struct server *
server_new(const struct server_config *config)
{
	struct server *server = mem_zalloc(sizeof(struct server));
	struct lws_context_creation_info info = {0};
	void	   *loops[1] = {config->loop};

	server->config = *config;
	server->protocols[0] = (struct lws_protocols)
	{
		.name = PROTOCOL_NAME,.callback = on_event,.per_session_data_size = sizeof(struct conn),
			.rx_buffer_size = RX_BYTES,.tx_packet_size = TX_BYTES,
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	fill_info(server, &info, loops);
	server->context = lws_create_context(&info);
	if (server->context != NULL)
		server->vhost = lws_create_vhost(server->context, &info);
	if (server->vhost != NULL)
		return server;
	log_event(RELAY_ERROR, "server", "libwebsockets does not start");
	if (server->context != NULL)
		lws_context_destroy(server->context);
	free(server);
	return NULL;
}

/* Say where sessions are; they are made after the server, which they send through. */
void
server_connect(struct server *server, struct sessions *sessions)
{
	server->sessions = sessions;
}

/* Hold the row of a socket's address; NULL where the address has too many. */
static struct tally_row *
hold_address(struct server *server, int fd)
{
	struct sockaddr_storage peer;
	socklen_t	len = sizeof(peer);
	char		host[NI_MAXHOST] = "?";
	struct tally_row *address;

	if (getpeername(fd, (struct sockaddr *) &peer, &len) == 0)
		getnameinfo((struct sockaddr *) &peer, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	if (server->addresses.row_count >= LIMIT_ADDRESSES)
		tally_sweep(&server->addresses, 0);
	address = tally_hold(&server->addresses, host);
	if (address->count <= server->config.config->address_connections)
		return address;
	tally_let_go(address);
	return NULL;
}

/* Take an accepted socket over. */
void
server_adopt(void *arg, int fd)
{
	struct server *server = arg;
	bool		counts = server->config.config->address_connections > 0;
	struct tally_row *address = counts ? hold_address(server, fd) : NULL;
	struct lws *wsi;

	if (counts && address == NULL)
	{
		server->config.metrics->refused_address++;
		close(fd);
		return;
	}
	/* it closes the socket itself where it fails */
	wsi = lws_adopt_socket_vhost(server->vhost, fd);
	if (wsi != NULL)
	{
		lws_set_opaque_user_data(wsi, address);
		return;
	}
	log_event(RELAY_DEBUG, "server", "a connection was not taken over");
	if (address != NULL)
		tally_let_go(address);
}

/* Read the certificate and its key anew; what cannot be read leaves things as they were. */
void
server_reload(struct server *server)
{
	const struct config *config = server->config.config;

	if (server->tls == NULL)
		return;
	if (tls_reload(server->tls, config->tls_cert, config->tls_key))
		log_event(RELAY_INFO, "server", "the certificate was read anew");
	else
		log_event(RELAY_ERROR, "server", "the old certificate is kept: the new one cannot be used");
}

/* Take no more WebSockets. */
void
server_drain(struct server *server)
{
	server->draining = true;
}

/* End: close what is left; the loop has to come to its end before server_free. */
void
server_close(struct server *server)
{
	lws_context_destroy(server->context);
}

/* Give the rest back: on a loop that is not its own, libwebsockets ends in two steps. */
void
server_free(struct server *server)
{
	if (server->context != NULL)
		lws_context_destroy(server->context);
	tally_free(&server->addresses);
	free(server);
}
