/*
 * tables/sql_pool.c: calls of SQL functions on behalf of users, for HTTP.
 *
 * A call is one transaction, sent in one go: become the user, then do what he
 * asks, so that he may do what he may do in SQL and nothing is decided here.
 * Calls wait in turn by their users for a connection; each has one at a time, since
 * some take long (a hash of a password, a long past) and must not hold up others
 * behind them. A user has half of the connections at most, and the last free one
 * only if they have none. What PostgreSQL undid is tried again by itself; what it may
 * have done is not, unless it only reads. What nobody waits for any longer is
 * cancelled.
 */
#include "tables/sql_pool.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* what a lane may spend in a turn, in milliseconds of PostgreSQL's time, about */
#define QUANTUM 20
#define BYTES_A_MS 65536

/* an answer of this size is asked for without a reservation, if the memory is not small */
#define SMALL_MOST (1024 * 1024)

/* long answers whose lengths are remembered */
#define SIZES 1024

/* where there was no memory, the next attempt is after this time */
#define RETRY_MS 100

struct pool_conn
{
	struct sql_pool *pool;
	struct pg_link *link;
	struct call *call;			/* under way */
	char		name[24];
};

struct call
{
	struct turn turn;			/* first: what waits in turn is a call */
	struct sql_pool *pool;
	struct pool_conn *conn;		/* where it is under way */
	struct call_request request;
	struct pg_params params;
	call_fn		answer;			/* NULL: nobody waits for it any longer */
	void	   *arg;
	unsigned	attempts;
	uint64_t	until_ms;		/* to be sent */
	uint64_t	sent_ms;
	size_t		room;			/* most bytes that the answer may have */
	size_t		reserved;
	bool		blocked;		/* there was no memory for it */
	uint64_t	retry_ms;
};

