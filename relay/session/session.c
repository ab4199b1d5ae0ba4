/*
 * session/session.c: a client: its state, what it was sent, what it may do.
 *
 * A session has no queue of operations, only a cursor, the version it was
 * last sent; what follows is taken from its room when the socket has room.
 * Everything else it is sent (answers, snapshots, what the tables give) waits
 * in a short list, and operations never overtake it.
 *
 * Sessions are held by the server, by their submissions and by what they
 * asked of the tables; the last to let go puts them on a list that is freed
 * at the end of the loop's turn.
 */
#include "session/state.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_LEAST_MS 500
#define RETRY_MORE_MS 1500

/* ---- small things ---- */

/* Log an event of a session. */
void
session_log(const struct session *s, enum log_level level, const char *format,...)
{
	char		subject[160];
	char		doc[UUID_TEXT_LEN + 1] = "-";
	char		text[512];
	va_list		args;

	if (!log_enabled(level))
		return;
	if (s->has_doc)
		uuid_format(&s->doc, doc);
	snprintf(subject, sizeof(subject), "conn %llu doc %s user %.60s", (unsigned long long) s->id, doc,
			 s->user != NULL ? s->user : "-");
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_event(level, subject, "%s", text);
}

/* Choose when a client may come back, not the same moment for all. */
int
session_retry_after_ms(void)
{
	return RETRY_LEAST_MS + (int) (random() % RETRY_MORE_MS);
}

void
session_hold(struct session *s)
{
	s->refs++;
}

/* Let go of a session; the last one puts it where it is freed. */
void
session_let_go(struct session *s)
{
	if (--s->refs == 0)
		session_list_add(&s->owner->reaped, &s->link, s, 0);
}

/* ---- catching up from the tables ---- */

/* Tell whether a ready message composes operations into one. */
static bool
is_composed(const struct catch_up_frame *frame)
{
	static const char open[] = "{\"type\":\"catchup\"";

	return frame->len > sizeof(open) && memcmp(frame->text, open, sizeof(open) - 1) == 0;
}

/*
 * Tell whether a ready message has the client's own operation composed with others,
 * so that he would not know it was in: it was made after the tables were asked.
 */
static bool
hides_own(const struct session *s, const struct catch_up_frame *frame)
{
	return s->own_version > frame->from && s->own_version <= frame->mark.version && is_composed(frame);
}

/* Send a ready message that follows the cursor; what it may not have is asked for again. */
static void
take_frame(struct session *s, const struct catch_up_frame *frame)
{
	if (frame->from != s->member.cursor || !uuid_equal(&frame->mark.life, &s->life) || hides_own(s, frame))
		return;
	session_send(s, frame_text(frame->text, frame->len));
	room_learn(&s->member, &frame->mark);
	s->member.cursor = frame->mark.version;
	if (is_composed(frame))
		s->covered = frame->mark.version;
}

/* The tables gave everything they have. */
static void
finish_catching_up(struct session *s, enum catch_up_result result)
{
	switch (result)
	{
		case CATCH_UP_DONE:
		case CATCH_UP_UNSEEN:
		case CATCH_UP_OUTDATED:
			s->owner->config.transport.wake(s->conn);
			break;
		case CATCH_UP_STALE:	/* too far behind even for the tables: a new
								 * snapshot */
			session_join(s, NULL);
			break;
		case CATCH_UP_GONE:
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document is no more");
			break;
		case CATCH_UP_OTHER:
			session_refuse(s, CLOSE_RESTARTING, "restarting", "the database has lost the last operations; join again");
			break;
		case CATCH_UP_FORBIDDEN:
			session_refuse(s, CLOSE_FORBIDDEN, "forbidden", REVOKED);
			break;
		case CATCH_UP_FAILED:
			session_refuse(s, CLOSE_INTERNAL, "internal", "catching up failed");
			break;
	}
}

static void
on_catch_up(void *arg, const struct uuid *doc, const struct catch_up_frame *frame, enum catch_up_result result)
{
	struct session *s = arg;

	(void) doc;
	if (frame != NULL)
	{
		if (s->state == SESSION_LIVE)
			take_frame(s, frame);
		return;
	}
	s->catching_up = false;
	if (s->state == SESSION_LIVE)
		finish_catching_up(s, result);
	session_let_go(s);
}

/* Read from the tables what the room does not have any more. */
static void
start_catching_up(struct session *s)
{
	struct catch_up_request request = {
		.doc = s->doc,.from = s->member.cursor,.known = room_known(&s->member),
		.pending = s->has_pending ? &s->pending : NULL,.user = s->user,
	};

	s->catching_up = true;
	s->owner->config.metrics->ring_misses++;
	session_hold(s);
	reader_catch_up(s->owner->reader, &request, on_catch_up, s);
}

