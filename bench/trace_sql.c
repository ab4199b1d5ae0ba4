/*
 * trace_sql.c
 *		Applies sequential traces from SQL, one edit an op, through apply_op, and
 *		compares content() with the trace's own end.
 *
 * The statement is prepared and pipelined; a pipeline's sync ends a transaction, so
 * that many ops share one.
 */
#include "lib/common.h"
#include "lib/ids.h"
#include "lib/pg.h"
#include "lib/trace.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_A_TRANSACTION	200

static const char apply_statement[] =
"SELECT version, applied OPERATOR(converge.=) $4 FROM converge.apply_op($1, $2, $3, $4)";

/* Send one edit on `base`, which is the head. */
static void
send_edit(PGconn *conn, const char *document, const IdSession *ids, size_t base, OtOp op)
{
	char		op_id[ID_SIZE];
	uint8_t		base_binary[8];
	const char *values[4] = {document, op_id, (char *) base_binary, op.size > 0 ? (const char *) op.data : ""};
	int			lengths[4] = {0, 0, 8, (int) op.size};
	int			formats[4] = {0, 0, 1, 1};

	ids_format(ids, base, op_id);
	pg_put_int64(base_binary, (int64_t) base);
	if (!PQsendQueryPrepared(conn, "apply", 4, values, lengths, formats, 0))
		die("%s", PQerrorMessage(conn));
}

/* Read the answers of a transaction: each must be the next version, untransformed. */
static void
read_answers(PGconn *conn, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		PGresult   *result = PQgetResult(conn);

		if (PQresultStatus(result) != PGRES_TUPLES_OK)
			die("edit %zu: %s", first + i, PQerrorMessage(conn));
		if (strtoull(PQgetvalue(result, 0, 0), NULL, 10) != first + i + 1 ||
			strcmp(PQgetvalue(result, 0, 1), "t") != 0)
			die("edit %zu became version %s, changed or out of order", first + i,
				PQgetvalue(result, 0, 0));
		PQclear(result);
		if (PQgetResult(conn) != NULL)
			die("edit %zu: more than one answer", first + i);
	}
	PQclear(PQgetResult(conn)); /* of the sync */
}

/* Apply all edits. */
static void
apply_edits(PGconn *conn, const Trace *trace, const char *document)
{
	IdSession	ids;

	ids_start(&ids);
	if (!PQenterPipelineMode(conn))
		die("%s", PQerrorMessage(conn));
	for (size_t at = 0; at < trace->count; at += IN_A_TRANSACTION)
	{
		size_t		count = trace->count - at;

		if (count > IN_A_TRANSACTION)
			count = IN_A_TRANSACTION;
		for (size_t i = 0; i < count; i++)
			send_edit(conn, document, &ids, at + i, ot_buffer_op(&trace->edits[at + i].op));
		if (!PQpipelineSync(conn))
			die("%s", PQerrorMessage(conn));
		read_answers(conn, at, count);
	}
	if (!PQexitPipelineMode(conn))
		die("%s", PQerrorMessage(conn));
}

/* Median milliseconds of content(), and whether it is what it must be. */
static double
time_content(PGconn *conn, const Trace *trace, const char *document, bool *equal)
{
	Samples		times = {0};
	double		median;

	*equal = true;
	for (int i = 0; i < 5; i++)
	{
		int64_t		started = now_us();
		char	   *content = pg_value(conn, "SELECT converge.content($1)", document, NULL);

		samples_add(&times, (double) (now_us() - started) / 1000);
		*equal &= strcmp(content, trace->end) == 0;
		free(content);
	}
	median = samples_percentile(&times, 0.5);
	samples_free(&times);
	return median;
}

/* One trace; is the outcome its own end? */
static bool
run_trace(PGconn *conn, const char *path)
{
	Trace		trace;
	const char *name = strrchr(path, '/');
	char	   *document;
	int64_t		started;
	double		seconds;
	double		content_ms;
	bool		equal;

	trace_load(&trace, path);
	name = name != NULL ? name + 1 : path;
	if (trace.concurrent)
		die("%s is a concurrent trace", path);
	document = pg_value(conn, "SELECT converge.create_document($1, $2)", name,
						trace.start, NULL);
	started = now_us();
	apply_edits(conn, &trace, document);
	seconds = (double) (now_us() - started) / 1e6;
	content_ms = time_content(conn, &trace, document, &equal);
	printf("%-28s %9s edits  %7s/s  %9s characters  content() %7.1f ms  %s\n", name,
		   grouped((double) trace.count), grouped((double) trace.count / seconds),
		   grouped((double) ot_utf8_length(trace.end, strlen(trace.end))), content_ms,
		   equal ? "equal" : "DIFFERENT");
	fflush(stdout);
	free(document);
	trace_free(&trace);
	return equal;
}

int
main(int argc, char **argv)
{
	PGconn	   *conn;
	bool		good = true;

	if (argc < 3)
		die("usage: trace_sql CONNINFO TRACE...");
	conn = pg_connect(argv[1]);
	pg_prepare(conn, "apply", apply_statement);
	for (int i = 2; i < argc; i++)
		good &= run_trace(conn, argv[i]);
	PQfinish(conn);
	return good ? 0 : 1;
}
