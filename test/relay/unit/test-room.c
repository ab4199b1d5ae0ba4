/*
 * test-room.c: the contiguous-version rule, the ring, and who is sent what.
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
	/* nobody was sent this */
	room_pause(&r.member);
	event(11);
	rooms_flush(rooms);
	CHECK(sent_in(0) == 1);
	end(&r, 1);
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
	CHECK(aheads == 0);
	held = &r[1];
	table_ops(4, 6);
	CHECK(aheads == 0);
	table_ops(6, 8);
	CHECK(aheads == 1);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "6,7,8 ") == 0 && strcmp(r[1].got, "") == 0);
	room_go_live(&r[1].member, r[1].member.cursor);
	CHECK(r[1].member.behind);
	end(r, 2);
}

static void
count_member(void *arg, struct room_member *member)
{
	CHECK(member->room != NULL);
	++*(int *) arg;
}

static void
count_room(void *arg, const struct uuid *id)
{
	CHECK(uuid_equal(id, &doc));
	++*(int *) arg;
}

static void
members_are_visited(void)
{
	struct reader r[3];
	int			members = 0;
	int			houses = 0;

	begin(8, 10000);
	rooms_each_member(rooms, &doc, count_member, &members);
	CHECK(members == 0);
	enter(&r[0], 5);
	enter(&r[1], 5);
	memset(&r[2], 0, sizeof(r[2]));
	room_attach(rooms, &doc, &r[2].member);
	room_pause(&r[1].member);
	rooms_each_member(rooms, &doc, count_member, &members);
	rooms_each(rooms, count_room, &houses);
	CHECK(members == 3 && houses == 1);
	room_detach(&r[1].member);
	rooms_each_member(rooms, &doc, count_member, &members);
	CHECK(members == 5);
	room_attach(rooms, &doc, &r[1].member);
	end(r, 3);
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
	room_open(&r.member, mark(5));
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
	event(6);					/* nobody is here; SQL does not see it yet */
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

static void
slow_member(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	r[0].full = true;
	for (int v = 1; v <= 5; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(strcmp(r[0].got, "") == 0 && r[0].woken == 1);
	CHECK(strcmp(r[1].got, "1 2 3 4 5 ") == 0);
	CHECK(strcmp(drain(&r[0]), "1,2,3,4,5 ") == 0);
	event(6);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "1,2,3,4,5 6 ") == 0);
	end(r, 2);
}

static void
off_the_ring(void)
{
	struct reader r[2];

	begin(4, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	r[0].full = true;
	for (int v = 1; v <= 5; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(strcmp(drain(&r[0]), "tables") == 0);
	CHECK(strcmp(r[1].got, "1 2 3 4 5 ") == 0);
	room_go_live(&r[0].member, 1);
	CHECK(strcmp(drain(&r[0]), "2,3,4,5 ") == 0);
	end(r, 2);
}

static void
bounded_bytes(void)
{
	struct reader r;

	begin(1000, 400);
	enter(&r, 0);
	r.full = true;
	for (int v = 1; v <= 50; v++)
	{
		event(v);
		rooms_flush(rooms);
		CHECK(metrics.ring_bytes <= 400);
	}
	CHECK(strcmp(drain(&r), "tables") == 0);
	room_go_live(&r.member, 46);
	CHECK(strcmp(drain(&r), "47,48,49,50 ") == 0);
	end(&r, 1);
}

static void
frames_are_shared(void)
{
	struct reader r[3];
	struct frame *first;
	struct frame *second;

	begin(8, 10000);
	for (int i = 0; i < 3; i++)
		enter(&r[i], 0);
	r[1].full = r[2].full = true;
	event(1);
	rooms_flush(rooms);
	event(2);
	rooms_flush(rooms);
	CHECK(room_next(&r[1].member, &first) == ROOM_FRAME);
	CHECK(room_next(&r[2].member, &second) == ROOM_FRAME);
	CHECK(first == second);		/* built once for all who are as far behind */
	frame_unref(first);
	frame_unref(second);
	rooms_flush(rooms);
	r[1].full = r[2].full = false;
	room_next(&r[1].member, &first);
	room_next(&r[2].member, &second);
	event(3);
	rooms_flush(rooms);
	first = last_frame;
	room_go_live(&r[2].member, 2);
	CHECK(room_next(&r[2].member, &second) == ROOM_FRAME);
	CHECK(first == second);		/* a frame of the ring that is just what is
								 * missing */
	frame_unref(second);
	end(r, 3);
}

static void
member_in_the_middle(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	memset(&r[1], 0, sizeof(r[1]));
	room_attach(rooms, &doc, &r[1].member);
	room_open(&r[1].member, mark(2));
	room_go_live(&r[1].member, 2);	/* its snapshot is ahead of the room */
	event(1);
	event(2);
	event(3);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "1,2,3 ") == 0);
	CHECK(strcmp(drain(&r[1]), "3 ") == 0);
	end(r, 2);
}

