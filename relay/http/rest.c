/*
 * http/rest.c: the REST API: requests to calls of SQL, and rows to answers.
 *
 * Nothing is decided here but who asks: the token says it, and PostgreSQL
 * does the rest. A request that cannot be right is refused before it costs a
 * connection there.
 */
#include "http/rest_state.h"

#include "base/log_repeat.h"
#include "pg/error.h"
#include "base/tally.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* when to come back, each a little later or sooner than the others */
#define REST_RETRY_MS (1000 + (int) (random() % 3000))

/* how long ten wrong passwords are remembered: none has to wait longer */
#define GUESSES_S 900

/* debts of callers are remembered so long */
#define REMEMBERED_MS 60000

struct rest
{
	const struct config *config;
	const struct auth *auth;
	struct metrics *metrics;
	struct caller *caller;
	struct tally users;			/* how much each calls */
	struct tally strangers;		/* ... and each address that has no token */
	struct log_repeat trouble;
};

static const char prefix[] = "/v1/";

/* ---- refusals ---- */

/* what an error of PostgreSQL is in HTTP; the first row that fits counts */
static const struct
{
	const char *prefix;			/* of the SQLSTATE */
	int			status;
}			statuses[] =

{
	{SQLSTATE_STALE, 409},
	{SQLSTATE_FORBIDDEN, 403},
	{SQLSTATE_NOT_FOUND, 404},
	{"OT004", 409},				/* operation id conflict */
	{"OT005", 422},				/* out of range */
	{"OT006", 413},				/* too large */
	{"OT007", 409},				/* a version that is not there yet */
	{"OT008", 403},				/* a trigger's veto */
	{"OT009", 429},				/* too many wrong passwords */
	{"0A000", 501},				/* not there, such as pgcrypto */
	{"P0002", 404},				/* no such operation */
	{"42704", 404},				/* no such user */
	{"42501", 403},				/* privileges */
	{"55000", 409},				/* undone already */
	{"23502", 422},				/* a constraint that somebody added: null, */
	{"23514", 422},				/* or a value that it does not allow */
	{"23", 409},				/* taken, or referenced by another table */
	{"22", 400},				/* what was given is not what it must be */
	{"40", 503},				/* undone several times over */
	{SQLSTATE_LOCK, 503},
	{"08", 503},
	{"25", 503},				/* read only */
	{"53", 503},				/* out of something */
	{"54", 413},				/* over a limit of PostgreSQL's */
	{"57", 503},				/* timeout, shutting down */
	{"58", 503},
	{"XX", 500},
	{"42", 500},				/* the extension is another one */
	{"3F", 500},
	{"", 403},					/* an error raised by somebody's trigger */
};

/* Tell how a failed call is answered. */
static int
status_of(const char *sqlstate)
{
	size_t		row = 0;

	while (strncmp(sqlstate, statuses[row].prefix, strlen(statuses[row].prefix)) != 0)
		row++;
	return statuses[row].status;
}

/* Refuse a request for now. */
static void
refuse_for_now(struct exchange *x, int status, const char *code, int wait_ms, const char *detail)
{
	exchange_header(x, "retry-after", "%d", (wait_ms + 999) / 1000 > 0 ? (wait_ms + 999) / 1000 : 1);
	exchange_fail(x, status, code, detail);
}

/* ---- routes ---- */

/* Find the route of a request, and say which methods its path has. */
static const struct rest_route *
find_route(const struct exchange *x, struct buf *allowed)
{
	const char *parts[REST_PARAMS];
	size_t		lens[REST_PARAMS];
	int			count;
	const struct rest_route *found = NULL;

	for (int i = 0; i < rest_route_count; i++)
	{
		if (!rest_path_fits(rest_routes[i].path, x->path, parts, lens, &count))
			continue;
		buf_format(allowed, "%s%s", allowed->len > 0 ? ", " : "", rest_routes[i].method);
		if (found == NULL && exchange_is(x, rest_routes[i].method))
			found = &rest_routes[i];
	}
	return found;
}

