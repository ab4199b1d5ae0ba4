/*
 * lib/typing.c
 *		A trace typed into a document at a person's pace.
 */
#include "lib/typing.h"

#include "lib/common.h"
#include "lib/ids.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Edits in a transaction, which only saves time here. */
#define BATCH			8

/* Edits from one CALL converge.maintain() to the next. */
#define MAINTAIN_EVERY	256

/* Microseconds between two keystrokes, mostly. */
#define PAUSE_US		150000

/* Ops of one document, one after another, each some time after the one before. */
static const char type_function[] =
"CREATE SCHEMA IF NOT EXISTS typing;"
"CREATE OR REPLACE FUNCTION typing.type(document uuid, base bigint, ids uuid[],"
"  ops converge.op[], pauses bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$"
" DECLARE made bigint;"
" BEGIN"
"  FOR i IN 1 .. cardinality(ids) LOOP"
"   UPDATE converge.heads SET updated_at = updated_at + pauses[i] * interval '1 microsecond'"
"    WHERE doc_id = document;"
"   SELECT version INTO made FROM converge.apply_op(document, ids[i], base + i - 1, ops[i]);"
"  END LOOP;"
"  RETURN made;"
" END $$";

static const char type_statement[] = "SELECT typing.type($1, $2, $3, $4, $5)";

/* The arrays of a batch, as text. */
typedef struct Arrays
{
	OtBuffer	ids;
	OtBuffer	ops;
	OtBuffer	pauses;
} Arrays;

/* ---- batches ---- */

static void
append(OtBuffer *out, const void *bytes, size_t size)
{
	if (ot_buffer_append(out, bytes, size) != OT_OK)
		die("out of memory");
}

/* One more element of an array. */
static void
append_element(OtBuffer *array, const char *text, size_t size)
{
	append(array, array->size == 0 ? "{\"" : ",\"", 2);
	for (size_t i = 0; i < size; i++)
	{
		if (text[i] == '"' || text[i] == '\\')
			append(array, "\\", 1);
		append(array, text + i, 1);
	}
	append(array, "\"", 1);
}

/* End an array; its text. */
static const char *
finish_array(OtBuffer *array)
{
	append(array, "}", 2);
	return (const char *) array->data;
}

/* A number between 0 and 1, the same ones in every run. */
static double
draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*state >> 11) / (double) (UINT64_C(1) << 53);
}

/* How long somebody types nothing: mostly about PAUSE_US, now and then much longer. */
static int64_t
draw_pause(uint64_t *state)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += draw(state);
	return (int64_t) (PAUSE_US * exp(0.6 * sum) +
					  (draw(state) < 0.005 ? PAUSE_US * 1000 * draw(state) : 0));
}

/* Some edits as arrays. */
static void
fill_arrays(Arrays *arrays, const Trace *trace, size_t at, size_t count,
			const IdSession *ids, uint64_t *random)
{
	OtBuffer	json;

	ot_buffer_reset(&arrays->ids);
	ot_buffer_reset(&arrays->ops);
	ot_buffer_reset(&arrays->pauses);
	ot_buffer_init(&json, &ot_libc_allocator, 0);
	for (size_t i = at; i < at + count; i++)
	{
		char		text[ID_SIZE];

		if (ids == NULL)
			ids_random(text);
		else
			ids_format(ids, i, text);
		append_element(&arrays->ids, text, strlen(text));
		ot_buffer_reset(&json);
		if (ot_to_json(ot_buffer_op(&trace->edits[i].op), &json) != OT_OK)
			die("out of memory");
		append_element(&arrays->ops, (const char *) json.data, json.size);
		snprintf(text, sizeof(text), "%lld", (long long) draw_pause(random));
		append_element(&arrays->pauses, text, strlen(text));
	}
	ot_buffer_free(&json);
}

/* Type some edits. */
static void
type_batch(PGconn *conn, const char *document, Arrays *arrays, size_t base, size_t count)
{
	char		text[24];
	const char *values[] = {document, text, finish_array(&arrays->ids),
	finish_array(&arrays->ops), finish_array(&arrays->pauses)};
	PGresult   *result;

	snprintf(text, sizeof(text), "%zu", base);
	result = PQexecPrepared(conn, "type", 5, values, NULL, NULL, 0);
	pg_check(conn, result, type_statement);
	if (strtoull(PQgetvalue(result, 0, 0), NULL, 10) != base + count)
		die("edit %zu became version %s", base + count, PQgetvalue(result, 0, 0));
	PQclear(result);
}

/* ---- looking after it ---- */

/* How many dead rows of converge.ops bring autovacuum. */
static double
vacuum_threshold(PGconn *conn)
{
	return pg_number(conn, "SELECT option_value::int FROM pg_class, pg_options_to_table(reloptions)"
					 " WHERE oid = 'converge.ops'::regclass AND option_name = 'autovacuum_vacuum_threshold'",
					 NULL);
}

/* What the maintenance worker, and now and then autovacuum, would do at this time. */
static void
maintain(PGconn *conn, const char *document, Typing *typing, double threshold, double *vacuumed)
{
	int64_t		started = now_us();
	double		ms;
	double		packed;

	pg_run(conn, "CALL converge.maintain()");
	ms = (double) (now_us() - started) / 1000;
	typing->maintenance_seconds += ms / 1000;
	if (ms > typing->longest_call_ms)
		typing->longest_call_ms = ms;
	packed = pg_number(conn, "SELECT packed_version FROM converge.heads WHERE doc_id = $1", document, NULL);
	if (packed - *vacuumed <= threshold)
		return;
	typing_vacuum(conn);
	*vacuumed = packed;
}

void
typing_vacuum(PGconn *conn)
{
	pg_run(conn, "VACUUM converge.documents, converge.heads, converge.members, converge.ops,"
		   " converge.packs, converge.snapshots, converge.undos");
}

double
typing_bytes(PGconn *conn)
{
	return pg_number(conn, "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
					 " WHERE relnamespace = 'converge'::regnamespace AND relkind IN ('r', 'S')", NULL);
}

/* ---- all of it ---- */

char	   *
typing_run(PGconn *conn, const Trace *trace, Typing *typing)
{
	Arrays		arrays;
	IdSession	ids;
	uint64_t	random = 1;
	double		threshold = vacuum_threshold(conn);
	double		vacuumed = 0;
	char	   *document = pg_value(conn, "SELECT converge.create_document('', $1)",
									trace->start, NULL);

	ids_start(&ids);
	ot_buffer_init(&arrays.ids, &ot_libc_allocator, 0);
	ot_buffer_init(&arrays.ops, &ot_libc_allocator, 0);
	ot_buffer_init(&arrays.pauses, &ot_libc_allocator, 0);
	pg_run(conn, type_function);
	pg_run(conn, "SET synchronous_commit = off");
	pg_prepare(conn, "type", type_statement);
	for (size_t at = 0; at < trace->count; at += BATCH)
	{
		size_t		count = trace->count - at < BATCH ? trace->count - at : BATCH;

		fill_arrays(&arrays, trace, at, count, typing->random_ids ? NULL : &ids, &random);
		type_batch(conn, document, &arrays, at, count);
		if (typing->maintained && (at + count) % MAINTAIN_EVERY == 0)
			maintain(conn, document, typing, threshold, &vacuumed);
	}
	pg_run(conn, "RESET synchronous_commit; DEALLOCATE type");
	ot_buffer_free(&arrays.ids);
	ot_buffer_free(&arrays.ops);
	ot_buffer_free(&arrays.pauses);
	return document;
}
