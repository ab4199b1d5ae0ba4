/*
 * fake.h: sessions over a fake transport, a fake reader and a fake writer, for the
 * tests of sessions.
 *
 * A client here notes in a line what it was sent: "joined 5 editor; ops 6,7; ". The
 * questions to the tables and the submissions wait until the test answers them.
 */
#ifndef TEST_FAKE_H
#define TEST_FAKE_H

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "session/session.h"
#include "tables/sql_pool.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DOC "00000000-0000-0000-0000-00000000000d"
#define HELD_MOST 32
#define CALLS_MOST 32

struct client
{
	struct session *s;			/* NULL: closed */
	char		got[8192];
	bool		full;			/* its socket takes nothing */
	bool		woken;
	bool		paused;			/* is not read */
	bool		killed;
	bool		taken;			/* it has taken some of what waited */
	int			pings;
	int64_t		unfinished_s;
	int			code;			/* of the close */
};

enum asked
{
	ASKED_JOIN,
	ASKED_CATCH_UP,
	ASKED_ROLES,
	ASKED_CHECKSUM
};

/* a question to the tables */
struct question
{
	enum asked	kind;
	void	   *arg;
	join_fn		join;
	catch_up_fn catch_up;
	roles_fn	roles;
	checksum_fn checksum;
	struct uuid doc;
	int64_t		version;		/* of the text that is held, or to look at */
	bool		resumes;
	bool		has_pending;
	struct uuid pending;
	int			users;
	char		user[8][32];
};

struct reader
{
	int			count;
	struct question held[HELD_MOST];
};

struct submission
{
	void	   *owner;
	struct uuid id;
	int64_t		base_version;
};

struct writer
{
	bool		full;
	int			count;
	struct submission held[LIMIT_SESSION_OPS + 1];
};

static struct config config;
static struct metrics metrics;
static struct reader reader;
static struct writer writer;
static struct rooms *rooms;
static struct presence *presence;
static struct sessions *sessions;
static struct uuid doc;
static struct uuid life;
static int64_t now_s;			/* of the loop's clock */
static int64_t clock_s;		/* of the clock that tokens go by */
static int	fetches;			/* by rooms */
static struct client *clients[4];
static int	abandoned;			/* questions of clients that had gone */
static struct ledger *ledger;	/* or NULL */
static int	client_count;

/* the roles that the tables have */
static struct
{
	const char *user;
	const char *role;
}			members[] = {{"ann", "owner"}, {"ben", "editor"}, {"eve", "viewer"}};

static inline void
set_role(const char *user, const char *role)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		if (strcmp(members[i].user, user) == 0)
			members[i].role = role;
	}
}

static inline const char *
role_of(const char *user)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
	{
		if (strcmp(members[i].user, user) == 0)
			return members[i].role;
	}
	return NULL;
}

time_t
time(time_t *t)
{
	if (t != NULL)
		*t = clock_s;
	return clock_s;
}

/* ---- tokens: a name, and when it expires ---- */

bool
auth_check(const struct auth *auth, const char *token, time_t now, struct identity *identity, const char **problem)
{
	char		name[32];
	long		expires = 0;

	(void) auth;
	(void) now;
	*problem = "this token is bad";
	if (strcmp(token, "bad") == 0 || sscanf(token, "%31s %ld", name, &expires) < 1)
		return false;
	identity->user = mem_string(name, strlen(name));
	identity->expires = expires;
	return true;
}

/* ---- the tables ---- */

static inline struct question *
hold_question(enum asked kind, void *arg, const struct uuid *id)
{
	struct question *q = &reader.held[reader.count++];

	memset(q, 0, sizeof(*q));
	q->kind = kind;
	q->arg = arg;
	q->doc = *id;
	return q;
}

struct request *
reader_join(struct reader *r, const struct join_request *request, join_fn answer, void *arg)
{
	struct question *q = hold_question(ASKED_JOIN, arg, &request->doc);

	CHECK(r == &reader);
	q->join = answer;
	q->resumes = request->hello != NULL && request->hello->resumes;
	q->version = q->resumes ? request->hello->version : -1;
	q->has_pending = request->pending != NULL;
	if (q->has_pending)
		q->pending = *request->pending;
	strcpy(q->user[0], request->user);
	return (struct request *) q;
}

struct request *
reader_catch_up(struct reader *r, const struct catch_up_request *request, catch_up_fn answer, void *arg)
{
	struct question *q = hold_question(ASKED_CATCH_UP, arg, &request->doc);

	CHECK(r == &reader);
	q->catch_up = answer;
	q->version = request->from;
	q->has_pending = request->pending != NULL;
	if (q->has_pending)
		q->pending = *request->pending;
	return (struct request *) q;
}

