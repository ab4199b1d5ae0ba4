/*
 * tables/caller.c: calls of SQL functions on behalf of users, for HTTP.
 *
 * A call is one transaction, sent in one go: become the user, then do what he
 * asks, so that he may do what he may do in SQL and nothing is decided here.
 * Calls wait in one queue for a connection; each has one at a time, since some
 * take long (a hash of a password, a long past) and must not hold up others
 * behind them. What PostgreSQL undid is tried again by itself; what it may
 * have done is not, unless it only reads.
 */
#include "tables/caller.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line
{
	struct caller *caller;
	struct pg_link *link;
	struct call *call;			/* under way */
	char		name[24];
};

struct call
{
	struct call *next;
	struct caller *caller;
	struct line *line;			/* where it is under way */
	struct call_request request;
	struct pg_params params;
	call_fn		answer;			/* NULL: nobody waits for it any longer */
	void	   *arg;
	unsigned	attempts;
	uint64_t	until_ms;		/* to be sent */
};

struct caller
{
	uv_loop_t  *loop;
	struct metrics *metrics;
	struct line *lines;
	int			line_count;
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
	"the role may not call converge.become(); SELECT converge.allow_relay('role') lets it"},
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

static void dispatch(struct caller *caller);

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
	struct caller *caller = call->caller;

	call->line = NULL;
	call->next = caller->first;
	caller->first = call;
	if (call->next == NULL)
		caller->last = &call->next;
	caller->waiting++;
	caller->metrics->call_retries++;
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
	struct caller *caller = call->caller;
	struct line *line = call->line;
	bool		failed = result != NULL && PQresultStatus(result) != PGRES_TUPLES_OK;
	const char *sqlstate = failed ? pg_sqlstate(result) : "";

	line->call = NULL;
	if (caller->closing)
		finish(call, result != NULL ? failed ? CALL_FAILED : CALL_DONE : CALL_IN_DOUBT, result);
	else if (result == NULL && call->answer != NULL && call->request.repeatable && call->attempts < LIMIT_CALL_ATTEMPTS)
		push_back(call);
	else if (result == NULL)
		finish(call, CALL_IN_DOUBT, NULL);
	else if (failed && goes_again(call, sqlstate))
	{
		if (strcmp(sqlstate, SQLSTATE_UNPREPARED) == 0)
			pg_link_fail(line->link, pg_message(result));
		push_back(call);
	}
	else
		finish(call, failed ? CALL_FAILED : CALL_DONE, result);
	if (!caller->closing)
		dispatch(caller);
}

/* ---- calls ---- */

/* Send a call on a line that is free. */
static void
send_call(struct line *line, struct call *call)
{
	struct pg_params who = {0};
	struct pg_call calls[2] = {{become, &who}, {call->request.statement, &call->params}};
	bool		named = call->request.user != NULL;

	pg_param_text(&who, call->request.user);
	call->line = line;
	call->attempts++;
	line->call = call;
	if (pg_link_send_all(line->link, named ? calls : calls + 1, named ? 2 : 1, on_answer, call))
		return;
	line->call = NULL;
	push_back(call);
}

/* Send what can go. */
static void
dispatch(struct caller *caller)
{
	for (int i = 0; i < caller->line_count && caller->first != NULL; i++)
	{
		struct line *line = &caller->lines[i];
		struct call *call = caller->first;

		if (line->call != NULL || !pg_link_is_ready(line->link))
			continue;
		caller->first = call->next;
		if (caller->first == NULL)
			caller->last = &caller->first;
		caller->waiting--;
		send_call(line, call);
	}
}

/* Make a call. */
struct call *
caller_call(struct caller *caller, const struct call_request *request, call_fn answer, void *arg)
{
	struct call *call;

	if (caller->closing || caller->waiting >= LIMIT_CALLS_WAITING)
		return NULL;
	call = mem_zalloc(sizeof(struct call));
	call->caller = caller;
	call->request = *request;
	call->params = *request->params;
	call->answer = answer;
	call->arg = arg;
	call->until_ms = uv_now(caller->loop) + LIMIT_CALL_WAIT_MS;
	*caller->last = call;
	caller->last = &call->next;
	caller->waiting++;
	caller->metrics->calls++;
	dispatch(caller);
	return call;
}

/* Take a call out of the queue. */
static void
unqueue(struct call *call)
{
	struct caller *caller = call->caller;
	struct call **at = &caller->first;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	if (call->next == NULL)
		caller->last = at;
	caller->waiting--;
}

/* Wait for a call's answer no longer; what is under way is done all the same. */
void
call_cancel(struct call *call)
{
	call->answer = NULL;
	if (call->line != NULL)
		return;
	unqueue(call);
	free(call);
}

/* Answer those who have waited too long. */
void
caller_tick(struct caller *caller)
{
	uint64_t	now = uv_now(caller->loop);
	struct call *next;

	for (struct call *call = caller->first; call != NULL; call = next)
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
	struct line *line = arg;

	dispatch(line->caller);
}

static void
on_lost(void *arg)
{
	(void) arg;					/* its call was answered with nothing */
}

/* Tell whether calls can be made now. */
bool
caller_is_ready(const struct caller *caller)
{
	for (int i = 0; i < caller->line_count; i++)
	{
		if (pg_link_is_ready(caller->lines[i].link))
			return true;
	}
	return false;
}

/* Tell whether every call was answered. */
bool
caller_is_idle(const struct caller *caller)
{
	for (int i = 0; i < caller->line_count; i++)
	{
		if (caller->lines[i].call != NULL)
			return false;
	}
	return caller->first == NULL;
}

/* Begin: open the connections. */
struct caller *
caller_new(uv_loop_t *loop, const struct config *config, struct metrics *metrics,
		   const struct pg_statement *statements, int statement_count)
{
	struct caller *caller = mem_zalloc(sizeof(struct caller));

	caller->loop = loop;
	caller->metrics = metrics;
	caller->last = &caller->first;
	caller->line_count = config->callers;
	caller->lines = mem_zalloc((size_t) config->callers * sizeof(struct line));
	caller->statements = mem_zalloc((size_t) (statement_count + 1) * sizeof(struct pg_statement));
	caller->statements[0] = (struct pg_statement)
	{
		become, "SELECT converge.become($1::text)", HISTOGRAM_PG_CALL
	};
	memcpy(caller->statements + 1, statements, (size_t) statement_count * sizeof(struct pg_statement));
	for (int i = 0; i < config->callers; i++)
	{
		struct line *line = &caller->lines[i];
		struct pg_link_config link = {
			.name = line->name,.dsn = config->dsn,.loop = loop,.metrics = metrics,
			.setup = setup,.setup_count = SETUP_COUNT,
			.statements = caller->statements,.statement_count = statement_count + 1,
			.on_ready = on_ready,.on_lost = on_lost,.arg = line,
		};

		line->caller = caller;
		snprintf(line->name, sizeof(line->name), "caller %d", i + 1);
		line->link = pg_link_open(&link);
	}
	return caller;
}

/* End; what is still asked is answered with nothing. */
void
caller_close(struct caller *caller)
{
	caller->closing = true;
	for (int i = 0; i < caller->line_count; i++)
		pg_link_close(caller->lines[i].link);
	while (caller->first != NULL)
	{
		struct call *call = caller->first;

		unqueue(call);
		finish(call, CALL_LATER, NULL);
	}
	free(caller->statements);
	free(caller->lines);
	free(caller);
}
