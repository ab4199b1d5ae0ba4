/*
 * presence/rows.c: what the table of presence is to hold.
 *
 * Who comes or leaves is written at once, a cursor that moved with the next
 * second; of each client the last state alone. While there is no connection
 * nothing is kept for it: with the next one everybody is written anew.
 */
#include "presence/state.h"

/* Keep a client's row to be written. */
void
presence_write(struct presence_client *c, enum writing when)
{
	struct presence *presence = c->owner;

	if (!presence->connected || c->writing >= when)
		return;
	if (c->writing == WRITING_LATER)
		TAILQ_REMOVE(&presence->rows.later, c, to_write);
	c->writing = when;
	TAILQ_INSERT_TAIL(when == WRITING_NOW ? &presence->rows.now : &presence->rows.later, c, to_write);
}

/* Take a client off the list of rows to be written. */
static void
stop_writing(struct presence_client *c)
{
	struct presence *presence = c->owner;

	TAILQ_REMOVE(c->writing == WRITING_NOW ? &presence->rows.now : &presence->rows.later, c, to_write);
	c->writing = WRITING_NOTHING;
}

/* Return true if there are rows to be written. */
bool
presence_has_rows(const struct presence *presence)
{
	return !TAILQ_EMPTY(&presence->rows.now);
}

/* Give the next rows for the table. */
bool
presence_next_rows(struct presence *presence, struct buf *here, struct buf *gone)
{
	struct presence_client *c;
	int			count = 0;

	buf_clear(here);
	buf_clear(gone);
	buf_text(here, "[");
	buf_text(gone, "[");
	while (count < LIMIT_PRESENCE_ROWS && (c = TAILQ_FIRST(&presence->rows.now)) != NULL)
	{
		stop_writing(c);
		if (!c->gone)
			presence_put_row(here, &c->view);
		else if (c->written)
			presence_put_gone(gone, &c->view.doc, &c->view.client);
		count += !c->gone || c->written;
		c->written = true;
		presence_release(c);
	}
	buf_text(here, "]");
	buf_text(gone, "]");
	presence->metrics->presence_rows += (uint64_t) count;
	return count > 0;
}

/* A second has passed: cursors that moved are to be written. */
void
presence_second(struct presence *presence)
{
	struct presence_client *c;

	while ((c = TAILQ_FIRST(&presence->rows.later)) != NULL)
		presence_write(c, WRITING_NOW);
}

/* Visit every client here. */
static void
each_here(struct presence *presence, void (*visit) (struct presence_client *c))
{
	for (size_t i = 0; i < presence->docs.slot_count; i++)
	{
		for (struct doc_node *n = presence->docs.slots[i]; n != NULL; n = n->next)
		{
			struct presence_doc *doc = (struct presence_doc *) n;
			struct presence_client *c;

			TAILQ_FOREACH(c, &doc->visible, seat)
			{
				if (c->peer == NULL)
					visit(c);
			}
			TAILQ_FOREACH(c, &doc->hidden, seat)
				visit(c);
		}
	}
}

static void
write_now(struct presence_client *c)
{
	presence_write(c, WRITING_NOW);
}

/* Let the table have every client here: it has lost them, or never had them. */
void
presence_write_all(struct presence *presence)
{
	each_here(presence, write_now);
}

/* Forget what is to be written: there is no connection to write it on. */
void
presence_drop_rows(struct presence *presence)
{
	struct presence_client *c;

	while ((c = TAILQ_FIRST(&presence->rows.later)) != NULL || (c = TAILQ_FIRST(&presence->rows.now)) != NULL)
	{
		stop_writing(c);
		presence_release(c);
	}
}
