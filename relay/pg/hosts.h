/*
 * pg/hosts.h: which of several hosts a connection is tried with first.
 */
#ifndef RELAY_PG_HOSTS_H
#define RELAY_PG_HOSTS_H

#include <libpq-fe.h>

/* what libpq takes as lists that go together */
#define PG_HOST_LISTS 3

struct pg_hosts
{
	unsigned	count;			/* of hosts; 0: not learned yet */
	unsigned	first;
	char	   *lists[PG_HOST_LISTS];	/* as they were given, or NULL */
	char	   *turned[PG_HOST_LISTS];	/* beginning with the first */
};

void		pg_hosts_learn(struct pg_hosts *hosts, PGconn *conn);
void		pg_hosts_turn(struct pg_hosts *hosts);
int			pg_hosts_put(const struct pg_hosts *hosts, const char **keys, const char **values);
void		pg_hosts_free(struct pg_hosts *hosts);

#endif							/* RELAY_PG_HOSTS_H */
