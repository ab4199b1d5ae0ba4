/*
 * test-session-join.c: how a session begins: the hello, the snapshot or the
 * resumption, the ack.
 */
#include "fake.h"

static void
with_a_snapshot(void)
{
	struct client ann;

	begin();
	open_at(&ann, DOC, NULL);
	say(&ann, "{\"type\":\"hello\",\"token\":\"ann\"}");
	CHECK(asked(ASKED_JOIN) == 1 && !question(ASKED_JOIN)->resumes && !question(ASKED_JOIN)->has_pending);
	answer_join(5);
	GOT(&ann, "joined 5 owner; snapshot 5; ");
	event(6);
	GOT(&ann, "");				/* only after the ack */
	say(&ann, "{\"type\":\"ack\",\"sequenceId\":105}");
	GOT(&ann, "ops 6; ");
	event(7);
	GOT(&ann, "ops 7; ");
	end();
}

static void
resumed(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	for (int v = 6; v <= 8; v++)
		event(v);
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\",\"version\":6,\"pending\":\"00000000-0000-0000-0000-000000000001\"}");
	CHECK(question(ASKED_JOIN)->resumes && question(ASKED_JOIN)->version == 6);
	CHECK(question(ASKED_JOIN)->has_pending && question(ASKED_JOIN)->pending.bytes[15] == 1);
	answer_join(8);
	GOT(&ben, "joined 8 editor resumed; ops 7,8; ");
	event(9);
	GOT(&ben, "ops 9; ");
	CHECK(asked(ASKED_CATCH_UP) == 0);
	end();
}

/* What the ring does not have any more comes from the tables; what is published meanwhile follows it. */
static void
resumed_with_a_gap(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	for (int v = 6; v <= 12; v++)
		event(v);
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\",\"version\":6}");
	answer_join(12);
	GOT(&ben, "joined 12 editor resumed; ");
	CHECK(asked(ASKED_CATCH_UP) == 1 && question(ASKED_CATCH_UP)->version == 6 && metrics.ring_misses == 1);
	event(13);
	GOT(&ben, "");				/* would be a gap */
	give(6, 9, true);
	give(9, 12, false);
	GOT(&ben, "catchup 9; ops 10,11,12; ");
	end_catch_up(CATCH_UP_DONE);
	GOT(&ben, "ops 13; ");
	event(14);
	GOT(&ben, "ops 14; ");
	end();
}

static void
refused_tokens(void)
{
	struct client c[3];

	begin();
	open_at(&c[0], DOC, NULL);
	say(&c[0], "{\"type\":\"hello\"}");
	GOT(&c[0], "error unauthenticated; ");
	open_at(&c[1], DOC, "ann");
	say(&c[1], "{\"type\":\"hello\",\"token\":\"bad\"}");	/* the hello's goes first */
	GOT(&c[1], "error unauthenticated; ");
	CHECK(c[0].code == CLOSE_UNAUTHENTICATED && c[1].code == CLOSE_UNAUTHENTICATED && metrics.refused_token == 1);
	open_at(&c[2], "no-uuid", "ann");
	say(&c[2], "{\"type\":\"hello\"}");
	GOT(&c[2], "error not_found; ");
	CHECK(c[2].code == CLOSE_NOT_FOUND && asked(ASKED_JOIN) == 0);
	end();
}

