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

#include "base/bounds.h"
#include "base/mem.h"
#include "pg/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STR_(x) #x
#define STR(x) STR_(x)

static const struct pg_statement statements[] = {
	{"submit", "SELECT ord, code, version, event, message, member_changes FROM converge.submit($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::boolean, $7::uuid[])", HISTOGRAM_PG_SUBMIT},
	PG_PROBE_STATEMENT,
};

static const struct pg_setup setup[] = {
	{"SELECT has_function_privilege('converge.submit(uuid[],text[],uuid[],bigint[],text[],boolean,uuid[])', 'EXECUTE')", true,
	"the role may not call converge.submit(); SELECT converge.allow_relay('role') lets it"},
	{"SET lock_timeout = " STR(LIMIT_LOCK_WAIT_MS), false, NULL},
};

/* ---- documents and their queues ---- */

/* Put a document where its next batch is made from. */
static void
set_state(struct writer *writer, struct doc *doc, enum doc_state state)
{
	doc->state = state;
	if (state == DOC_READY)
		doc_list_push(&writer->ready, doc);
	else if (state == DOC_BUSY)
		doc_list_push(&writer->busy, doc);
}

/* Take a submission in. */
bool
writer_submit(struct writer *writer, const struct uuid *doc_id, void *owner, const char *user,
			  const struct submitted *op)
{
	struct doc *doc = doc_map_find(&writer->docs, doc_id);

	if (writer->metrics->ops_held >= writer->held_max || writer->metrics->ops_held_bytes + op->text_len > LIMIT_HELD_BYTES)
		return false;
	if (doc == NULL)
	{
		doc = doc_new(doc_id);
		doc_map_add(&writer->docs, &doc->node);
		set_state(writer, doc, DOC_READY);
	}
	doc_push(doc, owner, user, op);
	writer->metrics->ops_held++;
	writer->metrics->ops_held_bytes += op->text_len;
	return true;
}

/* Answer the submission at the front of a document's queue. */
void
writer_finish_first(struct writer *writer, struct doc *doc, struct write_answer *answer)
{
	struct submission *s = doc_pop(doc);

	writer->metrics->ops_held--;
	writer->metrics->ops_held_bytes -= s->text_len;
	answer->operation_id = s->operation_id;
	writer->callbacks.answer(writer->callbacks.arg, s->owner, answer);
	submission_free(s);
}

/* Reject everything of a document that was under way. */
void
writer_reject_flying(struct writer *writer, struct doc *doc, enum reject_code code, const char *message)
{
	while (doc->flying > 0)
	{
		struct write_answer answer = {.code = code,.message = message};

		writer_finish_first(writer, doc, &answer);
	}
	doc->attempts = 0;
	doc->alone = doc->single > 0;
}

/* End a document's part in a batch: it goes where its queue takes it next. */
void
writer_land(struct writer *writer, struct doc *doc, enum doc_state next)
{
	doc->flying = 0;
	if (doc->dropped)
	{
		for (struct submission *s = doc->first; s != NULL; s = s->next)
			doc->flying++;
		writer_reject_flying(writer, doc, REJECT_UNAVAILABLE, "the database has lost the last operations");
	}
	if (doc->first != NULL)
	{
		set_state(writer, doc, next);
		return;
	}
	doc_map_remove(&writer->docs, &doc->node);
	free(doc);
}

/*
 * Drop what a document has waiting, and what is under way if it does not go
 * through: what it was made on is lost. Who made it has been told to join anew,
 * and will send it again.
 */
void
writer_drop(struct writer *writer, const struct uuid *doc_id)
{
	struct doc *doc = doc_map_find(&writer->docs, doc_id);

	if (doc == NULL)
		return;
	doc->dropped = true;
	if (doc->state == DOC_FLYING)
		return;
	doc_list_remove(doc->state == DOC_READY ? &writer->ready : &writer->busy, doc);
	writer_land(writer, doc, DOC_READY);
}

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
has_room(const struct writer *writer, const struct slot *slot)
{
	return slot->op_count < LIMIT_BATCH_OPS && writer->arrays[4].len < LIMIT_BATCH_BYTES;
}

/* Add what a document has waiting. */
static void
add_doc(struct writer *writer, struct slot *slot, struct doc *doc)
{
	uint32_t	most = doc->single > 0 ? 1 : UINT32_MAX;

	doc->state = DOC_FLYING;
	for (struct submission *s = doc->first; s != NULL && doc->flying < most && has_room(writer, slot); s = s->next)
	{
		put_submission(writer, doc, s);
		doc->flying++;
		slot->op_count++;
	}
	if (slot->doc_count == slot->doc_cap)
	{
		slot->doc_cap = slot->doc_cap > 0 ? slot->doc_cap * 2 : 16;
		slot->docs = mem_grow(slot->docs, slot->doc_cap * sizeof(struct doc *));
	}
	slot->docs[slot->doc_count++] = doc;
}

