/*
 * room/room.c: a document here: a ring of ready frames, its members, and the
 * contiguous-version rule.
 *
 * An open room holds the document at one version, its head, and takes exactly
 * the operation that makes head + 1. What is published in one turn of the
 * loop is encoded as one frame when the turn ends. Operations from the stream
 * that come before the room is open, or after a gap, wait in a second ring
 * until the tables have given what lies between.
 *
 * The stream may show a commit a moment before SQL can see it. So a version
 * seen on the stream is a debt: the room (and, for documents without a room,
 * a small table) remembers it, and reads the tables until they have it.
 */
#include "room/state.h"

#include "base/life.h"
#include "base/mem.h"

#include <string.h>

static const char ops_open[] = "{\"type\":\"ops\",\"ops\":[";
static const char ops_close[] = "]}";

#define OPS_OPEN_LEN (sizeof(ops_open) - 1)
#define OPS_CLOSE_LEN (sizeof(ops_close) - 1)
#define AHEAD_OPEN_LEN sizeof(int64_t)

/* Get the version up to which the room has everything. */
int64_t
room_head(const struct room *room)
{
	return ring_head(&room->ring) + room->cut_count;
}

/* Put a room on the list of those flushed at the end of the turn. */
static void
mark_dirty(struct room *room)
{
	if (room->dirty)
		return;
	room->dirty = true;
	room->next_dirty = room->rooms->dirty;
	room->rooms->dirty = room;
}

/* Let a member take from its cursor on as soon as it can. */
void
room_fall_behind(struct room_member *member)
{
	if (member->behind)
		return;
	member->behind = true;
	member->room->rooms->callbacks.wake(member);
}

/* Note how long after its commit an operation was sent. */
static void
measure(const struct room *room, int64_t committed_us, int64_t sent_us)
{
	/* a clock that is behind makes it nothing, not a time before */
	if (committed_us != 0 && sent_us != 0)
		metrics_observe(room->rooms->metrics, HISTOGRAM_COMMIT_TO_SEND,
						sent_us > committed_us ? (uint64_t) (sent_us - committed_us) : 0);
}

/* The stream tells when an operation was committed that is published already. */
static void
measure_late(struct room *room, const struct event *event)
{
	const struct ring_slot *slot = ring_get(&room->ring, event->version);

	if (slot != NULL)
		measure(room, event->committed_us, slot->frame->sent_us);
	else if (event->version > ring_head(&room->ring))
		room->cuts[event->version - ring_head(&room->ring) - 1].committed_us = event->committed_us;
}

/* Encode what was published and hand it to everyone who is up to date. */
void
room_flush(struct room *room)
{
	struct rooms *rooms = room->rooms;
	struct frame *frame = room->building;
	int64_t		from = ring_head(&room->ring);
	int64_t		to = from + room->cut_count;
	size_t		bytes_before = room->ring.bytes;
	uint32_t	count = room->cut_count;
	struct ring_bounds bounds;

	if (count == 0)
		return;
	rooms_bounds(rooms, &bounds);
	frame = frame_append(frame, ops_close, OPS_CLOSE_LEN);
	frame->sent_us = room->live != NULL ? metrics_now_us() : 0;
	room->building = NULL;
	for (uint32_t i = 0; i < count; i++)
	{
		ring_append(&room->ring, frame_ref(frame), room->cuts[i].offset, room->cuts[i].len, &bounds);
		measure(room, room->cuts[i].committed_us, frame->sent_us);
	}
	room->cut_count = 0;
	rooms->metrics->ring_bytes += room->ring.bytes - bytes_before;
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
	frame_unref(frame);
}

/* Note a version that somebody here was told of. */
void
room_note_known(struct room *room, const struct mark *mark)
{
	if (mark->sequence_id > room->newest_seq)
		room->newest_seq = mark->sequence_id;
	if (mark->version <= room->known.version)
		return;
	room->known = *mark;
	room->known.life = room->life;
}

