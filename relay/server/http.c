/*
 * server/http.c: passes HTTP requests from libwebsockets to http/, and answers
 * back.
 *
 * A connection has one request, and ends with its answer. libwebsockets 4.1
 * takes the body of a request that came in one packet behind another from the
 * wrong place, and then turns in a circle for ever; 4.3 takes for the body
 * what came in one packet behind it, and waits for more. So there is never a
 * request behind another, and a body ends here where it was told to. It is
 * bounded before it comes, by its length, which must be told.
 */
#include "server/state.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/target.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_BYTES 4096
#define HEADER_VALUE_BYTES 8192
#define LENGTH_BYTES 24
#define WATCH_USECS (100 * 1000)
#define SOON_USECS 1

static const char bearer[] = "Bearer ";

static const struct
{
	const char *name;
	enum lws_token_indexes token;
}			methods[] =

{
	{"GET", WSI_TOKEN_GET_URI},
	{"HEAD", WSI_TOKEN_HEAD_URI},
	{"POST", WSI_TOKEN_POST_URI},
	{"PUT", WSI_TOKEN_PUT_URI},
	{"PATCH", WSI_TOKEN_PATCH_URI},
	{"DELETE", WSI_TOKEN_DELETE_URI},
	{"OPTIONS", WSI_TOKEN_OPTIONS_URI},
};

#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

/* ---- answers ---- */

/* Write the headers of an answer. */
static bool
write_headers(struct lws *wsi, const struct http_request *x)
{
	unsigned char buf[LWS_PRE + HEADERS_BYTES];
	unsigned char *start = buf + LWS_PRE;
	unsigned char *p = start;
	unsigned char *end = buf + sizeof(buf) - 1;

	/* 204 and 304 have no content, not even one of no length */
	bool		bare = x->status == 204 || x->status == 304;

	/* as it is to be sent: a problem may have replaced another answer */
	if (lws_add_http_header_status(wsi, (unsigned) x->status, &p, end) ||
		(!bare && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (const unsigned char *) x->type,
											   (int) strlen(x->type), &p, end)) ||
		(!bare && lws_add_http_header_content_length(wsi, x->frame->len, &p, end)) ||
		lws_add_http_header_by_name(wsi, (const unsigned char *) "connection:", (const unsigned char *) "close", 5, &p, end) ||
		lws_add_http_header_by_name(wsi, (const unsigned char *) "x-content-type-options:",
									(const unsigned char *) "nosniff", 7, &p, end))
		return false;
	for (size_t at = 0; at < x->headers.len; at += strlen(x->headers.data + at) + 1)
	{
		const char *line = x->headers.data + at;
		size_t		name_len = strcspn(line, ":") + 1;
		char		name[64];

		snprintf(name, sizeof(name), "%.*s", (int) name_len, line);
		if (lws_add_http_header_by_name(wsi, (unsigned char *) name, (const unsigned char *) line + name_len + 1,
										(int) strlen(line + name_len + 1), &p, end))
			return false;
	}
	return !lws_finalize_write_http_header(wsi, start, &p, end);
}

/* Return true if an answer has content. */
static bool
has_content(const struct http_request *x)
{
	return strcmp(x->method, "HEAD") != 0 && x->status != 204 && x->status != 304;
}

/*
 * Write content as far as the socket takes it, a piece at a time: libwebsockets
 * copies the rest of a piece that the kernel does not take.
 */
