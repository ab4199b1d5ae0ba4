/*
 * base/metrics.h: the metrics of the relay, one row for each.
 *
 * A row is field, kind, name (with its labels, where it has some) and help; a
 * histogram's, its number, scale, name and help. Rows with the same name and
 * different labels are adjacent, and the first has the help.
 *
 * Metrics with seconds in their name are stored in microseconds and printed in
 * seconds.
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "base/mem.h"

#include <stdint.h>

/* *INDENT-OFF* */
#define METRICS(M) \
	M(connections, gauge, "connections", "WebSocket clients connected") \
	M(connections_total, counter, "connections_total", "WebSocket clients ever connected") \
	M(close_by_peer, counter, "closes_total{code=\"none\"}", "connections that ended, by the relay's close code; none: the client or the network closed it") \
	M(close_too_big, counter, "closes_total{code=\"1009\"}", NULL) \
	M(close_internal, counter, "closes_total{code=\"1011\"}", NULL) \
	M(close_restarting, counter, "closes_total{code=\"1012\"}", NULL) \
	M(close_malformed, counter, "closes_total{code=\"4400\"}", NULL) \
	M(close_unauthenticated, counter, "closes_total{code=\"4401\"}", NULL) \
	M(close_forbidden, counter, "closes_total{code=\"4403\"}", NULL) \
	M(close_not_found, counter, "closes_total{code=\"4404\"}", NULL) \
	M(close_too_slow, counter, "closes_total{code=\"4408\"}", NULL) \
	M(close_holding, counter, "closes_total{code=\"4413\"}", NULL) \
	M(close_flooding, counter, "closes_total{code=\"4429\"}", NULL) \
	M(sessions_live, gauge, "sessions_live", "clients that receive operations") \
	M(rooms, gauge, "rooms", "documents that have clients on this relay") \
	M(ring_bytes, gauge, "ring_bytes", "bytes of operations kept in memory for all documents") \
	M(ring_entries, gauge, "ring_entries", "operations kept in memory for all documents") \
	M(rings_shortened, counter, "rings_shortened_total", "times the operations of all documents exceeded --max-memory and were reduced") \
	M(ring_misses, counter, "ring_misses_total", "clients served from the tables because they were too far behind") \
	M(room_gaps, counter, "room_gaps_total", "times missing operations of a document were read from the tables") \
	M(rooms_lost, counter, "rooms_lost_total", "times the database lost operations that a document's clients had received") \
	M(stream_resyncs, counter, "stream_resyncs_total", "resync lines from the stream: changes that it could not decode") \
	M(ops_in, counter, "ops_in_total", "operations received from clients") \
	M(ops_applied, counter, "ops_applied_total", "operations of clients that were committed") \
	M(ops_duplicate, counter, "ops_duplicate_total", "operations of clients that had been committed before") \
	M(ops_transformed, counter, "ops_transformed_total", "operations of clients that were transformed when they were committed") \
	M(ops_published, counter, "ops_published_total", "operations published to clients") \
	M(ops_from_answers, counter, "ops_from_answers_total", "operations published from PostgreSQL's answer, before the stream delivered them") \
	M(frames_direct, counter, "frames_total{path=\"direct\"}", "frames of operations sent: direct, when they were published; behind, when the socket accepted data again") \
	M(frames_behind, counter, "frames_total{path=\"behind\"}", NULL) \
	M(bytes_out, counter, "bytes_out_total", "bytes of messages sent") \
	M(bytes_in, counter, "bytes_in_total", "bytes of messages received") \
	M(messages_in, counter, "messages_in_total", "messages received") \
	M(deflate_clients, gauge, "deflate_clients", "clients with permessage-deflate") \
	M(deflate_sent, counter, "deflate_messages_total{direction=\"out\"}", "messages sent or received compressed") \
	M(deflate_received, counter, "deflate_messages_total{direction=\"in\"}", NULL) \
	M(deflate_saved, counter, "deflate_saved_bytes_total", "bytes saved by compression") \
	M(reject_stale, counter, "rejects_total{code=\"stale\"}", "operations rejected, by code") \
	M(reject_forbidden, counter, "rejects_total{code=\"forbidden\"}", NULL) \
	M(reject_invalid, counter, "rejects_total{code=\"invalid\"}", NULL) \
	M(reject_conflict, counter, "rejects_total{code=\"conflict\"}", NULL) \
	M(reject_too_large, counter, "rejects_total{code=\"too_large\"}", NULL) \
	M(reject_rate_limited, counter, "rejects_total{code=\"rate_limited\"}", NULL) \
	M(reject_unavailable, counter, "rejects_total{code=\"unavailable\"}", NULL) \
	M(batch_failures, counter, "batch_failures_total", "batches that PostgreSQL failed as a whole") \
	M(busy_documents, counter, "busy_documents_total", "times a document was locked by another transaction") \
	M(ops_held, gauge, "ops_held", "operations waiting for PostgreSQL") \
	M(ops_held_bytes, gauge, "ops_held_bytes", "bytes of the operations waiting for PostgreSQL") \
	M(messages_waiting, gauge, "messages_waiting", "messages other than operations that wait for a slow client") \
	M(messages_waiting_bytes, gauge, "messages_waiting_bytes", "bytes of the messages that wait for slow clients") \
	M(joins_fresh, counter, "joins_total{kind=\"fresh\"}", "joins answered, by what the client had and received") \
	M(joins_resumed, counter, "joins_total{kind=\"resumed\"}", NULL) \
	M(joins_resynced, counter, "joins_total{kind=\"resynced\"}", NULL) \
	M(joins_refused, counter, "joins_total{kind=\"refused\"}", NULL) \
	M(socket_bytes, gauge, "socket_bytes", "bytes of messages that sockets accepted only in part") \
	M(memory_rings, gauge, "memory_bytes{class=\"rings\"}", "bytes that wait in the process, by what they are for; together at most --max-memory") \
	M(memory_frames, gauge, "memory_bytes{class=\"frames\"}", NULL) \
	M(memory_requests, gauge, "memory_bytes{class=\"requests\"}", NULL) \
	M(memory_edits, gauge, "memory_bytes{class=\"edits\"}", NULL) \
	M(memory_asked, gauge, "memory_bytes{class=\"asked\"}", NULL) \
	M(memory_postgres, gauge, "memory_bytes{class=\"postgres\"}", NULL) \
	M(memory_connections, gauge, "memory_bytes{class=\"connections\"}", NULL) \
	M(memory_total, gauge, "memory_held_bytes", "what the process holds of that, which --max-memory bounds") \
	M(memory_largest, gauge, "memory_largest_debtor_bytes", "bytes that wait for the user or address that has most") \
	M(memory_closed, counter, "memory_closed_total", "connections of the largest debtor closed at --max-memory") \
	M(memory_slowed, counter, "memory_slowed_total", "connections of the largest debtor slowed near --max-memory") \
	M(catch_ups, counter, "catch_ups_total", "catch-ups read from the tables") \
	M(access_checks, counter, "access_checks_total", "queries for who may still read a document") \
	M(roles_changed, counter, "roles_changed_total", "clients whose role changed while connected") \
	M(revocations, counter, "revocations_total", "clients closed because they lost permission to read") \
	M(checksums_asked, counter, "checksums_asked_total", "clients asked for the checksum of their text") \
	M(checksums_equal, counter, "checksums_total{result=\"equal\"}", "checksums of clients, by how they compare with the server's") \
	M(checksums_different, counter, "checksums_total{result=\"different\"}", NULL) \
	M(checksums_unknown, counter, "checksums_total{result=\"unknown\"}", NULL) \
	M(checksums_ignored, counter, "checksums_total{result=\"ignored\"}", NULL) \
	M(refused_origin, counter, "refused_total{reason=\"origin\"}", "connections refused, by reason") \
	M(refused_address, counter, "refused_total{reason=\"address\"}", NULL) \
	M(refused_user, counter, "refused_total{reason=\"user\"}", NULL) \
	M(refused_full, counter, "refused_total{reason=\"full\"}", NULL) \
	M(refused_memory, counter, "refused_total{reason=\"memory\"}", NULL) \
	M(refused_token, counter, "refused_total{reason=\"token\"}", NULL) \
	M(slowed, counter, "slowed_total", "times reading from a client was slowed down") \
	M(floods, counter, "floods_total", "clients closed because they sent too much") \
	M(timeouts_hello, counter, "timeouts_total{what=\"hello\"}", "clients closed because a hello, a message or a pong did not arrive in time") \
	M(timeouts_message, counter, "timeouts_total{what=\"message\"}", NULL) \
	M(timeouts_pong, counter, "timeouts_total{what=\"pong\"}", NULL) \
	M(http_requests, counter, "http_requests_total", "requests over HTTP") \
	M(http_2xx, counter, "http_answers_total{status=\"2xx\"}", "responses over HTTP, by the first digit of their status") \
	M(http_3xx, counter, "http_answers_total{status=\"3xx\"}", NULL) \
	M(http_4xx, counter, "http_answers_total{status=\"4xx\"}", NULL) \
	M(http_5xx, counter, "http_answers_total{status=\"5xx\"}", NULL) \
	M(http_limited, counter, "http_limited_total", "requests over HTTP refused because their user or address sent too many") \
	M(calls, counter, "calls_total", "SQL calls made for HTTP requests") \
	M(call_retries, counter, "call_retries_total", "times an SQL call for HTTP was retried") \
	M(presence_clients, gauge, "presence_clients", "clients present in documents on this relay") \
	M(presence_hidden, gauge, "presence_hidden", "clients on this relay that are not shown to others because there are too many") \
	M(presence_elsewhere, gauge, "presence_elsewhere", "clients known to be present on other relays") \
	M(presence_relays, gauge, "presence_relays", "other relays that are known to be running") \
	M(presence_in, counter, "presence_in_total", "presence messages received from clients") \
	M(presence_dropped, counter, "presence_dropped_total", "presence messages dropped because the client sent too many") \
	M(presence_out, counter, "presence_out_total", "presence messages sent to clients") \
	M(presence_owed, counter, "presence_owed_total", "times a client received the complete presence because it had missed messages") \
	M(presence_rows, counter, "presence_rows_total", "presence rows written or deleted") \
	M(notifies_out, counter, "notifies_out_total", "presence messages sent to other relays") \
	M(notifies_in, counter, "notifies_in_total", "presence messages received from other relays") \
	M(talk_in, counter, "talk_in_total", "comments, suggestions, decisions and chat messages received from clients") \
	M(talk_rejected, counter, "talk_rejected_total", "comments, suggestions, decisions and chat messages rejected") \
	M(talk_out, counter, "talk_out_total", "events of comments, suggestions and chat sent to clients") \
	M(talk_hints, counter, "talk_hints_total", "times a client was told to list comments, suggestions and chat because it may have missed some") \
	M(stream_events, counter, "stream_events_total", "events received from logical decoding") \
	M(stream_last_event, gauge, "stream_last_event_timestamp_seconds", "time of the last event from logical decoding; 0: none yet") \
	M(replication_lag_bytes, gauge, "replication_lag_bytes", "bytes of the write-ahead log that the stream has not read yet") \
	M(replication_lag, gauge, "replication_lag_seconds", "age of the oldest write-ahead log that the stream has not read yet") \
	M(pg_cancels, counter, "pg_cancels_total", "statements cancelled because their client had gone") \
	M(pg_reconnects, counter, "pg_reconnects_total", "connections to PostgreSQL lost or refused") \
	M(stream_up, gauge, "stream_up", "1 while the replication stream is running") \
	M(ready, gauge, "ready", "1 while /readyz answers 200")

