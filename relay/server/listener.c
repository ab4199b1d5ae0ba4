/*
 * server/listener.c: the listening socket.
 *
 * It is our own, not libwebsockets's, so that a relay that is told to end can
 * stop accepting at once and still serve those it has.
 */
#include "server/listener.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096
#define ACCEPTS_A_TURN 64
#define PAUSE_MS 200

struct listener
{
	uv_poll_t	poll;
	uv_timer_t	timer;
	int			fd;
	int			handles;		/* still open */
	void		(*accepted) (void *arg, int fd);
	void	   *arg;
};

static void on_readable(uv_poll_t *poll, int status, int events);

/* Log the address that was bound, which tells the port where it was 0. */
static void
log_address(int fd)
{
	struct sockaddr_storage address;
	socklen_t	len = sizeof(address);
	char		host[NI_MAXHOST];
	char		port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *) &address, &len) == 0 &&
		getnameinfo((struct sockaddr *) &address, len, host, sizeof(host), port, sizeof(port),
					NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		log_event(RELAY_INFO, "listener", "listening on %s port %s", host, port);
}

/* Make a listening socket of one address, or -1. */
static int
listen_on(const struct addrinfo *address)
{
	int			on = 1;
	int			fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Find an address for the host, and listen there. */
static int
open_socket(const char *host, int port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,.ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *addresses;
	char		service[8];
	int			fd = -1;
	int			failure;

	snprintf(service, sizeof(service), "%d", port);
	failure = getaddrinfo(*host != '\0' ? host : NULL, service, &hints, &addresses);
	if (failure != 0)
	{
		log_event(RELAY_ERROR, "listener", "cannot listen on \"%s\": %s", host, gai_strerror(failure));
		return -1;
	}
	for (const struct addrinfo *a = addresses; a != NULL && fd < 0; a = a->ai_next)
		fd = listen_on(a);
	if (fd < 0)
		log_event(RELAY_ERROR, "listener", "cannot listen on \"%s\" port %d: %s", host, port, strerror(errno));
	freeaddrinfo(addresses);
	return fd;
}

static void
on_pause_over(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* Out of descriptors: the socket stays readable, so do not look for a while. */
static void
pause_accepting(struct listener *listener)
{
	log_event(RELAY_WARN, "listener", "cannot accept: %s", strerror(errno));
	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->timer, on_pause_over, PAUSE_MS, 0);
}

/* Take the connections that wait. */
static void
on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	int			on = 1;

	(void) status;
	(void) events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++)
	{
		int			fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
		{
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(listener);
			return;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		listener->accepted(listener->arg, fd);
	}
}

/* Begin to listen; NULL where that is impossible, which was logged. */
struct listener *
listener_new(uv_loop_t *loop, const char *host, int port, void (*accepted) (void *arg, int fd), void *arg)
{
	int			fd = open_socket(host, port);
	struct listener *listener;

	if (fd < 0)
		return NULL;
	listener = mem_zalloc(sizeof(struct listener));
	listener->fd = fd;
	listener->handles = 2;
	listener->accepted = accepted;
	listener->arg = arg;
	uv_timer_init(loop, &listener->timer);
	listener->timer.data = listener;
	uv_poll_init(loop, &listener->poll, fd);
	listener->poll.data = listener;
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	log_address(fd);
	return listener;
}

static void
on_handle_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->handles == 0)
		free(listener);
}

/* Stop listening. */
void
listener_close(struct listener *listener)
{
	if (listener == NULL)
		return;
	uv_close((uv_handle_t *) &listener->poll, on_handle_closed);
	uv_close((uv_handle_t *) &listener->timer, on_handle_closed);
	close(listener->fd);
}
