/*
 * session/presence.c: a client among the others in its document: what it says
 * of itself, and what it is shown of them.
 *
 * Messages of presence never wait in a client's list. Whoever cannot take one,
 * because its socket is full or its role is being asked for, is shown
 * everybody at once as soon as it can.
 */
#include "session/state.h"

#include <time.h>

/* Tell whether a client may be shown who is there. */
static bool
may_see(const struct session *s)
{
	return s->checks == 0 && (s->state == SESSION_SYNCING || s->state == SESSION_LIVE);
}

/*
 * Let the others see a client that has joined, and get whom it is to see:
 * NULL while its role is being asked for.
 */
const struct buf *
session_appear(struct session *s)
{
	if (s->presence == NULL)
		s->presence = presence_join(s->owner->presence, &s->doc, &s->client_id, s->user, (int64_t) time(NULL));
	s->unseen = !may_see(s);
	return s->unseen ? NULL : presence_users(s->presence);
}

/* Let the others see it no more. */
void
session_disappear(struct session *s)
{
	if (s->presence != NULL)
		presence_leave(s->presence);
	s->presence = NULL;
	s->unseen = false;
}

/* Take what a client says of itself. */
void
session_say(struct session *s, const struct message *m)
{
	struct metrics *metrics = s->owner->config.metrics;
	struct presence_said said;
	const char *problem;

	metrics->presence_in++;
	if (!presence_read_said(m->root, &said, &problem))
		session_refuse(s, CLOSE_MALFORMED, "malformed", problem);
	else if (s->flow != FLOW_FREE)
		metrics->presence_dropped++;
	else if (s->presence != NULL)
		presence_say(s->presence, &said);
}

/* Show everybody to a client that missed messages, where it can take it now. */
void
session_show_missed(struct session *s)
{
	struct frame *frame;

	if (s->presence == NULL || !may_see(s) || s->first != NULL || !s->owner->config.transport.has_room(s->conn))
		return;
	frame = presence_everybody(s->presence);
	s->unseen = !s->owner->config.transport.send(s->conn, frame);
	frame_unref(frame);
	s->owner->config.metrics->presence_owed++;
}

/* Show a message of presence to one client of a document. */
static void
show(void *arg, struct room_member *member)
{
	struct frame *frame = arg;
	struct session *s = (struct session *) member;

	if (s->presence == NULL || s->unseen)
		return;
	if (may_see(s) && s->first == NULL && s->owner->config.transport.send(s->conn, frame))
	{
		s->owner->config.metrics->presence_out++;
		return;
	}
	s->unseen = true;
	if (may_see(s))
		s->owner->config.transport.wake(s->conn);
}

/* Show a message of presence to the clients of a document. */
void
sessions_show(struct sessions *sessions, const struct uuid *doc, struct frame *frame)
{
	rooms_each_member(sessions->rooms, doc, show, frame);
}
