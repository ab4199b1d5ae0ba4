/*
 * tables/writer.c: submissions of clients, out to PostgreSQL in batches.
 *
 * A document's submissions stand in one queue, in the order they came, and
 * the front of it is under way in at most one batch; they leave the queue
 * only with their final answer. So order per client and document outlives
 * every retry, and a connection lost in mid-commit costs nothing: what is
 * submitted again under the same ids is answered `duplicate`.
 *
 * A batch takes what all ready documents have waiting, as soon as a
 * connection has answered the one before: alone an edit leaves at once, under
 * load they group by themselves. A document that somebody else holds goes
 * alone to a connection that may wait.
 */
#include "tables/writer_state.h"

#include "base/backoff.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "pg/array.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR_(x) #x
#define STR(x) STR_(x)

static const struct pg_statement statements[] = {
	{"submit", "SELECT code, version, event, message, member_changes, seq FROM converge.submit($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::boolean, $7::uuid[])", HISTOGRAM_PG_SUBMIT},
	PG_PROBE_STATEMENT,
};

/* part of the memory that a batch has */
#define BATCH_PART 32

/* what a user may spend in a turn: operations of a batch, and milliseconds of a connection that waits */
#define CROWD_QUANTUM 32
#define BUSY_QUANTUM 100

static const struct pg_setup setup[] = {
	PG_TIMEOUT(LIMIT_SUBMIT_MS),
	{"SELECT has_function_privilege('converge.submit(uuid[],text[],uuid[],bigint[],text[],boolean,uuid[])', 'EXECUTE')", true,
	"the role may not call converge.submit(); SELECT converge.allow_relay('role') permits it"},
	{"SET lock_timeout = " STR(LIMIT_LOCK_WAIT_MS), false, NULL},
};

/* ---- building a batch ---- */

/* Add a submission to the arrays. */
static void
put_submission(struct writer *writer, const struct doc *doc, const struct submission *s)
{
	struct buf *arrays = writer->arrays;

	pg_array_put(&arrays[0], doc->node.id.bytes, UUID_BYTES);
	pg_array_put(&arrays[1], s->user, strlen(s->user));
	pg_array_put(&arrays[2], s->operation_id.bytes, UUID_BYTES);
	pg_array_put_int8(&arrays[3], s->base_version);
	pg_array_put(&arrays[4], s->text, s->text_len);
	pg_array_put(&arrays[5], s->life.bytes, UUID_BYTES);
}

/* Tell whether a batch may take more. */
static bool
has_room(const struct writer *writer, const struct writer_conn *conn)
{
	return conn->op_count < LIMIT_BATCH_OPS && writer->arrays[4].len < writer->batch_bytes;
}

/* Add what a document has waiting. */
static void
add_doc(struct writer *writer, struct writer_conn *conn, struct doc *doc)
{
	uint32_t	most = doc->single > 0 ? 1 : UINT32_MAX;

	doc->state = DOC_IN_FLIGHT;
	for (struct submission *s = doc->first; s != NULL && doc->in_flight < most && (doc->in_flight == 0 || has_room(writer, conn)); s = s->next)
	{
		/* what is far behind goes over a connection that may take long */
		if (s->far && !conn->waits)
			break;
		put_submission(writer, doc, s);
		write_shares_note_sent(&writer->held, s, true);
		doc->in_flight++;
		conn->op_count++;
	}
	if (conn->doc_count == conn->doc_cap)
	{
		conn->doc_cap = conn->doc_cap > 0 ? conn->doc_cap * 2 : 16;
		conn->docs = mem_grow(conn->docs, conn->doc_cap * sizeof(struct doc *));
	}
	conn->docs[conn->doc_count++] = doc;
}

/* Count the connections that wait for locks and are free. */
static int
count_free_waiters(const struct writer *writer)
{
	int			count = 0;

	for (int i = 0; i < writer->conn_count; i++)
		count += writer->conns[i].waits && !writer->conns[i].in_flight && pg_link_is_ready(writer->conns[i].link);
	return count;
}

/* Return true if the first document of a user may go to one of them. */
static bool
may_wait(void *arg, struct turn *first)
{
	const struct writer *writer = arg;

	/* one connection is the last and the first */
	return turns_may_occupy(first->lane, writer->waiter_count > 1 ? count_free_waiters(writer) : 2, (writer->waiter_count + 1) / 2);
}

/* Take the document whose turn it is on a connection that waits for locks, or NULL. */
static struct doc *
next_busy(struct writer *writer)
{
	struct turn *turn = turns_next(&writer->busy, may_wait, writer);

	return turn != NULL ? (struct doc *) ((char *) turn - offsetof(struct doc, turn)) : NULL;
}

