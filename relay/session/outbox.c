/*
 * session/outbox.c: messages to a client that wait for room in its socket, in a
 * short list.
 */
#include "session/state.h"

#include "base/mem.h"

#include <stdlib.h>

void
outbox_init(struct session_outbox *outbox)
{
	outbox->first = NULL;
	outbox->last = &outbox->first;
}

bool
outbox_add(struct session *s, struct frame *frame)
{
	struct session_outbox *outbox = &s->outbox;
	struct outgoing *out;

	if (outbox->first == NULL && s->owner->config.transport.send(s->conn, frame))
	{
		frame_unref(frame);
		return true;
	}
	out = mem_alloc(sizeof(struct outgoing));
	*out = (struct outgoing)
	{
		NULL, frame
	};
	*outbox->last = out;
	outbox->last = &out->next;
	s->owner->config.metrics->messages_waiting++;
	s->owner->config.metrics->messages_waiting_bytes += frame->len;
	ledger_charge(&s->purse, LEDGER_FRAMES, frame->len);
	s->owner->config.transport.wake(s->conn);
	return ++outbox->count != LIMIT_SESSION_FRAMES;
}

/* Drop the first message. */
static void
drop_first(struct session *s)
{
	struct session_outbox *outbox = &s->outbox;
	struct outgoing *out = outbox->first;

	outbox->first = out->next;
	if (outbox->first == NULL)
		outbox->last = &outbox->first;
	outbox->count--;
	s->owner->config.metrics->messages_waiting--;
	s->owner->config.metrics->messages_waiting_bytes -= out->frame->len;
	ledger_release(&s->purse, LEDGER_FRAMES, out->frame->len);
	frame_unref(out->frame);
	free(out);
}

bool
outbox_send(struct session *s)
{
	while (s->outbox.first != NULL && s->owner->config.transport.send(s->conn, s->outbox.first->frame))
		drop_first(s);
	return s->outbox.first == NULL;
}

/* Drop all that waits: the socket is gone. */
void
outbox_drop(struct session *s)
{
	while (s->outbox.first != NULL)
		drop_first(s);
}
