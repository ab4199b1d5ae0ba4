/*
 * demo.c
 *		The demonstration: people type a recorded text together, each a WebSocket
 *		client of the relay, and in the end all of it must be equal.
 *
 * Exit status 0 only if the text in PostgreSQL, in every client and the trace's own
 * end are equal, byte for byte, and every edit was applied exactly once.
 */
#include "lib/common.h"
#include "lib/jwt.h"
#include "lib/pg.h"
#include "client/replay.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_EVENTS		8
#define TICK_US			100000
#define STUCK_US		(120 * 1000000LL)

static const char *const names[TRACE_MAX_AUTHORS] = {"ann", "ben"};

/* A command to run when so much of the trace has been answered. */
typedef struct Incident
{
	double		at;				/* 0 to 1 */
	const char *command;
	bool		done;
} Incident;

typedef struct Demo
{
	const char *trace_path;
	const char *dsn;
	const char *key_file;
	char		host[64];
	int			port;
	bool		compose;
	Incident	incidents[MAX_EVENTS];
	int			incident_count;

	Loop		loop;
	LoopTimer	tick;
	Trace		trace;
	Replay		replay;
	char	   *document;
	bool		terminal;
	int			shown_tenth;
	size_t		last_answered;
	int64_t		last_progress_us;
} Demo;

/* ---- progress ---- */

/* One line that is rewritten, or where it cannot be, a line every tenth. */
static void
show_progress(Demo *demo, size_t answered)
{
	static const char bar[] = "########################################";
	double		share = (double) answered / (double) demo->trace.count;
	int			filled = (int) (share * 40);
	double		seconds = (double) (now_us() - demo->replay.started_us) / 1e6;

	if (demo->replay.started_us == 0 ||
		(!demo->terminal && (int) (share * 10) == demo->shown_tenth))
		return;
	demo->shown_tenth = (int) (share * 10);
	printf("%s[%.*s%*s] %3.0f %%  %s edits answered, %s a second%s",
		   demo->terminal ? "\r" : "", filled, bar, 40 - filled, "", share * 100,
		   grouped((double) answered), grouped(seconds > 0 ? (double) answered / seconds : 0),
		   demo->terminal ? "   " : "\n");
	fflush(stdout);
}

/* Run a command beside the replay. */
static void
start_command(const char *command)
{
	pid_t		pid;

	printf("\n-- %s\n", command);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		execl("/bin/sh", "sh", "-c", command, (char *) NULL);
		_exit(127);
	}
	if (pid < 0)
		die("cannot start: %s", command);
}

/* Ten times a second: progress, incidents, and is anything moving at all? */
static void
tick(LoopTimer *timer)
{
	Demo	   *demo = (Demo *) ((char *) timer - offsetof(Demo, tick));
	size_t		answered = replay_answered(&demo->replay);

	show_progress(demo, answered);
	for (int i = 0; i < demo->incident_count; i++)
	{
		Incident   *incident = &demo->incidents[i];

		if (!incident->done && (double) answered >= incident->at * (double) demo->trace.count)
		{
			incident->done = true;
			start_command(incident->command);
		}
	}
	if (answered != demo->last_answered)
		demo->last_progress_us = now_us();
	else if (now_us() - demo->last_progress_us > STUCK_US)
		die("no edit was answered for %lld seconds", STUCK_US / 1000000);
	demo->last_answered = answered;
	loop_timer_start(&demo->loop, timer, TICK_US);
}

/* ---- the stages ---- */

/* A new document that the authors may write. */
static void
create_document(Demo *demo)
{
	PGconn	   *conn = pg_connect(demo->dsn);

	demo->document = pg_value(conn, "SELECT converge.create_document($1, $2)",
							  "friends forever", demo->trace.start, NULL);
	for (int i = 0; i < demo->trace.authors; i++)
		PQclear(pg_query(conn, "SELECT converge.share($1, $2, 'editor')",
						 demo->document, names[i], NULL));
	PQfinish(conn);
}

