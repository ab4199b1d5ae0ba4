/*
 * history.c
 *		What a long past costs: the time of reading it in every way there is, and
 *		the bytes it occupies, packed and not.
 *
 *		history TRACE CONNINFO CONNINFO CONNINFO
 *
 * The trace is typed into each of three databases, which have the extension and
 * nothing in it: maintained as a server would, with operation ids that count up and
 * with random ones, and never maintained.  What is read is compared with a replay.
 */
#include "lib/common.h"
#include "lib/pg.h"
#include "lib/report.h"
#include "lib/typing.h"

#include "../src/past/rope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS			9		/* of each query */
#define VERSIONS		100		/* random ones to read the text at */

/* The aims are for long histories: in a short one the newest ops are most of it. */
#define LONG_HISTORY	100000

typedef struct Copy
{
	const char *title;
	const char *summary;		/* what the summary calls its bytes; NULL: not
								 * in it */
	double		aim;			/* bytes an edit; 0: none */
	Typing		typing;
	PGconn	   *conn;
	char	   *document;
	double		bytes;
} Copy;

static Copy copies[] = {
	{.title = "packed",.summary = "bytes stored an edit, packed",.aim = 10,.typing = {.maintained = true}},
	{.title = "packed, random ids",.summary = "bytes stored an edit, packed, random ids",
	.typing = {.maintained = true,.random_ids = true}},
	{.title = "never maintained"}
};

#define COPIES ((int) (sizeof(copies) / sizeof(copies[0])))

static bool equal = true;

/* ---- bytes ---- */

/* Type the trace into a copy, tell how big it is. */
static void
fill_copy(Copy *copy, const Trace *trace)
{
	double		edits = (double) trace->count;
	Aim			aim = copy->aim > 0 && trace->count >= LONG_HISTORY ? AT_MOST : NO_AIM;

	copy->document = typing_run(copy->conn, trace, &copy->typing);
	typing_vacuum(copy->conn);
	copy->bytes = typing_bytes(copy->conn);
	printf("    %-24s %12s, %s an edit", copy->title, grouped(copy->bytes),
		   report_format(copy->bytes / edits, aim, copy->aim));
	if (copy->typing.maintained)
		printf("   maintenance: %.1f ms a thousand edits, at most %.0f ms at once",
			   copy->typing.maintenance_seconds * 1e6 / edits, copy->typing.longest_call_ms);
	putchar('\n');
	fflush(stdout);
	if (copy->summary != NULL)
		report_ratio(copy->summary, copy->bytes / edits, aim, copy->aim);
}

/* Where the bytes of a copy are. */
static void
tell_parts(const Copy *copy, double edits)
{
	PGresult   *result = pg_query(copy->conn,
								  "SELECT name, table_bytes, index_bytes, live_rows"
								  " FROM converge.storage_totals ORDER BY table_bytes + index_bytes DESC", NULL);

	printf("  where they are in the first:\n    %-12s %12s %12s %12s %12s\n", "table", "rows", "table", "indexes", "an edit");
	for (int i = 0; i < PQntuples(result); i++)
	{
		double		table = atof(PQgetvalue(result, i, 1));
		double		indexes = atof(PQgetvalue(result, i, 2));

		printf("    %-12s %12s %12s %12s %12.2f\n", PQgetvalue(result, i, 0),
			   grouped(atof(PQgetvalue(result, i, 3))), grouped(table), grouped(indexes),
			   (table + indexes) / edits);
	}
	PQclear(result);
}

/* ---- times ---- */

typedef struct Reading
{
	const char *title;
	const char *sql;			/* $1 is the document, $2 a version where it
								 * has one */
	double		aim;			/* ms; 0: none */
	const char *expected;		/* what it gives; NULL: not looked at */
} Reading;

static const Reading plain = {"(the text in a row of a plain table)", "SELECT content FROM typing.plain WHERE id = $1", 0, NULL};
static const Reading content = {"content", "SELECT converge.content($1)", 5, NULL};
static const Reading content_at = {"content_at, random versions", "SELECT converge.content_at($1, $2::bigint)", 50, NULL};

