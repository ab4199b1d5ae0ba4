/*
 * http/rest.c: the REST API: maps requests to SQL calls, and rows to answers.
 *
 * The relay determines only the user, from the token; PostgreSQL decides
 * everything else. An invalid request is refused before it uses a PostgreSQL
 * connection.
 */
#include "http/rest_state.h"

#include "base/bounds.h"
#include "base/log_repeat.h"
#include "pg/error.h"
#include "base/usage.h"
#include "tables/talk_statements.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* when to come back, each a little later or sooner than the others */
#define REST_RETRY_MS (1000 + (int) (random() % 3000))

/* how long ten wrong passwords are remembered: none has to wait longer */
#define GUESSES_S 900

/*
 * what a call costs beside one token: one for so much of PostgreSQL's time, beyond what a
 * busy server may take for anything, and of the answer
 */
#define MS_FREE 1000
#define MS_A_TOKEN 100
#define BYTES_A_TOKEN (64 * 1024)

/* what it costs to have PostgreSQL cancel a call, which takes a connection of its own, in requests */
#define CANCEL_COST 4

/* how long the debts of callers are remembered */
#define REMEMBERED_MS 60000

struct rest
{
	const struct config *config;
	const struct auth *auth;
	struct metrics *metrics;
	struct sql_pool *pool;
	struct usage users;			/* how much each calls */
	struct usage strangers;		/* ... and each address that has no token */
	struct log_repeat trouble;
	char	   *reading[REST_ROUTES_MOST];	/* statements that are made here */
};

static const char prefix[] = "/v1/";

/* below it are the routes for users that --operator names */
static const char operators_prefix[] = "/v1/operator/";

/* ---- refusals ---- */

/* Refuse a request for now. */
static void
refuse_for_now(struct http_request *x, int status, const char *code, int wait_ms, const char *detail)
{
	http_request_header(x, "retry-after", "%d", (wait_ms + 999) / 1000 > 0 ? (wait_ms + 999) / 1000 : 1);
	http_request_fail(x, status, code, detail);
}

/* ---- routes ---- */

/* Find the route of a request, and say which methods its path has. */
static const struct rest_route *
find_route(const struct http_request *x, struct buf *allowed)
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
		if (found == NULL && http_request_is(x, rest_routes[i].method))
			found = &rest_routes[i];
	}
	return found;
}

/* ---- who asks ---- */

/* Charge a call to a bucket; return false if the request was refused. */
static bool
charge(struct rest *rest, struct http_request *x, struct usage *usage, const char *name, const struct bucket_size *size)
{
	struct usage_row *row = usage_hold(usage, name);
	enum flow	flow = bucket_take(&row->bucket, size, 1, metrics_clock_ms());
	int			wait_ms = bucket_wait_ms(&row->bucket, size);

	if (flow != FLOW_FREE)
		row->bucket.spent -= 1; /* what was refused costs nothing, or nobody
								 * would ever come in */
	usage_let_go(row);
	if (flow == FLOW_FREE)
		return true;
	rest->metrics->http_limited++;
	refuse_for_now(x, 429, "rate_limited", wait_ms, "too many requests");
	return false;
}

/* Return true if a user is one of the operators. */
static bool
is_operator(const struct config *config, const char *user)
{
	for (int i = 0; i < config->operators.count; i++)
	{
		if (strcmp(config->operators.items[i], user) == 0)
			return true;
	}
	return false;
}

bool
rest_knows(struct rest *rest, struct http_request *x)
{
	struct identity identity;
	const char *problem;

	if (x->token == NULL || !auth_check(rest->auth, x->token, time(NULL), &identity, &problem))
		return false;
	ledger_take_over(&x->purse, identity.user);
	free(identity.user);
	return true;
}

/* Find out who asks; false where the request was refused. */
static bool
identify(struct rest_call *rc)
{
	struct rest *rest = rc->rest;
	struct http_request *x = rc->x;
	struct bucket_size of_user = {rest->config->call_rate, rest->config->call_burst};
	struct bucket_size of_stranger = {rest->config->login_rate, rest->config->login_burst};
	const char *problem;

	if (rc->route->anonymous)
		return charge(rest, x, &rest->strangers, x->peer, &of_stranger);
	if (x->token == NULL)
	{
		http_request_header(x, "www-authenticate", "Bearer");
		http_request_fail(x, 401, "unauthenticated", "a token is needed (Authorization: Bearer)");
		return false;
	}
	if (!auth_check(rest->auth, x->token, time(NULL), &rc->identity, &problem))
	{
		rest->metrics->refused_token++;
		http_request_header(x, "www-authenticate", "Bearer error=\"invalid_token\"");
		http_request_fail(x, 401, "unauthenticated", problem);
		return false;
	}
	ledger_take_over(&x->purse, rc->identity.user);
	if (!charge(rest, x, &rest->users, rc->identity.user, &of_user))
		return false;
	if (strncmp(rc->route->path, operators_prefix, strlen(operators_prefix)) != 0 || is_operator(rest->config, rc->identity.user))
		return true;
	http_request_fail(x, 403, "forbidden", "only the operators that the relay's option --operator names may ask this");
	return false;
}

