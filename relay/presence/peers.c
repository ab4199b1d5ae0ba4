/*
 * presence/peers.c: the clients of other relays: what those relays send, and what
 * they are sent.
 *
 * A relay that begins, or comes back after it lost PostgreSQL, sends a hello; the
 * others answer with all their clients, and it sends its own to each relay that
 * it did not know. A client that joins or leaves is sent to all relays; a cursor
 * only while another relay has a client in its document. Each message names the
 * time after which its relay is to be forgotten, with its clients, if no other
 * message comes.
 */
#include "presence/state.h"

#include <stdlib.h>
#include <string.h>

/* what closes a message, after its clients */
#define CLOSING_BYTES 16

/* ---- other relays and their clients ---- */

/* A client of another relay came: it is visible. */
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

/* The first client of another relay came into a document: cursors of ours were not sent so far. */
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

/* Take another relay's state of one client. */
static void
take_client(struct presence *presence, struct peer *peer, const struct presence_peer_state *state)
{
	const struct presence_view *view = &state->view;
	struct presence_client *c = doc_map_find(&presence->peers.elsewhere, &view->client);
	struct presence_update update = {
		.names_name = true,.names_color = true,.names_cursor = true,.name = view->name,.color = view->color,
		.has_cursor = view->has_cursor,.version = view->version,.anchor = view->anchor,.head = view->head,
	};
	bool		is_new = c == NULL;
	bool		beyond_cursor;

	if (c != NULL && (c->peer != peer || !uuid_equal(&c->view.doc, &view->doc)))
		return;
	if (state->left)
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
	if (presence_set(&c->view, &update, &beyond_cursor) || is_new)
		presence_changed(c, beyond_cursor || is_new);
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

/* Make room for one more relay by freeing the one that was forgotten longest ago; return true if there is room. */
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
peer_of(struct presence *presence, const struct presence_message *message)
{
	struct peer *peer = find_peer(presence, &message->relay);

	if (peer != NULL && message->number <= peer->number)
		return NULL;
	if (peer == NULL)
	{
		if (!make_room(presence))
			return NULL;
		peer = mem_zalloc(sizeof(struct peer));
		peer->id = message->relay;
		LIST_INSERT_HEAD(&presence->peers.list, peer, entry);
		presence->peers.peer_count++;
	}
	peer->number = message->number;
	return peer;
}

/* Note that a relay is alive; one that was not needs all our clients, and we need its clients. */
static void
meet_peer(struct presence *presence, struct peer *peer, const struct presence_message *message)
{
	if (peer->alive)
		return;
	peer->alive = true;
	presence->peers.alive_count++;
	presence->metrics->presence_relays++;
	presence->peers.owes_all = true;
	if (message->kind != PRESENCE_HELLO && !message->first)
		presence->peers.owes_hello = true;
}

/* Take a relay's clients. */
static void
take_state(struct presence *presence, struct peer *peer, const struct presence_message *message)
{
	size_t		count = json_array_size(message->clients);

	if (message->first)
		peer->generation++;
	for (size_t i = 0; i < count; i++)
	{
		struct presence_peer_state state;

		if (presence_read_peer_state(json_array_get(message->clients, i), &state))
			take_client(presence, peer, &state);
	}
	if (message->last)
		drop_clients(peer, false);
}

/* Act on a message of a relay. */
static void
take_message(struct presence *presence, struct peer *peer, const struct presence_message *message, int64_t now_ms)
{
	peer->forgotten_ms = now_ms + (int64_t) message->timeout_s * 1000;
	if (message->kind == PRESENCE_BYE)
	{
		forget_peer(presence, peer);
		return;
	}
	meet_peer(presence, peer, message);
	if (message->kind == PRESENCE_HELLO)
		presence->peers.owes_all = true;
	else if (message->kind == PRESENCE_STATE)
		take_state(presence, peer, message);
}

/* Take a message from the channel; our own come back there, too. */
void
presence_hear(struct presence *presence, const char *text, size_t len, int64_t now_ms)
{
	struct presence_message message;
	struct peer *peer;

	if (!presence_read_message(text, len, &message))
		return;
	if (!uuid_equal(&message.relay, &presence->relay))
	{
		presence->metrics->notifies_in++;
		peer = peer_of(presence, &message);
		if (peer != NULL)
			take_message(presence, peer, &message, now_ms);
	}
	presence_message_release(&message);
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
open_message(struct presence *presence, struct buf *text, enum presence_kind kind, bool first)
{
	struct presence_message message = {
		.relay = presence->relay,.number = ++presence->peers.number,.timeout_s = presence->timeout_s,.kind = kind,.first = first,
	};

	presence->metrics->notifies_out++;
	presence_open_message(text, &message);
}

/* Make a message without clients. */
void
presence_signal(struct presence *presence, enum presence_kind kind, struct buf *text)
{
	open_message(presence, text, kind, false);
	presence_close_message(text, false);
}

/* Return true if a list has grown longer than a message may be, and cut it back to what it was before. */
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
	struct presence_message longest = {.relay = presence->relay,.number = INT64_MAX,.timeout_s = LIMIT_PRESENCE_TIMEOUT_S};
	size_t		room;

	presence_open_message(&head, &longest);
	room = LIMIT_PEER_MESSAGE_BYTES - head.len;
	buf_free(&head);
	return room;
}

/* Write one client into the lists of all clients; a full list is closed and the next one begun. */
static size_t
put_client(struct presence *presence, struct presence_client *c, size_t begin, size_t room)
{
	struct buf *all = &presence->peers.all;
	size_t		before = all->len;

	presence_put_peer_state(all, &c->view, false);
	if (!is_too_long(all, begin, before, room))
		return begin;
	buf_put(all, "", 1);
	begin = all->len;
	presence_put_peer_state(all, &c->view, false);
	return begin;
}

/* Write lists of all clients here, as they are now. */
static void
collect_all(struct presence *presence)
{
	size_t		room = room_for_clients(presence);
	size_t		begin = 0;

	presence->peers.owes_all = false;
	presence->peers.all_sent = 0;
	buf_clear(&presence->peers.all);
	for (size_t i = 0; i < presence->docs.slot_count; i++)
	{
		for (struct doc_node *n = presence->docs.slots[i]; n != NULL; n = n->next)
		{
			struct presence_client *c;

			TAILQ_FOREACH(c, &((struct presence_doc *) n)->visible, seat)
			{
				if (c->peer == NULL)
					begin = put_client(presence, c, begin, room);
			}
		}
	}
	buf_put(&presence->peers.all, "", 1);
}

/* Make a message of the next of those lists. */
static void
put_next_list(struct presence *presence, struct buf *text)
{
	const char *list = presence->peers.all.data + presence->peers.all_sent;

	open_message(presence, text, PRESENCE_STATE, presence->peers.all_sent == 0);
	buf_text(text, list);
	presence->peers.all_sent += strlen(list) + 1;
	presence_close_message(text, presence->peers.all_sent == presence->peers.all.len);
	if (presence->peers.all_sent == presence->peers.all.len)
	{
		buf_free(&presence->peers.all);
		presence->peers.all_sent = 0;
	}
}

/* Make a message of clients that changed. */
static void
tell_changes(struct presence *presence, struct buf *text)
{
	struct presence_client *c;
	size_t		begin;

	open_message(presence, text, PRESENCE_STATE, false);
	begin = text->len;
	while ((c = TAILQ_FIRST(&presence->peers.to_tell)) != NULL)
	{
		size_t		before = text->len;

		presence_put_peer_state(text, &c->view, c->gone || c->hidden);
		if (is_too_long(text, begin, before, LIMIT_PEER_MESSAGE_BYTES - begin))
			break;
		TAILQ_REMOVE(&presence->peers.to_tell, c, to_tell);
		c->telling = false;
		presence_release(c);
	}
	presence_close_message(text, false);
}

/* Return true if there are messages for other relays. */
bool
presence_has_messages(const struct presence *presence)
{
	return presence->connected && (presence->peers.owes_hello || presence->peers.owes_all || presence->peers.all.len > 0 ||
								   !TAILQ_EMPTY(&presence->peers.to_tell));
}

/* Make the next message for other relays; false: there is none. */
bool
presence_next_message(struct presence *presence, struct buf *text)
{
	if (!presence_has_messages(presence))
		return false;
	if (presence->peers.all.len == 0 && presence->peers.owes_hello)
	{
		presence->peers.owes_hello = false;
		presence_signal(presence, PRESENCE_HELLO, text);
		return true;
	}
	if (presence->peers.all.len == 0 && presence->peers.owes_all)
		collect_all(presence);
	if (presence->peers.all.len > 0)
		put_next_list(presence, text);
	else
		tell_changes(presence, text);
	return true;
}

/* No relay is there to be sent anything. */
void
presence_stop_telling(struct presence *presence)
{
	struct presence_client *c;

	presence->peers.owes_hello = false;
	presence->peers.owes_all = false;
	buf_free(&presence->peers.all);
	presence->peers.all_sent = 0;
	while ((c = TAILQ_FIRST(&presence->peers.to_tell)) != NULL)
	{
		TAILQ_REMOVE(&presence->peers.to_tell, c, to_tell);
		c->telling = false;
		presence_release(c);
	}
}
