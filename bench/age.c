/*
 * age.c
 *		What a keystroke costs in a document of a million versions against one of
 *		ten, and in one of 10 MB against an empty one, while maintenance packs and
 *		takes snapshots of all of them beside it.
 *
 * The documents take turns in short slices, so that what maintenance does meanwhile
 * hits one as often as the other; what counts is the median of the rounds' ratios.
 */
#include "lib/common.h"
#include "lib/ids.h"
#include "lib/pg.h"
#include "lib/report.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define YOUNG			10		/* versions of the young document */
#define OLD				1000000 /* ... and of the old one */
#define LARGE_CP		10485760
#define BATCH			1000	/* edits in a call of submit */
#define MAINTAIN_EVERY	20000	/* edits, when filling */
#define KEYSTROKES		100		/* in a slice */
#define ROUNDS			120
#define WARM_UP_ROUNDS	5

/* Between two rounds of maintenance, and between two snapshots of the large document. */
#define REST_US			20000
#define SNAPSHOT_EVERY_US	1000000

typedef struct Subject
{
	const char *title;
	bool		young;			/* a fresh document for every slice */
	char	   *document;
	char		op[32];
	int64_t		version;
	Samples		micros;			/* a keystroke, by slice */
} Subject;

typedef struct Pair
{
	const char *summary;
	Subject		base;
	Subject		other;
	Samples		ratios;
} Pair;

static Pair pairs[] = {
	{.summary = "keystroke beside maintenance: version 1,000,000 / version 10",
	.base = {.title = "version 10, 100 KB",.young = true},.other = {.title = "version 1,000,000, 100 KB"}},
	{.summary = "keystroke beside maintenance: 10 MB / empty",
	.base = {.title = "empty"},.other = {.title = "10 MB"}}
};

#define PAIRS ((int) (sizeof(pairs) / sizeof(pairs[0])))

static IdSession ids;
static uint64_t next_id;

/* ---- documents ---- */

/* $1 document, $2 its version, $3 edits, $4 the first half of their ids, $5 their number. */
static const char fill_statement[] =
"SELECT count(*) FILTER (WHERE code = 'applied') FROM converge.submit("
" array_fill($1::uuid, ARRAY[$3::int]), array_fill(session_user::text, ARRAY[$3::int]),"
" ARRAY(SELECT ($4 || lpad(to_hex($5::bigint + i), 12, '0'))::uuid FROM generate_series(0, $3::int - 1) i),"
" ARRAY(SELECT $2::bigint + i FROM generate_series(0, $3::int - 1) i),"
" ARRAY(SELECT format(CASE WHEN i % 2 = 0 THEN '[%s,\"x\"]' ELSE '[%s,{\"d\":1}]' END, 1 + floor(random() * 90000)::int)"
"  FROM generate_series(0, $3::int - 1) i), true)";

/* Make edits all over a document, which stays as long as it is. */
static void
fill(PGconn *conn, const char *document, int count, int batch)
{
	char		version[24];
	char		edits[24];
	char		session[ID_SIZE];
	char		number[24];

	snprintf(edits, sizeof(edits), "%d", batch);
	ids_format(&ids, 0, session);
	session[24] = '\0';
	for (int done = 0; done < count; done += batch)
	{
		snprintf(version, sizeof(version), "%d", done);
		snprintf(number, sizeof(number), "%llu", (unsigned long long) next_id);
		next_id += (uint64_t) batch;
		if (pg_number(conn, fill_statement, document, version, edits, session, number, NULL) != batch)
			die("not all edits were applied");
		if (done % MAINTAIN_EVERY == 0 && done > 0)
			pg_run(conn, "CALL converge.maintain()");
	}
}

/* A document of about so many characters, which do not compress much. */
static char *
create(PGconn *conn, int characters)
{
	char		number[24];

	snprintf(number, sizeof(number), "%d", characters / 32);
	return pg_value(conn, "SELECT converge.create_document('', coalesce((SELECT string_agg(md5(i::text), '')"
					" FROM generate_series(1, $1::int) i), ''))", number, NULL);
}

/*
 * Inserts at the right edge of an index are cheaper, since its pages split unevenly
 * there, and where a document stands is chance.  This one has the last pages.
 */
static void
create_last(PGconn *conn)
{
	static const char last[] = "ffffffff-ffff-4fff-bfff-ffffffffffff";

	PQclear(pg_query(conn, "SELECT converge.create_document('', repeat('x', 100000), $1)", last, NULL));
	fill(conn, last, BATCH, BATCH);
}

/* Prepare what a subject types on. */
static void
begin_subject(Subject *subject, char *document, int64_t version, int64_t position)
{
	free(subject->document);
	subject->document = document;
	subject->version = version;
	if (position > 0)
		snprintf(subject->op, sizeof(subject->op), "[%lld,\"x\"]", (long long) position);
	else
		snprintf(subject->op, sizeof(subject->op), "[\"x\"]");
}

/* Make all documents but those that every slice makes for itself. */
static void
create_subjects(PGconn *conn)
{
	char	   *old = create(conn, 100000);

	pg_run(conn, "SET synchronous_commit = off");
	create_last(conn);
	fill(conn, old, OLD, BATCH);
	begin_subject(&pairs[0].other, old, OLD, 50000);
	begin_subject(&pairs[1].base, create(conn, 0), 0, 0);
	begin_subject(&pairs[1].other, create(conn, LARGE_CP), 0, LARGE_CP / 2);
	pg_run(conn, "RESET synchronous_commit");
	pg_run(conn, "VACUUM ANALYZE");
	pg_run(conn, "CHECKPOINT");
}

