/*
 * room/life.c: a document that was deleted, and another that was created under
 * its id.
 *
 * Their versions have the same numbers, so the rule of contiguous versions alone
 * would mix two texts. A room knows the life of its document, from the tables,
 * and takes nothing of another: not from the stream, which may be behind the
 * tables and still show the operations of the document that is gone, nor from
 * answers that were asked for before.
 */
#include "base/life.h"
#include "room/state.h"

/* Tell whether an operation from the stream may be the room's document's. */
bool
room_may_have(const struct room *room, const struct event *event)
{
	return !room->open || life_may_have(&room->life, event->sequence_id);
}

/* Drop what came from the stream before the room was open, where it is of a document before this one. */
void
room_drop_others(struct room *room)
{
	const struct ring_slot *slot;
	struct mark mark;

	if (room->ahead.count == 0)
		return;
	slot = ring_get(&room->ahead, ring_head(&room->ahead));
	if (protocol_entry_mark((const char *) slot->frame->text + slot->offset, slot->len, &mark) &&
		life_may_have(&room->life, mark.sequence_id))
		return;
	ring_reset(&room->ahead, 0);
	room->want = room_head(room);
}

/*
 * Check that a room may be at a document, which the tables gave to one who joins;
 * where it is at one before that, it leaves it.
 */
enum room_open_result
room_check_life(struct room *room, const struct uuid *life)
{
	struct rooms *rooms = room->rooms;

	if (room->ended && !life_is_later(life, &room->last_life))
		return ROOM_DELETED;
	if (!room->open || uuid_equal(life, &room->life))
		return ROOM_OPEN;
	if (!life_is_later(life, &room->life))
		return ROOM_OTHER;
	room->ended = true;
	room->last_life = room->life;
	room_empty(room);
	rooms_forget_seen(rooms, &room->node.id);
	rooms->callbacks.ended(rooms->callbacks.arg, &room->node.id);
	return ROOM_OPEN;
}

/*
 * The stream tells that a document was deleted, and which, unless life is NULL.
 * Tells whether it is the one that its room is at, or is to be at: not where
 * the tables have given the room a later one already.
 */
bool
rooms_deleted(struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	rooms_forget_seen(rooms, doc);
	if (room == NULL || (room->open && life != NULL && life_is_later(&room->life, life)))
		return false;
	room->ended = true;
	room->last_life = life != NULL ? *life : room->life;
	room_empty(room);
	return true;
}