static const Reading readings[] = {
	{"open_document", "SELECT role, version, seq, op_id, content FROM converge.open_document($1)", 3, NULL},
	{"content_at, in the middle", "SELECT converge.content_at($1, (SELECT version / 2 FROM converge.heads))", 0, NULL},
	{"content_at, a moment", "SELECT converge.content_at($1, (SELECT created_at + (updated_at - created_at) / 3"
	" FROM converge.heads, converge.documents))", 0, NULL},
	{"diff, the last thousand edits", "SELECT converge.diff($1, version - 1000, version) FROM converge.heads", 0, NULL},
	{"history, all of it, counted", "SELECT count(*) FROM converge.history($1)", 0, NULL},
	{"changes, all of them, counted", "SELECT count(*) FROM converge.changes($1)", 0, NULL},
	{"blame, counted", "SELECT count(*) FROM converge.blame($1)", 0, NULL},
	{"occurrences of a word, counted", "SELECT count(*) FROM converge.occurrences($1, 'collaboration')", 1000, NULL},
	{"occurrences of a letter, counted", "SELECT count(*) FROM converge.occurrences($1, 'e')", 1000, NULL},
	{"activity, counted", "SELECT count(*) FROM converge.activity($1)", 0, NULL},
	{"timeline", "SELECT count(*) FROM converge.timeline($1)", 0, NULL},
	{"diff_rows, the second half, counted", "SELECT count(*) FROM converge.heads AS h, converge.diff_rows($1, h.version / 2, h.version)", 0, NULL},
	{"unified_diff, the second half", "SELECT length(converge.unified_diff($1, version / 2, version)) FROM converge.heads", 0, NULL},
	{"export_document", "SELECT length(converge.export_document($1))", 0, NULL},
	{"verify", "SELECT count(*) FROM converge.verify($1)", 0, "0"},
	{"apply_op, 100,000 operations behind", "SELECT a.version - h.version FROM converge.heads AS h,"
	" converge.apply_op($1, gen_random_uuid(), greatest(h.version - 100000, 0), converge.insert(0, 'x')) AS a", 3, "1"},
	{"apply_op, behind all of them", "SELECT a.version - h.version FROM converge.heads AS h,"
	" converge.apply_op($1, gen_random_uuid(), 1, converge.insert(0, 'x')) AS a", 0, "1"}
};

/* What writes; each is taken back. */
static const Reading writings[] = {
	{"undo_range, a thousand in the middle", "SELECT converge.undo_range($1, version / 2, version / 2 + 999) FROM converge.heads", 0, NULL},
	{"undo_range, the second half", "SELECT converge.undo_range($1, version / 2, version) FROM converge.heads", 0, NULL},
	{"restore_text, a passage of the middle", "SELECT converge.restore_text($1, version / 2, 100, 1100) FROM converge.heads", 0, NULL},
	{"fork, with history", "SELECT length(converge.fork($1, NULL, true)::text)", 0, NULL},
	{"import_document", "SELECT length(converge.import_document(converge.export_document($1), gen_random_uuid())::text)", 0, NULL},
	{"redact, a word", "SELECT converge.redact($1, 'collaboration')", 0, NULL},
	{"replace_all, a letter", "SELECT converge.replace_all($1, 'e', 'E')", 0, NULL}
};

#define WRITINGS ((int) (sizeof(writings) / sizeof(writings[0])))

/* With a text of 1 MB: what it is given, and what that changes. */
static const char large_texts[] =
"CREATE TABLE typing.large AS SELECT string_agg(md5(n::text), E'\\n' ORDER BY n) AS content FROM generate_series(1, 31776) AS n;"
"CREATE TABLE typing.light AS SELECT regexp_replace(overlay(overlay(content PLACING 'é' FROM 500000) PLACING 'a whole sentence' FROM 900000 FOR 3), 'c4ca', 'C4ca') AS content FROM typing.large;"
"CREATE TABLE typing.noise AS SELECT string_agg(chr(97 + (random() * 25)::int), '') AS content FROM generate_series(1, 1048576)";

