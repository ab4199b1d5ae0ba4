/*
 * tap.c
 *		The runner behind tap.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tap.h"

static bool current_passed;

/* Note a check's outcome; a failed one is told where it stands. */
bool
tap_check(bool passed, const char *what, const char *file, int line)
{
	if (!passed)
	{
		printf("# %s:%d: not so: %s\n", file, line, what);
		current_passed = false;
	}
	return passed;
}

/* Two texts that should be equal. */
bool
tap_text(const char *got, const char *want, const char *file, int line)
{
	bool		passed = strcmp(got, want) == 0;

	if (!passed)
	{
		printf("# %s:%d:\n#   got:  %s\n#   want: %s\n", file, line, got, want);
		current_passed = false;
	}
	return passed;
}

/* Two numbers that should be equal. */
bool
tap_number(long long got, long long want, const char *what, const char *file, int line)
{
	if (got != want)
	{
		printf("# %s:%d: %s is %lld, not %lld\n", file, line, what, got, want);
		current_passed = false;
	}
	return got == want;
}

/* Run all tests; what main() returns. */
int
tap_run(const char *program, const TapTest *tests, size_t count)
{
	size_t		failed = 0;

	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++)
	{
		current_passed = true;
		tests[i].run();
		support_release();
		failed += !current_passed;
		printf("%sok %zu - %s\n", current_passed ? "" : "not ", i + 1, tests[i].title);
	}
	printf("# %s: %zu passed, %zu failed\n", program, count - failed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
