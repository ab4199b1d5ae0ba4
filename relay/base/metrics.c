/*
 * base/metrics.c: what was counted and measured, as Prometheus reads it.
 */
#include "base/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#define PREFIX "converge_relay_"

struct metric
{
	const char *kind;
	const char *name;
	const char *help;
};

/* what the bounds of a histogram are: each bucket holds up to its bound */
struct scale
{
	bool		in_seconds;
	uint64_t	bounds[HISTOGRAM_BOUNDS];
};

struct histogram_row
{
	const struct scale *scale;
	struct metric metric;
};

static const struct scale seconds = {
	true,
	{
		100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
		1000000, 2500000, 5000000, 10000000
	}
};

static const struct scale count = {
	false,
	{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256, 512, 768, 1024}
};

#define METRIC_ROW(field, kind, name, help) {#kind, name, help},
#define HISTOGRAM_ROW(number, scale, name, help) [number] = {&scale, {"histogram", name, help}},

static const struct metric rows[] = {METRICS(METRIC_ROW)};
static const struct histogram_row histogram_rows[] = {HISTOGRAMS(HISTOGRAM_ROW)};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Count an answer over HTTP. */
void
metrics_count_status(struct metrics *m, int status)
{
	if (status < 300)
		m->http_2xx++;
	else if (status < 400)
		m->http_3xx++;
	else if (status < 500)
		m->http_4xx++;
	else
		m->http_5xx++;
}

_Static_assert(offsetof(struct metrics, histograms) == ROW_COUNT * sizeof(uint64_t), "a metric is one uint64_t");

/* Get the microseconds of a clock that only goes on. */
uint64_t
metrics_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* Get its milliseconds. */
int64_t
metrics_clock_ms(void)
{
	return (int64_t) (metrics_clock_us() / 1000);
}

/* Get the microseconds since 1970. */
int64_t
metrics_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Take a value into a histogram. */
void
metrics_observe(struct metrics *m, enum histogram_number number, uint64_t value)
{
	const uint64_t *bounds = histogram_rows[number].scale->bounds;
	struct histogram *h = &m->histograms[number];
	int			i = 0;

	while (i < HISTOGRAM_BOUNDS && value > bounds[i])
		i++;
	h->counts[i]++;
	h->sum += value;
}

/* Write what stands in front of a metric's first row. */
static void
write_head(const struct metric *row, struct buf *out)
{
	int			bare = (int) strcspn(row->name, "{");

	if (row->help != NULL)
		buf_format(out, "# HELP " PREFIX "%.*s %s\n# TYPE " PREFIX "%.*s %s\n",
				   bare, row->name, row->help, bare, row->name, row->kind);
}

/* Write a value: what is kept in microseconds, in seconds. */
static void
write_value(struct buf *out, uint64_t value, bool in_seconds)
{
	if (in_seconds)
		buf_format(out, " %" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
	else
		buf_format(out, " %" PRIu64 "\n", value);
}

/* Write the name of a part of a histogram, with its labels. */
static void
write_part(const char *name, const char *part, struct buf *out)
{
	size_t		bare = strcspn(name, "{");

	buf_format(out, PREFIX "%.*s%s%s", (int) bare, name, part, name + bare);
}

/* Write the bucket up to a bound, which holds those below as well. */
static void
write_bucket(const struct histogram_row *row, int i, uint64_t total, struct buf *out)
{
	const char *name = row->metric.name;
	size_t		bare = strcspn(name, "{");
	int			labels = name[bare] != '\0' ? (int) strlen(name + bare) - 2 : 0;

	buf_format(out, PREFIX "%.*s_bucket{%.*s%sle=\"", (int) bare, name, labels, name + bare + (labels > 0), labels > 0 ? "," : "");
	if (i == HISTOGRAM_BOUNDS)
		buf_text(out, "+Inf");
	else if (row->scale->in_seconds)
		buf_format(out, "%g", (double) row->scale->bounds[i] / 1e6);
	else
		buf_format(out, "%" PRIu64, row->scale->bounds[i]);
	buf_text(out, "\"}");
	write_value(out, total, false);
}

/* Write a histogram. */
static void
write_histogram(const struct histogram_row *row, const struct histogram *h, struct buf *out)
{
	uint64_t	total = 0;

	write_head(&row->metric, out);
	for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
	{
		total += h->counts[i];
		write_bucket(row, i, total, out);
	}
	write_part(row->metric.name, "_sum", out);
	write_value(out, h->sum, row->scale->in_seconds);
	write_part(row->metric.name, "_count", out);
	write_value(out, total, false);
}

/* Write every metric; the struct begins with its rows' values in the table's order. */
void
metrics_write(const struct metrics *m, struct buf *out)
{
	uint64_t	values[ROW_COUNT];

	memcpy(values, m, sizeof(values));
	for (size_t i = 0; i < ROW_COUNT; i++)
	{
		write_head(&rows[i], out);
		buf_format(out, PREFIX "%s", rows[i].name);
		write_value(out, values[i], strstr(rows[i].name, "_seconds") != NULL);
	}
	for (int i = 0; i < HISTOGRAM_COUNT; i++)
		write_histogram(&histogram_rows[i], &m->histograms[i], out);
}
