/*
 * keystrokes.c
 *		Keystrokes through converge-relay against a bare relay in front of the least
 *		durable work (bare/relay.mjs): few people ("keystrokes"), or crowds ("crowds"),
 *		those also through two relays at once.
 *
 * Every edit is durable before it is acknowledged, and a writer has one in flight.
 * The relays take turns in slices on one cluster.  converge-relay runs only in its
 * own slices, since its walsender would decode what the other writes; the bare one
 * keeps running, idle, since Node needs a while to be at its fastest.
 */
#include "lib/common.h"
#include "lib/least.h"
#include "lib/pg.h"
#include "lib/proc.h"
#include "lib/report.h"
#include "lib/servers.h"
#include "client/typist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS		1000
#define SPARE_FILES		256
#define WARM_UP_S		1.0

typedef struct Scenario
{
	const char *set;
	const char *title;
	int			documents;
	int			writers;		/* a document */
	int			watchers;		/* a document */
	double		rate;			/* edits a second of all; 0: as fast as
								 * answers come */
	double		aim;			/* of the ratio of rates; 0: none */
} Scenario;

static const Scenario scenarios[] = {
	{"keystrokes", "1 document, 1 writer, 1 reader", 1, 1, 1, 0, 1},
	{"keystrokes", "64 documents, a writer each", 64, 1, 0, 0, 2},
	{"keystrokes", "64 documents, a writer and a reader each, 1,000 edits/s", 64, 1, 1, 1000, 0},
	{"crowds", "1 document, 200 writers, 1 reader", 1, 200, 1, 0, 0},
	{"crowds", "1,000 documents, 10 writers each", 1000, 10, 0, 0, 0},
	{"crowds", "1,000 documents, 10 writers each, 1,000 edits/s", 1000, 10, 0, 1000, 0}
};

#define SCENARIOS ((int) (sizeof(scenarios) / sizeof(scenarios[0])))

enum
{
	BARE,
	CONVERGE,
	TWO,						/* converge-relays, each with half of every
								 * document's clients */
	CONTESTANTS
};

static const char *const names[CONTESTANTS] = {"bare relay", "converge-relay", "two of them"};

/* What a contestant did in a scenario, all rounds together. */
typedef struct Outcome
{
	Samples		rates;
	Samples		answered_ms;
	Samples		seen_ms;
	double		edits;
	double		gaps;
	double		relay_cpu;
	double		postgres_cpu;
	double		load_cpu;
	double		batches;		/* submitted to PostgreSQL */
	double		batch_edits;	/* ... in them */
} Outcome;

typedef struct Bench
{
	Servers		servers;
	int			contestants;
	pid_t		bare_pid;
	int			bare_port;
	char	   *documents[DOCUMENTS];
} Bench;

/* The servers of a slice. */
typedef struct Relays
{
	int			count;
	int			ports[2];
	pid_t		pids[2];
} Relays;

/* ---- the relays ---- */

static void
start_relays(const Bench *bench, int which, Relays *relays)
{
	relays->count = which == TWO ? 2 : 1;
	relays->ports[0] = bench->bare_port;
	relays->pids[0] = bench->bare_pid;
	for (int i = 0; which != BARE && i < relays->count; i++)
	{
		relays->ports[i] = proc_free_port();
		relays->pids[i] = servers_start_relay(&bench->servers, relays->ports[i]);
	}
}

static void
stop_relays(int which, const Relays *relays)
{
	for (int i = 0; which != BARE && i < relays->count; i++)
		proc_stop(relays->pids[i], names[which]);
}

/* Add what has been used until now to an outcome, or take it away. */
static void
add_costs(const Bench *bench, int which, const Relays *relays, Outcome *outcome, int sign)
{
	for (int i = 0; i < relays->count; i++)
	{
		outcome->relay_cpu += sign * proc_cpu(relays->pids[i]);
		if (which == BARE)
			continue;
		outcome->batches += sign * servers_metric(relays->ports[i], "batch_ops_count");
		outcome->batch_edits += sign * servers_metric(relays->ports[i], "batch_ops_sum");
	}
	outcome->postgres_cpu += sign * proc_cpu_family(bench->servers.postmaster);
	outcome->load_cpu += sign * proc_cpu_own();
}

/* ---- a slice ---- */

/* Seat everybody of a scenario: a document's seats go to the relays in turn. */
static void
open_stage(Stage *stage, const Bench *bench, const Scenario *scenario, const Relays *relays)
{
	int			each = scenario->writers + scenario->watchers;
	int			writers = scenario->documents * scenario->writers;

	stage_open(stage, SERVERS_HOST, relays->ports[0], scenario->documents * each,
			   scenario->rate > 0 ? writers * 1e6 / scenario->rate : 0);
	for (int i = 0; i < stage->count; i++)
	{
		int			seat = i / scenario->documents;

		stage_typist(stage, i, bench->documents[i % scenario->documents],
					 bench->servers.token, seat < scenario->writers);
		stage->typists[i].port = relays->ports[seat % relays->count];
	}
}

