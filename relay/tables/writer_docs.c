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

/* Show what is held. */
static void
show_held(struct writer *writer)
{
	writer->metrics->ops_held = writer->held.ops;
	writer->metrics->ops_held_bytes = writer->held.bytes;
}

/* Answer a submission that its document's queue has let go of. */
static void
finish(struct writer *writer, struct submission *s, struct write_answer *answer)
{
	write_shares_remove(&writer->held, s);
	show_held(writer);
	answer->operation_id = s->operation_id;
	answer->bytes = s->text_len;
	writer->callbacks.answer(writer->callbacks.arg, s->owner, answer);
	submission_free(s);
}

/* Answer the submission at the front of a document's queue. */
void
writer_finish_first(struct writer *writer, struct doc *doc, struct write_answer *answer)
{
	finish(writer, doc_pop(doc), answer);
}

/* Reject a submission that waits, so that one of another user fits in. */
static void
yield(struct writer *writer, struct submission *s)
{
	struct write_answer answer = {.code = REJECT_UNAVAILABLE,.message = HELD_TOO_MANY};
	struct doc *doc = s->doc;
	enum doc_state state = doc->state;
	/* a document waits in the turn of the user at its front */
	bool		moves = doc->first == s && state != DOC_IN_FLIGHT;

	if (moves)
		unqueue(writer, doc);
	doc_take_out(doc, s);
	finish(writer, s, &answer);
	if (moves)
		writer_complete(writer, doc, state);
}

/* Make room for a submission; false: it does not fit. */
static bool
make_room(struct writer *writer, const struct usage_row *account, size_t len)
{
	struct submission *victim;
	enum write_room room;

	while ((room = write_shares_room(&writer->held, account, len, &victim)) == WRITE_YIELD)
		yield(writer, victim);
	return room == WRITE_ROOM;
}

/* Take a submission in. */
bool
writer_submit(struct writer *writer, const struct uuid *doc_id, void *owner, struct usage_row *account,
			  const struct submitted *op)
{
	struct doc *doc;
	bool		first;

	if (!make_room(writer, account, op->text_len))
		return false;
	doc = doc_map_find(&writer->docs, doc_id);
	first = doc == NULL;
	if (first)
	{
		doc = doc_new(doc_id);
		doc_map_add(&writer->docs, &doc->node);
	}
	write_shares_add(&writer->held, account, doc_push(doc, owner, account->name, op));
	show_held(writer);
	if (first)
		writer_set_state(writer, doc, DOC_READY);
	return true;
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

/* Note that what is left of a document's part in a batch waits again. */
static void
wait_again(struct writer *writer, struct doc *doc)
{
	for (struct submission *s = doc->first; doc->in_flight > 0; s = s->next, doc->in_flight--)
		write_shares_note_sent(&writer->held, s, false);
}

/* End a document's part in a batch: it goes where its queue takes it next. */
void
writer_complete(struct writer *writer, struct doc *doc, enum doc_state next)
{
	wait_again(writer, doc);
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
