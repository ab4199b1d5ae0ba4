/*
 * pg/probe.h: whether PostgreSQL behind a link answers and takes writes, and
 * how far its log is.
 */
#ifndef RELAY_PG_PROBE_H
#define RELAY_PG_PROBE_H

#include "pg/link.h"

#include <stdint.h>
#include <uv.h>

/* a row of the link's statements; a standby has no end of the log to tell */
#define PG_PROBE_STATEMENT \
	{"probe", "SELECT current_setting('transaction_read_only')::boolean," \
	" CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0') END", HISTOGRAM_PG_PROBE}

/* the better, the less */
enum pg_health
{
	PG_WELL,
	PG_READ_ONLY,				/* a standby, or set so */
	PG_SILENT,
	PG_UNCONNECTED
};

struct pg_probe;

typedef void (*pg_log_end_fn) (void *arg, uint64_t end);

struct pg_probe *pg_probe_new(uv_loop_t *loop, struct pg_link *link, pg_log_end_fn log_end, void *arg);
void		pg_probe_ask(struct pg_probe *probe);
enum pg_health pg_probe_health(const struct pg_probe *probe);
void		pg_probe_close(struct pg_probe *probe);

#endif							/* RELAY_PG_PROBE_H */
