/*
 * test-lag.c: how far behind the end of the log its reader is.
 */
#include "tables/lag.h"
#include "tap.h"

#include <string.h>

static struct lag lag;

/* Tell whether a look gives these bytes and seconds. */
static bool
shows(uint64_t reached, uint64_t end, uint64_t now_s, uint64_t bytes, uint64_t seconds)
{
	struct lag_figures figures = lag_look(&lag, reached, end, now_s * 1000000);

	return figures.bytes == bytes && figures.us == seconds * 1000000;
}

static void
no_lag(void)
{
	memset(&lag, 0, sizeof(lag));
	CHECK(shows(0, 5000, 100, 0, 0));	/* it has not begun */
	CHECK(shows(5000, 5000, 101, 0, 0));
	CHECK(shows(5010, 5000, 102, 0, 0));	/* it overtook the question */
}

static void
steady_lag(void)
{
	memset(&lag, 0, sizeof(lag));
	for (uint64_t s = 100; s < 105; s++)
		CHECK(shows(1000, s * 10 + 10, s, s * 10 + 10 - 1000, s - 100));
	/* from here on always five seconds behind */
	for (uint64_t s = 105; s < 200; s++)
		CHECK(shows((s - 5) * 10 + 10, s * 10 + 10, s, 50, 4));
	CHECK(shows(3000, 3000, 200, 0, 0));
}

/* Marks run out: the time goes on, and comes down as the old ones are reached. */
static void
long_lag(void)
{
	memset(&lag, 0, sizeof(lag));
	for (uint64_t s = 0; s < 1000; s++)
		CHECK(shows(1, 100 + s, s, 99 + s, s));
	CHECK(shows(100, 1100, 1000, 1000, 999));
	CHECK(shows(100 + LAG_MARKS - 1, 1101, 1001, 1101 - 100 - LAG_MARKS + 1, 1));
	CHECK(shows(1101, 1101, 1002, 0, 0));
}

/* While there is no stream, what it had reached stays where it was. */
static void
lost_stream(void)
{
	memset(&lag, 0, sizeof(lag));
	CHECK(shows(50, 50, 10, 0, 0));
	CHECK(shows(0, 60, 11, 10, 0));
	CHECK(shows(0, 70, 15, 20, 4));
	CHECK(shows(70, 70, 16, 0, 0));
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"who reads everything is behind nothing", no_lag},
		{"a steady lag is shown steadily", steady_lag},
		{"a long lag is shown whole", long_lag},
		{"a lost stream falls behind", lost_stream},
	};

	return TAP_RUN(tests);
}