/* ---- sending ---- */

/* Send a message of our own, or let it wait; takes over the frame. */
void
session_send(struct session *s, struct frame *frame)
{
	struct outgoing *out;

	if (s->state == SESSION_CLOSED)
	{
		frame_unref(frame);
		return;
	}
	if (s->first == NULL && s->owner->config.transport.send(s->conn, frame))
	{
		frame_unref(frame);
		return;
	}
	out = mem_alloc(sizeof(struct outgoing));
	*out = (struct outgoing)
	{
		NULL, frame
	};
	*s->last = out;
	s->last = &out->next;
	s->owner->config.metrics->messages_waiting++;
	s->owner->config.metrics->messages_waiting_bytes += frame->len;
	if (++s->waiting == LIMIT_SESSION_FRAMES)
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "too many answers wait for you to read them");
	s->owner->config.transport.wake(s->conn);
}

/* Drop the message that stands first. */
static void
drop_first(struct session *s)
{
	struct outgoing *out = s->first;

	s->first = out->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->waiting--;
	s->owner->config.metrics->messages_waiting--;
	s->owner->config.metrics->messages_waiting_bytes -= out->frame->len;
	frame_unref(out->frame);
	free(out);
}

/* Send what waits, as far as the socket takes it. */
static bool
send_waiting(struct session *s)
{
	while (s->first != NULL && s->owner->config.transport.send(s->conn, s->first->frame))
		drop_first(s);
	return s->first == NULL;
}

/* Send operations from the cursor on, as far as the socket takes them. */
static void
send_operations(struct session *s)
{
	const struct session_transport *transport = &s->owner->config.transport;

	while (s->member.behind && transport->has_room(s->conn))
	{
		struct frame *frame;
		enum room_next_result next = room_next(&s->member, &frame);

		if (next == ROOM_TABLES)
			start_catching_up(s);
		if (next != ROOM_FRAME)
			return;
		transport->send(s->conn, frame);
		frame_unref(frame);
	}
	if (s->member.behind)
		transport->wake(s->conn);
}

/* The socket has room: send what waits, then what is behind. */
void
session_writable(struct session *s)
{
	if (send_waiting(s) && s->state == SESSION_LIVE && !s->catching_up)
		send_operations(s);
	if (s->unseen)
		session_show_missed(s);
}

/* Take a frame of the room at once, if nothing else has to go first. */
bool
session_deliver(struct room_member *member, struct frame *frame)
{
	struct session *s = (struct session *) member;

	return s->first == NULL && !s->catching_up && s->owner->config.transport.send(s->conn, frame);
}

/* The room has more than was sent. */
void
session_wake(struct room_member *member)
{
	struct session *s = (struct session *) member;

	if (!s->catching_up)
		s->owner->config.transport.wake(s->conn);
}

/* ---- states ---- */

/* Move a session between states: the only place where its state changes. */
void
session_move(struct session *s, enum session_state state)
{
	struct sessions *owner = s->owner;

	s->state = state;
	switch (state)
	{
		case SESSION_GREETING:
			session_list_add(&owner->greeting, &s->link, s, owner->now_s);
			break;
		case SESSION_JOINING:
			if (!s->was_live)
				session_list_add(&owner->settled, &s->link, s, owner->now_s);
			room_pause(&s->member);
			break;
		case SESSION_SYNCING:
			break;
		case SESSION_LIVE:
			s->was_live = true;
			break;
		case SESSION_CLOSING:
			session_list_add(&owner->closing, &s->link, s, owner->now_s);
			room_pause(&s->member);
			session_disappear(s);
			break;
		case SESSION_CLOSED:
			session_disappear(s);
			session_list_remove(&s->link);
			session_set_expiry(s, 0);
			session_end_flow(s);
			room_detach(&s->member);
			s->conn = NULL;
			break;
	}
}

/* Close a session, telling it why: an error message, then the close code. */
void
session_refuse(struct session *s, enum close_code code, const char *error, const char *message)
{
	if (s->state >= SESSION_CLOSING)
		return;
	session_log(s, RELAY_INFO, "closing with %d: %s", code, message);
	session_move(s, SESSION_CLOSING);
	s->close = code;
	s->close_reason = mem_string(message, strnlen(message, LIMIT_CLOSE_REASON_BYTES));
	session_send(s, protocol_error(error, message, code == CLOSE_RESTARTING ? session_retry_after_ms() : 0));
	s->owner->config.transport.wake(s->conn);
}

