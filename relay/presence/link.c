/*
 * presence/link.c: presence by way of PostgreSQL: notifications between
 * relays, and the table that shows it in SQL.
 *
 * One connection listens, notifies and writes. Of each kind one statement is
 * under way at a time; what changes meanwhile goes with the next, coalesced.
 * Whatever fails there breaks the connection, and a new one begins from
 * nothing: the table gets every row again, the other relays everybody.
 */
#include "presence/link.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/array.h"
#include "pg/error.h"
#include "pg/link.h"
#include "presence/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000

/* beats that are sent in the time after which other relays forget this one */
#define BEATS 3

_Static_assert(SEALED_LEN(LIMIT_PEER_MESSAGE_BYTES) < 8000, "PostgreSQL takes payloads below 8000 bytes");

enum link_phase
{
	PHASE_AWAY,					/* no connection */
	PHASE_BEGINNING,			/* the key is asked for */
	PHASE_OPEN,
	PHASE_LEAVING,				/* the bye is being sent */
	PHASE_LEFT
};

struct presence_link
{
	struct presence *presence;
	struct pg_link *link;
	enum link_phase phase;
	uv_loop_t  *loop;
	uv_timer_t	pace;
	uv_timer_t	second;
	uv_timer_t	due;			/* wakes the loop for what may go out only
								 * then */
	int			timers;			/* still open */
	int64_t		announce_ms;	/* not to be done earlier */
	int64_t		write_ms;
	char		relay[UUID_TEXT_LEN + 1];
	char		timeout[16];
	int			beat_every_s;
	int			until_beat_s;
	struct seal_key key;
	bool		announcing;
	bool		writing;
	bool		keeping;
	struct buf	text;
	struct buf	sealed;
	struct buf	batch;
	struct buf	here;
	struct buf	gone;
};

static const struct pg_statement statements[] = {
	{"begin", "SELECT converge.begin_presence($1::uuid, $2::integer)", HISTOGRAM_PG_PRESENCE},
	{"announce", "SELECT converge.announce($1::text[])", HISTOGRAM_PG_PRESENCE},
	{"write", "SELECT converge.write_presence($1::uuid, $2::jsonb, $3::jsonb)", HISTOGRAM_PG_PRESENCE},
	{"keep", "SELECT converge.keep_presence($1::uuid, $2::integer, $3::text)", HISTOGRAM_PG_PRESENCE},
	{"end", "SELECT converge.end_presence($1::uuid, $2::text)", HISTOGRAM_PG_PRESENCE},
};

#define STATEMENT_COUNT ((int) (sizeof(statements) / sizeof(statements[0])))

static const struct pg_setup setup[] = {
	{"SELECT has_function_privilege('converge.begin_presence(uuid,integer)', 'EXECUTE')", true,
	"the role may not call converge.begin_presence(); SELECT converge.allow_relay('role') permits it"},
	{"LISTEN converge_presence", false, NULL},
	PG_TIMEOUT(LIMIT_READ_MS),
};

#define SETUP_COUNT ((int) (sizeof(setup) / sizeof(setup[0])))

/* ---- answers ---- */

/* Return true if a statement was done; one that failed ends the connection. */
static bool
is_done(struct presence_link *pl, const PGresult *result)
{
	char		problem[512];

	if (result == NULL)
		return false;
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		return true;
	pg_explain(pg_link_conn(pl->link), result, problem, sizeof(problem));
	pg_link_fail(pl->link, problem);
	return false;
}

static void
on_announced(void *arg, PGresult *result)
{
	struct presence_link *pl = arg;

	pl->announcing = false;
	is_done(pl, result);
}

static void
on_written(void *arg, PGresult *result)
{
	struct presence_link *pl = arg;

	pl->writing = false;
	is_done(pl, result);
}

/* We are known as a relay that lives; where we had been taken for dead, our rows are gone. */
static void
on_kept(void *arg, PGresult *result)
{
	struct presence_link *pl = arg;

	pl->keeping = false;
	if (is_done(pl, result) && *PQgetvalue(result, 0, 0) != 't')
		presence_write_all(pl->presence);
}

static void
on_ended(void *arg, PGresult *result)
{
	struct presence_link *pl = arg;

	pl->phase = PHASE_LEFT;
	(void) result;
}

