/*
 * fanout.c
 *		Fan-out: one writer at a steady pace and many readers of one document.
 *		converge-relay against a bare broadcaster (bare/broadcast.c), on either of its
 *		loops, and against bare LISTEN and NOTIFY as far as connections go.
 *
 * All of them have their clients connected all the time (where one process may have so
 * many open files; else each only in its own turn) and take turns in slices, each from
 * rest to rest: it ends when the last reader has the last edit.  The writer
 * has one edit in flight, so where the machine cannot keep its pace, it falls behind
 * it, and how many deliveries a second there are is what the machine can do.
 */
#include "lib/common.h"
#include "lib/notify.h"
#include "lib/pg.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/servers.h"
#include "client/typist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDITS_A_SECOND	20
#define WARM_UP_S		1.0
#define LISTENERS		100		/* the private cluster has room for so many */
#define CPU_AIM			1.15
#define SPARE_FILES		256

enum
{
	UV,
	POLL,
	CONVERGE,
	NOTIFY,
	CONTESTANTS
};

static const char *const names[CONTESTANTS] = {
	"broadcaster, uv", "broadcaster, poll", "converge-relay", "LISTEN/NOTIFY"
};

/* A contestant, and one sample of each figure a slice. */
typedef struct Contestant
{
	pid_t		server;
	Stage	   *stage;
	Notify		notify;
	double		edits;
	double		gaps;
	Samples		deliveries;		/* a second */
	Samples		cpu;			/* seconds a thousand deliveries: of the
								 * server */
	Samples		postgres_cpu;
	Samples		load_cpu;
	Samples		p50_ms;
	Samples		p99_ms;
} Contestant;

typedef struct Fanout
{
	Servers		servers;
	PGconn	   *conn;
	int			readers;
	int			contestants;
	bool		together;		/* all are connected all the time */
	const char *document;
	Contestant	all[CONTESTANTS];
} Fanout;

/* ---- a slice ---- */

/* CPU of what serves a contestant's clients. */
static double
server_cpu(const Fanout *fanout, int which)
{
	return which == NOTIFY ? 0 : proc_cpu(fanout->all[which].server);
}

/* Let them type and read; the deliveries, and the seconds it took. */
static double
broadcast(Contestant *contestant, int which, double seconds, double *took)
{
	if (which == NOTIFY)
	{
		*took = notify_slice(&contestant->notify, seconds);
		contestant->edits += contestant->notify.sent;
		return contestant->notify.deliveries;
	}
	*took = stage_broadcast(contestant->stage, seconds);
	contestant->edits += contestant->stage->deliveries / (contestant->stage->count - 1);
	contestant->gaps += contestant->stage->gaps;
	contestant->stage->gaps = 0;
	return contestant->stage->deliveries;
}

static void
run_slice(Fanout *fanout, int which, double seconds)
{
	Contestant *contestant = &fanout->all[which];
	double		server = server_cpu(fanout, which);
	double		postgres = proc_cpu_family(fanout->servers.postmaster);
	double		load = proc_cpu_own();
	double		took;
	double		thousands = broadcast(contestant, which, seconds, &took) / 1000;
	Samples    *seen = which == NOTIFY ? &contestant->notify.seen_ms :
	&contestant->stage->seen_ms;

	load = proc_cpu_own() - load;
	postgres = proc_cpu_family(fanout->servers.postmaster) - postgres;
	server = server_cpu(fanout, which) - server;
	samples_add(&contestant->deliveries, thousands * 1000 / took);
	samples_add(&contestant->cpu, server / thousands);
	samples_add(&contestant->postgres_cpu, postgres / thousands);
	samples_add(&contestant->load_cpu, load / thousands);
	samples_add(&contestant->p50_ms, samples_percentile(seen, 0.5));
	samples_add(&contestant->p99_ms, samples_percentile(seen, 0.99));
}

static void
forget_figures(Contestant *contestant)
{
	contestant->edits = contestant->gaps = 0;
	samples_free(&contestant->deliveries);
	samples_free(&contestant->cpu);
	samples_free(&contestant->postgres_cpu);
	samples_free(&contestant->load_cpu);
	samples_free(&contestant->p50_ms);
	samples_free(&contestant->p99_ms);
}

