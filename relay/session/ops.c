/*
 * session/ops.c: the operations of a client, and the answers to them.
 */
#include "session/state.h"

#include <stdlib.h>

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

/* Reject an operation. */
static void
reject(struct session *s, const struct uuid *id, enum reject_code code, const char *message)
{
	bool		retryable = code == REJECT_UNAVAILABLE || code == REJECT_RATE_LIMITED;
	int			least_ms = code == REJECT_RATE_LIMITED ? s->flow.wait_ms : 0;

	count_reject(s->owner->config.metrics, code);
	session_log(s, RELAY_DEBUG, "rejecting an operation: %s", message);
	session_send(s, protocol_reject(id, code, message, retryable ? least_ms + session_retry_after_ms() : 0));
}

/* Submit an operation, or reject it. */
static void
submit(struct session *s, const struct submitted *op)
{
	if (s->owner->draining)
		reject(s, &op->operation_id, REJECT_UNAVAILABLE, "the relay is restarting");
	else if (s->flow.level >= FLOW_REJECT)
		reject(s, &op->operation_id, REJECT_RATE_LIMITED, "rate limit exceeded");
	else if (s->ops.in_flight >= LIMIT_SESSION_OPS)
		reject(s, &op->operation_id, REJECT_RATE_LIMITED, "too many operations are unanswered");
	else if (!writer_submit(s->owner->writer, &s->doc, s, s->flow.account, op))
		reject(s, &op->operation_id, REJECT_UNAVAILABLE, HELD_TOO_MANY);
	else
	{
		s->ops.in_flight++;
		ledger_charge(&s->purse, LEDGER_EDITS, op->text_len);
		s->ops.pending = op->operation_id;
		s->ops.has_pending = true;
		s->ops.own_version = 0;
		session_hold(s);
		return;
	}
	free(op->text);
}

void
session_on_op(struct session *s, const struct message *m)
{
	struct submitted op;
	const char *problem;

	s->owner->config.metrics->ops_in++;
	if (protocol_op(m, &op, &problem))
	{
		op.life = s->life;
		op.far = room_known(&s->member)->version - op.base_version > LIMIT_NEAR_VERSIONS;
		submit(s, &op);
	}
	else if (protocol_operation_id(m, &op.operation_id))
		reject(s, &op.operation_id, REJECT_INVALID, problem);
	else
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
}

/* Tell a client that its operation was committed, where the log does not show it. */
static void
confirm(struct session *s, const struct write_answer *answer)
{
	if (s->state == SESSION_LIVE && answer->version <= s->member.cursor &&
		(answer->duplicate || answer->unchanged || answer->version <= s->catch_up.covered))
		session_send(s, protocol_one_op(answer->entry, answer->entry_len));
}

/* Take the answer to a submission. */
void
session_answer(void *arg, void *owner, const struct write_answer *answer)
{
	struct session *s = owner;

	(void) arg;
	s->ops.in_flight--;
	ledger_release(&s->purse, LEDGER_EDITS, answer->bytes);
	if (answer->committed && !answer->unchanged && uuid_equal(&answer->operation_id, &s->ops.pending))
		s->ops.own_version = answer->version;
	if (s->state < SESSION_CLOSING)
	{
		if (answer->committed)
			confirm(s, answer);
		else if (answer->gone)
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", answer->message);
		else
			reject(s, &answer->operation_id, answer->code, answer->message);
	}
	session_let_go(s);
}
