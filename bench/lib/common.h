/*
 * lib/common.h
 *		What every program here needs: giving up with a message, memory that is
 *		never NULL, the clock, samples and their percentiles, numbers for people.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Print "program: message" to standard error and exit with status 1. */
extern void die(const char *format,...) __attribute__((noreturn, format(printf, 1, 2)));

extern void *xrealloc(void *ptr, size_t size);
extern void *xcalloc(size_t count, size_t size);
extern char *xstrdup(const char *text);

/* Microseconds of the monotonic clock. */
extern int64_t now_us(void);

typedef struct Samples
{
	double	   *values;
	size_t		count;
	size_t		capacity;
} Samples;

extern void samples_add(Samples *samples, double value);

/* The value that `share` (0 to 1) of the samples do not exceed; 0 of none. */
extern double samples_percentile(Samples *samples, double share);
extern void samples_clear(Samples *samples);
extern void samples_free(Samples *samples);

/* 1234567 as 1,234,567, in one of a few static buffers. */
extern const char *grouped(double value);

#endif							/* BENCH_COMMON_H */
