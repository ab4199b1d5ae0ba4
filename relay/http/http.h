/*
 * http/http.h: what is answered beside the WebSockets.
 */
#ifndef RELAY_HTTP_H
#define RELAY_HTTP_H

#include "base/config.h"
#include "http/request.h"
#include "base/metrics.h"
#include "http/rest.h"
#include "http/web.h"

#include <stdbool.h>

/* what a route may ask */
struct http_context
{
	bool		(*is_ready) (void *arg, const char **reason);
	const struct config *config;
	struct metrics *metrics;
	struct ledger *ledger;
	struct rest *rest;
	struct web *web;			/* or NULL */
	void	   *arg;
};

bool		http_origin_allowed(const struct config *config, const char *origin);

/* return true if a request is for a route of the relay's own, such as its health */
bool		http_is_own(const struct http_request *x);

/* longest body that is read for a request, by whether its token is valid, where it needs one */
size_t		http_body_limit(const struct http_context *context, struct http_request *x);

/* answer a request, now or later */
void		http_handle(const struct http_context *context, struct http_request *x);

#endif							/* RELAY_HTTP_H */
