/*
 * pg/link.c: an asynchronous connection to PostgreSQL that reconnects by itself.
 *
 * A link is in one of the states below, and only enter_state() changes the state.
 * Statements are sent in pipeline mode, each in its own transaction, or a few
 * together in one (everything between two Syncs). The link delivers an answer
 * only when the server is ready again, because a transaction commits after its
 * last row is sent and may still fail then. A link that loses its connection
 * answers all unanswered statements with NULL, pauses (longer each time, and for
 * a random part of the time, so that links do not reconnect at once), and
 * reconnects.
 *
 * A connection that was made may still be useless, because PostgreSQL refuses the
 * statements that the link is for. So the pauses grow until a connection has done
 * useful work, and the reason of repeated losses is logged once, with a count.
 */
#include "pg/link.h"

#include "base/bounds.h"
#include "base/log_repeat.h"
#include "base/mem.h"
#include "pg/error.h"
#include "pg/hosts.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000

/* what libpq's buffers begin with */
#define BUFFER_BYTES 16384
/* buffers that are worth connecting anew */
#define LARGE_BYTES (1024 * 1024)
#define CANCEL_ERROR_BYTES 256

/* what is set for each connection, the hosts among it, and the end of the list */
#define CONNECT_PARAMS (8 + PG_HOST_LISTS)

enum link_state
{
	LINK_PAUSING,				/* until the timer */
	LINK_CONNECTING,
	LINK_PREPARING,				/* the set-up statements are under way */
	LINK_READY,
	LINK_BREAKING,				/* lost; dealt with by the timer, outside of
								 * what found it */
	LINK_CLOSED
};

struct waiting
{
	struct waiting *next;
	pg_answer_fn answer;
	void	   *arg;
	PGresult   *result;
	enum histogram_number times;
	uint64_t	sent_us;
};

struct pg_link
{
	struct pg_link_config config;
	enum link_state state;
	PGconn	   *conn;
	struct pg_hosts hosts;
	uv_poll_t  *poll;			/* on its own, since closing it takes a turn */
	int			poll_fd;
	int			poll_events;
	uv_timer_t	timer;
	unsigned	attempts;
	bool		worked;			/* this connection has */
	bool		tried;			/* a connection was made, and has not proved
								 * itself */
	uint64_t	ready_ms;		/* since when it is there */
	enum log_level news_level;
	struct log_repeat lost;		/* why connections were */
	int			setup_left;
	struct waiting *first;
	struct waiting **last;
	int			under_way;
	size_t		in_bytes;		/* the buffers of libpq, which never shrink: about */
	size_t		out_bytes;
	struct cancelling *cancelling;	/* or NULL */
};

/* a request to cancel what runs: libpq opens a connection for it, and waits */
struct cancelling
{
	uv_work_t	work;
	PGcancel   *cancel;
	struct pg_link *link;		/* NULL: closed meanwhile */
};

static void enter_state(struct pg_link *link, enum link_state state);
static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- watching the socket ---- */

static void
on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Stop watching; libpq may close or change the socket after this. */
static void
unwatch(struct pg_link *link)
{
	if (link->poll == NULL)
		return;
	uv_close((uv_handle_t *) link->poll, on_poll_closed);
	link->poll = NULL;
	link->poll_events = 0;
}

/* Watch the connection's socket for these events. */
static void
watch(struct pg_link *link, int events)
{
	int			fd = PQsocket(link->conn);

	if (fd < 0)
		return;
	if (link->poll != NULL && fd != link->poll_fd)
		unwatch(link);
	if (link->poll == NULL)
	{
		link->poll = mem_zalloc(sizeof(uv_poll_t));
		uv_poll_init(link->config.loop, link->poll, fd);
		link->poll->data = link;
		link->poll_fd = fd;
	}
	if (link->poll_events != events)
	{
		uv_poll_start(link->poll, events, on_poll);
		link->poll_events = events;
	}
}

/* ---- losing and finding the connection ---- */

