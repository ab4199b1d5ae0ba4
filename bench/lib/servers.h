/*
 * lib/servers.h
 *		What clients of a benchmark connect to: converge-relay and what it is measured
 *		against, each started on a port of its own; documents, and who may write them.
 */
#ifndef BENCH_SERVERS_H
#define BENCH_SERVERS_H

#include "lib/pg.h"

#include <sys/types.h>

#define SERVERS_HOST	"127.0.0.1"

typedef struct Servers
{
	const char *key_file;
	const char *relay;			/* program */
	const char *broadcast;		/* program; bare/broadcast.c */
	const char *bare;			/* script; bare/relay.mjs */
	const char *bare_connections;	/* of it */
	const char *log_file;
	char	   *token;			/* of a user who may write all documents */
	pid_t		postmaster;
} Servers;

/* Read them from the environment that bench/run makes. */
extern void servers_init(Servers *servers, PGconn *conn);

extern pid_t servers_start_relay(const Servers *servers, int port);
extern pid_t servers_start_bare(const Servers *servers, int port);

/* loop: "uv" or "poll". */
extern pid_t servers_start_broadcast(const Servers *servers, const char *loop, int port);

/* Wait until a server takes connections; what it does then may still have to wait. */
extern void servers_await(int port);

/* An empty document's id, to be freed. */
extern char *servers_document(PGconn *conn);

/*
 * A counter of a relay's /metrics, as its line begins: "batch_ops_count".  It must be
 * asked while nobody else waits for this thread.
 */
extern double servers_metric(int port, const char *name);

#endif							/* BENCH_SERVERS_H */