/* Fill the batch of a connection: many documents together, or one that must go alone; false: there is none. */
static bool
fill_batch(struct writer *writer, struct writer_conn *conn)
{
	static const uint32_t oids[WRITER_ARRAYS] = {UUID_OID, TEXT_OID, UUID_OID, INT8_OID, TEXT_OID, UUID_OID};
	struct doc *doc = conn->waits ? next_busy(writer) : writer_next_ready(writer);

	conn->doc_count = conn->op_count = 0;
	if (doc == NULL)
		return false;
	for (int i = 0; i < WRITER_ARRAYS; i++)
		pg_array_begin(&writer->arrays[i], oids[i]);
	for (;;)
	{
		bool		alone = conn->waits || doc->alone;

		add_doc(writer, conn, doc);
		if (alone || !has_room(writer, conn) || (doc = writer_next_ready(writer)) == NULL)
			break;
		if (doc->alone)
		{
			writer_set_state(writer, doc, DOC_READY);
			break;
		}
	}
	for (int i = 0; i < WRITER_ARRAYS; i++)
		pg_array_finish(&writer->arrays[i], conn->op_count);
	return true;
}

/* ---- sending ---- */

static void
on_pause_over(uv_timer_t *timer)
{
	struct writer *writer = timer->data;

	writer->paused = false;
	writer_dispatch(writer);
}

/* Send nothing for a while, longer each time. */
static void
pause_writing(struct writer *writer)
{
	writer->paused = true;
	uv_timer_start(&writer->timer, on_pause_over, backoff(LIMIT_BACKOFF_FIRST_MS, writer->troubles++), 0);
}

/* Charge the users of a connection that waits for the time that it took. */
static void
end_turns(struct writer_conn *conn)
{
	uint64_t	took_ms = uv_now(conn->writer->timer.loop) - conn->sent_ms;

	for (uint32_t i = 0; i < conn->doc_count; i++)
		turns_done(&conn->writer->busy, &conn->docs[i]->turn, (double) took_ms);
}

/* Return true if a document is ready. */
static bool
writer_has_ready(const struct writer *writer)
{
	return writer->ready.first != NULL || writer->crowd.waiting > 0;
}

/* Take the answer to a batch. */
static void
on_answer(void *arg, PGresult *result)
{
	struct writer_conn *conn = arg;
	struct writer *writer = conn->writer;
	enum pg_remedy remedy;

	conn->in_flight = false;
	if (conn->waits)
		end_turns(conn);
	if (writer_answer(conn, result, &remedy))
	{
		writer->troubles = 0;

		/*
		 * else the end of the turn submits first: PostgreSQL works while
		 * clients are written to
		 */
		if (!writer_has_ready(writer))
			writer->callbacks.answered(writer->callbacks.arg);
	}
	else if (remedy == REMEDY_WAIT)
		pause_writing(writer);
	else if (remedy == REMEDY_RECONNECT)
		pg_link_fail(conn->link, pg_message(result));
}

/* Send the batch of a connection. */
static void
send_batch(struct writer *writer, struct writer_conn *conn)
{
	struct pg_params params = {0};
	const char	wait = conn->waits;

	for (int i = 0; i < WRITER_ARRAYS - 1; i++)
		pg_param_binary(&params, writer->arrays[i].data, writer->arrays[i].len);
	pg_param_binary(&params, &wait, 1);
	pg_param_binary(&params, writer->arrays[WRITER_ARRAYS - 1].data, writer->arrays[WRITER_ARRAYS - 1].len);
	conn->in_flight = true;
	conn->sent_ms = uv_now(writer->timer.loop);
	metrics_observe(writer->metrics, HISTOGRAM_BATCH_OPS, conn->op_count);
	if (!pg_link_send(conn->link, "submit", &params, on_answer, conn))
		on_answer(conn, NULL);
}

/* Send whatever can go: called at the end of each turn of the loop. */
void
writer_dispatch(struct writer *writer)
{
	if (writer->paused || !writer->callbacks.may_write(writer->callbacks.arg))
		return;
	for (int i = 0; i < writer->conn_count; i++)
	{
		struct writer_conn *conn = &writer->conns[i];
		bool		some = conn->waits ? writer->busy.waiting > 0 : writer_has_ready(writer);

		if (some && !conn->in_flight && pg_link_is_ready(conn->link) && fill_batch(writer, conn))
			send_batch(writer, conn);
	}
}

void
writer_shed(struct writer *writer)
{
	for (int i = 0; i < writer->conn_count; i++)
		pg_link_shed(writer->conns[i].link);
	for (int i = 0; i < WRITER_ARRAYS; i++)
		buf_free(&writer->arrays[i]);
}

static void
on_ready(void *arg)
{
	struct writer_conn *conn = arg;
	const struct writer_callbacks *callbacks = &conn->writer->callbacks;

	pg_probe_ask(conn->probe);
	callbacks->connected(callbacks->arg);
	writer_dispatch(conn->writer);
}

