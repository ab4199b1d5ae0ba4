/*
 * session/join.c: how a client gets the text of its document: from its hello to its
 * ack, and again where it cannot catch up.
 */
#include "session/join.h"

#include "base/bounds.h"
#include "session/identity.h"
#include "session/state.h"

#include <stdlib.h>

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

/* Open the room; false: the document that the tables gave was deleted, and the client was refused. */
static bool
enter(struct session *s, const struct revision *revision)
{
	switch (room_open(&s->member, revision))
	{
		case ROOM_OPEN:
			s->life = revision->life;
			return true;
		case ROOM_OTHER:
			session_refuse(s, CLOSE_RESTARTING, "restarting", "the document was deleted and its id is used by another document; join again");
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
		.version = answer->revision.version,.resumed = answer->resumed,.client = &s->presence.id,
		.life = &answer->revision.life,.pending_known = answer->pending_known,.pending_version = answer->pending_version,
	};

	if (!enter(s, &answer->revision))
		return;
	if (answer->pending_version > 0)
		s->ops.own_version = answer->pending_version;
	session_set_role(s, answer->role);
	if (session_role_is_stale(s))
		session_check(s);
	session_log(s, RELAY_DEBUG, "joined at version %lld as %s, %s", (long long) answer->revision.version, answer->role,
				answer->resumed ? "resumed" : "with a snapshot");
	session_move(s, answer->resumed ? SESSION_LIVE : SESSION_SYNCING);
	joined.users = session_appear(s);
	session_send(s, protocol_joined(&joined));
	if (answer->resumed)
	{
		session_go_live(s, s->join.held_version);
		return;
	}
	s->join.snapshot_seq = answer->revision.sequence_id;
	s->member.cursor = s->catch_up.covered = answer->revision.version;
	session_send(s, frame_share(answer->snapshot, answer->snapshot_len));
}

/* Take the tables' answer to a join. */
static void
on_joined(void *arg, const struct join_answer *answer)
{
	struct session *s = arg;

	s->asked = NULL;
	session_charge_answer(s, answer->snapshot_len);
	if (s->state == SESSION_JOINING && answer->joined)
		welcome(s, answer);
	else if (s->state == SESSION_JOINING)
		session_refuse(s, answer->close, error_name(answer->close), answer->message);
	session_let_go(s);
}

void
session_join(struct session *s, const struct hello *hello)
{
	struct join_request request = {
		.doc = s->doc,.user = s->user,.purse = &s->purse,.hello = hello,.pending = s->ops.has_pending ? &s->ops.pending : NULL,
	};

	session_move(s, SESSION_JOINING);
	session_hold(s);
	s->asked = reader_join(s->owner->reader, &request, on_joined, s);
}

void
session_on_hello(struct session *s, const struct message *m)
{
	struct hello hello;
	const char *problem;

	if (!protocol_hello(m, &hello, &problem))
	{
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
		return;
	}
	if (!session_authenticate(s, hello.token != NULL ? hello.token : s->join.offered_token))
		return;
	free(s->join.offered_token);
	s->join.offered_token = NULL;
	if (!s->has_doc)
	{
		session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document id in the path must be a uuid");
		return;
	}
	s->ops.has_pending = hello.has_pending;
	s->ops.pending = hello.pending;
	s->join.held_version = hello.version;
	room_attach(s->owner->rooms, &s->doc, &s->member);
	session_join(s, &hello);
}

void
session_on_ack(struct session *s, const struct message *m)
{
	int64_t		sequence_id;
	const char *problem;

	if (!protocol_ack(m, &sequence_id, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	else if (sequence_id != s->join.snapshot_seq)
		session_refuse(s, CLOSE_MALFORMED, "malformed", "ack: sequenceId must be that of the snapshot");
	else
	{
		session_move(s, SESSION_LIVE);
		session_go_live(s, s->member.cursor);
	}
}
