/*
 * room/members.c: the members of a room, and what a member is sent that is behind.
 */
#include "room/state.h"

#include "base/mem.h"

/* Add a member to the document's room; the first member creates the room. */
void
room_attach(struct rooms *rooms, const struct uuid *doc, struct room_member *member)
{
	struct room *room = doc_map_find(&rooms->map, doc);

	if (room == NULL)
	{
		room = mem_zalloc(sizeof(struct room));
		room->node.id = *doc;
		room->rooms = rooms;
		room_synced_reset(room);
		doc_map_add(&rooms->map, &room->node);
		rooms->metrics->rooms++;
	}
	room->users++;
	LIST_INSERT_HEAD(&room->seats, member, seat);
	member->room = room;
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

/* Remove a member; an empty room ends with the turn. */
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

/* Visit every member of a document's room; a visit must not remove any. */
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

/*
 * Get what follows the cursor of a member that can take frames; the caller sends
 * the frame and releases it.
 */
enum room_next_result
room_next(struct room_member *member, struct frame **frame)
{
	struct room *room = member->room;

	*frame = NULL;
	if (!member->live || room->suspect.on || member->cursor >= ring_head(&room->ring))
	{
		member->behind = false;
		return ROOM_NOTHING;
	}
	if (member->cursor < room->ring.base)
		return ROOM_TABLES;
	*frame = room_frame_since(room, member->cursor, &member->cursor);
	room->rooms->metrics->frames_behind++;
	return ROOM_FRAME;
}
