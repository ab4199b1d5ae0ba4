/*
 * fake_link.h: connections to PostgreSQL that the test answers, for the tests of what
 * sends statements over them. Results are libpq's own.
 */
#ifndef TEST_FAKE_LINK_H
#define TEST_FAKE_LINK_H

#include "base/mem.h"
#include "pg/link.h"
#include "pg/probe.h"

#include <stdlib.h>
#include <string.h>

#define LINKS_MOST 8
#define SENT_MOST 64

struct sent
{
	pg_answer_fn answer;
	void	   *arg;
};

struct pg_link
{
	struct pg_link_config config;
	bool		ready;
	bool		cancelling;
	struct sent sent[SENT_MOST];
	int			count;
};

static struct pg_link *links[LINKS_MOST];	/* in the order in which they were opened */
static int	link_count;

struct pg_link *
pg_link_open(const struct pg_link_config *config)
{
	struct pg_link *link = mem_zalloc(sizeof(struct pg_link));

	link->config = *config;
	link->ready = true;
	links[link_count++] = link;
	return link;
}

/* Answer the oldest statement of a connection; NULL: the connection was lost. */
static void
answer(struct pg_link *link, PGresult *result)
{
	struct sent first = link->sent[0];

	memmove(link->sent, link->sent + 1, (size_t) --link->count * sizeof(struct sent));
	first.answer(first.arg, result);
	PQclear(result);
}

void
pg_link_close(struct pg_link *link)
{
	while (link->count > 0)
		answer(link, NULL);
	link->ready = false;
}

/* Free all connections, after whoever opened them has closed them. */
static void
forget_links(void)
{
	while (link_count > 0)
		free(links[--link_count]);
}

bool
pg_link_is_ready(const struct pg_link *link)
{
	return link->ready;
}

int
pg_link_under_way(const struct pg_link *link)
{
	return link->count;
}

bool
pg_link_send_all(struct pg_link *link, const struct pg_call *calls, int count, pg_answer_fn fn, void *arg)
{
	(void) calls;
	(void) count;
	link->sent[link->count++] = (struct sent) {fn, arg};
	return true;
}

bool
pg_link_send(struct pg_link *link, const char *statement, const struct pg_params *params, pg_answer_fn fn, void *arg)
{
	(void) statement;
	(void) params;
	return pg_link_send_all(link, NULL, 1, fn, arg);
}

void
pg_link_cancel(struct pg_link *link, const void *arg)
{
	link->cancelling = link->cancelling || (link->count > 0 && link->sent[0].arg == arg);
}

bool
pg_link_is_cancelling(const struct pg_link *link)
{
	return link->cancelling;
}

void
pg_link_shed(struct pg_link *link)
{
	(void) link;
}

void
pg_link_fail(struct pg_link *link, const char *reason)
{
	(void) reason;
	link->ready = false;
}

void
pg_param_text(struct pg_params *params, const char *text)
{
	params->values[params->count++] = text;
}

void
pg_param_binary(struct pg_params *params, const void *data, size_t len)
{
	(void) len;
	params->values[params->count++] = data;
}

/* Make a result of one row; names and values end with NULL. */
static inline PGresult *
one_row(const char *const *names, const char *const *values)
{
	PGresult   *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[16] = {0};
	int			count = 0;

	while (names[count] != NULL)
	{
		columns[count].name = (char *) names[count];
		count++;
	}
	PQsetResultAttrs(result, count, columns);
	for (int i = 0; i < count; i++)
		PQsetvalue(result, 0, i, (char *) values[i], (int) strlen(values[i]));
	return result;
}

#endif							/* TEST_FAKE_LINK_H */
