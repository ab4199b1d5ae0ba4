/*
 * lib/common.c
 *		Giving up, memory, the clock, samples, numbers for people.
 */
#include "lib/common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
die(const char *format,...)
{
	va_list		args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* realloc() that gives up rather than return NULL. */
void	   *
xrealloc(void *ptr, size_t size)
{
	ptr = realloc(ptr, size > 0 ? size : 1);
	if (ptr == NULL)
		die("out of memory");
	return ptr;
}

/* calloc() that gives up rather than return NULL. */
void	   *
xcalloc(size_t count, size_t size)
{
	void	   *ptr = calloc(count > 0 ? count : 1, size);

	if (ptr == NULL)
		die("out of memory");
	return ptr;
}

/* strdup() that gives up rather than return NULL. */
char	   *
xstrdup(const char *text)
{
	size_t		size = strlen(text) + 1;

	return memcpy(xrealloc(NULL, size), text, size);
}

int64_t
now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t) at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

void
samples_add(Samples *samples, double value)
{
	if (samples->count == samples->capacity)
	{
		samples->capacity = samples->capacity > 0 ? samples->capacity * 2 : 256;
		samples->values = xrealloc(samples->values,
								   samples->capacity * sizeof(double));
	}
	samples->values[samples->count++] = value;
}

/* qsort() order of doubles. */
static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

double
samples_percentile(Samples *samples, double share)
{
	size_t		at;

	if (samples->count == 0)
		return 0;
	qsort(samples->values, samples->count, sizeof(double), compare_doubles);
	at = (size_t) (share * (double) (samples->count - 1) + 0.5);
	return samples->values[at];
}

void
samples_clear(Samples *samples)
{
	samples->count = 0;
}

void
samples_free(Samples *samples)
{
	free(samples->values);
	memset(samples, 0, sizeof(*samples));
}

const char *
grouped(double value)
{
	static char buffers[8][32];
	static int	turn;
	char	   *out = buffers[turn++ % 8];
	char		digits[24];
	int			length = snprintf(digits, sizeof(digits), "%.0f", value);
	int			at = 0;

	for (int i = 0; i < length; i++)
	{
		if (i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}
