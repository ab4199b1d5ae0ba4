/*
 * client/ws.c
 *		The client's side of RFC 6455 over a non-blocking socket.
 */
#include "client/ws.h"

#include "lib/common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE		65536
#define MAX_MESSAGE		((size_t) 1 << 30)
#define ACCEPT_GUID		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef enum Opcode
{
	OP_CONTINUATION = 0x0,
	OP_TEXT = 0x1,
	OP_CLOSE = 0x8,
	OP_PING = 0x9,
	OP_PONG = 0xA
} Opcode;

typedef struct Frame
{
	bool		fin;
	int			opcode;
	char	   *payload;
	size_t		size;
	size_t		whole;			/* header and payload */
} Frame;

static void ready(LoopWatch *watch, uint32_t events);

void
ws_init(Ws *ws, Loop *loop, const WsHandler *handler, void *ctx)
{
	memset(ws, 0, sizeof(*ws));
	ws->watch.fd = -1;
	ws->watch.ready = ready;
	ws->loop = loop;
	ws->handler = handler;
	ws->ctx = ctx;
	RAND_bytes((unsigned char *) &ws->mask, sizeof(ws->mask));
}

/* ---- buffers ---- */

/* Room for `size` more bytes behind what the buffer holds. */
static char *
buffer_room(WsBuffer *buffer, size_t size)
{
	if (buffer->size == 0)
		buffer->start = 0;
	if (buffer->start + buffer->size + size > buffer->capacity)
	{
		if (buffer->start > 0)
			memmove(buffer->data, buffer->data + buffer->start, buffer->size);
		buffer->start = 0;
		if (buffer->size + size > buffer->capacity)
		{
			buffer->capacity = (buffer->size + size) * 2;
			buffer->data = xrealloc(buffer->data, buffer->capacity);
		}
	}
	return buffer->data + buffer->start + buffer->size;
}

/* Append bytes. */
static void
buffer_append(WsBuffer *buffer, const void *bytes, size_t size)
{
	memcpy(buffer_room(buffer, size), bytes, size);
	buffer->size += size;
}

void
ws_printf(WsBuffer *buffer, const char *format,...)
{
	va_list		args;
	int			size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	va_start(args, format);
	vsnprintf(buffer_room(buffer, (size_t) size + 1), (size_t) size + 1, format, args);
	va_end(args);
	buffer->size += (size_t) size;
}

/* Forget the first bytes. */
static void
buffer_consume(WsBuffer *buffer, size_t size)
{
	buffer->start += size;
	buffer->size -= size;
}

/* ---- the life of a connection ---- */

void
ws_drop(Ws *ws)
{
	int			fd = ws->watch.fd;

	if (fd >= 0)
	{
		loop_unwatch(ws->loop, &ws->watch);
		close(fd);
	}
	ws->in.size = ws->out.size = ws->message.size = 0;
	ws->state = WS_CLOSED;
}

/* The one place where a connection ends by itself. */
static void
fail(Ws *ws, int code, const char *reason)
{
	if (ws->state == WS_CLOSED)
		return;
	ws_drop(ws);
	ws->handler->closed(ws->ctx, code, reason);
}

void
ws_free(Ws *ws)
{
	ws_drop(ws);
	free(ws->in.data);
	free(ws->out.data);
	free(ws->message.data);
	memset(ws, 0, sizeof(*ws));
	ws->watch.fd = -1;
}

void
ws_connect(Ws *ws, const char *host, int port, const char *path)
{
	struct sockaddr_in address = {.sin_family = AF_INET,.sin_port = htons((uint16_t) port)};
	int			one = 1;
	int			fd;

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("not an IPv4 address: %s", host);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (ws->receive_bytes > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &ws->receive_bytes, sizeof(ws->receive_bytes));
	ws->host = host;
	ws->path = path;
	ws->deaf = false;
	ws->state = WS_CONNECTING;
	loop_watch(ws->loop, &ws->watch, fd, EPOLLOUT);
	if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 && errno != EINPROGRESS)
		fail(ws, 0, strerror(errno));
}

