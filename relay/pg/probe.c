/*
 * pg/probe.c: checks that the PostgreSQL of a link answers and accepts writes,
 * and reads the end of its log.
 *
 * An open connection proves little: the server may hang, may have become
 * read-only, or may be a standby. So the probe sends a cheap statement when the
 * connection is made, and then at regular intervals.
 */
#include "pg/probe.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <stdlib.h>

struct pg_probe
{
	struct pg_link *link;
	pg_log_end_fn log_end;
	void	   *arg;
	uv_timer_t	timer;
	uint64_t	asked_ms;		/* when the question under way was */
	bool		asking;
	bool		answered;		/* since the link is ready */
	bool		read_only;
};

/* Take the answer; without one the connection is lost. */
static void
on_answer(void *arg, PGresult *result)
{
	struct pg_probe *probe = arg;

	probe->asking = false;
	if (result == NULL || PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
	{
		probe->answered = false;
		return;
	}
	probe->answered = true;
	probe->read_only = *PQgetvalue(result, 0, 0) == 't';
	if (probe->log_end != NULL && !PQgetisnull(result, 0, 1))
		probe->log_end(probe->arg, strtoull(PQgetvalue(result, 0, 1), NULL, 10));
}

/* Ask, unless an answer is still awaited. */
void
pg_probe_ask(struct pg_probe *probe)
{
	struct pg_params params = {0};

	if (probe->asking)
		return;
	probe->asking = pg_link_send(probe->link, "probe", &params, on_answer, probe);
	probe->asked_ms = uv_now(probe->timer.loop);
}

static void
on_timer(uv_timer_t *timer)
{
	struct pg_probe *probe = timer->data;

	if (probe->log_end != NULL || pg_link_under_way(probe->link) == 0)
		pg_probe_ask(probe);
}

/* Return the result of the last probe. */
enum pg_health
pg_probe_health(const struct pg_probe *probe)
{
	if (!pg_link_is_ready(probe->link))
		return PG_UNCONNECTED;
	if (!probe->answered || (probe->asking && uv_now(probe->timer.loop) - probe->asked_ms > LIMIT_PROBE_ANSWER_MS))
		return PG_SILENT;
	return probe->read_only ? PG_READ_ONLY : PG_WELL;
}

/* Start probing; log_end, if not NULL, is called with the end of the log. */
struct pg_probe *
pg_probe_new(uv_loop_t *loop, struct pg_link *link, pg_log_end_fn log_end, void *arg)
{
	struct pg_probe *probe = mem_zalloc(sizeof(struct pg_probe));

	probe->link = link;
	probe->log_end = log_end;
	probe->arg = arg;
	uv_timer_init(loop, &probe->timer);
	probe->timer.data = probe;
	uv_timer_start(&probe->timer, on_timer, LIMIT_PROBE_MS, LIMIT_PROBE_MS);
	return probe;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* End, after the link was closed. */
void
pg_probe_close(struct pg_probe *probe)
{
	uv_close((uv_handle_t *) &probe->timer, on_timer_closed);
}
