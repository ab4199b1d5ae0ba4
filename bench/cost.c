/*
 * cost.c
 *		What one keystroke costs in an empty document, in one of 10 MB, and in one
 *		with 100,000 edits behind it: WAL, buffers, time.  And what an op costs whose
 *		base lies far behind.
 */
#include "lib/common.h"
#include "lib/ids.h"
#include "lib/least.h"
#include "lib/pg.h"
#include "lib/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH			1000	/* edits in a call of submit when filling */
#define MANY			100000	/* edits of a document with a long history */
#define KEYSTROKES		400		/* in a slice */
#define SLICES			15

typedef struct Subject
{
	const char *title;
	bool		least;			/* by the least durable work, not by apply_op */
	char	   *document;
	int64_t		version;
	Samples		micros;			/* a keystroke, by slice */
	Samples		ratios;			/* ... to the first subject's of the same
								 * round */
	Samples		wal_bytes;		/* ... with its commit */
} Subject;

static IdSession ids;
static uint64_t next_id;

/* ---- documents ---- */

static const char fill_statement[] =
"SELECT count(*) FILTER (WHERE code = 'applied') FROM converge.submit("
" array_fill($1::uuid, ARRAY[$3::int]), array_fill('ann'::text, ARRAY[$3::int]),"
" ARRAY(SELECT gen_random_uuid() FROM generate_series(1, $3::int)),"
" ARRAY(SELECT $2::bigint + i FROM generate_series(0, $3::int - 1) i),"
" ARRAY(SELECT format('[%s,\"x\"]', CASE WHEN $4::bool"
"  THEN 1 + floor(random() * 100000)::int ELSE 1 + $2::bigint + i END)"
"  FROM generate_series(0, $3::int - 1) i), true)";

/* Make `count` edits of one character: all over the document, or typed on and on. */
static void
fill(PGconn *conn, const char *document, int count, bool scattered)
{
	char		at[24];
	char		batch[24];

	for (int done = 0; done < count; done += BATCH)
	{
		snprintf(at, sizeof(at), "%d", done);
		snprintf(batch, sizeof(batch), "%d", BATCH);
		if (pg_number(conn, fill_statement, document, at, batch,
					  scattered ? "true" : "false", NULL) != BATCH)
			die("not all edits were applied");
	}
}

/* A document of so many characters that ann may edit. */
static char *
create(PGconn *conn, const char *content_sql)
{
	char		sql[256];
	char	   *document;

	snprintf(sql, sizeof(sql), "SELECT converge.create_document('', %s)", content_sql);
	document = pg_value(conn, sql, NULL);
	PQclear(pg_query(conn, "SELECT converge.share($1, 'ann', 'editor')", document, NULL));
	return document;
}

/*
 * Inserts at the right edge of an index are cheaper, since its pages split unevenly
 * there, and where a document stands is chance.  This one fills the last pages.
 */
static void
create_last(PGconn *conn)
{
	static const char last[] = "ffffffff-ffff-4fff-bfff-ffffffffffff";

	PQclear(pg_query(conn, "SELECT converge.create_document('', 'x', $1)", last, NULL));
	PQclear(pg_query(conn, "SELECT converge.share($1, 'ann', 'editor')", last, NULL));
	fill(conn, last, BATCH, false);
}

/* Read where a document stands. */
static int64_t
head_of(PGconn *conn, const char *document)
{
	return (int64_t) pg_number(conn, "SELECT version FROM converge.heads WHERE doc_id = $1",
							   document, NULL);
}

/* ---- keystrokes ---- */

static const char apply_sql[] = "SELECT version FROM converge.apply_op($1, $2, $3, '[\"x\"]')";

