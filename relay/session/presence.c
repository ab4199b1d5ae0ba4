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
	return s->access.checks == 0 && (s->state == SESSION_SYNCING || s->state == SESSION_LIVE);
}

/*
 * Let the others see a client that has joined, and get whom it is to see:
 * NULL while its role is being asked for.
 */
const struct buf *
session_appear(struct session *s)
{
	if (s->presence.client == NULL)
		s->presence.client = presence_join(s->owner->presence, &s->doc, &s->presence.id, s->user, (int64_t) time(NULL));
	s->presence.missed = !may_see(s);
	return s->presence.missed ? NULL : presence_users(s->presence.client);
}

/* Let the others see it no more. */
void
session_disappear(struct session *s)
{
	if (s->presence.client != NULL)
		presence_leave(s->presence.client);
	s->presence.client = NULL;
	s->presence.missed = false;
}

bool
session_update_presence(struct session *s, const struct message *m, const char **problem)
{
	struct metrics *metrics = s->owner->config.metrics;
	struct presence_update update;

	metrics->presence_in++;
	if (!presence_read_update(m->root, &update, problem))
		return false;
	if (s->flow.level != FLOW_FREE)
		metrics->presence_dropped++;
	else if (s->presence.client != NULL)
		presence_update(s->presence.client, &update);
	return true;
}

/* Show everybody to a client that missed messages, where it can take it now. */
void
session_send_missed_presence(struct session *s)
{
	struct frame *frame;

	if (s->presence.client == NULL || !may_see(s) || s->outbox.first != NULL || !s->owner->config.transport.has_room(s->conn))
		return;
	frame = presence_everybody(s->presence.client);
	s->presence.missed = !s->owner->config.transport.send(s->conn, frame);
	frame_unref(frame);
	s->owner->config.metrics->presence_owed++;
}

/* Show a message of presence to one client of a document. */
static void
show(void *arg, struct room_member *member)
{
	struct frame *frame = arg;
	struct session *s = (struct session *) member;

	if (s->presence.client == NULL || s->presence.missed)
		return;
	if (may_see(s) && s->outbox.first == NULL && s->owner->config.transport.send(s->conn, frame))
	{
		s->owner->config.metrics->presence_out++;
		return;
	}
	s->presence.missed = true;
	if (may_see(s))
		s->owner->config.transport.wake(s->conn);
}

/* Show a message of presence to the clients of a document. */
void
sessions_show(struct sessions *sessions, const struct uuid *doc, struct frame *frame)
{
	rooms_each_member(sessions->rooms, doc, show, frame);
}
