/*
 * presence/presence.c: who is in a document, and showing it to the clients here.
 *
 * A change marks its client and its document. At the end of the turn, or as
 * soon as the document may be shown again, all that changed there goes out as
 * one message, with the last state of each client; so however much they move,
 * what is sent is bounded, and nothing queues. Of a document with many clients
 * only so many are shown, and who has a cursor has a place before who has not.
 */
#include "presence/state.h"

#include <stdlib.h>
#include <string.h>

/* ---- documents ---- */

/* End a document that nobody is in any more. */
static void
end_if_empty(struct presence_doc *doc)
{
	if (doc->here > 0 || doc->elsewhere > 0 || doc->state != SHOWN_QUIET)
		return;
	presence_drop_list(doc);
	doc_map_remove(&doc->owner->docs, &doc->node);
	free(doc);
}

/* Get how long a document rests after it was shown. */
static int64_t
pause_ms(const struct presence_doc *doc)
{
	return LIMIT_PRESENCE_MS + (int64_t) LIMIT_PRESENCE_MS * doc->here / LIMIT_PRESENCE_CROWD;
}

/* ---- clients ---- */

/* Give a client of ours a place among those shown. */
static void
seat_visible(struct presence_client *c)
{
	c->hidden = false;
	c->doc->visible_here++;
	TAILQ_INSERT_TAIL(&c->doc->visible, c, seat);
}

static void
seat_hidden(struct presence_client *c)
{
	c->hidden = true;
	c->owner->metrics->presence_hidden++;
	TAILQ_INSERT_TAIL(&c->doc->hidden, c, seat);
}

/* Take a client of ours out of its place. */
static void
unseat(struct presence_client *c)
{
	if (c->hidden)
	{
		TAILQ_REMOVE(&c->doc->hidden, c, seat);
		c->owner->metrics->presence_hidden--;
		return;
	}
	TAILQ_REMOVE(&c->doc->visible, c, seat);
	c->doc->visible_here--;
}

/* Show one of those whom there was no place for. */
static void
fill_place(struct presence_doc *doc)
{
	struct presence_client *c = TAILQ_FIRST(&doc->hidden);

	if (c == NULL)
		return;
	unseat(c);
	seat_visible(c);
	presence_changed(c, true);
}

/* Let a hidden client with a cursor have the place of somebody without one, or the next that is free. */
static void
take_place(struct presence_client *c)
{
	struct presence_doc *doc = c->doc;
	struct presence_client *other;

	TAILQ_FOREACH(other, &doc->visible, seat)
	{
		if (other->peer == NULL && !other->view.has_cursor)
			break;
	}
	if (other == NULL)
	{
		TAILQ_REMOVE(&doc->hidden, c, seat);
		TAILQ_INSERT_HEAD(&doc->hidden, c, seat);
		return;
	}
	unseat(other);
	seat_hidden(other);
	unseat(c);
	seat_visible(c);
	presence_changed(other, true);
	presence_changed(c, true);
}

/* A client came into a document. */
struct presence_client *
presence_join(struct presence *presence, const struct uuid *doc, const struct uuid *client, const char *user,
			  int64_t since_s)
{
	struct presence_client *c = mem_zalloc(sizeof(struct presence_client));

	c->node.id = *client;
	c->owner = presence;
	c->doc = presence_find_doc(presence, doc);
	c->view = (struct presence_view)
	{
		.doc = *doc,.client = *client,.user = mem_string(user, strlen(user)),.since_s = since_s
	};
	c->doc->here++;
	presence->metrics->presence_clients++;
	if (c->doc->visible_here < LIMIT_PRESENCE_SHOWN)
		seat_visible(c);
	else
		seat_hidden(c);
	presence_changed(c, true);
	return c;
}

/* A client said something of itself. */
void
presence_say(struct presence_client *c, const struct presence_said *said)
{
	bool		news;

	if (!presence_set(&c->view, said, &news))
		return;
	presence_changed(c, news);
	if (c->hidden && c->view.has_cursor)
		take_place(c);
}

/* A client left. */
void
presence_leave(struct presence_client *c)
{
	struct presence_doc *doc = c->doc;

	unseat(c);
	c->gone = true;
	doc->here--;
	c->owner->metrics->presence_clients--;
	presence_changed(c, true);
	if (!c->hidden)
		fill_place(doc);
}

