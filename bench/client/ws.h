/*
 * client/ws.h
 *		The client's side of RFC 6455 over a non-blocking socket: text messages
 *		out and in, nothing that a load generator does not need (no TLS, no
 *		extensions).
 *
 * Every way a connection can end is one call of `closed`; after it, and after
 * ws_drop(), which is silent, the Ws may connect again.
 */
#ifndef BENCH_WS_H
#define BENCH_WS_H

#include "lib/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum WsState
{
	WS_CLOSED,
	WS_CONNECTING,
	WS_HANDSHAKE,
	WS_OPEN
} WsState;

typedef struct WsHandler
{
	void		(*opened) (void *ctx);
	void		(*message) (void *ctx, const char *text, size_t size);
	/* code: of the close frame, else the HTTP status, else 0. */
	void		(*closed) (void *ctx, int code, const char *reason);
} WsHandler;

typedef struct WsBuffer
{
	char	   *data;
	size_t		start;
	size_t		size;			/* bytes from start */
	size_t		capacity;
} WsBuffer;

typedef struct Ws
{
	LoopWatch	watch;			/* first: callbacks get the Ws from it */
	Loop	   *loop;
	const WsHandler *handler;
	void	   *ctx;
	WsState		state;
	const char *host;
	const char *path;
	char		key[32];		/* Sec-WebSocket-Key */
	uint32_t	mask;
	bool		deaf;			/* does not read */
	int			receive_bytes;	/* SO_RCVBUF; 0: the system's */
	WsBuffer	in;
	WsBuffer	out;
	WsBuffer	message;		/* fragments put together */
} Ws;

extern void ws_init(Ws *ws, Loop *loop, const WsHandler *handler, void *ctx);

/* host is an IPv4 address; host and path must outlive the connection. */
extern void ws_connect(Ws *ws, const char *host, int port, const char *path);

/* Write text behind what a buffer holds. */
extern void ws_printf(WsBuffer *buffer, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* Stop reading, as a busy machine does, or go on. */
extern void ws_read_on(Ws *ws, bool on);

extern void ws_send(Ws *ws, const char *text, size_t size);

/* Cut the socket without a word, as a dying machine does. */
extern void ws_drop(Ws *ws);
extern void ws_free(Ws *ws);

#endif							/* BENCH_WS_H */
