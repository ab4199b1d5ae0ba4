/*
 * session/presence.c: a client among the others in its document: the updates that
 * it sends about itself, and the messages that it gets about the others.
 *
 * Messages of presence never wait in a client's outbox. A client that cannot take
 * one, because its socket is full or its role is being asked for, is sent the
 * whole list as soon as it can take it.
 */
#include "session/state.h"

#include <time.h>

/* Return true if a client may be sent presence. */
static bool
may_see(const struct session *s)
{
	return s->access.checks == 0 && (s->state == SESSION_SYNCING || s->state == SESSION_LIVE);
}

const struct buf *
session_appear(struct session *s)
{
	if (s->presence.client == NULL)
		s->presence.client = presence_join(s->owner->presence, &s->doc, &s->presence.id, s->user, (int64_t) time(NULL));
	s->presence.missed = !may_see(s);
	return s->presence.missed ? NULL : presence_users(s->presence.client);
}

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

void
session_send_missed_presence(struct session *s)
{
	struct frame *frame;

	if (s->presence.client == NULL || !may_see(s) || s->outbox.first != NULL || !s->owner->config.transport.has_room(s->conn))
		return;
	frame = presence_full_list(s->presence.client);
	s->presence.missed = !s->owner->config.transport.send(s->conn, frame);
	frame_unref(frame);
	s->owner->config.metrics->presence_owed++;
}

/* Send a message of presence to one client of a document. */
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

/* Send a message of presence to the clients of a document. */
void
sessions_show(struct sessions *sessions, const struct uuid *doc, struct frame *frame)
{
	rooms_each_member(sessions->rooms, doc, show, frame);
}
