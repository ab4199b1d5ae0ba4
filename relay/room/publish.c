/*
 * room/publish.c: what one turn of the loop publishes in a room: encoded as one
 * frame when the turn ends, kept in the ring and sent to every member that is
 * up to date.
 */
#include "room/state.h"

#include "base/mem.h"

#include <stdlib.h>

/* Put a room on the list of those flushed at the end of the turn. */
static void
mark_dirty(struct room *room)
{
	if (room->batch.dirty)
		return;
	room->batch.dirty = true;
	room->batch.next_dirty = room->rooms->dirty;
	room->rooms->dirty = room;
}

/* Note how long after its commit an operation was sent. */
static void
measure(const struct room *room, int64_t committed_us, int64_t sent_us)
{
	/* a clock that is behind makes it 0, not a negative time */
	if (committed_us != 0 && sent_us != 0)
		metrics_observe(room->rooms->metrics, HISTOGRAM_COMMIT_TO_SEND,
						sent_us > committed_us ? (uint64_t) (sent_us - committed_us) : 0);
}

void
room_measure_late(struct room *room, const struct event *event)
{
	const struct ring_slot *slot = ring_get(&room->ring, event->version);

	if (slot != NULL)
		measure(room, event->committed_us, slot->frame->sent_us);
	else if (event->version > ring_head(&room->ring))
		room->batch.cuts[event->version - ring_head(&room->ring) - 1].committed_us = event->committed_us;
}

/* Send the frame of the versions after from, up to to, to each live member that is at from. */
static void
send_to_members(struct room *room, struct frame *frame, int64_t from, int64_t to)
{
	struct rooms *rooms = room->rooms;

	for (struct room_member *m = room->live; m != NULL; m = m->next)
	{
		if (m->behind || m->cursor >= to)
			continue;
		if (m->cursor == from && rooms->callbacks.deliver(m, frame))
		{
			m->cursor = to;
			rooms->metrics->frames_direct++;
		}
		else
			room_fall_behind(m);
	}
}

void
room_flush(struct room *room)
{
	struct rooms *rooms = room->rooms;
	struct frame *frame = room->batch.frame;
	int64_t		from = ring_head(&room->ring);
	uint32_t	count = room->batch.count;
	struct ring_bounds bounds;

	if (count == 0)
		return;
	rooms_bounds(rooms, &bounds);
	frame = frame_fit(frame_append(frame, OPS_CLOSE, OPS_CLOSE_LEN));
	frame->sent_us = room->live != NULL ? metrics_now_us() : 0;
	room->batch.frame = NULL;
	for (uint32_t i = 0; i < count; i++)
	{
		ring_append(&room->ring, frame_ref(frame), room->batch.cuts[i].offset, room->batch.cuts[i].len, &bounds);
		measure(room, room->batch.cuts[i].committed_us, frame->sent_us);
	}
	room->batch.count = 0;
	room_count(room);
	send_to_members(room, frame, from, from + count);
	frame_unref(frame);
}

/* Note where an entry will be in the frame. */
static void
add_cut(struct room_batch *batch, size_t len, int64_t committed_us)
{
	if (batch->count == batch->cap)
	{
		batch->cap = batch->cap > 0 ? batch->cap * 2 : 4;
		batch->cuts = mem_grow(batch->cuts, batch->cap * sizeof(struct cut));
	}
	batch->cuts[batch->count++] = (struct cut)
	{
		(uint32_t) batch->frame->len, (uint32_t) len, committed_us
	};
}

void
room_publish(struct room *room, const char *entry, size_t len, int64_t committed_us)
{
	struct room_batch *batch = &room->batch;
	struct revision revision;

	if (room_head(room) >= room->known.version && protocol_entry_revision(entry, len, &revision))
		room_note_known(room, &revision);
	if (batch->frame != NULL && batch->frame->len + len > LIMIT_FRAME_BYTES)
		room_flush(room);
	if (batch->frame == NULL)
	{
		batch->frame = frame_new(OPS_OPEN_LEN + len + OPS_CLOSE_LEN);
		batch->frame = frame_append(batch->frame, OPS_OPEN, OPS_OPEN_LEN);
	}
	else
		batch->frame = frame_append(batch->frame, ",", 1);
	add_cut(batch, len, committed_us);
	batch->frame = frame_append(batch->frame, entry, len);
	room->rooms->metrics->ops_published++;
	mark_dirty(room);
}

/* Drop what this turn has published; it was not sent yet. */
void
room_drop_batch(struct room *room)
{
	frame_unref(room->batch.frame);
	room->batch.frame = NULL;
	room->batch.count = 0;
}

void
room_free_batch(struct room *room)
{
	room_drop_batch(room);
	free(room->batch.cuts);
}