/* Connect everybody and let them type to the end. */
static void
run_replay(Demo *demo)
{
	char		path[128];

	loop_init(&demo->loop);
	replay_init(&demo->replay, &demo->trace, &demo->loop, demo->compose);
	snprintf(path, sizeof(path), "/v1/collab/%s", demo->document);
	for (int i = 0; i < demo->trace.authors; i++)
	{
		char	   *token = jwt_token(demo->key_file, names[i]);

		replay_connect(&demo->replay, i, demo->host, demo->port, path, token);
		free(token);
	}
	demo->tick.fire = tick;
	demo->last_progress_us = now_us();
	loop_timer_start(&demo->loop, &demo->tick, TICK_US);
	loop_run(&demo->loop);
	show_progress(demo, demo->trace.count);
	if (demo->terminal)
		putchar('\n');
	while (wait(NULL) > 0)
		;
}

/* ---- the table ---- */

/* A line of the table that says whether a text is the right one. */
static bool
compare_text(const char *whose, const char *text, size_t size, const char *expected)
{
	bool		equal = size == strlen(expected) && memcmp(text, expected, size) == 0;

	printf("  %-28s %s\n", whose, equal ? "equal" : "DIFFERENT");
	return equal;
}

/* Compare all that there is with the trace's own end. */
static bool
report_texts(Demo *demo, PGconn *conn)
{
	const char *expected = demo->trace.end;
	char	   *stored = pg_value(conn, "SELECT converge.content($1)", demo->document, NULL);
	bool		equal = true;
	char		whose[64];

	printf("text, against the trace's own end (%s characters)\n",
		   grouped((double) ot_utf8_length(expected, strlen(expected))));
	equal &= compare_text("in PostgreSQL", stored, strlen(stored), expected);
	for (int i = 0; i < demo->trace.authors; i++)
	{
		const OtBuffer *text = &demo->replay.authors[i].collab.copy.text;

		snprintf(whose, sizeof(whose), "in %s's client", names[i]);
		equal &= compare_text(whose, (const char *) text->data, text->size, expected);
	}
	free(stored);
	return equal;
}

/* What the clients went through; false if something should never happen. */
static bool
report_clients(const Demo *demo)
{
	uint64_t	reconnects = 0;
	uint64_t	put_off = 0;
	uint64_t	differing = 0;
	uint64_t	gaps = 0;

	for (int i = 0; i < demo->trace.authors; i++)
	{
		const Collab *collab = &demo->replay.authors[i].collab;

		reconnects += collab->reconnects;
		put_off += collab->put_off;
		differing += collab->differing;
		gaps += collab->gaps;
	}
	printf("%-30s %s\n", "reconnections", grouped((double) reconnects));
	printf("%-30s %s\n", "edits told to wait", grouped((double) put_off));
	if (gaps > 0)
		printf("%-30s %s\n", "GAPS in the stream", grouped((double) gaps));
	if (differing > 0)
		printf("%-30s %s\n", "REBASED unlike the client", grouped((double) differing));
	return differing == 0 && gaps == 0;
}

/* The numbers; false unless every edit is in PostgreSQL exactly once. */
static bool
report_numbers(Demo *demo, PGconn *conn)
{
	Replay	   *replay = &demo->replay;
	Samples    *propagation = &replay->propagation_ms;
	double		seconds = (double) (replay->finished_us - replay->started_us) / 1e6;
	double		ops = pg_number(conn, "SELECT count(*) FROM converge.history($1)",
								demo->document, NULL);
	double		moved = pg_number(conn, "SELECT count(*) FROM converge.history($1)"
								  " WHERE base_version < version - 1",
								  demo->document, NULL);

	printf("\n%-30s %s\n", "document", demo->document);
	printf("%-30s %d, typing at once\n", "authors", demo->trace.authors);
	printf("%-30s %s\n", "edits sent", grouped((double) demo->trace.count));
	printf("%-30s %s\n", "ops committed", grouped(ops));
	printf("%-30s %s (%.0f %%)\n", "... that the server rebased", grouped(moved),
		   100 * moved / ops);
	printf("%-30s %s in %.1f s\n", "edits a second",
		   grouped((double) demo->trace.count / seconds), seconds);
	printf("%-30s p50 %.2f ms, p95 %.2f ms, p99 %.2f ms\n", "sent -> at the other author",
		   samples_percentile(propagation, 0.5), samples_percentile(propagation, 0.95),
		   samples_percentile(propagation, 0.99));
	return ops == (double) replay_ops(replay);
}

