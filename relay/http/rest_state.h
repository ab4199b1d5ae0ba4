/*
 * http/rest_state.h: what the files of the REST API share.
 */
#ifndef RELAY_REST_STATE_H
#define RELAY_REST_STATE_H

#include "tables/caller.h"
#include "wire/protocol.h"
#include "http/rest.h"

/* a request under way */
struct rest_call
{
	struct rest *rest;
	struct exchange *x;
	const struct rest_route *route;
	struct identity identity;
	json_t	   *body;
	struct submitted op;
	char	   *values[REST_PARAMS];
	struct call *call;
};

/* rest_params.c */
bool		rest_path_fits(const char *pattern, const char *path, const char *parts[], size_t lens[], int *count);
bool		rest_read_body(struct rest_call *rc);
bool		rest_take_params(struct rest_call *rc);

#endif							/* RELAY_REST_STATE_H */
