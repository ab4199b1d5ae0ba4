/*
 * http.c: what is answered beside the WebSockets: a table of routes.
 */
#include "http.h"

#include "process.h"

#include <string.h>

static const char text_type[] = "text/plain; charset=utf-8";

/* Answer that the process lives. */
static int
health(const struct http_context *context, struct buf *body)
{
	(void) context;
	buf_text(body, "ok\n");
	return 200;
}

/* Answer whether a client would be served now. */
static int
readiness(const struct http_context *context, struct buf *body)
{
	const char *reason;
	bool		ready = context->is_ready(context->arg, &reason);

	buf_format(body, "%s\n", ready ? "ready" : reason);
	return ready ? 200 : 503;
}

/* Answer the counters. */
static int
metrics(const struct http_context *context, struct buf *body)
{
	const char *reason;

	context->metrics->ready = context->is_ready(context->arg, &reason);
	metrics_write(context->metrics, body);
	process_write(body);
	return 200;
}

static const struct route
{
	const char *path;
	int			(*answer) (const struct http_context *context, struct buf *body);
	const char *type;
}			routes[] =

{
	{"/healthz", health, text_type},
	{"/readyz", readiness, text_type},
	{"/metrics", metrics, "text/plain; version=0.0.4; charset=utf-8"},
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

/* Answer a GET. */
int
http_answer(const struct http_context *context, const char *path, struct buf *body, const char **type)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
	{
		if (strcmp(routes[i].path, path) == 0)
		{
			*type = routes[i].type;
			return routes[i].answer(context, body);
		}
	}
	*type = text_type;
	buf_text(body, "not found\n");
	return 404;
}
