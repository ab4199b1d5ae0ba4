/*
 * ready.c: whether clients that come now are served, which /readyz says.
 */
#include "relay.h"

/* Get what is wrong with the database for those who come now, or NULL. */
static const char *
complaint(const struct relay *relay)
{
	static const char *const for_writing[] = {
		[PG_READ_ONLY] = "PostgreSQL accepts no writes: it is a standby or read-only",
		[PG_SILENT] = "PostgreSQL does not answer",
		[PG_UNCONNECTED] = "no connection to PostgreSQL for writing",
	};
	static const char *const for_reading[] = {
		[PG_SILENT] = "PostgreSQL does not answer",
		[PG_UNCONNECTED] = "no connection to PostgreSQL for reading",
	};
	uint64_t	most_us = (uint64_t) relay->config.ready_lag_s * 1000000;

	if (writer_health(relay->writer) != PG_WELL)
		return for_writing[writer_health(relay->writer)];
	if (!reader_is_ready(relay->reader))
		return for_reading[reader_health(relay->reader)];
	if (!rest_is_ready(relay->rest))
		return "no connection to PostgreSQL for the REST API";
	if (!stream_is_up(relay->stream))
		return "no replication stream from PostgreSQL";
	if (most_us > 0 && relay->metrics.replication_lag > most_us)
		return "the replication stream is too far behind (ready-lag)";
	return NULL;
}

/* Tell whether a client that comes now is served, or why not. */
bool
relay_is_ready(void *arg, const char **reason)
{
	struct relay *relay = arg;

	*reason = relay->phase != PHASE_RUNNING ? "ending" : complaint(relay);
	return *reason == NULL;
}
