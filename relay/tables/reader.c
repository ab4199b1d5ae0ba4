/*
 * tables/reader.c: what clients and rooms read from the tables: joins, catching up.
 *
 * Requests wait in one queue, go out pipelined, a bounded number on each
 * connection, and stay until they are answered: a lost connection or a
 * PostgreSQL in trouble only makes them go again, since reading twice harms
 * nobody. So does a new connection, on this link or another: what was answered
 * before may be another history's. Only what rooms ask goes back to them, since
 * what they hold may have changed.
 */
#include "tables/reader_state.h"

#include "base/bounds.h"
#include "base/log.h"
#include "pg/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pg_setup setup[] = {
	{"SELECT has_function_privilege('converge.join_document(text,uuid,bigint,uuid,uuid,uuid)', 'EXECUTE')", true,
	"the role may not call converge.join_document(); SELECT converge.allow_relay('role') lets it"},
	{"SELECT has_function_privilege('converge.settled_roles(uuid,text[])', 'EXECUTE')", true,
	"the role may not call converge.settled_roles(); SELECT converge.allow_relay('role') lets it"},
	{"SELECT has_function_privilege('converge.checksum(uuid,bigint,uuid)', 'EXECUTE')", true,
	"the role may not call converge.checksum(); SELECT converge.allow_relay('role') lets it"},
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

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
void
reader_push(struct reader *reader, struct request *r)
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
			reader_push(reader, r);
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
	/* who may read no longer is to hear of it at once */
	r->pause = (r->kind == REQUEST_ROLES ? 1U : LIMIT_GAP_RETRY_MS) << (r->attempts < 6 ? r->attempts : 6);
	r->attempts++;
	if (reader->locked == NULL)
		uv_timer_start(&reader->locked_timer, on_locked_timer, 1, 1);
	r->next = reader->locked;
	reader->locked = r;
}

/*
 * Return true if a failed request is answered as failed. What PostgreSQL has not
 * enough of may be what the answer itself takes: then there is another one to be
 * asked for, and the requests behind this one are not held up for ever.
 */
static bool
is_given_up(const struct request *r, enum pg_remedy remedy, const char *sqlstate)
{
	bool		reads_log = r->kind == REQUEST_CATCH_UP || r->kind == REQUEST_SWEEP;
	bool		scarce = strncmp(sqlstate, "53", 2) == 0;

	if (remedy == REMEDY_NONE)
		return true;
	if (reads_log && (scarce || strncmp(sqlstate, "XX", 2) == 0))
		return r->attempts >= LIMIT_CATCH_UP_ATTEMPTS;
	if (remedy == REMEDY_WAIT && !(scarce && r->kind == REQUEST_JOIN))
		return false;
	return r->attempts >= LIMIT_WRITE_ATTEMPTS;
}

/* Log how a request failed: one that a user may cause, only where all is logged. */
static void
log_failure(struct request *r, enum pg_remedy remedy, const PGresult *result)
{
	const char *statement = reader_statements[r->kind].name;
	const char *sqlstate = pg_sqlstate(result);

	if (remedy == REMEDY_NONE && strncmp(sqlstate, "54", 2) != 0)
		log_event(RELAY_DEBUG, r->source->name, "%s: %s %s", statement, sqlstate, pg_message(result));
	else
		log_repeated(&r->source->trouble, uv_now(r->source->reader->timer.loop), pg_message(result), RELAY_WARN,
					 r->source->name, "%s: %s %s", statement, sqlstate, pg_message(result));
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
	log_failure(r, failure.remedy, result);
	r->attempts++;
	if (failure.remedy == REMEDY_RECONNECT)
		pg_link_fail(r->source->link, pg_message(result));
	if (is_given_up(r, failure.remedy, pg_sqlstate(result)))
		return false;
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
		cancel_request(r, CATCH_UP_FAILED);
		return;
	}
	if (result == NULL || r->epoch != reader->epoch || goes_again(r, result))
		push_back(reader, r);
	else if (reader_answer(r, result))
		free_request(r);
	else
		ask_later(reader, r);
	if (result != NULL)
		reader_dispatch(reader);
}

/* ---- sending ---- */

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
	reader_put_params(&params, r, &texts);
	if (!pg_link_send(source->link, reader_statements[r->kind].name, &params, on_answer, r))
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
			.setup = setup,.setup_count = SETUP_COUNT,.statements = reader_statements,.statement_count = reader_statement_count,
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