/* The table has none of our rows, and here is the key. */
static void
on_begun(void *arg, PGresult *result)
{
	struct presence_link *pl = arg;

	if (!is_done(pl, result) || pl->phase != PHASE_BEGINNING)
		return;
	if (!seal_key_parse(PQgetvalue(result, 0, 0), (size_t) PQgetlength(result, 0, 0), &pl->key))
	{
		pg_link_fail(pl->link, "converge.begin_presence() returned no key");
		return;
	}
	pl->phase = PHASE_OPEN;
	pl->until_beat_s = pl->beat_every_s;
	presence_connect(pl->presence);
}

/* ---- sending ---- */

/* Seal the text that was made for other relays. */
static bool
seal_text(struct presence_link *pl)
{
	if (seal(&pl->key, pl->text.data, pl->text.len, &pl->sealed))
		return true;
	pg_link_fail(pl->link, "could not encrypt a message for other relays");
	return false;
}

/* Send other relays the messages that are due. */
static void
announce(struct presence_link *pl, int64_t now_ms)
{
	struct pg_params params = {0};
	uint32_t	count = 0;

	while (count < LIMIT_PEER_MESSAGES && presence_next_message(pl->presence, &pl->text))
	{
		if (!seal_text(pl))
			return;
		if (count++ == 0)
			pg_array_begin(&pl->batch, TEXT_OID);
		pg_array_put(&pl->batch, pl->sealed.data, pl->sealed.len);
	}
	if (count == 0)
		return;
	pl->announce_ms = now_ms + LIMIT_ANNOUNCE_MS;
	pg_array_finish(&pl->batch, count);
	pg_param_binary(&params, pl->batch.data, pl->batch.len);
	pl->announcing = pg_link_send(pl->link, "announce", &params, on_announced, pl);
}

/* Bring the table up to date. */
static void
write_rows(struct presence_link *pl, int64_t now_ms)
{
	struct pg_params params = {0};

	if (!presence_next_rows(pl->presence, &pl->here, &pl->gone))
		return;
	pl->write_ms = now_ms + LIMIT_PRESENCE_WRITE_MS;
	buf_put(&pl->here, "", 1);
	buf_put(&pl->gone, "", 1);
	pg_param_text(&params, pl->relay);
	pg_param_text(&params, pl->here.data);
	pg_param_text(&params, pl->gone.data);
	pl->writing = pg_link_send(pl->link, "write", &params, on_written, pl);
}

/* Show that we live, to the other relays and in the table. */
static void
beat(struct presence_link *pl)
{
	struct pg_params params = {0};

	pl->until_beat_s = pl->beat_every_s;
	presence_signal(pl->presence, PRESENCE_BEAT, &pl->text);
	if (!seal_text(pl))
		return;
	buf_put(&pl->sealed, "", 1);
	pg_param_text(&params, pl->relay);
	pg_param_text(&params, pl->timeout);
	pg_param_text(&params, pl->sealed.data);
	pl->keeping = pg_link_send(pl->link, "keep", &params, on_kept, pl);
}

/* The loop is awake, which is all that is wanted: the end of its turn does the rest. */
static void
on_due(uv_timer_t *timer)
{
	(void) timer;
}

/* Return true if it is time; otherwise make the loop wake up at that time. */
static bool
is_time(struct presence_link *pl, int64_t at_ms, int64_t now_ms)
{
	uint64_t	left_ms = (uint64_t) (at_ms - now_ms);

	if (now_ms >= at_ms)
		return true;
	if (!uv_is_active((uv_handle_t *) &pl->due) || uv_timer_get_due_in(&pl->due) > left_ms)
		uv_timer_start(&pl->due, on_due, left_ms, 0);
	return false;
}

/* End the turn: show what may be shown, and pass on what other relays and the table are to know. */
void
presence_link_dispatch(struct presence_link *pl)
{
	int64_t		now_ms = (int64_t) uv_now(pl->loop);

	presence_flush(pl->presence, now_ms);
	if (pl->phase != PHASE_OPEN)
		return;
	if (!pl->announcing && presence_has_messages(pl->presence) && is_time(pl, pl->announce_ms, now_ms))
		announce(pl, now_ms);
	if (!pl->writing && presence_has_rows(pl->presence) && is_time(pl, pl->write_ms, now_ms))
		write_rows(pl, now_ms);
}

/* ---- timers ---- */

static void
on_pace(uv_timer_t *timer)
{
	struct presence_link *pl = timer->data;

	if (!presence_tick(pl->presence, (int64_t) uv_now(pl->loop)))
		uv_timer_stop(timer);
}

