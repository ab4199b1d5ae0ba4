/*
 * past/spans.h
 *		The authors of a text: the runs of a document, each with the version that
 *		inserted it.
 *
 * It follows a document's ops without its text.  Lengths are code points
 * ("cp"); memory is proportional to the number of runs.
 */
#ifndef CONVERGE_SPANS_H
#define CONVERGE_SPANS_H

#include "../ot/ot.h"

/* The author of what was there before the first op. */
#define SPANS_NOBODY	(-1)

typedef struct Span
{
	int64_t		length;			/* cp */
	int64_t		version;
	int64_t		at;				/* as given to spans_apply() */
	int32_t		user;			/* the caller's number */
	int32_t		first;			/* cp its op inserted before it, in all its inserts */
} Span;

typedef struct Spans Spans;

/* The runs of an empty document. */
extern OtStatus spans_create(const OtAllocator *allocator, Spans **spans);

/*
 * Let the document, empty until now, begin with `length` cp of version 0, by
 * SPANS_NOBODY, at 0.
 */
extern OtStatus spans_init_run(Spans *spans, int64_t length);

/*
 * Follow an op: what it inserts is of this version, by this user.
 * OT_OUT_OF_RANGE leaves all as it was; after any other error the spans may
 * only be freed.
 */
extern OtStatus spans_apply(Spans *spans, OtOp op, int64_t version, int32_t user, int64_t at);

/*
 * Called for each run of a passage, from left to right: `span` is cut to the passage.
 */
typedef void (*SpansVisit) (void *ctx, const Span *span);

/* Visit the runs of a passage, which is in the document. */
extern void spans_visit(const Spans *spans, int64_t pos, int64_t length, SpansVisit visit, void *ctx);

/* The length of the document in cp. */
extern int64_t spans_length(const Spans *spans);
extern void spans_free(Spans *spans);

/* A place between two runs; nothing may be applied while one is in use. */
typedef struct SpansReader
{
	const Spans *spans;
	size_t		group;			/* private from here on */
	int			chunk;
	size_t		at;
} SpansReader;

extern void spans_reader_init(SpansReader *reader, const Spans *spans);

/* The next run, neighbours of one version as one; false at the end. */
extern bool spans_reader_next(SpansReader *reader, Span *span);

#endif							/* CONVERGE_SPANS_H */
