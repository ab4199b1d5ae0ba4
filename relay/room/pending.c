/*
 * room/pending.c: operations from the stream that come before the room is open,
 * or after a gap.  They are kept until the tables have given what is missing.
 */
#include "room/state.h"

#include "base/life.h"

#include <string.h>

#define PENDING_OPEN_LEN sizeof(int64_t)

void
room_keep_pending(struct room *room, const struct event *event)
{
	struct ring *pending = &room->pending.ring;
	struct frame *frame;
	struct ring_bounds bounds;

	if (pending->count > 0 && event->version <= ring_head(pending))
		return;
	if (pending->count == 0 || event->version != ring_head(pending) + 1)
		ring_reset(pending, event->version - 1);
	rooms_bounds(room->rooms, &bounds);
	frame = frame_append(frame_new(PENDING_OPEN_LEN + event->entry_len), &event->committed_us, PENDING_OPEN_LEN);
	frame = frame_append(frame, event->entry, event->entry_len);
	ring_append(pending, frame, PENDING_OPEN_LEN, (uint32_t) event->entry_len, &bounds);
	room_count(room);
}

void
room_merge_pending(struct room *room)
{
	struct ring *pending = &room->pending.ring;

	if (room->suspect.on || pending->count == 0 || pending->base > room_head(room))
		return;
	for (int64_t v = room_head(room) + 1; v <= ring_head(pending); v++)
	{
		const struct ring_slot *slot = ring_get(pending, v);
		int64_t		committed_us;

		memcpy(&committed_us, slot->frame->text, PENDING_OPEN_LEN);
		room_publish(room, (const char *) slot->frame->text + slot->offset, slot->len, committed_us);
	}
	ring_reset(pending, 0);
	room_count(room);
}

void
room_drop_others(struct room *room)
{
	struct ring *pending = &room->pending.ring;
	const struct ring_slot *slot;
	struct revision revision;

	if (pending->count == 0)
		return;
	slot = ring_get(pending, ring_head(pending));
	if (protocol_entry_revision((const char *) slot->frame->text + slot->offset, slot->len, &revision) &&
		life_may_have(&room->life.current, revision.sequence_id))
		return;
	ring_reset(pending, 0);
	room_count(room);
	room->gap.want = room_head(room);
}
