/*
 * tables/sql_pool.c: calls of SQL functions on behalf of users, for HTTP.
 *
 * A call is one transaction, sent in one go: become the user, then do what he
 * asks, so that he may do what he may do in SQL and nothing is decided here.
 * Calls wait in one queue for a connection; each has one at a time, since some
 * take long (a hash of a password, a long past) and must not hold up others
 * behind them. What PostgreSQL undid is tried again by itself; what it may
 * have done is not, unless it only reads.
 */
#include "tables/sql_pool.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_conn
{
	struct sql_pool *pool;
	struct pg_link *link;
	struct call *call;			/* under way */
	char		name[24];
};

struct call
{
	struct call *next;
	struct sql_pool *pool;
	struct pool_conn *conn;		/* where it is under way */
	struct call_request request;
	struct pg_params params;
	call_fn		answer;			/* NULL: nobody waits for it any longer */
	void	   *arg;
	unsigned	attempts;
	uint64_t	until_ms;		/* to be sent */
};

struct sql_pool
{
	uv_loop_t  *loop;
	struct metrics *metrics;
	struct pool_conn *conns;
	int			conn_count;
	struct pg_statement *statements;
	struct call *first;
	struct call **last;
	int			waiting;
	bool		closing;
};

static const char become[] = "become";

