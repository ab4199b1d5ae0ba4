/*
 * session/send.c: sending to a client when its socket has room: what waits first,
 * then operations from the cursor on, then the list of clients where it is owed.
 */
#include "session/state.h"

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
			session_catch_up(s);
		if (next != ROOM_FRAME)
			return;
		transport->send(s->conn, frame);
		frame_unref(frame);
	}
	if (s->member.behind)
		transport->wake(s->conn);
}

/* The socket has room: send what waits, then the operations that follow the cursor. */
void
session_writable(struct session *s)
{
	if (outbox_send(s) && s->state == SESSION_LIVE && !s->catch_up.running)
		send_operations(s);
	if (s->presence.missed)
		session_send_missed_presence(s);
	if (s->talk.missed)
		session_send_missed_talk(s);
}

/* Send a frame of the room at once, if nothing else has to go first. */
bool
session_deliver(struct room_member *member, struct frame *frame)
{
	struct session *s = (struct session *) member;

	return s->outbox.first == NULL && !s->catch_up.running && s->owner->config.transport.send(s->conn, frame);
}

/* The room has operations after the cursor. */
void
session_wake(struct room_member *member)
{
	struct session *s = (struct session *) member;

	if (!s->catch_up.running)
		s->owner->config.transport.wake(s->conn);
}
