/*
 * tables/write_queue.c: the submissions of each document, in the order they came.
 *
 * What is under way stays at the front until it is answered, so nothing that
 * comes later can overtake it.
 */
#include "tables/write_queue.h"

#include "base/mem.h"

#include <stdlib.h>

/* Begin a document's queue. */
struct doc *
doc_new(const struct uuid *id)
{
	struct doc *doc = mem_zalloc(sizeof(struct doc));

	doc->node.id = *id;
	doc->last = &doc->first;
	return doc;
}

/* Append a submission; it takes over the operation's text. */
struct submission *
doc_push(struct doc *doc, void *owner, const char *user, const struct submitted *op)
{
	struct submission *s = mem_zalloc(sizeof(struct submission));

	s->doc = doc;
	s->back = doc->last;
	s->owner = owner;
	s->user = user;
	s->operation_id = op->operation_id;
	s->base_version = op->base_version;
	s->life = op->life;
	s->far = op->far;
	s->text = op->text;
	s->text_len = op->text_len;
	*doc->last = s;
	doc->last = &s->next;
	return s;
}

void
doc_take_out(struct doc *doc, struct submission *s)
{
	*s->back = s->next;
	if (s->next != NULL)
		s->next->back = s->back;
	else
		doc->last = s->back;
}

/* Take the submission at the front, which has got its final answer. */
struct submission *
doc_pop(struct doc *doc)
{
	struct submission *s = doc->first;

	doc_take_out(doc, s);
	if (doc->in_flight > 0)
		doc->in_flight--;
	if (doc->single > 0)
		doc->single--;
	return s;
}

/* Give a submission back. */
void
submission_free(struct submission *s)
{
	free(s->text);
	free(s);
}

/* Set an empty list up. */
void
doc_list_init(struct doc_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

/* Append a document. */
void
doc_list_push(struct doc_list *list, struct doc *doc)
{
	doc->next = NULL;
	*list->last = doc;
	list->last = &doc->next;
}

/* Take the first document of a list that has one. */
struct doc *
doc_list_pop(struct doc_list *list)
{
	struct doc *doc = list->first;

	list->first = doc->next;
	if (list->first == NULL)
		list->last = &list->first;
	return doc;
}

/* Take a document out of its list, wherever it stands. */
void
doc_list_remove(struct doc_list *list, struct doc *doc)
{
	struct doc **at = &list->first;

	while (*at != doc)
		at = &(*at)->next;
	*at = doc->next;
	if (list->last == &doc->next)
		list->last = at;
}