static const struct pg_setup setup[] = {
	{"SET timezone = 'UTC'", false, NULL},
	{"SET statement_timeout = " LIMIT_CALL_MS, false, NULL},
	{"SET lock_timeout = " LIMIT_CALL_LOCK_MS, false, NULL},
	{"SELECT has_function_privilege('converge.become(text)', 'EXECUTE')", true,
	"the role may not call converge.become(); SELECT converge.allow_relay('role') permits it"},
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

static void dispatch(struct sql_pool *pool);

/* ---- answers ---- */

/* Tell whoever asked, and be done with a call. */
static void
finish(struct call *call, enum call_result outcome, const PGresult *result)
{
	if (call->answer != NULL)
		call->answer(call->arg, outcome, result);
	free(call);
}

/* Put a call in front of the queue: it was there before. */
static void
push_back(struct call *call)
{
	struct sql_pool *pool = call->pool;

	call->conn = NULL;
	call->next = pool->first;
	pool->first = call;
	if (call->next == NULL)
		pool->last = &call->next;
	pool->waiting++;
	pool->metrics->call_retries++;
}

/* Tell whether a failed call may go again: what PostgreSQL undid, or had not prepared on this connection. */
static bool
goes_again(const struct call *call, const char *sqlstate)
{
	if (call->answer == NULL || call->attempts >= LIMIT_CALL_ATTEMPTS)
		return false;
	return strncmp(sqlstate, "40", 2) == 0 || strcmp(sqlstate, SQLSTATE_UNPREPARED) == 0;
}

/* Take the answer to a call. */
static void
on_answer(void *arg, PGresult *result)
{
	struct call *call = arg;
	struct sql_pool *pool = call->pool;
	struct pool_conn *conn = call->conn;
	bool		failed = result != NULL && PQresultStatus(result) != PGRES_TUPLES_OK;
	const char *sqlstate = failed ? pg_sqlstate(result) : "";

	conn->call = NULL;
	if (pool->closing)
		finish(call, result != NULL ? failed ? CALL_FAILED : CALL_DONE : CALL_IN_DOUBT, result);
	else if (result == NULL && call->answer != NULL && call->request.repeatable && call->attempts < LIMIT_CALL_ATTEMPTS)
		push_back(call);
	else if (result == NULL)
		finish(call, CALL_IN_DOUBT, NULL);
	else if (failed && goes_again(call, sqlstate))
	{
		if (strcmp(sqlstate, SQLSTATE_UNPREPARED) == 0)
			pg_link_fail(conn->link, pg_message(result));
		push_back(call);
	}
	else
		finish(call, failed ? CALL_FAILED : CALL_DONE, result);
	if (!pool->closing)
		dispatch(pool);
}

/* ---- calls ---- */

/* Send a call on a conn that is free. */
static void
send_call(struct pool_conn *conn, struct call *call)
{
	struct pg_params who = {0};
	struct pg_call calls[2] = {{become, &who}, {call->request.statement, &call->params}};
	bool		named = call->request.user != NULL;

	pg_param_text(&who, call->request.user);
	call->conn = conn;
	call->attempts++;
	conn->call = call;
	if (pg_link_send_all(conn->link, named ? calls : calls + 1, named ? 2 : 1, on_answer, call))
		return;
	conn->call = NULL;
	push_back(call);
}

/* Send what can go. */
static void
dispatch(struct sql_pool *pool)
{
	for (int i = 0; i < pool->conn_count && pool->first != NULL; i++)
	{
		struct pool_conn *conn = &pool->conns[i];
		struct call *call = pool->first;

		if (conn->call != NULL || !pg_link_is_ready(conn->link))
			continue;
		pool->first = call->next;
		if (pool->first == NULL)
			pool->last = &pool->first;
		pool->waiting--;
		send_call(conn, call);
	}
}

/* Make a call. */
struct call *
sql_pool_call(struct sql_pool *pool, const struct call_request *request, call_fn answer, void *arg)
{
	struct call *call;

	if (pool->closing || pool->waiting >= LIMIT_CALLS_WAITING)
		return NULL;
	call = mem_zalloc(sizeof(struct call));
	call->pool = pool;
	call->request = *request;
	call->params = *request->params;
	call->answer = answer;
	call->arg = arg;
	call->until_ms = uv_now(pool->loop) + LIMIT_CALL_WAIT_MS;
	*pool->last = call;
	pool->last = &call->next;
	pool->waiting++;
	pool->metrics->calls++;
	dispatch(pool);
	return call;
}

/* Take a call out of the queue. */
static void
unqueue(struct call *call)
{
	struct sql_pool *pool = call->pool;
	struct call **at = &pool->first;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (call->next == NULL)
		pool->last = at;
	pool->waiting--;
}

/* Wait for a call's answer no longer; what is under way is done all the same. */
void
call_cancel(struct call *call)
{
	call->answer = NULL;
	if (call->conn != NULL)
		return;
	unqueue(call);
	free(call);
}

/* Answer those who have waited too long. */
void
sql_pool_tick(struct sql_pool *pool)
{
	uint64_t	now = uv_now(pool->loop);
	struct call *next;

	for (struct call *call = pool->first; call != NULL; call = next)
	{
		next = call->next;
		if (call->until_ms > now)
			continue;
		unqueue(call);
		finish(call, CALL_LATER, NULL);
	}
}

/* ---- beginning and end ---- */

static void
on_ready(void *arg)
{
	struct pool_conn *conn = arg;

	dispatch(conn->pool);
}

static void
on_lost(void *arg)
{
	(void) arg;					/* its call was answered with nothing */
}

/* Tell whether calls can be made now. */
bool
sql_pool_is_ready(const struct sql_pool *pool)
{
	for (int i = 0; i < pool->conn_count; i++)
	{
		if (pg_link_is_ready(pool->conns[i].link))
			return true;
	}
	return false;
}

/* Tell whether every call was answered. */
bool
sql_pool_is_idle(const struct sql_pool *pool)
{
	for (int i = 0; i < pool->conn_count; i++)
	{
		if (pool->conns[i].call != NULL)
			return false;
	}
	return pool->first == NULL;
}

/* Begin: open the connections. */
struct sql_pool *
sql_pool_new(uv_loop_t *loop, const struct config *config, struct metrics *metrics,
			 const struct pg_statement *statements, int statement_count)
{
	struct sql_pool *pool = mem_zalloc(sizeof(struct sql_pool));

	pool->loop = loop;
	pool->metrics = metrics;
	pool->last = &pool->first;
	pool->conn_count = config->callers;
	pool->conns = mem_zalloc((size_t) config->callers * sizeof(struct pool_conn));
	pool->statements = mem_zalloc((size_t) (statement_count + 1) * sizeof(struct pg_statement));
	pool->statements[0] = (struct pg_statement)
	{
		become, "SELECT converge.become($1::text)", HISTOGRAM_PG_CALL
	};
	memcpy(pool->statements + 1, statements, (size_t) statement_count * sizeof(struct pg_statement));
	for (int i = 0; i < config->callers; i++)
	{
		struct pool_conn *conn = &pool->conns[i];
		struct pg_link_config link = {
			.name = conn->name,.dsn = config->dsn,.loop = loop,.metrics = metrics,
			.setup = setup,.setup_count = SETUP_COUNT,
			.statements = pool->statements,.statement_count = statement_count + 1,
			.on_ready = on_ready,.on_lost = on_lost,.arg = conn,
		};

		conn->pool = pool;
		snprintf(conn->name, sizeof(conn->name), "caller %d", i + 1);
		conn->link = pg_link_open(&link);
	}
	return pool;
}

/* End; what is still asked is answered with nothing. */
void
sql_pool_close(struct sql_pool *pool)
{
	pool->closing = true;
	for (int i = 0; i < pool->conn_count; i++)
		pg_link_close(pool->conns[i].link);
	while (pool->first != NULL)
	{
		struct call *call = pool->first;

		unqueue(call);
		finish(call, CALL_LATER, NULL);
	}
	free(pool->statements);
	free(pool->conns);
	free(pool);
}
