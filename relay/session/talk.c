/*
 * session/talk.c: comments, suggestions and chat.
 *
 * A client's messages are calls of SQL on its user's behalf, one at a time and in the
 * order in which they came. The answer is the event, which the stream shows to all
 * clients of the document; where it is there already, since the message came before,
 * the client is sent it alone.
 *
 * Events come in the order of the commits, among operations and changes of members.
 * They do not wait for a client that cannot take them, or whose role is being asked
 * for: it is told, as soon as it can be, that it has missed some, and lists them.
 * Where the stream may have shown too little, the tables are asked for the number of
 * each document's last change.
 */
#include "session/talk.h"

#include "base/bounds.h"
#include "base/mem.h"
#include "pg/error.h"
#include "session/state.h"
#include "tables/sql_pool.h"

#include <stdlib.h>
#include <string.h>

/* a message on its way through PostgreSQL, or waiting for those before it */
struct talk_call
{
	struct talk_call *next;
	struct session *session;
	struct talk_request request;
	char		doc[UUID_TEXT_LEN + 1]; /* as the first parameter */
	bool		sent;
};

static void call_next(struct session *s);

/* ---- events ---- */

/* Return true if a client may be sent an event now. */
static bool
may_hear(const struct session *s)
{
	return s->state == SESSION_LIVE && s->access.checks == 0;
}

void
session_send_missed_talk(struct session *s)
{
	struct frame *frame;

	if (!s->talk.missed || !may_hear(s) || s->outbox.first != NULL || !s->owner->config.transport.has_room(s->conn))
		return;
	frame = frame_text(TALK_HINT, sizeof(TALK_HINT) - 1);
	s->talk.missed = !s->owner->config.transport.send(s->conn, frame);
	frame_unref(frame);
	s->owner->config.metrics->talk_hints++;
}

/* Note that a client has missed an event. */
static void
note_missed(struct session *s)
{
	s->talk.missed = true;
	if (may_hear(s))
		s->owner->config.transport.wake(s->conn);
}

/* Send an event to one client of its document. */
static void
show(void *arg, struct room_member *member)
{
	struct frame *frame = arg;
	struct session *s = (struct session *) member;

	if (s->state >= SESSION_CLOSING || s->talk.missed)
		return;
	if (may_hear(s) && s->outbox.first == NULL && s->owner->config.transport.send(s->conn, frame))
		s->owner->config.metrics->talk_out++;
	else
		note_missed(s);
}

/* Send an event of the stream to all clients of its document. */
void
sessions_hear(struct sessions *sessions, const struct talk_event *event)
{
	struct frame *frame = talk_event_frame(event);

	rooms_note_talk(sessions->rooms, &event->doc, event->changed);
	rooms_flush_one(sessions->rooms, &event->doc);
	rooms_each_member(sessions->rooms, &event->doc, show, frame);
	frame_unref(frame);
}

static void
miss(void *arg, struct room_member *member)
{
	struct session *s = (struct session *) member;

	(void) arg;
	if (s->state < SESSION_CLOSING)
		note_missed(s);
	session_send_missed_talk(s);
}

static void
miss_room(void *arg, const struct uuid *doc)
{
	struct sessions *sessions = arg;

	rooms_each_member(sessions->rooms, doc, miss, NULL);
}

/* ---- what the stream may not have shown ---- */

/* Take the numbers of documents: where one is higher than what was shown here, its clients are told. */
static void
on_numbers(void *arg, enum call_result outcome, const PGresult *result, uint64_t took_ms)
{
	struct sessions *sessions = arg;
	struct uuid doc;

	(void) took_ms;
	sessions->talk.asking = false;
	if (outcome != CALL_DONE)
	{
		sessions->talk.again_s = sessions->now_s + LIMIT_TALK_AGAIN_S;
		return;
	}
	for (int i = 0; i < PQntuples(result); i++)
	{
		int64_t		number = strtoll(PQgetvalue(result, i, 1), NULL, 10);

		if (uuid_parse(PQgetvalue(result, i, 0), UUID_TEXT_LEN, &doc) && rooms_note_talk(sessions->rooms, &doc, number))
			miss_room(sessions, &doc);
	}
}

/* the documents to be asked about, as PostgreSQL's array */
struct asked
{
	struct sessions *sessions;
	bool		all;			/* else only those that the stream does not show */
	struct buf	docs;
};

static void
add_doc(void *arg, const struct uuid *doc)
{
	struct asked *asked = arg;
	const struct sessions_config *config = &asked->sessions->config;
	char		text[UUID_TEXT_LEN + 1];

	if (!asked->all && config->shows(config->arg, doc))
		return;
	uuid_format(doc, text);
	buf_format(&asked->docs, "%s%s", asked->docs.len > 0 ? "," : "{", text);
}

/* Ask for the numbers of the documents that have clients here. */
static void
ask_numbers(struct sessions *sessions, bool all)
{
	struct asked asked = {.sessions = sessions,.all = all};
	struct pg_params params = {0};
	struct call_request request = {.statement = "talk_numbers",.lane = "",.params = &params,.repeatable = true};

	rooms_each(sessions->rooms, add_doc, &asked);
	if (asked.docs.len > 0)
	{
		buf_put(&asked.docs, "}", sizeof("}"));
		free(sessions->talk.docs);
		sessions->talk.docs = asked.docs.data;
		pg_param_text(&params, sessions->talk.docs);
		sessions->talk.asking = sql_pool_call(sessions->pool, &request, on_numbers, sessions) != NULL;
	}
	if (all && asked.docs.len > 0 && !sessions->talk.asking)
		sessions->talk.again_s = sessions->now_s + LIMIT_TALK_AGAIN_S;
}

