/*
 * test-room.c: the contiguous-version rule, gaps, and what the tables give.
 */
#include "house.h"

static void
in_order(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	enter(&r[1], 5);
	event(6);
	CHECK(strcmp(r[0].got, "") == 0);	/* until the turn ends */
	rooms_flush(rooms);
	event(7);
	event(8);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "6 7,8 ") == 0);
	CHECK(strcmp(r[1].got, "6 7,8 ") == 0);
	end(r, 2);
}

static void
known_versions(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(6);
	rooms_flush(rooms);
	event(6);
	event(5);
	event(7);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6 7 ") == 0);
	CHECK(metrics.ops_published == 2 && fetches == 0);
	end(&r, 1);
}

/* A minute is the last bucket's, a clock that is behind is the first one's. */
static void
times_since_commit(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	age_us = 60000000;
	event(6);
	event(7);
	rooms_flush(rooms);
	CHECK(sent_in(HISTOGRAM_BOUNDS) == 2 && metrics.histograms[HISTOGRAM_COMMIT_TO_SEND].sum >= 120000000);
	age_us = -60000000;
	event(8);
	rooms_flush(rooms);
	CHECK(sent_in(0) == 1 && metrics.histograms[HISTOGRAM_COMMIT_TO_SEND].sum < 180000000);

	/*
	 * what waited for a gap is counted from its own commit, what the tables
	 * gave is not
	 */
	age_us = 60000000;
	event(10);
	age_us = 0;
	table_ops(8, 9);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6,7 8 9,10 ") == 0);
	CHECK(sent_in(HISTOGRAM_BOUNDS) == 3 && sent_in(0) == 1);
	/* no member was sent this */
	room_pause(&r.member);
	event(11);
	rooms_flush(rooms);
	CHECK(sent_in(0) == 1);
	end(&r, 1);
}

/* What is too large for the stream is not sent: each member reads it from the tables. */
static void
withheld(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	enter(&r[1], 5);
	event(6);
	withheld_event(7);
	CHECK(strcmp(r[0].got, "6 ") == 0 && r[0].member.behind && r[1].member.behind);
	CHECK(room_known(&r[0].member)->version == 7 && fetches == 0);
	event(8);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "6 ") == 0);

	/* behind a gap, the tables are read, and not for its text either */
	withheld_event(10);
	CHECK(fetches == 1 && fetched_from == 8);
	event(11);
	table_composed(8, 10);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(!retry_wanted && room_known(&r[0].member)->version == 11);
	end(r, 2);
}

static void
owed_versions(void)
{
	struct reader r;

	begin(8, 10000);
	answer(9, -1, false);
	enter(&r, 5);
	CHECK(fetches == 0);
	answer(5, -1, false);
	CHECK(fetches == 0 && rooms_owe_nothing(rooms));
	answer(7, -1, true);
	CHECK(fetches == 0 && !rooms_owe_nothing(rooms));
	answer(7, -1, false);
	CHECK(fetches == 1 && fetched_from == 5);
	table_ops(5, 7);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6,7 ") == 0 && fetches == 1 && !retry_wanted && rooms_owe_nothing(rooms));
	end(&r, 1);
}

static void
tables_may_be_ahead(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	enter(&r[1], 5);
	event(6);
	CHECK(tables_shown == 0);
	held = &r[1];
	table_ops(4, 6);
	CHECK(tables_shown == 0);
	table_ops(6, 8);
	CHECK(tables_shown == 1);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "6,7,8 ") == 0 && strcmp(r[1].got, "") == 0);
	room_go_live(&r[1].member, r[1].member.cursor);
	CHECK(r[1].member.behind);
	end(r, 2);
}

static void
gap_is_fetched(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(8);
	CHECK(fetches == 1 && fetched_from == 5);
	event(9);
	rooms_flush(rooms);
	CHECK(fetches == 1 && strcmp(r.got, "") == 0);
	table_ops(5, 7);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6,7,8,9 ") == 0 && !retry_wanted);
	end(&r, 1);
}

static void
gap_not_visible_yet(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(7);
	rooms_fetched(rooms, &doc, true);	/* the tables had nothing */
	CHECK(retry_wanted && fetches == 1);
	CHECK(!rooms_retry(rooms));
	CHECK(fetches == 2);
	rooms_fetched(rooms, &doc, true);
	CHECK(rooms_retry(rooms) && fetches == 2);	/* later each time */
	CHECK(!rooms_retry(rooms) && fetches == 3);
	table_ops(5, 7);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6,7 ") == 0);
	end(&r, 1);
}

