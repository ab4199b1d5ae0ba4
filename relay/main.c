/*
 * main.c: wiring in the order of dependence, signals, and the end.
 *
 * One process, one loop, no threads. What a part has to tell one above it
 * goes by the callbacks registered here. Whatever was published or submitted
 * while events were handled goes out when the turn of the loop ends.
 */
#include "auth.h"
#include "config.h"
#include "bounds.h"
#include "listener.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "presence.h"
#include "presence_link.h"
#include "reader.h"
#include "rest.h"
#include "room.h"
#include "server.h"
#include "session.h"
#include "stream.h"
#include "sweep.h"
#include "version.h"
#include "writer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 1000
#define DRAIN_TICK_MS 20
#define SLOW_TICK_MS 10
#define LAST_WORDS_MS 3000
#define SPARE_DESCRIPTORS 64
#define PROBLEM_BYTES 512

enum phase
{
	PHASE_RUNNING,
	PHASE_DRAINING,				/* edits under way are waited for */
	PHASE_CLOSING,				/* clients are told to come back elsewhere */
	PHASE_ENDED
};

struct relay
{
	struct config config;
	struct metrics metrics;
	uv_loop_t	loop;
	struct auth *auth;
	struct rooms *rooms;
	struct writer *writer;
	struct reader *reader;
	struct rest *rest;
	struct web *web;
	struct stream *stream;
	struct sweeper *sweeper;
	struct presence *presence;
	struct presence_link *presence_link;
	struct sessions *sessions;
	struct server *server;
	struct listener *listener;
	enum phase	phase;
	uint64_t	phase_ends;
	uint64_t	turn_began_ns;
	uint64_t	idle_ns;		/* spent waiting until then, all turns */
	uv_prepare_t before_poll;
	uv_check_t	after_poll;
	uv_timer_t	tick;
	uv_timer_t	gap_timer;
	uv_timer_t	slow_timer;
	uv_timer_t	drain_timer;
	uv_signal_t sigterm;
	uv_signal_t sigint;
	uv_signal_t sighup;
};

/* ---- rooms and the tables ---- */

/*
 * A room is about to publish what the tables gave. They may be ahead of the
 * stream, and of what it has to say about who may read: so everyone there is
 * asked about first, which holds them until the answer.
 */
static void
on_room_ahead(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	sessions_check(relay->sessions, doc, NULL);
}

/* Tell whether a room must begin anew: in doubt, only what was found is trusted. */
static bool
is_lost(struct relay *relay, const struct uuid *doc, enum catch_up_result result)
{
	if (rooms_is_doubtful(relay->rooms, doc))
		return result != CATCH_UP_DONE && result != CATCH_UP_OUTDATED;
	return result == CATCH_UP_OTHER;
}

/* Hand what the tables gave for a room on to it. */
static void
on_room_caught_up(void *arg, const struct uuid *doc, const struct catch_up_frame *frame, enum catch_up_result result)
{
	struct relay *relay = arg;
	bool		lost = is_lost(relay, doc, result);

	if (result == CATCH_UP_DONE)
		rooms_trust(relay->rooms, doc);
	if (frame != NULL)
	{
		rooms_frame(relay->rooms, doc, frame->from, &frame->mark, frame->text, frame->len);
		return;
	}
	rooms_fetched(relay->rooms, doc, lost || result == CATCH_UP_DONE || result == CATCH_UP_UNSEEN || result == CATCH_UP_OUTDATED);
	if (lost)
		rooms_lose(relay->rooms, doc);
}

/* A room misses operations. */
static void
on_room_fetch(void *arg, const struct uuid *doc, int64_t from, const struct mark *known)
{
	struct relay *relay = arg;
	struct catch_up_request request = {.doc = *doc,.from = from,.known = known};

	reader_catch_up(relay->reader, &request, on_room_caught_up, relay);
}