static bool
write_content(struct lws *wsi, const struct frame *frame, size_t *written)
{
	unsigned char piece[LWS_PRE + LIMIT_PIECE_BYTES];

	do
	{
		size_t		left = frame->len - *written;
		size_t		len = left < LIMIT_PIECE_BYTES ? left : LIMIT_PIECE_BYTES;

		memcpy(piece + LWS_PRE, frame->text + *written, len);
		if (lws_write(wsi, piece + LWS_PRE, len, len == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
			return false;
		*written += len;
	}
	while (*written < frame->len && !lws_partial_buffered(wsi));
	return true;
}

/* Note how much of an answer is not taken yet. */
static void
note_unread(struct server *server, struct conn *conn, size_t bytes)
{
	server->config.metrics->socket_bytes += bytes - conn->held_bytes;
	conn->held_bytes = bytes;
}

/* Look again in a while whether the client takes its answer. */
static void
await_reader(struct server *server, struct lws *wsi)
{
	lws_set_timer_usecs(wsi, server->config.config->answer_timeout_s * LWS_USEC_PER_SEC);
}

/* An answer is not read to its end: the client has time for that while it takes some of it. */
static int
watch_reader(struct server *server, struct conn *conn, struct lws *wsi)
{
	if (progress_look(&conn->progress, lws_get_socket_fd(wsi), true))
		await_reader(server, wsi);
	else
	{
		/* at once: closing would wait for what is not taken */
		lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_ASYNC);
		lws_cancel_service(lws_get_context(wsi));
	}
	return 0;
}

/* Give a request back: its answer has gone out, or its connection is gone. */
static void
drop_request(struct server *server, struct conn *conn)
{
	struct http_request *x = conn->request;

	note_unread(server, conn, 0);
	conn->request = NULL;
	if (x == NULL)
		return;
	if (x->cancel != NULL)
		x->cancel(x);
	http_request_free(x);
}

/* Write more of an answer; end the connection when all of it has gone out. */
static int
go_on_writing(struct server *server, struct conn *conn, struct lws *wsi)
{
	struct http_request *x = conn->request;

	note_unread(server, conn, x != NULL && has_content(x) ? x->frame->len : 0);
	if (lws_partial_buffered(wsi))
	{
		lws_callback_on_writable(wsi);
		return 0;
	}
	if (x != NULL && has_content(x) && conn->written < x->frame->len &&
		!write_content(wsi, x->frame, &conn->written))
		return -1;
	if (!lws_partial_buffered(wsi) && (x == NULL || !has_content(x) || conn->written >= x->frame->len))
		return -1;
	lws_callback_on_writable(wsi);
	return 0;
}

/* End a connection at once, and drop what waits for it: its user owes most. */
static void
close_debtor(struct ledger_purse *purse)
{
	struct http_request *x = (struct http_request *) ((char *) purse - offsetof(struct http_request, purse));
	struct conn *conn = x->conn;
	struct server *server = lws_context_user(lws_get_context(conn->wsi));

	log_event(RELAY_INFO, "http", "closing the connection of %s, which holds most memory (max-memory)", x->peer);
	drop_request(server, conn);
	conn->answered = true;
	conn->body_until = 0;
	lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
	lws_cancel_service(lws_get_context(conn->wsi));
}

/* Write the answer of a connection's request, which ends both. */
static int
write_answer(struct server *server, struct conn *conn, struct lws *wsi)
{
	struct http_request *x = conn->request;
	bool		written;

	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	progress_look(&conn->progress, lws_get_socket_fd(wsi), true);
	await_reader(server, wsi);
	written = write_headers(wsi, x) && (!has_content(x) || write_content(wsi, x->frame, &conn->written));
	server->config.metrics->bytes_out += x->frame->len;
	metrics_count_status(server->config.metrics, x->status);
	conn->answered = true;
	return written ? go_on_writing(server, conn, wsi) : -1;
}

/* An answer is there that was awaited: have it written. */
static void
on_done(struct http_request *x)
{
	struct conn *conn = x->conn;

	lws_callback_on_writable(conn->wsi);
}

/* Refuse to become a WebSocket. */
int
server_refuse_upgrade(struct server *server, struct lws *wsi, int status, const char *code, const char *detail)
{
	struct http_request *x = http_request_new();
	size_t		at = 0;
	bool		written;

	x->method = methods[0].name;
	http_request_fail(x, status, code, detail);
	written = write_headers(wsi, x) && write_content(wsi, x->frame, &at);
	metrics_count_status(server->config.metrics, status);
	http_request_free(x);
	return written ? 1 : -1;
}

/* ---- requests ---- */

/* Copy a header; NULL where there is none, or it is longer than any that counts. */
static char *
header_text(struct lws *wsi, enum lws_token_indexes token)
{
	char		value[HEADER_VALUE_BYTES];
	int			len = lws_hdr_copy(wsi, value, sizeof(value), token);

	return len > 0 ? mem_string(value, (size_t) len) : NULL;
}

/* Get the token out of an Authorization header. */
static char *
bearer_token(struct lws *wsi)
{
	char	   *value = header_text(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	char	   *token = NULL;

	if (value != NULL && strncasecmp(value, bearer, sizeof(bearer) - 1) == 0)
		token = mem_string(value + sizeof(bearer) - 1, strlen(value) - sizeof(bearer) + 1);
	free(value);
	return token;
}

/* Copy the arguments of the URL; false where there are too many or too long ones. */
static bool
copy_arguments(struct lws *wsi, struct http_request *x)
{
	char		argument[LIMIT_ARGUMENT_BYTES];

	/* copying says the same of one that is too long and one that is not there */
	for (int i = 0; lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i) > 0; i++)
	{
		int			len = lws_hdr_copy_fragment(wsi, argument, sizeof(argument), WSI_TOKEN_HTTP_URI_ARGS, i);

		if (len < 0 || i >= LIMIT_ARGUMENTS)
			return false;
		buf_put(&x->arguments, argument, strnlen(argument, (size_t) len));
		buf_put(&x->arguments, "", 1);
	}
	return true;
}

/*
 * Copy the path; return false if it is ambiguous. libwebsockets reads a plus in it
 * as a space, and a semicolon or an ampersand as its end, as in a query. So the
 * path is read from the original bytes. Below TLS these are unknown, so a path that
 * may have been changed is refused, because it could name another user.
 */
static bool
copy_path(struct lws *wsi, struct http_request *x, const char *path, enum lws_token_indexes method)
{
	const struct socket *socket = lws_get_opaque_user_data(wsi);
	const char *target = socket != NULL ? socket->target : NULL;
	struct buf	written = {0};
	bool		known = target != NULL && target_path(target, strlen(target), &written);

	x->path = known ? mem_string(written.data, written.len - 1) : mem_string(path, strlen(path));
	buf_free(&written);
	if (known)
		return true;
	if (target != NULL)
		return !target_has_signs(target, strlen(target));
	return strchr(path, ' ') == NULL && lws_hdr_fragment_length(wsi, method, 1) <= 0;
}

/* Copy what is asked; false where it was answered, since it cannot be right. */
static bool
copy_request(struct lws *wsi, struct http_request *x, const char *path)
{
	char		peer[64] = "?";
	enum lws_token_indexes method = methods[0].token;
	bool		clear;

	for (size_t i = 0; i < METHOD_COUNT; i++)
	{
		if (lws_hdr_total_length(wsi, methods[i].token) <= 0)
			continue;
		x->method = methods[i].name;
		method = methods[i].token;
	}
	lws_get_peer_simple(wsi, peer, sizeof(peer));
	clear = copy_path(wsi, x, path, method);
	x->token = bearer_token(wsi);
	x->origin = header_text(wsi, WSI_TOKEN_ORIGIN);
	x->if_none_match = header_text(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH);
	x->if_match = header_text(wsi, WSI_TOKEN_HTTP_IF_MATCH);
	x->accept = header_text(wsi, WSI_TOKEN_HTTP_ACCEPT);
	x->accept_encoding = header_text(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING);
	x->content_type = header_text(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);
	x->peer = mem_string(peer, strlen(peer));
	if (x->method == NULL)
	{
		x->method = methods[0].name;
		http_request_fail(x, 405, "malformed", "unknown HTTP method");
	}
	else if (strlen(path) > LIMIT_PATH_BYTES || !copy_arguments(wsi, x))
		http_request_fail(x, 414, "too_large", "the path or query is too long, or has too many arguments");
	else if (!clear)
		http_request_fail(x, 400, "malformed", "ambiguous path: write + as %2B, ; as %3B and & as %26, and put an id with a space into the body");
	return !x->answered;
}

/* Read the length of the body; -1 where it was refused. */
static int64_t
body_length(struct lws *wsi, struct http_request *x, size_t most)
{
	char	   *text = header_text(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
	size_t		digits = text != NULL ? strspn(text, "0123456789") : 0;
	int64_t		len = digits > 0 && digits < LENGTH_BYTES - 4 ? strtoll(text, NULL, 10) : -1;
	bool		told = text != NULL;
	bool		good = told && digits == strlen(text) && len >= 0;

	free(text);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		http_request_fail(x, 411, "malformed", "the request must have a Content-Length; Transfer-Encoding is not supported");
	else if (!told)
		return 0;
	else if (!good)
		http_request_fail(x, 400, "malformed", "Content-Length must be a whole number");
	else if ((uint64_t) len > most)
	{
		char		detail[80];

		snprintf(detail, sizeof(detail), "the body has %lld bytes, the limit is %zu", (long long) len, most);
		http_request_fail(x, 413, "too_large", detail);
	}
	else
		return len;
	return -1;
}

/*
 * While an answer is awaited nothing is read, and libwebsockets wakes at once
 * and again for what there is to read: the next request, or the client's end.
 * Either ends the connection.
 */
static int
watch(struct lws *wsi)
{
	struct pollfd socket = {.fd = lws_get_socket_fd(wsi),.events = POLLIN | POLLRDHUP};

	if (poll(&socket, 1, 0) != 0)
		return -1;
	lws_set_timer_usecs(wsi, WATCH_USECS);
	return 0;
}

/* Hand a request that is whole on; write the answer if it is there already. */
static int
handle(struct server *server, struct conn *conn, struct lws *wsi)
{
	struct http_request *x = conn->request;

	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	conn->body_until = 0;
	server->config.metrics->http_requests++;
	http_handle(&server->config.http, x);
	if (x->answered)
		return write_answer(server, conn, wsi);
	x->done = on_done;
	lws_set_timer_usecs(wsi, WATCH_USECS);
	return 0;
}

/* Check what a client expects before it sends the body; false where that was refused. */
static bool
check_expectation(struct lws *wsi, struct http_request *x, bool *wants_word)
{
	char	   *expected = header_text(wsi, WSI_TOKEN_HTTP_EXPECT);

	*wants_word = expected != NULL && strcasecmp(expected, "100-continue") == 0;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_EXPECT) > 0 && !*wants_word)
		http_request_fail(x, 417, "malformed", "the only supported value of Expect is 100-continue");
	free(expected);
	return !x->answered;
}