/* ---- maintenance beside it ---- */

typedef struct Beside
{
	PGconn	   *conn;
	const char *large;			/* document */
	atomic_bool ending;
	int			rounds;
	int			snapshots;		/* of the large document */
} Beside;

/* Round after round, so that there is always some packing or snapshot under way or near. */
static void *
maintain(void *arg)
{
	Beside	   *beside = arg;
	int64_t		snapshot_at = 0;

	pg_run(beside->conn, "SET converge.pack_keep = 50; SET converge.pack_batch = 50");
	while (!beside->ending)
	{
		pg_run(beside->conn, "CALL converge.maintain()");
		if (++beside->rounds % 50 == 0)
			pg_run(beside->conn, "VACUUM converge.ops");
		if (now_us() >= snapshot_at)
		{
			PQclear(pg_query(beside->conn, "SELECT converge.snapshot($1)", beside->large, NULL));
			beside->snapshots++;
			snapshot_at = now_us() + SNAPSHOT_EVERY_US;
		}
		usleep(REST_US);
	}
	return NULL;
}

/* ---- keystrokes ---- */

static const char apply_sql[] = "SELECT version FROM converge.apply_op($1, $2, $3, $4)";

/* One edit on the head, a transaction by itself. */
static void
keystroke(PGconn *conn, Subject *subject)
{
	char		op_id[ID_SIZE];
	char		base[24];
	const char *values[] = {subject->document, op_id, base, subject->op};
	PGresult   *result;

	ids_format(&ids, next_id++, op_id);
	snprintf(base, sizeof(base), "%lld", (long long) subject->version);
	result = PQexecPrepared(conn, "apply", 4, values, NULL, NULL, 0);
	pg_check(conn, result, apply_sql);
	subject->version = atoll(PQgetvalue(result, 0, 0));
	PQclear(result);
}

/* A slice of keystrokes; microseconds of one. */
static double
run_slice(PGconn *conn, Subject *subject, bool counts)
{
	int64_t		started;
	double		micros;

	if (subject->young)
	{
		begin_subject(subject, create(conn, 100000), YOUNG, 50000);
		fill(conn, subject->document, YOUNG, YOUNG);
	}
	started = now_us();
	for (int i = 0; i < KEYSTROKES; i++)
		keystroke(conn, subject);
	micros = (double) (now_us() - started) / KEYSTROKES;
	if (counts)
		samples_add(&subject->micros, micros);
	return micros;
}

/* All subjects in turn, and the other way round the next time. */
static void
run_round(PGconn *conn, int round)
{
	bool		counts = round >= 0;

	for (int i = 0; i < PAIRS; i++)
	{
		Pair	   *pair = &pairs[i];
		double		base = round % 2 == 0 ? run_slice(conn, &pair->base, counts) : 0;
		double		other = run_slice(conn, &pair->other, counts);

		if (base == 0)
			base = run_slice(conn, &pair->base, counts);
		if (counts)
			samples_add(&pair->ratios, other / base);
	}
}

static void
report_subject(Subject *subject)
{
	printf("    %-34s %8.0f %8.0f", subject->title, samples_percentile(&subject->micros, 0.5),
		   samples_percentile(&subject->micros, 0.9));
}

/* Print a pair, note its ratio. */
static void
report_pair(Pair *pair)
{
	double		ratio = samples_percentile(&pair->ratios, 0.5);

	report_subject(&pair->base);
	putchar('\n');
	report_subject(&pair->other);
	printf("   ratio %s\n", report_format(ratio, AT_MOST, 1.1));
	report_ratio(pair->summary, ratio, AT_MOST, 1.1);
}

static void
free_subject(Subject *subject)
{
	free(subject->document);
	samples_free(&subject->micros);
}

int
main(int argc, char **argv)
{
	const char *conninfo = argc > 1 ? argv[1] : "";
	PGconn	   *conn = pg_connect(conninfo);
	Beside		beside = {.conn = pg_connect(conninfo)};
	pthread_t	thread;

	ids_start(&ids);
	create_subjects(conn);
	pg_prepare(conn, "apply", apply_sql);
	beside.large = pairs[1].other.document;
	if (pthread_create(&thread, NULL, maintain, &beside) != 0)
		die("no thread");
	for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++)
		run_round(conn, round);
	beside.ending = true;
	pthread_join(thread, NULL);
	printf("%-38s %8s %8s\n", "a keystroke beside maintenance, us", "median", "p90");
	for (int i = 0; i < PAIRS; i++)
		report_pair(&pairs[i]);
	printf("    beside them: %d rounds of maintenance, %s ops packed, %d snapshots of the 10 MB\n", beside.rounds,
		   grouped(pg_number(conn, "SELECT sum(packed_ops) FROM converge.storage", NULL)), beside.snapshots);
	for (int i = 0; i < PAIRS; i++)
	{
		free_subject(&pairs[i].base);
		free_subject(&pairs[i].other);
		samples_free(&pairs[i].ratios);
	}
	PQfinish(beside.conn);
	PQfinish(conn);
	return 0;
}
