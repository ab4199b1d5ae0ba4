/*
 * metrics.h: what the relay counts, one row a metric.
 *
 * A row is field, kind, name (with its labels, where it has some) and help.
 * Rows of one name with different labels stand together.
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "mem.h"

#include <stdint.h>

/* *INDENT-OFF* */
#define METRICS(M) \
	M(connections, gauge, "connections", "WebSocket clients connected") \
	M(connections_total, counter, "connections_total", "WebSocket clients ever connected") \
	M(sessions_live, gauge, "sessions_live", "clients that receive operations") \
	M(rooms, gauge, "rooms", "documents that have clients here") \
	M(ring_bytes, gauge, "ring_bytes", "bytes of operations kept ready in rooms") \
	M(ring_misses, counter, "ring_misses_total", "clients served from the tables because they were too far behind") \
	M(room_gaps, counter, "room_gaps_total", "times a room had to read missing operations from the tables") \
	M(ops_in, counter, "ops_in_total", "operations received from clients") \
	M(ops_applied, counter, "ops_applied_total", "operations of clients that were committed") \
	M(ops_duplicate, counter, "ops_duplicate_total", "operations of clients that had been committed before") \
	M(ops_published, counter, "ops_published_total", "operations published in rooms") \
	M(frames_direct, counter, "frames_total{path=\"direct\"}", "frames of operations sent, at once or when a socket had room again") \
	M(frames_behind, counter, "frames_total{path=\"behind\"}", NULL) \
	M(bytes_out, counter, "bytes_out_total", "bytes of messages sent") \
	M(bytes_in, counter, "bytes_in_total", "bytes of messages received") \
	M(reject_stale, counter, "rejects_total{code=\"stale\"}", "operations rejected, by code") \
	M(reject_forbidden, counter, "rejects_total{code=\"forbidden\"}", NULL) \
	M(reject_invalid, counter, "rejects_total{code=\"invalid\"}", NULL) \
	M(reject_conflict, counter, "rejects_total{code=\"conflict\"}", NULL) \
	M(reject_too_large, counter, "rejects_total{code=\"too_large\"}", NULL) \
	M(reject_rate_limited, counter, "rejects_total{code=\"rate_limited\"}", NULL) \
	M(reject_unavailable, counter, "rejects_total{code=\"unavailable\"}", NULL) \
	M(batches, counter, "batches_total", "batches of operations submitted to PostgreSQL") \
	M(batch_ops, counter, "batch_ops_total", "operations in those batches") \
	M(batch_failures, counter, "batch_failures_total", "batches that PostgreSQL failed as a whole") \
	M(busy_documents, counter, "busy_documents_total", "times a document was locked by somebody else") \
	M(ops_held, gauge, "ops_held", "operations waiting for PostgreSQL") \
	M(joins, counter, "joins_total", "joins answered") \
	M(catch_ups, counter, "catch_ups_total", "catch-ups read from the tables") \
	M(access_checks, counter, "access_checks_total", "times the tables were asked who may still read a document") \
	M(roles_changed, counter, "roles_changed_total", "clients told of another role while connected") \
	M(revocations, counter, "revocations_total", "clients closed because they may not read any longer") \
	M(refused_origin, counter, "refused_total{reason=\"origin\"}", "connections refused, by reason") \
	M(refused_address, counter, "refused_total{reason=\"address\"}", NULL) \
	M(refused_user, counter, "refused_total{reason=\"user\"}", NULL) \
	M(refused_full, counter, "refused_total{reason=\"full\"}", NULL) \
	M(refused_token, counter, "refused_total{reason=\"token\"}", NULL) \
	M(slowed, counter, "slowed_total", "times a client was read more slowly") \
	M(floods, counter, "floods_total", "clients closed because they sent too much") \
	M(timeouts_hello, counter, "timeouts_total{what=\"hello\"}", "clients closed because something of theirs did not come in time") \
	M(timeouts_message, counter, "timeouts_total{what=\"message\"}", NULL) \
	M(timeouts_pong, counter, "timeouts_total{what=\"pong\"}", NULL) \
	M(stream_events, counter, "stream_events_total", "events received from logical decoding") \
	M(pg_reconnects, counter, "pg_reconnects_total", "connections to PostgreSQL lost or refused") \
	M(stream_up, gauge, "stream_up", "1 while the replication stream runs")
/* *INDENT-ON* */

#define METRIC_FIELD(field, kind, name, help) uint64_t field;

struct metrics
{
	METRICS(METRIC_FIELD)
};

void		metrics_write(const struct metrics *m, struct buf *out);

#endif							/* RELAY_METRICS_H */