/* Send what waits, as far as the socket takes it. */
static void
flush_out(Ws *ws)
{
	while (ws->out.size > 0)
	{
		ssize_t		sent = send(ws->watch.fd, ws->out.data + ws->out.start, ws->out.size,
								MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
		{
			/* The reading side finds out why, and reports it. */
			ws->out.size = 0;
			break;
		}
		if (sent < 0)
			break;
		buffer_consume(&ws->out, (size_t) sent);
	}
	loop_change(ws->loop, &ws->watch,
				(ws->deaf ? 0 : EPOLLIN) | (ws->out.size > 0 ? EPOLLOUT : 0));
}

void
ws_read_on(Ws *ws, bool on)
{
	ws->deaf = !on;
	loop_change(ws->loop, &ws->watch, on ? EPOLLIN : 0);
}

/* ---- the handshake ---- */

/* Ask for the upgrade. */
static void
send_request(Ws *ws)
{
	unsigned char nonce[16];
	char		request[4096];
	int			length;

	RAND_bytes(nonce, sizeof(nonce));
	EVP_EncodeBlock((unsigned char *) ws->key, nonce, sizeof(nonce));
	length = snprintf(request, sizeof(request),
					  "GET %s HTTP/1.1\r\n"
					  "Host: %s\r\n"
					  "Upgrade: websocket\r\n"
					  "Connection: Upgrade\r\n"
					  "Sec-WebSocket-Key: %s\r\n"
					  "Sec-WebSocket-Version: 13\r\n"
					  "Sec-WebSocket-Protocol: converge.v1\r\n\r\n",
					  ws->path, ws->host, ws->key);
	if (length < 0 || (size_t) length >= sizeof(request))
		die("path too long: %s", ws->path);
	ws->state = WS_HANDSHAKE;
	buffer_append(&ws->out, request, (size_t) length);
	flush_out(ws);
}

/* Does the answer carry the accept key that belongs to ours? */
static bool
accept_matches(const Ws *ws, const char *headers)
{
	char		joined[64 + sizeof(ACCEPT_GUID)];
	unsigned char digest[SHA_DIGEST_LENGTH];
	char		expected[32];
	const char *line = strcasestr(headers, "\r\nSec-WebSocket-Accept:");

	snprintf(joined, sizeof(joined), "%s%s", ws->key, ACCEPT_GUID);
	SHA1((unsigned char *) joined, strlen(joined), digest);
	EVP_EncodeBlock((unsigned char *) expected, digest, sizeof(digest));
	if (line == NULL)
		return false;
	line = strchr(line + 2, ':') + 1;
	line += strspn(line, " \t");
	return strncmp(line, expected, strlen(expected)) == 0;
}

/* Read the answer to the upgrade; false while it is not all here, or it failed. */
static bool
read_response(Ws *ws)
{
	char	   *text = ws->in.data + ws->in.start;
	char	   *end = memmem(text, ws->in.size, "\r\n\r\n", 4);
	int			status = 0;

	if (end == NULL)
	{
		if (ws->in.size > READ_SIZE)
			fail(ws, 0, "endless headers");
		return false;
	}
	*end = '\0';
	if (sscanf(text, "HTTP/1.1 %d", &status) != 1 || status != 101)
	{
		fail(ws, status, "no upgrade");
		return false;
	}
	if (!accept_matches(ws, text))
	{
		fail(ws, status, "wrong Sec-WebSocket-Accept");
		return false;
	}
	buffer_consume(&ws->in, (size_t) (end + 4 - text));
	ws->state = WS_OPEN;
	ws->handler->opened(ws->ctx);
	return ws->state == WS_OPEN;
}

/* ---- frames ---- */

/* Queue one masked frame. */
static void
put_frame(Ws *ws, Opcode opcode, const char *payload, size_t size)
{
	unsigned char *at = (unsigned char *) buffer_room(&ws->out, size + 14);
	unsigned char *start = at;
	unsigned char mask[4];

	*at++ = (unsigned char) (0x80 | opcode);
	if (size < 126)
		*at++ = (unsigned char) (0x80 | size);
	else if (size < 65536)
	{
		*at++ = 0x80 | 126;
		*at++ = (unsigned char) (size >> 8);
		*at++ = (unsigned char) size;
	}
	else
	{
		*at++ = 0x80 | 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			*at++ = (unsigned char) ((uint64_t) size >> shift);
	}
	ws->mask = ws->mask * 1664525u + 1013904223u;
	memcpy(mask, &ws->mask, 4);
	memcpy(at, mask, 4);
	at += 4;
	for (size_t i = 0; i < size; i++)
		at[i] = (unsigned char) payload[i] ^ mask[i & 3];
	ws->out.size += (size_t) (at - start) + size;
}

void
ws_send(Ws *ws, const char *text, size_t size)
{
	if (ws->state != WS_OPEN)
		return;
	put_frame(ws, OP_TEXT, text, size);
	flush_out(ws);
}

/* Take the header of the next frame apart; false while the frame is not all here. */
static bool
next_frame(Ws *ws, Frame *frame)
{
	unsigned char *data = (unsigned char *) ws->in.data + ws->in.start;
	size_t		header = 2;
	uint64_t	size;

	if (ws->in.size < 2)
		return false;
	size = data[1] & 0x7f;
	header += size == 126 ? 2 : size == 127 ? 8 : 0;
	if (ws->in.size < header)
		return false;
	if (header > 2)
	{
		size = 0;
		for (size_t i = 2; i < header; i++)
			size = size << 8 | data[i];
	}
	if (size > MAX_MESSAGE)
		die("the server sends a frame of %llu bytes", (unsigned long long) size);
	if (ws->in.size < header + size)
		return false;
	frame->fin = (data[0] & 0x80) != 0;
	frame->opcode = data[0] & 0x0f;
	frame->payload = (char *) data + header;
	frame->size = size;
	frame->whole = header + size;
	return true;
}

/* A text frame, whole or a fragment. */
static void
take_data(Ws *ws, const Frame *frame)
{
	if (frame->fin && frame->opcode == OP_TEXT)
	{
		ws->handler->message(ws->ctx, frame->payload, frame->size);
		return;
	}
	buffer_append(&ws->message, frame->payload, frame->size);
	if (frame->fin)
	{
		WsBuffer	message = ws->message;

		memset(&ws->message, 0, sizeof(ws->message));
		ws->handler->message(ws->ctx, message.data + message.start, message.size);
		free(message.data);
	}
}

/* Act on one frame. */
static void
take_frame(Ws *ws, const Frame *frame)
{
	char		reason[126] = "";

	switch (frame->opcode)
	{
		case OP_TEXT:
		case OP_CONTINUATION:
			take_data(ws, frame);
			break;
		case OP_PING:
			put_frame(ws, OP_PONG, frame->payload, frame->size);
			flush_out(ws);
			break;
		case OP_PONG:
			break;
		case OP_CLOSE:
			if (frame->size > 2 && frame->size < sizeof(reason) + 2)
				memcpy(reason, frame->payload + 2, frame->size - 2);
			fail(ws, frame->size < 2 ? 1005 :
				 (unsigned char) frame->payload[0] << 8 | (unsigned char) frame->payload[1],
				 reason);
			break;
		default:
			fail(ws, 0, "frame of an unknown kind");
	}
}

/* Act on all frames that are here. */
static void
take_frames(Ws *ws)
{
	Frame		frame;

	while (ws->state == WS_OPEN && next_frame(ws, &frame))
	{
		buffer_consume(&ws->in, frame.whole);
		take_frame(ws, &frame);
	}
}

/* Read once; what is left makes epoll call again. */
static void
read_in(Ws *ws)
{
	char	   *room = buffer_room(&ws->in, READ_SIZE);
	ssize_t		got = recv(ws->watch.fd, room, READ_SIZE, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
	{
		fail(ws, 0, got == 0 ? "the server hung up" : strerror(errno));
		return;
	}
	ws->in.size += (size_t) got;
	if (ws->state == WS_HANDSHAKE && !read_response(ws))
		return;
	take_frames(ws);
}

/* What epoll says about the socket. */
static void
ready(LoopWatch *watch, uint32_t events)
{
	Ws		   *ws = (Ws *) watch;
	int			error = 0;
	socklen_t	length = sizeof(error);

	if (ws->state == WS_CONNECTING)
	{
		getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error != 0)
			fail(ws, 0, strerror(error));
		else
			send_request(ws);
		return;
	}
	if ((events & EPOLLOUT) != 0)
		flush_out(ws);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		read_in(ws);
}