/* Move one set of samples behind another. */
static void
append_samples(Samples *to, const Samples *from)
{
	for (size_t i = 0; i < from->count; i++)
		samples_add(to, from->values[i]);
}

/* Let everybody type for a while; edits a second. */
static double
measure(const Bench *bench, int which, const Relays *relays, Stage *stage, double seconds,
		Outcome *outcome)
{
	int64_t		started;
	double		rate;

	add_costs(bench, which, relays, outcome, -1);
	started = now_us();
	stage_measure(stage, seconds);
	rate = stage->answered * 1e6 / (double) (now_us() - started);
	add_costs(bench, which, relays, outcome, 1);
	return rate;
}

/* One slice: start the relays, let everybody type, stop them. */
static double
run_slice(const Bench *bench, const Scenario *scenario, int which, double seconds,
		  Outcome *outcome)
{
	Stage	   *stage = xcalloc(1, sizeof(Stage));
	Relays		relays;
	double		rate;

	start_relays(bench, which, &relays);
	open_stage(stage, bench, scenario, &relays);
	stage_join(stage);
	stage_warm_up(stage, WARM_UP_S);
	rate = measure(bench, which, &relays, stage, seconds, outcome);
	stage_rest(stage);
	outcome->edits += stage->answered;
	outcome->gaps += stage->gaps;
	samples_add(&outcome->rates, rate);
	append_samples(&outcome->answered_ms, &stage->answered_ms);
	append_samples(&outcome->seen_ms, &stage->seen_ms);
	stage_close(stage);
	free(stage);
	stop_relays(which, &relays);
	return rate;
}

/* ---- the report ---- */

/* "0.21 / 0.60" */
static const char *
quantiles(Samples *samples, char *out, size_t capacity)
{
	if (samples->count == 0)
		snprintf(out, capacity, "-");
	else
		snprintf(out, capacity, "%.2f / %.2f", samples_percentile(samples, 0.5),
				 samples_percentile(samples, 0.99));
	return out;
}

static void
report_outcome(int which, Outcome *outcome)
{
	char		answered[32];
	char		seen[32];
	char		batch[16] = "-";
	double		edits = outcome->edits > 0 ? outcome->edits : 1;

	if (outcome->batches > 0)
		snprintf(batch, sizeof(batch), "%.1f", outcome->batch_edits / outcome->batches);
	printf("  %-16s %9s/s  %15s %15s %6s %7.0f %8.0f %6.0f\n", names[which],
		   grouped(samples_percentile(&outcome->rates, 0.5)),
		   quantiles(&outcome->answered_ms, answered, sizeof(answered)),
		   quantiles(&outcome->seen_ms, seen, sizeof(seen)), batch,
		   outcome->relay_cpu * 1e6 / edits, outcome->postgres_cpu * 1e6 / edits,
		   outcome->load_cpu * 1e6 / edits);
	if (outcome->gaps > 0)
		printf("  %s GAPS in the versions\n", grouped(outcome->gaps));
}

/* A ratio of two latencies at one share of the samples. */
static void
report_latency(const Scenario *scenario, const char *what, Samples *ours, Samples *theirs,
			   double share, Aim aim)
{
	char		line[160];
	double		ratio = samples_percentile(ours, share) / samples_percentile(theirs, share);

	snprintf(line, sizeof(line), "%s p%.0f: %s", what, share * 100, scenario->title);
	printf("  %s p%-20.0f %s\n", what, share * 100, report_format(ratio, aim, 1));
	report_ratio(line, ratio, aim, 1);
}

/* A ratio of rates. */
static void
report_rate(const Scenario *scenario, const char *what, double ratio)
{
	char		line[160];
	Aim			aim = scenario->aim > 0 ? AT_LEAST : NO_AIM;

	snprintf(line, sizeof(line), "%s: %s", what, scenario->title);
	printf("  %-36s %s\n", what, report_format(ratio, aim, scenario->aim));
	report_ratio(line, ratio, aim, scenario->aim);
}

