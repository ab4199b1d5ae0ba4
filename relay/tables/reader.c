/*
 * tables/reader.c: what clients and rooms read from the tables: joins, catching up.
 *
 * Requests wait in turn by their users, go out pipelined, a bounded number on each
 * connection, and stay until they are answered: a lost connection or a
 * PostgreSQL in trouble only makes them go again, since reading twice harms
 * nobody. So does a new connection, on this link or another: what was answered
 * before may be another history's. Only what rooms ask goes back to them, since
 * what they hold may have changed.
 *
 * A user's requests go over one connection at a time, and nothing goes behind what
 * has been running for a while or has a large answer: so one user who asks for much
 * holds up nobody, as long as there is another connection. Of several connections
 * one has no large answers, so many users who ask for these hold up nobody either.
 * Questions for roles, and what rooms lack after a reconnection, go over a
 * connection of their own.
 */
#include "tables/reader_state.h"

#include "base/backoff.h"
#include "base/bounds.h"
#include "base/log.h"
#include "pg/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pg_setup setup[] = {
	PG_TIMEOUT(LIMIT_READ_MS),
	{"SELECT has_function_privilege('converge.join_document(text,uuid,bigint,uuid,uuid,uuid,bigint)', 'EXECUTE')", true,
	"the role may not call converge.join_document(); SELECT converge.allow_relay('role') permits it"},
	{"SELECT has_function_privilege('converge.settled_roles(uuid,text[])', 'EXECUTE')", true,
	"the role may not call converge.settled_roles(); SELECT converge.allow_relay('role') permits it"},
	{"SELECT has_function_privilege('converge.checksum(uuid,bigint,uuid)', 'EXECUTE')", true,
	"the role may not call converge.checksum(); SELECT converge.allow_relay('role') permits it"},
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

/* a request that has been running for longer has none sent behind it */
#define LONG_MS 50

/* what a lane may spend in a turn, in milliseconds of PostgreSQL's time, about */
#define QUANTUM 10

static void
free_request(struct request *r)
{
	if (r->turn.lane != NULL)
		turns_remove(&r->turns_of->turns, &r->turn);
	for (int i = 0; i < BACKFILL_ARRAYS; i++)
		buf_free(&r->arrays[i]);
	free(r);
}

/* Tell whether what is asked depends on what a room holds, and cannot be asked again for it. */
static bool
is_rooms(const struct request *r)
{
	return r->kind == REQUEST_BACKFILL || (r->kind == REQUEST_CATCH_UP && r->user == NULL);
}

/* Answer a request that nobody will ever serve, or one of a room that it is to make anew. */
static void
cancel_request(struct request *r, enum catch_up_result result)
{
	struct join_answer answer = {.close = CLOSE_RESTARTING,.message = r->no_room ? r->no_room : "the relay is shutting down"};

	reader_unreserve(r);
	if (r->kind == REQUEST_JOIN)
		r->on_join(r->arg, &answer);
	else if (r->kind == REQUEST_ROLES)
		r->on_roles(r->arg, -1, NULL, ROLES_FAILED);
	else if (r->kind == REQUEST_CHECKSUM)
		r->on_checksum(r->arg, NULL);
	else
		r->on_catch_up(r->arg, r->kind == REQUEST_BACKFILL ? NULL : &r->doc, &r->known.life, NULL, result);
	free_request(r);
}

/* Return true if a request is the relay's own work, which no client's may delay: roles, and then what rooms lack. */
static bool
is_urgent(const struct request *r)
{
	return r->kind == REQUEST_ROLES || r->kind == REQUEST_BACKFILL;
}

/* Let a request wait for its turn, or among those that are urgent. */
void
reader_push(struct reader *reader, struct request *r)
{
	r->turns_of = reader;
	if (reader->closing && is_urgent(r))
	{
		cancel_request(r, CATCH_UP_FAILED);
		return;
	}
	if (!is_urgent(r))
	{
		turns_put(&reader->turns, &r->turn, r->user != NULL ? r->user : "", reader_cost(r));
		return;
	}
	r->next = NULL;
	*reader->last = r;
	reader->last = &r->next;
}

