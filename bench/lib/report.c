/*
 * lib/report.c
 *		Ratios with their aims.
 */
#include "lib/report.h"

#include "lib/common.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
report_format(double ratio, Aim aim, double bound)
{
	static char buffers[8][64];
	static int	turn;
	char	   *out = buffers[turn++ % 8];
	bool		missed = aim == AT_LEAST ? ratio < bound : ratio > bound;

	if (aim == NO_AIM)
		snprintf(out, sizeof(buffers[0]), "%.2f", ratio);
	else
		snprintf(out, sizeof(buffers[0]), "%.2f (aim %s %.2f)%s", ratio,
				 aim == AT_LEAST ? ">=" : "<=", bound, missed ? " MISSED" : "");
	return out;
}

void
report_ratio(const char *what, double ratio, Aim aim, double bound)
{
	const char *path = getenv("BENCH_SUMMARY");
	FILE	   *file;

	if (path == NULL)
		return;
	file = fopen(path, "a");
	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	fprintf(file, "%-64s %s\n", what, report_format(ratio, aim, bound));
	fclose(file);
}
