/*
 * session/messages.c: what a client says: a handler for each type of message,
 * and the states in which it may come.
 */
#include "base/bounds.h"
#include "session/state.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN(state) (1U << (state))

/* ---- hello ---- */

/* Find out who this is; false when it was refused. */
static bool
authenticate(struct session *s, const char *token)
{
	struct identity identity;
	const char *problem;

	if (token == NULL)
	{
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "a token is needed");
		return false;
	}
	if (!auth_check(s->owner->config.auth, token, time(NULL), &identity, &problem))
	{
		s->owner->config.metrics->refused_token++;
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", problem);
		return false;
	}
	if (s->user != NULL && strcmp(s->user, identity.user) != 0)
	{
		free(identity.user);
		session_refuse(s, CLOSE_UNAUTHENTICATED, "unauthenticated", "the token is another user's");
		return false;
	}
	if (s->user != NULL)
		free(identity.user);
	else
	{
		s->user = identity.user;	/* submissions hold on to it */
		if (!session_hold_account(s))
		{
			session_refuse(s, CLOSE_FLOODING, "flooding", "too many connections of this user");
			return false;
		}
	}
	session_set_expiry(s, identity.expires);
	return true;
}

/* Get the name of the error that goes with a close code. */
static const char *
error_name(enum close_code code)
{
	switch (code)
	{
		case CLOSE_FORBIDDEN:
			return "forbidden";
		case CLOSE_NOT_FOUND:
			return "not_found";
		case CLOSE_RESTARTING:
			return "unavailable";
		case CLOSE_TOO_BIG:
			return "too_large";
		default:
			return "internal";
	}
}

/* Enter the room; false where it is not at the document that the tables gave, which is no more. */
static bool
enter(struct session *s, const struct mark *mark)
{
	switch (room_open(&s->member, mark))
	{
		case ROOM_OPEN:
			s->life = mark->life;
			return true;
		case ROOM_OTHER:
			session_refuse(s, CLOSE_RESTARTING, "restarting", "the document was deleted, and another has its id; join again");
			break;
		case ROOM_DELETED:
			session_end_deleted(s);
			break;
	}
	return false;
}

/* Send what a joined client needs to begin. */
static void
welcome(struct session *s, const struct join_answer *answer)
{
	struct joined joined = {
		.doc = &s->doc,.user = s->user,.role = answer->role,.title = answer->title,
		.version = answer->mark.version,.resumed = answer->resumed,.client = &s->client_id,
		.life = &answer->mark.life,.pending_known = answer->pending_known,.pending_version = answer->pending_version,
	};

	if (!enter(s, &answer->mark))
		return;
	if (answer->pending_version > 0)
		s->own_version = answer->pending_version;
	session_set_role(s, answer->role);
	if (session_is_doubtful(s))
		session_check(s);
	session_log(s, RELAY_DEBUG, "joined at version %lld as %s, %s", (long long) answer->mark.version, answer->role,
				answer->resumed ? "resumed" : "with a snapshot");
	session_move(s, answer->resumed ? SESSION_LIVE : SESSION_SYNCING);
	joined.users = session_appear(s);
	session_send(s, protocol_joined(&joined));
	if (answer->resumed)
	{
		session_go_live(s, s->held_version);
		return;
	}
	s->snapshot_seq = answer->mark.sequence_id;
	s->member.cursor = s->covered = answer->mark.version;
	session_send(s, frame_text(answer->snapshot, answer->snapshot_len));
}

/* Take the tables' answer to a join. */
static void
on_joined(void *arg, const struct join_answer *answer)
{
	struct session *s = arg;

	if (s->state == SESSION_JOINING && answer->joined)
		welcome(s, answer);
	else if (s->state == SESSION_JOINING)
		session_refuse(s, answer->close, error_name(answer->close), answer->message);
	session_let_go(s);
}

/* Tell whether slow readers leave no memory for one more snapshot. */
static bool
is_full(const struct sessions *sessions)
{
	const struct metrics *m = sessions->config.metrics;

	return m->messages_waiting_bytes + m->socket_bytes > (uint64_t) sessions->config.config->max_memory_mib << 20;
}

/* Ask the tables for what a joining client needs. */
void
session_join(struct session *s, const struct hello *hello)
{
	struct join_request request = {
		.doc = s->doc,.user = s->user,.hello = hello,.pending = s->has_pending ? &s->pending : NULL,
	};

	if (is_full(s->owner))
	{
		s->owner->config.metrics->refused_memory++;
		session_refuse(s, CLOSE_RESTARTING, "unavailable", "too much waits for clients that are slow to read");
		return;
	}
	session_move(s, SESSION_JOINING);
	session_hold(s);
	reader_join(s->owner->reader, &request, on_joined, s);
}

