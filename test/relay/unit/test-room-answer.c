/*
 * test-room-answer.c: what is published from PostgreSQL's answers, and what has
 * to wait for the stream.
 */
#include "house.h"

/* Get what a reader was sent in this turn. */
static const char *
sent(struct reader *r)
{
	static char got[sizeof(r->got)];

	rooms_flush(rooms);
	strcpy(got, r->got);
	*r->got = '\0';
	return got;
}

/* A member at version 5; 6 was answered with this number of changes, then shown by the stream. */
static void
begin_synced(struct reader *r, int64_t member_changes)
{
	begin(8, 10000);
	enter(r, 5);
	answer(6, member_changes, true);
	CHECK(strcmp(sent(r), "") == 0);
	event(6);
	CHECK(strcmp(sent(r), "6 ") == 0);
}

static void
synced_by_the_stream(void)
{
	struct reader r;

	begin_synced(&r, 3);
	answer(7, 3, true);
	answer(8, 3, true);
	CHECK(strcmp(sent(&r), "7,8 ") == 0);
	CHECK(metrics.ops_from_answers == 2 && metrics.ops_published == 3);
	event(7);
	event(8);
	CHECK(strcmp(sent(&r), "") == 0);
	CHECK(metrics.ops_published == 3 && fetches == 0);
	end(&r, 1);
}

/* The answer comes after the stream. */
static void
synced_by_the_answer(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(6);
	answer(6, 0, true);
	CHECK(strcmp(sent(&r), "6 ") == 0);
	answer(7, 0, true);
	CHECK(strcmp(sent(&r), "7 ") == 0);
	end(&r, 1);
}

static void
a_change_between(void)
{
	struct reader r;

	begin_synced(&r, 3);
	answer(7, 4, true);
	answer(8, 4, true);
	CHECK(strcmp(sent(&r), "") == 0);
	event(7);					/* the change came before it, but 8 is
								 * what was noted */
	CHECK(strcmp(sent(&r), "7 ") == 0);
	event(8);
	CHECK(strcmp(sent(&r), "8 ") == 0);
	answer(9, 4, true);
	CHECK(strcmp(sent(&r), "9 ") == 0);
	answer(10, 3, true);		/* less than before is another number, too */
	CHECK(strcmp(sent(&r), "") == 0);
	end(&r, 1);
}

static void
a_later_operation_syncs(void)
{
	struct reader r;

	begin_synced(&r, 3);
	answer(7, 4, true);
	rooms_frame(rooms, &doc, 6, revision(7), true, "{\"type\":\"catchup\"}", strlen("{\"type\":\"catchup\"}"));
	answer(8, 4, true);			/* the tables give no changes of members */
	CHECK(strcmp(sent(&r), "") == 0);
	event(9);
	CHECK(fetches == 1);
	table_ops(7, 8);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "tables") == 0);
	room_go_live(&r.member, 9);
	answer(10, 4, true);
	CHECK(strcmp(sent(&r), "10 ") == 0);
	end(&r, 1);
}

/* Between the two is another relay's operation, which only the stream shows. */
static void
not_contiguous(void)
{
	struct reader r;

	begin_synced(&r, 3);
	answer(8, 3, true);
	CHECK(strcmp(sent(&r), "") == 0);
	event(7);
	event(8);
	CHECK(strcmp(sent(&r), "7,8 ") == 0);
	answer(8, 3, true);
	CHECK(strcmp(sent(&r), "") == 0 && fetches == 0);
	end(&r, 1);
}

/* A duplicate's answer has no number of changes. */
static void
duplicates(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(6);
	answer(6, -1, true);
	answer(7, -1, true);
	CHECK(strcmp(sent(&r), "6 ") == 0 && metrics.ops_from_answers == 0);
	end(&r, 1);
}

/* Another history may have other changes under the same number. */
static void
suspicion_unsyncs(void)
{
	struct reader r;

	begin_synced(&r, 3);
	rooms_suspect(rooms);
	answer(7, 3, true);
	CHECK(strcmp(sent(&r), "") == 0);
	rooms_confirm(rooms, &doc);
	answer(7, 3, true);
	CHECK(strcmp(sent(&r), "") == 0);
	event(7);
	CHECK(strcmp(sent(&r), "7 ") == 0);
	answer(8, 3, true);
	CHECK(strcmp(sent(&r), "8 ") == 0);
	end(&r, 1);
}

/* So may one that was found out by what the tables hold. */
static void
loss_unsyncs(void)
{
	struct reader r;

	begin_synced(&r, 3);
	rooms_reset(rooms, &doc);
	CHECK(losses == 1);
	room_open(&r.member, revision(6));
	room_go_live(&r.member, 6);
	answer(7, 3, true);
	CHECK(strcmp(sent(&r), "") == 0);
	event(7);
	CHECK(strcmp(sent(&r), "7 ") == 0);
	end(&r, 1);
}

static void
no_room(void)
{
	struct reader r;

	begin(8, 10000);
	answer(1, 0, true);
	memset(&r, 0, sizeof(r));
	room_attach(rooms, &doc, &r.member);
	event(6);
	answer(6, 0, true);
	answer(7, 0, true);			/* no member has joined yet */
	CHECK(metrics.ops_from_answers == 0);
	room_open(&r.member, revision(7));
	room_go_live(&r.member, 7);
	answer(8, 0, true);
	CHECK(strcmp(sent(&r), "8 ") == 0);
	end(&r, 1);
}

/* The time from its commit is known when the stream tells, in the same turn or later. */
static void
times(void)
{
	struct reader r;

	begin_synced(&r, 3);
	CHECK(sent_in(0) == 1);
	answer(7, 3, true);
	event(7);
	CHECK(sent_in(0) == 1);
	sent(&r);
	CHECK(sent_in(0) == 2);
	answer(8, 3, true);
	sent(&r);
	CHECK(sent_in(0) == 2);
	age_us = 60000000;
	event(8);
	CHECK(sent_in(HISTOGRAM_BOUNDS) == 1);
	room_pause(&r.member);
	answer(9, 3, true);
	rooms_flush(rooms);
	event(9);					/* it was sent to no member */
	CHECK(sent_in(0) == 2 && sent_in(HISTOGRAM_BOUNDS) == 1);
	end(&r, 1);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"once the stream has shown an answered operation, the next answers are published", synced_by_the_stream},
		{"the stream may come first", synced_by_the_answer},
		{"what follows a change of members waits for the stream", a_change_between},
		{"what the tables gave does not sync a room, a later operation on the stream does", a_later_operation_syncs},
		{"an operation after one that is missing waits", not_contiguous},
		{"duplicates do not sync a room", duplicates},
		{"a suspect room is not synced", suspicion_unsyncs},
		{"so does the loss of a room's operations", loss_unsyncs},
		{"a room that is not open publishes nothing", no_room},
		{"the time since the commit is measured when the stream shows it", times},
	};

	return TAP_RUN(tests);
}
