/*
 * reader.c: what clients and rooms read from the tables: joins, catching up.
 *
 * Requests wait in one queue, go out pipelined, a bounded number on each
 * connection, and stay until they are answered: a lost connection or a
 * PostgreSQL in trouble only makes them go again, since reading twice harms
 * nobody.
 */
#include "reader.h"

#include "bounds.h"
#include "log.h"
#include "mem.h"
#include "pg_array.h"
#include "pg_error.h"
#include "pg_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum request_kind
{
	REQUEST_JOIN,
	REQUEST_CATCH_UP,
	REQUEST_SWEEP,
	REQUEST_ROLES,
	REQUEST_CHECKSUM
};

struct request
{
	struct request *next;
	enum request_kind kind;
	struct source *source;		/* where it is under way */
	struct uuid doc;
	const char *user;
	bool		has_version;
	int64_t		version;
	bool		has_id;
	struct uuid id;				/* the operation resumed from, or pending */
	unsigned	pause;			/* ticks until it goes again */
	struct buf	docs;			/* a sweep's arrays, or the users */
	struct buf	heads;
	unsigned	attempts;
	join_fn		on_join;
	catch_up_fn on_catch_up;
	roles_fn	on_roles;
	checksum_fn on_checksum;
	void	   *arg;
};

struct source
{
	struct reader *reader;
	struct pg_link *link;
	struct pg_probe *probe;
	char		name[24];
};

struct reader
{
	struct metrics *metrics;
	struct source *sources;
	int			source_count;
	struct request *first;
	struct request **last;
	struct request *locked;		/* documents that somebody changes */
	bool		paused;
	bool		closing;
	uv_timer_t	timer;
	uv_timer_t	locked_timer;
	int			timers;			/* still open */
};

static const struct pg_statement statements[] = {
	[REQUEST_JOIN] = {"join",
	"SELECT role, title, version, seq, resumed, snapshot FROM converge.join_document($1, $2, $3, $4)", HISTOGRAM_PG_JOIN},
	[REQUEST_CATCH_UP] = {"catch_up",
		"SELECT $1::uuid, c.from_version, c.version, CASE WHEN $4::text IS NULL OR r.role IS NOT NULL THEN c.frame END"
	" FROM converge.catch_up($1, $2, $3) AS c, (SELECT converge.role_in($4, $1) AS role OFFSET 0) AS r", HISTOGRAM_PG_CATCH_UP},
	[REQUEST_SWEEP] = {"sweep",
		"SELECT room.doc, c.from_version, c.version, c.frame"
	" FROM unnest($1::uuid[], $2::bigint[]) AS room (doc, head), converge.catch_up(room.doc, room.head) AS c", HISTOGRAM_PG_SWEEP},
	[REQUEST_ROLES] = {"roles", "SELECT role FROM converge.settled_roles($1, $2) ORDER BY ord", HISTOGRAM_PG_ROLES},
	[REQUEST_CHECKSUM] = {"checksum", "SELECT converge.checksum($1, $2)", HISTOGRAM_PG_CHECKSUM},
	PG_PROBE_STATEMENT,
};

#define STATEMENT_COUNT ((int) (sizeof(statements) / sizeof(statements[0])))