/* The database has lost what was shown here: whoever saw it joins anew, and sends again what was not answered. */
static void
on_room_lost(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;
	char		text[UUID_TEXT_LEN + 1];

	uuid_format(doc, text);
	log_event(RELAY_WARN, "relay", "the database has lost the last operations of document %s; its clients are to join anew", text);
	sessions_restart(relay->sessions, doc, "the database has lost the last operations; join again");
	writer_drop(relay->writer, doc);
}

/* A connection is new, and may be to another history. */
static void
on_connected(void *arg)
{
	struct relay *relay = arg;

	reader_doubt(relay->reader);
	rooms_doubt(relay->rooms);
	if (rooms_doubtful(relay->rooms) > 0)
		sweeper_start(relay->sweeper, true);
}

static void
on_gap_timer(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	if (!rooms_retry(relay->rooms))
		uv_timer_stop(timer);
}

/* A room waits for operations to become visible. */
static void
on_room_retry(void *arg)
{
	struct relay *relay = arg;

	uv_timer_start(&relay->gap_timer, on_gap_timer, LIMIT_GAP_RETRY_MS, LIMIT_GAP_RETRY_MS);
}

/* ---- the stream ---- */

static void
on_stream_event(void *arg, const struct event *event)
{
	struct relay *relay = arg;

	rooms_event(relay->rooms, event);
}

static void
on_stream_notice(void *arg, const struct notice *notice)
{
	struct relay *relay = arg;

	sessions_notice(relay->sessions, notice);
}

static void
check_room(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	sessions_check(relay->sessions, doc, NULL);
}

/* The stream runs: catch up with what it did not show, operations and members. */
static void
on_stream_up(void *arg, bool other_history)
{
	struct relay *relay = arg;

	if (other_history)
	{
		log_event(RELAY_WARN, "stream", "PostgreSQL has another history now");
		rooms_forget_seen(relay->rooms, NULL);
	}
	rooms_each(relay->rooms, check_room, relay);
	sweeper_start(relay->sweeper, true);
}

static void
on_stream_down(void *arg)
{
	struct relay *relay = arg;

	sweeper_start(relay->sweeper, false);
}

/* ---- the writer ---- */

/*
 * An edit was committed. Nothing is published from its answer: the answer may
 * overtake the stream, and with it the news that somebody may not read on.
 */
static void
on_committed(void *arg, const struct uuid *doc, const struct mark *mark)
{
	struct relay *relay = arg;

	rooms_owe(relay->rooms, doc, mark, !stream_is_up(relay->stream));
}

/* Nothing is submitted while any room is in doubt: what it was made on may be lost. */
static bool
may_write(void *arg)
{
	const struct relay *relay = arg;

	return rooms_doubtful(relay->rooms) == 0;
}

/* ---- HTTP ---- */

/* Get what is wrong with the database for those who come now, or NULL. */
static const char *
complaint(const struct relay *relay)
{
	static const char *const for_writing[] = {
		[PG_READ_ONLY] = "PostgreSQL takes no writes: it is a standby, or read-only",
		[PG_SILENT] = "PostgreSQL does not answer",
		[PG_UNCONNECTED] = "no connection to PostgreSQL for writing",
	};
	static const char *const for_reading[] = {
		[PG_SILENT] = "PostgreSQL does not answer",
		[PG_UNCONNECTED] = "no connection to PostgreSQL for reading",
	};
	uint64_t	most_us = (uint64_t) relay->config.ready_lag_s * 1000000;

	if (writer_health(relay->writer) != PG_WELL)
		return for_writing[writer_health(relay->writer)];
	if (!reader_is_ready(relay->reader))
		return for_reading[reader_health(relay->reader)];
	if (!rest_is_ready(relay->rest))
		return "no connection to PostgreSQL for the REST API";
	if (!stream_is_up(relay->stream))
		return "no replication stream from PostgreSQL";
	if (most_us > 0 && relay->metrics.replication_lag > most_us)
		return "the replication stream is too far behind";
	return NULL;
}

/* Tell whether a client that comes now is served, or why not. */
static bool
is_ready(void *arg, const char **reason)
{
	struct relay *relay = arg;

	*reason = relay->phase != PHASE_RUNNING ? "ending" : complaint(relay);
	return *reason == NULL;
}

