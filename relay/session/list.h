/*
 * session/list.h: lists of sessions in the order of their time, so that who
 * is due stands first.
 *
 * A session is in one list at a time; its time there is when it was added.
 */
#ifndef RELAY_SESSION_LIST_H
#define RELAY_SESSION_LIST_H

#include <stdint.h>
#include <sys/queue.h>

struct session;
struct session_list;

struct session_link
{
	TAILQ_ENTRY(session_link) entry;
	struct session_list *list;
	struct session *session;
	int64_t		since_s;
	int64_t		heard_s;		/* the last sign of life */
};

struct session_list
{
	TAILQ_HEAD(session_links, session_link) links;
};

/* Set an empty list up. */
static inline void
session_list_init(struct session_list *list)
{
	TAILQ_INIT(&list->links);
}

/* Take a session out of the list it is in. */
static inline void
session_list_remove(struct session_link *link)
{
	if (link->list != NULL)
		TAILQ_REMOVE(&link->list->links, link, entry);
	link->list = NULL;
}

/* Put a session at the end of a list, out of the one it was in. */
static inline void
session_list_add(struct session_list *list, struct session_link *link, struct session *session, int64_t now_s)
{
	session_list_remove(link);
	link->list = list;
	link->session = session;
	link->since_s = now_s;
	if (link->heard_s == 0)
		link->heard_s = now_s;
	TAILQ_INSERT_TAIL(&list->links, link, entry);
}

/* Get the first session, or NULL. */
static inline struct session *
session_list_first(const struct session_list *list)
{
	struct session_link *link = TAILQ_FIRST(&list->links);

	return link != NULL ? link->session : NULL;
}

/* Get the first session if it is in the list since then or before, or NULL. */
static inline struct session *
session_list_due(const struct session_list *list, int64_t since_s)
{
	struct session_link *link = TAILQ_FIRST(&list->links);

	return link != NULL && link->since_s <= since_s ? link->session : NULL;
}

#endif							/* RELAY_SESSION_LIST_H */
