/*
 * tap.h: results as TAP, and the list of a program's tests.
 */
#ifndef RELAY_TEST_TAP_H
#define RELAY_TEST_TAP_H

#include <stdbool.h>
#include <stdio.h>

struct tap_test
{
	const char *name;
	void		(*run) (void);
};

static int	tap_wrong;			/* checks of the running test that failed */

/* Note a check; its place and text are printed when it fails. */
#define CHECK(condition) \
	do \
	{ \
		if (!(condition)) \
		{ \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			tap_wrong++; \
		} \
	} while (0)

/* Run the tests, one line each; gives what main() returns. */
static inline int
tap_run(const struct tap_test *tests, int count)
{
	int			failed = 0;

	printf("1..%d\n", count);
	for (int i = 0; i < count; i++)
	{
		tap_wrong = 0;
		tests[i].run();
		printf("%sok %d - %s\n", tap_wrong > 0 ? "not " : "", i + 1, tests[i].name);
		fflush(stdout);
		failed += tap_wrong > 0;
	}
	return failed > 0;
}

#define TAP_RUN(tests) tap_run(tests, (int) (sizeof(tests) / sizeof((tests)[0])))

#endif							/* RELAY_TEST_TAP_H */
