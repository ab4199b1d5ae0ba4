/*
 * session/catch_up.c: operations that a client reads from the tables, because the
 * room does not have them any more.
 */
#include "session/state.h"

/*
 * Return true if a ready message composes the client's own operation with others, so
 * that the client could not see that it was committed: it was made after the tables
 * were asked.
 */
static bool
hides_own(const struct session *s, const struct catch_up_frame *frame)
{
	return s->ops.own_version > frame->from && s->ops.own_version <= frame->revision.version && frame->composed;
}

/* Send a ready message that follows the cursor; what a client may not have is read again. */
static void
take_frame(struct session *s, const struct catch_up_frame *frame)
{
	if (frame->from != s->member.cursor || !uuid_equal(&frame->revision.life, &s->life) || hides_own(s, frame))
		return;
	session_charge_answer(s, frame->len);
	session_send(s, frame_share(frame->text, frame->len));
	room_learn(&s->member, &frame->revision);
	s->member.cursor = frame->revision.version;
	if (frame->composed)
		s->catch_up.covered = frame->revision.version;
}

/* The tables gave all they have. */
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
			session_refuse(s, CLOSE_NOT_FOUND, "not_found", "the document no longer exists");
			break;
		case CATCH_UP_OTHER:
			session_refuse(s, CLOSE_RESTARTING, "restarting", "the database lost its last operations; join again");
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
on_catch_up(void *arg, const struct uuid *doc, const struct uuid *life, const struct catch_up_frame *frame,
			enum catch_up_result result)
{
	struct session *s = arg;

	(void) doc;
	(void) life;
	if (frame != NULL)
	{
		if (s->state == SESSION_LIVE)
			take_frame(s, frame);
		return;
	}
	s->catch_up.running = false;
	s->asked = NULL;
	if (s->state == SESSION_LIVE)
		finish_catching_up(s, result);
	session_let_go(s);
}

void
session_catch_up(struct session *s)
{
	struct catch_up_request request = {
		.doc = s->doc,.from = s->member.cursor,.known = room_known(&s->member),
		.pending = s->ops.has_pending ? &s->ops.pending : NULL,.user = s->user,.purse = &s->purse,
	};

	s->catch_up.running = true;
	s->owner->config.metrics->ring_misses++;
	session_hold(s);
	s->asked = reader_catch_up(s->owner->reader, &request, on_catch_up, s);
}
