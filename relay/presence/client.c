/*
 * presence/client.c: the documents that clients are in, the clients, and what is
 * noted of one that changed: that it is to be shown here, and told to other relays.
 */
#include "presence/state.h"

#include <stdlib.h>
#include <string.h>

/* ---- documents ---- */

/* Find a document; the first to come makes it. */
struct presence_doc *
presence_find_doc(struct presence *presence, const struct uuid *id)
{
	struct presence_doc *doc = doc_map_find(&presence->docs, id);

	if (doc != NULL)
		return doc;
	doc = mem_zalloc(sizeof(struct presence_doc));
	doc->node.id = *id;
	doc->owner = presence;
	TAILQ_INIT(&doc->visible);
	TAILQ_INIT(&doc->hidden);
	TAILQ_INIT(&doc->changed);
	doc_map_add(&presence->docs, &doc->node);
	return doc;
}

/* Forget what was made of a document's list. */
void
presence_drop_list(struct presence_doc *doc)
{
	doc->users_known = false;
	buf_free(&doc->users);
	frame_unref(doc->everybody);
	doc->everybody = NULL;
}

/* ---- clients ---- */

/* Free a client that is gone, when nobody is to be told any more. */
void
presence_release(struct presence_client *c)
{
	if (!c->gone || c->changed || c->telling || c->writing != WRITING_NOTHING)
		return;
	presence_clear_view(&c->view);
	free(c);
}

/* Note that a client changed, more than its cursor or not. */
void
presence_changed(struct presence_client *c, bool news)
{
	struct presence_doc *doc = c->doc;

	c->news |= news;
	if (!c->changed)
		TAILQ_INSERT_TAIL(&doc->changed, c, change);
	c->changed = true;
	if (c->shown || !c->hidden)
		presence_drop_list(doc);
	if (doc->state != SHOWN_QUIET)
		return;
	doc->state = SHOWN_CHANGED;
	TAILQ_INSERT_TAIL(&doc->owner->showing.changed, doc, turn);
}

/* Keep a client to be told to other relays. */
void
presence_tell(struct presence_client *c)
{
	struct presence *presence = c->owner;

	if (c->telling || !presence->connected || presence->peers.alive_count == 0)
		return;
	c->telling = true;
	TAILQ_INSERT_TAIL(&presence->peers.to_tell, c, to_tell);
}

/* Put a text in place of another; return true if it is another one. */
static bool
set_text(const char **place, const char *text)
{
	if (text == *place || (text != NULL && *place != NULL && strcmp(text, *place) == 0))
		return false;
	free((char *) *place);
	*place = text != NULL ? mem_string(text, strlen(text)) : NULL;
	return true;
}

/* Put what a client said in its view; return true if anything changed, and set news if more than the cursor did. */
bool
presence_set(struct presence_view *view, const struct presence_said *said, bool *news)
{
	bool		moved = said->names_cursor && (said->has_cursor != view->has_cursor || said->version != view->version ||
											   said->anchor != view->anchor || said->head != view->head);

	*news = false;
	if (said->names_name)
		*news |= set_text(&view->name, said->name);
	if (said->names_color)
		*news |= set_text(&view->color, said->color);
	if (moved)
	{
		view->has_cursor = said->has_cursor;
		view->version = said->version;
		view->anchor = said->anchor;
		view->head = said->head;
	}
	return moved || *news;
}

/* Give a view's texts back. */
void
presence_clear_view(struct presence_view *view)
{
	free((char *) view->user);
	free((char *) view->name);
	free((char *) view->color);
}