/* ---- who asks ---- */

/* Take what a call costs of somebody's bucket; false where the request was refused. */
static bool
charge(struct rest *rest, struct exchange *x, struct tally *tally, const char *name, const struct bucket_size *size)
{
	struct tally_row *row = tally_hold(tally, name);
	enum flow	flow = bucket_take(&row->bucket, size, 1, metrics_clock_ms());
	int			wait_ms = bucket_wait_ms(&row->bucket, size);

	if (flow != FLOW_FREE)
		row->bucket.spent -= 1; /* what was refused costs nothing, or nobody
								 * would ever come in */
	tally_let_go(row);
	if (flow == FLOW_FREE)
		return true;
	rest->metrics->http_limited++;
	refuse_for_now(x, 429, "rate_limited", wait_ms, "too many requests");
	return false;
}

/* Find out who asks; false where the request was refused. */
static bool
identify(struct rest_call *rc)
{
	struct rest *rest = rc->rest;
	struct exchange *x = rc->x;
	struct bucket_size of_user = {rest->config->call_rate, rest->config->call_burst};
	struct bucket_size of_stranger = {rest->config->login_rate, rest->config->login_burst};
	const char *problem;

	if (rc->route->anonymous)
		return charge(rest, x, &rest->strangers, x->peer, &of_stranger);
	if (x->token == NULL)
	{
		exchange_header(x, "www-authenticate", "Bearer");
		exchange_fail(x, 401, "unauthenticated", "a token is needed, as Authorization: Bearer");
		return false;
	}
	if (!auth_check(rest->auth, x->token, time(NULL), &rc->identity, &problem))
	{
		rest->metrics->refused_token++;
		exchange_header(x, "www-authenticate", "Bearer error=\"invalid_token\"");
		exchange_fail(x, 401, "unauthenticated", problem);
		return false;
	}
	return charge(rest, x, &rest->users, rc->identity.user, &of_user);
}

/* ---- answers ---- */

/* Get a column of the row, NULL where it is null or not there. */
static const char *
column(const PGresult *result, const char *name)
{
	int			number = PQfnumber(result, name);

	return number < 0 || PQgetisnull(result, 0, number) ? NULL : PQgetvalue(result, 0, number);
}

/* Answer with a user id and a token for him. */
static void
answer_user(struct rest_call *rc, const char *user, int status)
{
	struct exchange *x = rc->x;
	int64_t		expires = 0;
	char	   *token = auth_issue(rc->rest->auth, user, time(NULL), &expires);
	json_t	   *body = json_pack("{s:s}", "userId", user);
	char	   *text;

	if (token != NULL)
	{
		json_object_set_new(body, "token", json_string(token));
		json_object_set_new(body, "expires", json_integer(expires));
	}
	text = json_dumps(body, JSON_COMPACT);
	buf_text(&x->content, text);
	exchange_header(x, "cache-control", "no-store");
	free(text);
	free(token);
	json_decref(body);
	exchange_answer(x, status, exchange_json);
}

/* Answer with the row that a call gave. */
static void
answer_row(struct rest_call *rc, const PGresult *result)
{
	struct exchange *x = rc->x;
	const char *body = column(result, "body");
	const char *version = column(result, "version");
	const char *next = column(result, "next");
	const char *location = column(result, "location");

	exchange_header(x, "cache-control", version != NULL ? "private, no-cache" : "no-store");
	if (version != NULL)
		exchange_header(x, "etag", "\"%s\"", version);
	if (next != NULL)
	{
		const char *limit = exchange_argument(x, "limit");

		exchange_header(x, "link", "<%s?%s%s%s>; rel=\"next\"", x->path, next, limit != NULL ? "&limit=" : "",
						limit != NULL ? limit : "");
	}
	if (location != NULL)
		exchange_header(x, "location", "%s", location);
	if (body != NULL)
		buf_text(&x->content, body);
	exchange_answer(x, rc->route->answer == REST_CREATED ? 201 : body != NULL ? 200 : 304, exchange_json);
}