void
reader_abandon(struct reader *r, struct request *request)
{
	CHECK(r == &reader && request != NULL);
	abandoned++;
}

void
reader_roles(struct reader *r, const struct uuid *id, const char *const *users, int count, roles_fn answer, void *arg)
{
	struct question *q = hold_question(ASKED_ROLES, arg, id);

	CHECK(r == &reader && count <= 8);
	q->roles = answer;
	q->users = count;
	for (int i = 0; i < count; i++)
		strcpy(q->user[i], users[i]);
}

void
reader_checksum(struct reader *r, const struct uuid *id, const struct uuid *of, int64_t version, checksum_fn answer, void *arg)
{
	struct question *q = hold_question(ASKED_CHECKSUM, arg, id);

	CHECK(r == &reader && uuid_equal(of, &life));
	q->checksum = answer;
	q->version = version;
}

/* ---- calls of SQL ---- */

/* a call that waits, with its parameters as one text */
struct held_call
{
	char		text[400];
	call_fn		answer;
	void	   *arg;
};

struct fake_pool
{
	struct held_call calls[CALLS_MOST];
	int			count;
	bool		full;
};

static struct fake_pool pool;
static bool shown;				/* the stream shows the document */

void
pg_param_text(struct pg_params *params, const char *text)
{
	params->values[params->count++] = text;
}

struct call *
sql_pool_call(struct sql_pool *p, const struct call_request *request, call_fn answer, void *arg)
{
	struct held_call *call = &pool.calls[pool.count];
	size_t		at;

	CHECK((void *) p == (void *) &pool && pool.count < CALLS_MOST);
	if (pool.full)
		return NULL;
	pool.count++;
	call->answer = answer;
	call->arg = arg;
	at = (size_t) snprintf(call->text, sizeof(call->text), "%s %s:", request->statement, request->user != NULL ? request->user : "-");
	for (int i = 0; i < request->params->count && at < sizeof(call->text); i++)
		at += (size_t) snprintf(call->text + at, sizeof(call->text) - at, " %s", request->params->values[i] != NULL ? request->params->values[i] : "-");
	return (struct call *) call;
}

/* Answer the first call. */
static inline void
answer_call(enum call_result outcome, const PGresult *result)
{
	struct held_call call = pool.calls[0];

	CHECK(pool.count > 0);
	memmove(pool.calls, pool.calls + 1, (size_t) --pool.count * sizeof(call));
	call.answer(call.arg, outcome, result, 0);
}

/* Return the number of questions of a kind that wait. */
static inline int
asked(enum asked kind)
{
	int			count = 0;

	for (int i = 0; i < reader.count; i++)
		count += reader.held[i].kind == kind;
	return count;
}

/* Get the first question of a kind, or NULL. */
static inline struct question *
question(enum asked kind)
{
	for (int i = 0; i < reader.count; i++)
	{
		if (reader.held[i].kind == kind)
			return &reader.held[i];
	}
	return NULL;
}

/* Take the first question of a kind off the list, to be answered. */
static inline struct question
take_question(enum asked kind)
{
	struct question *first = question(kind);
	struct question taken = {0};

	CHECK(first != NULL);
	if (first == NULL)
		exit(1);
	taken = *first;
	memmove(first, first + 1, (size_t) (&reader.held[--reader.count] - first) * sizeof(*first));
	return taken;
}

static inline struct revision
revision(int64_t version)
{
	struct revision m = {.version = version,.sequence_id = 100 + version,.has_id = version > 0,.life = life};

	m.id.bytes[0] = (unsigned char) version;
	return m;
}

/* Let a client in with the role that it has at this moment: with a snapshot, or resumed. */
static inline void
answer_join(int64_t version)
{
	struct question q = take_question(ASKED_JOIN);
	char		snapshot[80];
	struct join_answer answer = {
		.joined = true,.role = role_of(q.user[0]),.title = "t",.revision = revision(version),.resumed = q.resumes,.snapshot = snapshot
	};

	answer.snapshot_len = (size_t) sprintf(snapshot, "{\"type\":\"snapshot\",\"version\":%d}", (int) version);
	q.join(q.arg, &answer);
}

static inline void
refuse_join(enum close_code close)
{
	struct question q = take_question(ASKED_JOIN);
	struct join_answer answer = {.close = close,.message = "no"};

	q.join(q.arg, &answer);
}

static char entry_text[192];