/* Append the entry that makes head + 1 to what this turn publishes. */
void
room_publish(struct room *room, const char *entry, size_t len, int64_t committed_us)
{
	struct mark mark;

	if (room_head(room) >= room->known.version && protocol_entry_mark(entry, len, &mark))
		room_note_known(room, &mark);
	if (room->building != NULL && room->building->len + len > LIMIT_FRAME_BYTES)
		room_flush(room);
	if (room->building == NULL)
	{
		room->building = frame_new(OPS_OPEN_LEN + len + OPS_CLOSE_LEN);
		room->building = frame_append(room->building, ops_open, OPS_OPEN_LEN);
	}
	else
		room->building = frame_append(room->building, ",", 1);
	if (room->cut_count == room->cut_cap)
	{
		room->cut_cap = room->cut_cap > 0 ? room->cut_cap * 2 : 4;
		room->cuts = mem_grow(room->cuts, room->cut_cap * sizeof(struct cut));
	}
	room->cuts[room->cut_count++] = (struct cut)
	{
		(uint32_t) room->building->len, (uint32_t) len, committed_us
	};
	room->building = frame_append(room->building, entry, len);
	room->rooms->metrics->ops_published++;
	mark_dirty(room);
}

/*
 * Keep an operation that is not contiguous yet; a gap inside drops what was
 * before it. Its time stands in front of its entry.
 */
static void
keep_ahead(struct room *room, const struct event *event)
{
	struct frame *frame;

	if (room->ahead.count > 0 && event->version <= ring_head(&room->ahead))
		return;
	if (room->ahead.count == 0 || event->version != ring_head(&room->ahead) + 1)
		ring_reset(&room->ahead, event->version - 1);
	frame = frame_append(frame_new(AHEAD_OPEN_LEN + event->entry_len), &event->committed_us, AHEAD_OPEN_LEN);
	frame = frame_append(frame, event->entry, event->entry_len);
	ring_append(&room->ahead, frame, AHEAD_OPEN_LEN, (uint32_t) event->entry_len, &room->rooms->bounds);
}

/* Publish what waited ahead, where it has become contiguous. */
void
room_merge_ahead(struct room *room)
{
	if (room->doubtful || room->ahead.count == 0 || room->ahead.base > room_head(room))
		return;
	for (int64_t v = room_head(room) + 1; v <= ring_head(&room->ahead); v++)
	{
		const struct ring_slot *slot = ring_get(&room->ahead, v);
		int64_t		committed_us;

		memcpy(&committed_us, slot->frame->text, AHEAD_OPEN_LEN);
		room_publish(room, (const char *) slot->frame->text + slot->offset, slot->len, committed_us);
	}
	ring_reset(&room->ahead, 0);
}

/* Read the tables, where the room knows of operations it does not have. */
void
room_close_gap(struct room *room)
{
	struct rooms *rooms = room->rooms;

	if (!room->open || room->fetching || room->waiting || room->doubtful)
		return;
	if (room->want <= room_head(room))
	{
		room->attempts = 0;
		return;
	}
	room->fetching = true;
	rooms->metrics->room_gaps++;
	rooms->callbacks.fetch(rooms->callbacks.arg, &room->node.id, room_head(room), &room->known);
}

/* Try again later, each time after twice as many ticks. */
static void
retry_later(struct room *room)
{
	struct rooms *rooms = room->rooms;

	/* a sweep asked for it meanwhile */
	if (room->waiting)
		return;
	room->pause = 1U << (room->attempts < 6 ? room->attempts : 6);
	room->attempts++;
	if (room->attempts > LIMIT_GAP_ATTEMPTS && room->ahead.count == 0)
	{
		/*
		 * seen on the stream and never in the tables: a timeline that was
		 * lost
		 */
		room->want = room_head(room);
		return;
	}
	room->waiting = true;
	room->next_wait = rooms->waiting;
	if (rooms->waiting == NULL)
		rooms->callbacks.retry(rooms->callbacks.arg);
	rooms->waiting = room;
}

