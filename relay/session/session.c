/*
 * session/session.c: a client's session: its states, its messages, its end.
 *
 * A session has no queue of operations, only a cursor, the version it was last
 * sent; what follows is taken from its room when the socket has room (send.c).
 * All other messages (answers, snapshots, what the tables give) wait in a short
 * list (outbox.c), and operations never overtake it.
 *
 * The server, each submission and each question to the tables has a reference
 * to a session; when the last one is released, the session is put on a list that
 * is freed at the end of the loop's turn.
 */
#include "session/state.h"

#include "base/bounds.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_LEAST_MS 500
#define RETRY_MORE_MS 1500

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

/* Choose when a client may come back: at random, so that clients do not all come at once. */
int
session_retry_after_ms(void)
{
	return RETRY_LEAST_MS + (int) (random() % RETRY_MORE_MS);
}

/* Add a reference to a session. */
void
session_hold(struct session *s)
{
	s->refs++;
}

/* Release a reference; the last one puts the session on the list of those to be freed. */
void
session_let_go(struct session *s)
{
	if (--s->refs == 0)
		session_list_add(&s->owner->reaped, &s->link, s, 0);
}

/* Note a sign of life. */
void
session_heard(struct session *s)
{
	s->link.heard_s = s->owner->now_s;
}

struct ledger_purse *
session_purse(struct session *s)
{
	return &s->purse;
}

/* Return how long a message may be: the first one brings the token. */
size_t
session_message_limit(const struct session *s)
{
	size_t		most = (size_t) s->owner->config.config->max_message_bytes;

	return s->state == SESSION_GREETING && most > LIMIT_STRANGER_BYTES ? LIMIT_STRANGER_BYTES : most;
}

/* Return the time that sessions go by. */
int64_t
session_now_s(const struct session *s)
{
	return s->owner->now_s;
}

/* Send a message, or let it wait in the outbox; takes over the frame. */
void
session_send(struct session *s, struct frame *frame)
{
	if (s->state == SESSION_CLOSED)
		frame_unref(frame);
	else if (!outbox_add(s, frame))
		session_refuse(s, CLOSE_TOO_SLOW, "too_slow", "the client reads too slowly: too many unread messages");
}

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

/* Close a session and say why: an error message, then the close code. */
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

/* Return true if every message was sent and the socket is to be closed. */
bool
session_wants_close(const struct session *s, enum close_code *code, const char **reason)
{
	*code = s->close;
	*reason = s->close_reason;
	return s->state == SESSION_CLOSING && s->outbox.first == NULL;
}

/* Close a client whose user or address makes the relay hold most, and drop at once what waits for it. */
static void
close_debtor(struct ledger_purse *purse)
{
	struct session *s = (struct session *) ((char *) purse - offsetof(struct session, purse));
	bool		cut;

	if (s->state == SESSION_CLOSED)
		return;
	cut = s->owner->config.transport.abandon(s->conn);
	outbox_drop(s);
	session_refuse(s, CLOSE_HOLDING, "holding", "too much was waiting for you: you read too slowly, or ask for too much (max-memory)");
	/* inside a message no other may begin: only the close says why */
	if (cut)
		outbox_drop(s);
}

static const struct ledger_acts debtor_acts = {.close = close_debtor,.slow = session_slow};

/* Create the session of a new client. The texts are from its request; token may be NULL. */
struct session *
session_open(struct sessions *sessions, void *conn, const char *doc, const char *token, const char *peer)
{
	struct session *s = mem_zalloc(sizeof(struct session));

	s->owner = sessions;
	s->conn = conn;
	s->refs = 1;
	s->id = ++sessions->last_id;
	uuid_make(&s->presence.id);
	outbox_init(&s->outbox);
	s->purse.acts = &debtor_acts;
	ledger_open(sessions->config.ledger, &s->purse, peer);
	ledger_charge(&s->purse, LEDGER_CONNECTIONS, LIMIT_CONNECTION_BYTES);
	s->has_doc = uuid_parse(doc, strlen(doc), &s->doc);
	if (token != NULL)
		s->join.offered_token = mem_string(token, strlen(token));
	sessions->count++;
	sessions->config.metrics->connections++;
	sessions->config.metrics->connections_total++;
	session_move(s, SESSION_GREETING);
	if (sessions->draining)
		session_refuse(s, CLOSE_RESTARTING, "restarting", "the relay is restarting");
	return s;
}

/* Count a connection's end under its close code; the last row is for one that the client closed. */
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
		{CLOSE_HOLDING, &m->close_holding},
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
	outbox_drop(s);
	s->purse.closed = true;
	s->purse.acts = NULL;
	if (s->asked != NULL)
		reader_abandon(s->owner->reader, s->asked);
	ledger_release(&s->purse, LEDGER_CONNECTIONS, LIMIT_CONNECTION_BYTES);
	s->owner->count--;
	s->owner->config.metrics->connections--;
	session_let_go(s);
}
