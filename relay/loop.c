/*
 * loop.c: the turn of the loop, the signals, and the end.
 *
 * Whatever was published or submitted while events were handled goes out when
 * the turn ends. The end comes in phases: edits under way are finished, then
 * clients are told to go, then everything closes.
 */
#include "relay.h"

#include "base/bounds.h"
#include "base/log.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 1000
#define DRAIN_TICK_MS 20
#define LAST_WORDS_MS 3000
#define PROBLEM_BYTES 512

/* ---- the turn ---- */

/* Note how long the turn that ends here took, but for its waiting. */
static void
measure_turn(struct relay *relay)
{
	uint64_t	now_ns = uv_hrtime();
	uint64_t	idle_ns = uv_metrics_idle_time(&relay->loop);

	if (relay->turn_began_ns != 0)
		metrics_observe(&relay->metrics, HISTOGRAM_LOOP_LAG,
						(now_ns - relay->turn_began_ns - (idle_ns - relay->idle_ns)) / 1000);
	relay->turn_began_ns = now_ns;
	relay->idle_ns = idle_ns;
}

/* Submit first, so that PostgreSQL works while the clients are written to. */
static void
end_turn(struct relay *relay)
{
	writer_dispatch(relay->writer);
	reader_dispatch(relay->reader);
	rooms_flush(relay->rooms);
	presence_link_dispatch(relay->presence_link);
	ledger_settle(&relay->ledger);
	sessions_reap(relay->sessions);
}

static void
on_before_poll(uv_prepare_t *handle)
{
	end_turn(handle->data);
	measure_turn(handle->data);
}

static void
on_after_poll(uv_check_t *handle)
{
	end_turn(handle->data);
}

/* Of documents that the stream does not show, ask who may read them. */
static void
check_other(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	if (!shard_is_followed(&relay->config, doc))
		sessions_check(relay->sessions, doc, NULL);
}

static void
on_tick(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	if (relay->config.followed != NULL && relay->phase == PHASE_RUNNING && reader_is_ready(relay->reader))
		rooms_each(relay->rooms, check_other, relay);

	sessions_tick(relay->sessions, (int64_t) (uv_now(&relay->loop) / 1000));
	rest_tick(relay->rest);
	reader_tick(relay->reader);
	ledger_forget(&relay->ledger);
}

/* ---- the end ---- */

static void
close_clients(struct relay *relay)
{
	relay->phase = PHASE_CLOSING;
	relay->phase_ends = uv_now(&relay->loop) + LAST_WORDS_MS;
	sessions_close_all(relay->sessions, "the relay is restarting");
}

/* Stop everything; the loop ends when the last handle has closed. */
static void
end_parts(struct relay *relay)
{
	uv_handle_t *handles[] = {
		(uv_handle_t *) &relay->before_poll, (uv_handle_t *) &relay->after_poll, (uv_handle_t *) &relay->tick,
		(uv_handle_t *) &relay->gap_timer, (uv_handle_t *) &relay->slow_timer, (uv_handle_t *) &relay->drain_timer,
		(uv_handle_t *) &relay->sigterm, (uv_handle_t *) &relay->sigint, (uv_handle_t *) &relay->sighup,
	};

	relay->phase = PHASE_ENDED;
	listener_close(relay->listener);
	rest_close(relay->rest);
	server_close(relay->server);
	stream_close(relay->stream);
	writer_close(relay->writer);
	reader_close(relay->reader);
	backfill_close(relay->backfill);
	presence_link_close(relay->presence_link);
	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		uv_close(handles[i], NULL);
}

/* Look whether the end has come a step nearer. */
static void
on_drain_timer(uv_timer_t *timer)
{
	struct relay *relay = timer->data;
	bool		late = uv_now(&relay->loop) >= relay->phase_ends;

	if (relay->phase == PHASE_DRAINING)
	{
		if (late || (writer_is_idle(relay->writer) && rest_is_idle(relay->rest) && rooms_owe_nothing(relay->rooms)))
			close_clients(relay);
		return;
	}
	if (sessions_count(relay->sessions) == 0)
		presence_link_leave(relay->presence_link);
	if (relay->phase == PHASE_CLOSING && (late || presence_link_has_left(relay->presence_link)))
		end_parts(relay);
}

/* End in order: accept nothing more, finish what is under way, say goodbye. */
static void
on_signal(uv_signal_t *handle, int number)
{
	struct relay *relay = handle->data;

	if (relay->phase != PHASE_RUNNING)
	{
		log_event(RELAY_WARN, "relay", "second signal received: stopping at once");
		_exit(1);
	}
	log_event(RELAY_INFO, "relay", "shutting down on %s, %d clients, %llu edits not answered yet", strsignal(number),
			  sessions_count(relay->sessions), (unsigned long long) relay->metrics.ops_held);
	relay->phase = PHASE_DRAINING;
	relay->phase_ends = uv_now(&relay->loop) + (uint64_t) relay->config.drain_timeout_s * 1000;
	listener_close(relay->listener);
	relay->listener = NULL;
	server_drain(relay->server);
	sessions_drain(relay->sessions);
	uv_timer_start(&relay->drain_timer, on_drain_timer, 0, DRAIN_TICK_MS);
}

/* ---- reading again ---- */

/* Reload the keys and the certificate; keep the old ones if they cannot be read. */
static void
on_hangup(uv_signal_t *handle, int number)
{
	struct relay *relay = handle->data;
	char		problem[PROBLEM_BYTES];

	(void) number;
	if (auth_reload(relay->auth, problem, sizeof(problem)))
		log_event(RELAY_INFO, "auth", "token keys reloaded");
	else
		log_event(RELAY_ERROR, "auth", "could not reload the token keys, keeping the old ones: %s", problem);
	server_reload(relay->server);
}

/* ---- the beginning ---- */

static void
start_signal(struct relay *relay, uv_signal_t *handle, uv_signal_cb act, int number)
{
	uv_signal_init(&relay->loop, handle);
	handle->data = relay;
	uv_signal_start(handle, act, number);
}

static void
init_timer(struct relay *relay, uv_timer_t *timer)
{
	uv_timer_init(&relay->loop, timer);
	timer->data = relay;
}

/* Set it all up. */
void
relay_start_handles(struct relay *relay)
{
	uv_prepare_init(&relay->loop, &relay->before_poll);
	relay->before_poll.data = relay;
	uv_prepare_start(&relay->before_poll, on_before_poll);
	uv_check_init(&relay->loop, &relay->after_poll);
	relay->after_poll.data = relay;
	uv_check_start(&relay->after_poll, on_after_poll);
	init_timer(relay, &relay->tick);
	uv_timer_start(&relay->tick, on_tick, TICK_MS, TICK_MS);
	on_tick(&relay->tick);
	init_timer(relay, &relay->gap_timer);
	init_timer(relay, &relay->slow_timer);
	init_timer(relay, &relay->drain_timer);
	start_signal(relay, &relay->sigterm, on_signal, SIGTERM);
	start_signal(relay, &relay->sigint, on_signal, SIGINT);
	start_signal(relay, &relay->sighup, on_hangup, SIGHUP);
}
