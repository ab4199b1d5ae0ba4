/*
 * tables/caller.h: calls of SQL functions on behalf of users, for HTTP.
 */
#ifndef RELAY_CALLER_H
#define RELAY_CALLER_H

#include "base/config.h"
#include "base/metrics.h"
#include "pg/link.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

struct caller;
struct call;

struct call_request
{
	const char *statement;		/* prepared: one of caller_new's */
	const char *user;			/* on whose behalf; NULL: on nobody's */
	const struct pg_params *params;
	bool		repeatable;		/* nothing is written: where it is not known
								 * whether it was done, it is done again */
};

enum call_result
{
	CALL_DONE,					/* the result has rows */
	CALL_FAILED,				/* ... or an error, and nothing was done */
	CALL_LATER,					/* PostgreSQL could not be asked; nothing was
								 * done */
	CALL_IN_DOUBT				/* the connection was lost before the answer */
};

typedef void (*call_fn) (void *arg, enum call_result outcome, const PGresult *result);

struct caller *caller_new(uv_loop_t *loop, const struct config *config, struct metrics *metrics,
						  const struct pg_statement *statements, int statement_count);
void		caller_close(struct caller *caller);
bool		caller_is_ready(const struct caller *caller);
bool		caller_is_idle(const struct caller *caller);

/*
 * Make a call; its texts must stay until the answer, which comes exactly once.
 * NULL when too many wait already, and then none comes; nor after call_cancel.
 */
struct call *caller_call(struct caller *caller, const struct call_request *request, call_fn answer, void *arg);
void		call_cancel(struct call *call);

/* answer those who have waited too long; to be called every second */
void		caller_tick(struct caller *caller);

#endif							/* RELAY_CALLER_H */