static inline const char *
entry(int64_t version)
{
	char		id[UUID_TEXT_LEN + 1];
	struct revision m = revision(version);

	uuid_format(&m.id, id);
	snprintf(entry_text, sizeof(entry_text), "{\"version\":%d,\"sequenceId\":%d,\"operationId\":\"%s\",\"op\":[\"\xc3\xa9\"]}",
			 (int) version, 100 + (int) version, id);
	return entry_text;
}

/* Give the first client that catches up an ops message, or one that composes them. */
static inline void
give(int64_t from, int64_t to, bool composed)
{
	struct question *q = question(ASKED_CATCH_UP);
	char		text[2048];
	struct catch_up_frame frame = {.from = from,.revision = revision(to),.composed = composed,.text = text};

	strcpy(text, "{\"type\":\"ops\",\"ops\":[");
	for (int64_t v = from + 1; v <= to; v++)
		sprintf(text + strlen(text), "%s%s", v > from + 1 ? "," : "", entry(v));
	strcat(text, "]}");
	if (composed)
		sprintf(text, "{\"type\":\"catchup\",\"fromVersion\":%d,\"toVersion\":%d}", (int) from, (int) to);
	frame.len = strlen(text);
	CHECK(q != NULL);
	if (q != NULL)
		q->catch_up(q->arg, &doc, &life, &frame, CATCH_UP_DONE);
}

static inline void
end_catch_up(enum catch_up_result result)
{
	struct question q = take_question(ASKED_CATCH_UP);

	q.catch_up(q.arg, &doc, &life, NULL, result);
}

/* Answer the first question for roles. */
static inline void
answer_roles(enum roles_result result)
{
	struct question q = take_question(ASKED_ROLES);

	for (int i = 0; i < q.users && result == ROLES_KNOWN; i++)
		q.roles(q.arg, i, role_of(q.user[i]), ROLES_KNOWN);
	q.roles(q.arg, -1, NULL, result);
}

static inline void
answer_checksum(const char *checksum)
{
	struct question q = take_question(ASKED_CHECKSUM);

	q.checksum(q.arg, checksum);
}

/* ---- submissions ---- */

bool
writer_submit(struct writer *w, const struct uuid *id, void *owner, struct usage_row *account, const struct submitted *op)
{
	CHECK(w == &writer && uuid_equal(id, &doc) && account != NULL && uuid_equal(&op->life, &life));
	if (writer.full)
		return false;
	writer.held[writer.count++] = (struct submission)
	{
		owner, op->operation_id, op->base_version
	};
	free(op->text);
	return true;
}

/* Begin the answer to the first submission. */
static inline struct write_answer
next_answer(void **owner)
{
	struct submission first = writer.held[0];

	CHECK(writer.count > 0);
	memmove(writer.held, writer.held + 1, (size_t) --writer.count * sizeof(first));
	*owner = first.owner;
	return (struct write_answer)
	{
		.operation_id = first.id,.life = life,.member_changes = -1
	};
}

/* The first submission was committed at a version; the stream shows it later. */
static inline void
commit(int64_t version, bool duplicate)
{
	void	   *owner;
	struct write_answer answer = next_answer(&owner);

	answer.committed = true;
	answer.duplicate = duplicate;
	answer.version = version;
	answer.entry = entry(version);
	answer.entry_len = strlen(answer.entry);
	session_answer(NULL, owner, &answer);
}

static inline void
reject(enum reject_code code, bool gone)
{
	void	   *owner;
	struct write_answer answer = next_answer(&owner);

	answer.code = code;
	answer.gone = gone;
	answer.message = "no";
	session_answer(NULL, owner, &answer);
}

/* ---- the transport ---- */

/* Note a message in the client's line. */
static inline void
note(struct client *c, const struct frame *frame)
{
	json_t	   *m = json_loadb((const char *) frame->text, frame->len, 0, NULL);
	const char *type = json_string_value(json_object_get(m, "type"));
	char	   *end = c->got + strlen(c->got);
	size_t		i;
	json_t	   *op;

	CHECK(type != NULL);
	end += sprintf(end, "%s", type);
	if (strcmp(type, "joined") == 0)
		end += sprintf(end, " %d %s%s", (int) json_integer_value(json_object_get(m, "version")),
					   json_string_value(json_object_get(m, "role")), json_is_true(json_object_get(m, "resumed")) ? " resumed" : "");
	else if (strcmp(type, "snapshot") == 0)
		end += sprintf(end, " %d", (int) json_integer_value(json_object_get(m, "version")));
	else if (strcmp(type, "catchup") == 0)
		end += sprintf(end, " %d", (int) json_integer_value(json_object_get(m, "toVersion")));
	else if (strcmp(type, "error") == 0 || strcmp(type, "reject") == 0)
		end += sprintf(end, " %s", json_string_value(json_object_get(m, "code")));
	else if (strcmp(type, "role") == 0)
		end += sprintf(end, " %s", json_string_value(json_object_get(m, "role")));
	json_array_foreach(json_object_get(m, "ops"), i, op)
		end += sprintf(end, "%c%d", i > 0 ? ',' : ' ', (int) json_integer_value(json_object_get(op, "version")));
	strcpy(end, "; ");
	json_decref(m);
}