static void
report_scenario(const Bench *bench, const Scenario *scenario, Outcome *outcomes, Samples *ratios)
{
	Outcome    *ours = &outcomes[CONVERGE];
	Outcome    *bare = &outcomes[BARE];

	printf("\n%s\n  %-16s %11s  %15s %15s %6s %23s\n", scenario->title, "",
		   "edits", "answered ms", "seen ms", "edits", "CPU us an edit");
	printf("  %-16s %11s  %15s %15s %6s %7s %8s %6s\n", "", "", "p50 / p99", "p50 / p99",
		   "/batch", "relay", "postgres", "load");
	for (int which = 0; which < bench->contestants; which++)
		report_outcome(which, &outcomes[which]);
	if (scenario->rate == 0)
		report_rate(scenario, scenario->set, samples_percentile(&ratios[CONVERGE], 0.5));
	if (bench->contestants > TWO && scenario->rate == 0)
		report_rate(scenario, "... through two relays", samples_percentile(&ratios[TWO], 0.5));
	if (scenario->watchers > 0)
	{
		report_latency(scenario, "edit to screen", &ours->seen_ms, &bare->seen_ms, 0.5, AT_MOST);
		report_latency(scenario, "edit to screen", &ours->seen_ms, &bare->seen_ms, 0.99, AT_MOST);
	}
	else if (bench->contestants > TWO)
	{
		report_latency(scenario, "answered", &ours->answered_ms, &bare->answered_ms, 0.5, NO_AIM);
		report_latency(scenario, "answered", &ours->answered_ms, &bare->answered_ms, 0.99, NO_AIM);
	}
	fflush(stdout);
}

/* One scenario, the contestants in turn. */
static void
run_scenario(const Bench *bench, const Scenario *scenario, int rounds, double seconds)
{
	Outcome		outcomes[CONTESTANTS] = {0};
	Samples		ratios[CONTESTANTS] = {0};

	for (int r = 0; r < rounds; r++)
	{
		double		rates[CONTESTANTS];

		for (int which = 0; which < bench->contestants; which++)
		{
			rates[which] = run_slice(bench, scenario, which, seconds, &outcomes[which]);
			samples_add(&ratios[which], rates[which] / rates[BARE]);
		}
	}
	report_scenario(bench, scenario, outcomes, ratios);
	for (int which = 0; which < CONTESTANTS; which++)
	{
		samples_free(&ratios[which]);
		samples_free(&outcomes[which].rates);
		samples_free(&outcomes[which].answered_ms);
		samples_free(&outcomes[which].seen_ms);
	}
}

/* Empty documents and the least work's tables. */
static void
create_documents(Bench *bench, const char *set)
{
	PGconn	   *conn = pg_connect("");
	int			count = 0;

	servers_init(&bench->servers, conn);
	for (int i = 0; i < SCENARIOS; i++)
	{
		if (strcmp(scenarios[i].set, set) == 0 && scenarios[i].documents > count)
			count = scenarios[i].documents;
	}
	for (int i = 0; i < count; i++)
		bench->documents[i] = servers_document(conn);
	least_create(conn);
	pg_run(conn, "VACUUM ANALYZE");
	PQfinish(conn);
}

/* Run those of a set, or the one that was asked for. */
static void
run_set(const Bench *bench, const char *set, int rounds, double seconds)
{
	const char *only = getenv("BENCH_SCENARIO");

	for (int i = 0; i < SCENARIOS; i++)
	{
		const Scenario *scenario = &scenarios[i];
		int			files = scenario->documents * (scenario->writers + scenario->watchers) + SPARE_FILES;

		if (strcmp(scenario->set, set) != 0 || (only != NULL && atoi(only) != i + 1))
			continue;
		if (proc_allow_files(files))
			run_scenario(bench, scenario, rounds, seconds);
		else
			printf("\n%s\n  skipped: %d open files are not allowed here (ulimit -Hn)\n",
				   scenario->title, files);
	}
}

int
main(int argc, char **argv)
{
	static Bench bench;
	int			rounds = argc > 2 ? atoi(argv[2]) : 3;
	double		seconds = argc > 3 ? atof(argv[3]) : 2;

	if (argc < 2 || rounds < 1 || seconds <= 0)
		die("usage: keystrokes keystrokes|crowds [ROUNDS [SECONDS]] (started by bench/run)");
	bench.contestants = strcmp(argv[1], "crowds") == 0 ? CONTESTANTS : TWO;
	create_documents(&bench, argv[1]);
	proc_allow_files(DOCUMENTS * 10 + SPARE_FILES); /* inherited by the bare
													 * relay */
	bench.bare_port = proc_free_port();
	bench.bare_pid = servers_start_bare(&bench.servers, bench.bare_port);
	run_set(&bench, argv[1], rounds, seconds);
	proc_stop(bench.bare_pid, names[BARE]);
	for (int i = 0; i < DOCUMENTS; i++)
		free(bench.documents[i]);
	free(bench.servers.token);
	return 0;
}