/* PostgreSQL told where its log ends. */
static void
on_log_end(void *arg, uint64_t end)
{
	struct relay *relay = arg;

	stream_note_log_end(relay->stream, end);
}

/* ---- presence ---- */

static void
on_presence(void *arg, const struct uuid *doc, struct frame *frame)
{
	struct relay *relay = arg;

	sessions_show(relay->sessions, doc, frame);
}

static void
on_presence_waiting(void *arg)
{
	struct relay *relay = arg;

	presence_link_pace(relay->presence_link);
}

/* ---- those who send too much ---- */

static void
on_slow_timer(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	if (!sessions_speed_up(relay->sessions))
		uv_timer_stop(timer);
}

/* Somebody is not read for a while. */
static void
on_slowed(void *arg)
{
	struct relay *relay = arg;

	if (!uv_is_active((uv_handle_t *) &relay->slow_timer))
		uv_timer_start(&relay->slow_timer, on_slow_timer, SLOW_TICK_MS, SLOW_TICK_MS);
}

/* ---- the turn of the loop ---- */

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

static void
on_tick(uv_timer_t *timer)
{
	struct relay *relay = timer->data;

	sessions_tick(relay->sessions, (int64_t) (uv_now(&relay->loop) / 1000));
	rest_tick(relay->rest);
	rooms_shorten(relay->rooms);
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
	sweeper_close(relay->sweeper);
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
		log_event(RELAY_WARN, "relay", "a second signal: ending at once");
		_exit(1);
	}
	log_event(RELAY_INFO, "relay", "ending on %s, %d clients, %llu edits under way", strsignal(number),
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

/* Read the keys and the certificate anew; what cannot be read leaves things as they were. */
static void
on_hangup(uv_signal_t *handle, int number)
{
	struct relay *relay = handle->data;
	char		problem[PROBLEM_BYTES];

	(void) number;
	if (auth_reload(relay->auth, problem, sizeof(problem)))
		log_event(RELAY_INFO, "auth", "keys were read anew");
	else
		log_event(RELAY_ERROR, "auth", "the old keys are kept: %s", problem);
	server_reload(relay->server);
}

/* ---- the beginning ---- */

/* Ask for as many descriptors as the connections may need. */
static void
raise_descriptor_limit(const struct config *config)
{
	struct rlimit limit;
	rlim_t		wanted = (rlim_t) config->max_connections + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_event(RELAY_WARN, "relay", "%d connections are allowed, but only %llu open files",
				  config->max_connections, (unsigned long long) limit.rlim_cur);
}

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

/* Set up what runs with every turn, every second, or on a signal. */
static void
start_handles(struct relay *relay)
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

static void
make_rooms(struct relay *relay)
{
	struct ring_bounds bounds = {(uint32_t) relay->config.ring_entries, (size_t) relay->config.ring_bytes};
	struct rooms_callbacks callbacks = {
		.deliver = session_deliver,.wake = session_wake,.fetch = on_room_fetch,.retry = on_room_retry,
		.ahead = on_room_ahead,.lost = on_room_lost,.arg = relay,
	};

	relay->rooms = rooms_new(&bounds, (size_t) relay->config.max_memory_mib << 20, &callbacks, &relay->metrics);
}

static void
make_writer(struct relay *relay)
{
	struct writer_callbacks callbacks = {
		.committed = on_committed,.answer = session_answer,.may_write = may_write,.connected = on_connected,.arg = relay,
	};

	relay->writer = writer_new(&relay->loop, &relay->config, &callbacks, &relay->metrics);
}

static void
make_reader(struct relay *relay)
{
	struct reader_callbacks callbacks = {.connected = on_connected,.log_end = on_log_end,.arg = relay};

	relay->reader = reader_new(&relay->loop, &relay->config, &callbacks, &relay->metrics);
}

static void
make_stream(struct relay *relay)
{
	struct stream_callbacks callbacks = {
		.event = on_stream_event,.notice = on_stream_notice,.up = on_stream_up,.down = on_stream_down,
		.connected = on_connected,.arg = relay,
	};

	relay->stream = stream_new(&relay->loop, &relay->config, &callbacks, &relay->metrics);
}

static void
make_presence(struct relay *relay)
{
	struct presence_callbacks callbacks = {.show = on_presence,.waiting = on_presence_waiting,.arg = relay};
	struct uuid id;

	uuid_make(&id);
	relay->presence = presence_new(&callbacks, &id, relay->config.presence_timeout_s, &relay->metrics);
	relay->presence_link = presence_link_new(&relay->loop, &relay->config, relay->presence, &id, &relay->metrics);
}

static void
make_sessions(struct relay *relay)
{
	struct sessions_config config = {
		.config = &relay->config,.transport = server_transport(),.auth = relay->auth,.metrics = &relay->metrics,
		.slowed = on_slowed,.arg = relay,
	};
	struct sessions_parts parts = {
		.rooms = relay->rooms,.writer = relay->writer,.reader = relay->reader,.presence = relay->presence,
	};

	relay->sessions = sessions_new(&config);
	sessions_connect(relay->sessions, &parts);
	server_connect(relay->server, relay->sessions);
}

static bool
make_server(struct relay *relay)
{
	struct server_config config = {
		.config = &relay->config,.metrics = &relay->metrics,.loop = &relay->loop,
		.http = {.is_ready = is_ready,.config = &relay->config,.metrics = &relay->metrics,.rest = relay->rest,.web = relay->web,.arg = relay},
	};

	relay->server = server_new(&config);
	return relay->server != NULL;
}

/* Make every part, those first that others stand on. */
static bool
start(struct relay *relay)
{
	char		problem[PROBLEM_BYTES];

	relay->auth = auth_new(&relay->config, problem, sizeof(problem));
	if (relay->auth == NULL)
	{
		fprintf(stderr, "converge-relay: %s\n", problem);
		return false;
	}
	if (*relay->config.web != '\0' && (relay->web = web_new(relay->config.web)) == NULL)
		return false;
	raise_descriptor_limit(&relay->config);
	uv_loop_init(&relay->loop);
	uv_loop_configure(&relay->loop, UV_METRICS_IDLE_TIME);
	relay->rest = rest_new(&relay->loop, &relay->config, relay->auth, &relay->metrics);
	if (!make_server(relay))
		return false;
	make_rooms(relay);
	make_writer(relay);
	make_reader(relay);
	make_stream(relay);
	relay->sweeper = sweeper_new(&relay->loop, relay->rooms, relay->reader, relay->stream);
	make_presence(relay);
	make_sessions(relay);
	start_handles(relay);
	sweeper_start(relay->sweeper, false);
	relay->listener = listener_new(&relay->loop, relay->config.listen_host, relay->config.listen_port,
								   server_adopt, relay->server);
	return relay->listener != NULL;
}

/* Run until a signal; then give everything back. */
static void
run(struct relay *relay)
{
	log_event(RELAY_INFO, "relay", "converge-relay %s", RELAY_VERSION);
	uv_run(&relay->loop, UV_RUN_DEFAULT);
	server_free(relay->server);
	sessions_free(relay->sessions);
	rooms_free(relay->rooms);
	presence_free(relay->presence);
	uv_loop_close(&relay->loop);
	auth_free(relay->auth);
	web_free(relay->web);
	log_event(RELAY_INFO, "relay", "ended");
}

int
main(int argc, char **argv)
{
	struct relay *relay = mem_zalloc(sizeof(struct relay));
	enum config_result result = config_load(&relay->config, argc, argv, stdout, stderr);
	int			status = 0;

	signal(SIGPIPE, SIG_IGN);
	srandom((unsigned) (time(NULL) ^ getpid()));
	if (result == CONFIG_RUN)
	{
		log_set_level(relay->config.log_level);
		if (start(relay))
			run(relay);
		else
			status = 2;
	}
	else if (result == CONFIG_BAD)
		status = 2;
	if (status != 0)
		_exit(status);			/* half of it is there: nothing to take apart */
	config_free(&relay->config);
	free(relay);
	return status;
}
