/*
 * storm.c
 *		A reconnect storm: all clients of a relay lose it at once (kill -9) and come
 *		back to another, each resuming at the version it holds.  Against the same
 *		clients with bare broadcasters (bare/broadcast.c) in the place of relays.
 *
 * A client tries again at once, and after a random moment where that fails.  It is
 * live again when the server says that it is joined; nobody types meanwhile, so there
 * is nothing to catch up with, but the relay has to ask the tables whether there is.
 */
#include "lib/common.h"
#include "lib/ids.h"
#include "lib/pg.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/servers.h"
#include "client/ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS			5000
#define DOCUMENTS		500
#define AT_ONCE			256		/* of the first time, when there is no storm */
#define SPARE_FILES		256
#define RETRY_MS		200
#define TIMEOUT_US		(120 * 1000000LL)

typedef struct Storm Storm;

typedef struct Client
{
	Ws			ws;
	LoopTimer	retry;
	Storm	   *storm;
	char		path[64];
	bool		live;
	long long	version;		/* 0: it has no text yet */
	char		operation_id[ID_SIZE];
} Client;

struct Storm
{
	Servers		servers;
	Loop		loop;
	LoopTimer	clock;
	char	   *documents[DOCUMENTS];
	Client	   *clients;
	int			port;			/* where they connect now */
	int			called;
	int			live;
	bool		over;			/* what closes now is of no concern */
	double		retries;
	int64_t		began_us;
	Samples		live_ms;		/* since it began */
};

/* ---- clients ---- */

static void
call(Client *client)
{
	ws_connect(&client->ws, SERVERS_HOST, client->storm->port, client->path);
}

/* Before the storm they come some at a time. */
static void
call_more(Storm *storm)
{
	while (storm->called < CLIENTS && storm->called < storm->live + AT_ONCE)
		call(&storm->clients[storm->called++]);
}

static void
become_live(Client *client)
{
	Storm	   *storm = client->storm;

	if (client->live)
		return;
	client->live = true;
	samples_add(&storm->live_ms, (double) (now_us() - storm->began_us) / 1000);
	storm->live++;
	call_more(storm);
	if (storm->live == CLIENTS)
		loop_stop(&storm->loop);
}

static void
opened(void *ctx)
{
	Client	   *client = ctx;
	WsBuffer	hello = {0};

	ws_printf(&hello, "{\"type\":\"hello\",\"token\":\"%s\"", client->storm->servers.token);
	if (client->version > 0)
		ws_printf(&hello, ",\"version\":%lld,\"operationId\":\"%s\"", client->version,
				  client->operation_id);
	ws_printf(&hello, "}");
	ws_send(&client->ws, hello.data, hello.size);
	free(hello.data);
}

/* The number, or the text, behind a key of a message. */
static const char *
value_of(const char *text, size_t size, const char *key)
{
	const char *at = memmem(text, size, key, strlen(key));

	if (at == NULL)
		die("no %s in %.*s", key, (int) (size < 200 ? size : 200), text);
	return at + strlen(key);
}

static void
take_snapshot(Client *client, const char *text, size_t size)
{
	WsBuffer	ack = {0};

	client->version = strtoll(value_of(text, size, "\"version\":"), NULL, 10);
	memcpy(client->operation_id, value_of(text, size, "\"operationId\":\""), ID_SIZE - 1);
	ws_printf(&ack, "{\"type\":\"ack\",\"sequenceId\":%lld}",
			  strtoll(value_of(text, size, "\"sequenceId\":"), NULL, 10));
	ws_send(&client->ws, ack.data, ack.size);
	free(ack.data);
	become_live(client);
}

static bool
is_type(const char *text, size_t size, const char *type)
{
	char		begin[64];
	int			length = snprintf(begin, sizeof(begin), "{\"type\":\"%s\"", type);

	return size > (size_t) length && memcmp(text, begin, (size_t) length) == 0;
}

static void
message(void *ctx, const char *text, size_t size)
{
	Client	   *client = ctx;

	if (is_type(text, size, "snapshot"))
		take_snapshot(client, text, size);
	else if (is_type(text, size, "joined") && memmem(text, size, "\"resumed\":true", 14) != NULL)
		become_live(client);
	else if (is_type(text, size, "joined") && client->version > 0)
		die("a client could not resume: %.*s", (int) (size < 200 ? size : 200), text);
	else if (is_type(text, size, "error"))
		die("the relay says %.*s", (int) (size < 300 ? size : 300), text);
}

/* Its server is gone, or not there yet. */
static void
closed(void *ctx, int code, const char *reason)
{
	Client	   *client = ctx;
	Storm	   *storm = client->storm;

	if (storm->over)
		return;
	if (client->live)
	{
		client->live = false;
		storm->live--;
		call(client);
		return;
	}
	storm->retries++;
	loop_timer_start(&storm->loop, &client->retry, 1000L * (1 + random() % RETRY_MS));
}

static void
try_again(LoopTimer *timer)
{
	call((Client *) ((char *) timer - offsetof(Client, retry)));
}

static const WsHandler handler = {opened, message, closed};

/* ---- the storm ---- */

static void
give_up(LoopTimer *timer)
{
	Storm	   *storm = (Storm *) ((char *) timer - offsetof(Storm, clock));

	die("only %d of %d clients are live", storm->live, CLIENTS);
}

/* Go on until all are live. */
static void
await_all(Storm *storm)
{
	loop_timer_start(&storm->loop, &storm->clock, TIMEOUT_US);
	loop_run(&storm->loop);
	loop_timer_stop(&storm->loop, &storm->clock);
}

