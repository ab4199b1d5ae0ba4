/*
 * traces.c
 *		Real editing histories, packed, read back and replayed.
 *
 *		traces [--rates] trace.json.gz...
 *
 * A trace that is not there is skipped.  With --rates it also tells how many
 * bytes an op each column takes, and how long things took; that says something
 * of a program built without sanitizers, on an idle machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/common.h"
#include "../../src/past/rope.h"
#include "../../src/past/spans.h"
#include "history.h"
#include "packs.h"

/* Ops of a pack. */
static int	pack_ops = 16384;

static bool rates;
static int64_t started;

static void
must(OtStatus status, const char *what)
{
	if (status != OT_OK)
		die("%s: %s", what, status_name(status));
}

/* ---- packing ---- */

typedef struct Packing
{
	PackWriter *writer;
	size_t		packs;
	size_t		bytes;
	int64_t		add_us;
	int64_t		finish_us;
	int64_t		slowest_us;		/* finish */
	int64_t		read_us;
	size_t		sizes[64];		/* by column: before ... */
	size_t		packed[64];		/* ... and after compression */
	OtBuffer	out;
} Packing;

/* Read a pack back; false when an op differs. */
static bool
read_back(Packing *packing, const PackOp *ops, size_t count)
{
	PackReader *reader;
	PackOp		op;
	bool		found;
	size_t		i = 0;

	started = now_us();
	must(pack_reader_open(&ot_libc_allocator, history_hash, packing->out.data,
						  packing->out.size, &reader), "open");
	for (;; i++)
	{
		must(pack_reader_next(reader, &op, &found), "next");
		if (!found)
			break;
		if (i == count || !ops_same(&op, &ops[i]))
		{
			printf("# op %zu of a pack is another\n", i);
			break;
		}
	}
	pack_reader_free(reader);
	packing->read_us += now_us() - started;
	return i == count;
}

/* Make one pack and read it back. */
static bool
pack(Packing *packing, const PackOp *ops, size_t count)
{
	const PackColumn *columns;
	int			n;

	started = now_us();
	for (size_t i = 0; i < count; i++)
		must(pack_writer_add(packing->writer, &ops[i]), "add");
	packing->add_us += now_us() - started;
	ot_buffer_reset(&packing->out);
	started = now_us();
	must(pack_writer_finish(packing->writer, &packing->out), "finish");
	started = now_us() - started;
	packing->finish_us += started;
	if (packing->slowest_us < started)
		packing->slowest_us = started;
	packing->packs++;
	packing->bytes += packing->out.size;
	n = pack_writer_columns(packing->writer, &columns);
	for (int i = 0; i < n; i++)
	{
		packing->sizes[i] += columns[i].size;
		packing->packed[i] += columns[i].packed;
	}
	return read_back(packing, ops, count);
}

static void
tell(const Packing *packing, double count)
{
	const PackColumn *columns;
	int			n = pack_writer_columns(packing->writer, &columns);

	printf("# %.3f bytes an op in %zu packs of %d\n",
		   (double) packing->bytes / count, packing->packs, pack_ops);
	for (int i = 0; i < n; i++)
		if (packing->sizes[i] > 0)
			printf("#   %-12s %7.3f -> %.3f\n", columns[i].name,
				   (double) packing->sizes[i] / count, (double) packing->packed[i] / count);
	printf("# add %.0f ns an op, read %.0f ns an op, finish %.1f ms a pack, at most %.1f\n",
		   (double) packing->add_us * 1000 / count, (double) packing->read_us * 1000 / count,
		   (double) packing->finish_us / 1000 / (double) packing->packs,
		   (double) packing->slowest_us / 1000);
}

static bool
packs_losslessly(const History *history)
{
	Packing		packing = {0};
	bool		passed = true;

	must(pack_writer_create(&ot_libc_allocator, history_hash, &packing.writer), "create");
	ot_buffer_init(&packing.out, &ot_libc_allocator, 0);
	for (size_t at = 0; at < history->count && passed; at += (size_t) pack_ops)
	{
		size_t		left = history->count - at;

		passed = pack(&packing, history->ops + at,
					  left < (size_t) pack_ops ? left : (size_t) pack_ops);
	}
	if (rates)
		tell(&packing, (double) history->count);
	pack_writer_free(packing.writer);
	ot_buffer_free(&packing.out);
	return passed;
}

/* ---- replaying ---- */

/* Counts what it is told of. */
static OtStatus
visit(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *text, size_t size)
{
	int64_t    *changed = ctx;

	(void) pos;
	(void) text;
	(void) size;
	*changed += kind == OT_DELETE ? -length : length;
	return OT_OK;
}

