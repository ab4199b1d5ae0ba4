/*
 * test-turns.c: who comes next where several users wait.
 */
#include "base/turns.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

struct job
{
	struct turn turn;
	char		name;
	int			number;
};

static struct turns turns;
static struct job jobs[1000];
static int	job_count;
static char order[1100];

static struct job *
put(const char *user, double cost)
{
	struct job *job = &jobs[job_count++];

	job->name = *user;
	job->number = job_count;
	turns_put(&turns, &job->turn, user, cost);
	return job;
}

static void
begin(void)
{
	memset(jobs, 0, sizeof(jobs));
	job_count = 0;
	turns_init(&turns, 10);
}

/* Take that many, one after another, and write down whose they were. */
static const char *
take(int count)
{
	int			at = 0;

	for (; count > 0; count--)
	{
		struct job *job = (struct job *) turns_next(&turns, NULL, NULL);

		if (job == NULL)
			break;
		order[at++] = job->name;
		turns_done(&turns, &job->turn, 0);
	}
	order[at] = '\0';
	return order;
}

static void
one_user_waits_for_its_own(void)
{
	begin();
	for (int i = 0; i < 3; i++)
		put("ann", 10);
	put("ben", 10);
	CHECK(strcmp(take(9), "abaa") == 0);
	CHECK(turns.waiting == 0 && turns.lane_count == 0);
	turns_free(&turns);
}

static void
a_crowd_of_one_delays_others_by_one_turn(void)
{
	begin();
	for (int i = 0; i < 900; i++)
		put("ann", 10);
	take(5);
	put("ben", 10);
	put("cid", 10);
	CHECK(strchr(take(3), 'b') != NULL && strchr(order, 'c') != NULL);
	take(1000);
	turns_free(&turns);
}

static void
what_costs_more_comes_less_often(void)
{
	int			a = 0;

	begin();
	for (int i = 0; i < 50; i++)
	{
		put("ann", 40);
		put("ben", 10);
	}
	take(50);
	for (const char *p = order; *p != '\0'; p++)
		a += *p == 'a';
	CHECK(a >= 9 && a <= 11);
	take(1000);
	turns_free(&turns);
}

static void
what_cost_more_than_it_looked_is_charged_afterwards(void)
{
	struct job *job;

	begin();
	put("ann", 10);
	job = (struct job *) turns_next(&turns, NULL, NULL);
	turns_done(&turns, &job->turn, 40);
	CHECK(turns.lane_count == 1);
	for (int i = 0; i < 6; i++)
	{
		put("ann", 10);
		put("ben", 10);
	}
	CHECK(strcmp(take(5), "bbbba") == 0);
	take(1000);
	turns_free(&turns);
}

static void
costs_are_bounded(void)
{
	begin();
	put("ann", 1e9);
	put("ben", 1e9);
	put("cid", 0);
	CHECK(strcmp(take(1), "c") == 0);
	CHECK(strlen(take(2)) == 2);
	turns_free(&turns);
}

static bool
not_ann(void *arg, struct turn *first)
{
	(void) arg;
	return ((struct job *) first)->name != 'a';
}

static void
who_may_not_go_is_passed_over(void)
{
	struct job *job;

	begin();
	put("ann", 10);
	CHECK(turns_next(&turns, not_ann, NULL) == NULL);
	put("ben", 10);
	job = (struct job *) turns_next(&turns, not_ann, NULL);
	CHECK(job != NULL && job->name == 'b');
	turns_done(&turns, &job->turn, 0);
	CHECK(turns_next(&turns, not_ann, NULL) == NULL && turns.waiting == 1);
	CHECK(strcmp(take(2), "a") == 0);
	turns_free(&turns);
}

static void
removed_and_put_back(void)
{
	struct job *first;
	struct job *second;

	begin();
	first = put("ann", 10);
	second = put("ann", 10);
	turns_remove(&turns, &first->turn);
	CHECK((struct job *) turns_next(&turns, NULL, NULL) == second && second->turn.lane->under_way == 1);
	turns_put_back(&turns, &second->turn);
	CHECK(second->turn.lane->under_way == 0 && turns.waiting == 1);
	put("ann", 10);
	CHECK((struct job *) turns_next(&turns, NULL, NULL) == second);
	turns_remove(&turns, &second->turn);
	take(10);
	CHECK(turns.lane_count == 0);
	turns_free(&turns);
}

/* What was put back did not pay while nobody else waited, and gets nothing back. */
static void
put_back_at_the_price_paid(void)
{
	struct job *job;

	begin();
	put("ann", 10);
	job = (struct job *) turns_next(&turns, NULL, NULL);
	turns_put_back(&turns, &job->turn);
	CHECK(job->turn.lane->deficit == 0);
	turns_price(&turns, &job->turn, 30);
	put("ben", 10);
	put("ben", 10);
	put("ben", 10);
	CHECK(strcmp(take(4), "bbab") == 0);
	turns_free(&turns);
}

static void
the_last_place_is_for_who_has_none(void)
{
	struct turns_lane lane = {.under_way = 0};

	CHECK(turns_may_occupy(&lane, 1, 2) && !turns_may_occupy(&lane, 0, 2));
	lane.under_way = 1;
	CHECK(!turns_may_occupy(&lane, 1, 2) && turns_may_occupy(&lane, 2, 2));
	lane.under_way = 2;
	CHECK(!turns_may_occupy(&lane, 3, 2));
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"one user waits for its own", one_user_waits_for_its_own},
		{"a crowd of one delays others by one turn", a_crowd_of_one_delays_others_by_one_turn},
		{"what costs more comes less often", what_costs_more_comes_less_often},
		{"what cost more than it looked is charged afterwards", what_cost_more_than_it_looked_is_charged_afterwards},
		{"costs are bounded", costs_are_bounded},
		{"who may not go is passed over", who_may_not_go_is_passed_over},
		{"removed and put back", removed_and_put_back},
		{"put back at the price that was paid, and priced anew", put_back_at_the_price_paid},
		{"the last place is for who has none", the_last_place_is_for_who_has_none},
	};

	return TAP_RUN(tests);
}
