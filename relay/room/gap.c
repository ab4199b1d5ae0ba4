/*
 * room/gap.c: operations that a room knows of and does not have.
 *
 * The stream may show a commit a moment before SQL can see it.  So a room that
 * has seen a version on the stream reads the tables until they have it.
 */
#include "room/state.h"

void
room_close_gap(struct room *room)
{
	struct room_gap *gap = &room->gap;
	struct rooms *rooms = room->rooms;

	if (!room->open || gap->fetching || gap->waiting || room->suspect.on)
		return;
	if (gap->want <= room_head(room))
	{
		gap->attempts = 0;
		return;
	}
	gap->fetching = true;
	rooms->metrics->room_gaps++;
	rooms->callbacks.fetch(rooms->callbacks.arg, &room->node.id, room_head(room), &room->known);
}

void
room_ask_again(struct room *room)
{
	if (room == NULL || !room->open || room->gap.fetching || room->users == 0)
		return;
	room->gap.fetching = true;
	room->rooms->callbacks.fetch(room->rooms->callbacks.arg, &room->node.id, room_head(room), &room->known);
}

/* Try again later, each time after twice as many ticks. */
static void
retry_later(struct room *room)
{
	struct room_gap *gap = &room->gap;
	struct rooms *rooms = room->rooms;

	/* a sweep asked for it meanwhile */
	if (gap->waiting)
		return;
	gap->pause = 1U << (gap->attempts < 6 ? gap->attempts : 6);
	gap->attempts++;
	if (gap->attempts > LIMIT_GAP_ATTEMPTS && room->pending.ring.count == 0)
	{
		/* the stream showed it and the tables never had it: a lost timeline */
		gap->want = room_head(room);
		return;
	}
	gap->waiting = true;
	gap->next_wait = rooms->waiting;
	if (rooms->waiting == NULL)
		rooms->callbacks.retry(rooms->callbacks.arg);
	rooms->waiting = room;
}

void
room_gap_fetched(struct room *room)
{
	if (room->gap.want > room_head(room))
		retry_later(room);
	else
		room->gap.attempts = 0;
}

/* Look again for missing operations in the rooms that wait; return true if some still wait. */
bool
rooms_retry(struct rooms *rooms)
{
	struct room *room = rooms->waiting;
	struct room *next;

	rooms->waiting = NULL;
	for (; room != NULL; room = next)
	{
		next = room->gap.next_wait;
		if (--room->gap.pause > 0)
		{
			room->gap.next_wait = rooms->waiting;
			rooms->waiting = room;
			continue;
		}
		room->gap.waiting = false;
		if (room->users > 0)
			room_close_gap(room);
		else
			room_reap_later(room);
	}
	return rooms->waiting != NULL;
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
