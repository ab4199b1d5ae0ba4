/*
 * http/http.c: answers HTTP requests: a few routes of the relay's own, the REST
 * API, and files.
 */
#include "http/http.h"

#include "base/bounds.h"
#include "base/process.h"

#include <string.h>

/* the description of the API, as it stands in doc/ */
__asm__(".section .rodata\n"
		".global openapi_begin\nopenapi_begin:\n.incbin \"" OPENAPI_FILE "\"\n"
		".byte 0\n.previous\n");
extern const char openapi_begin[];	/* ends in a NUL */

static const char collab_prefix[] = "/v1/collab/";

/* Answer that the process lives. */
static void
health(const struct http_context *context, struct http_request *x)
{
	(void) context;
	buf_text(&x->content, "ok\n");
	http_request_answer(x, 200, http_request_text);
}

/* Answer whether a client would be served now. */
static void
readiness(const struct http_context *context, struct http_request *x)
{
	const char *reason;
	bool		ready = context->is_ready(context->arg, &reason);

	buf_format(&x->content, "%s\n", ready ? "ready" : reason);
	http_request_answer(x, ready ? 200 : 503, http_request_text);
}

/* Answer the counters. */
static void
metrics(const struct http_context *context, struct http_request *x)
{
	const char *reason;

	ledger_measure(context->ledger);
	context->metrics->ready = context->is_ready(context->arg, &reason);
	metrics_write(context->metrics, &x->content);
	process_write(&x->content);
	http_request_answer(x, 200, "text/plain; version=0.0.4; charset=utf-8");
}

/* Answer what the API is. */
static void
description(const struct http_context *context, struct http_request *x)
{
	(void) context;
	buf_text(&x->content, openapi_begin);
	http_request_answer(x, 200, http_request_json);
}

static const struct route
{
	const char *path;
	void		(*answer) (const struct http_context *context, struct http_request *x);
}			routes[] =

{
	{"/healthz", health},
	{"/readyz", readiness},
	{"/metrics", metrics},
	{"/v1/openapi.json", description},
};

#define ROUTE_COUNT (sizeof(routes) / sizeof(routes[0]))

/* Return true if a browser on this page may use the API; programs send no Origin. */
bool
http_origin_allowed(const struct config *config, const char *origin)
{
	const struct config_list *origins = &config->origins;

	if (origins->count == 0 || origin == NULL)
		return true;
	for (int i = 0; i < origins->count; i++)
	{
		if (strcmp(origins->items[i], origin) == 0)
			return true;
	}
	return false;
}

/* Let a page of another origin use the API (CORS); false where it may not, which was answered. */
static bool
admit_page(const struct http_context *context, struct http_request *x)
{
	if (x->origin == NULL)
		return true;
	http_request_header(x, "vary", "origin");
	if (!http_origin_allowed(context->config, x->origin))
	{
		http_request_fail(x, 403, "forbidden", "requests from this Origin are not allowed");
		return false;
	}
	http_request_header(x, "access-control-allow-origin", "%s", context->config->origins.count > 0 ? x->origin : "*");
	http_request_header(x, "access-control-expose-headers", "etag, link, location, retry-after");
	if (strcmp(x->method, "OPTIONS") == 0)
	{
		http_request_header(x, "access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE");
		http_request_header(x, "access-control-allow-headers", "authorization, content-type, if-match, if-none-match");
		http_request_header(x, "access-control-max-age", "600");
	}
	return true;
}

/* Answer with a route of the relay's own. */
static void
follow(const struct http_context *context, const struct route *route, struct http_request *x)
{
	if (http_request_is(x, "GET"))
		route->answer(context, x);
	else
	{
		http_request_header(x, "allow", "GET, HEAD");
		http_request_fail(x, 405, "malformed", "the method must be GET");
	}
}

bool
http_is_own(const struct http_request *x)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
	{
		if (strcmp(routes[i].path, x->path) == 0)
			return true;
	}
	return false;
}

size_t
http_body_limit(const struct http_context *context, struct http_request *x)
{
	return rest_knows(context->rest, x) ? (size_t) context->config->max_message_bytes : LIMIT_STRANGER_BYTES;
}

/* Answer a request. */
void
http_handle(const struct http_context *context, struct http_request *x)
{
	for (size_t i = 0; i < ROUTE_COUNT; i++)
	{
		if (strcmp(routes[i].path, x->path) == 0)
		{
			follow(context, &routes[i], x);
			return;
		}
	}
	if (!admit_page(context, x) || rest_handle(context->rest, x))
		return;
	if (strncmp(x->path, collab_prefix, sizeof(collab_prefix) - 1) == 0)
	{
		http_request_header(x, "upgrade", "websocket");
		http_request_fail(x, 426, "malformed", "this path requires a WebSocket upgrade");
		return;
	}
	if (context->web == NULL || !web_handle(context->web, x))
		http_request_fail(x, 404, "not_found", "no such path");
}
