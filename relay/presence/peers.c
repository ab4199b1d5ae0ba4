/*
 * presence/peers.c: who is on other relays: what they tell, and what they are
 * told.
 *
 * A relay that begins, or comes back after it lost PostgreSQL, says hello; the
 * others answer with everybody they have, as it does itself when it hears of
 * one it did not know. Who comes and leaves is told to all; a cursor only
 * while another relay has somebody in its document. A relay that is silent
 * for as long as it said itself is forgotten, and its clients with it.
 */
#include "presence/state.h"

#include <stdlib.h>
#include <string.h>

/* what closes a message, after its clients */
#define CLOSING_BYTES 16

/* ---- other relays and their clients ---- */

/* A client elsewhere came: it has a place among those shown. */
static struct presence_client *
remote_join(struct peer *peer, struct presence *presence, const struct presence_view *view)
{
	struct presence_client *c = mem_zalloc(sizeof(struct presence_client));

	c->node.id = view->client;
	c->owner = presence;
	c->peer = peer;
	c->doc = presence_find_doc(presence, &view->doc);
	c->view = (struct presence_view)
	{
		.doc = view->doc,.client = view->client,.user = mem_string(view->user, strlen(view->user))
	};
	doc_map_add(&presence->peers.elsewhere, &c->node);
	LIST_INSERT_HEAD(&peer->clients, c, of_peer);
	TAILQ_INSERT_TAIL(&c->doc->visible, c, seat);
	c->doc->elsewhere++;
	presence->metrics->presence_elsewhere++;
	return c;
}

/* A client elsewhere left. */
static void
remote_leave(struct presence_client *c)
{
	doc_map_remove(&c->owner->peers.elsewhere, &c->node);
	LIST_REMOVE(c, of_peer);
	TAILQ_REMOVE(&c->doc->visible, c, seat);
	c->doc->elsewhere--;
	c->owner->metrics->presence_elsewhere--;
	c->gone = true;
	presence_changed(c, true);
}

/* The first client elsewhere came into a document: cursors of ours were not told so far. */
static void
tell_cursors(struct presence_doc *doc)
{
	struct presence_client *c;

	TAILQ_FOREACH(c, &doc->visible, seat)
	{
		if (c->peer == NULL && c->view.has_cursor)
			presence_tell(c);
	}
}

/* Take what a relay told of one client. */
static void
take_client(struct presence *presence, struct peer *peer, const struct presence_told *told)
{
	const struct presence_view *view = &told->view;
	struct presence_client *c = doc_map_find(&presence->peers.elsewhere, &view->client);
	struct presence_said said = {
		.names_name = true,.names_color = true,.names_cursor = true,.name = view->name,.color = view->color,
		.has_cursor = view->has_cursor,.version = view->version,.anchor = view->anchor,.head = view->head,
	};
	bool		is_new = c == NULL;
	bool		news;

	if (c != NULL && (c->peer != peer || !uuid_equal(&c->view.doc, &view->doc)))
		return;
	if (told->left)
	{
		if (c != NULL)
			remote_leave(c);
		return;
	}
	if (is_new && presence->peers.elsewhere.count >= LIMIT_PEERS_CLIENTS)
		return;
	if (is_new)
		c = remote_join(peer, presence, view);
	c->generation = peer->generation;
	if (presence_set(&c->view, &said, &news) || is_new)
		presence_changed(c, news || is_new);
	if (is_new && c->doc->elsewhere == 1)
		tell_cursors(c->doc);
}

/* Forget clients of a relay: those of an older telling, or all. */
static void
drop_clients(struct peer *peer, bool all)
{
	struct presence_client *next;

	for (struct presence_client *c = LIST_FIRST(&peer->clients); c != NULL; c = next)
	{
		next = LIST_NEXT(c, of_peer);
		if (all || c->generation != peer->generation)
			remote_leave(c);
	}
}

/* Forget a relay, but for the number of its last message. */
static void
forget_peer(struct presence *presence, struct peer *peer)
{
	if (!peer->alive)
		return;
	peer->alive = false;
	presence->peers.alive_count--;
	presence->metrics->presence_relays--;
	drop_clients(peer, true);
	if (presence->peers.alive_count == 0)
		presence_stop_telling(presence);
}

/* Find a relay, or NULL. */
static struct peer *
find_peer(struct presence *presence, const struct uuid *id)
{
	struct peer *peer;

	LIST_FOREACH(peer, &presence->peers.list, entry)
	{
		if (uuid_equal(&peer->id, id))
			return peer;
	}
	return NULL;
}