static inline bool
fake_send(void *conn, struct frame *frame)
{
	struct client *c = conn;

	if (c->full)
		return false;
	note(c, frame);
	return true;
}

static inline bool
fake_has_room(void *conn)
{
	return !((struct client *) conn)->full;
}

static inline void
fake_wake(void *conn)
{
	((struct client *) conn)->woken = true;
}

static inline void
fake_ping(void *conn)
{
	((struct client *) conn)->pings++;
}

static inline void
fake_read(void *conn, bool on)
{
	((struct client *) conn)->paused = !on;
}

static inline int64_t
fake_unfinished_since(void *conn)
{
	return ((struct client *) conn)->unfinished_s;
}

static inline bool
fake_has_taken(void *conn)
{
	return ((struct client *) conn)->taken;
}

static inline bool
fake_abandon(void *conn)
{
	(void) conn;
	return false;
}


static inline void
fake_kill(void *conn)
{
	((struct client *) conn)->killed = true;
}

/* ---- the parts above and below, as wiring.c joins them ---- */

static inline void
fake_fetch(void *arg, const struct uuid *id, int64_t from, const struct revision *known)
{
	(void) arg;
	(void) id;
	(void) from;
	(void) known;
	fetches++;
}

static inline void
fake_nothing(void *arg)
{
	(void) arg;
}

static inline void
fake_from_tables(void *arg, const struct uuid *id)
{
	(void) arg;
	sessions_check(sessions, id, NULL);
}

static inline void
fake_lost(void *arg, const struct uuid *id)
{
	(void) arg;
	sessions_restart(sessions, id, "lost");
}

static inline void
fake_ended(void *arg, const struct uuid *id)
{
	(void) arg;
	sessions_end(sessions, id);
}

static inline void
fake_renewed(void *arg, const struct uuid *id)
{
	(void) arg;
	sessions_restart(sessions, id, "renewed");
}

static inline void
fake_show(void *arg, const struct uuid *id, struct frame *frame)
{
	(void) arg;
	sessions_show(sessions, id, frame);
}

static inline bool
fake_shows(void *arg, const struct uuid *id)
{
	(void) arg;
	(void) id;
	return shown;
}

/* Begin a test, with rings of 4 operations. */
static inline void
begin(void)
{
	struct ring_bounds bounds = {.entries = 4,.bytes = 10000};
	struct rooms_callbacks callbacks = {
		.deliver = session_deliver,.wake = session_wake,.fetch = fake_fetch,.retry = fake_nothing,
		.from_tables = fake_from_tables,.lost = fake_lost,.ended = fake_ended,.renewed = fake_renewed
	};
	struct presence_callbacks shows = {.show = fake_show,.waiting = fake_nothing};
	struct sessions_config parts = {
		.config = &config,.metrics = &metrics,.ledger = ledger,.slowed = fake_nothing,.shows = fake_shows,
		.transport = {fake_send, fake_has_room, fake_wake, fake_ping, fake_read, fake_unfinished_since, fake_has_taken, fake_abandon, fake_kill}
	};

	memset(&config, 0, sizeof(config));
	memset(&metrics, 0, sizeof(metrics));
	memset(&reader, 0, sizeof(reader));
	memset(&writer, 0, sizeof(writer));
	memset(&pool, 0, sizeof(pool));
	shown = true;
	config.max_memory_mib = 1;
	config.hello_timeout_s = 10;
	config.ping_interval_s = 30;
	log_set_level(RELAY_ERROR);
	client_count = fetches = abandoned = 0;
	now_s = 1000;
	clock_s = 1700000000;
	set_role("ann", "owner");
	set_role("ben", "editor");
	set_role("eve", "viewer");
	uuid_parse(DOC, strlen(DOC), &doc);
	memset(&life, 0, sizeof(life));
	life.bytes[7] = 1;
	rooms = rooms_new(&bounds, 1 << 20, &callbacks, &metrics);
	presence = presence_new(&shows, &doc, 10, &metrics);
	sessions = sessions_new(&parts);
	sessions_connect(sessions, &(struct sessions_parts)
					 {rooms, &writer, &reader, presence, (struct sql_pool *) &pool});
	sessions_tick(sessions, now_s);
}