static void
paused_member(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	room_pause(&r[1].member);
	event(1);
	rooms_flush(rooms);
	CHECK(strcmp(r[1].got, "") == 0 && r[1].woken == 0);
	room_go_live(&r[1].member, 0);
	CHECK(r[1].woken == 1 && strcmp(drain(&r[1]), "1 ") == 0);
	end(r, 2);
}

static void
leaving_and_coming_back(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 0);
	event(1);
	room_detach(&r.member);
	rooms_flush(rooms);
	CHECK(metrics.rooms == 0);
	enter(&r, 0);				/* the tables may be a moment behind what was
								 * published */
	CHECK(fetches == 1 && fetched_from == 0);
	end(&r, 1);
}

/* A room in doubt shows nothing; where the tables have what it holds, it goes on with what came meanwhile. */
static void
doubt_and_trust(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	event(6);
	rooms_flush(rooms);
	rooms_doubt(rooms);
	CHECK(rooms_doubtful(rooms) == 1 && rooms_is_doubtful(rooms, &doc));
	event(7);
	event(8);
	enter(&r[1], 5);			/* is behind, and would be served from the
								 * ring */
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[0]), "6 ") == 0 && strcmp(drain(&r[1]), "") == 0 && fetches == 0);
	rooms_trust(rooms, &doc);
	rooms_flush(rooms);
	CHECK(rooms_doubtful(rooms) == 0 && losses == 0 && fetches == 0);
	CHECK(strcmp(drain(&r[0]), "6 7,8 ") == 0 && strcmp(drain(&r[1]), "6,7,8 ") == 0);
	end(r, 2);
}

/* What waited for a gap to be closed may be of the history before; the tables have it, or they have other things. */
static void
doubt_drops_what_waits(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(8);
	CHECK(fetches == 1);
	rooms_doubt(rooms);
	rooms_fetched(rooms, &doc, true);	/* asked before: outdated */
	rooms_trust(rooms, &doc);
	table_ops(5, 7);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "6,7 ") == 0);
	table_ops(7, 8);
	while (rooms_retry(rooms));
	end(&r, 1);
}

/* The highest version counts that anybody holds or was told of, wherever from. */
static void
known_is_the_highest(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	CHECK(room_known(&r[0].member)->version == 5 && uuid_equal(&room_known(&r[0].member)->id, &mark(5)->id));
	event(6);
	CHECK(room_known(&r[0].member)->version == 6 && uuid_equal(&room_known(&r[0].member)->id, &mark(6)->id));
	CHECK(room_known(&r[0].member)->sequence_id == 106);
	answer(8, -1, true);		/* the writer's answer */
	answer(7, -1, true);
	event(7);
	CHECK(room_known(&r[0].member)->version == 8);
	enter(&r[1], 9);			/* a snapshot, ahead of the stream */
	CHECK(room_known(&r[0].member)->version == 9);
	room_learn(&r[1].member, mark(12)); /* caught up by itself */
	CHECK(room_known(&r[0].member)->version == 12);
	table_ops(7, 13);
	CHECK(room_known(&r[0].member)->version == 13);
	event(15);
	CHECK(room_known(&r[0].member)->version == 13 && fetches == 1 && fetched_known.version == 13);
	end(r, 2);
}