static void
gap_unreadable(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(8);
	rooms_fetched(rooms, &doc, false);
	rooms_flush(rooms);
	CHECK(r.woken == 1 && strcmp(drain(&r), "tables") == 0);
	event(9);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "") == 0);
	room_go_live(&r.member, 8);
	CHECK(strcmp(drain(&r), "9 ") == 0);
	end(&r, 1);
}

static void
composed_from_tables(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	enter(&r[1], 5);
	room_go_live(&r[1].member, 70);
	event(90);
	table_composed(5, 88);
	table_ops(88, 89);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "") == 0 && r[0].woken == 1 && strcmp(drain(&r[0]), "tables") == 0);
	CHECK(strcmp(drain(&r[1]), "tables") == 0);
	room_go_live(&r[0].member, 88);
	CHECK(strcmp(drain(&r[0]), "89,90 ") == 0);
	end(r, 2);
}

static void
events_before_the_room_opens(void)
{
	struct reader r;

	begin(8, 10000);
	memset(&r, 0, sizeof(r));
	room_attach(rooms, &doc, &r.member);
	event(5);
	event(6);
	event(7);
	CHECK(fetches == 0);
	room_open(&r.member, revision(5));
	room_go_live(&r.member, 5);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6,7 ") == 0 && fetches == 0);
	end(&r, 1);
}

static void
seen_before_visible(void)
{
	struct reader r;

	begin(8, 10000);
	event(6);					/* no member is here; SQL does not see it yet */
	enter(&r, 5);
	CHECK(fetches == 1 && fetched_from == 5);
	table_ops(5, 6);
	rooms_fetched(rooms, &doc, true);
	rooms_flush(rooms);
	CHECK(strcmp(r.got, "6 ") == 0);
	end(&r, 1);

	begin(8, 10000);
	event(6);
	enter(&r, 6);
	CHECK(fetches == 0);
	end(&r, 1);
}

static void
seen_and_lost(void)
{
	struct reader r;
	int			turns = 0;

	begin(8, 10000);
	event(6);
	enter(&r, 5);
	for (int i = 0; i < 1000; i++)
	{
		rooms_fetched(rooms, &doc, true);
		while (rooms_retry(rooms))
			turns++;
	}
	CHECK(fetches < 100 && turns > fetches);	/* it is given up */
	end(&r, 1);
}

/* Who asks while a room waits does not make it wait a second time. */
static void
asked_while_waiting(void)
{
	struct reader r;

	begin(8, 10000);
	event(6);
	enter(&r, 5);
	rooms_fetched(rooms, &doc, true);
	CHECK(!rooms_retry(rooms) && fetches == 2);
	rooms_fetched(rooms, &doc, true);	/* two ticks from now */
	rooms_refetch(rooms, &doc);
	CHECK(fetches == 3);
	rooms_fetched(rooms, &doc, true);
	CHECK(rooms_retry(rooms) && fetches == 3);
	CHECK(!rooms_retry(rooms) && fetches == 4);
	room_detach(&r.member);
	rooms_fetched(rooms, &doc, true);
	while (rooms_retry(rooms));
	rooms_flush(rooms);
	CHECK(!rooms_retry(rooms));
	end(&r, 0);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"what a turn publishes goes out as one frame", in_order},
		{"what is known is dropped", known_versions},
		{"how long after its commit an operation is sent", times_since_commit},
		{"an operation that the stream withheld", withheld},
		{"what was committed is owed, and read from the tables", owed_versions},
		{"the callback runs before what the tables give is sent", tables_may_be_ahead},
		{"a gap is read from the tables, and what came meanwhile follows", gap_is_fetched},
		{"what is not visible yet is asked for again, later each time", gap_not_visible_yet},
		{"where the tables cannot help, members ask for themselves", gap_unreadable},
		{"a composed message raises the base; members behind it go to the tables", composed_from_tables},
		{"events before the room is open are kept", events_before_the_room_opens},
		{"what the stream showed before SQL saw it is fetched after the join", seen_before_visible},
		{"what was seen and never appears is given up", seen_and_lost},
		{"a room that is asked for while it waits does not wait twice", asked_while_waiting},
	};

	return TAP_RUN(tests);
}
