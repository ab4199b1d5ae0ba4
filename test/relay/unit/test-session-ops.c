/*
 * test-session-ops.c: a client's operations and their answers, checksums, and the
 * ends of connections: silence, drain and restart.
 */
#include "fake.h"

static void
submitted_and_answered(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	send_op(&ann, 1);
	CHECK(writer.count == 1 && writer.held[0].id.bytes[15] == 1);
	commit(6, false);
	GOT(&ann, "");				/* the log shows it */
	event(6);
	GOT(&ann, "ops 6; ");
	send_op(&ann, 1);
	commit(6, true);
	GOT(&ann, "ops 6; ");		/* the log will not show it again */
	send_op(&ann, 2);
	reject(REJECT_STALE, false);
	GOT(&ann, "reject stale; ");
	send_op(&ann, 3);
	reject(REJECT_FORBIDDEN, true);
	GOT(&ann, "error not_found; ");
	CHECK(metrics.reject_stale == 1 && ann.code == CLOSE_NOT_FOUND);
	end();
}

static void
rejected_at_once(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	say(&ann, "{\"type\":\"op\",\"operationId\":\"00000000-0000-0000-0000-000000000001\",\"baseVersion\":-1,\"op\":[]}");
	GOT(&ann, "reject invalid; ");
	writer.full = true;
	send_op(&ann, 1);
	GOT(&ann, "reject unavailable; ");
	writer.full = false;
	for (int i = 0; i < LIMIT_SESSION_OPS; i++)
		send_op(&ann, i);
	GOT(&ann, "");
	send_op(&ann, 99);
	GOT(&ann, "reject rate_limited; ");
	CHECK(writer.count == LIMIT_SESSION_OPS);
	say(&ann, "{\"type\":\"op\",\"baseVersion\":5,\"op\":[]}");
	GOT(&ann, "error malformed; ");
	end();
}

/* Answers to a client that has gone are taken, and then it is freed. */
static void
gone_before_the_answer(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	send_op(&ann, 1);
	send_op(&ann, 2);
	hang_up(&ann);
	turn();
	commit(6, false);
	reject(REJECT_INVALID, false);
	GOT(&ann, "");
	end();
}

/* A relay that drains takes no operations and no clients, and answers what it took. */
static void
drain(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	send_op(&ann, 1);
	sessions_drain(sessions);
	send_op(&ann, 2);
	GOT(&ann, "reject unavailable; ");
	commit(6, false);
	event(6);
	GOT(&ann, "ops 6; ");
	open_at(&ben, DOC, "ben");
	GOT(&ben, "error restarting; ");
	sessions_close_all(sessions, "the relay is restarting");
	GOT(&ann, "error restarting; ");
	CHECK(ann.code == CLOSE_RESTARTING && ben.code == CLOSE_RESTARTING && metrics.close_restarting == 2);
	end();
}

/* A client joining when the relay closes all is sent away as well. */
static void
close_all_in_every_state(void)
{
	struct client c[3];

	begin();
	join(&c[2], "eve", 5);
	open_at(&c[0], DOC, "ann");
	open_at(&c[1], DOC, "ben");
	say(&c[1], "{\"type\":\"hello\"}");
	sessions_close_all(sessions, "the relay is restarting");
	turn();
	for (int i = 0; i < 3; i++)
		CHECK(c[i].s == NULL && c[i].code == CLOSE_RESTARTING);
	end();
}

static void
silence(void)
{
	struct client c[4];

	begin();
	open_at(&c[0], DOC, "ann");	/* says nothing */
	join(&c[1], "ben", 5);		/* neither reads nor answers pings */
	join(&c[2], "eve", 5);		/* slow, but reads */
	c[2].taken = true;
	join(&c[3], "ann", 5);		/* a message that does not end */
	c[3].unfinished_s = now_s;
	pass(10);
	GOT(&c[0], "error too_slow; ");
	CHECK(metrics.timeouts_hello == 1);
	pass(110);
	CHECK(c[1].killed && metrics.timeouts_pong >= 1);
	CHECK(!c[2].killed && c[2].pings >= 3 && c[2].s != NULL);
	GOT(&c[3], "error too_slow; ");
	CHECK(metrics.timeouts_message == 1);
	end();
}

/* A client that does not take its last message is cut off after a while. */
static void
closing_ends(void)
{
	struct client ann;

	begin();
	join(&ann, "ann", 5);
	ann.full = true;
	say(&ann, "{\"type\":\"hello\"}");
	turn();
	CHECK(ann.s != NULL && !ann.killed);
	pass(LIMIT_CLOSING_S);
	CHECK(ann.killed);
	say(&ann, "{\"type\":\"op\"}");	/* nothing is taken from it any more */
	CHECK(metrics.messages_in == 3);
	end();
}

static void
checksums(void)
{
	static const char report[] = "{\"type\":\"checksum\",\"version\":5,\"checksum\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}";
	static const char same[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const char other[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	struct client ann;

	begin();
	config.verify_interval_s = 5;
	join(&ann, "ann", 5);
	pass(5);
	GOT(&ann, "checksum; ");
	say(&ann, report);
	CHECK(asked(ASKED_CHECKSUM) == 1 && question(ASKED_CHECKSUM)->version == 5);
	answer_checksum(same);
	GOT(&ann, "");
	say(&ann, report);			/* unasked, and too soon */
	CHECK(asked(ASKED_CHECKSUM) == 0 && metrics.checksums_equal == 1 && metrics.checksums_ignored == 1);
	pass(LIMIT_CHECKSUM_S + 1);	/* asked again meanwhile, too */
	*ann.got = '\0';
	say(&ann, report);
	answer_checksum(other);
	CHECK(asked(ASKED_JOIN) == 1 && metrics.checksums_different == 1);
	answer_join(5);
	GOT(&ann, "error diverged; joined 5 owner; snapshot 5; ");
	say(&ann, report);			/* on its way before the snapshot came */
	CHECK(ann.s != NULL && metrics.checksums_ignored == 2);
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"an operation is submitted, and its client learns what became of it", submitted_and_answered},
		{"an operation that cannot be submitted is rejected at once", rejected_at_once},
		{"a client may go before its operations are answered", gone_before_the_answer},
		{"a draining relay answers what it took and takes nothing more", drain},
		{"clients are closed in every state", close_all_in_every_state},
		{"silent clients are ended, slow readers are not", silence},
		{"a client that does not take its last message is cut off", closing_ends},
		{"a client whose text is another gets a second snapshot", checksums},
	};

	return TAP_RUN(tests);
}