/* What the tables have lost is forgotten; the room opens anew for the next one who joins. */
static void
doubt_and_loss(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	event(6);
	rooms_flush(rooms);
	event(7);					/* published, not flushed */
	rooms_doubt(rooms);
	event(6);					/* of the other history */
	rooms_lose(rooms, &doc);
	CHECK(losses == 1 && rooms_doubtful(rooms) == 0 && metrics.ring_bytes == 0 && metrics.rooms_lost == 1);
	room_pause(&r[0].member);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[0]), "6 ") == 0);
	enter(&r[1], 6);
	event(7);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[1]), "7 ") == 0 && room_known(&r[1].member)->version == 7 && fetches == 0);
	rooms_lose(rooms, &doc);
	rooms_lose(rooms, &doc);	/* nothing is left to lose */
	CHECK(losses == 2);
	room_pause(&r[1].member);
	end(r, 2);
}

/* Whoever leaves takes the doubt along, and it holds up nobody else. */
static void
doubt_in_an_empty_room(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	rooms_doubt(rooms);
	room_detach(&r.member);
	rooms_flush(rooms);
	CHECK(rooms_doubtful(rooms) == 0);
	enter(&r, 5);
	room_detach(&r.member);
	rooms_doubt(rooms);			/* between the turns */
	CHECK(rooms_doubtful(rooms) == 0);
	enter(&r, 3);
	event(4);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "4 ") == 0);
	end(&r, 1);
}

/* Rooms that together keep too much each keep their share, those where nothing happens as well. */
static void
bounded_in_all(void)
{
	struct uuid first = doc;
	struct reader r[2];
	size_t		entry_len = strlen(entry(1));

	bytes_in_all = entry_len * 10;
	begin(64, 1 << 20);
	enter(&r[0], 0);
	for (int v = 1; v <= 8; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(metrics.ring_bytes == 8 * entry_len);
	rooms_shorten(rooms);
	CHECK(metrics.ring_bytes == 8 * entry_len && metrics.rings_shortened == 0);
	doc.bytes[0] ^= 1;
	enter(&r[1], 0);
	for (int v = 1; v <= 8; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(metrics.ring_bytes > 10 * entry_len && metrics.ring_bytes <= 13 * entry_len);
	rooms_shorten(rooms);
	CHECK(metrics.ring_bytes <= 10 * entry_len && metrics.rings_shortened == 1);
	doc = first;
	event(9);
	rooms_flush(rooms);
	CHECK(r[0].member.cursor == 9 && r[1].member.cursor == 8);
	CHECK(metrics.ring_bytes <= 11 * entry_len);
	end(r, 2);
	bytes_in_all = 1 << 20;
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"what a turn publishes goes out as one frame", in_order},
		{"what is known is dropped", known_versions},
		{"how long after its commit an operation is sent", times_since_commit},
		{"what was committed is owed, and read from the tables", owed_versions},
		{"what the tables give is told before it is shown", tables_may_be_ahead},
		{"every member is visited, live or not", members_are_visited},
		{"a gap is read from the tables, and what came meanwhile follows", gap_is_fetched},
		{"what is not visible yet is asked for again, later each time", gap_not_visible_yet},
		{"where the tables cannot help, members ask for themselves", gap_unreadable},
		{"a composed message raises the base; members behind it go to the tables", composed_from_tables},
		{"events before the room is open are kept", events_before_the_room_opens},
		{"what the stream showed before SQL saw it is fetched after the join", seen_before_visible},
		{"what was seen and never appears is given up", seen_and_lost},
		{"a room that is asked for while it waits does not wait twice", asked_while_waiting},
		{"a slow member holds up nobody and gets everything in one frame", slow_member},
		{"a cursor that fell off the ring goes to the tables", off_the_ring},
		{"the ring is bounded in bytes", bounded_bytes},
		{"all rings together are bounded in bytes", bounded_in_all},
		{"a frame is encoded once", frames_are_shared},
		{"a snapshot ahead of the room gets only what follows it", member_in_the_middle},
		{"a paused member gets nothing until it lives again", paused_member},
		{"an empty room ends, and what it had seen is remembered", leaving_and_coming_back},
		{"a room in doubt shows nothing until it is trusted", doubt_and_trust},
		{"what waits in a room is dropped when doubt begins", doubt_drops_what_waits},
		{"the highest version that anybody holds is known", known_is_the_highest},
		{"what was lost is forgotten, and the room opens anew", doubt_and_loss},
		{"an empty room is in no doubt", doubt_in_an_empty_room},
	};

	return TAP_RUN(tests);
}
