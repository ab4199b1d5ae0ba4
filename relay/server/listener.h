/*
 * server/listener.h: the listening socket.
 */
#ifndef RELAY_LISTENER_H
#define RELAY_LISTENER_H

#include <stdbool.h>
#include <uv.h>

struct listener;

/* accepted: a socket that is non-blocking, and now the callee's */
struct listener *listener_new(uv_loop_t *loop, const char *host, int port,
							  void (*accepted) (void *arg, int fd), void *arg);
void		listener_close(struct listener *listener);

#endif							/* RELAY_LISTENER_H */