/* Look what became of a connection that was made: has it done its work, for a while? */
static void
judge_connection(struct pg_link *link)
{
	uint64_t	lasted_ms = uv_now(link->config.loop) - link->ready_ms;
	bool		worked = link->worked && lasted_ms >= LIMIT_BACKOFF_PROOF_MS;

	if (link->state != LINK_READY)
		return;
	if (worked)
		log_repeat_end(&link->lost, RELAY_INFO, link->config.name);
	if (worked || lasted_ms >= LIMIT_BACKOFF_LAST_MS)
	{
		link->attempts = 0;
		link->tried = false;
	}
}

/* Note that the connection has done what it is for. */
void
pg_link_worked(struct pg_link *link)
{
	link->worked = true;
}

/* Get the level at which to log that a connection is there. */
enum log_level
pg_link_news_level(const struct pg_link *link)
{
	return link->news_level;
}

/* Note that a connection was made. */
static void
note_connected(struct pg_link *link)
{
	link->worked = false;
	link->ready_ms = uv_now(link->config.loop);
	link->news_level = link->tried ? RELAY_DEBUG : RELAY_INFO;
	link->tried = true;
	log_event(link->news_level, link->config.name, "connected to PostgreSQL, backend %d", PQbackendPID(link->conn));
}

/* Break the link; what follows happens outside of the caller. */
void
pg_link_fail(struct pg_link *link, const char *reason)
{
	if (link->state == LINK_BREAKING || link->state == LINK_PAUSING || link->state == LINK_CLOSED)
		return;
	judge_connection(link);
	log_repeated(&link->lost, uv_now(link->config.loop), reason, RELAY_WARN, link->config.name, "no connection: %s", reason);

	/*
	 * libpq may have closed the socket, and its number be another's in no
	 * time
	 */
	unwatch(link);
	enter_state(link, LINK_BREAKING);
}

/* Answer everything under way with NULL. */
static void
answer_lost(struct pg_link *link)
{
	struct waiting *w = link->first;

	link->first = NULL;
	link->last = &link->first;
	link->under_way = 0;
	while (w != NULL)
	{
		struct waiting *next = w->next;

		PQclear(w->result);
		w->answer(w->arg, NULL);
		free(w);
		w = next;
	}
}

/* Let go of the connection. */
static void
drop_connection(struct pg_link *link)
{
	unwatch(link);
	PQfinish(link->conn);
	link->conn = NULL;
	link->config.metrics->memory_postgres -= link->in_bytes + link->out_bytes;
	link->in_bytes = link->out_bytes = 0;
}

/*
 * Note how much a buffer of libpq has held at once. It is allocated in powers of two,
 * but the system counts what was written to.
 */
static void
note_buffer(struct pg_link *link, size_t *buffer, size_t bytes)
{
	size_t		size = bytes > BUFFER_BYTES ? bytes : BUFFER_BYTES;

	if (size <= *buffer)
		return;
	link->config.metrics->memory_postgres += size - *buffer;
	*buffer = size;
}

/* Note what an answer took in libpq's buffer: a row stands there as a whole. */
static void
note_answer(struct pg_link *link, const PGresult *result)
{
	int			rows = PQntuples(result);

	if (rows > 0)
		note_buffer(link, &link->in_bytes, PQresultMemorySize(result) / (size_t) rows);
}

/* Return how long to pause before reconnecting. */
static uint64_t
pause_ms(struct pg_link *link)
{
	uint64_t	longest = LIMIT_BACKOFF_FIRST_MS;

	for (unsigned i = 1; i < link->attempts && longest < LIMIT_BACKOFF_LAST_MS; i++)
		longest *= 2;
	if (longest > LIMIT_BACKOFF_LAST_MS)
		longest = LIMIT_BACKOFF_LAST_MS;
	return longest / 2 + (uint64_t) random() % (longest / 2 + 1);
}

/* Log what the server has to say beside its answers. */
static void
on_notice(void *arg, const char *message)
{
	const struct pg_link *link = arg;

	log_event(RELAY_DEBUG, link->config.name, "%s", message);
}