struct sql_pool
{
	uv_loop_t  *loop;
	struct metrics *metrics;
	struct pool_conn *conns;
	int			conn_count;
	struct pg_statement *statements;
	struct turns turns;			/* of users */
	size_t		sizes[SIZES];	/* of long answers, by what was asked */
	size_t		small;			/* an answer for which nothing is reserved */
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

/* Give back what was reserved for an answer. */
static void
unreserve(struct call *call)
{
	if (call->reserved > 0 && call->request.purse != NULL)
		ledger_release(call->request.purse, LEDGER_ASKED, call->reserved);
	call->reserved = 0;
}

/* Tell whoever asked, and be done with a call. */
static void
finish(struct call *call, enum call_result outcome, const PGresult *result)
{
	uint64_t	took_ms = call->sent_ms > 0 ? uv_now(call->pool->loop) - call->sent_ms : 0;

	unreserve(call);
	turns_done(&call->pool->turns, &call->turn, (double) took_ms);
	if (call->answer != NULL)
		call->answer(call->arg, outcome, result, took_ms);
	free(call);
}

/* Put a call in front of those of its user: it was there before. */
static void
push_back(struct call *call)
{
	unreserve(call);
	call->conn = NULL;
	turns_put_back(&call->pool->turns, &call->turn);
	call->pool->metrics->call_retries++;
}

/* Get where the length of a long answer is remembered. */
static size_t *
known_size(const struct call *call)
{
	const struct call_request *request = &call->request;
	size_t		hash = (size_t) (uintptr_t) request->statement;

	for (int i = 0; i < call->params.count; i++)
	{
		for (const char *p = call->params.values[i]; p != NULL && *p != '\0'; p++)
			hash = hash * 31 + (unsigned char) *p;
	}
	return &call->pool->sizes[hash % SIZES];
}

/* Return true if an answer was longer than its room: it is asked for again, with more. */
static bool
needs_room(struct call *call, const PGresult *result)
{
	int			column = PQfnumber(result, CALL_BYTES);
	size_t		bytes;

	if (column < 0 || PQntuples(result) != 1 || PQgetisnull(result, 0, column))
		return false;
	bytes = strtoull(PQgetvalue(result, 0, column), NULL, 10);
	*known_size(call) = bytes > call->pool->small ? bytes : 0;
	if (bytes <= call->room || bytes > LIMIT_ANSWER_BYTES)
		return false;
	call->room = bytes + bytes / 8;
	return true;
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
	else if (!failed && call->answer != NULL && call->request.bounded && needs_room(call, result))
		push_back(call);
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
	struct pg_params params = call->params;
	struct pg_call calls[2] = {{become, &who}, {call->request.statement, &params}};
	bool		named = call->request.user != NULL;
	char		room[24];

	pg_param_text(&who, call->request.user);
	if (call->request.bounded)
	{
		snprintf(room, sizeof(room), "%zu", call->room);
		pg_param_text(&params, room);
	}
	call->conn = conn;
	call->attempts++;
	call->sent_ms = uv_now(call->pool->loop);
	conn->call = call;
	if (pg_link_send_all(conn->link, named ? calls : calls + 1, named ? 2 : 1, on_answer, call))
		return;
	conn->call = NULL;
	push_back(call);
}

/* Return true if a call has a large answer, as far as is known. */
static bool
is_large(const struct call *call)
{
	return call->room > call->pool->small;
}

/* Reserve what a long answer takes while it arrives; false: it has to wait. */
static bool
reserve(struct call *call)
{
	struct ledger_purse *purse = call->request.purse;
	size_t		bytes = call->room * 2;

	call->blocked = false;
	if (purse == NULL || purse->ledger == NULL || !is_large(call))
		return true;
	if (bytes > purse->ledger->config.bound / 4 * 3)
		bytes = purse->ledger->config.bound / 4 * 3 > call->room ? purse->ledger->config.bound / 4 * 3 : bytes;
	if (ledger_reserve(purse, bytes, call->room) == LEDGER_GRANTED)
	{
		call->reserved = bytes;
		return true;
	}
	call->blocked = true;
	call->retry_ms = uv_now(call->pool->loop) + RETRY_MS;
	return false;
}

/* Return true if a connection can be given a call. */
static bool
is_free(const struct pool_conn *conn)
{
	return conn->call == NULL && pg_link_is_ready(conn->link) && !pg_link_is_cancelling(conn->link);
}

/* Count the connections that are free. */
static int
count_free(const struct sql_pool *pool)
{
	int			count = 0;

	for (int i = 0; i < pool->conn_count; i++)
		count += is_free(&pool->conns[i]);
	return count;
}

/* Return true if a call leaves one of several connections to calls with small answers. */
static bool
leaves_one(const struct sql_pool *pool, const struct call *call)
{
	int			ready = 0;
	int			large = 0;

	if (!is_large(call))
		return true;
	for (int i = 0; i < pool->conn_count; i++)
	{
		const struct pool_conn *conn = &pool->conns[i];

		ready += pg_link_is_ready(conn->link);
		large += conn->call != NULL && is_large(conn->call);
	}
	return ready <= 1 || large < ready - 1;
}

/* Return true if the first call of a lane may go now. */
static bool
may_go(void *arg, struct turn *first)
{
	const struct sql_pool *pool = arg;
	const struct call *call = (const struct call *) first;

	if (!leaves_one(pool, call))
		return false;
	/* one connection is the last and the first */
	if (!turns_may_occupy(first->lane, pool->conn_count > 1 ? count_free(pool) : 2, (pool->conn_count + 1) / 2))
		return false;
	return !call->blocked || uv_now(pool->loop) >= call->retry_ms;
}

/* Send what can go. */
static void
dispatch(struct sql_pool *pool)
{
	for (int i = 0; i < pool->conn_count; i++)
	{
		struct pool_conn *conn = &pool->conns[i];
		struct turn *turn = NULL;

		while (is_free(conn) && (turn = turns_next(&pool->turns, may_go, pool)) != NULL)
		{
			struct call *call = (struct call *) turn;

			if (reserve(call))
				send_call(conn, call);
			else
				push_back(call);
		}
	}
}

/* Make a call. */
struct call *
sql_pool_call(struct sql_pool *pool, const struct call_request *request, call_fn answer, void *arg)
{
	struct call *call;

	if (pool->closing || pool->turns.waiting >= LIMIT_CALLS_WAITING)
		return NULL;
	call = mem_zalloc(sizeof(struct call));
	call->pool = pool;
	call->request = *request;
	call->params = *request->params;
	call->answer = answer;
	call->arg = arg;
	call->until_ms = uv_now(pool->loop) + LIMIT_CALL_WAIT_MS;
	call->room = *known_size(call) > pool->small ? *known_size(call) + *known_size(call) / 8 : pool->small;
	turns_put(&pool->turns, &call->turn, request->lane, 1);
	if (call->turn.lane->waiting > LIMIT_CALLS_A_USER)
	{
		turns_remove(&pool->turns, &call->turn);
		free(call);
		return NULL;
	}
	pool->metrics->calls++;
	dispatch(pool);
	return call;
}

/* Wait for a call's answer no longer; true: it was under way, and PostgreSQL is asked to cancel it. */
bool
call_cancel(struct call *call)
{
	call->answer = NULL;
	unreserve(call);
	call->request.purse = NULL;
	if (call->conn != NULL)
	{
		pg_link_cancel(call->conn->link, call);
		return true;
	}
	turns_remove(&call->pool->turns, &call->turn);
	free(call);
	return false;
}

/* Answer one that has waited too long. */
static void
end_waiting(void *arg, struct turn *turn)
{
	struct sql_pool *pool = arg;
	struct call *call = (struct call *) turn;

	if (call->until_ms > uv_now(pool->loop) && !pool->closing)
		return;
	if (call->blocked)
		pool->metrics->refused_memory++;
	call->sent_ms = 0;
	finish(call, call->blocked ? CALL_NO_MEMORY : CALL_LATER, NULL);
}

/* Answer those who have waited too long. */
void
sql_pool_tick(struct sql_pool *pool)
{
	turns_each(&pool->turns, end_waiting, pool);
	dispatch(pool);
}

/* Connect anew what holds a large buffer for nothing. */
void
sql_pool_shed(struct sql_pool *pool)
{
	for (int i = 0; i < pool->conn_count; i++)
		pg_link_shed(pool->conns[i].link);
}

/* ---- beginning and end ---- */

static void
on_ready(void *arg)
{
	struct pool_conn *conn = arg;

	dispatch(conn->pool);
}

static void
on_cancelled(void *arg)
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
	return pool->turns.waiting == 0;
}

/* Get how long an answer may be for which nothing is reserved: all connections together have a part of the memory. */
static size_t
small_answer(const struct config *config)
{
	size_t		share = ((size_t) config->max_memory_mib << 20) / 16 / (size_t) config->callers;

	return share < SMALL_MOST ? share : SMALL_MOST;
}

/* Begin: open the connections. */
struct sql_pool *
sql_pool_new(uv_loop_t *loop, const struct config *config, struct metrics *metrics,
			 const struct pg_statement *statements, int statement_count)
{
	struct sql_pool *pool = mem_zalloc(sizeof(struct sql_pool));

	pool->loop = loop;
	pool->metrics = metrics;
	turns_init(&pool->turns, QUANTUM);
	pool->small = small_answer(config);
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
			.on_ready = on_ready,.on_lost = on_lost,.on_cancelled = on_cancelled,.arg = conn,
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
	turns_each(&pool->turns, end_waiting, pool);
	turns_free(&pool->turns);
	free(pool->statements);
	free(pool->conns);
	free(pool);
}
