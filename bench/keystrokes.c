/*
 * keystrokes.c
 *		Keystrokes through converge-relay against a bare relay in front of the least
 *		durable work (bare/relay.mjs).
 *
 * Every edit is durable before it is acknowledged, and a writer has one in flight.
 * The relays take turns in slices on one cluster.  converge-relay runs only in its
 * own slices, since its walsender would decode what the other writes; the bare one
 * keeps running, idle, since Node needs a while to be at its fastest.
 */
#include "common.h"
#include "jwt.h"
#include "least.h"
#include "pg.h"
#include "proc.h"
#include "report.h"
#include "typist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS		64
#define HOST			"127.0.0.1"
#define WARM_UP_S		1.0

typedef struct Scenario
{
	const char *title;
	int			documents;
	int			writers;		/* a document */
	int			watchers;		/* a document */
	double		rate;			/* edits a second of all; 0: as fast as
								 * answers come */
	double		aim;			/* of the ratio of rates; 0: none */
} Scenario;

static const Scenario scenarios[] = {
	{"1 document, 1 writer, 1 reader", 1, 1, 1, 0, 1},
	{"64 documents, a writer each", 64, 1, 0, 0, 2},
	{"64 documents, a writer and a reader each, 1,000 edits/s", 64, 1, 1, 1000, 0},
	{"1 document, 200 writers, 1 reader", 1, 200, 1, 0, 0}
};

#define SCENARIOS ((int) (sizeof(scenarios) / sizeof(scenarios[0])))

enum
{
	BARE,
	CONVERGE,
	RELAYS
};

static const char *const relay_names[RELAYS] = {"bare relay", "converge-relay"};

/* What a relay did in a scenario, all rounds together. */
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
} Outcome;

typedef struct Bench
{
	const char *key_file;
	const char *relay;			/* program */
	const char *bare;			/* script */
	const char *log_file;
	const char *connections;	/* of the bare relay */
	pid_t		postmaster;
	pid_t		bare_pid;
	int			bare_port;
	char	   *token;
	char	   *documents[DOCUMENTS];
} Bench;

/* ---- the relays ---- */

static pid_t
start_relay(const Bench *bench, int which, int port)
{
	char		listen[32];
	char		port_text[16];
	char	   *converge[] = {(char *) bench->relay, "--dsn", "user=converge_relay",
	"--listen", listen, "--jwt-key", (char *) bench->key_file, "--log-level", "warn", NULL};
	char	   *bare[] = {"node", (char *) bench->bare, port_text,
	(char *) bench->connections, NULL};

	snprintf(listen, sizeof(listen), HOST ":%d", port);
	snprintf(port_text, sizeof(port_text), "%d", port);
	return proc_start(which == CONVERGE ? converge : bare, bench->log_file);
}

/* Seat everybody of a scenario. */
static void
open_stage(Stage *stage, const Bench *bench, const Scenario *scenario, int port)
{
	int			each = scenario->writers + scenario->watchers;
	int			writers = scenario->documents * scenario->writers;

	stage_open(stage, HOST, port, scenario->documents * each,
			   scenario->rate > 0 ? writers * 1e6 / scenario->rate : 0);
	for (int i = 0; i < stage->count; i++)
		stage_typist(stage, i, bench->documents[i % scenario->documents], bench->token,
					 i / scenario->documents < scenario->writers);
}

/* Move one set of samples behind another. */
static void
append_samples(Samples *to, const Samples *from)
{
	for (size_t i = 0; i < from->count; i++)
		samples_add(to, from->values[i]);
}

/* One slice: start the relay, let everybody type, stop it. */
static double
run_slice(const Bench *bench, const Scenario *scenario, int which, double seconds,
		  Outcome *outcome)
{
	int			port = which == BARE ? bench->bare_port : proc_free_port();
	pid_t		relay = which == BARE ? bench->bare_pid : start_relay(bench, which, port);
	Stage	   *stage = xcalloc(1, sizeof(Stage));
	double		rate;
	int64_t		started;

	open_stage(stage, bench, scenario, port);
	stage_join(stage);
	stage_warm_up(stage, WARM_UP_S);
	outcome->relay_cpu -= proc_cpu(relay);
	outcome->postgres_cpu -= proc_cpu_family(bench->postmaster);
	outcome->load_cpu -= proc_cpu_own();
	started = now_us();
	stage_measure(stage, seconds);
	rate = stage->answered * 1e6 / (double) (now_us() - started);
	outcome->relay_cpu += proc_cpu(relay);
	outcome->postgres_cpu += proc_cpu_family(bench->postmaster);
	outcome->load_cpu += proc_cpu_own();
	outcome->edits += stage->answered;
	outcome->gaps += stage->gaps;
	samples_add(&outcome->rates, rate);
	append_samples(&outcome->answered_ms, &stage->answered_ms);
	append_samples(&outcome->seen_ms, &stage->seen_ms);
	stage_close(stage);
	free(stage);
	if (which == CONVERGE)
		proc_stop(relay, relay_names[which]);
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
	double		edits = outcome->edits > 0 ? outcome->edits : 1;

	printf("  %-16s %9s/s  %15s %15s %9.0f %9.0f %9.0f\n", relay_names[which],
		   grouped(samples_percentile(&outcome->rates, 0.5)),
		   quantiles(&outcome->answered_ms, answered, sizeof(answered)),
		   quantiles(&outcome->seen_ms, seen, sizeof(seen)),
		   outcome->relay_cpu * 1e6 / edits, outcome->postgres_cpu * 1e6 / edits,
		   outcome->load_cpu * 1e6 / edits);
	if (outcome->gaps > 0)
		printf("  %s GAPS in the versions\n", grouped(outcome->gaps));
}

