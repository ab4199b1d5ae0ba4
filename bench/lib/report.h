/*
 * lib/report.h
 *		Ratios with their aims: printed where they are measured, and once more in
 *		the summary at the end of a run (file named by BENCH_SUMMARY).
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

typedef enum Aim
{
	AT_LEAST,
	AT_MOST,
	NO_AIM
} Aim;

/* Note a ratio for the summary. */
extern void report_ratio(const char *what, double ratio, Aim aim, double bound);

/* "1.23 (aim 0.90 or more)" with a mark where it is missed; a few static buffers. */
extern const char *report_format(double ratio, Aim aim, double bound);

#endif							/* BENCH_REPORT_H */
