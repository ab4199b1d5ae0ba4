/*
 * test-bucket.c: token buckets, and how much each name has.
 */
#include "base/bucket.h"
#include "base/tally.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

static const struct bucket_size ten = {10, 5};

static void
levels(void)
{
	struct bucket b = {0};
	enum flow	last = FLOW_FREE;
	int			at[FLOW_FLOOD + 1] = {0};

	for (int i = 1; i <= 30; i++)
	{
		enum flow	flow = bucket_take(&b, &ten, 1, 1000);

		CHECK(flow >= last);
		if (flow != last)
			at[flow] = i;
		last = flow;
	}
	CHECK(at[FLOW_SLOW] == 6 && at[FLOW_REJECT] == 11 && at[FLOW_FLOOD] == 26);
}

static void
time_pays(void)
{
	struct bucket b = {0};

	CHECK(bucket_wait_ms(&b, &ten) == 0);
	for (int i = 0; i < 8; i++)
		bucket_take(&b, &ten, 1, 1000);
	CHECK(bucket_wait_ms(&b, &ten) == 301);
	CHECK(bucket_take(&b, &ten, 1, 1100) == FLOW_SLOW);
	CHECK(bucket_take(&b, &ten, 1, 1600) == FLOW_FREE);
	CHECK(bucket_take(&b, &ten, 5, 1000000000) == FLOW_FREE);
	CHECK(bucket_take(&b, &ten, 0.5, 1000000000) == FLOW_SLOW);
}

static void
no_limit(void)
{
	static const struct bucket_size none = {0, 1};
	struct bucket b = {0};

	for (int i = 0; i < 1000; i++)
		CHECK(bucket_take(&b, &none, 100, 0) == FLOW_FREE);
	CHECK(bucket_wait_ms(&b, &none) == 0);
}

static void
names(void)
{
	struct tally tally = {0};
	struct tally_row *rows[500];
	char		name[32];

	for (int round = 1; round <= 2; round++)
	{
		for (int i = 0; i < 500; i++)
		{
			snprintf(name, sizeof(name), "zo\xc3\xab %d", i);
			rows[i] = tally_hold(&tally, name);
			CHECK(rows[i]->count == round && strcmp(rows[i]->name, name) == 0);
		}
	}
	CHECK(tally.row_count == 500);
	tally_sweep(&tally, 0);
	CHECK(tally.row_count == 500);
	for (int i = 0; i < 500; i++)
	{
		rows[i]->bucket.at_ms = i;
		tally_let_go(rows[i]);
		if (i >= 100)
			tally_let_go(rows[i]);
	}
	tally_sweep(&tally, 299);
	CHECK(tally.row_count == 300);
	CHECK(tally_hold(&tally, "zo\xc3\xab 0") == rows[0] && rows[0]->count == 2);
	CHECK(tally_hold(&tally, "zo\xc3\xab 200")->count == 1);
	tally_free(&tally);
	CHECK(tally.row_count == 0);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"debt slows down, then rejects, then ends", levels},
		{"time pays", time_pays},
		{"a rate of 0 is no limit", no_limit},
		{"a name's row is kept while it is held, and until it is idle", names},
	};

	return TAP_RUN(tests);
}
