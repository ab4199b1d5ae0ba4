/*
 * server/state.h: what the files of the server share, which are the only ones
 * that know libwebsockets.
 */
#ifndef RELAY_SERVER_STATE_H
#define RELAY_SERVER_STATE_H

#include "server/head.h"
#include "server/progress.h"
#include "server/server.h"
#include "base/usage.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>

#define URI_BYTES 512
#include "wire/deflate.h"

struct server
{
	struct server_config config;
	struct sessions *sessions;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws_protocols protocols[2];
	SSL_CTX    *tls;			/* of the vhost */
	struct usage addresses;
	struct heads *heads;
	struct deflater *deflater;	/* NULL: messages are not compressed */
	bool		compressed;		/* what is being written */
	int			deflate_clients;	/* clients that send compressed messages */
	int			sockets;		/* of any kind, from when they are accepted */
	bool		draining;
};

/* a socket that libwebsockets has taken over */
struct socket
{
	struct usage_row *address;	/* whose it is; NULL: they are not counted */
	char	   *target;			/* what is asked for, as it was written; NULL:
								 * not known */
};

/*
 * A connection; libwebsockets allocates it, zeroed. There are many that are idle, so
 * what is small stands together.
 */
struct conn
{
	struct lws *wsi;
	struct server *server;		/* whose it is as a WebSocket */
	struct session *session;	/* of a WebSocket */
	struct http_request *request;	/* over HTTP */
	struct progress progress;	/* of what is written */
	lws_usec_t	body_until;		/* when its body has to be whole; 0: it is */
	size_t		body_len;		/* its announced length */
	struct buf	message;		/* one that comes in pieces */
	int64_t		message_since_s;	/* when it began; 0: there is none */
	struct frame *writing;		/* a message that is written in pieces */
	size_t		written;		/* of it, or of an answer over HTTP */
	size_t		held_bytes;		/* of the message that the socket has not
								 * taken whole */
	struct inflater *inflater;
	int			message_frames;
	bool		answered;		/* over HTTP, and so at its end */
	bool		cut;			/* a message was not sent to its end: none can follow */
	bool		writes_packed;	/* the one that is written is compressed */
	bool		deflates;		/* permessage-deflate was agreed on */
	bool		message_deflated;
	bool		killed;
	bool		closing;		/* the close frame is libwebsockets's business
								 * now */
};

/* websocket.c */
int			server_confirm_upgrade(struct server *server, struct lws *wsi);
int			server_on_websocket(struct server *server, struct conn *conn, struct lws *wsi,
								enum lws_callback_reasons reason, void *in, size_t len);

/* deflate.c: what is needed with clients that agreed on permessage-deflate */
const struct lws_extension *server_extensions(void);
bool		server_accepts_extension(struct server *server, struct lws *wsi);
void		server_count_deflating(struct server *server, int change);
struct frame *server_pack(struct server *server, struct frame *frame);
void		server_inflate(struct server *server, struct conn *conn, const char *data, size_t len);

/* http.c */
int			server_refuse_upgrade(struct server *server, struct lws *wsi, int status, const char *code, const char *detail);
int			server_on_http(struct server *server, struct conn *conn, struct lws *wsi,
						   enum lws_callback_reasons reason, void *in, size_t len);

#endif							/* RELAY_SERVER_STATE_H */