/* ---- beginning and end ---- */

static pid_t
start_server(const Fanout *fanout, int which, int port)
{
	if (which == CONVERGE)
		return servers_start_relay(&fanout->servers, port);
	return servers_start_broadcast(&fanout->servers, which == UV ? "uv" : "poll", port);
}

/* Start a contestant's server and seat its clients, the writer first. */
static void
seat_contestant(Fanout *fanout, int which)
{
	Contestant *contestant = &fanout->all[which];
	int			port;

	if (which == NOTIFY)
	{
		notify_open(&contestant->notify, fanout->readers, 1e6 / EDITS_A_SECOND);
		return;
	}
	port = proc_free_port();
	contestant->server = start_server(fanout, which, port);
	contestant->stage = xcalloc(1, sizeof(Stage));
	stage_open(contestant->stage, SERVERS_HOST, port, 1 + fanout->readers, 1e6 / EDITS_A_SECOND);
	contestant->stage->broadcast = which != CONVERGE;
	for (int i = 0; i < contestant->stage->count; i++)
		stage_typist(contestant->stage, i, fanout->document, fanout->servers.token, i == 0);
	stage_join(contestant->stage);
}

/* The same, and let them warm up. */
static void
open_contestant(Fanout *fanout, int which)
{
	Contestant *contestant = &fanout->all[which];
	double		edits = contestant->edits;
	double		took;

	seat_contestant(fanout, which);
	broadcast(contestant, which, WARM_UP_S, &took);
	contestant->edits = edits;
}

static void
close_contestant(Fanout *fanout, int which)
{
	Contestant *contestant = &fanout->all[which];

	if (which == NOTIFY)
	{
		notify_close(&contestant->notify);
		return;
	}
	stage_close(contestant->stage);
	free(contestant->stage);
	proc_stop(contestant->server, names[which]);
}

/* ---- the report ---- */

static void
report_contestant(const Fanout *fanout, int which)
{
	Contestant *contestant = (Contestant *) &fanout->all[which];
	char		cpu[16] = "-";

	if (which != NOTIFY)
		snprintf(cpu, sizeof(cpu), "%.4f", samples_percentile(&contestant->cpu, 0.5));
	printf("  %-18s %7s %10s  %8s %9.4f %9.4f  %9.2f / %.2f\n", names[which],
		   grouped(contestant->edits), grouped(samples_percentile(&contestant->deliveries, 0.5)),
		   cpu, samples_percentile(&contestant->postgres_cpu, 0.5),
		   samples_percentile(&contestant->load_cpu, 0.5),
		   samples_percentile(&contestant->p50_ms, 0.5),
		   samples_percentile(&contestant->p99_ms, 0.5));
	if (contestant->gaps > 0)
		printf("  %s GAPS in the versions\n", grouped(contestant->gaps));
}

/* The median ratio of a figure of the relay to another contestant's. */
static void
report_against(const Fanout *fanout, const char *what, const Samples *ours,
			   const Samples *theirs, Aim aim)
{
	char		line[128];
	Samples		ratios = {0};
	double		ratio;

	for (size_t i = 0; i < ours->count; i++)
		samples_add(&ratios, ours->values[i] / theirs->values[i]);
	ratio = samples_percentile(&ratios, 0.5);
	samples_free(&ratios);
	snprintf(line, sizeof(line), "fan-out to %s: %s", grouped(fanout->readers), what);
	printf("  %-52s %s\n", what, report_format(ratio, aim, CPU_AIM));
	report_ratio(line, ratio, aim, CPU_AIM);
}

/* The broadcaster on the loop that serves it better: the lower CPU a delivery. */
static Contestant
best_broadcaster(const Fanout *fanout)
{
	Samples		uv = fanout->all[UV].cpu;
	Samples		poll = fanout->all[POLL].cpu;
	double		sums[2] = {0, 0};

	for (size_t i = 0; i < uv.count; i++)
	{
		sums[0] += uv.values[i];
		sums[1] += poll.values[i];
	}
	return fanout->all[sums[0] <= sums[1] ? UV : POLL];
}