/* Something waits until it may be shown. */
void
presence_link_pace(struct presence_link *pl)
{
	uv_timer_start(&pl->pace, on_pace, LIMIT_PRESENCE_TICK_MS, LIMIT_PRESENCE_TICK_MS);
}

static void
on_second(uv_timer_t *timer)
{
	struct presence_link *pl = timer->data;

	presence_forget_silent(pl->presence, (int64_t) uv_now(pl->loop));
	presence_second(pl->presence);
	if (pl->phase == PHASE_OPEN && --pl->until_beat_s <= 0 && !pl->keeping)
		beat(pl);
}

/* ---- the connection ---- */

static void
on_ready(void *arg)
{
	struct presence_link *pl = arg;
	struct pg_params params = {0};

	if (pl->phase == PHASE_LEFT)
		return;
	pl->phase = PHASE_BEGINNING;
	pg_param_text(&params, pl->relay);
	pg_param_text(&params, pl->timeout);
	pg_link_send(pl->link, "begin", &params, on_begun, pl);
}

static void
on_lost(void *arg)
{
	struct presence_link *pl = arg;

	pl->phase = pl->phase >= PHASE_LEAVING ? PHASE_LEFT : PHASE_AWAY;
	pl->announcing = false;
	pl->writing = false;
	pl->keeping = false;
	presence_disconnect(pl->presence);
}

/* Take a notification of the channel; any role may have sent it. */
static void
on_notify(void *arg, const char *payload)
{
	struct presence_link *pl = arg;

	if (pl->phase == PHASE_OPEN && unseal(&pl->key, payload, strlen(payload), &pl->text))
		presence_hear(pl->presence, pl->text.data, pl->text.len, (int64_t) uv_now(pl->loop));
}

/* Send the bye, then nothing more, and delete our rows from the table. */
void
presence_link_leave(struct presence_link *pl)
{
	struct pg_params params = {0};

	if (pl->phase >= PHASE_LEAVING)
		return;
	if (pl->phase == PHASE_OPEN)
	{
		presence_signal(pl->presence, PRESENCE_BYE, &pl->text);
		pl->phase = PHASE_LEAVING;
		if (!seal_text(pl))
			return;
		buf_put(&pl->sealed, "", 1);
		pg_param_text(&params, pl->relay);
		pg_param_text(&params, pl->sealed.data);
		pg_link_send(pl->link, "end", &params, on_ended, pl);
	}
	else
		pl->phase = PHASE_LEFT;
}

/* Return true if the bye was sent, or cannot be. */
bool
presence_link_has_left(const struct presence_link *pl)
{
	return pl->phase == PHASE_LEFT;
}

struct presence_link *
presence_link_new(uv_loop_t *loop, const struct config *config, struct presence *presence, const struct uuid *relay,
				  struct metrics *metrics)
{
	struct presence_link *pl = mem_zalloc(sizeof(struct presence_link));
	struct pg_link_config link = {
		.name = "presence",.dsn = config->dsn,.setup = setup,.setup_count = SETUP_COUNT,.statements = statements,
		.statement_count = STATEMENT_COUNT,.on_ready = on_ready,.on_lost = on_lost,.on_notify = on_notify,.arg = pl,
		.loop = loop,.metrics = metrics,
	};

	pl->presence = presence;
	pl->loop = loop;
	pl->beat_every_s = config->presence_timeout_s / BEATS;
	uuid_format(relay, pl->relay);
	snprintf(pl->timeout, sizeof(pl->timeout), "%d", config->presence_timeout_s);
	uv_timer_init(loop, &pl->pace);
	uv_timer_init(loop, &pl->second);
	uv_timer_init(loop, &pl->due);
	pl->pace.data = pl->second.data = pl->due.data = pl;
	pl->timers = 3;
	uv_timer_start(&pl->second, on_second, SECOND_MS, SECOND_MS);
	pl->link = pg_link_open(&link);
	return pl;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct presence_link *pl = handle->data;

	if (--pl->timers > 0)
		return;
	buf_free(&pl->text);
	buf_free(&pl->sealed);
	buf_free(&pl->batch);
	buf_free(&pl->here);
	buf_free(&pl->gone);
	free(pl);
}

/* End; presence stays its owner's. */
void
presence_link_close(struct presence_link *pl)
{
	pl->phase = PHASE_LEFT;
	pg_link_close(pl->link);
	uv_close((uv_handle_t *) &pl->pace, on_timer_closed);
	uv_close((uv_handle_t *) &pl->second, on_timer_closed);
	uv_close((uv_handle_t *) &pl->due, on_timer_closed);
}