static void
on_lost(void *arg)
{
	(void) arg;					/* what was under way has been answered with
								 * NULL */
}

/* Tell how PostgreSQL is on the best connection that submits. */
enum pg_health
writer_health(const struct writer *writer)
{
	enum pg_health best = PG_UNCONNECTED;

	for (int i = 0; i < writer->conn_count; i++)
	{
		const struct writer_conn *conn = &writer->conns[i];
		enum pg_health health = conn->waits ? PG_UNCONNECTED : pg_probe_health(conn->probe);

		if (health < best)
			best = health;
	}
	return best;
}

/* Tell whether every submission was answered. */
bool
writer_is_idle(const struct writer *writer)
{
	return writer->docs.count == 0;
}

/* ---- beginning and end ---- */

static void
open_conn(struct writer *writer, struct writer_conn *conn, int number, bool waits, uv_loop_t *loop, const char *dsn)
{
	struct pg_link_config config = {
		.name = conn->name,.dsn = dsn,.loop = loop,.metrics = writer->metrics,
		.setup = setup,.setup_count = waits ? 3 : 2,
		.statements = statements,.statement_count = sizeof(statements) / sizeof(statements[0]),
		.on_ready = on_ready,.on_lost = on_lost,.arg = conn,
	};

	conn->writer = writer;
	conn->waits = waits;
	snprintf(conn->name, sizeof(conn->name), "%s %d", waits ? "waiter" : "writer", number);
	conn->link = pg_link_open(&config);
	conn->probe = pg_probe_new(loop, conn->link, NULL, NULL);
}

/* Begin: open the connections. */
struct writer *
writer_new(uv_loop_t *loop, const struct config *config, const struct writer_callbacks *callbacks, struct metrics *metrics)
{
	struct writer *writer = mem_zalloc(sizeof(struct writer));

	writer->callbacks = *callbacks;
	writer->metrics = metrics;
	write_shares_init(&writer->held, (uint64_t) config->held_ops, LIMIT_HELD_BYTES);
	writer->batch_bytes = ((size_t) config->max_memory_mib << 20) / BATCH_PART;
	if (writer->batch_bytes > LIMIT_BATCH_BYTES)
		writer->batch_bytes = LIMIT_BATCH_BYTES;
	doc_map_init(&writer->docs);
	doc_list_init(&writer->ready);
	turns_init(&writer->crowd, CROWD_QUANTUM);
	turns_init(&writer->busy, BUSY_QUANTUM);
	writer->waiter_count = config->waiters;
	uv_timer_init(loop, &writer->timer);
	writer->timer.data = writer;
	writer->conn_count = config->writers + config->waiters;
	writer->conns = mem_zalloc((size_t) writer->conn_count * sizeof(struct writer_conn));
	for (int i = 0; i < config->writers; i++)
		open_conn(writer, &writer->conns[i], i + 1, false, loop, config->dsn);
	for (int i = 0; i < config->waiters; i++)
		open_conn(writer, &writer->conns[config->writers + i], i + 1, true, loop, config->dsn);
	return writer;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* Reject what a document has waiting: there is no time for it any more. */
static void
end_doc(struct writer *writer, struct doc *doc)
{
	for (struct submission *s = doc->first; s != NULL; s = s->next)
		doc->in_flight++;
	writer_reject_in_flight(writer, doc, REJECT_UNAVAILABLE, "the relay is shutting down");
	writer_complete(writer, doc, DOC_READY);
}

static void
end_waiting(void *arg, struct turn *turn)
{
	struct writer *writer = arg;
	struct doc *doc = (struct doc *) ((char *) turn - offsetof(struct doc, turn));

	turns_remove(doc->state == DOC_READY ? &writer->crowd : &writer->busy, turn);
	end_doc(writer, doc);
}

/* End: what is still held is answered as unavailable, so that its owners can go. */
void
writer_close(struct writer *writer)
{
	for (int i = 0; i < writer->conn_count; i++)
	{
		pg_link_close(writer->conns[i].link);
		pg_probe_close(writer->conns[i].probe);
		free(writer->conns[i].docs);
	}
	while (writer->ready.first != NULL)
	{
		writer->ready_count--;
		end_doc(writer, doc_list_pop(&writer->ready));
	}
	turns_each(&writer->crowd, end_waiting, writer);
	turns_each(&writer->busy, end_waiting, writer);
	turns_free(&writer->crowd);
	turns_free(&writer->busy);
	for (int i = 0; i < WRITER_ARRAYS; i++)
		buf_free(&writer->arrays[i]);
	free(writer->conns);
	doc_map_free(&writer->docs);
	uv_close((uv_handle_t *) &writer->timer, on_timer_closed);
}