/* Fill a slot: many documents together, or one that must go alone. */
static void
fill_slot(struct writer *writer, struct slot *slot)
{
	static const uint32_t oids[WRITER_ARRAYS] = {UUID_OID, TEXT_OID, UUID_OID, INT8_OID, TEXT_OID, UUID_OID};
	struct doc_list *from = slot->waits ? &writer->busy : &writer->ready;
	bool		alone;

	slot->doc_count = slot->op_count = 0;
	for (int i = 0; i < WRITER_ARRAYS; i++)
		pg_array_begin(&writer->arrays[i], oids[i]);
	do
	{
		alone = slot->waits || from->first->alone;
		add_doc(writer, slot, doc_list_pop(from));
	}
	while (!alone && from->first != NULL && !from->first->alone && has_room(writer, slot));
	for (int i = 0; i < WRITER_ARRAYS; i++)
		pg_array_finish(&writer->arrays[i], slot->op_count);
}

/* ---- sending ---- */

/* Send the batch of a slot. */
static void
send_slot(struct writer *writer, struct slot *slot)
{
	struct pg_params params = {0};
	const char	wait = slot->waits;

	for (int i = 0; i < WRITER_ARRAYS - 1; i++)
		pg_param_binary(&params, writer->arrays[i].data, writer->arrays[i].len);
	pg_param_binary(&params, &wait, 1);
	pg_param_binary(&params, writer->arrays[WRITER_ARRAYS - 1].data, writer->arrays[WRITER_ARRAYS - 1].len);
	slot->flying = true;
	metrics_observe(writer->metrics, HISTOGRAM_BATCH_OPS, slot->op_count);
	if (!pg_link_send(slot->link, "submit", &params, writer_on_answer, slot))
		writer_on_answer(slot, NULL);
}

/* Send whatever can go: called at the end of each turn of the loop. */
void
writer_dispatch(struct writer *writer)
{
	if (writer->paused || !writer->callbacks.may_write(writer->callbacks.arg))
		return;
	for (int i = 0; i < writer->slot_count; i++)
	{
		struct slot *slot = &writer->slots[i];
		struct doc_list *from = slot->waits ? &writer->busy : &writer->ready;

		if (from->first == NULL || slot->flying || !pg_link_is_ready(slot->link))
			continue;
		fill_slot(writer, slot);
		send_slot(writer, slot);
	}
}

static void
on_ready(void *arg)
{
	struct slot *slot = arg;
	const struct writer_callbacks *callbacks = &slot->writer->callbacks;

	pg_probe_ask(slot->probe);
	callbacks->connected(callbacks->arg);
	writer_dispatch(slot->writer);
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

	for (int i = 0; i < writer->slot_count; i++)
	{
		const struct slot *slot = &writer->slots[i];
		enum pg_health health = slot->waits ? PG_UNCONNECTED : pg_probe_health(slot->probe);

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
open_slot(struct writer *writer, struct slot *slot, int number, bool waits, uv_loop_t *loop, const char *dsn)
{
	struct pg_link_config config = {
		.name = slot->name,.dsn = dsn,.loop = loop,.metrics = writer->metrics,
		.setup = setup,.setup_count = waits ? 2 : 1,
		.statements = statements,.statement_count = sizeof(statements) / sizeof(statements[0]),
		.on_ready = on_ready,.on_lost = on_lost,.arg = slot,
	};

	slot->writer = writer;
	slot->waits = waits;
	snprintf(slot->name, sizeof(slot->name), "%s %d", waits ? "waiter" : "writer", number);
	slot->link = pg_link_open(&config);
	slot->probe = pg_probe_new(loop, slot->link, NULL, NULL);
}

/* Begin: open the connections. */
struct writer *
writer_new(uv_loop_t *loop, const struct config *config, const struct writer_callbacks *callbacks, struct metrics *metrics)
{
	struct writer *writer = mem_zalloc(sizeof(struct writer));

	writer->callbacks = *callbacks;
	writer->metrics = metrics;
	writer->held_max = (uint64_t) config->held_ops;
	doc_map_init(&writer->docs);
	doc_list_init(&writer->ready);
	doc_list_init(&writer->busy);
	uv_timer_init(loop, &writer->timer);
	writer->timer.data = writer;
	writer->slot_count = config->writers + config->waiters;
	writer->slots = mem_zalloc((size_t) writer->slot_count * sizeof(struct slot));
	for (int i = 0; i < config->writers; i++)
		open_slot(writer, &writer->slots[i], i + 1, false, loop, config->dsn);
	for (int i = 0; i < config->waiters; i++)
		open_slot(writer, &writer->slots[config->writers + i], i + 1, true, loop, config->dsn);
	return writer;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* End: what is still held is answered as unavailable, so that its owners can go. */
void
writer_close(struct writer *writer)
{
	for (int i = 0; i < writer->slot_count; i++)
	{
		pg_link_close(writer->slots[i].link);
		pg_probe_close(writer->slots[i].probe);
		free(writer->slots[i].docs);
	}
	for (struct doc_list *list = &writer->ready; list != NULL; list = list == &writer->ready ? &writer->busy : NULL)
	{
		while (list->first != NULL)
		{
			struct doc *doc = doc_list_pop(list);

			for (struct submission *s = doc->first; s != NULL; s = s->next)
				doc->flying++;
			writer_reject_flying(writer, doc, REJECT_UNAVAILABLE, "the relay is ending");
			writer_land(writer, doc, DOC_READY);
		}
	}
	for (int i = 0; i < WRITER_ARRAYS; i++)
		buf_free(&writer->arrays[i]);
	free(writer->slots);
	doc_map_free(&writer->docs);
	uv_close((uv_handle_t *) &writer->timer, on_timer_closed);
}
