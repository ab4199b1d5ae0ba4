/*
 * wiring.c: the parts, made in the order of dependence, and what each has to
 * tell one above it, which goes by the callbacks here.
 */
#include "relay.h"

#include "base/bounds.h"
#include "base/log.h"

#define SLOW_TICK_MS 10

/* ---- rooms and the tables ---- */

/*
 * A room is about to publish what the tables gave. They may be ahead of the
 * stream, and of what it has to say about who may read: so everyone there is
 * asked about first, which holds them until the answer.
 */
static void
on_room_from_tables(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	sessions_check(relay->sessions, doc, NULL);
}

/* A room misses operations. */
static void
on_room_fetch(void *arg, const struct uuid *doc, int64_t from, const struct revision *known)
{
	struct relay *relay = arg;

	backfill_fetch(relay->backfill, doc, from, known);
}

/* The database has lost what was shown here: whoever saw it joins anew, and sends again what was not answered. */
static void
on_room_lost(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;
	char		text[UUID_TEXT_LEN + 1];

	uuid_format(doc, text);
	log_event(RELAY_WARN, "relay", "the database lost the last operations of document %s, or has another document under this id; "
			  "its clients must join again", text);
	sessions_restart(relay->sessions, doc, "the database lost its last operations; join again");
	writer_drop(relay->writer, doc);
}

/* A room's document was deleted, and another has its id: who had that one leaves. */
static void
on_room_ended(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	sessions_end(relay->sessions, doc);
	writer_drop(relay->writer, doc);
}

/* The past of a document was changed: who has its text comes back for what is there now. */
static void
on_room_renewed(void *arg, const struct uuid *doc)
{
	struct relay *relay = arg;

	sessions_restart(relay->sessions, doc, "the past of the document was changed; join again");
	writer_drop(relay->writer, doc);
}

/* A connection is new, and may be to another history. */
static void
on_connected(void *arg)
{
	struct relay *relay = arg;

	reader_suspect(relay->reader);
	rooms_suspect(relay->rooms);
	if (rooms_suspect_count(relay->rooms) > 0)
		backfill_start(relay->backfill, true);
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

/*
 * Something changed that the stream cannot tell, operations or members: nothing is
 * shown or submitted until the tables were asked what they have of every room, and
 * who may read it, as after a new connection.
 */
static void
resync(struct relay *relay)
{
	log_event(RELAY_WARN, "stream", "the stream could not decode a change (see PostgreSQL's log): reading the tables again for every room");
	relay->metrics.stream_resyncs++;
	on_connected(relay);
}

static void
on_stream_talk(void *arg, const struct talk_event *event)
{
	struct relay *relay = arg;

	sessions_hear(relay->sessions, event);
}

static void
on_stream_notice(void *arg, const struct notice *notice)
{
	struct relay *relay = arg;

	if (notice->kind == NOTICE_RESYNC)
		resync(relay);
	else if (notice->kind == NOTICE_DELETED &&
			 !rooms_deleted(relay->rooms, &notice->doc, notice->has_life ? &notice->life : NULL))
		return;
	else if (notice->kind == NOTICE_RENEWED)
	{
		if (!rooms_renewed(relay->rooms, &notice->doc, notice->has_life ? &notice->life : NULL))
			return;
		on_room_renewed(relay, &notice->doc);
	}
	sessions_notice(relay->sessions, notice);
	if (notice->kind == NOTICE_RESYNC)
		sessions_miss_talk(relay->sessions);
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
		log_event(RELAY_WARN, "stream", "PostgreSQL changed to another timeline or system (failover or restore): checking every room");
		rooms_forget_seen(relay->rooms, NULL);
	}
	rooms_each(relay->rooms, check_room, relay);
	sessions_miss_talk(relay->sessions);
	backfill_start(relay->backfill, true);
}

static void
on_stream_down(void *arg)
{
	struct relay *relay = arg;

	backfill_start(relay->backfill, false);
}

/* ---- the writer ---- */

/* An edit was committed: it is published from here, or from the stream a moment later. */
static void
on_committed(void *arg, const struct uuid *doc, const struct write_answer *answer)
{
	struct relay *relay = arg;
	struct room_answer room_answer = {
		.revision = {
			.version = answer->version,.sequence_id = answer->sequence_id,.has_id = true,.id = answer->operation_id,
			.life = answer->life,
		},
		.entry = answer->entry,.entry_len = answer->entry_len,
		.member_changes = answer->member_changes,
		.streamed = stream_shows(relay->stream, doc),
	};

	rooms_answer(relay->rooms, doc, &room_answer);
}

