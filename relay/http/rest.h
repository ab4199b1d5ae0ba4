/*
 * http/rest.h: the REST API: a table of routes, each a call of SQL.
 */
#ifndef RELAY_REST_H
#define RELAY_REST_H

#include "auth/auth.h"
#include "base/config.h"
#include "http/request.h"
#include "base/metrics.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define REST_PARAMS 7
#define REST_ROUTES_MOST 64

struct rest;
struct sql_pool;

/* where a parameter of a route's statement comes from */
enum rest_source
{
	REST_NONE,
	REST_PATH,					/* {name} in the path */
	REST_ARGUMENT,				/* ?name= */
	REST_FIELD,					/* of the body, an object */
	REST_OPERATION,				/* of the body: an operation's three parts */
	REST_KNOWN,					/* the If-None-Match header */
	REST_EXPECTED,				/* the If-Match header */
	REST_PLAIN					/* given where the client prefers plain text to JSON */
};

/* what it must be; PostgreSQL looks at the rest */
enum rest_kind
{
	REST_TEXT,
	REST_NUMBER,				/* whole, not negative */
	REST_PAGE,					/* from 1 to 1,000 */
	REST_FEW,					/* from 1 to 100 */
	REST_FLAG,					/* true or false */
	REST_LIST,					/* a list, as its JSON */
	REST_IDS					/* a list of uuids, as PostgreSQL's array */
};

struct rest_param
{
	enum rest_source source;
	const char *name;
	enum rest_kind kind;
	bool		needed;
	bool		whole;			/* a field that may also be the whole body, as plain text */
	const char *not_with;		/* another that excludes it */
};

/* how a row becomes an answer */
enum rest_answer
{
	REST_SHOW,					/* 200 with the body, 304 where it is null */
	REST_MATCHED,				/* 200 with the body, 412 where it is null */
	REST_CREATED,				/* 201 with the body, and where it is */
	REST_EMPTY,					/* 204 */
	REST_SIGNED_UP,				/* 201: a user id and a token for that user */
	REST_LOGGED_IN,				/* 200: the same, or 401 */
	REST_CONFIRMED				/* 204 for true, 403 for false */
};

/*
 * The statement gives one row with the columns `body` (JSON) or `text` (plain), and
 * where there is something to say `version` (the ETag), `next` (the arguments of the next
 * page) and `location`.
 */
struct rest_route
{
	const char *method;
	const char *path;
	const char *name;			/* of the prepared statement */
	enum rest_answer answer;
	bool		anonymous;		/* no token is asked for */
	struct rest_param params[REST_PARAMS];
	const char *sql;
};

extern const struct rest_route rest_routes[];
extern const int rest_route_count;

struct rest *rest_new(uv_loop_t *loop, const struct config *config, const struct auth *auth, struct metrics *metrics);
void		rest_close(struct rest *rest);
struct sql_pool *rest_pool(const struct rest *rest);
bool		rest_is_ready(const struct rest *rest);
bool		rest_is_idle(const struct rest *rest);
void		rest_tick(struct rest *rest);

/* give back large buffers that are not in use */
void		rest_shed(struct rest *rest);


/*
 * Return true if the whole body of a request may be read: its token is valid, which
 * also lets what waits of it be charged to the user.
 */
bool		rest_knows(struct rest *rest, struct http_request *x);

/* answer a request, now or later; false where its path is none of these */
bool		rest_handle(struct rest *rest, struct http_request *x);

#endif							/* RELAY_REST_H */