/* Tell the server whether everything is said and the socket is to be closed. */
bool
session_wants_close(const struct session *s, enum close_code *code, const char **reason)
{
	*code = s->close;
	*reason = s->close_reason;
	return s->state == SESSION_CLOSING && s->first == NULL;
}

/* A new client. The texts are from its request; token may be NULL. */
struct session *
session_open(struct sessions *sessions, void *conn, const char *doc, const char *token)
{
	struct session *s = mem_zalloc(sizeof(struct session));

	s->owner = sessions;
	s->conn = conn;
	s->refs = 1;
	s->id = ++sessions->last_id;
	uuid_make(&s->client_id);
	s->last = &s->first;
	s->has_doc = uuid_parse(doc, strlen(doc), &s->doc);
	if (token != NULL)
		s->offered_token = mem_string(token, strlen(token));
	sessions->count++;
	sessions->config.metrics->connections++;
	sessions->config.metrics->connections_total++;
	session_move(s, SESSION_GREETING);
	if (sessions->draining)
		session_refuse(s, CLOSE_RESTARTING, "restarting", "the relay is restarting");
	return s;
}

/* Count a connection's end under the code it was closed with, 0 where that was not our doing. */
static void
count_close(struct metrics *m, enum close_code code)
{
	const struct
	{
		enum close_code code;
		uint64_t   *counter;
	}			counters[] =
	{
		{CLOSE_TOO_BIG, &m->close_too_big},
		{CLOSE_INTERNAL, &m->close_internal},
		{CLOSE_RESTARTING, &m->close_restarting},
		{CLOSE_MALFORMED, &m->close_malformed},
		{CLOSE_UNAUTHENTICATED, &m->close_unauthenticated},
		{CLOSE_FORBIDDEN, &m->close_forbidden},
		{CLOSE_NOT_FOUND, &m->close_not_found},
		{CLOSE_TOO_SLOW, &m->close_too_slow},
		{CLOSE_FLOODING, &m->close_flooding},
		{0, &m->close_by_peer},
	};
	size_t		row = 0;

	while (counters[row].code != code && counters[row].code != 0)
		row++;
	++*counters[row].counter;
}

/* The socket is gone. */
void
session_closed(struct session *s)
{
	session_log(s, RELAY_DEBUG, "closed");
	count_close(s->owner->config.metrics, s->close);
	session_move(s, SESSION_CLOSED);
	while (s->first != NULL)
		drop_first(s);
	s->owner->count--;
	s->owner->config.metrics->connections--;
	session_let_go(s);
}

/* ---- answers to operations ---- */

/* Count a rejected operation under its code. */
static void
count_reject(struct metrics *m, enum reject_code code)
{
	uint64_t   *const counters[] = {
		[REJECT_STALE] = &m->reject_stale,
		[REJECT_FORBIDDEN] = &m->reject_forbidden,
		[REJECT_INVALID] = &m->reject_invalid,
		[REJECT_CONFLICT] = &m->reject_conflict,
		[REJECT_TOO_LARGE] = &m->reject_too_large,
		[REJECT_RATE_LIMITED] = &m->reject_rate_limited,
		[REJECT_UNAVAILABLE] = &m->reject_unavailable,
	};

	++*counters[code];
}

/* Refuse an operation. */
void
session_reject(struct session *s, const struct uuid *id, enum reject_code code, const char *message)
{
	bool		retryable = code == REJECT_UNAVAILABLE || code == REJECT_RATE_LIMITED;
	int			least_ms = code == REJECT_RATE_LIMITED ? s->wait_ms : 0;

	count_reject(s->owner->config.metrics, code);
	session_log(s, RELAY_DEBUG, "rejecting an operation: %s", message);
	session_send(s, protocol_reject(id, code, message, retryable ? least_ms + session_retry_after_ms() : 0));
}

/* Tell a client that its operation is in, where it does not see so from the log. */
static void
confirm(struct session *s, const struct write_answer *answer)
{
	if (s->state == SESSION_LIVE && answer->version <= s->member.cursor &&
		(answer->duplicate || answer->unchanged || answer->version <= s->covered))
		session_send(s, protocol_one_op(answer->entry, answer->entry_len));
}

/* Take the answer to a submission. */
void
session_answer(void *arg, void *owner, const struct write_answer *answer)
{
	struct session *s = owner;

	(void) arg;
	s->under_way--;
	if (answer->committed && !answer->unchanged && uuid_equal(&answer->operation_id, &s->pending))
		s->own_version = answer->version;
	if (s->state < SESSION_CLOSING)
	{
		if (answer->committed)
			confirm(s, answer);
		else if (answer->gone)
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", answer->message);
		else
			session_reject(s, &answer->operation_id, answer->code, answer->message);
	}
	session_let_go(s);
}
