/*
 * test-session-talk.c: comments, suggestions and chat: calls one at a time, events to
 * those who may read them, and clients that are told what they missed.
 */
#include "fake.h"

#define DONE PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK)

/* The stream shows a message of chat. */
static void
chat(int number)
{
	char		line[200];
	struct talk_event e;

	sprintf(line, "{\"type\":\"chat\",\"documentId\":\"" DOC "\",\"committed\":1,\"changed\":%d,\"id\":\"x\",\"body\":\"é\"}", number);
	CHECK(talk_read_event(line, strlen(line), &e) && e.changed == number);
	sessions_hear(sessions, &e);
	turn();
}

/* A client says a number. */
static void
send_chat(struct client *c, int number)
{
	char		text[160];

	sprintf(text, "{\"type\":\"chat\",\"id\":\"00000000-0000-0000-0000-%012d\",\"body\":\"%d\"}", number, number);
	say(c, text);
}

/* Answer a call that wrote something, which the stream shows. */
static void
done(void)
{
	PGresult   *result = DONE;

	answer_call(CALL_DONE, result);
	PQclear(result);
}

/* Answer the question for the numbers of documents: this one's. */
static void
number_is(const char *number)
{
	PGresult   *result = DONE;
	PGresAttDesc columns[2] = {{.name = "doc_id"}, {.name = "changed"}};

	PQsetResultAttrs(result, 2, columns);
	PQsetvalue(result, 0, 0, DOC, UUID_TEXT_LEN);
	PQsetvalue(result, 0, 1, (char *) number, (int) strlen(number));
	answer_call(CALL_DONE, result);
	PQclear(result);
}

static void
one_after_the_other(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	send_chat(&ben, 1);
	send_chat(&ben, 2);
	CHECK(pool.count == 1);
	CHECK_TEXT(pool.calls[0].text, "talk_say ben: " DOC " 00000000-0000-0000-0000-000000000001 1");
	done();
	CHECK(pool.count == 1);
	CHECK_TEXT(pool.calls[0].text, "talk_say ben: " DOC " 00000000-0000-0000-0000-000000000002 2");
	done();
	GOT(&ben, "");
	CHECK(pool.count == 0 && metrics.talk_in == 2);
	end();
}

static void
too_many(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	for (int i = 0; i < LIMIT_SESSION_TALK; i++)
		send_chat(&ben, i);
	GOT(&ben, "");
	send_chat(&ben, 99);
	GOT(&ben, "reject rate_limited; ");
	done();
	send_chat(&ben, 99);
	GOT(&ben, "");
	end();
}

static void
unanswered(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	send_chat(&ben, 1);
	send_chat(&ben, 2);
	answer_call(CALL_IN_DOUBT, NULL);
	GOT(&ben, "reject unavailable; ");
	pool.full = true;
	done();
	send_chat(&ben, 3);
	GOT(&ben, "reject unavailable; ");
	sessions_drain(sessions);
	send_chat(&ben, 4);
	GOT(&ben, "reject unavailable; ");
	end();
}

/* What waited when a client left is dropped; what was under way is done. */
static void
gone(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	for (int i = 0; i < 5; i++)
		send_chat(&ben, i);
	hang_up(&ben);
	done();
	CHECK(pool.count == 0);
	end();
}

static void
answered_alone(void)
{
	struct client ann;
	struct client ben;
	PGresult   *result = DONE;
	PGresAttDesc column = {.name = "event"};

	begin();
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	send_chat(&ben, 1);
	PQsetResultAttrs(result, 1, &column);
	PQsetvalue(result, 0, 0, "{\"type\":\"chat\"}", 15);
	answer_call(CALL_DONE, result);
	PQclear(result);
	GOT(&ben, "chat; ");
	GOT(&ann, "");
	end();
}

static void
shown_to_all(void)
{
	struct client ann;
	struct client eve;

	begin();
	join(&ann, "ann", 5);
	join(&eve, "eve", 5);
	event(6);
	chat(1);
	GOT(&ann, "ops 6; chat; ");
	GOT(&eve, "ops 6; chat; ");
	CHECK(metrics.talk_out == 2 && metrics.talk_hints == 0);
	end();
}

/* An operation that was published in this turn goes out before the event behind it. */
static void
in_its_place(void)
{
	struct client ann;
	const char *text = entry(6);
	struct event e = {.doc = doc,.version = 6,.sequence_id = 106,.committed_us = 1,.entry = text,.entry_len = strlen(text)};

	begin();
	join(&ann, "ann", 5);
	e.doc = doc;
	rooms_event(rooms, &e);
	chat(1);
	GOT(&ann, "ops 6; chat; ");
	end();
}

static void
not_while_asked(void)
{
	struct client ben;
	struct client eve;

	begin();
	join(&ben, "ben", 5);
	join(&eve, "eve", 5);
	set_role("eve", NULL);
	member_changed("eve");
	chat(1);
	GOT(&eve, "");
	answer_roles(ROLES_KNOWN);
	GOT(&eve, "error forbidden; ");
	member_changed("ben");
	chat(2);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "chat; talk; ");
	chat(3);
	GOT(&ben, "chat; ");
	CHECK(metrics.talk_hints == 1);
	end();
}

static void
not_before_the_ack(void)
{
	struct client ben;

	begin();
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\"}");
	answer_join(5);
	chat(1);
	GOT(&ben, "joined 5 editor; snapshot 5; ");
	say(&ben, "{\"type\":\"ack\",\"sequenceId\":105}");
	GOT(&ben, "talk; ");
	end();
}

static void
full_sockets(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	ben.full = true;
	chat(1);
	chat(2);
	ben.full = false;
	GOT(&ben, "talk; ");
	chat(3);
	GOT(&ben, "chat; ");
	end();
}

/* After the stream was away: only where the tables have more than was shown, and once more a moment later. */
static void
stream_away(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	chat(1);
	GOT(&ben, "chat; ");
	sessions_miss_talk(sessions);
	CHECK_TEXT(pool.calls[0].text, "talk_numbers -: {" DOC "}");
	number_is("1");
	GOT(&ben, "");
	pass(LIMIT_TALK_AGAIN_S);
	CHECK(pool.count == 1);
	number_is("2");
	GOT(&ben, "talk; ");
	chat(2);
	GOT(&ben, "chat; ");
	pass(10);
	CHECK(pool.count == 0);
	sessions_miss_talk(sessions);
	answer_call(CALL_LATER, NULL);
	pass(LIMIT_TALK_AGAIN_S);
	number_is("3");
	GOT(&ben, "talk; ");
	end();
}

static void
not_shown(void)
{
	struct client ann;
	struct client ben;

	begin();
	shown = false;
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	pass(1);
	number_is("4");
	GOT(&ben, "talk; ");
	GOT(&ann, "talk; ");
	send_chat(&ben, 1);
	done();
	GOT(&ben, "talk; ");
	GOT(&ann, "talk; ");
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"messages are calls, one after the other", one_after_the_other},
		{"too many unanswered ones are rejected", too_many},
		{"what PostgreSQL does not answer can be sent again", unanswered},
		{"what waited when a client left is dropped", gone},
		{"what was said before is answered to its sender alone", answered_alone},
		{"an event is sent to all", shown_to_all},
		{"and not before the operations in front of it", in_its_place},
		{"it is not sent while a role is asked for, and the client told afterwards", not_while_asked},
		{"nor before the ack of the snapshot", not_before_the_ack},
		{"nor does it wait for a full socket", full_sockets},
		{"after the stream was away clients are told where the tables have more", stream_away},
		{"so are those of documents that it does not show", not_shown},
	};

	return TAP_RUN(tests);
}
