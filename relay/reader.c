/*
 * reader.c: what clients and rooms read from the tables: joins, catching up.
 *
 * Requests wait in one queue, go out pipelined, a bounded number on each
 * connection, and stay until they are answered: a lost connection or a
 * PostgreSQL in trouble only makes them go again, since reading twice harms
 * nobody. So does a new connection, on this link or another: what was answered
 * before may be another history's. Only what rooms ask goes back to them, since
 * what they hold may have changed.
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

/* of a sweep's rooms: documents, heads, and the versions known with their marks */
#define SWEEP_ARRAYS 5

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
	struct mark known;
	uint64_t	epoch;			/* of the reader, when it was asked */
	unsigned	pause;			/* ticks until it goes again */
	struct buf	arrays[SWEEP_ARRAYS];	/* a sweep's; the first may be the
										 * users */
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
	struct reader_callbacks callbacks;
	struct metrics *metrics;
	uint64_t	epoch;			/* counts new connections, of any link */
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

/* stands in a sweep for an operation that is not known */
#define NO_UUID "00000000-0000-0000-0000-000000000000"

static const struct pg_statement statements[] = {
	[REQUEST_JOIN] = {"join",
	"SELECT role, title, version, seq, operation_id, resumed, snapshot FROM converge.join_document($1, $2, $3, $4)", HISTOGRAM_PG_JOIN},
	[REQUEST_CATCH_UP] = {"catch_up",
		"SELECT $1::uuid, r.ours, c.from_version, c.version, c.seq, c.operation_id,"
		" CASE WHEN $4::text IS NULL OR r.role IS NOT NULL THEN c.frame END"
		" FROM (SELECT converge.role_in($4, $1) AS role, converge.has_version($1, $5, $6, $7) AS ours OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT * FROM converge.catch_up($1, $2, $3) WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_CATCH_UP},
	[REQUEST_SWEEP] = {"sweep",
		"SELECT r.doc, r.ours, c.from_version, c.version, c.seq, c.operation_id, c.frame"
		" FROM (SELECT doc, head, converge.has_version(doc, version, nullif(id, '" NO_UUID "'), seq) AS ours"
		" FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[]) AS u (doc, head, version, id, seq) OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT * FROM converge.catch_up(r.doc, r.head) WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_SWEEP},
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
	JOIN_ID,
	JOIN_RESUMED,
	JOIN_SNAPSHOT
};

enum frame_column
{
	FRAME_DOC,
	FRAME_OURS,
	FRAME_FROM,
	FRAME_VERSION,
	FRAME_SEQ,
	FRAME_ID,
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

/* Get a version, its seq and its operation, which stand side by side in a result. */
static struct mark
mark_at(const PGresult *result, int row, int column)
{
	struct mark mark = {.version = number_at(result, row, column),.sequence_id = number_at(result, row, column + 1)};
	const char *id = PQgetvalue(result, row, column + 2);

	mark.has_id = uuid_parse(id, strlen(id), &mark.id);
	return mark;
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
		answer.mark = mark_at(result, 0, JOIN_VERSION);
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
	if (strcmp(sqlstate, SQLSTATE_FUTURE) == 0)
		return CATCH_UP_OTHER;
	return strcmp(sqlstate, SQLSTATE_NOT_FOUND) == 0 ? CATCH_UP_GONE : CATCH_UP_FAILED;
}

/* Tell what a row says of what is known here. */
static enum catch_up_result
row_outcome(const PGresult *result, int row)
{
	if (PQgetisnull(result, row, FRAME_OURS))
		return CATCH_UP_UNSEEN;
	if (*PQgetvalue(result, row, FRAME_OURS) != 't')
		return CATCH_UP_OTHER;
	if (!PQgetisnull(result, row, FRAME_FROM) && PQgetisnull(result, row, FRAME_TEXT))
		return CATCH_UP_FORBIDDEN;
	return CATCH_UP_DONE;
}

/* Hand a row of a catch-up or a sweep on; tells how it is. */
static enum catch_up_result
answer_row(struct request *r, const PGresult *result, int row)
{
	enum catch_up_result outcome = row_outcome(result, row);
	struct catch_up_frame frame;
	struct uuid doc;

	if (!uuid_parse(PQgetvalue(result, row, FRAME_DOC), (size_t) PQgetlength(result, row, FRAME_DOC), &doc))
		return CATCH_UP_FAILED;
	if (outcome == CATCH_UP_DONE && !PQgetisnull(result, row, FRAME_FROM))
	{
		frame = (struct catch_up_frame)
		{
			.from = number_at(result, row, FRAME_FROM),
				.mark = mark_at(result, row, FRAME_VERSION),
				.text = PQgetvalue(result, row, FRAME_TEXT),
				.len = (size_t) PQgetlength(result, row, FRAME_TEXT),
		};
		r->on_catch_up(r->arg, &doc, &frame, CATCH_UP_DONE);
	}
	else if (r->kind == REQUEST_SWEEP)
		r->on_catch_up(r->arg, &doc, NULL, outcome);
	return outcome;
}

/*
 * Hand the frames of a catch-up or a sweep on; tells whether there was an
 * answer: the stream shows a version a moment before SQL sees it.
 */
static bool
answer_catch_up(struct request *r, const PGresult *result)
{
	int			rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;
	enum catch_up_result outcome = catch_up_outcome(result);

	if (r->kind == REQUEST_CATCH_UP && rows > 0 && r->attempts < LIMIT_UNSEEN_ATTEMPTS &&
		row_outcome(result, 0) == CATCH_UP_UNSEEN)
		return false;
	r->source->reader->metrics->catch_ups++;
	for (int i = 0; i < rows; i++)
	{
		enum catch_up_result of_row = answer_row(r, result, i);

		if (r->kind == REQUEST_CATCH_UP && of_row != CATCH_UP_DONE)
		{
			outcome = of_row;
			break;
		}
	}
	r->on_catch_up(r->arg, r->kind == REQUEST_SWEEP ? NULL : &r->doc, NULL, outcome);
	return true;
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
	for (int i = 0; i < SWEEP_ARRAYS; i++)
		buf_free(&r->arrays[i]);
	free(r);
}

/* Tell whether what is asked depends on what a room holds, and cannot be asked again for it. */
static bool
is_rooms(const struct request *r)
{
	return r->kind == REQUEST_SWEEP || (r->kind == REQUEST_CATCH_UP && r->user == NULL);
}

/* Answer a request that nobody will ever serve, or one of a room that it is to make anew. */
static void
cancel_request(struct request *r, enum catch_up_result result)
{
	struct join_answer answer = {.close = CLOSE_RESTARTING,.message = "the relay is ending"};

	if (r->kind == REQUEST_JOIN)
		r->on_join(r->arg, &answer);
	else if (r->kind == REQUEST_ROLES)
		r->on_roles(r->arg, -1, NULL, ROLES_FAILED);
	else if (r->kind == REQUEST_CHECKSUM)
		r->on_checksum(r->arg, NULL);
	else
		r->on_catch_up(r->arg, r->kind == REQUEST_SWEEP ? NULL : &r->doc, NULL, result);
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

/* Hand an answer on; tells whether it was one. */
static bool
answer(struct request *r, const PGresult *result)
{
	switch (r->kind)
	{
		case REQUEST_JOIN:
			answer_join(r, result);
			return true;
		case REQUEST_CHECKSUM:
			answer_checksum(r, result);
			return true;
		case REQUEST_ROLES:
			return answer_roles(r, result);
		case REQUEST_CATCH_UP:
		case REQUEST_SWEEP:
			break;
	}
	return answer_catch_up(r, result);
}

/* Take the answer to a request. */
static void
on_answer(void *arg, PGresult *result)
{
	struct request *r = arg;
	struct reader *reader = r->source->reader;

	if (reader->closing)
	{
		cancel_request(r, CATCH_UP_FAILED);
		return;
	}
	if (result == NULL || r->epoch != reader->epoch || goes_again(r, result))
		push_back(reader, r);
	else if (answer(r, result))
		free_request(r);
	else
		ask_later(reader, r);
	if (result != NULL)
		reader_dispatch(reader);
}

/* ---- requests ---- */

/* what parameters point to */
struct param_texts
{
	char		doc[UUID_TEXT_LEN + 1];
	char		id[UUID_TEXT_LEN + 1];
	char		known_id[UUID_TEXT_LEN + 1];
	char		version[24];
	char		known_version[24];
	char		known_seq[24];
};

/* Add the parameters of a request; the texts are the caller's. */
static void
put_params(struct pg_params *params, struct request *r, struct param_texts *t)
{
	uuid_format(&r->doc, t->doc);
	uuid_format(&r->id, t->id);
	uuid_format(&r->known.id, t->known_id);
	snprintf(t->version, sizeof(t->version), "%lld", (long long) r->version);
	snprintf(t->known_version, sizeof(t->known_version), "%lld", (long long) r->known.version);
	snprintf(t->known_seq, sizeof(t->known_seq), "%lld", (long long) r->known.sequence_id);
	switch (r->kind)
	{
		case REQUEST_JOIN:
			pg_param_text(params, r->user);
			pg_param_text(params, t->doc);
			pg_param_text(params, r->has_version ? t->version : NULL);
			pg_param_text(params, r->has_id ? t->id : NULL);
			break;
		case REQUEST_CATCH_UP:
			pg_param_text(params, t->doc);
			pg_param_text(params, t->version);
			pg_param_text(params, r->has_id ? t->id : NULL);
			pg_param_text(params, r->user);
			pg_param_text(params, t->known_version);
			pg_param_text(params, r->known.has_id ? t->known_id : NULL);
			pg_param_text(params, t->known_seq);
			break;
		case REQUEST_ROLES:
			pg_param_text(params, t->doc);
			pg_param_binary(params, r->arrays[0].data, r->arrays[0].len);
			break;
		case REQUEST_CHECKSUM:
			pg_param_text(params, t->doc);
			pg_param_text(params, t->version);
			break;
		case REQUEST_SWEEP:
			for (int i = 0; i < SWEEP_ARRAYS; i++)
				pg_param_binary(params, r->arrays[i].data, r->arrays[i].len);
			break;
	}
}

/* Send the first request of the queue. */
static void
send_first(struct reader *reader, struct source *source)
{
	struct request *r = reader->first;
	struct pg_params params = {0};
	struct param_texts texts;

	reader->first = r->next;
	if (reader->first == NULL)
		reader->last = &reader->first;
	r->source = source;
	if (is_rooms(r) && r->epoch != reader->epoch)
	{
		cancel_request(r, CATCH_UP_OUTDATED);
		return;
	}
	r->epoch = reader->epoch;
	put_params(&params, r, &texts);
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
new_request(struct reader *reader, enum request_kind kind, const struct uuid *doc, void *arg)
{
	struct request *r = mem_zalloc(sizeof(struct request));

	r->epoch = reader->epoch;

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
	struct request *r = new_request(reader, REQUEST_JOIN, &request->doc, arg);

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
reader_catch_up(struct reader *reader, const struct catch_up_request *request, catch_up_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_CATCH_UP, &request->doc, arg);

	r->user = request->user;
	r->version = request->from;
	r->known = *request->known;
	r->has_id = request->pending != NULL;
	if (request->pending != NULL)
		r->id = *request->pending;
	r->on_catch_up = answer;
	push_request(reader, r);
}

/* Add a room to a sweep. */
static void
put_room(struct buf *arrays, const struct sweep_room *room)
{
	static const struct uuid none;

	pg_array_put(&arrays[0], room->doc.bytes, UUID_BYTES);
	pg_array_put_int8(&arrays[1], room->head);
	pg_array_put_int8(&arrays[2], room->known.version);
	pg_array_put(&arrays[3], room->known.has_id ? room->known.id.bytes : none.bytes, UUID_BYTES);
	pg_array_put_int8(&arrays[4], room->known.sequence_id);
}

/* Ask for what many documents have after the versions their rooms hold, and whether they still have these. */
void
reader_sweep(struct reader *reader, const struct sweep_room *rooms, int count, sweep_fn answer, void *arg)
{
	static const uint32_t oids[SWEEP_ARRAYS] = {UUID_OID, INT8_OID, INT8_OID, UUID_OID, INT8_OID};
	struct request *r = new_request(reader, REQUEST_SWEEP, NULL, arg);

	for (int i = 0; i < SWEEP_ARRAYS; i++)
		pg_array_begin(&r->arrays[i], oids[i]);
	for (int i = 0; i < count; i++)
		put_room(r->arrays, &rooms[i]);
	for (int i = 0; i < SWEEP_ARRAYS; i++)
		pg_array_finish(&r->arrays[i], (uint32_t) count);
	r->on_catch_up = answer;
	push_request(reader, r);
}

/* Ask for the roles of users in a document, once no change of members is under way there. */
void
reader_roles(struct reader *reader, const struct uuid *doc, const char *const *users, int count, roles_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_ROLES, doc, arg);

	pg_array_begin(&r->arrays[0], TEXT_OID);
	for (int i = 0; i < count; i++)
		pg_array_put(&r->arrays[0], users[i], strlen(users[i]));
	pg_array_finish(&r->arrays[0], (uint32_t) count);
	r->on_roles = answer;
	push_request(reader, r);
}

/* Ask for the checksum of a document's text at a version. */
void
reader_checksum(struct reader *reader, const struct uuid *doc, int64_t version, checksum_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_CHECKSUM, doc, arg);

	r->version = version;
	r->on_checksum = answer;
	push_request(reader, r);
}

/* ---- beginning and end ---- */

static void
on_ready(void *arg)
{
	struct source *source = arg;
	const struct reader_callbacks *callbacks = &source->reader->callbacks;

	pg_probe_ask(source->probe);
	callbacks->connected(callbacks->arg);
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

/* From now on, take no answer that was asked for before. */
void
reader_doubt(struct reader *reader)
{
	reader->epoch++;
}

/* Begin: open the connections. */
struct reader *
reader_new(uv_loop_t *loop, const struct config *config, const struct reader_callbacks *callbacks, struct metrics *metrics)
{
	struct reader *reader = mem_zalloc(sizeof(struct reader));

	reader->callbacks = *callbacks;
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
		source->probe = pg_probe_new(loop, source->link, callbacks->log_end, callbacks->arg);
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

		cancel_request(r, CATCH_UP_FAILED);
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
