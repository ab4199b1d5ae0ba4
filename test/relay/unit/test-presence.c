/*
 * test-presence.c: who is shown to whom, when, and what relays tell each
 * other.
 *
 * There are two relays, a and b, with an in-tray each; what a shows of the
 * document is kept as text.
 */
#include "base/bounds.h"
#include "presence/presence.h"
#include "presence/seal.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 65536

struct side
{
	struct metrics metrics;
	struct presence *presence;
	char		shown[SHOWN_BYTES]; /* the last message */
	int			shows;
	int			waits;
};

static struct side a,
			b;
static struct uuid doc = {{1}};
static struct buf text;
static struct buf here;
static struct buf gone;

/* Make the id of the n-th client. */
static struct uuid
client_id(int n)
{
	struct uuid id = {{2}};

	id.bytes[14] = (unsigned char) (n >> 8);
	id.bytes[15] = (unsigned char) n;
	return id;
}

static void
show(void *arg, const struct uuid *id, struct frame *frame)
{
	struct side *side = arg;

	CHECK(uuid_equal(id, &doc));
	snprintf(side->shown, SHOWN_BYTES, "%.*s", (int) frame->len, (const char *) frame->text);
	side->shows++;
}

static void
waiting(void *arg)
{
	((struct side *) arg)->waits++;
}

/* Begin a relay, connected. */
static void
begin(struct side *side, unsigned id)
{
	struct presence_callbacks callbacks = {.show = show,.waiting = waiting,.arg = side};
	struct uuid relay = {{(unsigned char) id, (unsigned char) (id >> 8)}};

	memset(side, 0, sizeof(*side));
	side->presence = presence_new(&callbacks, &relay, 30, &side->metrics);
	presence_connect(side->presence);
}

/* Let a relay say everything to the other; gives how many messages that was. */
static int
pass(struct side *from, struct side *to, int64_t now_ms)
{
	int			count = 0;

	for (; presence_next_news(from->presence, &text); count++)
	{
		CHECK(text.len <= LIMIT_NEWS_BYTES);
		presence_hear(to->presence, text.data, text.len, now_ms);
		/* what comes twice, and one's own, means nothing */
		presence_hear(to->presence, text.data, text.len, now_ms);
		presence_hear(from->presence, text.data, text.len, now_ms);
	}
	return count;
}

/* Let both say everything until nothing is left to say. */
static void
talk(int64_t now_ms)
{
	while (pass(&a, &b, now_ms) + pass(&b, &a, now_ms) > 0)
		;
}

static void
begin_both(void)
{
	begin(&a, 0xaa);
	begin(&b, 0xbb);
	talk(0);
}

static void
end_both(void)
{
	presence_free(a.presence);
	presence_free(b.presence);
	CHECK(a.metrics.presence_clients == 0 && a.metrics.presence_hidden == 0 && a.metrics.presence_elsewhere == 0);
	CHECK(b.metrics.presence_clients == 0 && b.metrics.presence_hidden == 0 && b.metrics.presence_elsewhere == 0);
}

static struct presence_client *
join(struct side *side, int n, const char *user)
{
	struct uuid id = client_id(n);

	return presence_join(side->presence, &doc, &id, user, 1700000000);
}

/* Let a client move its cursor. */
static void
move(struct presence_client *c, int64_t head)
{
	struct presence_said said = {.names_cursor = true,.has_cursor = true,.version = 3,.anchor = 1,.head = head};

	presence_say(c, &said);
}

static bool
shows(const struct side *side, const char *part)
{
	return strstr(side->shown, part) != NULL;
}

/* Count how often a part is in a text. */
static int
times(const char *in, const char *part)
{
	int			count = 0;

	for (; (in = strstr(in, part)) != NULL; in++)
		count++;
	return count;
}