static void
report(Fanout *fanout)
{
	Contestant	best = best_broadcaster(fanout);
	const Contestant *ours = &fanout->all[CONVERGE];
	const Contestant *notify = &fanout->all[NOTIFY];

	report_against(fanout, "CPU a delivery against the broadcaster", &ours->cpu, &best.cpu, AT_MOST);
	report_against(fanout, "deliveries a second against it", &ours->deliveries, &best.deliveries, NO_AIM);
	report_against(fanout, "latency p50 against it", &ours->p50_ms, &best.p50_ms, NO_AIM);
	report_against(fanout, "latency p99 against it", &ours->p99_ms, &best.p99_ms, NO_AIM);
	if (fanout->contestants > NOTIFY)
	{
		report_against(fanout, "latency p50 against LISTEN/NOTIFY", &ours->p50_ms, &notify->p50_ms, NO_AIM);
		report_against(fanout, "latency p99 against LISTEN/NOTIFY", &ours->p99_ms, &notify->p99_ms, NO_AIM);
	}
	printf("\n  %-18s %7s %10s  %28s  %s\n", "", "", "deliveries", "CPU s a thousand deliveries",
		   "  seen ms");
	printf("  %-18s %7s %10s  %8s %9s %9s  %s\n", "", "edits", "a second", "server", "postgres",
		   "load", "  p50 / p99");

	/*
	 * percentiles sort the samples, which stood in the order of rounds until
	 * here
	 */
	for (int which = 0; which < fanout->contestants; which++)
		report_contestant(fanout, which);
	fflush(stdout);
}

/* The contestants in turn. */
static void
run_rounds(Fanout *fanout, int rounds, double seconds)
{
	for (int which = 0; fanout->together && which < fanout->contestants; which++)
		open_contestant(fanout, which);
	for (int r = 0; r < rounds; r++)
	{
		for (int which = 0; which < fanout->contestants; which++)
		{
			if (!fanout->together)
				open_contestant(fanout, which);
			run_slice(fanout, which, seconds);
			if (!fanout->together)
				close_contestant(fanout, which);
		}
	}
	for (int which = 0; fanout->together && which < fanout->contestants; which++)
		close_contestant(fanout, which);
}

/* So many readers. */
static void
run_readers(Fanout *fanout, int readers, int rounds, double seconds)
{
	char	   *document = servers_document(fanout->conn);

	printf("\n%s readers, %d edits a second\n", grouped(readers), EDITS_A_SECOND);
	fflush(stdout);
	fanout->document = document;
	fanout->readers = readers;
	fanout->contestants = readers <= LISTENERS ? CONTESTANTS : NOTIFY;
	fanout->together = proc_allow_files(3L * readers + SPARE_FILES);
	if (!fanout->together && !proc_allow_files(readers + SPARE_FILES))
		printf("skipped: %d open files are not allowed here (ulimit -Hn)\n", readers + SPARE_FILES);
	else
	{
		run_rounds(fanout, rounds, seconds);
		report(fanout);
	}
	for (int which = 0; which < fanout->contestants; which++)
		forget_figures(&fanout->all[which]);
	free(document);
}

int
main(int argc, char **argv)
{
	static const int readers[] = {100, 1000, 10000};
	Fanout		fanout = {0};
	int			rounds = argc > 1 ? atoi(argv[1]) : 5;
	double		seconds = argc > 2 ? atof(argv[2]) : 3;
	const char *only = getenv("BENCH_READERS");

	if (rounds < 1 || seconds <= 0)
		die("usage: fanout [ROUNDS [SECONDS]] (started by bench/run)");
	fanout.conn = pg_connect("");
	servers_init(&fanout.servers, fanout.conn);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
	{
		if (only == NULL || atoi(only) == readers[i])
			run_readers(&fanout, readers[i], rounds, seconds);
	}
	PQfinish(fanout.conn);
	free(fanout.servers.token);
	return 0;
}