/* With nothing to submit, what was answered goes out before anything else is read. */
static void
on_answered(void *arg)
{
	struct relay *relay = arg;

	rooms_flush(relay->rooms);
}

/* Nothing is submitted while any room is in doubt: what it was made on may be lost. */
static bool
may_write(void *arg)
{
	const struct relay *relay = arg;

	return rooms_suspect_count(relay->rooms) == 0;
}

/* ---- the reader ---- */

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

/* Return true if the stream shows the events of a document. */
static bool
shows(void *arg, const struct uuid *doc)
{
	const struct relay *relay = arg;

	return stream_shows(relay->stream, doc);
}

/* ---- the parts ---- */

static void
make_rooms(struct relay *relay)
{
	struct ring_bounds bounds = {.entries = (uint32_t) relay->config.ring_entries,.bytes = (size_t) relay->config.ring_bytes};
	struct rooms_callbacks callbacks = {
		.deliver = session_deliver,.wake = session_wake,.fetch = on_room_fetch,.retry = on_room_retry,
		.from_tables = on_room_from_tables,.lost = on_room_lost,.ended = on_room_ended,.renewed = on_room_renewed,.arg = relay,
	};

	/* rooms have half of the memory at most, and less where clients need it */
	relay->rooms = rooms_new(&bounds, (size_t) relay->config.max_memory_mib << 19, &callbacks, &relay->metrics);
}

static void
make_writer(struct relay *relay)
{
	struct writer_callbacks callbacks = {
		.committed = on_committed,.answer = session_answer,.answered = on_answered,.may_write = may_write,
		.connected = on_connected,.arg = relay,
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
		.event = on_stream_event,.talk = on_stream_talk,.notice = on_stream_notice,.up = on_stream_up,.down = on_stream_down,
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
		.ledger = &relay->ledger,.slowed = on_slowed,.shows = shows,.arg = relay,
	};
	struct sessions_parts parts = {
		.rooms = relay->rooms,.writer = relay->writer,.reader = relay->reader,.presence = relay->presence,
		.pool = rest_pool(relay->rest),
	};

	relay->sessions = sessions_new(&config);
	sessions_connect(relay->sessions, &parts);
	server_connect(relay->server, relay->sessions);
}

static bool
make_server(struct relay *relay)
{
	struct server_config config = {
		.config = &relay->config,.metrics = &relay->metrics,.ledger = &relay->ledger,.loop = &relay->loop,
		.http = {.is_ready = relay_is_ready,.config = &relay->config,.metrics = &relay->metrics,.ledger = &relay->ledger,.rest = relay->rest,.web = relay->web,.arg = relay},
	};

	relay->server = server_new(&config);
	return relay->server != NULL;
}

/* Memory is short: libpq's buffers that are not in use go, and operations that the tables have. */
static void
on_shed(void *arg, size_t bytes)
{
	struct relay *relay = arg;
	uint64_t	before = relay->metrics.memory_postgres;

	reader_shed(relay->reader);
	rest_shed(relay->rest);
	writer_shed(relay->writer);
	before -= relay->metrics.memory_postgres;
	if (before < bytes)
		rooms_shed(relay->rooms, bytes - (size_t) before);
}

static void
make_ledger(struct relay *relay)
{
	struct ledger_config config = {
		.bound = (size_t) relay->config.max_memory_mib << 20,.metrics = &relay->metrics,.frames = frames_held,
		.shed = on_shed,.arg = relay,
	};

	ledger_init(&relay->ledger, &config);
}

/* Make every part, those first that others stand on. */
bool
relay_wire(struct relay *relay)
{
	make_ledger(relay);
	relay->rest = rest_new(&relay->loop, &relay->config, relay->auth, &relay->metrics);
	if (!make_server(relay))
		return false;
	make_rooms(relay);
	make_writer(relay);
	make_reader(relay);
	make_stream(relay);
	relay->backfill = backfill_new(&relay->loop, &relay->config, relay->rooms, relay->reader, relay->stream);
	make_presence(relay);
	make_sessions(relay);
	return true;
}