static void
refused_by_the_tables(void)
{
	static const struct
	{
		enum close_code close;
		const char *error;
	}			cases[] = {
		{CLOSE_FORBIDDEN, "error forbidden; "},
		{CLOSE_NOT_FOUND, "error not_found; "},
		{CLOSE_RESTARTING, "error unavailable; "},
		{CLOSE_TOO_BIG, "error too_large; "},
		{CLOSE_INTERNAL, "error internal; "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		struct client ann;

		begin();
		open_at(&ann, DOC, "ann");
		say(&ann, "{\"type\":\"hello\"}");
		refuse_join(cases[i].close);
		GOT(&ann, cases[i].error);
		CHECK(ann.code == (int) cases[i].close);
		end();
	}
}

static void
out_of_order(void)
{
	static const struct
	{
		const char *message;
		bool		joined;
		bool		live;
	}			cases[] = {
		{"{\"type\":\"op\"}", false, false},
		{"{\"type\":\"unheard-of\"}", false, false},
		{"{\"type\":\"ack\",\"sequenceId\":104}", true, false},
		{"{\"type\":\"op\"}", true, false},
		{"{\"type\":\"hello\"}", true, false},
		{"{\"type\":\"ack\",\"sequenceId\":105}", true, true},
		{"{\"type\":\"hello\"}", true, true},
		{"{\"type\"", true, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		struct client ann;

		begin();
		open_at(&ann, DOC, "ann");
		if (cases[i].joined)
		{
			say(&ann, "{\"type\":\"hello\"}");
			answer_join(5);
		}
		if (cases[i].live)
			say(&ann, "{\"type\":\"ack\",\"sequenceId\":105}");
		say(&ann, cases[i].message);
		turn();
		CHECK(ann.s == NULL && ann.code == CLOSE_MALFORMED && asked(ASKED_JOIN) == 0);
		end();
	}
}

/* The tables answer a client that has gone meanwhile. */
static void
gone_before_the_answer(void)
{
	struct client ann;

	begin();
	open_at(&ann, DOC, "ann");
	say(&ann, "{\"type\":\"hello\"}");
	hang_up(&ann);
	turn();
	CHECK(metrics.rooms == 0 && metrics.close_by_peer == 1 && abandoned == 1);
	answer_join(5);
	GOT(&ann, "");
	end();
}

/* Who makes the relay hold most is closed, and nobody else; what waited is dropped at once. */
static void
memory_is_bounded(void)
{
	struct ledger_config bound = {.bound = 4 * LIMIT_CONNECTION_BYTES,.metrics = &metrics,.frames = frames_held};
	struct ledger small;
	struct client ann;
	struct client ben;

	bound.bound += frames_held();
	ledger_init(&small, &bound);
	ledger = &small;
	begin();
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	ann.full = ben.full = true;
	say(&ben, "{\"type\":\"unheard-of\"}");
	for (int i = 0; i < 200; i++)
		say(&ann, "{\"type\":\"unheard-of\"}");
	CHECK(metrics.messages_waiting == 201 && session_purse(ann.s)->account->bytes > LIMIT_CONNECTION_BYTES + 200 * 20);
	ledger_settle(&small);
	CHECK(metrics.memory_closed == 1 && metrics.messages_waiting == 2);
	ann.full = ben.full = false;
	GOT(&ann, "error holding; ");
	CHECK(ann.code == CLOSE_HOLDING && metrics.close_holding == 1);
	GOT(&ben, "error unknown_type; ");
	CHECK(ben.s != NULL && ben.code == 0);
	end();
	ledger = NULL;
	CHECK(metrics.memory_connections == 0 && small.accounts.row_count == 3);
	ledger_forget(&small);
	ledger_free(&small);
}

/* A client is not read while its user makes the relay hold much, whatever pauses end meanwhile. */
static void
a_debtor_is_not_read(void)
{
	struct ledger_config bound = {.bound = 4 * LIMIT_CONNECTION_BYTES,.metrics = &metrics,.frames = frames_held};
	struct ledger small;
	struct client ann;

	bound.bound += frames_held();
	ledger_init(&small, &bound);
	ledger = &small;
	begin();
	join(&ann, "ann", 5);
	ledger_settle(&small);
	CHECK(!ann.paused);
	ledger_charge(session_purse(ann.s), LEDGER_REQUESTS, 5 * LIMIT_CONNECTION_BYTES / 2);
	ledger_settle(&small);
	CHECK(ann.paused && metrics.memory_slowed == 1 && metrics.memory_closed == 0);
	sessions_speed_up(sessions);
	CHECK(ann.paused);
	ledger_release(session_purse(ann.s), LEDGER_REQUESTS, 5 * LIMIT_CONNECTION_BYTES / 2);
	ledger_settle(&small);
	CHECK(!ann.paused);
	end();
	ledger = NULL;
	ledger_free(&small);
}

/* A user has a number of connections at most. */
static void
connections_of_a_user(void)
{
	struct client c[3];

	begin();
	config.user_connections = 1;
	join(&c[0], "ann", 5);
	join(&c[1], "ben", 5);
	open_at(&c[2], DOC, "ann");
	say(&c[2], "{\"type\":\"hello\"}");
	GOT(&c[2], "error flooding; ");
	CHECK(c[2].code == CLOSE_FLOODING && metrics.refused_user == 1 && c[0].s != NULL);
	end();
}

static void
flood(void)
{
	struct client ann;

	begin();
	config.rate = config.burst = 1;
	open_at(&ann, DOC, "ann");
	say(&ann, "{\"type\":\"hello\"}");
	answer_join(5);
	say(&ann, "{\"type\":\"ack\",\"sequenceId\":105}");
	GOT(&ann, "joined 5 owner; snapshot 5; ");
	CHECK(ann.paused && metrics.slowed == 1);
	for (int i = 0; i < 1000 && ann.s != NULL; i++)
	{
		send_op(&ann, i);
		turn();
	}
	CHECK(ann.code == CLOSE_FLOODING && metrics.floods == 1 && metrics.reject_rate_limited > 0);
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a client joins with a snapshot, and operations follow its ack", with_a_snapshot},
		{"a client resumes at the version that it has", resumed},
		{"a gap that the ring cannot close is read from the tables", resumed_with_a_gap},
		{"a client without a good token or document is refused", refused_tokens},
		{"a join that the tables refuse ends with their reason", refused_by_the_tables},
		{"a message in the wrong state ends the connection", out_of_order},
		{"a client may go before its join is answered", gone_before_the_answer},
		{"whoever makes the relay hold most is closed, and no other", memory_is_bounded},
		{"a debtor is not read", a_debtor_is_not_read},
		{"a user's connections are bounded", connections_of_a_user},
		{"a flood is read slowly, then rejected, then ended", flood},
	};

	return TAP_RUN(tests);
}
