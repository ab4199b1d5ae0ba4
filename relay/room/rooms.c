/*
 * room/rooms.c: all rooms: which there are, what is to be done at the end of a
 * turn, and what was seen of documents that have none.
 */
#include "base/life.h"
#include "base/mem.h"
#include "room/state.h"

#include <stdlib.h>
#include <string.h>

/* Set up a house without rooms. */
struct rooms *
rooms_new(const struct ring_bounds *bounds, size_t bytes_in_all, const struct rooms_callbacks *callbacks,
		  struct metrics *metrics)
{
	struct rooms *rooms = mem_zalloc(sizeof(struct rooms));

	doc_map_init(&rooms->map);
	rooms->bounds = *bounds;
	rooms->bytes_in_all = bytes_in_all;
	rooms->callbacks = *callbacks;
	rooms->metrics = metrics;
	return rooms;
}

/* Get what a room may keep now: where all together keep too much, each has its share. */
void
rooms_bounds(const struct rooms *rooms, struct ring_bounds *bounds)
{
	size_t		share = rooms->bytes_in_all / (rooms->map.count > 0 ? rooms->map.count : 1);

	*bounds = rooms->bounds;
	if (rooms->metrics->ring_bytes > rooms->bytes_in_all && share < bounds->bytes)
		bounds->bytes = share;
}

/* Where all rooms together keep too much, take from those that have more than their share. */
void
rooms_shorten(struct rooms *rooms)
{
	struct ring_bounds bounds;

	if (rooms->metrics->ring_bytes <= rooms->bytes_in_all)
		return;
	rooms_bounds(rooms, &bounds);
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *node = rooms->map.slots[i]; node != NULL; node = node->next)
		{
			struct room *room = (struct room *) node;
			size_t		before = room->ring.bytes;

			ring_shorten(&room->ring, bounds.bytes);
			rooms->metrics->ring_bytes -= before - room->ring.bytes;
		}
	}
	rooms->metrics->rings_shortened++;
}

/* Forget the frame kept for the next member. */
void
rooms_drop_shared(struct rooms *rooms)
{
	frame_unref(rooms->shared);
	rooms->shared = NULL;
	rooms->shared_room = NULL;
}

/* End a room that nobody is in. */
static void
free_room(struct room *room)
{
	struct rooms *rooms = room->rooms;

	if (rooms->shared_room == room)
		rooms_drop_shared(rooms);
	doc_map_remove(&rooms->map, &room->node);
	rooms->metrics->rooms--;
	rooms->doubtful -= room->doubtful;
	rooms->metrics->ring_bytes -= room->ring.bytes;
	ring_free(&room->ring);
	ring_free(&room->ahead);
	frame_unref(room->building);
	free(room->cuts);
	free(room);
}

/* Let the end of the turn look whether a room is still needed. */
void
room_reap_later(struct room *room)
{
	if (room->reaping)
		return;
	room->reaping = true;
	room->next_reap = room->rooms->reap;
	room->rooms->reap = room;
}

/* End the house; the members must have left. */
void
rooms_free(struct rooms *rooms)
{
	rooms_flush(rooms);
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		while (rooms->map.slots[i] != NULL)
			free_room((struct room *) rooms->map.slots[i]);
	}
	doc_map_free(&rooms->map);
	free(rooms);
}

/* Get a document's row in the table of versions seen. */
static struct seen *
seen_row(struct rooms *rooms, const struct uuid *doc)
{
	return &rooms->seen[uuid_hash(doc) % LIMIT_SEEN_DOCUMENTS];
}

/* Remember what the stream showed of a document. */
void
rooms_note_seen(struct rooms *rooms, const struct uuid *doc, int64_t version, int64_t sequence_id)
{
	struct seen *row = seen_row(rooms, doc);

	if (!uuid_equal(&row->doc, doc) || row->version < version)
		*row = (struct seen)
	{
		*doc, version, sequence_id
	};
}