/* Answer with what a call gave. */
static void
answer_done(struct rest_call *rc, const PGresult *result)
{
	struct exchange *x = rc->x;
	const char *body = column(result, "body");

	switch (rc->route->answer)
	{
		case REST_SHOW:
		case REST_CREATED:
			answer_row(rc, result);
			break;
		case REST_EMPTY:
			exchange_answer(x, 204, NULL);
			break;
		case REST_CONFIRMED:
			if (body != NULL && *body == 't')
				exchange_answer(x, 204, NULL);
			else
				exchange_fail(x, 403, "forbidden", "the old password is wrong");
			break;
		case REST_SIGNED_UP:
			answer_user(rc, body, 201);
			break;
		case REST_LOGGED_IN:
			if (body != NULL)
				answer_user(rc, body, 200);
			else
				exchange_fail(x, 401, "unauthenticated", "the address or the password is wrong");
			break;
	}
}

/* Get how long PostgreSQL says to wait: for OT009 its detail ends in a number of seconds. */
static int
wait_ms_of(const PGresult *result)
{
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *number = detail != NULL ? strpbrk(detail, "0123456789") : NULL;
	long		seconds = number != NULL ? strtol(number, NULL, 10) : GUESSES_S;

	return (int) (seconds < GUESSES_S ? seconds : GUESSES_S) * 1000;
}

/* Log the error that a call met: a user's only where all is logged. */
static void
log_failed(struct rest_call *rc, int status, const PGresult *result)
{
	const char *sqlstate = pg_sqlstate(result);

	if (status < 500)
		log_event(RELAY_DEBUG, "rest", "%s: %s %s", rc->route->name, sqlstate, pg_message(result));
	else
		log_repeated(&rc->rest->trouble, (uint64_t) metrics_clock_ms(), pg_message(result), RELAY_WARN, "rest", "%s: %s %s",
					 rc->route->name, sqlstate, pg_message(result));
}

/* Answer with the error that a call met. */
static void
answer_failed(struct rest_call *rc, const PGresult *result)
{
	const char *sqlstate = pg_sqlstate(result);
	int			status = status_of(sqlstate);

	log_failed(rc, status, result);
	if (status == 503)
		refuse_for_now(rc->x, status, sqlstate, REST_RETRY_MS, pg_message(result));
	else if (status == 429)
		refuse_for_now(rc->x, status, sqlstate, wait_ms_of(result), pg_message(result));
	else if (status == 500)
		exchange_fail(rc->x, status, sqlstate, "an error inside the relay or the database");
	else
		exchange_fail(rc->x, status, sqlstate, pg_message(result));
}

static void
free_call(struct rest_call *rc)
{
	for (int i = 0; i < REST_PARAMS; i++)
	{
		if (rc->values[i] != NULL)
			explicit_bzero(rc->values[i], strlen(rc->values[i]));
		free(rc->values[i]);
	}
	free(rc->identity.user);
	free(rc->op.text);
	json_decref(rc->body);
	free(rc);
}

/* Take the answer to a call. */
static void
on_answer(void *arg, enum call_result outcome, const PGresult *result)
{
	struct rest_call *rc = arg;

	switch (outcome)
	{
		case CALL_DONE:
			answer_done(rc, result);
			break;
		case CALL_FAILED:
			answer_failed(rc, result);
			break;
		case CALL_LATER:
			refuse_for_now(rc->x, 503, "unavailable", REST_RETRY_MS, "PostgreSQL cannot be reached");
			break;
		case CALL_IN_DOUBT:
			refuse_for_now(rc->x, 503, "in_doubt", REST_RETRY_MS,
						   "the connection to PostgreSQL was lost: whether this was done is not known");
			break;
	}
	free_call(rc);
}

