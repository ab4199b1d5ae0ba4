/*
 * tables/stream.c: the replication link: committed operations in, progress out.
 *
 * The slot is temporary: it ends with the connection and keeps no WAL behind.
 * What was committed before the slot existed is read from the tables by the
 * rooms, which `up` tells to do so. Progress is reported at a steady pace,
 * also when nothing comes, as received is all that matters here; and answered,
 * so that a connection which only seems to be there is noticed.
 */
#include "tables/stream.h"

#include "base/bounds.h"
#include "tables/lag.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/error.h"
#include "pg/link.h"
#include "tables/shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

/* seconds from 1970 to 2000, where PostgreSQL's clock begins */
#define POSTGRES_EPOCH_S INT64_C(946684800)

/* 'w': start, end of WAL, time; 'k': end of WAL, time, reply wanted */
#define DATA_HEADER 25
#define KEEPALIVE_LEN 18

enum stream_state
{
	STREAM_DOWN,
	STREAM_IDENTIFYING,
	STREAM_CREATING,			/* the slot */
	STREAM_STARTING,
	STREAM_UP
};

struct stream
{
	struct stream_callbacks callbacks;
	const struct config *config;
	struct metrics *metrics;
	struct pg_link *link;
	enum stream_state state;
	uv_timer_t	timer;
	uint64_t	received;		/* the end of what came */
	uint64_t	reported;
	uint64_t	heard_ms;		/* by the loop's clock */
	struct lag	lag;
	char		slot[64];
	char		history[64];	/* system and timeline, as last seen */
	bool		other_history;
};

/* ---- bytes of the replication protocol ---- */

static uint64_t
read_be64(const char *p)
{
	uint64_t	value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (unsigned char) p[i];
	return value;
}

/* Report how far everything was received. */
static void
report_progress(struct stream *stream)
{
	struct timeval now;
	struct buf	b = {0};

	if (stream->state != STREAM_UP)
		return;
	gettimeofday(&now, NULL);
	buf_put(&b, "r", 1);
	for (int i = 0; i < 3; i++) /* written, flushed, applied */
		buf_be64(&b, stream->received);
	buf_be64(&b, (uint64_t) ((now.tv_sec - POSTGRES_EPOCH_S) * INT64_C(1000000) + now.tv_usec));
	buf_put(&b, "\1", 1);		/* an answer wanted: silence is a broken
								 * connection */
	if (PQputCopyData(pg_link_conn(stream->link), b.data, (int) b.len) != 1)
		pg_link_fail(stream->link, PQerrorMessage(pg_link_conn(stream->link)));
	else
		pg_link_flush(stream->link);
	buf_free(&b);
	stream->reported = stream->received;
}

static void
on_timer(uv_timer_t *timer)
{
	struct stream *stream = timer->data;

	if (uv_now(timer->loop) - stream->heard_ms > LIMIT_STREAM_SILENCE_MS)
		pg_link_fail(stream->link, "the server stopped sending data");
	else
		report_progress(stream);
}

/* Note that everything up to here came. */
static void
note_received(struct stream *stream, uint64_t end)
{
	if (end > stream->received)
		stream->received = end;
}

/* Take one message of the stream. */
static void
take_message(struct stream *stream, char *message, size_t len)
{
	struct event event;
	struct notice notice;
	struct talk_event talk;

	stream->heard_ms = uv_now(stream->timer.loop);
	pg_link_worked(stream->link);	/* all before this was decoded */
	if (len >= DATA_HEADER && *message == 'w')
	{
		note_received(stream, read_be64(message + 1));
		stream->metrics->stream_events++;
		stream->metrics->stream_last_event = (uint64_t) metrics_now_us();
		if (protocol_event(message + DATA_HEADER, len - DATA_HEADER, &event))
			stream->callbacks.event(stream->callbacks.arg, &event);
		else if (talk_read_event(message + DATA_HEADER, len - DATA_HEADER, &talk))
			stream->callbacks.talk(stream->callbacks.arg, &talk);
		else if (protocol_notice(message + DATA_HEADER, len - DATA_HEADER, &notice))
		{
			stream->callbacks.notice(stream->callbacks.arg, &notice);
			protocol_notice_release(&notice);
		}
	}
	else if (len >= KEEPALIVE_LEN && *message == 'k')
	{
		note_received(stream, read_be64(message + 1));
		if (message[KEEPALIVE_LEN - 1] != 0)
			report_progress(stream);
	}
}

/* Take every message that came whole. */
static void
take_messages(struct stream *stream)
{
	PGconn	   *conn = pg_link_conn(stream->link);
	char	   *message = NULL;
	int			len = 0;

	while (stream->state == STREAM_UP && (len = PQgetCopyData(conn, &message, 1)) > 0)
	{
		take_message(stream, message, (size_t) len);
		PQfreemem(message);
	}
	if (stream->state == STREAM_UP && len < 0)
		pg_link_fail(stream->link, len == -1 ? "the server ended the stream" : PQerrorMessage(conn));
}

/* ---- the way up ---- */

/* Move to a state by sending the command that leads there. */
static void
send_command(struct stream *stream, enum stream_state state, const char *command)
{
	PGconn	   *conn = pg_link_conn(stream->link);

	stream->state = state;
	if (!PQsendQuery(conn, command))
		pg_link_fail(stream->link, PQerrorMessage(conn));
	else
		pg_link_flush(stream->link);
}

