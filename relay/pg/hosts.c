/*
 * pg/hosts.c: which of several hosts a connection is tried with first.
 *
 * libpq goes from host to host by itself where one refuses, but asked without
 * waiting it knows no limit of time: at a host that never answers it would stay
 * for ever, and so would every attempt that begins with that host. So an
 * attempt that ran out of time is followed by one that begins with the next.
 */
#include "pg/hosts.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const keywords[PG_HOST_LISTS] = {"host", "hostaddr", "port"};

/* Count what a list has, with its commas. */
static unsigned
count_items(const char *list)
{
	unsigned	count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* Learn the hosts from a connection that has been begun: wherever they come from, it knows them. */
void
pg_hosts_learn(struct pg_hosts *hosts, PGconn *conn)
{
	PQconninfoOption *options = hosts->count == 0 ? PQconninfo(conn) : NULL;

	for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
	{
		for (int i = 0; i < PG_HOST_LISTS; i++)
		{
			if (strcmp(o->keyword, keywords[i]) != 0 || o->val == NULL || strchr(o->val, ',') == NULL)
				continue;
			hosts->lists[i] = mem_string(o->val, strlen(o->val));
			hosts->count = count_items(o->val);
		}
	}
	PQconninfoFree(options);
}

/* Make a list begin with another item. */
static char *
turn(const char *list, unsigned first)
{
	const char *at = list;
	size_t		len = strlen(list);
	char	   *turned = mem_alloc(len + 1);
	size_t		tail;

	for (; first > 0; first--)
		at = strchr(at, ',') + 1;
	tail = len - (size_t) (at - list);
	memcpy(turned, at, tail);
	if (at > list)
	{
		turned[tail] = ',';
		memcpy(turned + tail + 1, list, len - tail - 1);
	}
	turned[len] = '\0';
	return turned;
}

/* Begin with the next host from now on, where there are several. */
void
pg_hosts_turn(struct pg_hosts *hosts)
{
	if (hosts->count == 0)
		return;
	hosts->first = (hosts->first + 1) % hosts->count;
	for (int i = 0; i < PG_HOST_LISTS; i++)
	{
		free(hosts->turned[i]);
		hosts->turned[i] = hosts->lists[i] != NULL ? turn(hosts->lists[i], hosts->first) : NULL;
	}
}

/* Put the hosts, as they stand now, behind what a connection is begun with; tells how many places that took. */
int
pg_hosts_put(const struct pg_hosts *hosts, const char **keys, const char **values)
{
	int			count = 0;

	for (int i = 0; i < PG_HOST_LISTS; i++)
	{
		if (hosts->turned[i] == NULL)
			continue;
		keys[count] = keywords[i];
		values[count++] = hosts->turned[i];
	}
	return count;
}

void
pg_hosts_free(struct pg_hosts *hosts)
{
	for (int i = 0; i < PG_HOST_LISTS; i++)
	{
		free(hosts->lists[i]);
		free(hosts->turned[i]);
	}
	memset(hosts, 0, sizeof(*hosts));
}
