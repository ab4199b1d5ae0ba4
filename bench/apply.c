/*
 * apply.c
 *		How much more apply_op and submit cost than the least durable work.
 *
 * With 1, 2, 8 and 32 connections, over 64 documents (a connection takes the next
 * document that nobody is writing, as a relay does) and over one (all of them at
 * once, behind each other, so that the server rebases).  The contestants take
 * turns in short slices; what counts is the median of the slices' ratios.
 */
#include "lib/common.h"
#include "lib/drive.h"
#include "lib/ids.h"
#include "lib/least.h"
#include "lib/report.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS		64
#define MAX_WORKERS		32
#define MAX_BATCH		256
#define USER			"ann"

typedef struct Document
{
	char		id[ID_SIZE];
	uint8_t		binary[16];
	bool		taken;
} Document;

/* What the contestants share. */
typedef struct Field
{
	Document	documents[DOCUMENTS];
	int			count;			/* documents in use: 64 or 1 */
	int			next;			/* whose turn it is */
	int			batch;			/* ops a batch of submit */
	IdSession	ids;
	uint64_t	next_id;
	int64_t		least_known[DOCUMENTS];
	/* versions that a worker knows of a document */
	int64_t		known[MAX_WORKERS][DOCUMENTS];
	int			batch_documents[MAX_WORKERS][MAX_BATCH];
	double		not_applied;
} Field;

static Field field;

/* ---- documents and edits ---- */

/* Read where every document stands. */
static void
refresh(Drive *drive)
{
	for (int i = 0; i < field.count; i++)
	{
		int64_t		version = (int64_t)
		pg_number(drive->control, "SELECT version FROM converge.heads WHERE doc_id = $1",
				  field.documents[i].id, NULL);

		for (int w = 0; w < MAX_WORKERS; w++)
			field.known[w][i] = version;
		field.documents[i].taken = false;
	}
}

/* The next document for a worker: the longest untouched one of many, or the only one. */
static int
take_document(void)
{
	int			at = field.next;

	if (field.count == 1)
		return 0;
	while (field.documents[at].taken)
		at = (at + 1) % field.count;
	field.documents[at].taken = true;
	field.next = (at + 1) % field.count;
	return at;
}

/* A keystroke somewhere in a document of `version` characters. */
static int
write_keystroke(char *out, size_t capacity, int64_t version)
{
	int64_t		position = (int64_t) (field.next_id * 7919 % (uint64_t) (version + 1));

	return position == 0 ? snprintf(out, capacity, "[\"x\"]") :
		snprintf(out, capacity, "[%lld,\"x\"]", (long long) position);
}

/* ---- the least work ---- */

static void
prepare_least(Drive *drive)
{
	refresh(drive);
}

static void
send_least(Worker *worker)
{
	uint8_t		op_id[16];
	uint8_t		base[8];
	char		op[32];
	const char *values[5] = {NULL, (char *) op_id, USER, (char *) base, op};
	int			lengths[5] = {16, 16, 0, 8, 0};
	int			formats[5] = {1, 1, 0, 1, 0};

	worker->document = take_document();
	values[0] = (char *) field.documents[worker->document].binary;
	write_keystroke(op, sizeof(op), field.least_known[worker->document]);
	ids_binary(&field.ids, field.next_id++, op_id);
	pg_put_int64(base, field.least_known[worker->document]);
	drive_send(worker, 5, values, lengths, formats);
}

static size_t
answer_least(Worker *worker, const PGresult *result)
{
	if (PQntuples(result) != 1)
		die("the least work did nothing");
	field.documents[worker->document].taken = false;
	field.least_known[worker->document] = atoll(PQgetvalue(result, 0, 0));
	return 1;
}

/* ---- apply_op ---- */

static void
send_apply(Worker *worker)
{
	uint8_t		op_id[16];
	uint8_t		base[8];
	char		op[32];
	const char *values[4] = {NULL, (char *) op_id, (char *) base, op};
	int			lengths[4] = {16, 16, 8, 0};
	int			formats[4] = {1, 1, 1, 0};
	int64_t		known;

	worker->document = take_document();
	known = field.known[field.count == 1 ? worker->index : 0][worker->document];
	values[0] = (char *) field.documents[worker->document].binary;
	write_keystroke(op, sizeof(op), known);
	ids_binary(&field.ids, field.next_id++, op_id);
	pg_put_int64(base, known);
	drive_send(worker, 4, values, lengths, formats);
}