/* Take an operation from the stream. */
void
rooms_event(struct rooms *rooms, const struct event *event)
{
	struct room *room = doc_map_find(&rooms->map, &event->doc);

	if (room == NULL)
	{
		rooms_note_seen(rooms, &event->doc, event->version, event->sequence_id);
		return;
	}
	if (!room_may_have(room, event))
	{
		room_ask_again(room);
		return;
	}
	if (event->sequence_id > room->newest_seq)
		room->newest_seq = event->sequence_id;
	if (room->want < event->version)
		room->want = event->version;
	room_note_streamed(room, event->version);
	if (room->open && event->version <= room_head(room))
	{
		measure_late(room, event);
		return;
	}
	if (room->open && !room->doubtful && event->version == room_head(room) + 1)
	{
		room_publish(room, event->entry, event->entry_len, event->committed_us);
		room_merge_ahead(room);
		return;
	}
	keep_ahead(room, event);
	room_close_gap(room);
}

/* Publish the entries of an ops message that follow the head. */
static void
publish_entries(struct room *room, const char *list, size_t len)
{
	const char *entry;
	size_t		entry_len;
	int64_t		version;

	while (protocol_next_entry(&list, &len, &entry, &entry_len))
	{
		if (protocol_entry_version(entry, entry_len, &version) && version == room_head(room) + 1)
			room_publish(room, entry, entry_len, 0);
	}
}

/* Begin anew after a version; whoever is behind it is served from the tables. */
static void
skip_to(struct room *room, int64_t version)
{
	room_flush(room);
	room->rooms->metrics->ring_bytes -= room->ring.bytes;
	ring_reset(&room->ring, version);
	for (struct room_member *m = room->live; m != NULL; m = m->next)
	{
		if (m->cursor < version)
			room_fall_behind(m);
	}
}

/* Take a ready message that the tables gave for this document. */
void
rooms_frame(struct rooms *rooms, const struct uuid *doc, int64_t from, const struct mark *mark, const char *frame, size_t len)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->open || mark->version <= room_head(room) || from > room_head(room) ||
		!uuid_equal(&mark->life, &room->life))
		return;
	room_note_known(room, mark);
	rooms->callbacks.ahead(rooms->callbacks.arg, doc);
	if (len > OPS_OPEN_LEN + OPS_CLOSE_LEN && memcmp(frame, ops_open, OPS_OPEN_LEN) == 0)
		publish_entries(room, frame + OPS_OPEN_LEN, len - OPS_OPEN_LEN - OPS_CLOSE_LEN);
	else
		skip_to(room, mark->version);
	room_merge_ahead(room);
}

/* End a fetch; where the tables cannot give what is missing, each member asks for itself. */
void
rooms_fetched(struct rooms *rooms, const struct uuid *doc, bool readable)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || !room->fetching)
		return;
	room->fetching = false;
	if (!readable)
	{
		skip_to(room, room->want);
		room_merge_ahead(room);
	}
	if (room->want > room_head(room))
		retry_later(room);
	else
		room->attempts = 0;
}

/* Make a member of the document's room, which begins with its first one. */
void
room_attach(struct rooms *rooms, const struct uuid *doc, struct room_member *member)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL)
	{
		room = mem_zalloc(sizeof(struct room));
		room->node.id = *doc;
		room->rooms = rooms;
		room_unsettle(room);
		doc_map_add(&rooms->map, &room->node);
		rooms->metrics->rooms++;
	}
	room->users++;
	LIST_INSERT_HEAD(&room->seats, member, seat);
	member->room = room;
}

/* Tell the room a version the tables have, which a member was told of; the first one opens it. */
enum room_open_result
room_open(struct room_member *member, const struct mark *mark)
{
	struct room *room = member->room;
	enum room_open_result result = room_check_life(room, &mark->life);
	int64_t		seen;

	if (result != ROOM_OPEN)
		return result;
	room->life = mark->life;
	room_note_known(room, mark);
	if (room->open)
		return ROOM_OPEN;
	room->open = true;
	ring_reset(&room->ring, mark->version);
	room->known.life = room->life;
	room_drop_others(room);
	seen = rooms_seen(room->rooms, &room->node.id, &room->life);
	if (seen > room->want)
		room->want = seen;
	room_merge_ahead(room);
	room_close_gap(room);
	return ROOM_OPEN;
}