/* A ratio of two latencies at one share of the samples. */
static void
report_latency(const Scenario *scenario, Outcome *outcomes, double share)
{
	char		what[128];
	double		ratio = samples_percentile(&outcomes[CONVERGE].seen_ms, share) /
	samples_percentile(&outcomes[BARE].seen_ms, share);

	snprintf(what, sizeof(what), "edit to screen p%.0f: %s", share * 100, scenario->title);
	printf("  edit to the other's screen p%-2.0f %s\n", share * 100,
		   report_format(ratio, AT_MOST, 1));
	report_ratio(what, ratio, AT_MOST, 1);
}

static void
report_scenario(const Scenario *scenario, Outcome *outcomes, double ratio)
{
	char		what[128];
	Aim			aim = scenario->aim > 0 ? AT_LEAST : NO_AIM;

	printf("\n%s\n  %-16s %11s  %15s %15s %29s\n", scenario->title, "",
		   "edits", "answered ms", "seen ms", "CPU us an edit");
	printf("  %-16s %11s  %15s %15s %9s %9s %9s\n", "", "", "p50 / p99", "p50 / p99",
		   "relay", "postgres", "load");
	for (int which = 0; which < RELAYS; which++)
		report_outcome(which, &outcomes[which]);
	if (scenario->rate == 0)
	{
		snprintf(what, sizeof(what), "keystrokes: %s", scenario->title);
		printf("  %-32s %s\n", "edits a second",
			   report_format(ratio, aim, scenario->aim));
		report_ratio(what, ratio, aim, scenario->aim);
	}
	if (scenario->watchers > 0)
	{
		report_latency(scenario, outcomes, 0.5);
		report_latency(scenario, outcomes, 0.99);
	}
	fflush(stdout);
}

/* One scenario, the relays in turn. */
static void
run_scenario(const Bench *bench, const Scenario *scenario, int rounds, double seconds)
{
	Outcome		outcomes[RELAYS] = {0};
	Samples		ratios = {0};

	for (int r = 0; r < rounds; r++)
	{
		double		rates[RELAYS];

		for (int which = 0; which < RELAYS; which++)
			rates[which] = run_slice(bench, scenario, which, seconds, &outcomes[which]);
		samples_add(&ratios, rates[CONVERGE] / rates[BARE]);
	}
	report_scenario(scenario, outcomes, samples_percentile(&ratios, 0.5));
	samples_free(&ratios);
	for (int which = 0; which < RELAYS; which++)
	{
		samples_free(&outcomes[which].rates);
		samples_free(&outcomes[which].answered_ms);
		samples_free(&outcomes[which].seen_ms);
	}
}

/* Empty documents, a user who may write them, and the least work's tables. */
static void
create_documents(Bench *bench)
{
	PGconn	   *conn = pg_connect("");

	for (int i = 0; i < DOCUMENTS; i++)
	{
		bench->documents[i] = pg_value(conn, "SELECT converge.create_document()", NULL);
		PQclear(pg_query(conn, "SELECT converge.share($1, 'ann', 'editor')",
						 bench->documents[i], NULL));
	}
	least_create(conn);
	pg_run(conn, "VACUUM ANALYZE");
	bench->token = jwt_token(bench->key_file, "ann");
	bench->postmaster = proc_parent((pid_t) pg_number(conn, "SELECT pg_backend_pid()", NULL));
	PQfinish(conn);
}

int
main(int argc, char **argv)
{
	Bench		bench = {0};
	int			rounds = argc > 5 ? atoi(argv[5]) : 3;
	double		seconds = argc > 6 ? atof(argv[6]) : 2;
	const char *only = getenv("BENCH_SCENARIO");

	if (argc < 5 || rounds < 1 || seconds <= 0)
		die("usage: keystrokes KEYFILE RELAY BARE.mjs LOG [ROUNDS [SECONDS]]"
			" (PostgreSQL from the environment)");
	bench.key_file = argv[1];
	bench.relay = argv[2];
	bench.bare = argv[3];
	bench.log_file = argv[4];
	bench.connections = getenv("BENCH_BARE_CONNECTIONS");
	if (bench.connections == NULL)
		bench.connections = "8";
	create_documents(&bench);
	bench.bare_port = proc_free_port();
	bench.bare_pid = start_relay(&bench, BARE, bench.bare_port);
	for (int i = 0; i < SCENARIOS; i++)
	{
		if (only == NULL || atoi(only) == i + 1)
			run_scenario(&bench, &scenarios[i], rounds, seconds);
	}
	proc_stop(bench.bare_pid, relay_names[BARE]);
	for (int i = 0; i < DOCUMENTS; i++)
		free(bench.documents[i]);
	free(bench.token);
	return 0;
}