/* Compare which history this is with the last one. */
static void
take_identity(struct stream *stream, const PGresult *result)
{
	char		history[sizeof(stream->history)];

	snprintf(history, sizeof(history), "%.30s/%.20s", PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
	if (strcmp(history, stream->history) != 0)
		memset(&stream->lag, 0, sizeof(stream->lag));
	stream->other_history = *stream->history != '\0' && strcmp(history, stream->history) != 0;
	memcpy(stream->history, history, sizeof(history));
}

/* Create the slot; its name is never used again, so that a lost connection's slot is not in the way. */
static void
create_slot(struct stream *stream)
{
	char		command[160];
	uint32_t	random_part = 0;

	if (getrandom(&random_part, sizeof(random_part), 0) < 0)
		random_part = (uint32_t) uv_hrtime();
	snprintf(stream->slot, sizeof(stream->slot), "converge_relay_%d_%08" PRIx32, (int) getpid(), random_part);
	snprintf(command, sizeof(command), "CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL converge NOEXPORT_SNAPSHOT", stream->slot);
	send_command(stream, STREAM_CREATING, command);
}

/* Ask for everything from the slot's beginning. */
static void
start_replication(struct stream *stream)
{
	struct buf	command = {0};

	buf_format(&command, "START_REPLICATION SLOT %s LOGICAL 0/0 (\"committed\" 'on', \"largest\" '%zu'", stream->slot,
			   config_largest_unasked(stream->config));
	shard_put_options(stream->config, &command);
	buf_put(&command, ")", 2);	/* and the end of the text */
	send_command(stream, STREAM_STARTING, command.data);
	buf_free(&command);
}

/* The stream runs: tell the rooms. */
static void
go_up(struct stream *stream)
{
	stream->state = STREAM_UP;
	stream->metrics->stream_up = 1;
	stream->heard_ms = uv_now(stream->timer.loop);
	uv_timer_start(&stream->timer, on_timer, LIMIT_PROGRESS_MS, LIMIT_PROGRESS_MS);
	log_event(pg_link_news_level(stream->link), "stream", "following commits with slot %s", stream->slot);
	stream->callbacks.up(stream->callbacks.arg, stream->other_history);
}

/* Take the answer to a command, and give the next. */
static void
take_result(struct stream *stream, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (stream->state == STREAM_IDENTIFYING && status == PGRES_TUPLES_OK && PQntuples(result) == 1)
		take_identity(stream, result);
	else if (stream->state == STREAM_CREATING && status == PGRES_TUPLES_OK)
		return;
	else if (stream->state == STREAM_STARTING && status == PGRES_COPY_BOTH)
		go_up(stream);
	else
	{
		char		problem[512];

		pg_explain(pg_link_conn(stream->link), result, problem, sizeof(problem));
		pg_link_fail(stream->link, problem);
	}
}

/* A command is answered whole: give the next. */
static void
next_command(struct stream *stream)
{
	if (stream->state == STREAM_IDENTIFYING)
		create_slot(stream);
	else if (stream->state == STREAM_CREATING)
		start_replication(stream);
}

static void
on_input(void *arg)
{
	struct stream *stream = arg;
	PGconn	   *conn = pg_link_conn(stream->link);

	while (stream->state != STREAM_UP && stream->state != STREAM_DOWN && pg_link_is_ready(stream->link) && !PQisBusy(conn))
	{
		PGresult   *result = PQgetResult(conn);

		if (result != NULL)
			take_result(stream, result);
		else
			next_command(stream);
		PQclear(result);
	}
	if (stream->state == STREAM_UP)
		take_messages(stream);
}

/* ---- the link ---- */

static void
on_ready(void *arg)
{
	struct stream *stream = arg;

	stream->callbacks.connected(stream->callbacks.arg);
	stream->received = stream->reported = 0;
	send_command(stream, STREAM_IDENTIFYING, "IDENTIFY_SYSTEM");
}

static void
on_lost(void *arg)
{
	struct stream *stream = arg;
	bool		was_up = stream->state == STREAM_UP;

	stream->state = STREAM_DOWN;
	stream->metrics->stream_up = 0;
	uv_timer_stop(&stream->timer);
	if (was_up)
		stream->callbacks.down(stream->callbacks.arg);
}

/* Begin: open the link. */
struct stream *
stream_new(uv_loop_t *loop, const struct config *config, const struct stream_callbacks *callbacks, struct metrics *metrics)
{
	struct stream *stream = mem_zalloc(sizeof(struct stream));
	struct pg_link_config link = {
		.name = "stream",.dsn = config->dsn,.replication = true,.loop = loop,.metrics = metrics,
		.on_ready = on_ready,.on_lost = on_lost,.on_input = on_input,.arg = stream,
	};

	stream->callbacks = *callbacks;
	stream->config = config;
	stream->metrics = metrics;
	uv_timer_init(loop, &stream->timer);
	stream->timer.data = stream;
	stream->link = pg_link_open(&link);
	return stream;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* End. */
void
stream_close(struct stream *stream)
{
	stream->state = STREAM_DOWN;
	pg_link_close(stream->link);
	uv_close((uv_handle_t *) &stream->timer, on_timer_closed);
}

/* Tell whether every commit is seen. */
bool
stream_is_up(const struct stream *stream)
{
	return stream->state == STREAM_UP;
}

/* Return true if what is committed to a document now is seen. */
bool
stream_shows(const struct stream *stream, const struct uuid *doc)
{
	return stream_is_up(stream) && shard_is_followed(stream->config, doc);
}

/* Note where PostgreSQL's log ended a moment ago. */
void
stream_note_log_end(struct stream *stream, uint64_t end)
{
	struct lag_figures lag = lag_look(&stream->lag, stream->received, end, metrics_clock_us());

	stream->metrics->replication_lag_bytes = lag.bytes;
	stream->metrics->replication_lag = lag.us;
}
