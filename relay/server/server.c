/*
 * server/server.c: WebSockets and HTTP, by libwebsockets, which only the files of
 * this folder know.
 */
#include "server/state.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/tls.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A message is read in pieces of this size: an edit is one. Each connection has a
 * buffer of it, idle or not.
 */
#define RX_BYTES 512

/* as much as the kernel takes in one go */
#define TX_BYTES (1024 * 1024)

#define SERVICE_BYTES 16384

/* connections above --max-connections that are read, to be refused with an answer or asked for health */
#define SOCKETS_REFUSED 256

/* more than a head that we look at may have: a longer one reaches it by TLS alone */
#define HEADER_BYTES (LIMIT_HEAD_BYTES + 8192)

/* libwebsockets's own keepalive is off: sessions send pings themselves */
static const lws_retry_bo_t no_idle_policy = {0};

/* Forget a socket: its address has one less. */
static void
free_socket(struct server *server, struct socket *socket)
{
	if (socket == NULL)
		return;
	server->sockets--;
	if (socket->address != NULL)
		usage_let_go(socket->address);
	free(socket->target);
	free(socket);
}

/* A connection is gone. */
static void
forget_socket(struct lws *wsi)
{
	free_socket(lws_context_user(lws_get_context(wsi)), lws_get_opaque_user_data(wsi));
	lws_set_opaque_user_data(wsi, NULL);
}

/*
 * Return true if a callback belongs to a connection that is neither HTTP/1 nor a
 * WebSocket of its own: a tunnel (CONNECT) or another raw role, or a stream of
 * HTTP/2. libwebsockets times none of these, and no limit counts them.
 */
static bool
is_foreign(struct lws *wsi, enum lws_callback_reasons reason)
{
	switch (reason)
	{
		case LWS_CALLBACK_RAW_ADOPT:
		case LWS_CALLBACK_RAW_CONNECTED:
		case LWS_CALLBACK_RAW_RX:
		case LWS_CALLBACK_RAW_WRITEABLE:
		case LWS_CALLBACK_RAW_ADOPT_FILE:
		case LWS_CALLBACK_RAW_RX_FILE:
		case LWS_CALLBACK_RAW_WRITEABLE_FILE:
			return true;
		case LWS_CALLBACK_FILTER_HTTP_CONNECTION:
		case LWS_CALLBACK_HTTP:
		case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		case LWS_CALLBACK_ESTABLISHED:
			return lws_get_network_wsi(wsi) != wsi;
		default:
			return false;
	}
}