/* Tell the room a version that a member got from the tables by itself. */
void
room_learn(struct room_member *member, const struct mark *mark)
{
	room_note_known(member->room, mark);
}

/* Get the highest version that anybody here holds: whoever has it has all before it, too. */
const struct mark *
room_known(const struct room_member *member)
{
	return &member->room->known;
}

/* Let a member receive what follows its cursor. */
void
room_go_live(struct room_member *member, int64_t cursor)
{
	struct room *room = member->room;

	member->cursor = cursor;
	member->behind = false;
	if (!member->live)
	{
		member->live = true;
		member->prev = NULL;
		member->next = room->live;
		if (room->live != NULL)
			room->live->prev = member;
		room->live = member;
		room->rooms->metrics->sessions_live++;
	}
	if (cursor < ring_head(&room->ring))
		room_fall_behind(member);
}

/* Let a member receive nothing until it is live again. */
void
room_pause(struct room_member *member)
{
	if (!member->live)
		return;
	if (member->prev != NULL)
		member->prev->next = member->next;
	else
		member->room->live = member->next;
	if (member->next != NULL)
		member->next->prev = member->prev;
	member->live = false;
	member->behind = false;
	member->room->rooms->metrics->sessions_live--;
}

/* Take a member out; an empty room ends with the turn. */
void
room_detach(struct room_member *member)
{
	struct room *room = member->room;

	if (room == NULL)
		return;
	room_pause(member);
	LIST_REMOVE(member, seat);
	member->room = NULL;
	if (--room->users == 0)
		room_reap_later(room);
}

/* Visit every member of a document's room; a visit takes none of them out. */
void
rooms_each_member(struct rooms *rooms, const struct uuid *doc, void (*visit) (void *arg, struct room_member *member), void *arg)
{
	struct room *room = doc_map_find(&rooms->map, doc);
	struct room_member *m;

	if (room == NULL)
		return;
	LIST_FOREACH(m, &room->seats, seat)
		visit(arg, m);
}

/* Build one frame of everything after a version, up to a frame's size. */
static struct frame *
frame_since(struct room *room, int64_t from, int64_t *to)
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
	frame = frame_append(frame_new(OPS_OPEN_LEN + slot->len + OPS_CLOSE_LEN), ops_open, OPS_OPEN_LEN);
	for (*to = from; *to < head; ++*to)
	{
		slot = ring_get(&room->ring, *to + 1);
		if (*to > from && frame->len + slot->len > LIMIT_FRAME_BYTES)
			break;
		if (*to > from)
			frame = frame_append(frame, ",", 1);
		frame = frame_append(frame, slot->frame->text + slot->offset, slot->len);
	}
	return frame_append(frame, ops_close, OPS_CLOSE_LEN);
}

/*
 * Give a member that can take frames what follows its cursor; the caller
 * sends the frame and lets go of it.
 */
enum room_next_result
room_next(struct room_member *member, struct frame **frame)
{
	struct room *room = member->room;
	struct rooms *rooms = room->rooms;

	*frame = NULL;
	if (!member->live || room->doubtful || member->cursor >= ring_head(&room->ring))
	{
		member->behind = false;
		return ROOM_NOTHING;
	}
	if (member->cursor < room->ring.base)
		return ROOM_TABLES;
	if (rooms->shared_room != room || rooms->shared_from != member->cursor)
	{
		rooms_drop_shared(rooms);
		rooms->shared = frame_since(room, member->cursor, &rooms->shared_to);
		rooms->shared_room = room;
		rooms->shared_from = member->cursor;
	}
	*frame = frame_ref(rooms->shared);
	member->cursor = rooms->shared_to;
	rooms->metrics->frames_behind++;
	return ROOM_FRAME;
}