/* One edit on the head, a transaction by itself. */
static void
keystroke(PGconn *conn, Subject *subject)
{
	char		op_id[ID_SIZE];
	char		base[24];
	const char *apply[] = {subject->document, op_id, base};
	const char *least[] = {subject->document, op_id, "ann", base, "[\"x\"]"};
	PGresult   *result;

	ids_format(&ids, next_id++, op_id);
	snprintf(base, sizeof(base), "%lld", (long long) subject->version);
	result = subject->least ? PQexecPrepared(conn, "least", 5, least, NULL, NULL, 0) :
		PQexecPrepared(conn, "apply", 3, apply, NULL, NULL, 0);
	pg_check(conn, result, subject->title);
	subject->version = atoll(PQgetvalue(result, 0, 0));
	PQclear(result);
}

static double
wal_position(PGconn *conn)
{
	return pg_number(conn, "SELECT pg_current_wal_insert_lsn() - '0/0'", NULL);
}

/* A slice of keystrokes into one document; microseconds of one. */
static double
run_slice(PGconn *conn, Subject *subject, bool counts)
{
	double		wal_before = wal_position(conn);
	int64_t		started = now_us();
	double		micros;

	for (int i = 0; i < KEYSTROKES; i++)
		keystroke(conn, subject);
	micros = (double) (now_us() - started) / KEYSTROKES;
	if (counts)
	{
		samples_add(&subject->micros, micros);
		samples_add(&subject->wal_bytes, (wal_position(conn) - wal_before) / KEYSTROKES);
	}
	return micros;
}

/* Print what EXPLAIN tells of one keystroke. */
static void
explain(PGconn *conn, Subject *subject)
{
	char		sql[512];
	char		op_id[ID_SIZE];
	PGresult   *result;

	ids_format(&ids, next_id++, op_id);
	snprintf(sql, sizeof(sql),
			 "EXPLAIN (ANALYZE, BUFFERS, WAL, COSTS OFF, TIMING OFF, SUMMARY OFF)"
			 " SELECT version FROM converge.apply_op('%s', '%s', %lld, '[\"x\"]')",
			 subject->document, op_id, (long long) subject->version);
	result = PQexec(conn, sql);
	pg_check(conn, result, sql);
	printf("    %s\n", subject->title);
	for (int i = 1; i < PQntuples(result) && i < 3; i++)
		printf("        %s\n", PQgetvalue(result, i, 0) + strspn(PQgetvalue(result, i, 0), " "));
	PQclear(result);
	subject->version++;
}

/* Compare the subjects with the first of them. */
static void
report_subjects(Subject *subjects, int count)
{
	double		first_wal = samples_percentile(&subjects[0].wal_bytes, 0.5);
	char		what[128];

	printf("%-38s %12s %12s\n", "one keystroke, a transaction by itself", "us", "WAL bytes");
	for (int i = 0; i < count; i++)
	{
		double		micros = samples_percentile(&subjects[i].micros, 0.5);
		double		wal = samples_percentile(&subjects[i].wal_bytes, 0.5);
		double		slower = samples_percentile(&subjects[i].ratios, 0.5);

		printf("    %-34s %12.0f %12.0f", subjects[i].title, micros, wal);
		if (i > 0 && !subjects[i].least)
		{
			printf("   time %s, WAL %s", report_format(slower, AT_MOST, 1.1),
				   report_format(wal / first_wal, AT_MOST, 1.1));
			snprintf(what, sizeof(what), "keystroke time: %s / empty", subjects[i].title);
			report_ratio(what, slower, AT_MOST, 1.1);
			snprintf(what, sizeof(what), "keystroke WAL: %s / empty", subjects[i].title);
			report_ratio(what, wal / first_wal, AT_MOST, 1.1);
		}
		putchar('\n');
	}
}

/* Keystrokes into every subject in turn. */
static void
compare_keystrokes(PGconn *conn, Subject *subjects, int count)
{
	pg_run(conn, "VACUUM ANALYZE");
	pg_run(conn, "CHECKPOINT");
	for (int slice = -1; slice < SLICES; slice++)
	{
		double		first = 0;

		for (int i = 0; i < count; i++)
		{
			double		micros = run_slice(conn, &subjects[i], slice >= 0);

			first = i == 0 ? micros : first;
			if (slice >= 0)
				samples_add(&subjects[i].ratios, micros / first);
		}
	}
	report_subjects(subjects, count);
	puts("  what EXPLAIN (ANALYZE, BUFFERS, WAL) tells of the next one, without its commit:");
	for (int i = 0; i < count; i++)
	{
		if (!subjects[i].least)
			explain(conn, &subjects[i]);
	}
}