/* The client is gone: nobody waits for the answer. */
static void
on_cancel(struct exchange *x)
{
	struct rest_call *rc = x->handler;

	call_cancel(rc->call);
	free_call(rc);
}

/* ---- requests ---- */

/* Call SQL for a request that was found good. */
static void
call_sql(struct rest_call *rc)
{
	struct rest *rest = rc->rest;
	struct pg_params params = {0};
	struct call_request request = {
		.statement = rc->route->name,.user = rc->identity.user,.params = &params,
		.repeatable = strcmp(rc->route->method, "GET") == 0,
	};

	for (int i = 0; i < REST_PARAMS && rc->route->params[i].source != REST_NONE; i++)
		pg_param_text(&params, rc->values[i]);
	rc->x->handler = rc;
	rc->x->cancel = on_cancel;
	rc->call = caller_call(rest->caller, &request, on_answer, rc);
	if (rc->call != NULL)
		return;
	refuse_for_now(rc->x, 503, "unavailable", REST_RETRY_MS, "too many requests wait already");
	free_call(rc);
}

/* Handle a request that has a route. */
static void
follow(struct rest *rest, const struct rest_route *route, struct exchange *x)
{
	struct rest_call *rc = mem_zalloc(sizeof(struct rest_call));

	rc->rest = rest;
	rc->x = x;
	rc->route = route;
	if (identify(rc) && rest_read_body(rc) && rest_take_params(rc))
		call_sql(rc);
	else
		free_call(rc);
}

/* Answer a request, now or later. */
bool
rest_handle(struct rest *rest, struct exchange *x)
{
	struct buf	allowed = {0};
	const struct rest_route *route;

	if (strncmp(x->path, prefix, sizeof(prefix) - 1) != 0)
		return false;
	route = find_route(x, &allowed);
	if (allowed.len == 0)
	{
		buf_free(&allowed);
		return false;
	}
	exchange_header(x, "allow", "%s, OPTIONS", allowed.data);
	buf_free(&allowed);
	if (route != NULL)
		follow(rest, route, x);
	else if (strcmp(x->method, "OPTIONS") == 0)
		exchange_answer(x, 204, NULL);
	else
		exchange_fail(x, 405, "malformed", "this is not done here; see the header allow");
	return true;
}

/* ---- beginning and end ---- */

/* Tell whether calls can be made now. */
bool
rest_is_ready(const struct rest *rest)
{
	return caller_is_ready(rest->caller);
}

/* Tell whether every request was answered. */
bool
rest_is_idle(const struct rest *rest)
{
	return caller_is_idle(rest->caller);
}

/* Do what is due every second. */
void
rest_tick(struct rest *rest)
{
	caller_tick(rest->caller);
	tally_sweep(&rest->users, metrics_clock_ms() - REMEMBERED_MS);
	tally_sweep(&rest->strangers, metrics_clock_ms() - REMEMBERED_MS);
}

/* Begin. */
struct rest *
rest_new(uv_loop_t *loop, const struct config *config, const struct auth *auth, struct metrics *metrics)
{
	struct rest *rest = mem_zalloc(sizeof(struct rest));
	struct pg_statement statements[REST_ROUTES_MOST];

	rest->config = config;
	rest->auth = auth;
	rest->metrics = metrics;
	for (int i = 0; i < rest_route_count; i++)
		statements[i] = (struct pg_statement)
	{
		rest_routes[i].name, rest_routes[i].sql, HISTOGRAM_PG_CALL
	};
	rest->caller = caller_new(loop, config, metrics, statements, rest_route_count);
	return rest;
}

/* End; requests under way are answered with what is known of them. */
void
rest_close(struct rest *rest)
{
	caller_close(rest->caller);
	tally_free(&rest->users);
	tally_free(&rest->strangers);
	free(rest);
}
