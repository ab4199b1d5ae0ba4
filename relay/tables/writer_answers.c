/*
 * tables/writer_answers.c: what PostgreSQL says of a batch, and what is done when it fails.
 *
 * When a batch fails as a whole, its documents are tried each alone, then the
 * failing one operation by operation, so that a trigger's veto falls on its own
 * operation only.
 */
#include "tables/writer_state.h"

#include "base/bounds.h"
#include "base/log.h"
#include "pg/error.h"

#include <stdlib.h>
#include <string.h>

/* of the statement submit */
enum column
{
	COLUMN_ORD,
	COLUMN_CODE,
	COLUMN_VERSION,
	COLUMN_EVENT,
	COLUMN_MESSAGE,
	COLUMN_MEMBER_CHANGES
};

/* Tell whether a code of submit() says that the operation stands in the log. */
static bool
is_committed(const char *code)
{
	return strcmp(code, "applied") == 0 || strcmp(code, "duplicate") == 0;
}

/* Return true if an operation was the identity, of which no version came. */
static bool
is_unchanged(const char *code, PGresult *result, int row)
{
	return strcmp(code, "applied") == 0 && PQgetisnull(result, row, COLUMN_MEMBER_CHANGES);
}

/* Read an answer that comes with an entry. */
static void
read_entry(struct write_answer *answer, PGresult *result, int row)
{
	answer->committed = true;
	answer->version = strtoll(PQgetvalue(result, row, COLUMN_VERSION), NULL, 10);
	answer->entry = PQgetvalue(result, row, COLUMN_EVENT);
	answer->entry_len = (size_t) PQgetlength(result, row, COLUMN_EVENT);
}

/* Answer the document's first submission from a row. */
static void
answer_row(struct writer *writer, struct doc *doc, PGresult *result, int row)
{
	const char *code = PQgetvalue(result, row, COLUMN_CODE);
	const char *message = PQgetvalue(result, row, COLUMN_MESSAGE);
	struct write_answer answer = {.code = REJECT_INVALID,.message = *message != '\0' ? message : code,.member_changes = -1};

	if (is_unchanged(code, result, row))
	{
		/* its author is answered; there is nothing to publish */
		answer.unchanged = true;
		read_entry(&answer, result, row);
	}
	else if (is_committed(code))
	{
		answer.committed = true;
		answer.life = doc->first->life;
		answer.duplicate = strcmp(code, "duplicate") == 0;
		read_entry(&answer, result, row);
		if (!PQgetisnull(result, row, COLUMN_MEMBER_CHANGES))
			answer.member_changes = strtoll(PQgetvalue(result, row, COLUMN_MEMBER_CHANGES), NULL, 10);
		if (answer.duplicate)
			writer->metrics->ops_duplicate++;
		else
		{
			writer->metrics->ops_applied++;
			if (doc->first->base_version != answer.version - 1)
				writer->metrics->ops_transformed++;
		}
		writer->callbacks.committed(writer->callbacks.arg, &doc->node.id, &answer);
	}
	else
	{
		answer.gone = strcmp(code, "not_found") == 0;
		protocol_reject_code(code, &answer.code);
	}
	writer_finish_first(writer, doc, &answer);
}

/* Tell whether any of a document's rows says that somebody else holds it. */
static bool
is_busy(PGresult *result, int row, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
	{
		if (strcmp(PQgetvalue(result, row + (int) i, COLUMN_CODE), "busy") == 0)
			return true;
	}
	return false;
}

/* Answer a batch that went through. */
static void
answer_batch(struct writer *writer, struct slot *slot, PGresult *result)
{
	int			row = 0;

	writer->troubles = 0;
	for (uint32_t i = 0; i < slot->doc_count; i++)
	{
		struct doc *doc = slot->docs[i];
		uint32_t	count = doc->flying;

		doc->attempts = 0;
		if (is_busy(result, row, count))
		{
			writer->metrics->busy_documents++;
			row += (int) count;
			writer_land(writer, doc, DOC_BUSY);
			continue;
		}
		for (; count > 0; count--)
			answer_row(writer, doc, result, row++);
		doc->alone = doc->single > 0;
		writer_land(writer, doc, DOC_READY);
	}
}

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
	uint64_t	pause = LIMIT_BACKOFF_FIRST_MS << (writer->troubles < 6 ? writer->troubles : 6);

	writer->troubles++;
	writer->paused = true;
	uv_timer_start(&writer->timer, on_pause_over, pause, 0);
}

