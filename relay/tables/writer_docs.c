/*
 * tables/writer_docs.c: the documents that have submissions: which take part in the
 * next batch, and what becomes of their queues.
 */
#include "tables/writer_state.h"

#include "base/bounds.h"

#include <stdlib.h>

/* Put a document where its next batch is made from. */
void
writer_set_state(struct writer *writer, struct doc *doc, enum doc_state state)
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
		writer_set_state(writer, doc, DOC_READY);
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
	if (doc->state == DOC_FLYING)
		return;
	doc_list_remove(doc->state == DOC_READY ? &writer->ready : &writer->busy, doc);
	writer_land(writer, doc, DOC_READY);
}