/* Put a request where it was before: in front. */
static void
push_back(struct reader *reader, struct request *r)
{
	reader_unreserve(r);
	if (!is_urgent(r))
	{
		turns_put_back(&reader->turns, &r->turn);
		return;
	}
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
			if (r->abandoned)
				cancel_request(r, CATCH_UP_FAILED);
			else
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
	r->pause = backoff(r->kind == REQUEST_ROLES ? 1 : LIMIT_GAP_RETRY_MS, r->attempts);
	r->attempts++;
	reader_unreserve(r);
	if (r->turn.lane != NULL)
		turns_remove(&reader->turns, &r->turn);
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
	bool		reads_log = r->kind == REQUEST_CATCH_UP || r->kind == REQUEST_BACKFILL;
	bool		scarce = strncmp(sqlstate, "53", 2) == 0;

	if (remedy == REMEDY_NONE)
		return true;
	/* it takes too long, and would again */
	if (strcmp(sqlstate, SQLSTATE_CANCELLED) == 0)
		return r->attempts >= LIMIT_CATCH_UP_ATTEMPTS;
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
	/* another's statement was to be cancelled, and had ended by then */
	if (strcmp(pg_sqlstate(result), SQLSTATE_CANCELLED) == 0 && pg_link_is_cancelling(r->source->link))
		return true;
	failure = pg_classify(pg_sqlstate(result));
	log_failure(r, failure.remedy, result);
	r->attempts++;
	if (failure.remedy == REMEDY_RECONNECT)
		pg_link_fail(r->source->link, pg_message(result));
	if (is_given_up(r, failure.remedy, pg_sqlstate(result)))
		return false;
	/* one that may succeed at once holds up nobody */
	if (failure.remedy == REMEDY_RETRY)
		return true;
	reader->paused = true;
	uv_timer_start(&reader->timer, on_pause_over, backoff(LIMIT_BACKOFF_FIRST_MS, r->attempts), 0);
	return true;
}

/* Charge a request's lane for what it took. */
static void
charge_turn(struct reader *reader, struct request *r, const PGresult *result)
{
	uint64_t	took_ms = uv_now(reader->timer.loop) - r->source->head_since_ms;

	r->source->head_since_ms = uv_now(reader->timer.loop);
	if (r->turn.lane != NULL && result != NULL)
		turns_done(&reader->turns, &r->turn, (double) took_ms + (double) PQresultMemorySize(result) / BYTES_A_MS - r->turn.paid);
}

/* Take the answer to a request. */
static void
on_answer(void *arg, PGresult *result)
{
	struct request *r = arg;
	struct reader *reader = r->source->reader;

	if (reader->closing || r->abandoned)
		cancel_request(r, CATCH_UP_FAILED);
	else if (result == NULL || r->epoch != reader->epoch || goes_again(r, result))
		push_back(reader, r);
	else if (reader_answer(r, result))
	{
		charge_turn(reader, r, result);
		free_request(r);
	}
	else if (r->again)
	{
		r->again = false;
		push_back(reader, r);
		if (r->turn.lane != NULL)
			turns_price(&reader->turns, &r->turn, reader_cost(r));
	}
	else
		ask_later(reader, r);
	if (result != NULL && !reader->closing)
		reader_dispatch(reader);
}

/* ---- sending ---- */

/* Send a request over a connection. */
static void
send_request(struct reader *reader, struct source *source, struct request *r)
{
	struct pg_params params = {0};
	struct param_texts texts;

	r->source = source;
	if (is_rooms(r) && r->epoch != reader->epoch)
	{
		cancel_request(r, CATCH_UP_OUTDATED);
		return;
	}
	r->epoch = reader->epoch;
	if (!reader_reserve(r))
	{
		push_back(reader, r);
		return;
	}
	reader_put_params(&params, r, &texts);
	if (pg_link_under_way(source->link) == 0)
		source->head_since_ms = uv_now(reader->timer.loop);
	if (r->turn.lane != NULL)
		r->turn.lane->place = source;
	if (!pg_link_send(source->link, reader_statements[r->kind].name, &params, on_answer, r))
		push_back(reader, r);
}

/* Return true if a request that is sent over a connection is answered soon, as far as is known. */
static bool
is_open(const struct reader *reader, const struct source *source)
{
	int			under_way = pg_link_under_way(source->link);

	if (!pg_link_is_ready(source->link) || under_way >= LIMIT_READS_PER_LINK)
		return false;
	return under_way == 0 || (source->heavy == 0 && uv_now(reader->timer.loop) - source->head_since_ms < LONG_MS);
}

/*
 * Return true if a connection may be given a request: of several connections, one
 * has no large answers, however many users ask for them.
 */
static bool
may_take(const struct reader *reader, const struct source *source, const struct request *r)
{
	int			others = 0;

	if (!is_open(reader, source))
		return false;
	if (!reader_is_heavy(r))
		return true;
	for (int i = 0; i < reader->source_count; i++)
	{
		const struct source *other = &reader->sources[i];

		if (other == source || !pg_link_is_ready(other->link))
			continue;
		if (other->heavy == 0)
			return true;
		others++;
	}
	return others == 0;
}

/* Get the connection for a request: its user's, if that has one; else the one with the least under way. */
static struct source *
source_for(struct reader *reader, const struct request *r)
{
	struct source *best = NULL;

	if (r->turn.lane->under_way > 0 && reader->source_count > 1)
		return may_take(reader, r->turn.lane->place, r) ? r->turn.lane->place : NULL;
	for (int i = 0; i < reader->source_count; i++)
	{
		struct source *s = &reader->sources[i];

		if (may_take(reader, s, r) && (best == NULL || pg_link_under_way(s->link) < pg_link_under_way(best->link)))
			best = s;
	}
	return best;
}

/* Return true if the first of a lane may go now. */
static bool
may_go(void *arg, struct turn *first)
{
	const struct request *r = (const struct request *) first;

	return reader_may_reserve(r) && source_for(arg, r) != NULL;
}

