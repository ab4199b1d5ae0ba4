/*
 * test-metrics.c: what Prometheus is shown.
 */
#include "base/metrics.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static struct metrics m;

/* Tell whether a line is among what is shown. */
static bool
shows(const char *line)
{
	struct buf	out = {0};
	bool		found;

	buf_text(&out, "\n");
	metrics_write(&m, &out);
	found = strstr(out.data, line) != NULL;
	buf_free(&out);
	return found;
}

static void
values(void)
{
	memset(&m, 0, sizeof(m));
	m.connections = 7;
	m.reject_stale = UINT64_MAX;
	CHECK(shows("\n# TYPE converge_relay_connections gauge\nconverge_relay_connections 7\n"));
	CHECK(shows("\nconverge_relay_rejects_total{code=\"stale\"} 18446744073709551615\n"));
	/* what is kept in microseconds is shown in seconds */
	m.stream_last_event = 1769862896000042;
	CHECK(shows("\nconverge_relay_stream_last_event_timestamp_seconds 1769862896.000042\n"));
}

static void
histograms(void)
{
	memset(&m, 0, sizeof(m));
	metrics_observe(&m, HISTOGRAM_BATCH_OPS, 1);
	metrics_observe(&m, HISTOGRAM_BATCH_OPS, 2);
	metrics_observe(&m, HISTOGRAM_BATCH_OPS, 1024);
	metrics_observe(&m, HISTOGRAM_BATCH_OPS, 1025);
	CHECK(shows("\n# TYPE converge_relay_batch_ops histogram\nconverge_relay_batch_ops_bucket{le=\"1\"} 1\n"
				"converge_relay_batch_ops_bucket{le=\"2\"} 2\nconverge_relay_batch_ops_bucket{le=\"3\"} 2\n"));
	CHECK(shows("_bucket{le=\"768\"} 2\nconverge_relay_batch_ops_bucket{le=\"1024\"} 3\n"
				"converge_relay_batch_ops_bucket{le=\"+Inf\"} 4\n"
				"converge_relay_batch_ops_sum 2052\nconverge_relay_batch_ops_count 4\n"));
}

static void
histograms_of_times(void)
{
	memset(&m, 0, sizeof(m));
	metrics_observe(&m, HISTOGRAM_PG_SUBMIT, 100);
	metrics_observe(&m, HISTOGRAM_PG_SUBMIT, 101);
	metrics_observe(&m, HISTOGRAM_PG_SUBMIT, 3000000);
	CHECK(shows("\nconverge_relay_pg_round_trip_seconds_bucket{statement=\"submit\",le=\"0.0001\"} 1\n"));
	CHECK(shows("{statement=\"submit\",le=\"0.00025\"} 2\n"));
	CHECK(shows("{statement=\"submit\",le=\"2.5\"} 2\n"));
	CHECK(shows("{statement=\"submit\",le=\"5\"} 3\n"));
	CHECK(shows("\nconverge_relay_pg_round_trip_seconds_sum{statement=\"submit\"} 3.000201\n"
				"converge_relay_pg_round_trip_seconds_count{statement=\"submit\"} 3\n"));
	CHECK(shows("\nconverge_relay_pg_round_trip_seconds_count{statement=\"join\"} 0\n"));
}

static const struct tap_test tests[] = {
	{"values and their labels", values},
	{"a histogram counts what is up to each bound", histograms},
	{"times are shown in seconds", histograms_of_times},
};

int
main(void)
{
	return TAP_RUN(tests);
}