static bool
replays(const History *history, const char *start, const char *end)
{
	Rope	   *rope;
	OtBuffer	text;
	int64_t		before;
	int64_t		changed = 0;
	bool		passed;

	must(rope_create(&ot_libc_allocator, start, strlen(start), &rope), "rope");
	before = rope_length(rope);
	started = now_us();
	for (size_t i = 0; i < history->count; i++)
		must(rope_apply(rope, history->ops[i].op, visit, &changed), "apply");
	if (rates)
		printf("# rope: %.0f ns an op\n",
			   (double) (now_us() - started) * 1000 / (double) history->count);
	ot_buffer_init(&text, &ot_libc_allocator, 0);
	must(rope_text(rope, &text), "text");
	passed = text.size == strlen(end) && memcmp(text.data, end, text.size) == 0 &&
		changed == rope_length(rope) - before;
	ot_buffer_free(&text);
	rope_free(rope);
	return passed;
}

static bool
knows_who(const History *history, const char *start, const char *end)
{
	Spans	   *spans;
	SpansReader reader;
	Span		span;
	int64_t		length = 0;
	int64_t		runs = 0;

	must(spans_create(&ot_libc_allocator, &spans), "spans");
	must(spans_init_run(spans, ot_utf8_length(start, strlen(start))), "spans");
	started = now_us();
	for (size_t i = 0; i < history->count; i++)
		must(spans_apply(spans, history->ops[i].op, history->ops[i].version,
						 history->trace.edits[i].author, history->ops[i].created_at), "spans");
	if (rates)
		printf("# spans: %.0f ns an op\n",
			   (double) (now_us() - started) * 1000 / (double) history->count);
	spans_reader_init(&reader, spans);
	for (; spans_reader_next(&reader, &span); runs++)
		length += span.length;
	if (rates)
		printf("# %lld runs\n", (long long) runs);
	spans_free(spans);
	return length == ot_utf8_length(end, strlen(end));
}

/* ---- all of them ---- */

static int	tests;
static int	failed;

static void
told(bool passed, const char *path, const char *what)
{
	failed += !passed;
	printf("%sok %d - %s: %s\n", passed ? "" : "not ", ++tests, path, what);
}

static void
run(const char *path)
{
	static const HistoryStyle typed = {false, 150000};
	static const HistoryStyle machine = {true, 200};
	History		history;

	if (access(path, R_OK) != 0)
	{
		printf("ok %d # SKIP %s is not there\n", ++tests, path);
		return;
	}
	history_load(&history, path, &typed);
	told(packs_losslessly(&history), path, "typed by people, packs and reads back");
	told(replays(&history, history.trace.start, history.trace.end), path, "replays");
	told(knows_who(&history, history.trace.start, history.trace.end), path, "blames");
	history_free(&history);
	history_load(&history, path, &machine);
	told(packs_losslessly(&history), path, "by a machine, with random ids");
	history_free(&history);
}

/* A keystroke anywhere in a document of 10 MB. */
static void
tell_large(void)
{
	enum
	{
		SIZE = 10 << 20, KEYSTROKES = 200000
	};
	char	   *text = xcalloc(1, SIZE);
	Random		random = {1};
	Rope	   *rope;
	Spans	   *spans;
	OtBuffer	op;
	OtBuilder	builder;
	int64_t		spans_us = 0;
	int64_t		rope_us = 0;

	memset(text, 'a', SIZE);
	for (int i = 0; i < SIZE; i += 100)
		memcpy(text + i, "\xc3\xa9", 2);
	must(rope_create(&ot_libc_allocator, text, SIZE, &rope), "rope");
	must(spans_create(&ot_libc_allocator, &spans), "spans");
	must(spans_init_run(spans, rope_length(rope)), "spans");
	ot_buffer_init(&op, &ot_libc_allocator, 0);
	for (int i = 0; i < KEYSTROKES; i++)
	{
		ot_buffer_reset(&op);
		ot_builder_init(&builder, &op);
		ot_builder_retain(&builder, random_below(&random, (int) rope_length(rope)));
		ot_builder_insert(&builder, "x", 1, 1);
		must(ot_builder_finish(&builder), "op");
		started = now_us();
		must(rope_apply(rope, ot_buffer_op(&op), NULL, NULL), "rope");
		rope_us += now_us() - started;
		started = now_us();
		must(spans_apply(spans, ot_buffer_op(&op), i + 1, 0, 0), "spans");
		spans_us += now_us() - started;
	}
	printf("# a keystroke anywhere in 10 MB: rope %.0f ns, spans %.0f ns\n",
		   (double) rope_us * 1000 / KEYSTROKES, (double) spans_us * 1000 / KEYSTROKES);
	ot_buffer_free(&op);
	rope_free(rope);
	spans_free(spans);
	free(text);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--rates") == 0)
			rates = true;
		else if (strncmp(argv[i], "--ops=", 6) == 0)
			pack_ops = atoi(argv[i] + 6);
		else
			run(argv[i]);
	}
	if (rates)
		tell_large();
	printf("1..%d\n", tests);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