/* Read what a client says; tells what is wrong with it. */
static const char *
problem_with(const char *json)
{
	json_t	   *root = json_loads(json, JSON_ALLOW_NUL, NULL);
	struct presence_said said;
	const char *problem = NULL;

	CHECK(root != NULL);
	CHECK(presence_read_said(root, &said, &problem) == (problem == NULL));
	json_decref(root);
	return problem != NULL ? problem : "";
}

/* ---- the tests ---- */

static void
what_is_said(void)
{
	char		long_name[512] = "{\"name\":\"";

	CHECK(*problem_with("{}") == '\0');
	CHECK(*problem_with("{\"name\":null,\"color\":null,\"cursor\":null,\"version\":\"any\",\"x\":1}") == '\0');
	CHECK(*problem_with("{\"color\":\"#00FfaA\",\"cursor\":{\"anchor\":0,\"head\":67108864},\"version\":0}") == '\0');
	CHECK(strstr(problem_with("{\"cursor\":{\"anchor\":0,\"head\":67108865},\"version\":0}"), "67108864") != NULL);
	CHECK(strstr(problem_with("{\"cursor\":{\"anchor\":-1,\"head\":0},\"version\":0}"), "anchor") != NULL);
	CHECK(strstr(problem_with("{\"cursor\":{\"anchor\":0,\"head\":0}}"), "version") != NULL);
	CHECK(strstr(problem_with("{\"cursor\":[]}"), "cursor") != NULL);
	CHECK(strstr(problem_with("{\"color\":\"#00ffa\"}"), "color") != NULL);
	CHECK(strstr(problem_with("{\"color\":\"00ffaa#\"}"), "color") != NULL);
	CHECK(strstr(problem_with("{\"name\":\"a\\u0000b\"}"), "U+0000") != NULL);
	CHECK(strstr(problem_with("{\"name\":[]}"), "name") != NULL);
	for (int i = 0; i < 100; i++)
		strcat(long_name, "\xf0\x9f\x98\x80");
	strcat(long_name, "\"}");
	CHECK(*problem_with(long_name) == '\0');
	strcpy(long_name + strlen(long_name) - 2, "e\"}");
	CHECK(strstr(problem_with(long_name), "at most 100 characters") != NULL);
}

static void
coalescing(void)
{
	struct presence_client *ann,
			   *ben;

	begin_both();
	ann = join(&a, 1, "ann");
	ben = join(&a, 2, "ben");
	presence_flush(a.presence, 1000);
	CHECK(a.shows == 1 && shows(&a, "\"ann\"") && shows(&a, "\"ben\""));
	/* too soon: it waits, and the last state goes out */
	for (int i = 0; i < 10; i++)
		move(ann, i);
	presence_flush(a.presence, 1000 + LIMIT_PRESENCE_MS - 1);
	CHECK(a.shows == 1 && a.waits == 1);
	move(ann, 10);
	CHECK(presence_tick(a.presence, 1000 + LIMIT_PRESENCE_MS - 1) && a.shows == 1);
	CHECK(!presence_tick(a.presence, 1000 + LIMIT_PRESENCE_MS) && a.shows == 2);
	CHECK(times(a.shown, "clientId") == 1 && shows(&a, "\"version\":3,\"cursor\":{\"anchor\":1,\"head\":10}"));
	CHECK(shows(&a, "\"left\":[]"));
	/* after a rest, at once */
	move(ann, 11);
	presence_flush(a.presence, 5000);
	CHECK(a.shows == 3 && shows(&a, "\"head\":11"));
	/* the same again is no news */
	move(ann, 11);
	presence_flush(a.presence, 9000);
	CHECK(a.shows == 3);

	/*
	 * who comes and goes between two messages is only told of as gone, or not
	 * at all
	 */
	presence_leave(join(&a, 3, "cleo"));
	presence_flush(a.presence, 10000);
	CHECK(a.shows == 3);
	presence_leave(ben);
	presence_flush(a.presence, 11000);
	CHECK(a.shows == 4 && strcmp(a.shown, "{\"type\":\"presence\",\"users\":[],\"left\":[\"02000000-0000-0000-0000-000000000002\"]}") == 0);
	presence_leave(ann);
	presence_flush(a.presence, 12000);
	CHECK(a.shows == 4);
	end_both();
}

