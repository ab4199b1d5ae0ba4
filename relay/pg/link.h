/*
 * pg/link.h: an asynchronous connection to PostgreSQL that reconnects by itself.
 */
#ifndef RELAY_PG_LINK_H
#define RELAY_PG_LINK_H

#include "base/log.h"
#include "base/metrics.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PG_LINK_PARAMS 9

struct pg_link;

/* statements run in order on each new connection; `must` ones have to return true */
struct pg_setup
{
	const char *sql;
	bool		must;
	const char *complaint;		/* what is wrong when it does not */
};

/* a row of them: statements have so many milliseconds, unless the role or the database sets another time */
#define PG_TIMEOUT(ms) \
	{"SELECT pg_catalog.set_config('statement_timeout', '" ms "', false)" \
	" WHERE pg_catalog.current_setting('statement_timeout') = '0'", false, NULL}

struct pg_statement
{
	const char *name;
	const char *sql;
	enum histogram_number times;	/* where its round trips are counted */
};

struct pg_link_config
{
	const char *name;			/* for the log */
	const char *dsn;
	bool		replication;	/* a walsender: input goes to on_input, no
								 * statements */
	const struct pg_setup *setup;
	int			setup_count;
	const struct pg_statement *statements;
	int			statement_count;
	void		(*on_ready) (void *arg);
	void		(*on_lost) (void *arg);
	void		(*on_input) (void *arg);
	void		(*on_notify) (void *arg, const char *payload);	/* or NULL */
	void		(*on_cancelled) (void *arg);	/* no cancellation is under way any more; or NULL */
	void	   *arg;
	uv_loop_t  *loop;
	struct metrics *metrics;
};

struct pg_params
{
	int			count;
	const char *values[PG_LINK_PARAMS];
	int			lengths[PG_LINK_PARAMS];
	int			formats[PG_LINK_PARAMS];
};

/* a prepared statement and its parameters */
struct pg_call
{
	const char *statement;
	const struct pg_params *params;
};

/* receives the answer to a statement; NULL: the connection was lost before the answer */
typedef void (*pg_answer_fn) (void *arg, PGresult *result);

struct pg_link *pg_link_open(const struct pg_link_config *config);
void		pg_link_close(struct pg_link *link);
bool		pg_link_is_ready(const struct pg_link *link);
int			pg_link_under_way(const struct pg_link *link);
bool		pg_link_send(struct pg_link *link, const char *statement, const struct pg_params *params,
						 pg_answer_fn answer, void *arg);
bool		pg_link_send_all(struct pg_link *link, const struct pg_call *calls, int count,
							 pg_answer_fn answer, void *arg);

/*
 * Ask PostgreSQL to cancel the statement of this arg, if it is the one that runs. The
 * request may come too late and meet the next one: until pg_link_is_cancelling is
 * false again, any statement of the link may fail with SQLSTATE 57014.
 */
void		pg_link_cancel(struct pg_link *link, const void *arg);
bool		pg_link_is_cancelling(const struct pg_link *link);
/* connect anew, if the connection does nothing and has large buffers, which libpq never gives back */
void		pg_link_shed(struct pg_link *link);
void		pg_link_fail(struct pg_link *link, const char *reason);

/*
 * Record that the connection has done useful work; the link records statements by
 * itself. Only work, or enough time, makes the reconnection pauses short again.
 */
void		pg_link_worked(struct pg_link *link);

/* Return the level at which to log a new connection: debug if the connections before it did no work. */
enum log_level pg_link_news_level(const struct pg_link *link);
PGconn	   *pg_link_conn(struct pg_link *link);
void		pg_link_flush(struct pg_link *link);

void		pg_param_text(struct pg_params *params, const char *text);
void		pg_param_binary(struct pg_params *params, const void *data, size_t len);

#endif							/* RELAY_PG_LINK_H */
