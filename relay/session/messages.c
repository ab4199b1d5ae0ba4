/*
 * session/messages.c: the messages of a client: a handler for each type, and the
 * states in which it may come.
 */
#include "session/identity.h"
#include "session/state.h"

#include <string.h>

/* a message of this length has no elements that are worth counting */
#define FEW_BYTES 1024

#define IN(state) (1U << (state))

static void
on_token(struct session *s, const struct message *m)
{
	struct hello hello;
	const char *problem;

	if (!protocol_hello(m, &hello, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", "token: token must be a string");
	else
		session_authenticate(s, hello.token);
}

static void
on_presence(struct session *s, const struct message *m)
{
	const char *problem;

	if (!session_update_presence(s, m, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
}

/* A client wants to see whether this connection still lives. */
static void
on_ping(struct session *s, const struct message *m)
{
	(void) m;
	session_send(s, protocol_pong());
}

static const struct handler
{
	const char *type;
	void		(*handle) (struct session *s, const struct message *m);
	unsigned	states;			/* in which it may come */
	unsigned	again;			/* ... and in which, after a second snapshot */
	const char *elsewhere;		/* what is wrong with it in others */
}			handlers[] =

{
	{"hello", session_on_hello, IN(SESSION_GREETING), 0, "hello was already sent"},
	{"ack", session_on_ack, IN(SESSION_SYNCING), 0, "ack without a snapshot to acknowledge"},
	{"op", session_on_op, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "op before the ack of the snapshot"},
	{"checksum", session_on_checksum, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "checksum before the ack of the snapshot"},
	{"presence", on_presence, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "presence before the ack of the snapshot"},
	{"ping", on_ping, IN(SESSION_JOINING) | IN(SESSION_SYNCING) | IN(SESSION_LIVE), 0, "ping before hello"},
	{"comment", session_on_talk, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "comment before the ack of the snapshot"},
	{"thread", session_on_talk, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "thread before the ack of the snapshot"},
	{"suggest", session_on_talk, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "suggest before the ack of the snapshot"},
	{"decide", session_on_talk, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "decide before the ack of the snapshot"},
	{"chat", session_on_talk, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "chat before the ack of the snapshot"},
	{"token", on_token, IN(SESSION_JOINING) | IN(SESSION_SYNCING) | IN(SESSION_LIVE), 0, "token before hello"},
};

#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))

/* Find the handler of a type. */
static const struct handler *
find_handler(const char *type)
{
	for (size_t i = 0; i < HANDLER_COUNT; i++)
	{
		if (strcmp(handlers[i].type, type) == 0)
			return &handlers[i];
	}
	return NULL;
}

/* Hand a message to its handler, where it may come now. */
static void
handle(struct session *s, const struct message *m)
{
	const struct handler *handler = find_handler(m->type);
	unsigned	states = handler != NULL ? handler->states | (s->was_live ? handler->again : 0) : 0;

	if (s->state == SESSION_GREETING && (handler == NULL || handler->handle != session_on_hello))
		session_refuse(s, CLOSE_MALFORMED, "out_of_order", "the first message must be hello");
	else if (handler == NULL)
		session_send(s, protocol_error("unknown_type", "unknown message type", 0));
	else if (!(states & IN(s->state)))
		session_refuse(s, CLOSE_MALFORMED, "out_of_order", handler->elsewhere);
	else if (m->lone_surrogate && handler->handle != session_on_op && handler->handle != session_on_talk)
		session_refuse(s, CLOSE_MALFORMED, "malformed", "the message contains a lone surrogate");
	else
		handler->handle(s, m);
}

/* Charge a client for bytes and elements; false: it was too much, and the client was refused. */
static bool
charge(struct session *s, size_t len, size_t elements)
{
	if (session_take_charge(s, len, elements))
		return true;
	session_refuse(s, CLOSE_FLOODING, "flooding", "rate limit exceeded for too long");
	return false;
}

/* Charge a client for what it sent; false: it was too much, and the client was refused. */
bool
session_charge(struct session *s, size_t len)
{
	return charge(s, len, 0);
}

/* A message came. */
void
session_receive(struct session *s, const char *text, size_t len)
{
	struct message m;
	const char *problem;

	if (s->state >= SESSION_CLOSING)
		return;
	session_heard(s);
	s->owner->config.metrics->messages_in++;
	s->owner->config.metrics->bytes_in += len;
	if (!charge(s, len, len > FEW_BYTES ? protocol_count_elements(text, len) : 0))
		return;
	if (protocol_parse(text, len, &m, &problem))
		handle(s, &m);
	else
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	protocol_release(&m);
}