static void
everybody(void)
{
	struct presence_client *ann,
			   *ben;
	struct frame *frame;

	begin_both();
	ann = join(&a, 1, "ann \"\xc3\xa9\"");
	CHECK(strncmp(presence_users(ann)->data, "{\"clientId\":\"02000000-0000-0000-0000-000000000001\",\"userId\":\"ann \\\"\xc3\xa9\\\"\"}",
				  presence_users(ann)->len) == 0);
	ben = join(&a, 2, "ben");
	move(ann, 5);
	frame = presence_everybody(ben);
	CHECK(frame == presence_everybody(ann));
	frame_unref(frame);
	CHECK(memmem(frame->text, frame->len, "\"complete\":true}", 16) != NULL && memmem(frame->text, frame->len, "\"head\":5", 8) != NULL);
	frame_unref(frame);
	move(ben, 7);
	frame = presence_everybody(ann);
	CHECK(memmem(frame->text, frame->len, "\"head\":7", 8) != NULL);
	frame_unref(frame);
	presence_leave(ann);
	presence_leave(ben);
	presence_flush(a.presence, 0);
	end_both();
}

static void
a_crowd(void)
{
	struct presence_client *clients[LIMIT_PRESENCE_SHOWN + 3];

	begin_both();
	for (int i = 0; i < LIMIT_PRESENCE_SHOWN + 3; i++)
		clients[i] = join(&a, i, "somebody");
	presence_flush(a.presence, 0);
	CHECK(a.metrics.presence_hidden == 3 && times(a.shown, "clientId") == LIMIT_PRESENCE_SHOWN);
	/* a cursor has the place of somebody without one */
	move(clients[LIMIT_PRESENCE_SHOWN], 9);
	presence_flush(a.presence, 1000);
	CHECK(shows(&a, "\"head\":9") && shows(&a, "\"left\":[\"02000000-0000-0000-0000-000000000000\"]"));
	/* who has one already keeps its place */
	for (int i = 0; i < LIMIT_PRESENCE_SHOWN + 2; i++)
		move(clients[i], i);
	presence_flush(a.presence, 2000);
	CHECK(a.metrics.presence_hidden == 3);
	move(clients[LIMIT_PRESENCE_SHOWN + 2], 77777);
	presence_flush(a.presence, 3000);
	CHECK(a.metrics.presence_hidden == 3 && !shows(&a, "77777"));
	/* and the next that is free is its own */
	presence_leave(clients[5]);
	presence_flush(a.presence, 4000);
	CHECK(a.metrics.presence_hidden == 2 && shows(&a, "77777"));
	talk(0);
	CHECK(b.metrics.presence_elsewhere == LIMIT_PRESENCE_SHOWN);
	for (int i = 0; i < LIMIT_PRESENCE_SHOWN + 3; i++)
	{
		if (i != 5)
			presence_leave(clients[i]);
	}
	presence_flush(a.presence, 5000);
	talk(0);
	CHECK(a.metrics.presence_hidden == 0 && b.metrics.presence_elsewhere == 0);
	end_both();
}

