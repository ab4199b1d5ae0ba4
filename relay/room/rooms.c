/*
 * room/rooms.c: all rooms: their beginning and end, the end of the loop's turn,
 * and visits.
 */
#include "base/mem.h"
#include "room/state.h"

#include <stdlib.h>

/* Create an empty set of rooms. */
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

/* Shorten each ring to its share of a number of bytes. */
static void
shorten_to(struct rooms *rooms, size_t bytes)
{
	size_t		share = bytes / (rooms->map.count > 0 ? rooms->map.count : 1);

	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (struct doc_node *node = rooms->map.slots[i]; node != NULL; node = node->next)
		{
			struct room *room = (struct room *) node;

			ring_shorten(&room->ring, share);
			ring_shorten(&room->pending.ring, share);
			room_count(room);
		}
	}
	rooms->metrics->rings_shortened++;
}

void
rooms_shorten(struct rooms *rooms)
{
	if (rooms->metrics->ring_bytes > rooms->bytes_in_all)
		shorten_to(rooms, rooms->bytes_in_all / 8 * 7);
}

void
rooms_shed(struct rooms *rooms, size_t bytes)
{
	uint64_t	held = rooms->metrics->ring_bytes;

	/* a little more than asked for, or it would be asked again at once */
	bytes += bytes / 8;
	if (held > 0)
		shorten_to(rooms, held > bytes ? (size_t) held - bytes : 0);
}

/* Free a room without members. */
static void
free_room(struct room *room)
{
	struct rooms *rooms = room->rooms;

	rooms_drop_shared(rooms, room);
	doc_map_remove(&rooms->map, &room->node);
	rooms->metrics->rooms--;
	rooms->suspect_count -= room->suspect.on;
	ring_free(&room->ring);
	ring_free(&room->pending.ring);
	room_count(room);
	room_free_batch(room);
	free(room);
}

/* Free all rooms; the members must have left. */
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

/* Visit every open room. */
void
rooms_each_open(struct rooms *rooms,
				void (*visit) (void *arg, const struct uuid *doc, int64_t head, const struct revision *known), void *arg)
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

/* Visit every room that has members. */
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

/* Return true if every room has published all that it knows to be committed. */
bool
rooms_owe_nothing(const struct rooms *rooms)
{
	for (size_t i = 0; i < rooms->map.slot_count; i++)
	{
		for (const struct doc_node *n = rooms->map.slots[i]; n != NULL; n = n->next)
		{
			const struct room *room = (const struct room *) n;

			if (room->open && room->users > 0 && (room->gap.want > room_head(room) || room->batch.dirty))
				return false;
		}
	}
	return true;
}

/* Store what was known of a document whose room ends. */
static void
note_left(struct room *room)
{
	int64_t		version = room->gap.want > room_head(room) ? room->gap.want : room_head(room);

	if (version > 0)
		rooms_note_seen(room->rooms, &room->node.id, version, room->newest_seq);
}

/* End the rooms that all members have left. */
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
		if (room->users == 0 && !room->gap.waiting)
		{
			note_left(room);
			free_room(room);
		}
	}
}

/* Note the number of a change of a document's talk; return true if it is higher than the last one. */
bool
rooms_note_talk(struct rooms *rooms, const struct uuid *doc, int64_t changed)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL || changed <= room->talk)
		return false;
	room->talk = changed;
	return true;
}

/* Send what this turn has published in one room, before something that follows it. */
void
rooms_flush_one(struct rooms *rooms, const struct uuid *doc)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room != NULL)
		room_flush(room);
}

/* End the turn: send what was published. */
void
rooms_flush(struct rooms *rooms)
{
	while (rooms->dirty != NULL)
	{
		struct room *room = rooms->dirty;

		rooms->dirty = room->batch.next_dirty;
		room->batch.dirty = false;
		room_flush(room);
	}
	rooms_drop_shared(rooms, NULL);
	rooms_shorten(rooms);
	reap_rooms(rooms);
}