/* Open a client's connection to a document. */
static inline void
open_at(struct client *c, const char *path, const char *token)
{
	memset(c, 0, sizeof(*c));
	clients[client_count++] = c;
	c->s = session_open(sessions, c, path, token, "127.0.0.1");
}

static inline void
say(struct client *c, const char *text)
{
	session_receive(c->s, text, strlen(text));
}

/* Close a client's socket, from either side. */
static inline void
hang_up(struct client *c)
{
	session_closed(c->s);
	c->s = NULL;
}

/* Let seconds pass. */
static inline void
pass(int seconds)
{
	for (int i = 0; i < seconds; i++)
	{
		clock_s++;
		sessions_tick(sessions, ++now_s);
	}
}

/* End a turn of the loop: what was published goes out, and sockets with room take what waits. */
static inline void
turn(void)
{
	enum close_code code;
	const char *reason;

	rooms_flush(rooms);
	for (int i = 0; i < client_count; i++)
	{
		struct client *c = clients[i];

		while (c->s != NULL && c->woken && !c->full)
		{
			c->woken = false;
			session_writable(c->s);
		}
		if (c->s != NULL && session_wants_close(c->s, &code, &reason))
		{
			c->code = (int) code;
			hang_up(c);
		}
	}
	rooms_flush(rooms);
	sessions_reap(sessions);
}

/* End a turn, and get what a client was sent since the last time. */
static inline const char *
got(struct client *c)
{
	static char text[sizeof(c->got)];

	turn();
	strcpy(text, c->got);
	*c->got = '\0';
	return text;
}

#define GOT(c, text) CHECK_TEXT(got(c), text)

/* Check a text, and print it when it is another. */
#define CHECK_TEXT(is, wanted) \
	do \
	{ \
		const char *is_ = (is); \
		if (strcmp(is_, (wanted)) != 0) \
			printf("# got \"%s\"\n", is_); \
		CHECK(strcmp(is_, (wanted)) == 0); \
	} while (0)

/* Join with a snapshot at a version, and acknowledge it. */
static inline void
join(struct client *c, const char *user, int64_t version)
{
	char		text[120];

	open_at(c, DOC, user);
	say(c, "{\"type\":\"hello\"}");
	answer_join(version);
	sprintf(text, "{\"type\":\"ack\",\"sequenceId\":%d}", (int) (100 + version));
	say(c, text);
	turn();
	*c->got = '\0';
}

/* Send an operation with a number as its id. */
static inline void
send_op(struct client *c, int number)
{
	char		text[160];

	sprintf(text, "{\"type\":\"op\",\"operationId\":\"00000000-0000-0000-0000-%012d\",\"baseVersion\":0,\"op\":[\"x\"]}", number);
	say(c, text);
}

/* The stream shows an operation. */
static inline void
event(int64_t version)
{
	const char *text = entry(version);
	struct event e = {
		.doc = doc,.version = version,.sequence_id = 100 + version,.committed_us = 1,.entry = text,.entry_len = strlen(text)
	};

	rooms_event(rooms, &e);
	turn();
}

/* The stream shows that a user has another role, or none. */
static inline void
member_changed(const char *user)
{
	struct notice notice = {.kind = NOTICE_MEMBER,.doc = doc,.user = user};

	sessions_notice(sessions, &notice);
}

/* End a test: everything that was asked is answered, every client gone, and nothing left of it. */
static inline void
end(void)
{
	while (asked(ASKED_JOIN) > 0)
		refuse_join(CLOSE_INTERNAL);
	while (asked(ASKED_CATCH_UP) > 0)
		end_catch_up(CATCH_UP_FAILED);
	while (asked(ASKED_ROLES) > 0)
		answer_roles(ROLES_FAILED);
	while (asked(ASKED_CHECKSUM) > 0)
		answer_checksum(NULL);
	while (writer.count > 0)
		reject(REJECT_UNAVAILABLE, false);
	while (pool.count > 0)
		answer_call(CALL_LATER, NULL);
	for (int i = 0; i < client_count; i++)
	{
		if (clients[i]->s != NULL)
			hang_up(clients[i]);
	}
	turn();
	CHECK(sessions_count(sessions) == 0 && metrics.rooms == 0 && metrics.messages_waiting == 0 && metrics.messages_waiting_bytes == 0);
	CHECK(metrics.sessions_live == 0 && metrics.presence_clients == 0);
	presence_free(presence);
	rooms_free(rooms);
	sessions_free(sessions);
}

#endif							/* TEST_FAKE_H */
