/*
 * tables/reader_answers.c: rows of PostgreSQL to what was asked.
 */
#include "tables/reader_state.h"

#include "base/bounds.h"
#include "pg/error.h"

#include <stdlib.h>
#include <string.h>

enum join_column
{
	JOIN_ROLE,
	JOIN_TITLE,
	JOIN_VERSION,
	JOIN_SEQ,
	JOIN_ID,
	JOIN_RESUMED,
	JOIN_SNAPSHOT,
	JOIN_LIFE,
	JOIN_PENDING_KNOWN,
	JOIN_PENDING_VERSION,
	JOIN_BYTES
};

enum frame_column
{
	FRAME_DOC,
	FRAME_OURS,
	FRAME_FROM,
	FRAME_VERSION,
	FRAME_SEQ,
	FRAME_ID,
	FRAME_TEXT,
	FRAME_LIFE,
	FRAME_COMPOSED,
	FRAME_BYTES					/* of all frames together; null where they may
								 * not be read */
};

/* Get a whole number out of a result. */
static int64_t
number_at(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

/* Count a join by what the client held and what it got. */
static void
count_join(const struct request *r, const struct join_answer *answer)
{
	struct metrics *m = r->source->reader->metrics;

	if (!answer->joined)
		m->joins_refused++;
	else if (answer->resumed)
		m->joins_resumed++;
	else if (r->has_version)
		m->joins_resynced++;
	else
		m->joins_fresh++;
}

/* Get a version, its seq and its operation, which stand side by side in a result. */
static struct revision
mark_at(const PGresult *result, int row, int column)
{
	struct revision revision = {.version = number_at(result, row, column),.sequence_id = number_at(result, row, column + 1)};
	const char *id = PQgetvalue(result, row, column + 2);

	revision.has_id = uuid_parse(id, strlen(id), &revision.id);
	return revision;
}

/* Get a revision with the life of its document. */
static struct revision
mark_in_life(const PGresult *result, int row, int column, int life_column)
{
	struct revision revision = mark_at(result, row, column);
	const char *life = PQgetvalue(result, row, life_column);

	if (!uuid_parse(life, strlen(life), &revision.life))
		memset(&revision.life, 0, sizeof(revision.life));
	return revision;
}

/* Tell whether a client holds a version that SQL may not see yet. */
static bool
is_unseen(const struct request *r, const struct revision *revision)
{
	return r->has_version && r->version > revision->version && (!r->has_life || uuid_equal(&r->known.life, &revision->life));
}

/*
 * Hand the answer to a join on; tells whether it was one. Who comes from another
 * relay may have been shown by the stream what SQL does not see yet.
 */
static bool
answer_join(struct request *r, const PGresult *result)
{
	struct join_answer answer = {0};

	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
	{
		answer.joined = true;
		answer.role = PQgetvalue(result, 0, JOIN_ROLE);
		answer.title = PQgetvalue(result, 0, JOIN_TITLE);
		answer.revision = mark_in_life(result, 0, JOIN_VERSION, JOIN_LIFE);
		answer.resumed = *PQgetvalue(result, 0, JOIN_RESUMED) == 't';
		answer.pending_known = *PQgetvalue(result, 0, JOIN_PENDING_KNOWN) == 't';
		answer.pending_version = number_at(result, 0, JOIN_PENDING_VERSION);
		answer.snapshot = PQgetvalue(result, 0, JOIN_SNAPSHOT);
		answer.snapshot_len = (size_t) PQgetlength(result, 0, JOIN_SNAPSHOT);
	}
	else
	{
		answer.close = pg_classify(pg_sqlstate(result)).close;
		answer.message = pg_message(result);
	}
	if (answer.joined && !answer.resumed && reader_needs_room(r, (size_t) number_at(result, 0, JOIN_BYTES)))
		return false;
	if (answer.joined && is_unseen(r, &answer.revision) && r->attempts < LIMIT_UNSEEN_ATTEMPTS)
		return false;
	count_join(r, &answer);
	reader_unreserve(r);
	r->on_join(r->arg, &answer);
	return true;
}

/* Return true if PostgreSQL could not make an answer, as it is too large, takes too much, or by a defect. */
static bool
is_too_much(const char *sqlstate)
{
	return strncmp(sqlstate, "54", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 || strncmp(sqlstate, "XX", 2) == 0;
}

/* Get the bytes of all frames of a catch-up, whether they came or not. */
static size_t
frame_bytes(const PGresult *result)
{
	return PQgetisnull(result, 0, FRAME_BYTES) ? 0 : (size_t) number_at(result, 0, FRAME_BYTES);
}

/*
 * Tell how a catch-up ended. Where the log cannot be sent, the whole text can: a
 * client is not refused what it would come for again and again.
 */
static enum catch_up_result
catch_up_outcome(const PGresult *result)
{
	const char *sqlstate;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return CATCH_UP_DONE;
	sqlstate = pg_sqlstate(result);
	if (strcmp(sqlstate, SQLSTATE_STALE) == 0 || is_too_much(sqlstate))
		return CATCH_UP_STALE;
	if (strcmp(sqlstate, SQLSTATE_FUTURE) == 0)
		return CATCH_UP_OTHER;
	return strcmp(sqlstate, SQLSTATE_NOT_FOUND) == 0 ? CATCH_UP_GONE : CATCH_UP_FAILED;
}

/* Tell what a row says of what is known here; what rooms read may lack a text that is too large for them. */
static enum catch_up_result
row_outcome(const PGresult *result, int row, bool is_rooms)
{
	if (PQgetisnull(result, row, FRAME_OURS))
		return CATCH_UP_UNSEEN;
	if (*PQgetvalue(result, row, FRAME_OURS) != 't')
		return CATCH_UP_OTHER;
	if (!PQgetisnull(result, row, FRAME_FROM) && PQgetisnull(result, row, FRAME_TEXT) && !is_rooms)
		return CATCH_UP_FORBIDDEN;
	return CATCH_UP_DONE;
}

/* Hand a row of a catch-up or a backfill on; tells how it is. */
static enum catch_up_result
answer_row(struct request *r, const PGresult *result, int row)
{
	enum catch_up_result outcome = row_outcome(result, row, r->user == NULL);
	struct catch_up_frame frame;
	struct uuid doc;
	struct uuid life;

	if (!uuid_parse(PQgetvalue(result, row, FRAME_LIFE), (size_t) PQgetlength(result, row, FRAME_LIFE), &life))
		life = r->known.life;
	if (!uuid_parse(PQgetvalue(result, row, FRAME_DOC), (size_t) PQgetlength(result, row, FRAME_DOC), &doc))
		return CATCH_UP_FAILED;
	if (outcome == CATCH_UP_DONE && !PQgetisnull(result, row, FRAME_FROM))
	{
		frame = (struct catch_up_frame)
		{
			.from = number_at(result, row, FRAME_FROM),
				.revision = mark_in_life(result, row, FRAME_VERSION, FRAME_LIFE),
				.composed = *PQgetvalue(result, row, FRAME_COMPOSED) == 't' || PQgetisnull(result, row, FRAME_TEXT),
				.text = PQgetvalue(result, row, FRAME_TEXT),
				.len = (size_t) PQgetlength(result, row, FRAME_TEXT),
		};
		r->on_catch_up(r->arg, &doc, &life, &frame, CATCH_UP_DONE);
	}
	else if (r->kind == REQUEST_BACKFILL)
		r->on_catch_up(r->arg, &doc, &life, NULL, outcome);
	return outcome;
}

/* Return true if a client is to wait for what the stream may be about to tell: a version, or a deletion. */
static bool
may_be_told(const struct request *r, enum catch_up_result outcome)
{
	return outcome == CATCH_UP_UNSEEN || (outcome == CATCH_UP_OTHER && r->user != NULL);
}

/*
 * Hand the frames of a catch-up or a backfill on; tells whether there was an
 * answer: the stream shows a version a moment before SQL sees it, and SQL may see
 * that a document was deleted a moment before the stream shows that.
 */
static bool
answer_catch_up(struct request *r, const PGresult *result)
{
	int			rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : 0;
	enum catch_up_result outcome = catch_up_outcome(result);

	if (r->kind == REQUEST_CATCH_UP && rows > 0 && r->attempts < LIMIT_UNSEEN_ATTEMPTS &&
		may_be_told(r, row_outcome(result, 0, r->user == NULL)))
		return false;
	if (r->kind == REQUEST_CATCH_UP && r->user != NULL && outcome == CATCH_UP_DONE && rows > 0 &&
		reader_needs_room(r, frame_bytes(result)))
	{
		/* a client gets the whole text instead of very much */
		if (r->room <= LIMIT_CATCH_UP_BYTES)
			return false;
		r->again = false;
		outcome = CATCH_UP_STALE;
	}
	reader_unreserve(r);
	r->source->reader->metrics->catch_ups++;
	if (outcome != CATCH_UP_DONE)
		rows = 0;
	for (int i = 0; i < rows; i++)
	{
		enum catch_up_result of_row = answer_row(r, result, i);

		if (r->kind == REQUEST_CATCH_UP && of_row != CATCH_UP_DONE)
		{
			outcome = of_row;
			break;
		}
	}
	r->on_catch_up(r->arg, r->kind == REQUEST_BACKFILL ? NULL : &r->doc, &r->known.life, NULL, outcome);
	return true;
}

/* Hand the roles on; tells whether there were any: a document that is being changed has none to tell. */
static bool
answer_roles(struct request *r, const PGresult *result)
{
	enum roles_result outcome = ROLES_FAILED;
	int			rows = PQresultStatus(result) == PGRES_TUPLES_OK ? PQntuples(result) : -1;

	if (rows == 0)
		return false;
	if (rows > 0)
		outcome = ROLES_KNOWN;
	else if (strcmp(pg_sqlstate(result), SQLSTATE_NOT_FOUND) == 0)
		outcome = ROLES_GONE;
	for (int i = 0; i < rows; i++)
		r->on_roles(r->arg, i, PQgetisnull(result, i, 0) ? NULL : PQgetvalue(result, i, 0), outcome);
	r->on_roles(r->arg, -1, NULL, outcome);
	return true;
}

/* Hand a checksum on. */
static void
answer_checksum(struct request *r, const PGresult *result)
{
	bool		known = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;

	r->on_checksum(r->arg, known ? PQgetvalue(result, 0, 0) : NULL);
}

/* Hand an answer on; tells whether it was one. */
bool
reader_answer(struct request *r, const PGresult *result)
{
	switch (r->kind)
	{
		case REQUEST_JOIN:
			return answer_join(r, result);
		case REQUEST_CHECKSUM:
			answer_checksum(r, result);
			return true;
		case REQUEST_ROLES:
			return answer_roles(r, result);
		case REQUEST_CATCH_UP:
		case REQUEST_BACKFILL:
			break;
	}
	return answer_catch_up(r, result);
}