/*
 * Say why a connection could not even be begun. Where libpq cannot read what it
 * is told to connect to, it quotes some of it, which may be of a password.
 */
static const char *
begin_problem(const struct pg_link *link)
{
	PQconninfoOption *options = strchr(link->config.dsn, '=') != NULL || strstr(link->config.dsn, "://") != NULL ?
		PQconninfoParse(link->config.dsn, NULL) : PQconndefaults();

	if (options == NULL)
		return "libpq could not parse --dsn (not shown, as it may contain a password)";
	PQconninfoFree(options);
	return link->conn != NULL ? PQerrorMessage(link->conn) : "out of memory";
}

/* Begin to connect. */
static void
start_connecting(struct pg_link *link)
{
	const char *keys[CONNECT_PARAMS] = {"keepalives_idle", "keepalives_interval", "tcp_user_timeout",
	"fallback_application_name", "dbname"};
	const char *values[CONNECT_PARAMS] = {"30", "10", "30000", "converge-relay", link->config.dsn};
	int			count = 5;

	count += pg_hosts_put(&link->hosts, keys + count, values + count);
	keys[count] = "client_encoding";
	values[count++] = "UTF8";
	keys[count] = link->config.replication ? "replication" : NULL;
	values[count] = "database";
	link->conn = PQconnectStartParams(keys, values, 1);
	if (link->conn != NULL)
		pg_hosts_learn(&link->hosts, link->conn);
	if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD)
	{
		pg_link_fail(link, begin_problem(link));
		return;
	}
	PQsetNoticeProcessor(link->conn, on_notice, link);
	watch(link, UV_WRITABLE);
}

/* Take the next step of connecting; the socket may be another one after it. */
static void
step_connecting(struct pg_link *link)
{
	unwatch(link);
	switch (PQconnectPoll(link->conn))
	{
		case PGRES_POLLING_READING:
			watch(link, UV_READABLE);
			break;
		case PGRES_POLLING_WRITING:
			watch(link, UV_WRITABLE);
			break;
		case PGRES_POLLING_OK:
			enter_state(link, LINK_PREPARING);
			break;
		default:
			pg_link_fail(link, PQerrorMessage(link->conn));
			break;
	}
}

/* ---- the set-up ---- */

/* Return true if a `must` query returned true. */
static bool
answered_true(const PGresult *result)
{
	return PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
}

/* Take the answer to a set-up statement; the last one makes the link ready. */
static void
on_setup(void *arg, PGresult *result)
{
	struct pg_link *link = arg;
	int			index = link->config.setup_count + link->config.statement_count - link->setup_left;
	const struct pg_setup *setup = index < link->config.setup_count ? &link->config.setup[index] : NULL;
	ExecStatusType status = PQresultStatus(result);

	if (result == NULL || link->state != LINK_PREPARING)
		return;
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
	{
		char		problem[512];

		pg_explain(link->conn, result, problem, sizeof(problem));
		pg_link_fail(link, problem);
		return;
	}
	if (setup != NULL && setup->must && !answered_true(result))
	{
		pg_link_fail(link, setup->complaint);
		return;
	}
	if (--link->setup_left == 0)
		enter_state(link, LINK_READY);
}

/* Wait for the answer to what was just sent. */
static void
push_waiting(struct pg_link *link, enum histogram_number times, pg_answer_fn answer, void *arg)
{
	struct waiting *w = mem_zalloc(sizeof(struct waiting));

	w->answer = answer;
	w->arg = arg;
	w->times = times;
	w->sent_us = metrics_clock_us();
	*link->last = w;
	link->last = &w->next;
	link->under_way++;
}