/* Get the last version seen of a document in this life, or 0. */
int64_t
rooms_seen(struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	const struct seen *row = seen_row(rooms, doc);

	return uuid_equal(&row->doc, doc) && life_may_have(life, row->sequence_id) ? row->version : 0;
}

/* Forget what was seen of a document, or with NULL of any: another history has other versions. */
void
rooms_forget_seen(struct rooms *rooms, const struct uuid *doc)
{
	struct seen *row = doc != NULL ? seen_row(rooms, doc) : NULL;

	if (doc == NULL)
		memset(rooms->seen, 0, sizeof(rooms->seen));
	else if (uuid_equal(&row->doc, doc))
		row->version = 0;
}

/* Look again for what was not there yet; tells whether to come back. */
bool
rooms_retry(struct rooms *rooms)
{
	struct room *room = rooms->waiting;
	struct room *next;

	rooms->waiting = NULL;
	for (; room != NULL; room = next)
	{
		next = room->next_wait;
		if (--room->pause > 0)
		{
			room->next_wait = rooms->waiting;
			rooms->waiting = room;
			continue;
		}
		room->waiting = false;
		if (room->users > 0)
			room_close_gap(room);
		else
			room_reap_later(room);
	}
	return rooms->waiting != NULL;
}

/* Visit every open room. */
void
rooms_each_open(struct rooms *rooms,
				void (*visit) (void *arg, const struct uuid *doc, int64_t head, const struct mark *known), void *arg)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
		{
			struct room *room = (struct room *) n;

			if (room->open && room->users > 0)
				visit(arg, &n->id, room_head(room), &room->known);
		}
	}
}

/* Visit every room that somebody is in. */
void
rooms_each(struct rooms *rooms, void (*visit) (void *arg, const struct uuid *doc), void *arg)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
		{
			if (((struct room *) n)->users > 0)
				visit(arg, &n->id);
		}
	}
}

/* Tell whether every room has published what it knows to be committed. */
bool
rooms_owe_nothing(const struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (const struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
		{
			const struct room *room = (const struct room *) n;

			if (room->open && room->users > 0 && (room->want > room_head(room) || room->dirty))
				return false;
		}
	}
	return true;
}

/* Let an open room ask the tables for itself. */
void
room_ask_again(struct room *room)
{
	if (room == NULL || !room->open || room->fetching || room->users == 0)
		return;
	room->fetching = true;
	room->rooms->callbacks.fetch(room->rooms->callbacks.arg, &room->node.id, room_head(room), &room->known);
}

/* Let a document's room ask the tables for itself, or with NULL every room. */
void
rooms_refetch(struct rooms *rooms, const struct uuid *doc)
{
	if (doc != NULL)
	{
		room_ask_again(doc_map_find(&rooms->map, doc));
		return;
	}
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
			room_ask_again((struct room *) n);
	}
}

/* Remember what was known of a document whose room ends. */
static void
note_left(struct room *room)
{
	int64_t		version = room->want > room_head(room) ? room->want : room_head(room);

	if (version > 0)
		rooms_note_seen(room->rooms, &room->node.id, version, room->newest_seq);
}

/* End the rooms that everybody has left. */
static void
reap_rooms(struct rooms *rooms)
{
	struct room *room = rooms->reap;
	struct room *next;

	rooms->reap = NULL;
	for (; room != NULL; room = next)
	{
		next = room->next_reap;
		room->reaping = false;
		if (room->users == 0 && !room->waiting)
		{
			note_left(room);
			free_room(room);
		}
	}
}

/* End the turn: send what was published. */
void
rooms_flush(struct rooms *rooms)
{
	while (rooms->dirty != NULL)
	{
		struct room *room = rooms->dirty;

		rooms->dirty = room->next_dirty;
		room->dirty = false;
		room_flush(room);
	}
	rooms_drop_shared(rooms);
	reap_rooms(rooms);
}
