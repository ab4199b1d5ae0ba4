/*
 * history.c
 *		What history.h promises.
 *
 * A concurrent trace is put in order as it stands: for each author there is a
 * queue of ops of the other that he did not know yet, carried over his own since
 * then.  An op of his is carried over that queue, and the queue over it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common.h"
#include "history.h"

/* Ops of the other that an author does not know. */
typedef struct Queue
{
	OtBuffer   *ops;
	size_t		first;
	size_t		count;			/* with those before the first */
	size_t		capacity;
} Queue;

static const char *const names[TRACE_MAX_AUTHORS] = {"ann", "ben"};

/* What a submitted_hash is in the tests: FNV-1a. */
int32_t
history_hash(OtOp op)
{
	uint32_t	hash = 2166136261u;

	for (size_t i = 0; i < op.size; i++)
		hash = (hash ^ op.data[i]) * 16777619u;
	return (int32_t) hash;
}

static void
must(OtStatus status)
{
	if (status != OT_OK)
		die("%s", status_name(status));
}

/* ---- one order for all ---- */

static void
enqueue(Queue *queue, OtOp op)
{
	if (queue->count == queue->capacity)
	{
		queue->capacity = queue->capacity * 2 + 64;
		queue->ops = xrealloc(queue->ops, queue->capacity * sizeof(OtBuffer));
	}
	ot_buffer_init(&queue->ops[queue->count], &ot_libc_allocator, 0);
	must(ot_buffer_append(&queue->ops[queue->count++], op.data, op.size));
}

/* Carry an op over what its author did not know, and that over the op. */
static void
carry(Queue *queue, OtBuffer *op)
{
	for (size_t i = queue->first; i < queue->count; i++)
	{
		OtBuffer	ours;
		OtBuffer	theirs;

		ot_buffer_init(&ours, &ot_libc_allocator, 0);
		ot_buffer_init(&theirs, &ot_libc_allocator, 0);
		must(ot_transform(ot_buffer_op(op), ot_buffer_op(&queue->ops[i]), OT_LEFT, &ours));
		must(ot_transform(ot_buffer_op(&queue->ops[i]), ot_buffer_op(op), OT_RIGHT, &theirs));
		ot_buffer_free(op);
		ot_buffer_free(&queue->ops[i]);
		*op = ours;
		queue->ops[i] = theirs;
	}
}

/* Put the edits of two authors in order. */
static void
merge(History *history)
{
	Trace	   *trace = &history->trace;
	Queue		unknown[TRACE_MAX_AUTHORS] = {{0}};

	history->carried = xcalloc(history->count + 1, sizeof(OtBuffer));
	for (size_t i = 0; i < history->count; i++)
	{
		TraceEdit  *edit = &trace->edits[i];
		OtBuffer   *op = &history->carried[i];
		Queue	   *queue = &unknown[edit->author];

		/* Everything of the other's is queued: what he knows of is its head. */
		while (queue->first < edit->knows[1 - edit->author])
			ot_buffer_free(&queue->ops[queue->first++]);
		ot_buffer_init(op, &ot_libc_allocator, 0);
		must(ot_buffer_append(op, edit->op.data, edit->op.size));
		carry(queue, op);
		enqueue(&unknown[1 - edit->author], ot_buffer_op(op));
		history->ops[i].op = ot_buffer_op(op);
		history->ops[i].base_version -= (int64_t) (queue->count - queue->first);
	}
	for (int i = 0; i < TRACE_MAX_AUTHORS; i++)
	{
		while (unknown[i].first < unknown[i].count)
			ot_buffer_free(&unknown[i].ops[unknown[i].first++]);
		free(unknown[i].ops);
	}
}

/* ---- what a trace does not tell ---- */

/* A version 8 id: ten bytes of its author, and the number of his op. */
static void
make_id(uint8_t *id, int author, uint64_t number)
{
	Random		random = {(uint64_t) author + 1};

	for (int i = 0; i < 10; i++)
		id[i] = (uint8_t) random_next(&random);
	for (int i = 15; i >= 10; i--, number >>= 8)
		id[i] = (uint8_t) number;
	id[6] = (uint8_t) (0x80 | (id[6] & 0x0f));
	id[8] = (uint8_t) (0x80 | (id[8] & 0x3f));
}

/* A pause between two ops: mostly about `middle`, sometimes long. */
static int64_t
pause_us(Random *random, int64_t middle)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += random_below(random, 1 << 30) / (double) (1 << 30);
	return (int64_t) ((double) middle * exp(0.6 * sum)) +
		(random_below(random, 200) == 0 ? middle * random_below(random, 1000) : 0);
}

/* Make up the columns of an op. */
static void
fill(History *history, size_t i, const HistoryStyle *style, Random *random, size_t *done)
{
	PackOp	   *op = &history->ops[i];
	int			author = history->trace.edits[i].author;

	op->version = (int64_t) i + 1;
	op->seq = 1000 + (int64_t) i;
	op->base_version = op->version - 1;
	op->created_at = i == 0 ? INT64_C(823456789012345) : op[-1].created_at;
	op->created_at += pause_us(random, style->gap_us);
	op->user_id = names[author];
	op->user_len = (int) strlen(names[author]);
	op->op = ot_buffer_op(&history->trace.edits[i].op);
	make_id(op->op_id, author, ++done[author]);
	if (style->random_ids)
		for (int at = 0; at < 16; at++)
			op->op_id[at] = (uint8_t) random_next(random);
}

/* Read a trace. */
void
history_load(History *history, const char *path, const HistoryStyle *style)
{
	Random		random = {1};
	size_t		done[TRACE_MAX_AUTHORS] = {0};

	memset(history, 0, sizeof(*history));
	trace_load(&history->trace, path);
	history->count = history->trace.count;
	history->ops = xcalloc(history->count + 1, sizeof(PackOp));
	for (size_t i = 0; i < history->count; i++)
		fill(history, i, style, &random, done);
	/* What was submitted is the op before it was carried. */
	for (size_t i = 0; i < history->count; i++)
		history->ops[i].submitted_hash = history_hash(history->ops[i].op);
	if (history->trace.concurrent)
		merge(history);
}

/* Give the memory back. */
void
history_free(History *history)
{
	if (history->carried != NULL)
		for (size_t i = 0; i < history->count; i++)
			ot_buffer_free(&history->carried[i]);
	free(history->carried);
	free(history->ops);
	trace_free(&history->trace);
}