static const Reading large_writings[] = {
	{"set_content, 1 MB lightly edited", "SELECT converge.set_content($1, content) FROM typing.light", 50, NULL},
	{"set_content, 1 MB of lines in place of it", "SELECT converge.set_content($1, replace(content, 'a', 'A')) FROM typing.large", 0, NULL},
	{"set_content, 1 MB of noise in place of it", "SELECT converge.set_content($1, content) FROM typing.noise", 1000, NULL}
};

#define LARGE_WRITINGS ((int) (sizeof(large_writings) / sizeof(large_writings[0])))

#define READINGS ((int) (sizeof(readings) / sizeof(readings[0])))

/* Milliseconds of a query, whose value is kept for the caller to free. */
static double
time_once(const Copy *copy, const Reading *reading, const char *version, char **value)
{
	int64_t		started = now_us();

	*value = pg_value(copy->conn, reading->sql, copy->document, version, NULL);
	return (double) (now_us() - started) / 1000;
}

/* Print a line of the table; its median. */
static double
tell_times(const Reading *reading, Samples *times, bool by_maximum, bool aims)
{
	double		median = samples_percentile(times, 0.5);
	double		maximum = samples_percentile(times, 1);
	double		judged = by_maximum ? maximum : median;
	char		what[128];

	printf("    %-38s %9.2f %9.2f", reading->title, median, maximum);
	if (aims && reading->aim > 0)
	{
		printf("   %s %.2f%s", by_maximum ? "aim: at most" : "aim: median at most", reading->aim,
			   judged > reading->aim ? " MISSED" : "");
		snprintf(what, sizeof(what), "ms: %s, %s", reading->title, by_maximum ? "slowest" : "median");
		report_ratio(what, judged, AT_MOST, reading->aim);
	}
	putchar('\n');
	samples_free(times);
	return median;
}

/* Time one query. */
static double
time_reading(const Copy *copy, const Reading *reading, const char *expected, bool aims)
{
	Samples		times = {0};

	for (int i = -1; i < RUNS; i++)
	{
		char	   *value;
		double		ms = time_once(copy, reading, NULL, &value);

		if (i >= 0)
			samples_add(&times, ms);
		if (expected != NULL && strcmp(value, expected) != 0)
		{
			printf("    %s is DIFFERENT from what it must be\n", reading->title);
			equal = false;
		}
		free(value);
	}
	return tell_times(reading, &times, false, aims);
}

/* Time what writes, and take it back. */
static void
time_writing(const Copy *copy, const Reading *writing, bool aims)
{
	Samples		times = {0};

	for (int i = -1; i < RUNS / 3; i++)
	{
		char	   *value;
		double		ms;

		pg_run(copy->conn, "BEGIN");
		ms = time_once(copy, writing, NULL, &value);
		pg_run(copy->conn, "ROLLBACK");
		if (i >= 0)
			samples_add(&times, ms);
		free(value);
	}
	tell_times(writing, &times, false, aims);
}

/* Whole texts given to a document of 1 MB. */
static void
time_large(const Copy *copy)
{
	Copy		large = *copy;
	char	   *bytes;

	pg_run(copy->conn, large_texts);
	large.document = pg_value(copy->conn, "SELECT converge.create_document('', content) FROM typing.large", NULL);
	for (int i = 0; i < LARGE_WRITINGS; i++)
		time_writing(&large, &large_writings[i], true);
	free(pg_value(copy->conn, large_writings[0].sql, large.document, NULL));
	bytes = pg_value(copy->conn, "SELECT pg_column_size(op) FROM converge.history($1)", large.document, NULL);
	printf("    the light edit is an op of %s bytes\n", bytes);
	free(bytes);
	free(large.document);
}