/* Tell whether a batch that may wait has waited for its lock long enough. */
static bool
waited_in_vain(const struct slot *slot, const char *sqlstate)
{
	return slot->waits && strcmp(sqlstate, SQLSTATE_LOCK) == 0;
}

/* Log a failure: loudly the relay's trouble, but once, and not a user's. */
static void
log_failure(struct slot *slot, enum pg_remedy remedy, const char *sqlstate, const char *message)
{
	static const char format[] = "batch of %u operations, %u documents: %s %s";

	if (waited_in_vain(slot, sqlstate))
		log_event(RELAY_DEBUG, slot->name, format, slot->op_count, slot->doc_count, sqlstate, message);
	else if (remedy == REMEDY_NONE)
		log_event(RELAY_INFO, slot->name, format, slot->op_count, slot->doc_count, sqlstate, message);
	else
		log_repeated(&slot->trouble, uv_now(slot->writer->timer.loop), message, RELAY_WARN, slot->name,
					 format, slot->op_count, slot->doc_count, sqlstate, message);
}

/* Deal with one document of a batch that failed. */
static void
retry_doc(struct writer *writer, struct doc *doc, const struct slot *slot, const char *sqlstate, const char *message)
{
	struct pg_failure failure = pg_classify(sqlstate);
	bool		was_alone = slot->doc_count == 1;

	if (waited_in_vain(slot, sqlstate))
	{
		writer_land(writer, doc, DOC_BUSY); /* the next document has its turn */
		return;
	}
	if (failure.remedy == REMEDY_NONE || failure.remedy == REMEDY_RETRY)
		doc->alone = true;
	if (failure.remedy == REMEDY_NONE && was_alone && doc->flying == 1)
		writer_reject_flying(writer, doc, failure.code, message);
	else if (failure.remedy == REMEDY_NONE && was_alone)
		doc->single = doc->flying;
	else if (failure.remedy != REMEDY_NONE && ++doc->attempts >= LIMIT_WRITE_ATTEMPTS)
		writer_reject_flying(writer, doc, failure.code, message);
	writer_land(writer, doc, DOC_READY);
}

/* Deal with a batch that PostgreSQL failed as a whole. */
static void
fail_batch(struct writer *writer, struct slot *slot, const char *sqlstate, const char *message)
{
	struct pg_failure failure = pg_classify(sqlstate);

	writer->metrics->batch_failures++;
	log_failure(slot, failure.remedy, sqlstate, message);
	for (uint32_t i = 0; i < slot->doc_count; i++)
		retry_doc(writer, slot->docs[i], slot, sqlstate, message);
	if (failure.remedy == REMEDY_WAIT)
		pause_writing(writer);
	else if (failure.remedy == REMEDY_RECONNECT)
		pg_link_fail(slot->link, message);
}

/* Take the answer to a batch; without one, whether it was committed is unknown, and it goes again. */
void
writer_on_answer(void *arg, PGresult *result)
{
	struct slot *slot = arg;
	struct writer *writer = slot->writer;

	slot->flying = false;
	if (result == NULL)
	{
		for (uint32_t i = 0; i < slot->doc_count; i++)
			writer_land(writer, slot->docs[i], DOC_READY);
	}
	else if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_batch(writer, slot, pg_sqlstate(result), pg_message(result));
	else if (PQntuples(result) != (int) slot->op_count)
		fail_batch(writer, slot, "XX000", "converge.submit() gave another number of answers");
	else
	{
		answer_batch(writer, slot, result);

		/*
		 * else the end of the turn submits first: PostgreSQL works while
		 * clients are written to
		 */
		if (writer->ready.first == NULL)
			writer->callbacks.answered(writer->callbacks.arg);
	}
}
