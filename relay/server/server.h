/*
 * server/server.h: WebSockets and HTTP, by libwebsockets.
 */
#ifndef RELAY_SERVER_H
#define RELAY_SERVER_H

#include "base/config.h"
#include "http/http.h"
#include "base/metrics.h"
#include "session/session.h"

#include <uv.h>

struct server;

struct server_config
{
	const struct config *config;
	struct http_context http;
	struct metrics *metrics;
	struct ledger *ledger;
	uv_loop_t  *loop;
};

struct server *server_new(const struct server_config *config);
void		server_connect(struct server *server, struct sessions *sessions);
struct session_transport server_transport(void);
void		server_adopt(void *server, int fd);
void		server_reload(struct server *server);
void		server_drain(struct server *server);
void		server_close(struct server *server);
void		server_free(struct server *server);

#endif							/* RELAY_SERVER_H */