/* Let a client that waits for the word send its body. */
static bool
send_word(struct lws *wsi)
{
	static const char word[] = "HTTP/1.1 100 Continue\r\n\r\n";
	unsigned char buf[LWS_PRE + sizeof(word)];

	memcpy(buf + LWS_PRE, word, sizeof(word) - 1);
	return lws_write(wsi, buf + LWS_PRE, sizeof(word) - 1, LWS_WRITE_HTTP_HEADERS) >= 0;
}

/*
 * Give a body the time that it has. libwebsockets gives each piece the time of a
 * handshake, but only after our callback: so this is called by the timer.
 */
static int
await_body(struct conn *conn, struct lws *wsi)
{
	lws_usec_t	left = conn->body_until - lws_now_usecs();

	if (left <= 0)
		return -1;
	lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, (int) (left / LWS_USEC_PER_SEC) + 2);
	lws_set_timer_usecs(wsi, left);
	return 0;
}

/* Let what waits of a request be charged to its address, until its user is known. */
static bool
open_purse(struct server *server, struct http_request *x)
{
	static const struct ledger_acts acts = {.close = close_debtor};

	x->purse.acts = &acts;
	ledger_open(server->config.ledger, &x->purse, x->peer);
	ledger_charge(&x->purse, LEDGER_CONNECTIONS, LIMIT_HTTP_CONNECTION_BYTES);
	return true;
}