/* ---- rebasing ---- */

/* Milliseconds of one op whose base is so far behind; it is rolled back. */
static double
time_behind(PGconn *conn, const char *document, int64_t behind)
{
	Samples		times = {0};
	double		median;

	for (int i = 0; i < 7; i++)
	{
		char		op_id[ID_SIZE];
		char		base[24];
		const char *values[3] = {document, op_id, base};
		PGresult   *result;
		int64_t		started;

		ids_format(&ids, next_id++, op_id);
		snprintf(base, sizeof(base), "%lld", (long long) (head_of(conn, document) - behind));
		pg_run(conn, "BEGIN");
		started = now_us();
		result = PQexecPrepared(conn, "apply", 3, values, NULL, NULL, 0);
		samples_add(&times, (double) (now_us() - started) / 1000);
		pg_check(conn, result, apply_sql);
		PQclear(result);
		pg_run(conn, "ROLLBACK");
	}
	median = samples_percentile(&times, 0.5);
	samples_free(&times);
	return median;
}

/* An op over 1,000, 10,000 and 100,000 missed ones. */
static void
compare_rebases(PGconn *conn, const char *title, const char *document)
{
	double		ms[3];
	char		what[128];

	printf("    %-34s", title);
	for (int i = 0, behind = 1000; i < 3; i++, behind *= 10)
	{
		ms[i] = time_behind(conn, document, behind);
		printf(" %9.2f ms", ms[i]);
	}
	printf("   x10 missed: time %s\n", report_format(ms[2] / ms[1], AT_MOST, 12));
	snprintf(what, sizeof(what), "rebase over 100,000 / over 10,000 missed: %s", title);
	report_ratio(what, ms[2] / ms[1], AT_MOST, 12);
}

int
main(int argc, char **argv)
{
	PGconn	   *conn = pg_connect(argc > 1 ? argv[1] : "");
	Subject		subjects[] = {
		{.title = "empty document",.document = create(conn, "''")},
		{.title = "10 MB",.document = create(conn, "repeat('converge ', 1165085)")},
		{.title = "100,000 edits",.document = create(conn, "repeat('x', 100000)")},
		{.title = "(the least durable work)",.least = true,.document = create(conn, "''")}
	};
	char	   *typed = create(conn, "'xx'");
	int			count = (int) (sizeof(subjects) / sizeof(subjects[0]));

	ids_start(&ids);
	create_last(conn);
	least_create(conn);
	PQclear(pg_query(conn, "INSERT INTO least.ops SELECT doc_id, version, seq, base_version,"
					 " created_at, op_id, 1, user_id, op::text FROM converge.ops"
					 " WHERE doc_id >= 'ffffffff-0000-0000-0000-000000000000'", NULL));
	pg_prepare(conn, "apply", apply_sql);
	pg_prepare(conn, "least", least_statement);
	fill(conn, subjects[2].document, MANY, true);
	fill(conn, typed, MANY, false);
	for (int i = 0; i < count; i++)
		subjects[i].version = head_of(conn, subjects[i].document);
	compare_keystrokes(conn, subjects, count);
	printf("\n%-38s %12s %12s %12s\n", "one op whose base is behind by", "1,000", "10,000", "100,000");
	compare_rebases(conn, "edits all over 100 KB", subjects[2].document);
	compare_rebases(conn, "typed in one run", typed);
	for (int i = 0; i < count; i++)
	{
		free(subjects[i].document);
		samples_free(&subjects[i].micros);
		samples_free(&subjects[i].ratios);
		samples_free(&subjects[i].wal_bytes);
	}
	free(typed);
	PQfinish(conn);
	return 0;
}