/* Make room for one more relay: the one that was forgotten longest ago goes. Tells whether there is room. */
static bool
make_room(struct presence *presence)
{
	struct peer *oldest = NULL;
	struct peer *peer;

	if (presence->peers.peer_count < LIMIT_PEERS)
		return true;
	LIST_FOREACH(peer, &presence->peers.list, entry)
	{
		if (!peer->alive && (oldest == NULL || peer->forgotten_ms < oldest->forgotten_ms))
			oldest = peer;
	}
	if (oldest == NULL)
		return false;
	LIST_REMOVE(oldest, entry);
	free(oldest);
	presence->peers.peer_count--;
	return true;
}

/* Find the relay that a message is of, or begin to know it; NULL: the message means nothing. */
static struct peer *
peer_of(struct presence *presence, const struct presence_news *news)
{
	struct peer *peer = find_peer(presence, &news->relay);

	if (peer != NULL && news->number <= peer->number)
		return NULL;
	if (peer == NULL)
	{
		if (!make_room(presence))
			return NULL;
		peer = mem_zalloc(sizeof(struct peer));
		peer->id = news->relay;
		LIST_INSERT_HEAD(&presence->peers.list, peer, entry);
		presence->peers.peer_count++;
	}
	peer->number = news->number;
	return peer;
}

/* Take a relay for one that lives; of a new one we want everybody, and it wants ours. */
static void
meet(struct presence *presence, struct peer *peer, const struct presence_news *news)
{
	if (peer->alive)
		return;
	peer->alive = true;
	presence->peers.alive_count++;
	presence->metrics->presence_relays++;
	presence->peers.owes_all = true;
	if (news->kind != PRESENCE_HELLO && !news->first)
		presence->peers.owes_hello = true;
}

/* Take a relay's clients. */
static void
take_state(struct presence *presence, struct peer *peer, const struct presence_news *news)
{
	size_t		count = json_array_size(news->clients);

	if (news->first)
		peer->generation++;
	for (size_t i = 0; i < count; i++)
	{
		struct presence_told told;

		if (presence_read_told(json_array_get(news->clients, i), &told))
			take_client(presence, peer, &told);
	}
	if (news->last)
		drop_clients(peer, false);
}

/* Act on a message of a relay. */
static void
take_news(struct presence *presence, struct peer *peer, const struct presence_news *news, int64_t now_ms)
{
	peer->forgotten_ms = now_ms + (int64_t) news->timeout_s * 1000;
	if (news->kind == PRESENCE_BYE)
	{
		forget_peer(presence, peer);
		return;
	}
	meet(presence, peer, news);
	if (news->kind == PRESENCE_HELLO)
		presence->peers.owes_all = true;
	else if (news->kind == PRESENCE_STATE)
		take_state(presence, peer, news);
}

/* Take a message from the channel; our own come back there, too. */
void
presence_hear(struct presence *presence, const char *text, size_t len, int64_t now_ms)
{
	struct presence_news news;
	struct peer *peer;

	if (!presence_read_news(text, len, &news))
		return;
	if (!uuid_equal(&news.relay, &presence->relay))
	{
		presence->metrics->notifies_in++;
		peer = peer_of(presence, &news);
		if (peer != NULL)
			take_news(presence, peer, &news, now_ms);
	}
	presence_news_release(&news);
}

/* Forget the relays that have been silent for too long. */
void
presence_forget_silent(struct presence *presence, int64_t now_ms)
{
	struct peer *peer;

	LIST_FOREACH(peer, &presence->peers.list, entry)
	{
		if (now_ms >= peer->forgotten_ms)
			forget_peer(presence, peer);
	}
}

/* Forget all relays, at the end. */
void
presence_forget_all(struct presence *presence)
{
	struct peer *peer;

	while ((peer = LIST_FIRST(&presence->peers.list)) != NULL)
	{
		forget_peer(presence, peer);
		LIST_REMOVE(peer, entry);
		free(peer);
	}
}

/* ---- telling ---- */

/* Begin a message of our own. */
static void
open_news(struct presence *presence, struct buf *text, enum presence_kind kind, bool first)
{
	struct presence_news news = {
		.relay = presence->relay,.number = ++presence->peers.number,.timeout_s = presence->timeout_s,.kind = kind,.first = first,
	};

	presence->metrics->notifies_out++;
	presence_open_news(text, &news);
}

/* Make a message that tells of no client. */
void
presence_signal(struct presence *presence, enum presence_kind kind, struct buf *text)
{
	open_news(presence, text, kind, false);
	presence_close_news(text, false);
}

