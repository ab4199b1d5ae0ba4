/*
 * tables/write_queue.h: the submissions of each document, in the order they came.
 */
#ifndef RELAY_WRITE_QUEUE_H
#define RELAY_WRITE_QUEUE_H

#include "base/docmap.h"
#include "base/turns.h"
#include "wire/protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct doc;
struct write_share;

struct submission
{
	struct submission *next;
	struct submission **back;	/* what points to it in its document's queue */
	struct doc *doc;
	struct write_share *share;	/* its user's, among whose it is: write_share.h */
	TAILQ_ENTRY(submission) of_user;
	void	   *owner;
	const char *user;
	struct uuid operation_id;
	int64_t		base_version;
	struct uuid life;			/* of the document it was made on */
	bool		far;			/* its base is far behind */
	bool		sent;			/* in a batch that is under way */
	char	   *text;
	size_t		text_len;
};

enum doc_state
{
	DOC_READY,					/* on the ready list, or in turn by user where
								 * many are ready */
	DOC_IN_FLIGHT,					/* in a batch */
	DOC_BUSY					/* on the list of those that may wait for a
								 * lock */
};

struct doc
{
	struct doc_node node;
	struct turn turn;			/* among those that wait in turn by user */
	struct doc *next;			/* on its list */
	enum doc_state state;
	struct submission *first;
	struct submission **last;
	uint32_t	in_flight;			/* submissions at the front that are under way */
	uint32_t	single;			/* ... that are to go one by one */
	bool		alone;			/* not together with other documents */
	bool		dropped;		/* what is under way does not go again */
	unsigned	attempts;
};

struct doc_list
{
	struct doc *first;
	struct doc **last;
};

struct doc *doc_new(const struct uuid *id);
struct submission *doc_push(struct doc *doc, void *owner, const char *user, const struct submitted *op);
struct submission *doc_pop(struct doc *doc);

/* take a submission out that is not under way, wherever it stands */
void		doc_take_out(struct doc *doc, struct submission *s);
void		submission_free(struct submission *s);

void		doc_list_init(struct doc_list *list);
void		doc_list_push(struct doc_list *list, struct doc *doc);
struct doc *doc_list_pop(struct doc_list *list);
void		doc_list_remove(struct doc_list *list, struct doc *doc);

#endif							/* RELAY_WRITE_QUEUE_H */
