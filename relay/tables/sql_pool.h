/*
 * tables/sql_pool.h: calls of SQL functions on behalf of users, for HTTP.
 */
#ifndef RELAY_SQL_POOL_H
#define RELAY_SQL_POOL_H

#include "base/config.h"
#include "base/ledger.h"
#include "base/metrics.h"
#include "base/turns.h"
#include "pg/link.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <uv.h>

struct sql_pool;
struct call;

struct call_request
{
	const char *statement;		/* prepared: one of sql_pool_new's */
	const char *user;			/* on whose behalf; NULL: on nobody's */
	const char *lane;			/* who is served in turn: a user, or an address */
	struct ledger_purse *purse; /* for the answer; must stay until it comes */
	const struct pg_params *params;
	bool		repeatable;		/* done twice is as done once: where it is
								 * not known whether it was done, it is done
								 * again */
	bool		bounded;		/* with repeatable: its last parameter is how
								 * long its answer may be, see CALL_BYTES */
};

enum call_result
{
	CALL_DONE,					/* the result has rows */
	CALL_FAILED,				/* ... or an error, and nothing was done */
	CALL_NO_MEMORY,				/* there was no memory for the answer */
	CALL_LATER,					/* PostgreSQL could not be asked; nothing was
								 * done */
	CALL_IN_DOUBT				/* the connection was lost before the answer */
};

typedef void (*call_fn) (void *arg, enum call_result outcome, const PGresult *result, uint64_t took_ms);

/*
 * The name of a column that says how many bytes a bounded call's answer has. Such a
 * statement has one more parameter, the last: how many it may have; it gives null for
 * an answer with more, and is called again when there is memory for it.
 */
#define CALL_BYTES "bytes"

struct sql_pool *sql_pool_new(uv_loop_t *loop, const struct config *config, struct metrics *metrics,
							  const struct pg_statement *statements, int statement_count);
void		sql_pool_close(struct sql_pool *pool);
bool		sql_pool_is_ready(const struct sql_pool *pool);
bool		sql_pool_is_idle(const struct sql_pool *pool);

/*
 * Make a call; its texts must stay until the answer, which comes exactly once.
 * NULL when too many wait already, and then none comes; nor after call_cancel.
 */
struct call *sql_pool_call(struct sql_pool *pool, const struct call_request *request, call_fn answer, void *arg);

/* wait for no answer; true: the call was under way, and PostgreSQL is asked to cancel it */
bool		call_cancel(struct call *call);

/* give back large buffers that are not in use */
void		sql_pool_shed(struct sql_pool *pool);

/* answer those who have waited too long; to be called every second */
void		sql_pool_tick(struct sql_pool *pool);

#endif							/* RELAY_SQL_POOL_H */