/* ---- answers ---- */

/* Get a column of the row, NULL where it is null or not there. */
static const char *
column(const PGresult *result, const char *name)
{
	int			number = PQfnumber(result, name);

	return number < 0 || PQgetisnull(result, 0, number) ? NULL : PQgetvalue(result, 0, number);
}

/* Answer with a user id and a token for that user. */
static void
answer_user(struct rest_call *rc, const char *user, int status)
{
	struct http_request *x = rc->x;
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
	http_request_header(x, "cache-control", "no-store");
	free(text);
	free(token);
	json_decref(body);
	http_request_answer(x, status, http_request_json);
}

/* Return true if a query names an argument. */
static bool
query_has(const char *query, const char *name, size_t len)
{
	for (const char *at = query; at != NULL; at = strchr(at, '&'))
	{
		at += *at == '&';
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return true;
	}
	return false;
}

/* Add the arguments of a request that a query does not have. */
static void
add_arguments(const struct http_request *x, const char *next, struct buf *query)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~,:";

	for (size_t at = 0; at < x->arguments.len; at += strlen(x->arguments.data + at) + 1)
	{
		const char *argument = x->arguments.data + at;
		size_t		len = strcspn(argument, "=");

		if (argument[len] == '\0' || query_has(next, argument, len))
			continue;
		buf_format(query, "&%.*s=", (int) len, argument);
		for (const char *p = argument + len + 1; *p != '\0'; p++)
			buf_format(query, strchr(plain, *p) != NULL ? "%c" : "%%%02X", (unsigned char) *p);
	}
}

/* Answer with the row that a call gave. */
static void
answer_row(struct rest_call *rc, const PGresult *result)
{
	struct http_request *x = rc->x;
	const char *body = column(result, "body");
	const char *version = column(result, "version");
	const char *next = column(result, "next");
	const char *location = column(result, "location");
	const char *text = column(result, "text");

	http_request_header(x, "cache-control", version != NULL ? "private, no-cache" : "no-store");
	if (version != NULL)
		http_request_header(x, "etag", "\"%s\"", version);
	if (next != NULL)
	{
		struct buf	query = {0};

		buf_text(&query, next);
		add_arguments(x, next, &query);
		http_request_header(x, "link", "<%s?%.*s>; rel=\"next\"", x->path, (int) query.len, query.data);
		buf_free(&query);
	}
	if (location != NULL)
		http_request_header(x, "location", "%s", location);
	if (PQfnumber(result, "text") >= 0)
		http_request_header(x, "vary", "accept");
	if (body != NULL || text != NULL)
		x->frame = frame_share(body != NULL ? body : text, strlen(body != NULL ? body : text));
	http_request_answer(x, rc->route->answer == REST_CREATED ? 201 : body != NULL || text != NULL ? 200 : 304,
						body != NULL || text == NULL ? http_request_json : http_request_text);
}

/* Answer with what a call gave. */
static void
answer_done(struct rest_call *rc, const PGresult *result)
{
	struct http_request *x = rc->x;
	const char *body = column(result, "body");

	switch (rc->route->answer)
	{
		case REST_SHOW:
		case REST_CREATED:
			answer_row(rc, result);
			break;
		case REST_MATCHED:
			if (body != NULL)
				answer_row(rc, result);
			else
				http_request_fail(rc->x, 412, "precondition", "the document has changed: its version is none that If-Match names");
			break;
		case REST_EMPTY:
			http_request_answer(x, 204, NULL);
			break;
		case REST_CONFIRMED:
			if (body != NULL && *body == 't')
				http_request_answer(x, 204, NULL);
			else
				http_request_fail(x, 403, "forbidden", "the old password is wrong");
			break;
		case REST_SIGNED_UP:
			answer_user(rc, body, 201);
			break;
		case REST_LOGGED_IN:
			if (body != NULL)
				answer_user(rc, body, 200);
			else
				http_request_fail(x, 401, "unauthenticated", "the address or the password is wrong");
			break;
	}
}

