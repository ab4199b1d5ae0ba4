/*
 * tap.h
 *		A table of tests, run one after another, told in TAP.
 */
#ifndef CONVERGE_TEST_TAP_H
#define CONVERGE_TEST_TAP_H

#include <stdbool.h>
#include <stddef.h>

/* One behaviour: a sentence that says it, and the function that shows it. */
typedef struct TapTest
{
	const char *title;
	void		(*run) (void);
} TapTest;

/* Run all tests; what main() returns. */
extern int	tap_run(const char *program, const TapTest *tests, size_t count);

#define TAP_MAIN(program, tests) \
	int \
	main(void) \
	{ \
		return tap_run(program, tests, sizeof(tests) / sizeof((tests)[0])); \
	} \
	extern int	main(void)

/* A test goes on behind a check that fails: the others may say why. */
extern bool tap_check(bool passed, const char *what, const char *file, int line);
extern bool tap_text(const char *got, const char *want, const char *file, int line);
extern bool tap_number(long long got, long long want, const char *what,
					   const char *file, int line);

#define CHECK(condition)	tap_check(condition, #condition, __FILE__, __LINE__)
#define CHECK_TEXT(got, want)	tap_text(got, want, __FILE__, __LINE__)
#define CHECK_NUMBER(got, want) \
	tap_number((long long) (got), (long long) (want), #got, __FILE__, __LINE__)

#endif							/* CONVERGE_TEST_TAP_H */