/* Tell whether a list has grown as long as a message takes, and cut it back to what it was before. */
static bool
is_too_long(struct buf *list, size_t begin, size_t before, size_t room)
{
	if (list->len - begin + CLOSING_BYTES <= room || before == begin)
		return false;
	list->len = before;
	return true;
}

/* Get the room that a message has for its clients. */
static size_t
room_for_clients(struct presence *presence)
{
	struct buf	head = {0};
	struct presence_news longest = {.relay = presence->relay,.number = INT64_MAX,.timeout_s = LIMIT_PRESENCE_TIMEOUT_S};
	size_t		room;

	presence_open_news(&head, &longest);
	room = LIMIT_NEWS_BYTES - head.len;
	buf_free(&head);
	return room;
}

/* Write one client into the lists of everybody; a full list is closed and the next one begun. */
static size_t
put_everybody(struct presence *presence, struct presence_client *c, size_t begin, size_t room)
{
	struct buf *all = &presence->peers.all;
	size_t		before = all->len;

	presence_put_told(all, &c->view, false);
	if (!is_too_long(all, begin, before, room))
		return begin;
	buf_put(all, "", 1);
	begin = all->len;
	presence_put_told(all, &c->view, false);
	return begin;
}

/* Write lists of everybody here, as they are now. */
static void
collect_everybody(struct presence *presence)
{
	size_t		room = room_for_clients(presence);
	size_t		begin = 0;

	presence->peers.owes_all = false;
	presence->peers.all_told = 0;
	buf_clear(&presence->peers.all);
	for (size_t i = 0; i < presence->docs.slot_count; i++)
	{
		for (struct doc_node *n = presence->docs.slots[i]; n != NULL; n = n->next)
		{
			struct presence_client *c;

			TAILQ_FOREACH(c, &((struct presence_doc *) n)->visible, seat)
			{
				if (c->peer == NULL)
					begin = put_everybody(presence, c, begin, room);
			}
		}
	}
	buf_put(&presence->peers.all, "", 1);
}

/* Make a message of the next of those lists. */
static void
tell_everybody(struct presence *presence, struct buf *text)
{
	const char *list = presence->peers.all.data + presence->peers.all_told;

	open_news(presence, text, PRESENCE_STATE, presence->peers.all_told == 0);
	buf_text(text, list);
	presence->peers.all_told += strlen(list) + 1;
	presence_close_news(text, presence->peers.all_told == presence->peers.all.len);
	if (presence->peers.all_told == presence->peers.all.len)
	{
		buf_free(&presence->peers.all);
		presence->peers.all_told = 0;
	}
}

/* Make a message of clients that changed. */
static void
tell_changes(struct presence *presence, struct buf *text)
{
	struct presence_client *c;
	size_t		begin;

	open_news(presence, text, PRESENCE_STATE, false);
	begin = text->len;
	while ((c = TAILQ_FIRST(&presence->peers.to_tell)) != NULL)
	{
		size_t		before = text->len;

		presence_put_told(text, &c->view, c->gone || c->hidden);
		if (is_too_long(text, begin, before, LIMIT_NEWS_BYTES - begin))
			break;
		TAILQ_REMOVE(&presence->peers.to_tell, c, to_tell);
		c->telling = false;
		presence_release(c);
	}
	presence_close_news(text, false);
}

/* Tell whether other relays are to be told something. */
bool
presence_has_news(const struct presence *presence)
{
	return presence->connected && (presence->peers.owes_hello || presence->peers.owes_all || presence->peers.all.len > 0 ||
								   !TAILQ_EMPTY(&presence->peers.to_tell));
}

/* Make the next message for other relays; false: there is none. */
bool
presence_next_news(struct presence *presence, struct buf *text)
{
	if (!presence_has_news(presence))
		return false;
	if (presence->peers.all.len == 0 && presence->peers.owes_hello)
	{
		presence->peers.owes_hello = false;
		presence_signal(presence, PRESENCE_HELLO, text);
		return true;
	}
	if (presence->peers.all.len == 0 && presence->peers.owes_all)
		collect_everybody(presence);
	if (presence->peers.all.len > 0)
		tell_everybody(presence, text);
	else
		tell_changes(presence, text);
	return true;
}

/* Nobody is there to be told. */
void
presence_stop_telling(struct presence *presence)
{
	struct presence_client *c;

	presence->peers.owes_hello = false;
	presence->peers.owes_all = false;
	buf_free(&presence->peers.all);
	presence->peers.all_told = 0;
	while ((c = TAILQ_FIRST(&presence->peers.to_tell)) != NULL)
	{
		TAILQ_REMOVE(&presence->peers.to_tell, c, to_tell);
		c->telling = false;
		presence_release(c);
	}
}