/* Return the waiting time that PostgreSQL gives: for OT009 its detail contains a number of seconds. */
static int
wait_ms_of(const PGresult *result)
{
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *number = detail != NULL ? strpbrk(detail, "0123456789") : NULL;
	long		seconds = number != NULL ? strtol(number, NULL, 10) : GUESSES_S;

	return (int) (seconds < GUESSES_S ? seconds : GUESSES_S) * 1000;
}

/* Log the error of a call; a user's error only at level debug. */
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

/* Answer with the error of a call. */
static void
answer_failed(struct rest_call *rc, const PGresult *result)
{
	const char *sqlstate = pg_sqlstate(result);
	int			status = pg_classify(sqlstate).status;

	log_failed(rc, status, result);
	if (status == 503)
		refuse_for_now(rc->x, status, sqlstate, REST_RETRY_MS, pg_message(result));
	else if (status == 429)
		refuse_for_now(rc->x, status, sqlstate, wait_ms_of(result), pg_message(result));
	else if (status == 500)
		http_request_fail(rc->x, status, sqlstate, "an error inside the relay or the database");
	else
		http_request_fail(rc->x, status, sqlstate, pg_message(result));
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

/* Charge a user for what a call of theirs cost beyond a small one. */
static void
charge_more(struct rest_call *rc, double cost)
{
	struct rest *rest = rc->rest;
	struct bucket_size size = {rest->config->call_rate, rest->config->call_burst};
	struct usage_row *row;

	if (rc->identity.user == NULL || cost < 1)
		return;
	row = usage_hold(&rest->users, rc->identity.user);
	bucket_take(&row->bucket, &size, cost, metrics_clock_ms());
	/* nobody waits for longer than it takes to fill the bucket */
	if (row->bucket.spent > 2 * size.burst)
		row->bucket.spent = 2 * size.burst;
	usage_let_go(row);
}

/* Charge a call for PostgreSQL's time and the bytes of its answer. */
static void
charge_answer(struct rest_call *rc, const PGresult *result, uint64_t took_ms)
{
	double		cost = took_ms > MS_FREE ? (double) (took_ms - MS_FREE) / MS_A_TOKEN : 0;

	if (result != NULL)
		cost += (double) PQresultMemorySize(result) / BYTES_A_TOKEN;
	charge_more(rc, cost);
}

/* Return true if an answer is longer than any may be, which was answered. */
static bool
is_too_long(struct rest_call *rc, const PGresult *result)
{
	const char *bytes = column(result, CALL_BYTES);
	char		detail[160];

	if (bytes == NULL || column(result, "body") != NULL || column(result, "text") != NULL)
		return false;
	snprintf(detail, sizeof(detail), "the answer has %s bytes, the limit is %lu; ask for less of it, with limit= or a smaller range",
			 bytes, LIMIT_ANSWER_BYTES);
	http_request_fail(rc->x, 413, "too_large", detail);
	return true;
}

/* Take the answer to a call. */
static void
on_answer(void *arg, enum call_result outcome, const PGresult *result, uint64_t took_ms)
{
	struct rest_call *rc = arg;

	charge_answer(rc, result, took_ms);
	switch (outcome)
	{
		case CALL_DONE:
			if (!is_too_long(rc, result))
				answer_done(rc, result);
			break;
		case CALL_NO_MEMORY:
			refuse_for_now(rc->x, 503, "unavailable", REST_RETRY_MS, "the relay's memory is full, or too small for this answer (max-memory)");
			break;
		case CALL_FAILED:
			answer_failed(rc, result);
			break;
		case CALL_LATER:
			refuse_for_now(rc->x, 503, "unavailable", REST_RETRY_MS, "PostgreSQL cannot be reached");
			break;
		case CALL_IN_DOUBT:
			refuse_for_now(rc->x, 503, "in_doubt", REST_RETRY_MS,
						   "the connection to PostgreSQL was lost; the request may or may not have been carried out");
			break;
	}
	free_call(rc);
}

/* The client is gone: drop the answer. */
static void
on_cancel(struct http_request *x)
{
	struct rest_call *rc = x->handler;

	if (call_cancel(rc->call))
		charge_more(rc, CANCEL_COST);
	free_call(rc);
}

/* ---- requests ---- */

/* Call SQL for a request that was found good. */
static void
call_sql(struct rest_call *rc)
{
	struct rest *rest = rc->rest;
	struct pg_params params = {0};
	bool		reads = strcmp(rc->route->method, "GET") == 0;
	struct call_request request = {
		.statement = rc->route->name,.user = rc->identity.user,.params = &params,.purse = &rc->x->purse,
		.lane = rc->identity.user != NULL ? rc->identity.user : rc->x->peer,
		.repeatable = reads,.bounded = reads,
	};

	for (int i = 0; i < REST_PARAMS && rc->route->params[i].source != REST_NONE; i++)
		pg_param_text(&params, rc->values[i]);
	rc->x->handler = rc;
	rc->x->cancel = on_cancel;
	rc->call = sql_pool_call(rest->pool, &request, on_answer, rc);
	if (rc->call != NULL)
		return;
	refuse_for_now(rc->x, 503, "unavailable", REST_RETRY_MS, "too many requests are waiting already");
	free_call(rc);
}

/* Handle a request that has a route. */
static void
follow(struct rest *rest, const struct rest_route *route, struct http_request *x)
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
rest_handle(struct rest *rest, struct http_request *x)
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
	http_request_header(x, "allow", "%s, OPTIONS", allowed.data);
	buf_free(&allowed);
	if (route != NULL)
		follow(rest, route, x);
	else if (strcmp(x->method, "OPTIONS") == 0)
		http_request_answer(x, 204, NULL);
	else
		http_request_fail(x, 405, "malformed", "method not allowed for this path; see the header Allow");
	return true;
}