/* Events of any document may have been missed: look now, and for such as become visible in a moment. */
void
sessions_miss_talk(struct sessions *sessions)
{
	sessions->talk.again_s = sessions->now_s + LIMIT_TALK_AGAIN_S;
	if (!sessions->talk.asking)
		ask_numbers(sessions, true);
}

void
sessions_tick_talk(struct sessions *sessions)
{
	bool		all = sessions->talk.again_s != 0 && sessions->now_s >= sessions->talk.again_s;

	if (sessions->talk.asking)
		return;
	if (all)
		sessions->talk.again_s = 0;
	ask_numbers(sessions, all);
}

/* ---- calls ---- */

/* Reject a message. */
static void
reject(struct session *s, const struct talk_request *request, enum reject_code code, const char *message)
{
	bool		retryable = code == REJECT_UNAVAILABLE || code == REJECT_RATE_LIMITED;
	int			least_ms = code == REJECT_RATE_LIMITED ? s->flow.wait_ms : 0;

	s->owner->config.metrics->talk_rejected++;
	session_log(s, RELAY_DEBUG, "rejecting a %s: %s", request->type, message);
	session_send(s, talk_reject(request->type, request->id, code, message, retryable ? least_ms + session_retry_after_ms() : 0));
}

/* Take the first call off the list, and be done with it. */
static void
finish_first(struct session *s)
{
	struct talk_call *call = s->talk.first;

	s->talk.first = call->next;
	s->talk.count--;
	talk_release(&call->request);
	free(call);
}

/* Answer a message that was carried out: the stream does, unless nothing was written or it does not show the document. */
static void
answer_done(struct session *s, const PGresult *result)
{
	if (PQntuples(result) == 0 && !s->owner->config.shows(s->owner->config.arg, &s->doc))
		miss_room(s->owner, &s->doc);
	for (int i = 0; i < PQntuples(result); i++)
		session_send(s, frame_text(PQgetvalue(result, i, 0), (size_t) PQgetlength(result, i, 0)));
}

/* Answer a message that PostgreSQL refused. */
static void
answer_failed(struct session *s, const struct talk_request *request, const PGresult *result)
{
	reject(s, request, pg_classify(pg_sqlstate(result)).code, pg_message(result));
}

/* Take the answer to a call. */
static void
on_answer(void *arg, enum call_result outcome, const PGresult *result, uint64_t took_ms)
{
	struct talk_call *call = arg;
	struct session *s = call->session;

	(void) took_ms;
	if (s->state < SESSION_CLOSING)
	{
		if (outcome == CALL_DONE)
			answer_done(s, result);
		else if (outcome == CALL_FAILED)
			answer_failed(s, &call->request, result);
		else
			reject(s, &call->request, REJECT_UNAVAILABLE, "PostgreSQL cannot be reached");
	}
	finish_first(s);
	while (s->talk.first != NULL && s->state >= SESSION_CLOSING)
		finish_first(s);
	call_next(s);
	session_let_go(s);
}

/* Send the first call, unless it was sent. */
static void
call_next(struct session *s)
{
	struct talk_call *call = s->talk.first;
	struct pg_params params = {0};
	struct call_request request;

	if (call == NULL || call->sent || s->state >= SESSION_CLOSING)
		return;
	uuid_format(&s->doc, call->doc);
	pg_param_text(&params, call->doc);
	for (int i = 0; i < call->request.count; i++)
		pg_param_text(&params, call->request.values[i]);
	request = (struct call_request)
	{
		.statement = call->request.statement,.user = s->user,.lane = s->user,.purse = &s->purse,.params = &params,.repeatable = true,
	};
	call->sent = true;
	session_hold(s);
	if (sql_pool_call(s->owner->pool, &request, on_answer, call) != NULL)
		return;
	reject(s, &call->request, REJECT_UNAVAILABLE, "too many requests are waiting already");
	finish_first(s);
	session_let_go(s);
	call_next(s);
}

/* Add a call to the list. */
static void
add_call(struct session *s, const struct talk_request *request)
{
	struct talk_call *call = mem_zalloc(sizeof(struct talk_call));
	struct talk_call **last = &s->talk.first;

	call->session = s;
	call->request = *request;
	while (*last != NULL)
		last = &(*last)->next;
	*last = call;
	s->talk.count++;
	call_next(s);
}

void
session_on_talk(struct session *s, const struct message *m)
{
	struct talk_request request;
	const char *problem = NULL;
	bool		good = talk_read(m, &request, &problem);

	s->owner->config.metrics->talk_in++;
	if (request.id == NULL)
		session_refuse(s, CLOSE_MALFORMED, "malformed", good ? "the message has no id" : problem);
	else if (!good)
		reject(s, &request, REJECT_INVALID, problem);
	else if (s->owner->draining)
		reject(s, &request, REJECT_UNAVAILABLE, "the relay is restarting");
	else if (s->flow.level >= FLOW_REJECT)
		reject(s, &request, REJECT_RATE_LIMITED, "rate limit exceeded");
	else if (s->talk.count >= LIMIT_SESSION_TALK)
		reject(s, &request, REJECT_RATE_LIMITED, "too many messages are unanswered");
	else
	{
		add_call(s, &request);
		return;
	}
	talk_release(&request);
}
