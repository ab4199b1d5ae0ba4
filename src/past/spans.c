/*
 * past/spans.c
 *		The authors of a text: the runs of a document.
 *
 * The bytes of a chunk are an array of runs; no run is empty.  Every run that the
 * current op inserts has its version, so adjacent runs of one version belong to
 * one op, and may be returned as one.
 */
#include <string.h>

#include "chunks.h"
#include "spans.h"

#define CHUNK_RUNS	((int) (CHUNK_BYTES / sizeof(Span)))

struct Spans
{
	const OtAllocator *allocator;
	ChunkList	chunks;
};

/* ---- the runs of a chunk ---- */

static Span *
runs_of(const Chunk *chunk)
{
	/* Chunks are allocated, and so aligned for anything. */
	return (Span *) (void *) chunk->data;
}

static int
count_of(const Chunk *chunk)
{
	return (int) (chunk->size / sizeof(Span));
}

/*
 * The run that `*offset` cp of a chunk reach into, and how far.  Between two
 * runs it is the beginning of the right one.
 */
static int
find_run(const Chunk *chunk, int64_t *offset)
{
	const Span *runs = runs_of(chunk);
	int			count = count_of(chunk);
	int			at = 0;

	while (at < count && runs[at].length <= *offset)
		*offset -= runs[at++].length;
	return at;
}

/* Replace `removed` runs of a chunk by `count` others; `length` cp are added by it. */
static void
splice(ChunkList *list, const ChunkPlace *place, int at, int removed,
	   const Span *runs, int count, int64_t length)
{
	chunks_splice(list, place, (size_t) at * sizeof(Span), (size_t) removed * sizeof(Span),
				  runs, (size_t) count * sizeof(Span), length);
}

/* Halve the chunk at a position unless it has room for two more runs. */
static OtStatus
make_room(ChunkList *list, int64_t pos, bool forward, ChunkPlace *place)
{
	const Chunk *chunk = chunks_at(list, place);
	int			half = count_of(chunk) / 2;
	int64_t		length = 0;
	OtStatus	status;

	if (count_of(chunk) + 2 <= CHUNK_RUNS)
		return OT_OK;
	/* Who types at its end goes on behind it, and leaves it full. */
	if (place->offset == chunk->length)
		return chunks_go_on(list, place, sizeof(Span));
	for (int i = 0; i < half; i++)
		length += runs_of(chunk)[i].length;
	status = chunks_split(list, place, (size_t) half * sizeof(Span), length);
	chunks_locate(list, pos, forward, place);
	return status;
}

/* ---- editing ---- */

static OtStatus
insert(ChunkList *list, int64_t pos, const Span *run)
{
	ChunkPlace	place;
	Span		runs[3];
	int64_t		offset;
	int			at;
	OtStatus	status;

	chunks_locate(list, pos, false, &place);
	status = make_room(list, pos, false, &place);
	if (status != OT_OK)
		return status;
	offset = place.offset;
	at = find_run(chunks_at(list, &place), &offset);
	if (offset == 0)
	{
		splice(list, &place, at, 0, run, 1, run->length);
		return OT_OK;
	}
	runs[0] = runs[2] = runs_of(chunks_at(list, &place))[at];
	runs[0].length = offset;
	runs[1] = *run;
	runs[2].length -= offset;
	runs[2].first += (int32_t) offset;
	splice(list, &place, at, 1, runs, 3, run->length);
	return OT_OK;
}

/* Take up to `length` cp at a place out of its chunk; returns how many. */
static int64_t
remove_here(ChunkList *list, const ChunkPlace *place, int64_t length)
{
	const Chunk *chunk = chunks_at(list, place);
	const Span *runs = runs_of(chunk);
	int64_t		from = place->offset;
	int64_t		to;
	int			first = find_run(chunk, &from);
	int			last = first;
	Span		left[2];
	int			count = 0;

	if (length > chunk->length - place->offset)
		length = chunk->length - place->offset;
	/* What stays of the run that it begins in, and of that it ends in. */
	if (from > 0)
	{
		left[count] = runs[first];
		left[count++].length = from;
	}
	for (to = from + length; to > 0 && to >= runs[last].length; last++)
		to -= runs[last].length;
	if (to > 0)
	{
		left[count] = runs[last];
		left[count].first += (int32_t) to;
		left[count++].length = runs[last].length - to;
		last++;
	}
	splice(list, place, first, last - first, left, count, -length);
	chunks_tidy(list, place);
	return length;
}