/* ---- showing ---- */

/* Get everybody in a client's document as a list. */
const struct buf *
presence_users(struct presence_client *client)
{
	struct presence_doc *doc = client->doc;
	struct presence_client *c;

	if (!doc->users_known)
	{
		TAILQ_FOREACH(c, &doc->visible, seat)
			presence_put_user(&doc->users, &c->view);
	}
	doc->users_known = true;
	return &doc->users;
}

/* Get everybody in a client's document as a message; the caller lets go of it. */
struct frame *
presence_everybody(struct presence_client *client)
{
	struct presence_doc *doc = client->doc;

	if (doc->everybody == NULL)
		doc->everybody = presence_frame(presence_users(client), NULL, true);
	return frame_ref(doc->everybody);
}

/* Let other relays and the table know of a change, where it concerns them. */
static void
pass_on(struct presence_client *c)
{
	bool		seen = c->shown || (!c->gone && !c->hidden);

	if (seen && (c->news || c->doc->elsewhere > 0))
		presence_tell(c);
	presence_write(c, c->news ? WRITING_NOW : WRITING_LATER);
}

/* Take one change into a message. */
static void
put_change(struct presence_client *c, struct buf *users, struct buf *left)
{
	bool		visible = !c->gone && !c->hidden;

	if (visible)
		presence_put_user(users, &c->view);
	else if (c->shown)
		presence_put_left(left, &c->view.client);
	if (c->peer == NULL)
		pass_on(c);
	c->shown = visible;
	c->news = false;
}

/* Show what changed in a document, and end it where nobody is left. */
static void
show(struct presence_doc *doc, int64_t now_ms)
{
	struct presence *presence = doc->owner;
	struct buf	users = {0};
	struct buf	left = {0};
	struct presence_client *c;

	doc->state = SHOWN_QUIET;
	doc->next_ms = now_ms + pause_ms(doc);
	while ((c = TAILQ_FIRST(&doc->changed)) != NULL)
	{
		TAILQ_REMOVE(&doc->changed, c, change);
		c->changed = false;
		put_change(c, &users, &left);
		presence_release(c);
	}
	if (doc->here > 0 && (users.len > 0 || left.len > 0))
	{
		struct frame *frame = presence_frame(&users, &left, false);

		presence->callbacks.show(presence->callbacks.arg, &doc->node.id, frame);
		frame_unref(frame);
	}
	buf_free(&users);
	buf_free(&left);
	end_if_empty(doc);
}

/* End the turn: show what may be shown, and let the rest wait. */
void
presence_flush(struct presence *presence, int64_t now_ms)
{
	struct presence_doc *doc;

	while ((doc = TAILQ_FIRST(&presence->showing.changed)) != NULL)
	{
		TAILQ_REMOVE(&presence->showing.changed, doc, turn);
		if (now_ms >= doc->next_ms)
		{
			show(doc, now_ms);
			continue;
		}
		if (TAILQ_EMPTY(&presence->showing.waiting))
			presence->callbacks.waiting(presence->callbacks.arg);
		doc->state = SHOWN_WAITING;
		TAILQ_INSERT_TAIL(&presence->showing.waiting, doc, turn);
	}
}

/* Show what has waited long enough; tells whether something still waits. */
bool
presence_tick(struct presence *presence, int64_t now_ms)
{
	struct presence_doc *next;

	for (struct presence_doc *doc = TAILQ_FIRST(&presence->showing.waiting); doc != NULL; doc = next)
	{
		next = TAILQ_NEXT(doc, turn);
		if (now_ms < doc->next_ms)
			continue;
		TAILQ_REMOVE(&presence->showing.waiting, doc, turn);
		show(doc, now_ms);
	}
	return !TAILQ_EMPTY(&presence->showing.waiting);
}

/* Show all that waits, at the end; nothing is kept of it. */
void
presence_show_all(struct presence *presence)
{
	struct presence_doc *doc;

	while ((doc = TAILQ_FIRST(&presence->showing.changed)) != NULL)
	{
		TAILQ_REMOVE(&presence->showing.changed, doc, turn);
		show(doc, 0);
	}
	while ((doc = TAILQ_FIRST(&presence->showing.waiting)) != NULL)
	{
		TAILQ_REMOVE(&presence->showing.waiting, doc, turn);
		show(doc, 0);
	}
}
