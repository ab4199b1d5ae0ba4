/*
 * lib/trace.c
 *		An editing trace read into ops.
 */
#include "lib/trace.h"

#include "lib/common.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What reading keeps beside the trace itself. */
typedef struct Reading
{
	const char *path;
	Trace	   *trace;
	size_t		capacity;
	size_t		done[TRACE_MAX_AUTHORS];	/* edits read so far, by author */
	size_t		(*known)[TRACE_MAX_AUTHORS];	/* by transaction: it and all
												 * before it */
} Reading;

/* The whole file, unzipped, with a zero at its end. */
static char *
read_file(const char *path, size_t *size)
{
	gzFile		file = gzopen(path, "rb");
	size_t		capacity = 1 << 20;
	char	   *text = xrealloc(NULL, capacity);
	int			got;

	if (file == NULL)
		die("cannot open %s", path);
	*size = 0;
	while ((got = gzread(file, text + *size, (unsigned) (capacity - *size - 1))) > 0)
	{
		*size += (size_t) got;
		if (*size + 1 == capacity)
			text = xrealloc(text, capacity *= 2);
	}
	if (got < 0)
		die("cannot unzip %s", path);
	gzclose(file);
	text[*size] = '\0';
	return text;
}

/* One patch, [position, deleted, inserted], as an op. */
static void
read_patch(const char *path, json_t *patch, OtBuffer *op)
{
	json_t	   *inserted = json_array_get(patch, 2);
	const char *text = json_string_value(inserted);
	size_t		size = json_string_length(inserted);
	int64_t		length;
	OtBuilder	builder;

	if (text == NULL || ot_utf8_check(text, size, &length) != OT_OK)
		die("%s: a patch that is none", path);
	ot_buffer_init(op, &ot_libc_allocator, 0);
	ot_builder_init(&builder, op);
	ot_builder_retain(&builder, json_integer_value(json_array_get(patch, 0)));
	ot_builder_delete(&builder, json_integer_value(json_array_get(patch, 1)));
	ot_builder_insert(&builder, text, size, length);
	if (ot_builder_finish(&builder) != OT_OK)
		die("%s: a patch that is no operation", path);
}

/* A place for one more edit. */
static TraceEdit *
add_edit(Reading *reading)
{
	Trace	   *trace = reading->trace;

	if (trace->count == reading->capacity)
	{
		reading->capacity = reading->capacity > 0 ? reading->capacity * 2 : 4096;
		trace->edits = xrealloc(trace->edits, reading->capacity * sizeof(TraceEdit));
	}
	memset(&trace->edits[trace->count], 0, sizeof(TraceEdit));
	return &trace->edits[trace->count++];
}

/* What the merge of a transaction's parents knows. */
static void
merge_parents(Reading *reading, json_t *txn, size_t index, size_t *knows)
{
	size_t		i;
	json_t	   *parent;

	json_array_foreach(json_object_get(txn, "parents"), i, parent)
	{
		size_t		at = (size_t) json_integer_value(parent);

		if (at >= index)
			die("%s: transaction %zu has a parent that comes later", reading->path, index);
		for (int author = 0; author < TRACE_MAX_AUTHORS; author++)
		{
			if (reading->known[at][author] > knows[author])
				knows[author] = reading->known[at][author];
		}
	}
}

/* One transaction: its patches become edits. */
static void
read_transaction(Reading *reading, json_t *txn, size_t index)
{
	Trace	   *trace = reading->trace;
	int			author = (int) json_integer_value(json_object_get(txn, "agent"));
	size_t	   *known = reading->known[index];
	size_t		i;
	json_t	   *patch;

	if (author < 0 || author >= trace->authors)
		die("%s: transaction %zu is nobody's", reading->path, index);
	if (trace->concurrent)
		merge_parents(reading, txn, index, known);
	else
		known[author] = reading->done[author];
	if (known[author] != reading->done[author])
		die("%s: transaction %zu does not know its author's earlier ones",
			reading->path, index);
	json_array_foreach(json_object_get(txn, "patches"), i, patch)
	{
		TraceEdit  *edit = add_edit(reading);

		edit->author = author;
		memcpy(edit->knows, known, sizeof(edit->knows));
		read_patch(reading->path, patch, &edit->op);
		known[author] = ++reading->done[author];
	}
}

/* A string of the trace; empty where it is not there. */
static char *
read_string(json_t *root, const char *key)
{
	const char *text = json_string_value(json_object_get(root, key));

	return xstrdup(text != NULL ? text : "");
}

void
trace_load(Trace *trace, const char *path)
{
	Reading		reading = {.path = path,.trace = trace};
	json_error_t error;
	size_t		size;
	char	   *text = read_file(path, &size);
	json_t	   *root = json_loadb(text, size, 0, &error);
	json_t	   *txns = json_object_get(root, "txns");
	size_t		i;
	json_t	   *txn;

	if (!json_is_array(txns))
		die("%s is no trace: %s", path, root == NULL ? error.text : "no txns");
	memset(trace, 0, sizeof(*trace));
	trace->concurrent = json_is_string(json_object_get(root, "kind"));
	trace->authors = trace->concurrent ?
		(int) json_integer_value(json_object_get(root, "numAgents")) : 1;
	if (trace->authors < 1 || trace->authors > TRACE_MAX_AUTHORS)
		die("%s has %d authors; at most %d are understood", path, trace->authors,
			TRACE_MAX_AUTHORS);
	trace->start = read_string(root, "startContent");
	trace->end = read_string(root, "endContent");
	reading.known = xcalloc(json_array_size(txns), sizeof(*reading.known));
	json_array_foreach(txns, i, txn)
		read_transaction(&reading, txn, i);
	free(reading.known);
	json_decref(root);
	free(text);
}

void
trace_free(Trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		ot_buffer_free(&trace->edits[i].op);
	free(trace->edits);
	free(trace->start);
	free(trace->end);
	memset(trace, 0, sizeof(*trace));
}