/* A request has come, but for its body. */
static int
begin(struct server *server, struct conn *conn, struct lws *wsi, const char *path)
{
	struct http_request *x = http_request_new();
	lws_usec_t	body_usecs = server->config.config->body_timeout_s * LWS_USEC_PER_SEC;
	int64_t		len = -1;
	bool		wants_word = false;

	conn->wsi = wsi;
	conn->request = x;
	x->conn = conn;
	if (copy_request(wsi, x, path) && open_purse(server, x) && check_expectation(wsi, x, &wants_word))
		len = body_length(wsi, x, (size_t) server->config.config->max_message_bytes);
	if (!x->answered && server->sockets > server->config.config->max_connections && !http_is_own(x))
	{
		server->config.metrics->refused_full++;
		http_request_fail(x, 503, "unavailable", "the relay is at its limit of connections (max-connections)");
	}
	if (x->answered)
		return write_answer(server, conn, wsi);

	/*
	 * of a POST, libwebsockets tells the end even of a body that has no
	 * length
	 */
	if (len == 0 && (strcmp(x->method, "POST") != 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0))
		return handle(server, conn, wsi);
	/* what is longer than a stranger may send is answered before it is read */
	if (len > LIMIT_STRANGER_BYTES && (size_t) len > http_body_limit(&server->config.http, x))
	{
		x->body_withheld = true;
		return handle(server, conn, wsi);
	}
	conn->body_len = (size_t) len;
	conn->body_until = lws_now_usecs() + body_usecs;
	lws_set_timer_usecs(wsi, SOON_USECS);
	return wants_word && len > 0 && !send_word(wsi) ? -1 : 0;
}