static void
on_hello(struct session *s, const struct message *m)
{
	struct hello hello;
	const char *problem;

	if (!protocol_hello(m, &hello, &problem))
	{
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
		return;
	}
	if (!authenticate(s, hello.token != NULL ? hello.token : s->offered_token))
		return;
	free(s->offered_token);
	s->offered_token = NULL;
	if (!s->has_doc)
	{
		session_refuse(s, CLOSE_NOT_FOUND, "not_found", "a document's id is a uuid");
		return;
	}
	s->has_pending = hello.has_pending;
	s->pending = hello.pending;
	s->held_version = hello.version;
	room_attach(s->owner->rooms, &s->doc, &s->member);
	session_join(s, &hello);
}

/* ---- the other messages ---- */

static void
on_ack(struct session *s, const struct message *m)
{
	int64_t		sequence_id;
	const char *problem;

	if (!protocol_ack(m, &sequence_id, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	else if (sequence_id != s->snapshot_seq)
		session_refuse(s, CLOSE_MALFORMED, "malformed", "ack: this is not the snapshot's sequenceId");
	else
	{
		session_move(s, SESSION_LIVE);
		session_go_live(s, s->member.cursor);
	}
}

/* Submit an operation, or say why not. */
static void
submit(struct session *s, const struct submitted *op)
{
	if (s->owner->draining)
		session_reject(s, &op->operation_id, REJECT_UNAVAILABLE, "the relay is restarting");
	else if (s->flow >= FLOW_REJECT)
		session_reject(s, &op->operation_id, REJECT_RATE_LIMITED, "too much at once");
	else if (s->under_way >= LIMIT_SESSION_OPS)
		session_reject(s, &op->operation_id, REJECT_RATE_LIMITED, "too many operations are under way");
	else if (!writer_submit(s->owner->writer, &s->doc, s, s->user, op))
		session_reject(s, &op->operation_id, REJECT_UNAVAILABLE, "too many operations wait for PostgreSQL");
	else
	{
		s->under_way++;
		s->pending = op->operation_id;
		s->has_pending = true;
		s->own_version = 0;
		session_hold(s);
		return;
	}
	free(op->text);
}

static void
on_op(struct session *s, const struct message *m)
{
	struct submitted op;
	const char *problem;

	s->owner->config.metrics->ops_in++;
	if (protocol_op(m, &op, &problem))
	{
		op.life = s->life;
		submit(s, &op);
	}
	else if (protocol_operation_id(m, &op.operation_id))
		session_reject(s, &op.operation_id, REJECT_INVALID, problem);
	else
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
}

static void
on_token(struct session *s, const struct message *m)
{
	struct hello hello;
	const char *problem;

	if (!protocol_hello(m, &hello, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", "token: token is a string");
	else
		authenticate(s, hello.token);
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
	{"hello", on_hello, IN(SESSION_GREETING), 0, "a second hello"},
	{"ack", on_ack, IN(SESSION_SYNCING), 0, "an ack, and no snapshot waits for one"},
	{"op", on_op, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "an op before the snapshot was acknowledged"},
	{"checksum", session_claim, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "a checksum before the snapshot was acknowledged"},
	{"presence", session_say, IN(SESSION_LIVE), IN(SESSION_JOINING) | IN(SESSION_SYNCING), "a presence before the snapshot was acknowledged"},
	{"token", on_token, IN(SESSION_JOINING) | IN(SESSION_SYNCING) | IN(SESSION_LIVE), 0, "a token before the hello"},
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

	if (s->state == SESSION_GREETING && (handler == NULL || handler->handle != on_hello))
		session_refuse(s, CLOSE_MALFORMED, "out_of_order", "hello comes first");
	else if (handler == NULL)
		session_send(s, protocol_error("unknown_type", "there is no message of this type", 0));
	else if (!(states & IN(s->state)))
		session_refuse(s, CLOSE_MALFORMED, "out_of_order", handler->elsewhere);
	else if (m->lone_surrogate && handler->handle != on_op)
		session_refuse(s, CLOSE_MALFORMED, "malformed", "the message holds a lone surrogate");
	else
		handler->handle(s, m);
}

/* Note a sign of life. */
void
session_heard(struct session *s)
{
	s->link.heard_s = s->owner->now_s;
}

/* Get the time that sessions go by. */
int64_t
session_now_s(const struct session *s)
{
	return s->owner->now_s;
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
	if (!session_charge(s, len))
		return;
	if (protocol_parse(text, len, &m, &problem))
		handle(s, &m);
	else
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	protocol_release(&m);
}