/* ---- beginning and end ---- */

/* Get the connections that calls are made on, for those of WebSocket clients. */
struct sql_pool *
rest_pool(const struct rest *rest)
{
	return rest->pool;
}

/* Return true if calls can be made now. */
bool
rest_is_ready(const struct rest *rest)
{
	return sql_pool_is_ready(rest->pool);
}

/* Return true if every request was answered. */
bool
rest_is_idle(const struct rest *rest)
{
	return sql_pool_is_idle(rest->pool);
}

void
rest_shed(struct rest *rest)
{
	sql_pool_shed(rest->pool);
}

/* Do what is due every second. */
void
rest_tick(struct rest *rest)
{
	sql_pool_tick(rest->pool);
	usage_forget(&rest->users, metrics_clock_ms() - REMEMBERED_MS);
	usage_forget(&rest->strangers, metrics_clock_ms() - REMEMBERED_MS);
}

/*
 * Let a statement that only reads give its body only where it is not longer than one
 * more parameter, and its length; NULL for another statement.
 */
static char *
bounded_statement(const struct rest_route *route)
{
	struct buf	sql = {0};
	int			params = 0;
	bool		has_text;

	if (strcmp(route->method, "GET") != 0)
		return NULL;
	while (params < REST_PARAMS && route->params[params].source != REST_NONE)
		params++;
	has_text = strstr(route->sql, " AS text") != NULL;
	buf_format(&sql, "WITH r AS MATERIALIZED (%s) SELECT %s%s", route->sql,
			   strstr(route->sql, " AS version, ") != NULL ? "r.version, " : "",
			   strstr(route->sql, " AS next") != NULL ? "r.next, " : "");
	if (has_text)
		buf_format(&sql, "CASE WHEN octet_length(r.text) <= $%d::bigint THEN r.text END AS text, ", params + 1);
	buf_format(&sql, "CASE WHEN octet_length(r.body::text) <= $%d::bigint THEN r.body::text END AS body,"
			   " coalesce(octet_length(r.body::text), %s) AS " CALL_BYTES " FROM r", params + 1,
			   has_text ? "octet_length(r.text)" : "NULL");
	buf_put(&sql, "", 1);
	return sql.data;
}

/* Begin. */
struct rest *
rest_new(uv_loop_t *loop, const struct config *config, const struct auth *auth, struct metrics *metrics)
{
	struct rest *rest = mem_zalloc(sizeof(struct rest));
	struct pg_statement statements[REST_ROUTES_MOST + TALK_STATEMENT_COUNT];

	rest->config = config;
	rest->auth = auth;
	rest->metrics = metrics;
	for (int i = 0; i < rest_route_count; i++)
	{
		rest->reading[i] = bounded_statement(&rest_routes[i]);
		statements[i] = (struct pg_statement)
		{
			rest_routes[i].name, rest->reading[i] != NULL ? rest->reading[i] : rest_routes[i].sql, HISTOGRAM_PG_CALL
		};
	}
	memcpy(statements + rest_route_count, talk_statements, sizeof(talk_statements));
	rest->pool = sql_pool_new(loop, config, metrics, statements, rest_route_count + TALK_STATEMENT_COUNT);
	return rest;
}

/* End; requests under way are answered with what is known of them. */
void
rest_close(struct rest *rest)
{
	sql_pool_close(rest->pool);
	usage_free(&rest->users);
	usage_free(&rest->strangers);
	for (int i = 0; i < rest_route_count; i++)
		free(rest->reading[i]);
	free(rest);
}