static const struct pg_setup setup[] = {
	{"SELECT has_function_privilege('converge.join_document(text,uuid,bigint,uuid)', 'EXECUTE')", true,
	"the role may not call converge.join_document(); SELECT converge.allow_relay('role') lets it"},
	{"SELECT has_function_privilege('converge.settled_roles(uuid,text[])', 'EXECUTE')", true,
	"the role may not call converge.settled_roles(); SELECT converge.allow_relay('role') lets it"},
	{"SELECT has_function_privilege('converge.checksum(uuid,bigint)', 'EXECUTE')", true,
	"the role may not call converge.checksum(); SELECT converge.allow_relay('role') lets it"},
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

enum join_column
{
	JOIN_ROLE,
	JOIN_TITLE,
	JOIN_VERSION,
	JOIN_SEQ,
	JOIN_RESUMED,
	JOIN_SNAPSHOT
};

enum frame_column
{
	FRAME_DOC,
	FRAME_FROM,
	FRAME_VERSION,
	FRAME_TEXT
};

/* ---- answers ---- */

/* Get a whole number out of a result. */
static int64_t
number_at(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* Count a join by what the client held and what it got. */
static void
count_join(const struct request *r, const struct join_answer *answer)
{
	struct metrics *m = r->source->reader->metrics;

	if (!answer->joined)
		m->joins_refused++;
	else if (answer->resumed)
		m->joins_resumed++;
	else if (r->has_version)
		m->joins_resynced++;
	else
		m->joins_fresh++;
}

/* Hand the answer to a join on. */
static void
answer_join(struct request *r, const PGresult *result)
{
	struct join_answer answer = {0};

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
	{
		answer.joined = true;
		answer.role = PQgetvalue(result, 0, JOIN_ROLE);
		answer.title = PQgetvalue(result, 0, JOIN_TITLE);
		answer.version = number_at(result, 0, JOIN_VERSION);
		answer.sequence_id = number_at(result, 0, JOIN_SEQ);
		answer.resumed = *PQgetvalue(result, 0, JOIN_RESUMED) == 't';
		answer.snapshot = PQgetvalue(result, 0, JOIN_SNAPSHOT);
		answer.snapshot_len = (size_t) PQgetlength(result, 0, JOIN_SNAPSHOT);
	}
	else
	{
		answer.close = pg_classify(pg_sqlstate(result)).close;
		answer.message = pg_message(result);
	}
	count_join(r, &answer);
	r->on_join(r->arg, &answer);
}

/* Tell how a catch-up ended. */
static enum catch_up_result
catch_up_outcome(const PGresult *result)
{
	const char *sqlstate;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return CATCH_UP_DONE;
	sqlstate = pg_sqlstate(result);
	if (strcmp(sqlstate, SQLSTATE_STALE) == 0)
		return CATCH_UP_STALE;
	return strcmp(sqlstate, SQLSTATE_NOT_FOUND) == 0 ? CATCH_UP_GONE : CATCH_UP_FAILED;
}

/* Hand the frames of a catch-up or a sweep on. */
static void
answer_catch_up(struct request *r, const PGresult *result)
{
	int			rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;
	enum catch_up_result outcome = catch_up_outcome(result);
	struct catch_up_frame frame;

	r->source->reader->metrics->catch_ups++;
	for (int i = 0; i < rows; i++)
	{
		if (PQgetisnull(result, i, FRAME_TEXT))
		{
			outcome = CATCH_UP_FORBIDDEN;
			break;
		}
		frame = (struct catch_up_frame)
		{
			.from = number_at(result, i, FRAME_FROM),
				.version = number_at(result, i, FRAME_VERSION),
				.text = PQgetvalue(result, i, FRAME_TEXT),
				.len = (size_t) PQgetlength(result, i, FRAME_TEXT),
		};
		if (uuid_parse(PQgetvalue(result, i, FRAME_DOC), (size_t) PQgetlength(result, i, FRAME_DOC), &frame.doc))
			r->on_catch_up(r->arg, &frame.doc, &frame, CATCH_UP_DONE);
	}
	r->on_catch_up(r->arg, &r->doc, NULL, outcome);
}

/* Hand the roles on; tells whether there were any: a document that is being changed has none to tell. */
static bool
answer_roles(struct request *r, const PGresult *result)
{
	enum roles_result outcome = ROLES_FAILED;
	int			rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : -1;

	if (rows == 0)
		return false;
	if (rows > 0)
		outcome = ROLES_KNOWN;
	else if (strcmp(pg_sqlstate(result), SQLSTATE_NOT_FOUND) == 0)
		outcome = ROLES_GONE;
	for (int i = 0; i < rows; i++)
		r->on_roles(r->arg, i, PQgetisnull(result, i, 0) ? NULL : PQgetvalue(result, i, 0), outcome);
	r->on_roles(r->arg, -1, NULL, outcome);
	return true;
}

/* Hand a checksum on. */
static void
answer_checksum(struct request *r, const PGresult *result)
{
	bool		known = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

	r->on_checksum(r->arg, known ? PQgetvalue(result, 0, 0) : NULL);
}

static void
free_request(struct request *r)
{
	buf_free(&r->docs);
	buf_free(&r->heads);
	free(r);
}

/* Answer a request that nobody will ever serve. */
static void
cancel_request(struct request *r)
{
	struct join_answer answer = {.close = CLOSE_RESTARTING,.message = "the relay is ending"};

	if (r->kind == REQUEST_JOIN)
		r->on_join(r->arg, &answer);
	else if (r->kind == REQUEST_ROLES)
		r->on_roles(r->arg, -1, NULL, ROLES_FAILED);
	else if (r->kind == REQUEST_CHECKSUM)
		r->on_checksum(r->arg, NULL);
	else
		r->on_catch_up(r->arg, &r->doc, NULL, CATCH_UP_FAILED);
	free_request(r);
}

/* Put a request at the end of the queue. */
static void
push_request(struct reader *reader, struct request *r)
{
	r->next = NULL;
	*reader->last = r;
	reader->last = &r->next;
}

/* Put a request at the front of the queue: it was there before. */
static void
push_back(struct reader *reader, struct request *r)
{
	r->next = reader->first;
	reader->first = r;
	if (r->next == NULL)
		reader->last = &r->next;
}

static void
on_pause_over(uv_timer_t *timer)
{
	struct reader *reader = timer->data;

	reader->paused = false;
	reader_dispatch(reader);
}

/* Ask again about the documents whose time has come. */
static void
on_locked_timer(uv_timer_t *timer)
{
	struct reader *reader = timer->data;
	struct request *r = reader->locked;
	struct request *next;

	reader->locked = NULL;
	for (; r != NULL; r = next)
	{
		next = r->next;
		if (--r->pause == 0)
		{
			push_request(reader, r);
			continue;
		}
		r->next = reader->locked;
		reader->locked = r;
	}
	if (reader->locked == NULL)
		uv_timer_stop(timer);
	reader_dispatch(reader);
}

/* Somebody is changing the document: ask again in a moment, each time after twice as many ticks. */
static void
ask_later(struct reader *reader, struct request *r)
{
	r->pause = 1U << (r->attempts < 6 ? r->attempts : 6);
	r->attempts++;
	if (reader->locked == NULL)
		uv_timer_start(&reader->locked_timer, on_locked_timer, LIMIT_GAP_RETRY_MS, LIMIT_GAP_RETRY_MS);
	r->next = reader->locked;
	reader->locked = r;
}

/* Tell whether a failed request goes again, after a pause. */
static bool
goes_again(struct request *r, const PGresult *result)
{
	struct reader *reader = r->source->reader;
	struct pg_failure failure;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return false;
	failure = pg_classify(pg_sqlstate(result));
	log_event(failure.remedy == REMEDY_NONE ? RELAY_DEBUG : RELAY_WARN, r->source->name, "%s: %s %s",
			  statements[r->kind].name, pg_sqlstate(result), pg_message(result));
	r->attempts++;
	if (failure.remedy == REMEDY_NONE || (failure.remedy == REMEDY_RETRY && r->attempts >= LIMIT_WRITE_ATTEMPTS))
		return false;
	if (failure.remedy == REMEDY_RECONNECT)
		pg_link_fail(r->source->link, pg_message(result));
	reader->paused = true;
	uv_timer_start(&reader->timer, on_pause_over, LIMIT_BACKOFF_FIRST_MS << (r->attempts < 6 ? r->attempts : 6), 0);
	return true;
}

/* Take the answer to a request. */
static void
on_answer(void *arg, PGresult *result)
{
	struct request *r = arg;
	struct reader *reader = r->source->reader;

	if (reader->closing)
	{
		cancel_request(r);
		return;
	}
	if (result == NULL || goes_again(r, result))
	{
		push_back(reader, r);
		return;
	}
	if (r->kind == REQUEST_JOIN)
		answer_join(r, result);
	else if (r->kind == REQUEST_CHECKSUM)
		answer_checksum(r, result);
	else if (r->kind != REQUEST_ROLES)
		answer_catch_up(r, result);
	else if (!answer_roles(r, result))
	{
		ask_later(reader, r);
		reader_dispatch(reader);
		return;
	}
	free_request(r);
	reader_dispatch(reader);
}

/* ---- requests ---- */

/* Add the parameters of a request; the texts are the caller's. */
static void
put_params(struct pg_params *params, struct request *r, char doc[], char id[], char version[])
{
	uuid_format(&r->doc, doc);
	uuid_format(&r->id, id);
	snprintf(version, 24, "%lld", (long long) r->version);
	switch (r->kind)
	{
		case REQUEST_JOIN:
			pg_param_text(params, r->user);
			pg_param_text(params, doc);
			pg_param_text(params, r->has_version ? version : NULL);
			pg_param_text(params, r->has_id ? id : NULL);
			break;
		case REQUEST_CATCH_UP:
			pg_param_text(params, doc);
			pg_param_text(params, version);
			pg_param_text(params, r->has_id ? id : NULL);
			pg_param_text(params, r->user);
			break;
		case REQUEST_ROLES:
			pg_param_text(params, doc);
			pg_param_binary(params, r->docs.data, r->docs.len);
			break;
		case REQUEST_CHECKSUM:
			pg_param_text(params, doc);
			pg_param_text(params, version);
			break;
		case REQUEST_SWEEP:
			pg_param_binary(params, r->docs.data, r->docs.len);
			pg_param_binary(params, r->heads.data, r->heads.len);
			break;
	}
}

/* Send the first request of the queue. */
static void
send_first(struct reader *reader, struct source *source)
{
	struct request *r = reader->first;
	struct pg_params params = {0};
	char		doc[UUID_TEXT_LEN + 1];
	char		id[UUID_TEXT_LEN + 1];
	char		version[24];

	reader->first = r->next;
	if (reader->first == NULL)
		reader->last = &reader->first;
	r->source = source;
	put_params(&params, r, doc, id, version);
	if (!pg_link_send(source->link, statements[r->kind].name, &params, on_answer, r))
		push_back(reader, r);
}

/* Get the connection with the least under way, if one has room. */
static struct source *
free_source(struct reader *reader)
{
	struct source *best = NULL;
	int			least = LIMIT_READS_PER_LINK;

	for (int i = 0; i < reader->source_count; i++)
	{
		struct source *s = &reader->sources[i];

		if (pg_link_is_ready(s->link) && pg_link_under_way(s->link) < least)
		{
			best = s;
			least = pg_link_under_way(s->link);
		}
	}
	return best;
}

/* Send what can go. */
void
reader_dispatch(struct reader *reader)
{
	struct source *source;

	while (!reader->paused && !reader->closing && reader->first != NULL && (source = free_source(reader)) != NULL)
		send_first(reader, source);
}

/* Begin a request about a document. */
static struct request *
new_request(enum request_kind kind, const struct uuid *doc, void *arg)
{
	struct request *r = mem_zalloc(sizeof(struct request));

	r->kind = kind;
	if (doc != NULL)
		r->doc = *doc;
	r->arg = arg;
	return r;
}

/* Ask for what a joining client needs. */
void
reader_join(struct reader *reader, const struct join_request *request, join_fn answer, void *arg)
{
	struct request *r = new_request(REQUEST_JOIN, &request->doc, arg);

	r->user = request->user;
	r->has_version = request->hello != NULL && request->hello->resumes;
	if (r->has_version)
	{
		r->version = request->hello->version;
		r->has_id = request->hello->has_operation_id;
		r->id = request->hello->operation_id;
	}
	r->on_join = answer;
	push_request(reader, r);
}

/* Ask for everything after a version, the pending operation by itself; a user gets it while he may read. */
void
reader_catch_up(struct reader *reader, const struct uuid *doc, int64_t from, const struct uuid *pending,
				const char *user, catch_up_fn answer, void *arg)
{
	struct request *r = new_request(REQUEST_CATCH_UP, doc, arg);

	r->user = user;

	r->version = from;
	r->has_id = pending != NULL;
	if (pending != NULL)
		r->id = *pending;
	r->on_catch_up = answer;
	push_request(reader, r);
}

/* Ask for what many documents have after the versions their rooms hold. */
void
reader_sweep(struct reader *reader, const struct uuid *docs, const int64_t *heads, int count, catch_up_fn answer, void *arg)
{
	struct request *r = new_request(REQUEST_SWEEP, NULL, arg);

	pg_array_begin(&r->docs, UUID_OID);
	pg_array_begin(&r->heads, INT8_OID);
	for (int i = 0; i < count; i++)
	{
		pg_array_put(&r->docs, docs[i].bytes, UUID_BYTES);
		pg_array_put_int8(&r->heads, heads[i]);
	}
	pg_array_finish(&r->docs, (uint32_t) count);
	pg_array_finish(&r->heads, (uint32_t) count);
	r->on_catch_up = answer;
	push_request(reader, r);
}

/* Ask for the roles of users in a document, once no change of members is under way there. */
void
reader_roles(struct reader *reader, const struct uuid *doc, const char *const *users, int count, roles_fn answer, void *arg)
{
	struct request *r = new_request(REQUEST_ROLES, doc, arg);

	pg_array_begin(&r->docs, TEXT_OID);
	for (int i = 0; i < count; i++)
		pg_array_put(&r->docs, users[i], strlen(users[i]));
	pg_array_finish(&r->docs, (uint32_t) count);
	r->on_roles = answer;
	push_request(reader, r);
}

/* Ask for the checksum of a document's text at a version. */
void
reader_checksum(struct reader *reader, const struct uuid *doc, int64_t version, checksum_fn answer, void *arg)
{
	struct request *r = new_request(REQUEST_CHECKSUM, doc, arg);

	r->version = version;
	r->on_checksum = answer;
	push_request(reader, r);
}

/* ---- beginning and end ---- */

static void
on_ready(void *arg)
{
	struct source *source = arg;

	pg_probe_ask(source->probe);
	reader_dispatch(source->reader);
}

static void
on_lost(void *arg)
{
	(void) arg;					/* what was under way is in the queue again */
}

/* Tell how PostgreSQL is on the best connection. */
enum pg_health
reader_health(const struct reader *reader)
{
	enum pg_health best = PG_UNCONNECTED;

	for (int i = 0; i < reader->source_count; i++)
	{
		enum pg_health health = pg_probe_health(reader->sources[i].probe);

		if (health < best)
			best = health;
	}
	return best;
}

/* Tell whether joins can be answered. */
bool
reader_is_ready(const struct reader *reader)
{
	return reader_health(reader) <= PG_READ_ONLY;
}

/* Begin: open the connections. */
struct reader *
reader_new(uv_loop_t *loop, const struct config *config, pg_log_end_fn log_end, void *arg, struct metrics *metrics)
{
	struct reader *reader = mem_zalloc(sizeof(struct reader));

	reader->metrics = metrics;
	reader->last = &reader->first;
	uv_timer_init(loop, &reader->timer);
	reader->timer.data = reader;
	uv_timer_init(loop, &reader->locked_timer);
	reader->locked_timer.data = reader;
	reader->timers = 2;
	reader->source_count = config->readers;
	reader->sources = mem_zalloc((size_t) config->readers * sizeof(struct source));
	for (int i = 0; i < config->readers; i++)
	{
		struct source *source = &reader->sources[i];
		struct pg_link_config link = {
			.name = source->name,.dsn = config->dsn,.loop = loop,.metrics = metrics,
			.setup = setup,.setup_count = SETUP_COUNT,.statements = statements,.statement_count = STATEMENT_COUNT,
			.on_ready = on_ready,.on_lost = on_lost,.arg = source,
		};

		source->reader = reader;
		snprintf(source->name, sizeof(source->name), "reader %d", i + 1);
		source->link = pg_link_open(&link);
		source->probe = pg_probe_new(loop, source->link, log_end, arg);
	}
	return reader;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct reader *reader = handle->data;

	if (--reader->timers == 0)
		free(reader);
}

static void
cancel_requests(struct request *r)
{
	while (r != NULL)
	{
		struct request *next = r->next;

		cancel_request(r);
		r = next;
	}
}

/* End; what is still asked is answered with nothing. */
void
reader_close(struct reader *reader)
{
	reader->closing = true;
	for (int i = 0; i < reader->source_count; i++)
	{
		pg_link_close(reader->sources[i].link);
		pg_probe_close(reader->sources[i].probe);
	}
	cancel_requests(reader->first);
	cancel_requests(reader->locked);
	free(reader->sources);
	uv_close((uv_handle_t *) &reader->timer, on_timer_closed);
	uv_close((uv_handle_t *) &reader->locked_timer, on_timer_closed);
}