static void
two_relays(void)
{
	struct presence_client *ann,
			   *ben;

	begin_both();
	CHECK(a.metrics.presence_relays == 1 && b.metrics.presence_relays == 1);
	ann = join(&a, 1, "ann");
	presence_flush(a.presence, 0);
	CHECK(pass(&a, &b, 0) == 1 && b.metrics.presence_elsewhere == 1);
	/* nobody is with ann there: her cursor is not told */
	move(ann, 4);
	presence_flush(a.presence, 1000);
	CHECK(pass(&a, &b, 0) == 0);
	ben = join(&b, 2, "ben");
	presence_flush(b.presence, 0);
	talk(0);
	presence_flush(a.presence, 2000);
	CHECK(shows(&a, "\"ben\""));
	presence_flush(b.presence, 2000);
	CHECK(shows(&b, "\"ann\"") && shows(&b, "\"head\":4"));
	move(ann, 5);
	presence_flush(a.presence, 3000);
	CHECK(pass(&a, &b, 0) == 1);
	presence_flush(b.presence, 3000);
	CHECK(shows(&b, "\"head\":5"));
	presence_leave(ann);
	presence_flush(a.presence, 4000);
	talk(0);
	presence_flush(b.presence, 4000);
	CHECK(shows(&b, "\"left\":[\"02000000-0000-0000-0000-000000000001\"]") && b.metrics.presence_elsewhere == 0);
	presence_leave(ben);
	presence_flush(b.presence, 5000);
	end_both();
}

static void
silence(void)
{
	struct presence_client *ann,
			   *ben;

	begin_both();
	ann = join(&a, 1, "ann");
	ben = join(&b, 2, "ben");
	presence_flush(a.presence, 0);
	presence_flush(b.presence, 0);
	talk(1000);
	presence_flush(a.presence, 1000);
	presence_forget_silent(a.presence, 30999);
	CHECK(a.metrics.presence_relays == 1 && a.metrics.presence_elsewhere == 1);
	presence_forget_silent(a.presence, 31000);
	CHECK(a.metrics.presence_relays == 0 && a.metrics.presence_elsewhere == 0);
	presence_flush(a.presence, 31000);
	CHECK(shows(&a, "\"left\":[\"02000000-0000-0000-0000-000000000002\"]"));

	/*
	 * it was only asleep: a sign of life, and each wants to know everything
	 * of the other
	 */
	presence_signal(b.presence, PRESENCE_BEAT, &text);
	presence_hear(a.presence, text.data, text.len, 32000);
	talk(32000);
	CHECK(a.metrics.presence_relays == 1 && a.metrics.presence_elsewhere == 1 && b.metrics.presence_elsewhere == 1);
	/* a goodbye is the end of it; an old message does not bring it back */
	presence_signal(b.presence, PRESENCE_BYE, &text);
	presence_hear(a.presence, text.data, text.len, 33000);
	CHECK(a.metrics.presence_relays == 0 && a.metrics.presence_elsewhere == 0);
	presence_hear(a.presence, text.data, text.len, 33000);
	CHECK(a.metrics.presence_relays == 0);
	presence_leave(ann);
	presence_leave(ben);
	presence_flush(a.presence, 99000);
	presence_flush(b.presence, 99000);
	end_both();
}

static void
lost_and_found(void)
{
	struct presence_client *ann,
			   *ben,
			   *cleo;

	begin_both();
	ann = join(&a, 1, "ann");
	ben = join(&b, 2, "ben");
	cleo = join(&b, 3, "cleo");
	presence_flush(a.presence, 0);
	presence_flush(b.presence, 0);
	talk(0);
	presence_flush(a.presence, 100);
	/* b loses its connection; what happens there is not told, and not kept */
	presence_disconnect(b.presence);
	presence_leave(cleo);
	move(ben, 8);
	presence_flush(b.presence, 1000);
	CHECK(!presence_next_news(b.presence, &text) && !presence_next_rows(b.presence, &here, &gone));
	a.shows = 0;
	presence_connect(b.presence);
	talk(2000);
	presence_flush(a.presence, 2000);
	CHECK(a.shows == 1 && times(a.shown, "clientId") == 1 && shows(&a, "\"head\":8"));
	CHECK(shows(&a, "\"left\":[\"02000000-0000-0000-0000-000000000003\"]") && a.metrics.presence_elsewhere == 1);
	presence_leave(ann);
	presence_leave(ben);
	presence_flush(a.presence, 9000);
	presence_flush(b.presence, 9000);
	end_both();
}

