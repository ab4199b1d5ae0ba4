/*
 * test-session-access.c: roles that change, rights that are taken away, documents
 * that are deleted and tokens that expire, while clients are connected.
 */
#include "fake.h"

/* Nothing committed after the change is sent before the tables have given the role. */
static void
removed_while_live(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	event(6);
	GOT(&ben, "ops 6; ");
	set_role("ben", NULL);
	member_changed("ben");
	event(7);
	GOT(&ann, "ops 6; ops 7; ");
	GOT(&ben, "");
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "error forbidden; ");
	CHECK(ben.s == NULL && ben.code == CLOSE_FORBIDDEN && metrics.revocations == 1);
	event(8);
	GOT(&ann, "ops 8; ");
	CHECK(ann.s != NULL);
	end();
}

static void
another_role(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	set_role("ben", "viewer");
	member_changed("ben");
	event(6);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "role viewer; ops 6; ");
	member_changed("*");
	event(7);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "ops 7; ");
	CHECK(metrics.roles_changed == 1 && metrics.access_checks == 2);
	end();
}

/* Two changes, one after the other: the client waits for the second answer. */
static void
two_changes(void)
{
	struct client ben;

	begin();
	join(&ben, "ben", 5);
	member_changed("ben");
	member_changed("*");
	event(6);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "");
	set_role("ben", NULL);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "error forbidden; ");
	end();
}

/* A join that was answered before the change is not believed. */
static void
removed_while_joining(void)
{
	struct client ben;

	begin();
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\",\"version\":5}");
	member_changed("ben");
	CHECK(asked(ASKED_ROLES) == 0);
	answer_join(5);
	set_role("ben", NULL);
	CHECK(asked(ASKED_ROLES) == 1);
	event(6);
	GOT(&ben, "joined 5 editor resumed; ");
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "error forbidden; ");
	CHECK(ben.code == CLOSE_FORBIDDEN);
	end();
}

/* The change came before the hello, and no question for roles was answered since. */
static void
removed_before_joining(void)
{
	struct client c[2];

	begin();
	member_changed("ben");
	CHECK(asked(ASKED_ROLES) == 0);
	open_at(&c[0], DOC, "ben");
	say(&c[0], "{\"type\":\"hello\",\"version\":5}");
	answer_join(5);
	CHECK(asked(ASKED_ROLES) == 1);
	answer_roles(ROLES_KNOWN);
	GOT(&c[0], "joined 5 editor resumed; presence; ");
	open_at(&c[1], DOC, "eve");	/* now it was answered */
	say(&c[1], "{\"type\":\"hello\",\"version\":5}");
	answer_join(5);
	CHECK(asked(ASKED_ROLES) == 0);
	end();
}

/* It is not known which members changed: every client is asked about, and those that join. */
static void
resync(void)
{
	struct notice notice = {.kind = NOTICE_RESYNC};
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	sessions_notice(sessions, &notice);
	event(6);
	GOT(&ann, "");
	CHECK(asked(ASKED_ROLES) == 1);
	answer_roles(ROLES_KNOWN);
	GOT(&ann, "ops 6; ");
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\",\"version\":6}");
	answer_join(6);
	CHECK(asked(ASKED_ROLES) == 1);
	end();
}

static void
roles_unknown(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	member_changed("ann");
	answer_roles(ROLES_FAILED);
	GOT(&ann, "error internal; ");
	join(&ben, "ben", 5);
	member_changed("ben");
	answer_roles(ROLES_GONE);
	GOT(&ben, "error not_found; ");
	CHECK(ann.code == CLOSE_INTERNAL && ben.code == CLOSE_NOT_FOUND);
	end();
}

/* What the tables give is sent after the roles were asked for: they may be ahead of the stream. */
static void
before_what_the_tables_give(void)
{
	struct client ben;
	struct revision to = revision(6);
	char		text[256];

	begin();
	join(&ben, "ben", 5);
	to.life = life;
	sprintf(text, "{\"type\":\"ops\",\"ops\":[%s]}", entry(6));
	rooms_frame(rooms, &doc, 5, &to, false, text, strlen(text));
	GOT(&ben, "");
	CHECK(asked(ASKED_ROLES) == 1);
	answer_roles(ROLES_KNOWN);
	GOT(&ben, "ops 6; ");
	end();
}

static void
renamed_and_deleted(void)
{
	struct notice renamed = {.kind = NOTICE_RENAMED,.doc = doc,.title = "new"};
	struct notice deleted = {.kind = NOTICE_DELETED,.doc = doc};
	struct client ann;
	struct client ben;

	begin();
	renamed.doc = deleted.doc = doc;
	join(&ann, "ann", 5);
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\"}");
	sessions_notice(sessions, &renamed);
	GOT(&ann, "title; ");
	CHECK(rooms_deleted(rooms, &doc, &life));
	sessions_notice(sessions, &deleted);
	GOT(&ann, "error not_found; ");
	GOT(&ben, "");				/* learns it from the tables */
	answer_join(5);
	GOT(&ben, "error not_found; ");
	end();
}