/* The texts of random versions, against a replay. */
static void
time_versions(const Copy *copy, const Trace *trace, bool aims)
{
	Samples		times = {0};
	Samples		versions = {0};
	OtBuffer	text;
	size_t		at = 0;
	int			same = 0;
	Rope	   *rope;

	srandom(1);
	for (int i = 0; i < VERSIONS; i++)
		samples_add(&versions, (double) ((size_t) random() % (trace->count + 1)));
	ot_buffer_init(&text, &ot_libc_allocator, 0);
	if (rope_create(&ot_libc_allocator, trace->start, strlen(trace->start), &rope) != OT_OK)
		die("out of memory");
	for (int i = 0; i < VERSIONS; i++)
	{
		size_t		version = (size_t) samples_percentile(&versions, (double) i / (VERSIONS - 1));
		char		number[24];
		char	   *value;

		for (; at < version; at++)
			if (rope_apply(rope, ot_buffer_op(&trace->edits[at].op), NULL, NULL) != OT_OK)
				die("edit %zu does not fit", at);
		ot_buffer_reset(&text);
		if (rope_text(rope, &text) != OT_OK)
			die("out of memory");
		snprintf(number, sizeof(number), "%zu", version);
		samples_add(&times, time_once(copy, &content_at, number, &value));
		if (strlen(value) == text.size && memcmp(value, text.data, text.size) == 0)
			same++;
		free(value);
	}
	rope_free(rope);
	ot_buffer_free(&text);
	samples_free(&versions);
	tell_times(&content_at, &times, true, aims);
	printf("    the text at %d of %d random versions is what a replay gives%s\n", same, VERSIONS,
		   same == VERSIONS ? "" : ": DIFFERENT");
	equal &= same == VERSIONS;
}

/* Every way of reading. */
static void
time_readings(const Copy *copy, const Trace *trace)
{
	bool		aims = trace->count >= LONG_HISTORY;
	double		row_ms;
	double		content_ms;

	pg_run(copy->conn, "CREATE TABLE typing.plain (id uuid PRIMARY KEY, content text)");
	PQclear(pg_query(copy->conn, "INSERT INTO typing.plain VALUES ($1, $2)", copy->document, trace->end, NULL));
	printf("%-42s %9s %9s\n", "milliseconds, on a warm connection", "median", "slowest");
	row_ms = time_reading(copy, &plain, trace->end, aims);
	content_ms = time_reading(copy, &content, trace->end, aims);
	time_versions(copy, trace, aims);
	for (int i = 0; i < READINGS; i++)
		time_reading(copy, &readings[i], readings[i].expected, aims);
	for (int i = 0; i < WRITINGS; i++)
		time_writing(copy, &writings[i], aims);
	time_large(copy);
	printf("    content / the plain row: %s\n", report_format(content_ms / row_ms, NO_AIM, 0));
	report_ratio("content / the same text in a row of a plain table", content_ms / row_ms, NO_AIM, 0);
}

int
main(int argc, char **argv)
{
	Trace		trace;
	const char *name;

	if (argc != 2 + COPIES)
		die("usage: history TRACE CONNINFO CONNINFO CONNINFO");
	trace_load(&trace, argv[1]);
	name = strrchr(argv[1], '/');
	name = name != NULL ? name + 1 : argv[1];
	printf("%.*s: %s edits, one an op, %s characters in the end\n", (int) strcspn(name, "."), name,
		   grouped((double) trace.count), grouped((double) ot_utf8_length(trace.end, strlen(trace.end))));
	puts("bytes of all tables and indexes, after VACUUM");
	for (int i = 0; i < COPIES; i++)
	{
		copies[i].conn = pg_connect(argv[2 + i]);
		fill_copy(&copies[i], &trace);
	}
	tell_parts(&copies[0], (double) trace.count);
	time_readings(&copies[0], &trace);
	for (int i = 0; i < COPIES; i++)
	{
		free(copies[i].document);
		PQfinish(copies[i].conn);
	}
	trace_free(&trace);
	return equal ? 0 : 1;
}
