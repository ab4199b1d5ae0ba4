/*
 * tables/writer_docs.c: the documents that have submissions: which take part in the
 * next batch, and what becomes of their queues.
 */
#include "tables/writer_state.h"

#include "base/bounds.h"

#include <stddef.h>
#include <stdlib.h>

/* an operation of so many bytes costs as two */
#define BYTES_AN_OP 4096

/* Get what a document's operations cost in a batch, beside the first. */
static double
waiting_cost(const struct doc *doc)
{
	double		cost = 0;

	for (const struct submission *s = doc->first; s != NULL && cost < LIMIT_BATCH_OPS; s = s->next)
		cost += 1 + (double) s->text_len / BYTES_AN_OP;
	return cost > 1 ? cost - 1 : 0;
}

/* documents that are ready without being in turn by user: they fit into any batch */
#define FEW 16

/*
 * Put a document where its next batch is made from. While few documents are ready all
 * go with the next batch, and who is first does not matter.
 */
void
writer_set_state(struct writer *writer, struct doc *doc, enum doc_state state)
{
	if (state == DOC_READY && doc->first->far)
		state = DOC_BUSY;
	doc->state = state;
	if (state == DOC_BUSY)
		turns_put(&writer->busy, &doc->turn, doc->first->user, 1);
	else if (state == DOC_READY && (writer->ready_count < FEW && writer->crowd.waiting == 0))
	{
		writer->ready_count++;
		doc_list_push(&writer->ready, doc);
	}
	else if (state == DOC_READY)
		turns_put(&writer->crowd, &doc->turn, doc->first->user, 1);
}

/* Take a document out of where it waits. */
static void
unqueue(struct writer *writer, struct doc *doc)
{
	if (doc->turn.waits)
		turns_remove(doc->state == DOC_READY ? &writer->crowd : &writer->busy, &doc->turn);
	else
	{
		writer->ready_count--;
		doc_list_remove(&writer->ready, doc);
	}
}

/* Take the next document that is ready, or NULL. */
struct doc *
writer_next_ready(struct writer *writer)
{
	struct doc *doc;
	struct turn *turn;

	if (writer->ready.first != NULL)
	{
		writer->ready_count--;
		return doc_list_pop(&writer->ready);
	}
	turn = writer->crowd.waiting > 0 ? turns_next(&writer->crowd, NULL, NULL) : NULL;
	if (turn == NULL)
		return NULL;
	doc = (struct doc *) ((char *) turn - offsetof(struct doc, turn));
	/* what the document costs shows now: its operations go with it */
	turns_done(&writer->crowd, turn, waiting_cost(doc));
	return doc;
}

/* Count submissions that are held, or let go of. */
static void
count_held(struct writer *writer, int ops, int64_t bytes)
{
	writer->held += (uint64_t) ops;
	writer->held_bytes += (uint64_t) bytes;
	writer->metrics->ops_held = writer->held;
	writer->metrics->ops_held_bytes = writer->held_bytes;
}

/* Take a submission in. */
bool
writer_submit(struct writer *writer, const struct uuid *doc_id, void *owner, const char *user,
			  const struct submitted *op)
{
	struct doc *doc = doc_map_find(&writer->docs, doc_id);

	if (writer->held >= writer->held_max || writer->held_bytes + op->text_len > LIMIT_HELD_BYTES)
		return false;
	if (doc == NULL)
	{
		doc = doc_new(doc_id);
		doc_map_add(&writer->docs, &doc->node);
		doc_push(doc, owner, user, op);
		writer_set_state(writer, doc, DOC_READY);
	}
	else
		doc_push(doc, owner, user, op);
	count_held(writer, 1, (int64_t) op->text_len);
	return true;
}

/* Answer the submission at the front of a document's queue. */
void
writer_finish_first(struct writer *writer, struct doc *doc, struct write_answer *answer)
{
	struct submission *s = doc_pop(doc);

	count_held(writer, -1, -(int64_t) s->text_len);
	answer->operation_id = s->operation_id;
	answer->bytes = s->text_len;
	writer->callbacks.answer(writer->callbacks.arg, s->owner, answer);
	submission_free(s);
}

/* Reject everything of a document that was under way. */
void
writer_reject_in_flight(struct writer *writer, struct doc *doc, enum reject_code code, const char *message)
{
	while (doc->in_flight > 0)
	{
		struct write_answer answer = {.code = code,.message = message};

		writer_finish_first(writer, doc, &answer);
	}
	doc->attempts = 0;
	doc->alone = doc->single > 0;
}

/* End a document's part in a batch: it goes where its queue takes it next. */
void
writer_complete(struct writer *writer, struct doc *doc, enum doc_state next)
{
	doc->in_flight = 0;
	if (doc->dropped)
	{
		for (struct submission *s = doc->first; s != NULL; s = s->next)
			doc->in_flight++;
		writer_reject_in_flight(writer, doc, REJECT_UNAVAILABLE, "the database lost its last operations");
	}
	if (doc->first != NULL)
	{
		writer_set_state(writer, doc, next);
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
	if (doc->state == DOC_IN_FLIGHT)
		return;
	unqueue(writer, doc);
	writer_complete(writer, doc, DOC_READY);
}