/* The database has lost operations: those that saw them join anew. */
static void
history_is_lost(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	open_at(&ben, DOC, "ben");
	say(&ben, "{\"type\":\"hello\"}");
	rooms_suspect(rooms);
	event(6);
	GOT(&ann, "");
	rooms_reset(rooms, &doc);
	GOT(&ann, "error restarting; ");
	CHECK(ann.code == CLOSE_RESTARTING && ben.s != NULL);
	end();
}

static void
tokens_expire(void)
{
	struct client c[3];
	char		token[40];
	char		text[120];

	begin();
	sprintf(token, "ann %ld", (long) clock_s + 60);
	join(&c[0], token, 5);
	join(&c[1], "ben", 5);		/* its token never expires */
	sprintf(token, "eve %ld", (long) clock_s + 60);
	join(&c[2], token, 5);
	sprintf(text, "{\"type\":\"token\",\"token\":\"eve %ld\"}", (long) clock_s + 60 + LIMIT_EXPIRY_SLOTS);
	say(&c[2], text);
	pass(59);
	GOT(&c[0], "");
	pass(1);
	GOT(&c[0], "error unauthenticated; ");
	CHECK(c[0].code == CLOSE_UNAUTHENTICATED && c[1].s != NULL && c[2].s != NULL);
	session_heard(c[1].s);
	session_heard(c[2].s);
	clock_s += 2 * LIMIT_EXPIRY_SLOTS;	/* a jump of the clock */
	pass(1);
	GOT(&c[2], "error unauthenticated; ");
	CHECK(c[2].s == NULL && c[1].s != NULL);
	end();
}

static void
new_tokens_that_are_refused(void)
{
	struct client c[2];

	begin();
	join(&c[0], "ann", 5);
	join(&c[1], "ben", 5);
	say(&c[0], "{\"type\":\"token\",\"token\":\"ben\"}");
	turn();
	CHECK(c[0].code == CLOSE_UNAUTHENTICATED);
	say(&c[1], "{\"type\":\"token\",\"token\":7}");
	turn();
	CHECK(c[1].code == CLOSE_MALFORMED);
	end();
}

/* A client whose role is being asked for is not shown who comes and goes, and gets the whole list afterwards. */
static void
presence_is_owed(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	presence_flush(presence, 0);
	*ann.got = '\0';
	member_changed("ann");
	join(&ben, "ben", 5);
	presence_flush(presence, 1000000);
	GOT(&ann, "");
	answer_roles(ROLES_KNOWN);
	GOT(&ann, "presence; ");
	CHECK(metrics.presence_owed == 1);
	ann.full = true;
	hang_up(&ben);
	presence_flush(presence, 2000000);
	ann.full = false;
	GOT(&ann, "presence; ");
	CHECK(metrics.presence_owed == 2);
	say(&ann, "{\"type\":\"presence\",\"cursor\":7}");
	GOT(&ann, "error malformed; ");
	end();
}

/* However many changes a transaction makes, what comes while a question is under way is asked once. */
static void
changes_are_asked_for_together(void)
{
	struct client ann;
	struct client ben;

	begin();
	join(&ann, "ann", 5);
	join(&ben, "ben", 5);
	for (int i = 0; i < 1000; i++)
		member_changed("*");
	CHECK(asked(ASKED_ROLES) == 1 && metrics.access_checks == 1);
	event(6);
	GOT(&ann, "");
	answer_roles(ROLES_KNOWN);
	CHECK(asked(ASKED_ROLES) == 1 && metrics.access_checks == 2);
	GOT(&ann, "");				/* what came meanwhile may concern them */
	member_changed("ben");
	CHECK(asked(ASKED_ROLES) == 1);
	set_role("ben", NULL);
	answer_roles(ROLES_KNOWN);
	GOT(&ann, "ops 6; ");
	answer_roles(ROLES_KNOWN);
	CHECK(asked(ASKED_ROLES) == 0);
	GOT(&ben, "error forbidden; ");
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a member who is removed gets nothing that was committed after it", removed_while_live},
		{"a client learns its new role, then goes on", another_role},
		{"after two changes the second answer counts", two_changes},
		{"a member who is removed while joining is asked about again", removed_while_joining},
		{"a change that came before the join is remembered until it was asked about", removed_before_joining},
		{"where it is not known which members changed all are asked about", resync},
		{"a client whose role cannot be known is closed", roles_unknown},
		{"roles are asked for before what the tables give is sent", before_what_the_tables_give},
		{"clients learn of a new title, and of their document's end", renamed_and_deleted},
		{"clients of a lost history are sent to join anew", history_is_lost},
		{"an expired token ends the connection, a new one in time does not", tokens_expire},
		{"a new token must be of the same user", new_tokens_that_are_refused},
		{"presence that could not be shown is owed", presence_is_owed},
		{"changes that come while a question is under way are asked for together", changes_are_asked_for_together},
	};

	return TAP_RUN(tests);
}