static size_t
answer_apply(Worker *worker, const PGresult *result)
{
	int			knower = field.count == 1 ? worker->index : 0;

	field.documents[worker->document].taken = false;
	field.known[knower][worker->document] = atoll(PQgetvalue(result, 0, 0));
	return 1;
}

/* ---- submit ---- */

/* The four arrays of a batch, as text. */
typedef struct Arrays
{
	char		documents[MAX_BATCH * (ID_SIZE + 1) + 3];
	char		users[MAX_BATCH * 8 + 3];
	char		ids[MAX_BATCH * (ID_SIZE + 1) + 3];
	char		bases[MAX_BATCH * 24 + 3];
	char		ops[MAX_BATCH * 40 + 3];
} Arrays;

/* Append an element to an array's text. */
static char *
append_element(char *at, const char *text, bool first)
{
	*at++ = first ? '{' : ',';
	return stpcpy(at, text);
}

/* The op as an array's element, which needs its quotes escaped. */
static void
write_element(char *out, size_t capacity, int64_t version)
{
	char		op[32];

	write_keystroke(op, sizeof(op), version);
	snprintf(out, capacity, "\"%.*s\\\"x\\\"]\"", (int) strcspn(op, "\""), op);
}

/*
 * Ops of many people, all made on what this worker knows.  Over many documents a
 * worker keeps to its own share of them, as a relay, which has at most one batch of
 * a document under way.
 */
static void
fill_arrays(Worker *worker, Arrays *arrays)
{
	char	   *documents = arrays->documents;
	char	   *users = arrays->users;
	char	   *ids = arrays->ids;
	char	   *bases = arrays->bases;
	char	   *ops = arrays->ops;
	char		text[64];
	int			at = worker->index % field.count;

	for (int i = 0; i < field.batch; i++)
	{
		int64_t		known = field.known[worker->index][at];

		field.batch_documents[worker->index][i] = at;
		documents = append_element(documents, field.documents[at].id, i == 0);
		users = append_element(users, USER, i == 0);
		snprintf(text, sizeof(text), "%lld", (long long) known);
		bases = append_element(bases, text, i == 0);
		write_element(text, sizeof(text), known);
		ops = append_element(ops, text, i == 0);
		ids_format(&field.ids, field.next_id++, text);
		ids = append_element(ids, text, i == 0);
		if (field.count > 1)
			at = (at + worker->drive->count) % field.count;
	}
	strcpy(documents, "}");
	strcpy(users, "}");
	strcpy(ids, "}");
	strcpy(bases, "}");
	strcpy(ops, "}");
}

static void
send_submit(Worker *worker)
{
	Arrays		arrays;
	const char *values[6] = {arrays.documents, arrays.users, arrays.ids, arrays.bases,
	arrays.ops, field.count == 1 ? "true" : "false"};

	fill_arrays(worker, &arrays);
	drive_send(worker, 6, values, NULL, NULL);
}

static size_t
answer_submit(Worker *worker, const PGresult *result)
{
	size_t		applied = 0;

	for (int i = 0; i < PQntuples(result); i++)
	{
		int			document = field.batch_documents[worker->index][i];

		if (strcmp(PQgetvalue(result, i, 0), "applied") == 0)
		{
			applied++;
			field.known[worker->index][document] = atoll(PQgetvalue(result, i, 1));
		}
		else
			field.not_applied++;
	}
	return applied;
}

static void
prepare_submit(Drive *drive, int batch)
{
	field.batch = batch;
	refresh(drive);
}

static void
prepare_submit64(Drive *drive)
{
	prepare_submit(drive, 64);
}

static void
prepare_submit256(Drive *drive)
{
	prepare_submit(drive, 256);
}

#define SUBMIT "SELECT code, version, event FROM converge.submit($1, $2, $3, $4, $5, $6)"

enum
{
	LEAST,
	APPLY,
	SUBMIT64,
	SUBMIT256,
	CONTESTANTS
};

static const Contestant contestants[CONTESTANTS] = {
	{"least", least_statement, prepare_least, send_least, answer_least},
	{"apply_op", "SELECT version, seq, applied, duplicate FROM converge.apply_op($1, $2, $3, $4)",
	refresh, send_apply, answer_apply},
	{"submit64", SUBMIT, prepare_submit64, send_submit, answer_submit},
	{"submit256", SUBMIT, prepare_submit256, send_submit, answer_submit}
};