/* Print the table; was everything as it must be? */
static bool
report(Demo *demo)
{
	PGconn	   *conn = pg_connect(demo->dsn);
	bool		once = report_numbers(demo, conn);
	bool		smooth = report_clients(demo);
	bool		equal = report_texts(demo, conn);

	if (!once)
		printf("NOT every op is there exactly once: %s were sent\n",
			   grouped((double) replay_ops(&demo->replay)));
	PQfinish(conn);
	return once && smooth && equal;
}

/* ---- the command line ---- */

static const char usage[] =
"usage: demo --dsn CONNINFO --relay ADDRESS:PORT --jwt-key FILE [option]... TRACE\n"
"  --compose           what is typed while an op is in flight becomes one op\n"
"  --at PERCENT=SHELL  run a command when so much has been answered; repeatable\n";

/* --at PERCENT=COMMAND */
static void
add_incident(Demo *demo, char *argument)
{
	char	   *rest;
	double		percent = strtod(argument, &rest);

	rest += *rest == '%';
	if (*rest != '=' || demo->incident_count == MAX_EVENTS)
		die("--at %s: PERCENT=COMMAND is wanted, at most %d times", argument, MAX_EVENTS);
	demo->incidents[demo->incident_count++] = (Incident)
	{
		percent / 100, rest + 1, false
	};
}

/* ADDRESS:PORT */
static void
set_relay(Demo *demo, const char *argument)
{
	if (sscanf(argument, "%63[^:]:%d", demo->host, &demo->port) != 2)
		die("--relay %s: ADDRESS:PORT is wanted", argument);
}

/* Read the options. */
static void
read_options(Demo *demo, int argc, char **argv)
{
	static const struct option options[] = {
		{"dsn", required_argument, NULL, 'd'},
		{"relay", required_argument, NULL, 'r'},
		{"jwt-key", required_argument, NULL, 'k'},
		{"compose", no_argument, NULL, 'c'},
		{"at", required_argument, NULL, 'a'},
		{NULL, 0, NULL, 0}
	};
	int			option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
	{
		switch (option)
		{
			case 'd':
				demo->dsn = optarg;
				break;
			case 'r':
				set_relay(demo, optarg);
				break;
			case 'k':
				demo->key_file = optarg;
				break;
			case 'c':
				demo->compose = true;
				break;
			case 'a':
				add_incident(demo, optarg);
				break;
			default:
				fputs(usage, stderr);
				exit(2);
		}
	}
	demo->trace_path = argv[optind];
	if (argc != optind + 1 || demo->dsn == NULL || demo->port == 0 || demo->key_file == NULL)
	{
		fputs(usage, stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	Demo		demo = {.shown_tenth = -1,.terminal = isatty(STDOUT_FILENO)};
	bool		good;

	signal(SIGPIPE, SIG_IGN);
	read_options(&demo, argc, argv);
	trace_load(&demo.trace, demo.trace_path);
	create_document(&demo);
	run_replay(&demo);
	good = report(&demo);
	replay_free(&demo.replay);
	loop_free(&demo.loop);
	trace_free(&demo.trace);
	free(demo.document);
	puts(good ? "all equal" : "NOT EQUAL");
	return good ? 0 : 1;
}
