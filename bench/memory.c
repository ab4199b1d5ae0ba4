/*
 * memory.c
 *		Memory of converge-relay against that of a bare broadcaster: of an idle
 *		connection, and while some of many readers stop reading and come back.
 */
#include "lib/common.h"
#include "lib/pg.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/servers.h"
#include "client/typist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS		10000
#define DOCUMENTS		1000
#define IDLE_AIM		7168	/* bytes */
#define SPARE_FILES		256
#define SETTLE_S		2.0

#define READERS			1000
#define STALLED			100
#define EDITS_A_SECOND	20
#define PASTE_BYTES		12000	/* more than sockets keep, by the end */
#define RECEIVE_BYTES	4096	/* SO_RCVBUF of those that stop */
#define BEFORE_S		5.0

#define MB				(1024.0 * 1024.0)

typedef struct Bench
{
	Servers		servers;
	char	   *documents[DOCUMENTS];
} Bench;

static pid_t
start_server(const Bench *bench, bool relay, int port)
{
	return relay ? servers_start_relay(&bench->servers, port) :
		servers_start_broadcast(&bench->servers, "uv", port);
}

/* ---- idle connections ---- */

/* Connect so many readers, spread over some documents. */
static Stage *
seat_readers(const Bench *bench, int port, int readers, int documents)
{
	Stage	   *stage = xcalloc(1, sizeof(Stage));

	stage_open(stage, SERVERS_HOST, port, readers, 0);
	for (int i = 0; i < readers; i++)
		stage_typist(stage, i, bench->documents[i % documents], bench->servers.token, false);
	stage_join(stage);
	stage_warm_up(stage, SETTLE_S);
	return stage;
}

static void
unseat(Stage *stage)
{
	stage_close(stage);
	free(stage);
}

/* What a connection adds to a server that has served one; the RSS of it. */
static double
measure_idle(const Bench *bench, const char *title, bool relay, int documents)
{
	int			port = proc_free_port();
	pid_t		server = start_server(bench, relay, port);
	Stage	   *first = seat_readers(bench, port, 1, 1);
	ProcMemory	before = proc_memory(server);
	Stage	   *stage = seat_readers(bench, port, CONNECTIONS, documents);
	ProcMemory	after = proc_memory(server);

	unseat(stage);
	unseat(first);
	proc_stop(server, title);
	printf("  %-40s %9s %9s\n", title, grouped((after.rss - before.rss) / CONNECTIONS),
		   grouped((after.pss - before.pss) / CONNECTIONS));
	fflush(stdout);
	return (after.rss - before.rss) / CONNECTIONS;
}

static void
run_idle(const Bench *bench)
{
	double		bare;
	double		one;
	double		many;

	printf("\n%s idle connections\n", grouped(CONNECTIONS));
	if (!proc_allow_files(CONNECTIONS + SPARE_FILES))
	{
		printf("  skipped: %d open files are not allowed here (ulimit -Hn)\n", CONNECTIONS + SPARE_FILES);
		return;
	}
	printf("  %-40s %9s %9s\n", "bytes a connection", "RSS", "PSS");
	bare = measure_idle(bench, "broadcaster", false, 1);
	one = measure_idle(bench, "converge-relay, 1 document", true, 1);
	many = measure_idle(bench, "converge-relay, 1,000 documents", true, DOCUMENTS);
	printf("  %-40s %s\n", "KB, 1 document", report_format(one / 1024, AT_MOST, IDLE_AIM / 1024.0));
	report_ratio("idle connection: KB", one / 1024, AT_MOST, IDLE_AIM / 1024.0);
	report_ratio("idle connection against the broadcaster", one / bare, NO_AIM, 0);
	report_ratio("... with 1,000 documents", many / bare, NO_AIM, 0);
}

/* ---- readers that stop ---- */

typedef struct Stall
{
	double		before_p50;
	double		before_p99;
	double		during_p50;
	double		during_p99;
	double		growth;			/* of the server's RSS, at most */
	double		back_s;			/* until all have everything again */
	double		from_tables;	/* served from the tables, being too far
								 * behind */
} Stall;

/* A writer who pastes, and readers, some of which will stop. */
static Stage *
seat_audience(const Bench *bench, const char *document, const char *paste, bool relay, int port)
{
	Stage	   *stage = xcalloc(1, sizeof(Stage));

	stage_open(stage, SERVERS_HOST, port, 1 + READERS, 1e6 / EDITS_A_SECOND);
	stage->broadcast = !relay;
	stage->paste = paste;
	for (int i = 0; i < stage->count; i++)
	{
		stage_typist(stage, i, document, bench->servers.token, i == 0);
		if (i > 0 && i <= STALLED)
			stage->typists[i].ws.receive_bytes = RECEIVE_BYTES;
	}
	stage_join(stage);
	return stage;
}

