/*
 * metrics.c: the counters as Prometheus reads them.
 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

struct metric
{
	const char *kind;
	const char *name;
	const char *help;
};

#define METRIC_ROW(field, kind, name, help) {#kind, name, help},

static const struct metric rows[] = {METRICS(METRIC_ROW)};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Write every metric; the struct is its rows' values in the table's order. */
void
metrics_write(const struct metrics *m, struct buf *out)
{
	uint64_t	values[ROW_COUNT];

	_Static_assert(sizeof(*m) == sizeof(values), "a metric is one uint64_t");
	memcpy(values, m, sizeof(values));
	for (size_t i = 0; i < ROW_COUNT; i++)
	{
		const struct metric *row = &rows[i];
		int			bare = (int) strcspn(row->name, "{");

		if (row->help != NULL)
			buf_format(out, "# HELP converge_relay_%.*s %s\n# TYPE converge_relay_%.*s %s\n",
					   bare, row->name, row->help, bare, row->name, row->kind);
		buf_format(out, "converge_relay_%s %" PRIu64 "\n", row->name, values[i]);
	}
}
