/*
 * pg/probe.h: checks that the PostgreSQL of a link answers and accepts writes, and
 * reads the end of its log.
 */
#ifndef RELAY_PG_PROBE_H
#define RELAY_PG_PROBE_H

#include "pg/link.h"

#include <stdint.h>
#include <uv.h>

/* a row of the link's statements; a standby returns no end of the log */
#define PG_PROBE_STATEMENT \
	{"probe", "SELECT current_setting('transaction_read_only')::boolean," \
	" CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') END", HISTOGRAM_PG_PROBE}

/* lower values are better */
enum pg_health
{
	PG_WELL,
	PG_READ_ONLY,				/* a standby, or set so */
	PG_SILENT,
	PG_UNCONNECTED
};

struct pg_probe;

typedef void (*pg_log_end_fn) (void *arg, uint64_t end);

/*
 * Start probing; log_end, if not NULL, is called with the end of the log. A link that
 * serves clients is probed while it has nothing to do: one that is busy does not hang,
 * and the link that no client's work can delay tells whether the server does.
 */
struct pg_probe *pg_probe_new(uv_loop_t *loop, struct pg_link *link, pg_log_end_fn log_end, void *arg);
void		pg_probe_ask(struct pg_probe *probe);
enum pg_health pg_probe_health(const struct pg_probe *probe);
void		pg_probe_close(struct pg_probe *probe);

#endif							/* RELAY_PG_PROBE_H */
