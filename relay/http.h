/*
 * http.h: what is answered beside the WebSockets: a table of routes.
 */
#ifndef RELAY_HTTP_H
#define RELAY_HTTP_H

#include "mem.h"
#include "metrics.h"

#include <stdbool.h>

/* what a route may ask */
struct http_context
{
	bool		(*is_ready) (void *arg, const char **reason);
	struct metrics *metrics;
	void	   *arg;
};

/* Answer a GET: the body is appended, the type set; gives the status. */
int			http_answer(const struct http_context *context, const char *path, struct buf *body, const char **type);

#endif							/* RELAY_HTTP_H */