static void
seat(Storm *storm, int port)
{
	storm->port = port;
	storm->called = storm->live = 0;
	storm->over = false;
	storm->clients = xcalloc(CLIENTS, sizeof(Client));
	for (int i = 0; i < CLIENTS; i++)
	{
		Client	   *client = &storm->clients[i];

		client->storm = storm;
		client->retry.fire = try_again;
		snprintf(client->path, sizeof(client->path), "/v1/collab/%s", storm->documents[i % DOCUMENTS]);
		ws_init(&client->ws, &storm->loop, &handler, client);
	}
	call_more(storm);
	await_all(storm);
}

static void
unseat(Storm *storm)
{
	storm->over = true;
	for (int i = 0; i < CLIENTS; i++)
	{
		loop_timer_stop(&storm->loop, &storm->clients[i].retry);
		ws_free(&storm->clients[i].ws);
	}
	free(storm->clients);
}

static pid_t
start_server(const Storm *storm, bool relay, int port)
{
	return relay ? servers_start_relay(&storm->servers, port) :
		servers_start_broadcast(&storm->servers, "uv", port);
}

/* What one storm showed. */
typedef struct Outcome
{
	Samples		seconds;		/* until all were live */
	Samples		p50_ms;			/* until a client was */
	Samples		cpu;			/* of the server they came to */
	Samples		postgres_cpu;
	double		retries;
} Outcome;

static double
run_storm(Storm *storm, bool relay, Outcome *outcome)
{
	int			ports[2] = {proc_free_port(), 0};
	pid_t		first = start_server(storm, relay, ports[0]);
	pid_t		second;
	double		cpu;
	double		postgres;
	double		seconds;

	seat(storm, ports[0]);
	storm->port = ports[1] = proc_free_port();
	second = start_server(storm, relay, ports[1]);
	servers_await(ports[1]);
	cpu = proc_cpu(second);
	postgres = proc_cpu_family(storm->servers.postmaster);
	storm->retries = 0;
	samples_clear(&storm->live_ms);
	storm->began_us = now_us();
	proc_kill(first);
	await_all(storm);
	seconds = (double) (now_us() - storm->began_us) / 1e6;
	samples_add(&outcome->seconds, seconds);
	samples_add(&outcome->p50_ms, samples_percentile(&storm->live_ms, 0.5));
	samples_add(&outcome->cpu, proc_cpu(second) - cpu);
	samples_add(&outcome->postgres_cpu, proc_cpu_family(storm->servers.postmaster) - postgres);
	outcome->retries += storm->retries;
	unseat(storm);
	proc_stop(second, "the server that clients came to");
	return seconds;
}

static void
report_outcome(const char *name, Outcome *outcome)
{
	printf("  %-18s %9.2f %9.0f %9.2f %9.2f %9s\n", name, samples_percentile(&outcome->seconds, 0.5),
		   samples_percentile(&outcome->p50_ms, 0.5), samples_percentile(&outcome->cpu, 0.5),
		   samples_percentile(&outcome->postgres_cpu, 0.5), grouped(outcome->retries));
	samples_free(&outcome->seconds);
	samples_free(&outcome->p50_ms);
	samples_free(&outcome->cpu);
	samples_free(&outcome->postgres_cpu);
}

/* Documents with an edit each, so that there is a version to resume at. */
static void
create_documents(Storm *storm, PGconn *conn)
{
	for (int i = 0; i < DOCUMENTS; i++)
	{
		storm->documents[i] = servers_document(conn);
		PQclear(pg_query(conn, "SELECT converge.edit($1, '[\"hello\"]')", storm->documents[i], NULL));
	}
}

int
main(int argc, char **argv)
{
	static Storm storm;
	PGconn	   *conn = pg_connect("");
	Outcome		outcomes[2] = {0};
	Samples		ratios = {0};
	int			rounds = argc > 1 ? atoi(argv[1]) : 3;

	if (!proc_allow_files(CLIENTS + SPARE_FILES))
	{
		printf("skipped: %d open files are not allowed here (ulimit -Hn)\n", CLIENTS + SPARE_FILES);
		return 0;
	}
	servers_init(&storm.servers, conn);
	loop_init(&storm.loop);
	storm.clock.fire = give_up;
	create_documents(&storm, conn);
	for (int r = 0; r < rounds; r++)
	{
		double		bare = run_storm(&storm, false, &outcomes[0]);

		samples_add(&ratios, run_storm(&storm, true, &outcomes[1]) / bare);
	}
	printf("\n%s clients of %d documents lose their server and come to another\n", grouped(CLIENTS), DOCUMENTS);
	printf("  %-18s %9s %9s %9s %9s %9s\n", "", "all live", "p50", "CPU s of", "CPU s of", "");
	printf("  %-18s %9s %9s %9s %9s %9s\n", "", "after s", "ms", "server", "postgres", "retries");
	report_outcome("broadcaster", &outcomes[0]);
	report_outcome("converge-relay", &outcomes[1]);
	report_ratio("5,000 clients come back, against the broadcaster", samples_percentile(&ratios, 0.5), NO_AIM, 0);
	samples_free(&ratios);
	samples_free(&storm.live_ms);
	loop_free(&storm.loop);
	for (int i = 0; i < DOCUMENTS; i++)
		free(storm.documents[i]);
	free(storm.servers.token);
	PQfinish(conn);
	return 0;
}