static void
let_read(Stage *stage, bool on)
{
	for (int i = 1; i <= STALLED; i++)
		ws_read_on(&stage->typists[i].ws, on);
}

/* Let them read no more for a while; the most that the server's memory grew by. */
static double
stop_reading(Stage *stage, pid_t server, int seconds)
{
	double		before = proc_memory(server).rss;
	double		most = 0;

	samples_clear(&stage->seen_ms);
	let_read(stage, false);
	for (int s = 0; s < seconds; s++)
	{
		double		growth;

		stage_measure(stage, 1);
		stage->measuring = true;
		growth = proc_memory(server).rss - before;
		if (growth > most)
			most = growth;
	}
	return most;
}

static Stall
measure_stall(const Bench *bench, PGconn *conn, const char *paste, bool relay, int seconds)
{
	int			port = proc_free_port();
	pid_t		server = start_server(bench, relay, port);
	char	   *document = servers_document(conn);
	Stage	   *stage = seat_audience(bench, document, paste, relay, port);
	Stall		stall = {0};
	int64_t		back;

	stage_warm_up(stage, 1);
	stage_measure(stage, BEFORE_S);
	stage->measuring = true;
	stall.before_p50 = samples_percentile(&stage->seen_ms, 0.5);
	stall.before_p99 = samples_percentile(&stage->seen_ms, 0.99);
	stall.growth = stop_reading(stage, server, seconds);
	stall.during_p50 = samples_percentile(&stage->seen_ms, 0.5);
	stall.during_p99 = samples_percentile(&stage->seen_ms, 0.99);
	back = now_us();
	let_read(stage, true);
	stage_catch_up(stage);
	stall.back_s = (double) (now_us() - back) / 1e6;
	if (relay)
		stall.from_tables = servers_metric(port, "ring_misses_total");
	unseat(stage);
	proc_stop(server, "the server of readers that stop");
	free(document);
	return stall;
}

static void
report_stall(const char *name, const Stall *stall)
{
	printf("  %-16s %8.1f  %8.2f / %-8.2f %8.2f / %-8.2f %8.2f %8s\n", name, stall->growth / MB,
		   stall->before_p50, stall->before_p99, stall->during_p50, stall->during_p99,
		   stall->back_s, stall->from_tables > 0 ? grouped(stall->from_tables) : "-");
	fflush(stdout);
}

static void
run_stall(const Bench *bench, PGconn *conn)
{
	const char *wanted = getenv("BENCH_STALL_SECONDS");
	int			seconds = wanted != NULL ? atoi(wanted) : 20;
	char		paste[PASTE_BYTES + 1];
	Stall		bare;
	Stall		ours;

	memset(paste, 'x', PASTE_BYTES);
	paste[PASTE_BYTES] = '\0';
	printf("\n%d of %s readers stop reading for %d s, %d pastes of %s bytes a second\n",
		   STALLED, grouped(READERS), seconds, EDITS_A_SECOND, grouped(PASTE_BYTES));
	printf("  %-16s %8s  %19s %19s %8s %8s\n", "", "MB more", "others' ms before", "and meanwhile",
		   "back s", "composed");
	bare = measure_stall(bench, conn, paste, false, seconds);
	report_stall("broadcaster", &bare);
	ours = measure_stall(bench, conn, paste, true, seconds);
	report_stall("converge-relay", &ours);
	report_ratio("readers that stop: memory against the broadcaster", ours.growth / bare.growth, NO_AIM, 0);
	report_ratio("... latency p50 of the others, meanwhile against before",
				 ours.during_p50 / ours.before_p50, NO_AIM, 0);
	report_ratio("... and p99", ours.during_p99 / ours.before_p99, NO_AIM, 0);
	report_ratio("... until all are back, against the broadcaster", ours.back_s / bare.back_s, NO_AIM, 0);
}

int
main(int argc, char **argv)
{
	static Bench bench;
	PGconn	   *conn = pg_connect("");

	servers_init(&bench.servers, conn);
	for (int i = 0; i < DOCUMENTS; i++)
		bench.documents[i] = servers_document(conn);
	run_idle(&bench);
	run_stall(&bench, conn);
	PQfinish(conn);
	for (int i = 0; i < DOCUMENTS; i++)
		free(bench.documents[i]);
	free(bench.servers.token);
	return 0;
}