#define HISTOGRAMS(H) \
	H(HISTOGRAM_PG_OTHER, seconds, "pg_round_trip_seconds{statement=\"other\"}", "time from sending a statement to its answer, by statement") \
	H(HISTOGRAM_PG_SUBMIT, seconds, "pg_round_trip_seconds{statement=\"submit\"}", NULL) \
	H(HISTOGRAM_PG_JOIN, seconds, "pg_round_trip_seconds{statement=\"join\"}", NULL) \
	H(HISTOGRAM_PG_CATCH_UP, seconds, "pg_round_trip_seconds{statement=\"catch_up\"}", NULL) \
	H(HISTOGRAM_PG_BACKFILL, seconds, "pg_round_trip_seconds{statement=\"sweep\"}", NULL) \
	H(HISTOGRAM_PG_ROLES, seconds, "pg_round_trip_seconds{statement=\"roles\"}", NULL) \
	H(HISTOGRAM_PG_CHECKSUM, seconds, "pg_round_trip_seconds{statement=\"checksum\"}", NULL) \
	H(HISTOGRAM_PG_CALL, seconds, "pg_round_trip_seconds{statement=\"call\"}", NULL) \
	H(HISTOGRAM_PG_PRESENCE, seconds, "pg_round_trip_seconds{statement=\"presence\"}", NULL) \
	H(HISTOGRAM_PG_PROBE, seconds, "pg_round_trip_seconds{statement=\"probe\"}", NULL) \
	H(HISTOGRAM_COMMIT_TO_SEND, seconds, "commit_to_send_seconds", "time from an operation's commit to its sending to the clients that are up to date") \
	H(HISTOGRAM_BATCH_OPS, count, "batch_ops", "operations in a batch submitted to PostgreSQL") \
	H(HISTOGRAM_LOOP_LAG, seconds, "loop_lag_seconds", "duration of a turn of the event loop, while new events wait")
/* *INDENT-ON* */

#define METRIC_FIELD(field, kind, name, help) uint64_t field;
#define HISTOGRAM_NUMBER(number, scale, name, help) number,

enum histogram_number
{
	HISTOGRAMS(HISTOGRAM_NUMBER)
	HISTOGRAM_COUNT
};

#define HISTOGRAM_BOUNDS 16

/* counts[i]: values up to bound i and above bound i - 1; the last: values above all bounds */
struct histogram
{
	uint64_t	counts[HISTOGRAM_BOUNDS + 1];
	uint64_t	sum;
};

struct metrics
{
	METRICS(METRIC_FIELD)
	struct histogram histograms[HISTOGRAM_COUNT];
};

void		metrics_observe(struct metrics *m, enum histogram_number number, uint64_t value);
void		metrics_count_status(struct metrics *m, int status);
void		metrics_write(const struct metrics *m, struct buf *out);

/* a monotonic clock, in microseconds and milliseconds; and microseconds since 1970 */
uint64_t	metrics_clock_us(void);
int64_t		metrics_clock_ms(void);
int64_t		metrics_now_us(void);

#endif							/* RELAY_METRICS_H */