/* Send what is urgent. */
static void
send_urgent(struct reader *reader)
{
	struct source *source = &reader->sources[reader->source_count];

	while (reader->first != NULL && pg_link_is_ready(source->link) && pg_link_under_way(source->link) < LIMIT_READS_PER_LINK)
	{
		struct request *r = reader->first;

		reader->first = r->next;
		if (reader->first == NULL)
			reader->last = &reader->first;
		send_request(reader, source, r);
	}
}

/* Send what can go. */
void
reader_dispatch(struct reader *reader)
{
	struct turn *turn;

	if (reader->paused || reader->closing)
		return;
	if (reader->first == NULL && reader->turns.waiting == 0)
		return;					/* as in most turns of the loop */
	send_urgent(reader);
	while (!reader->paused && (turn = turns_next(&reader->turns, may_go, reader)) != NULL)
	{
		struct request *r = (struct request *) turn;

		/* it does not count itself among what its lane has under way */
		turn->lane->under_way--;
		r->source = source_for(reader, r);
		turn->lane->under_way++;
		send_request(reader, r->source, r);
	}
}

/* ---- those who have gone, or have waited too long ---- */

void
reader_abandon(struct reader *reader, struct request *r)
{
	if (r->turn.waits)
	{
		cancel_request(r, CATCH_UP_FAILED);
		return;
	}
	r->abandoned = true;
	if (r->turn.under_way)
		pg_link_cancel(r->source->link, r);
	(void) reader;
}

/*
 * Refuse a request that has waited for memory for too long, or can never be answered. Where
 * there is none for the log there may be some for the text.
 */
static void
refuse_blocked(void *arg, struct turn *turn)
{
	struct reader *reader = arg;
	struct request *r = (struct request *) turn;

	if (!r->blocked || r->until_ms > uv_now(reader->timer.loop))
		return;
	reader->metrics->refused_memory++;
	r->no_room = "the relay's memory is full, or too small for this document (max-memory); try again later";
	cancel_request(r, r->kind == REQUEST_CATCH_UP ? CATCH_UP_STALE : CATCH_UP_FAILED);
}

void
reader_tick(struct reader *reader)
{
	turns_each(&reader->turns, refuse_blocked, reader);
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

/* Tell how PostgreSQL is: on the connection that no client's work can delay, and on the best of the others. */
enum pg_health
reader_health(const struct reader *reader)
{
	enum pg_health best = PG_UNCONNECTED;
	enum pg_health own = pg_probe_health(reader->sources[reader->source_count].probe);

	for (int i = 0; i < reader->source_count; i++)
	{
		enum pg_health health = pg_probe_health(reader->sources[i].probe);

		if (health < best)
			best = health;
	}
	return own > best ? own : best;
}

/* Tell whether joins can be answered. */
bool
reader_is_ready(const struct reader *reader)
{
	return reader_health(reader) <= PG_READ_ONLY;
}

/* From now on, take no answer that was asked for before. */
void
reader_suspect(struct reader *reader)
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
	turns_init(&reader->turns, QUANTUM);
	reader->most_unasked = config_largest_unasked(config);
	uv_timer_init(loop, &reader->timer);
	reader->timer.data = reader;
	uv_timer_init(loop, &reader->locked_timer);
	reader->locked_timer.data = reader;
	reader->timers = 2;
	reader->source_count = config->readers;
	reader->sources = mem_zalloc((size_t) (config->readers + 1) * sizeof(struct source));
	for (int i = 0; i <= config->readers; i++)
	{
		bool		own = i == config->readers;
		struct source *source = &reader->sources[i];
		struct pg_link_config link = {
			.name = source->name,.dsn = config->dsn,.loop = loop,.metrics = metrics,
			.setup = setup,.setup_count = SETUP_COUNT,.statements = reader_statements,.statement_count = reader_statement_count,
			.on_ready = on_ready,.on_lost = on_lost,.arg = source,
		};

		source->reader = reader;
		if (own)
			snprintf(source->name, sizeof(source->name), "health");
		else
			snprintf(source->name, sizeof(source->name), "reader %d", i + 1);
		source->link = pg_link_open(&link);
		source->probe = pg_probe_new(loop, source->link, own ? callbacks->log_end : NULL, callbacks->arg);
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

static void
cancel_waiting(void *arg, struct turn *turn)
{
	(void) arg;
	cancel_request((struct request *) turn, CATCH_UP_FAILED);
}

/* End; what is still asked is answered with nothing. */
void
reader_close(struct reader *reader)
{
	reader->closing = true;
	for (int i = 0; i <= reader->source_count; i++)
	{
		pg_link_close(reader->sources[i].link);
		pg_probe_close(reader->sources[i].probe);
	}
	turns_each(&reader->turns, cancel_waiting, reader);
	cancel_requests(reader->first);
	cancel_requests(reader->locked);
	turns_free(&reader->turns);
	free(reader->sources);
	uv_close((uv_handle_t *) &reader->timer, on_timer_closed);
	uv_close((uv_handle_t *) &reader->locked_timer, on_timer_closed);
}