static OtStatus
delete(ChunkList *list, int64_t pos, int64_t length)
{
	ChunkPlace	place;
	OtStatus	status = OT_OK;

	while (status == OT_OK && length > 0)
	{
		chunks_locate(list, pos, true, &place);
		status = make_room(list, pos, true, &place);
		if (status == OT_OK)
			length -= remove_here(list, &place, length);
	}
	return status;
}

/* ---- the spans ---- */

/* The runs of an empty document. */
OtStatus
spans_create(const OtAllocator *allocator, Spans **spans)
{
	Spans	   *made = allocator->resize(allocator->ctx, NULL, sizeof(Spans));
	OtStatus	status;

	*spans = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	made->allocator = allocator;
	status = chunks_init(&made->chunks, allocator);
	if (status == OT_OK)
		*spans = made;
	else
		allocator->release(allocator->ctx, made);
	return status;
}

/* Let the document begin with `length` cp by unknown authors. */
OtStatus
spans_init_run(Spans *spans, int64_t length)
{
	Span		run = {length, 0, 0, SPANS_NOBODY, 0};

	if (length < 0 || length > OT_MAX_LENGTH)
		return OT_TOO_LARGE;
	return length == 0 ? OT_OK : insert(&spans->chunks, 0, &run);
}

/* Follow an op: what it inserts is of this version, by this user. */
OtStatus
spans_apply(Spans *spans, OtOp op, int64_t version, int32_t user, int64_t at)
{
	Span		run = {0, version, at, user, 0};
	OtMeasure	measure;
	OtReader	reader;
	OtComponent component;
	int64_t		pos = 0;
	OtStatus	status = OT_OK;

	ot_measure(op, &measure);
	if (measure.base_length > spans->chunks.length)
		return OT_OUT_OF_RANGE;
	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		run.length = component.length;
		if (component.kind == OT_DELETE)
			status = delete(&spans->chunks, pos, component.length);
		else if (component.kind == OT_INSERT)
		{
			status = insert(&spans->chunks, pos, &run);
			run.first += (int32_t) component.length;
		}
		if (component.kind != OT_DELETE)
			pos += component.length;
	}
	return status;
}

/* Visit the runs of a passage. */
void
spans_visit(const Spans *spans, int64_t pos, int64_t length, SpansVisit visit, void *ctx)
{
	const ChunkList *list = &spans->chunks;
	ChunkPlace	place;

	if (length == 0)
		return;
	chunks_locate(list, pos, true, &place);
	do
	{
		const Chunk *chunk = chunks_at(list, &place);
		int64_t		offset = place.offset;

		for (int at = find_run(chunk, &offset); at < count_of(chunk) && length > 0; at++)
		{
			Span		part = runs_of(chunk)[at];

			part.first += (int32_t) offset;
			part.length -= offset;
			if (part.length > length)
				part.length = length;
			length -= part.length;
			offset = 0;
			visit(ctx, &part);
		}
	}
	while (length > 0 && chunks_next(list, &place));
}

/* The length of the document in cp. */
int64_t
spans_length(const Spans *spans)
{
	return spans->chunks.length;
}

/* Give the memory back. */
void
spans_free(Spans *spans)
{
	if (spans == NULL)
		return;
	chunks_free(&spans->chunks);
	spans->allocator->release(spans->allocator->ctx, spans);
}

/* ---- reading ---- */

/* Begin before the first run. */
void
spans_reader_init(SpansReader *reader, const Spans *spans)
{
	reader->spans = spans;
	reader->group = 0;
	reader->chunk = 0;
	reader->at = 0;
}

/* The run here, in whatever chunk it is; NULL at the end. */
static const Span *
peek(SpansReader *reader)
{
	const ChunkList *list = &reader->spans->chunks;
	ChunkPlace	place = {reader->group, reader->chunk, 0};

	if (reader->at == (size_t) count_of(chunks_at(list, &place)))
	{
		if (!chunks_next(list, &place))
			return NULL;
		reader->group = place.group;
		reader->chunk = place.chunk;
		reader->at = 0;
	}
	return &runs_of(chunks_at(list, &place))[reader->at];
}

/* The next run, neighbours of one version as one; false at the end. */
bool
spans_reader_next(SpansReader *reader, Span *span)
{
	const Span *run = peek(reader);

	if (run == NULL)
		return false;
	*span = *run;
	reader->at++;
	while ((run = peek(reader)) != NULL && run->version == span->version)
	{
		span->length += run->length;
		reader->at++;
	}
	return true;
}
