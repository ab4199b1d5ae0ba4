/*
 * test-session-slow.c: clients that do not read: what waits, what is left to the
 * ring and to the tables, a second snapshot, and the end of patience.
 */
#include "fake.h"

static void
one_frame_when_there_is_room(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	ben.full = true;
	event(6);
	event(7);
	event(8);
	GOT(&ann, "ops 6; ops 7; ops 8; ");
	CHECK(ben.woken);
	ben.full = false;
	GOT(&ben, "ops 6,7,8; ");
	end();
}

/* The cursor falls off the ring: the tables close the gap. */
static void
off_the_ring(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	GOT(&ann, "");
	CHECK(asked(ASKED_CATCH_UP) == 1 && question(ASKED_CATCH_UP)->version == 5);
	give(5, 10, true);
	give(4, 10, true);			/* does not follow the cursor */
	GOT(&ann, "catchup 10; ");
	end_catch_up(CATCH_UP_DONE);
	GOT(&ann, "ops 11,12; ");
	end();
}

/* ... or has changed so much that a snapshot is read; operations may cross it. */
static void
second_snapshot(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	turn();
	end_catch_up(CATCH_UP_STALE);
	CHECK(asked(ASKED_JOIN) == 1 && !question(ASKED_JOIN)->resumes);
	send_op(&ann, 1);
	CHECK(writer.count == 1);
	event(13);
	GOT(&ann, "");
	answer_join(13);
	GOT(&ann, "joined 13 owner; snapshot 13; ");
	send_op(&ann, 2);
	CHECK(writer.count == 2);
	say(&ann, "{\"type\":\"ack\",\"sequenceId\":113}");
	event(14);
	GOT(&ann, "ops 14; ");
	end();
}

static void
ends_of_catching_up(void)
{
	static const struct
	{
		enum catch_up_result result;
		int			code;
		const char *error;
	}			cases[] = {
		{CATCH_UP_GONE, CLOSE_NOT_FOUND, "error not_found; "},
		{CATCH_UP_OTHER, CLOSE_RESTARTING, "error restarting; "},
		{CATCH_UP_FORBIDDEN, CLOSE_FORBIDDEN, "error forbidden; "},
		{CATCH_UP_FAILED, CLOSE_INTERNAL, "error internal; "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		struct client ann;

		begin();
		join(&ann, "ann", 5);
		ann.full = true;
		for (int v = 6; v <= 12; v++)
			event(v);
		ann.full = false;
		turn();
		end_catch_up(cases[i].result);
		GOT(&ann, cases[i].error);
		CHECK(ann.code == cases[i].code);
		end();
	}
}

/* The tables have not what the room has yet: the client asks again. */
static void
not_yet_in_the_tables(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	turn();
	end_catch_up(CATCH_UP_UNSEEN);
	GOT(&ann, "");
	CHECK(asked(ASKED_CATCH_UP) == 1 && question(ASKED_CATCH_UP)->version == 5);
	end();
}

/*
 * An operation is answered while its client catches up: a frame that composes it with
 * others, asked for before, would hide it, so the client asks again for a frame where
 * it is alone.
 */
static void
answered_while_catching_up(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	turn();
	CHECK(!question(ASKED_CATCH_UP)->has_pending);
	send_op(&ann, 7);
	commit(13, false);
	give(5, 13, true);
	GOT(&ann, "");
	end_catch_up(CATCH_UP_DONE);
	turn();
	CHECK(asked(ASKED_CATCH_UP) == 1 && question(ASKED_CATCH_UP)->has_pending);
	CHECK(question(ASKED_CATCH_UP)->pending.bytes[15] == 7);
	give(5, 12, true);
	give(12, 13, false);
	GOT(&ann, "catchup 12; ops 13; ");
	end_catch_up(CATCH_UP_DONE);
	event(13);
	event(14);
	GOT(&ann, "ops 14; ");
	end();
}

/* The answer comes after a frame that composed the operation: the client is told of it by itself. */
static void
answered_after_catching_up(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	turn();
	send_op(&ann, 1);
	give(5, 12, true);
	end_catch_up(CATCH_UP_DONE);
	GOT(&ann, "catchup 12; ");
	commit(11, false);
	GOT(&ann, "ops 11; ");
	end();
}

/* Operations never overtake a message that waits. */
static void
in_order(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	send_op(&ann, 1);
	ann.full = true;
	reject(REJECT_INVALID, false);
	CHECK(metrics.messages_waiting == 1 && metrics.messages_waiting_bytes > 0);
	ann.full = false;			/* and is not written to yet */
	event(6);
	GOT(&ann, "reject invalid; ops 6; ");
	CHECK(metrics.messages_waiting == 0);
	end();
}

static void
too_slow(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int i = 0; i < LIMIT_SESSION_FRAMES - 1; i++)
		say(&ann, "{\"type\":\"unheard-of\"}");
	turn();
	CHECK(ann.s != NULL && metrics.messages_waiting == LIMIT_SESSION_FRAMES - 1);
	say(&ann, "{\"type\":\"unheard-of\"}");
	turn();
	CHECK(ann.s != NULL);		/* its last message still waits */
	ann.full = false;
	turn();
	CHECK(ann.s == NULL && ann.code == CLOSE_TOO_SLOW && metrics.close_too_slow == 1);
	CHECK(strcmp(ann.got + strlen(ann.got) - 16, "error too_slow; ") == 0);
	end();
}

/* A client that goes while the tables are read is not written to, and is freed with the answer. */
static void
gone_while_catching_up(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	for (int v = 6; v <= 12; v++)
		event(v);
	ann.full = false;
	turn();
	hang_up(&ann);
	turn();
	give(5, 12, true);
	end_catch_up(CATCH_UP_DONE);
	GOT(&ann, "");
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a slow client gets what it missed as one frame", one_frame_when_there_is_room},
		{"a cursor off the ring is served from the tables", off_the_ring},
		{"a client too far behind for the tables gets a second snapshot, and may go on typing", second_snapshot},
		{"where the tables cannot serve a client it is told why", ends_of_catching_up},
		{"what the tables do not show yet is asked for again", not_yet_in_the_tables},
		{"an operation answered while its client catches up is not hidden by a composed frame", answered_while_catching_up},
		{"an operation answered after a frame composed it is confirmed by itself", answered_after_catching_up},
		{"operations do not overtake what waits", in_order},
		{"a client for whom too much waits is ended", too_slow},
		{"a client may go while it catches up", gone_while_catching_up},
	};

	return TAP_RUN(tests);
}