/* ---- running ---- */

/* Print a line of the table and note its ratios. */
static void
report(int workers, Samples *rates, Samples *ratios)
{
	static const double aims[CONTESTANTS] = {0, 0.9, 3, 3};
	char		what[96];

	printf("%9d %11d %9s/s", field.count, workers,
		   grouped(samples_percentile(&rates[LEAST], 0.5)));
	for (int c = APPLY; c < CONTESTANTS; c++)
	{
		double		ratio = samples_percentile(&ratios[c], 0.5);

		printf("  %9s/s  %5.2f%s", grouped(samples_percentile(&rates[c], 0.5)), ratio,
			   ratio < aims[c] ? "!" : " ");
		snprintf(what, sizeof(what), "%s / least work, %d document%s, %d connection%s",
				 contestants[c].name, field.count, field.count == 1 ? "" : "s",
				 workers, workers == 1 ? "" : "s");
		report_ratio(what, ratio, AT_LEAST, aims[c]);
	}
	putchar('\n');
	fflush(stdout);
}

/* All contestants in turn, some rounds of it. */
static void
run(const char *dsn, int documents, int workers, int rounds, double seconds)
{
	Drive		drive;
	Samples		rates[CONTESTANTS] = {0};
	Samples		ratios[CONTESTANTS] = {0};

	field.count = documents;
	field.next = 0;
	drive_open(&drive, dsn, workers, contestants, CONTESTANTS);
	pg_run(drive.control, "CHECKPOINT");
	for (int c = 0; c < CONTESTANTS; c++)
		drive_slice(&drive, &contestants[c], seconds / 4);
	for (int r = 0; r < rounds; r++)
	{
		double		rate[CONTESTANTS];

		for (int c = 0; c < CONTESTANTS; c++)
		{
			rate[c] = drive_slice(&drive, &contestants[c], seconds);
			samples_add(&rates[c], rate[c]);
			samples_add(&ratios[c], rate[c] / rate[LEAST]);
		}
	}
	drive_close(&drive);
	report(workers, rates, ratios);
	for (int c = 0; c < CONTESTANTS; c++)
	{
		samples_free(&rates[c]);
		samples_free(&ratios[c]);
	}
}

/* Fresh documents that USER may write, and the least work's tables for them. */
static void
create_documents(const char *dsn)
{
	PGconn	   *conn = pg_connect(dsn);

	for (int i = 0; i < DOCUMENTS; i++)
	{
		Document   *document = &field.documents[i];
		char	   *id = pg_value(conn, "SELECT converge.create_document()", NULL);
		PGresult   *result;

		memcpy(document->id, id, ID_SIZE);
		PQclear(pg_query(conn, "SELECT converge.share($1, '" USER "', 'editor')", id, NULL));
		result = PQexecParams(conn, "SELECT doc_id FROM converge.heads WHERE doc_id = $1", 1,
							  NULL, (const char *const *) &id, NULL, NULL, 1);
		pg_check(conn, result, "reading a document's id");
		memcpy(document->binary, PQgetvalue(result, 0, 0), 16);
		PQclear(result);
		free(id);
	}
	least_create(conn);
	pg_run(conn, "VACUUM ANALYZE");
	PQfinish(conn);
}

int
main(int argc, char **argv)
{
	static const int workers[] = {1, 2, 8, 32};
	const char *dsn = argc > 1 ? argv[1] : "";
	int			rounds = argc > 2 ? atoi(argv[2]) : 7;
	double		seconds = argc > 3 ? atof(argv[3]) : 0.4;

	if (rounds < 1 || seconds <= 0)
		die("usage: apply [CONNINFO [ROUNDS [SECONDS]]]");
	ids_start(&field.ids);
	create_documents(dsn);
	puts("documents connections   least work         apply_op (>= 0.90)"
		 "   submit of 64 (>= 3)   submit of 256 (>= 3)");
	for (int documents = DOCUMENTS; documents >= 1; documents /= DOCUMENTS)
	{
		for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++)
			run(dsn, documents, workers[i], rounds, seconds);
	}
	if (field.not_applied > 0)
		printf("%s ops of submit were not applied\n", grouped(field.not_applied));
	return 0;
}