/* Serve what libwebsockets has to tell. */
static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct server *server = lws_context_user(lws_get_context(wsi));
	struct conn *conn = user;

	if (is_foreign(wsi, reason))
		return -1;
	switch (reason)
	{
		case LWS_CALLBACK_HTTP:
		case LWS_CALLBACK_HTTP_BODY:
		case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		case LWS_CALLBACK_HTTP_WRITEABLE:
		case LWS_CALLBACK_CLOSED_HTTP:
			return server_on_http(server, conn, wsi, reason, in, len);
		case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY:
			conn->deflates = server_accepts_extension(server, wsi);
			return conn->deflates ? 0 : 1;
		case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
			return server_confirm_upgrade(server, wsi);
		case LWS_CALLBACK_ESTABLISHED:
		case LWS_CALLBACK_RECEIVE:
		case LWS_CALLBACK_RECEIVE_PONG:
		case LWS_CALLBACK_SERVER_WRITEABLE:
		case LWS_CALLBACK_CLOSED:
			return server_on_websocket(server, conn, wsi, reason, in, len);
		case LWS_CALLBACK_TIMER:
			return conn != NULL && (conn->request != NULL || conn->answered) ? server_on_http(server, conn, wsi, reason, in, len) :
				server_on_websocket(server, conn, wsi, reason, in, len);
		case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
			server->tls = user;
			tls_harden(user);
			return 0;
		case LWS_CALLBACK_WSI_DESTROY:
			forget_socket(wsi);
			return 0;
		default:
			return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

/* ---- beginning and end ---- */

/* Return true if libwebsockets complains about a client's input, not about itself. */
static bool
is_about_stranger(const char *line)
{
	static const char *const complaints[] = {"Ran out of header data space", "exceeds limit", "pcol name too long", "malformatted protocol list"};

	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
	{
		if (strstr(line, complaints[i]) != NULL)
			return true;
	}
	return false;
}

/* Log what libwebsockets has to say. */
static void
on_log(int level, const char *line)
{
	enum log_level ours = level & LLL_ERR ? RELAY_ERROR : RELAY_WARN;

	log_event(is_about_stranger(line) ? RELAY_DEBUG : ours, "libwebsockets", "%s", line);
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
	if (server->deflater != NULL)
		info->extensions = server_extensions();
	if (tls)
	{
		info->options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info->ssl_cert_filepath = config->tls_cert;
		info->ssl_private_key_filepath = config->tls_key;
	}
}

/* Hand a socket to libwebsockets. */
static void
adopt(struct server *server, int fd, struct socket *socket)
{
	/* it closes the socket itself where it fails */
	struct lws *wsi = lws_adopt_socket_vhost(server->vhost, fd);

	if (wsi != NULL)
	{
		lws_set_opaque_user_data(wsi, socket);
		return;
	}
	log_event(RELAY_DEBUG, "server", "libwebsockets did not accept a new connection");
	free_socket(server, socket);
}

/* A request has come; libwebsockets reads it. */
static void
on_head(void *arg, int fd, void *owner, const char *target, size_t target_len)
{
	struct socket *socket = owner;

	if (target != NULL)
		socket->target = mem_string(target, target_len);
	adopt(arg, fd, socket);
}

/* No request came that could be read. */
static void
on_no_head(void *arg, void *owner, bool refused)
{
	struct server *server = arg;

	if (refused)
		metrics_count_status(server->config.metrics, 431);
	free_socket(server, owner);
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
	server->heads = heads_new(config->loop, config->config->handshake_timeout_s,
							  &(struct heads_callbacks){.ready = on_head,.ended = on_no_head,.arg = server});
	if (config->config->deflate_bytes > 0)
		server->deflater = deflater_new();
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	fill_info(server, &info, loops);
	server->context = lws_create_context(&info);
	if (server->context != NULL)
		server->vhost = lws_create_vhost(server->context, &info);
	if (server->vhost != NULL)
		return server;
	log_event(RELAY_ERROR, "server", "could not start libwebsockets");
	if (server->context != NULL)
		lws_context_destroy(server->context);
	heads_free(server->heads);
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
static struct usage_row *
hold_address(struct server *server, int fd)
{
	struct sockaddr_storage peer;
	socklen_t	len = sizeof(peer);
	char		host[NI_MAXHOST] = "?";
	struct usage_row *address;

	if (getpeername(fd, (struct sockaddr *) &peer, &len) == 0)
		getnameinfo((struct sockaddr *) &peer, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	if (server->addresses.row_count >= LIMIT_ADDRESSES)
		usage_forget(&server->addresses, 0);
	address = usage_hold(&server->addresses, host);
	if (address->count <= server->config.config->address_connections)
		return address;
	usage_let_go(address);
	return NULL;
}

/* Take an accepted socket over. */
void
server_adopt(void *arg, int fd)
{
	struct server *server = arg;
	bool		counts = server->config.config->address_connections > 0;
	struct usage_row *address = counts ? hold_address(server, fd) : NULL;
	struct socket *socket;

	if (counts && address == NULL)
	{
		server->config.metrics->refused_address++;
		close(fd);
		return;
	}
	/* up to the limit and a little more, each is told why it is refused */
	if (server->sockets >= server->config.config->max_connections + SOCKETS_REFUSED)
	{
		server->config.metrics->refused_full++;
		if (address != NULL)
			usage_let_go(address);
		close(fd);
		return;
	}
	server->sockets++;
	socket = mem_zalloc(sizeof(struct socket));
	socket->address = address;
	/* below TLS there is nothing to look at */
	if (*server->config.config->tls_cert != '\0')
		adopt(server, fd, socket);
	else
		heads_wait(server->heads, fd, socket);
}

/* Reload the certificate and its key; if they cannot be read, keep the old ones. */
void
server_reload(struct server *server)
{
	const struct config *config = server->config.config;

	if (server->tls == NULL)
		return;
	if (tls_reload(server->tls, config->tls_cert, config->tls_key))
		log_event(RELAY_INFO, "server", "TLS certificate reloaded");
	else
		log_event(RELAY_ERROR, "server", "could not reload the TLS certificate, keeping the old one");
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
	heads_close(server->heads);
	lws_context_destroy(server->context);
}

/* Give the rest back: on a loop that is not its own, libwebsockets ends in two steps. */
void
server_free(struct server *server)
{
	if (server->context != NULL)
		lws_context_destroy(server->context);
	deflater_free(server->deflater);
	heads_free(server->heads);
	usage_free(&server->addresses);
	free(server);
}