static void
long_tellings(void)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{\"relay\":\"x\",\"number\":1,\"timeout\":1,\"kind\":\"state\"}",
		"{\"relay\":\"cc000000-0000-0000-0000-000000000000\",\"number\":-1,\"timeout\":1,\"kind\":\"state\"}",
		"{\"relay\":\"cc000000-0000-0000-0000-000000000000\",\"number\":1,\"timeout\":9999999,\"kind\":\"state\"}",
		"{\"relay\":\"cc000000-0000-0000-0000-000000000000\",\"number\":1,\"timeout\":1,\"kind\":\"x\"}",
	};
	static const char odd[] = "{\"relay\":\"cc000000-0000-0000-0000-000000000000\",\"number\":1,\"timeout\":1,\"kind\":\"state\","
	"\"first\":true,\"clients\":[1,null,{},{\"clientId\":\"02000000-0000-0000-0000-000000000009\"},"
	"{\"clientId\":\"02000000-0000-0000-0000-000000000009\",\"documentId\":\"01000000-0000-0000-0000-000000000000\",\"userId\":5}]}";
	struct presence_client *clients[LIMIT_PRESENCE_SHOWN];
	char		user[LIMIT_USER_BYTES];
	int			count;

	begin_both();
	memset(user, '\1', sizeof(user));
	user[sizeof(user) - 1] = '\0';
	for (int i = 0; i < LIMIT_PRESENCE_SHOWN; i++)
		clients[i] = join(&a, i, user);
	presence_flush(a.presence, 0);
	count = pass(&a, &b, 0);
	CHECK(count >= LIMIT_PRESENCE_SHOWN / 4 && b.metrics.presence_elsewhere == LIMIT_PRESENCE_SHOWN);
	presence_disconnect(b.presence);
	presence_connect(b.presence);
	talk(0);
	CHECK(b.metrics.presence_elsewhere == LIMIT_PRESENCE_SHOWN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		presence_hear(b.presence, bad[i], strlen(bad[i]), 0);
	CHECK(b.metrics.presence_relays == 1);
	presence_hear(b.presence, odd, strlen(odd), 0);
	CHECK(b.metrics.presence_relays == 2 && b.metrics.presence_elsewhere == LIMIT_PRESENCE_SHOWN);
	for (int i = 0; i < LIMIT_PRESENCE_SHOWN; i++)
		presence_leave(clients[i]);
	presence_flush(a.presence, 1000);
	end_both();
}

/* Let a relay that begins say hello to a. */
static void
hello_of(unsigned relay, int64_t now_ms)
{
	struct side c;

	begin(&c, relay);
	presence_signal(c.presence, PRESENCE_HELLO, &text);
	presence_hear(a.presence, text.data, text.len, now_ms);
	presence_free(c.presence);
}

static void
many_relays(void)
{
	begin_both();
	for (unsigned i = 0; i < LIMIT_PEERS + 50; i++)
		hello_of(0x1000 + i, i);
	CHECK(a.metrics.presence_relays == LIMIT_PEERS);
	/* those that were forgotten make room */
	presence_forget_silent(a.presence, 1000000);
	CHECK(a.metrics.presence_relays == 0);
	for (unsigned i = 0; i < 10; i++)
		hello_of(0x2000 + i, 1000000);
	CHECK(a.metrics.presence_relays == 10);
	end_both();
}

