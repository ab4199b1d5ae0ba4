/*
 * room/shared.c: a frame for members that are behind, built once for all of
 * them that are at the same version in one turn.
 */
#include "room/state.h"

/* Build one frame of everything after a version, up to a frame's size. */
static struct frame *
build(struct room *room, int64_t from, int64_t *to)
{
	const struct ring_slot *slot = ring_get(&room->ring, from + 1);
	struct frame *frame = slot->frame;
	int64_t		head = ring_head(&room->ring);
	const struct ring_slot *last = ring_get(&room->ring, head);

	if (last->frame == frame && slot->offset == OPS_OPEN_LEN && last->offset + last->len + OPS_CLOSE_LEN == frame->len)
	{
		*to = head;
		return frame_ref(frame);
	}
	frame = frame_append(frame_new(OPS_OPEN_LEN + slot->len + OPS_CLOSE_LEN), OPS_OPEN, OPS_OPEN_LEN);
	for (*to = from; *to < head; ++*to)
	{
		slot = ring_get(&room->ring, *to + 1);
		if (*to > from && frame->len + slot->len > LIMIT_FRAME_BYTES)
			break;
		if (*to > from)
			frame = frame_append(frame, ",", 1);
		frame = frame_append(frame, slot->frame->text + slot->offset, slot->len);
	}
	return frame_append(frame, OPS_CLOSE, OPS_CLOSE_LEN);
}

struct frame *
room_frame_since(struct room *room, int64_t from, int64_t *to)
{
	struct rooms_shared *shared = &room->rooms->shared;

	if (shared->room != room || shared->from != from)
	{
		rooms_drop_shared(room->rooms, NULL);
		shared->frame = build(room, from, &shared->to);
		shared->room = room;
		shared->from = from;
	}
	*to = shared->to;
	return frame_ref(shared->frame);
}

void
rooms_drop_shared(struct rooms *rooms, const struct room *room)
{
	struct rooms_shared *shared = &rooms->shared;

	if (room != NULL && shared->room != room)
		return;
	frame_unref(shared->frame);
	shared->frame = NULL;
	shared->room = NULL;
}
