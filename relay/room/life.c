/*
 * room/life.c: a document that was deleted, and another that was created under
 * its id.
 *
 * Their versions have the same numbers, so the rule of contiguous versions alone
 * would mix two texts.  A room knows the life of its document, from the tables,
 * and takes nothing of another: not from the stream, which may be behind the
 * tables and still show the operations of the deleted document, nor from answers
 * to questions that were asked before.
 */
#include "room/state.h"

#include "base/life.h"

bool
room_may_have(const struct room *room, const struct event *event)
{
	return !room->open || life_may_have(&room->life.current, event->sequence_id);
}

enum room_open_result
room_check_life(struct room *room, const struct uuid *life)
{
	struct rooms *rooms = room->rooms;
	bool		renewed;

	if (room->life.ended && !life_is_later(life, &room->life.last))
		return room->life.renewed ? ROOM_OTHER : ROOM_DELETED;
	if (!room->open || uuid_equal(life, &room->life.current))
		return ROOM_OPEN;
	if (!life_is_later(life, &room->life.current))
		return ROOM_OTHER;
	renewed = life_is_renewed(life, &room->life.current);
	room->life.ended = true;
	room->life.renewed = renewed;
	room->life.last = room->life.current;
	room_empty(room);
	rooms_forget_seen(rooms, &room->node.id);
	if (renewed)
		rooms->callbacks.renewed(rooms->callbacks.arg, &room->node.id);
	else
		rooms->callbacks.ended(rooms->callbacks.arg, &room->node.id);
	return ROOM_OPEN;
}

/*
 * The stream shows that a document was deleted, and which, unless life is NULL.
 * Return true if it is the one that its room is at, or is to be at: not where
 * the tables have given the room a later one already.
 */
bool
rooms_deleted(struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	rooms_forget_seen(rooms, doc);
	if (room == NULL || (room->open && life != NULL && life_is_later(&room->life.current, life)))
		return false;
	room->life.ended = true;
	room->life.renewed = false;
	room->life.last = life != NULL ? *life : room->life.current;
	room_empty(room);
	return true;
}

/* Likewise, of a document whose past was changed: clients that come later have a later life. */
bool
rooms_renewed(struct rooms *rooms, const struct uuid *doc, const struct uuid *life)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (!rooms_deleted(rooms, doc, life))
		return false;
	room->life.renewed = true;
	return true;
}

/* The tables have no such document any more: its members go, as when the stream shows it. */
void
rooms_gone(struct rooms *rooms, const struct uuid *doc)
{
	if (rooms_deleted(rooms, doc, NULL))
		rooms->callbacks.ended(rooms->callbacks.arg, doc);
}