static void
rows(void)
{
	struct presence_client *ann,
			   *ben;

	begin_both();
	ann = join(&a, 1, "ann");
	presence_flush(a.presence, 0);
	CHECK(presence_next_rows(a.presence, &here, &gone));
	CHECK(here.len == strlen("[{\"doc_id\":\"01000000-0000-0000-0000-000000000000\",\"client_id\":\"02000000-0000-0000-0000-000000000001\","
							 "\"user_id\":\"ann\",\"name\":null,\"color\":null,\"since\":1700000000}]") && gone.len == 2);
	CHECK(!presence_next_rows(a.presence, &here, &gone));
	/* a cursor waits for the second */
	move(ann, 5);
	presence_flush(a.presence, 1000);
	CHECK(!presence_next_rows(a.presence, &here, &gone));
	presence_second(a.presence);
	CHECK(presence_next_rows(a.presence, &here, &gone) && memmem(here.data, here.len, "\"head\":5", 8) != NULL);
	/* who comes does not, nor who goes */
	ben = join(&a, 2, "ben");
	move(ann, 6);
	presence_flush(a.presence, 2000);
	CHECK(presence_next_rows(a.presence, &here, &gone) && memmem(here.data, here.len, "\"ann\"", 5) == NULL);
	presence_leave(ben);
	presence_leave(join(&a, 3, "cleo"));
	presence_flush(a.presence, 3000);
	CHECK(presence_next_rows(a.presence, &here, &gone) && here.len == 2);
	CHECK(memmem(gone.data, gone.len, "000002\"", 7) != NULL && memmem(gone.data, gone.len, "000003\"", 7) == NULL);
	/* all again, when the table has lost them */
	presence_write_all(a.presence);
	CHECK(presence_next_rows(a.presence, &here, &gone) && memmem(here.data, here.len, "\"head\":6", 8) != NULL);
	presence_leave(ann);
	presence_flush(a.presence, 9000);
	end_both();
}

static void
sealing(void)
{
	static const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct seal_key key,
				other;
	struct buf	sealed = {0};
	struct buf	again = {0};
	struct buf	opened = {0};

	CHECK(seal_key_parse(hex, strlen(hex), &key) && key.bytes[31] == 0x1f);
	CHECK(!seal_key_parse(hex, strlen(hex) - 1, &key) && !seal_key_parse("x", 1, &key));
	other = key;
	other.bytes[0]++;
	for (size_t len = 0; len <= LIMIT_NEWS_BYTES; len += len < 40 ? 1 : 719)
	{
		char		plain[LIMIT_NEWS_BYTES + 1];

		memset(plain, 'x', sizeof(plain));
		CHECK(seal(&key, plain, len, &sealed) && sealed.len == SEALED_LEN(len) && sealed.len < 8000);
		CHECK(seal(&key, plain, len, &again) && memcmp(sealed.data, again.data, sealed.len) != 0);
		CHECK(unseal(&key, sealed.data, sealed.len, &opened) && opened.len == len && memcmp(opened.data, plain, len) == 0);
		CHECK(!unseal(&other, sealed.data, sealed.len, &opened) && opened.len == 0);
		CHECK(!unseal(&key, sealed.data, sealed.len - 4, &opened));
		sealed.data[len / 2] = sealed.data[len / 2] == 'A' ? 'B' : 'A';
		CHECK(!unseal(&key, sealed.data, sealed.len, &opened));
	}
	CHECK(!unseal(&key, "", 0, &opened) && !unseal(&key, "====", 4, &opened));
	memset(sealed.data, '=', sealed.len);
	CHECK(!unseal(&key, sealed.data, sealed.len, &opened));
	buf_free(&sealed);
	buf_free(&again);
	buf_free(&opened);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"what a client may say of itself", what_is_said},
		{"of many changes the last goes out, and not too often", coalescing},
		{"everybody at once is encoded once", everybody},
		{"of a crowd some are shown, those with cursors first", a_crowd},
		{"two relays tell each other who comes, moves and goes", two_relays},
		{"a relay that is silent is forgotten, and known again when it speaks", silence},
		{"after a lost connection each has what the other has", lost_and_found},
		{"long lists go in pieces, and what is no message is passed over", long_tellings},
		{"there is a bound to the relays that are remembered", many_relays},
		{"rows are written when somebody comes or goes, and once a second for cursors", rows},
		{"what is sealed is opened by its key alone", sealing},
	};
	int			result = TAP_RUN(tests);

	buf_free(&text);
	buf_free(&here);
	buf_free(&gone);
	return result;
}