/* Take a piece of the body; if more arrives than Content-Length announced, the announced part is the body. */
static int
take_body(struct server *server, struct conn *conn, struct lws *wsi, const char *in, size_t len)
{
	struct http_request *x = conn->request;
	size_t		left = conn->body_len - x->body.len;

	buf_put(&x->body, in, len < left ? len : left);
	ledger_set(&x->purse, LEDGER_REQUESTS, x->body.cap);
	if (len > left)
		return handle(server, conn, wsi);
	lws_set_timer_usecs(wsi, SOON_USECS);
	return 0;
}

/* Handle libwebsockets's events of a request. */
int
server_on_http(struct server *server, struct conn *conn, struct lws *wsi, enum lws_callback_reasons reason,
			   void *in, size_t len)
{
	struct http_request *x;

	if (conn == NULL)
		return reason == LWS_CALLBACK_CLOSED_HTTP ? 0 : -1;
	x = conn->request;
	switch (reason)
	{
		case LWS_CALLBACK_HTTP:
			return x == NULL && !conn->answered ? begin(server, conn, wsi, in) : -1;
		case LWS_CALLBACK_HTTP_BODY:
			return x != NULL && conn->body_until != 0 ? take_body(server, conn, wsi, in, len) : -1;
		case LWS_CALLBACK_HTTP_BODY_COMPLETION:
			if (x != NULL && conn->body_until != 0)
				return handle(server, conn, wsi);
			/* said again, and again, where more follows than was asked for */
			return x != NULL && !conn->answered && conn->body_len > 0 ? -1 : 0;
		case LWS_CALLBACK_HTTP_WRITEABLE:
			if (conn->answered)
				return go_on_writing(server, conn, wsi);
			return x != NULL && x->answered ? write_answer(server, conn, wsi) : 0;
		case LWS_CALLBACK_TIMER:
			if (conn->answered)
				return watch_reader(server, conn, wsi);
			if (conn->body_until != 0)
				return await_body(conn, wsi);
			return x != NULL && !x->answered ? watch(wsi) : 0;
		default:				/* the connection is gone */
			drop_request(server, conn);
			return 0;
	}
}