/* Push what libpq holds out to the server, and watch for room where it is left with some. */
void
pg_link_flush(struct pg_link *link)
{
	int			left;

	if (link->state != LINK_READY && link->state != LINK_PREPARING)
		return;
	left = PQflush(link->conn);
	if (left < 0)
		pg_link_fail(link, PQerrorMessage(link->conn));
	else
		watch(link, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
}

/* End a statement with its own synchronisation, which also sends it off. */
static bool
finish_sending(struct pg_link *link, int sent, enum histogram_number times, pg_answer_fn answer, void *arg)
{
	if (!sent || !PQpipelineSync(link->conn))
	{
		pg_link_fail(link, PQerrorMessage(link->conn));
		return false;
	}
	push_waiting(link, times, answer, arg);
	pg_link_flush(link);
	return true;
}

/* Send the set-up: settings and checks, then the statements to be prepared. */
static void
start_preparing(struct pg_link *link)
{
	const struct pg_link_config *config = &link->config;
	bool		sent = true;

	PQsetnonblocking(link->conn, 1);
	link->setup_left = config->setup_count + config->statement_count;
	if (config->replication || link->setup_left == 0)
	{
		watch(link, UV_READABLE);
		enter_state(link, LINK_READY);
		return;
	}
	if (!PQenterPipelineMode(link->conn))
	{
		pg_link_fail(link, PQerrorMessage(link->conn));
		return;
	}
	for (int i = 0; sent && i < config->setup_count; i++)
		sent = finish_sending(link, PQsendQueryParams(link->conn, config->setup[i].sql, 0, NULL, NULL, NULL, NULL, 0),
							  HISTOGRAM_PG_OTHER, on_setup, link);
	for (int i = 0; sent && i < config->statement_count; i++)
		sent = finish_sending(link, PQsendPrepare(link->conn, config->statements[i].name, config->statements[i].sql, 0, NULL),
							  HISTOGRAM_PG_OTHER, on_setup, link);
}

/* ---- states ---- */

static void
on_timer(uv_timer_t *timer)
{
	struct pg_link *link = timer->data;

	if (link->state == LINK_PAUSING)
		enter_state(link, LINK_CONNECTING);
	else if (link->state == LINK_BREAKING)
		enter_state(link, LINK_PAUSING);
	else
	{
		pg_hosts_turn(&link->hosts);
		pg_link_fail(link, "PostgreSQL did not answer in time");
	}
}

/* Inform all users of the link of its loss, then pause. */
static void
start_pausing(struct pg_link *link)
{
	link->attempts++;
	link->config.metrics->pg_reconnects++;
	drop_connection(link);
	answer_lost(link);
	link->config.on_lost(link->config.arg);
	uv_timer_start(&link->timer, on_timer, pause_ms(link), 0);
}

/* Move the link to a state and do what begins there. */
static void
enter_state(struct pg_link *link, enum link_state state)
{
	link->state = state;
	switch (state)
	{
		case LINK_PAUSING:
			start_pausing(link);
			break;
		case LINK_CONNECTING:
			uv_timer_start(&link->timer, on_timer, CONNECT_TIMEOUT_MS, 0);
			start_connecting(link);
			break;
		case LINK_PREPARING:
			start_preparing(link);
			break;
		case LINK_READY:
			uv_timer_stop(&link->timer);
			note_connected(link);
			link->config.on_ready(link->config.arg);
			break;
		case LINK_BREAKING:
			uv_timer_start(&link->timer, on_timer, 0, 0);
			break;
		case LINK_CLOSED:
			drop_connection(link);
			answer_lost(link);
			break;
	}
}

/* ---- answers ---- */

/* Return true if an answer is work done: not to a question about the server itself. */
static bool
is_work(const struct waiting *w)
{
	ExecStatusType status = PQresultStatus(w->result);

	return w->answer != on_setup && w->times != HISTOGRAM_PG_PROBE &&
		(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
}

/* Hand the first answer on: the server is ready after it. */
static void
pop_waiting(struct pg_link *link)
{
	struct waiting *w = link->first;

	link->first = w->next;
	if (link->first == NULL)
		link->last = &link->first;
	link->under_way--;
	metrics_observe(link->config.metrics, w->times, metrics_clock_us() - w->sent_us);
	if (is_work(w))
		pg_link_worked(link);
	w->answer(w->arg, w->result);
	PQclear(w->result);
	free(w);
}

/* Keep what counts: an error at commit follows the rows; what follows an error was not done. */
static void
keep_result(struct waiting *w, PGresult *result)
{
	if (w->result != NULL && PQresultStatus(w->result) == PGRES_FATAL_ERROR)
	{
		PQclear(result);
		return;
	}
	PQclear(w->result);
	w->result = result;
}

/* Take whatever answers are complete. */
static void
take_answers(struct pg_link *link)
{
	int			nothing = 0;

	while ((link->state == LINK_READY || link->state == LINK_PREPARING) &&
		   link->first != NULL && nothing < 2 && !PQisBusy(link->conn))
	{
		PGresult   *result = PQgetResult(link->conn);

		nothing = result == NULL ? nothing + 1 : 0;
		if (result == NULL)
			continue;
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		{
			PQclear(result);
			pop_waiting(link);
			continue;
		}
		note_answer(link, result);
		keep_result(link->first, result);
	}
}

/* Hand on what came on channels that are listened to. */
static void
take_notifies(struct pg_link *link)
{
	PGnotify   *notify;

	while (link->config.on_notify != NULL && link->state == LINK_READY && (notify = PQnotifies(link->conn)) != NULL)
	{
		link->config.on_notify(link->config.arg, notify->extra);
		PQfreemem(notify);
	}
}

/* Serve the socket. */
static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct pg_link *link = poll->data;

	if (link->state == LINK_CONNECTING)
	{
		step_connecting(link);
		return;
	}
	if (link->state != LINK_READY && link->state != LINK_PREPARING)
		return;
	if ((status < 0 || (events & UV_READABLE)) && !PQconsumeInput(link->conn))
	{
		take_answers(link);
		pg_link_fail(link, PQerrorMessage(link->conn));
		return;
	}
	if (events & UV_WRITABLE)
		pg_link_flush(link);
	if (link->config.replication)
		link->config.on_input(link->config.arg);
	else
	{
		take_answers(link);
		take_notifies(link);
	}

	/*
	 * after an error libuv watches no more, though the last words could be
	 * read
	 */
	if (status < 0)
		pg_link_fail(link, "the connection was lost");
}

/* ---- the public face ---- */

/* Open a link; it begins to connect in the next turn. */
struct pg_link *
pg_link_open(const struct pg_link_config *config)
{
	struct pg_link *link = mem_zalloc(sizeof(struct pg_link));

	link->config = *config;
	link->last = &link->first;
	link->state = LINK_PAUSING;
	uv_timer_init(config->loop, &link->timer);
	link->timer.data = link;
	uv_timer_start(&link->timer, on_timer, 0, 0);
	return link;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	struct pg_link *link = handle->data;

	pg_hosts_free(&link->hosts);
	free(link);
}

/* Close a link for good; it is freed when the loop has let go of it. */
void
pg_link_close(struct pg_link *link)
{
	if (link == NULL)
		return;
	if (link->cancelling != NULL)
		link->cancelling->link = NULL;
	enter_state(link, LINK_CLOSED);
	uv_close((uv_handle_t *) &link->timer, on_timer_closed);
}

/* Return true if statements can be sent. */
bool
pg_link_is_ready(const struct pg_link *link)
{
	return link->state == LINK_READY;
}

/* Return the number of unanswered statements. */
int
pg_link_under_way(const struct pg_link *link)
{
	return link->under_way;
}

/* Find where a statement's round trips are counted. */
static enum histogram_number
times_of(const struct pg_link *link, const char *statement)
{
	for (int i = 0; i < link->config.statement_count; i++)
	{
		if (strcmp(link->config.statements[i].name, statement) == 0)
			return link->config.statements[i].times;
	}
	return HISTOGRAM_PG_OTHER;
}

/* Send one prepared statement of a transaction. */
static int
send_call(struct pg_link *link, const struct pg_call *call)
{
	const struct pg_params *params = call->params;
	size_t		bytes = 0;

	for (int i = 0; i < params->count; i++)
		bytes += params->formats[i] == 1 ? (size_t) params->lengths[i] : params->values[i] != NULL ? strlen(params->values[i]) : 0;
	note_buffer(link, &link->out_bytes, bytes);

	return PQsendQueryPrepared(link->conn, call->statement, params->count, params->values,
							   params->lengths, params->formats, 0);
}

/* Send a prepared statement; false where the link cannot, and then no answer comes. */
bool
pg_link_send(struct pg_link *link, const char *statement, const struct pg_params *params, pg_answer_fn answer, void *arg)
{
	struct pg_call call = {statement, params};

	return pg_link_send_all(link, &call, 1, answer, arg);
}

/* Send prepared statements as one transaction; the answer is the last one's, or the first error. */
bool
pg_link_send_all(struct pg_link *link, const struct pg_call *calls, int count, pg_answer_fn answer, void *arg)
{
	int			sent = 1;

	if (link->state != LINK_READY)
		return false;
	for (int i = 0; sent && i < count; i++)
		sent = send_call(link, &calls[i]);
	return finish_sending(link, sent, times_of(link, calls[count - 1].statement), answer, arg);
}

void
pg_link_shed(struct pg_link *link)
{
	if (link->state != LINK_READY || link->under_way > 0 || link->in_bytes + link->out_bytes < LARGE_BYTES)
		return;
	log_event(RELAY_DEBUG, link->config.name, "connecting anew to give back memory");
	link->config.metrics->memory_postgres -= link->in_bytes + link->out_bytes;
	link->in_bytes = link->out_bytes = 0;
	judge_connection(link);
	unwatch(link);
	enter_state(link, LINK_BREAKING);
}

/* ---- cancelling ---- */

/* On another thread: libpq's call waits for the server. */
static void
request_cancel(uv_work_t *work)
{
	struct cancelling *c = work->data;
	char		error[CANCEL_ERROR_BYTES];

	PQcancel(c->cancel, error, sizeof(error));
}

static void
on_cancelled(uv_work_t *work, int status)
{
	struct cancelling *c = work->data;
	struct pg_link *link = c->link;

	(void) status;
	PQfreeCancel(c->cancel);
	free(c);
	if (link == NULL)
		return;
	link->cancelling = NULL;
	if (link->config.on_cancelled != NULL)
		link->config.on_cancelled(link->config.arg);
}

void
pg_link_cancel(struct pg_link *link, const void *arg)
{
	struct cancelling *c;

	if (link->state != LINK_READY || link->cancelling != NULL || link->first == NULL || link->first->arg != arg)
		return;
	c = mem_zalloc(sizeof(struct cancelling));
	c->work.data = c;
	c->link = link;
	c->cancel = PQgetCancel(link->conn);
	if (c->cancel == NULL || uv_queue_work(link->config.loop, &c->work, request_cancel, on_cancelled) != 0)
	{
		PQfreeCancel(c->cancel);
		free(c);
		return;
	}
	link->cancelling = c;
	link->config.metrics->pg_cancels++;
}

bool
pg_link_is_cancelling(const struct pg_link *link)
{
	return link->cancelling != NULL;
}

/* Get libpq's connection, for the replication protocol. */
PGconn	   *
pg_link_conn(struct pg_link *link)
{
	return link->conn;
}

/* ---- parameters ---- */

/* Add a parameter in text form; NULL is SQL's null. */
void
pg_param_text(struct pg_params *params, const char *text)
{
	params->values[params->count] = text;
	params->lengths[params->count] = 0;
	params->formats[params->count++] = 0;
}

/* Add a parameter in binary form. */
void
pg_param_binary(struct pg_params *params, const void *data, size_t len)
{
	params->values[params->count] = data;
	params->lengths[params->count] = (int) len;
	params->formats[params->count++] = 1;
}
