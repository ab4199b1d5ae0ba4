/*
 * ot/ot.h
 *		The algebra of text operations: the whole public face of the OT core.
 *
 * Pure C11 on libc alone: no PostgreSQL header, no I/O, no log.  Every function
 * that can fail returns an OtStatus; memory comes from the caller's allocator.
 *
 * GRAMMAR AND UNITS
 *
 * An operation walks a document of Unicode code points ("cp") from its start:
 *
 *		op        = component*
 *		component = retain n | insert s | delete n			(n in cp, n > 0)
 *
 * What the op does not reach it retains.  Its text form is JSON, the format of
 * the public ot-text-unicode type: [5, "hi", {"d": 3}].
 *
 * NORMAL FORM
 *
 * No empty component, no two neighbours of one kind, no retain at the end; []
 * is the identity.  An insert and a delete side by side keep their order: the
 * two orders are different operations.  Text is valid UTF-8 without U+0000.
 * Every op that leaves the core is in normal form, so that equal operations are
 * equal bytes.
 *
 * PACKED FORM
 *
 * Components one after another, each a header varint (LEB128, little end first,
 * in its shortest form) whose two low bits are the kind and whose upper bits are
 * the length in cp:
 *
 *		0	retain n
 *		1	delete n
 *		2	insert of n ASCII characters, which follow (n bytes)
 *		3	insert of n cp of which at least one is not ASCII: a second varint
 *			holds the bytes of its UTF-8 text less n, then follows the text
 *
 * The algorithms stream from the packed form to the packed form in one pass.
 * Functions that take packed ops trust them; ot_check() earns that trust for
 * bytes from outside.
 */
#ifndef CONVERGE_OT_H
#define CONVERGE_OT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Largest length, in cp, that a single op may address or produce: the sum of
 * its retains and deletes, and the sum of its retains and inserts, each stay at
 * or below it.  It keeps every sum far from overflow; documents are smaller.
 */
#define OT_MAX_LENGTH	((int64_t) 1 << 30)

/* Largest packed op in bytes; stays below PostgreSQL's limit of a datum. */
#define OT_MAX_BYTES	((size_t) 512 << 20)

typedef enum OtStatus
{
	OT_OK = 0,
	OT_NO_MEMORY,				/* the allocator returned NULL */
	OT_TOO_LARGE,				/* over OT_MAX_LENGTH or OT_MAX_BYTES */
	OT_MALFORMED,				/* packed bytes that are no op, or not in
								 * normal form */
	OT_SYNTAX,					/* text that is not the JSON of an op */
	OT_BAD_UTF8,				/* text that is not valid UTF-8 */
	OT_NUL,						/* U+0000 in text */
	OT_SURROGATE,				/* a lone surrogate in text */
	OT_OUT_OF_RANGE				/* the op reaches past the end of its document */
} OtStatus;

/* At a tie between two inserts the left one goes first. */
typedef enum OtSide
{
	OT_LEFT,
	OT_RIGHT
} OtSide;

typedef enum OtKind
{
	OT_RETAIN = 0,
	OT_DELETE = 1,
	OT_INSERT = 2
} OtKind;

/*
 * Where memory comes from.  resize(ctx, NULL, n) allocates, resize(ctx, p, n)
 * resizes, release(ctx, p) frees; resize returns NULL when there is none, or
 * does not return at all (PostgreSQL's palloc).  The core therefore never holds
 * anything that only it could free.
 */
typedef struct OtAllocator
{
	void	   *(*resize) (void *ctx, void *ptr, size_t size);
	void		(*release) (void *ctx, void *ptr);
	void	   *ctx;
} OtAllocator;

/* malloc and free. */
extern const OtAllocator ot_libc_allocator;

/* A packed op somebody else owns. */
typedef struct OtOp
{
	const uint8_t *data;
	size_t		size;
} OtOp;

/*
 * A growable run of bytes.  The first `reserved` bytes are the caller's (a
 * varlena header, a WebSocket frame's headroom); `size` counts them too.
 */
typedef struct OtBuffer
{
	const OtAllocator *allocator;
	uint8_t    *data;
	size_t		size;
	size_t		capacity;
	size_t		reserved;
} OtBuffer;

extern void ot_buffer_init(OtBuffer *buffer, const OtAllocator *allocator, size_t reserved);
extern void ot_buffer_free(OtBuffer *buffer);

/* Forget the contents, keep the memory. */
extern void ot_buffer_reset(OtBuffer *buffer);
extern OtStatus ot_buffer_append(OtBuffer *buffer, const void *bytes, size_t size);

/* The op a buffer holds behind its reserved bytes. */
extern OtOp ot_buffer_op(const OtBuffer *buffer);

/* ---- UTF-8 (utf8.c) ---- */

/* Valid UTF-8 without U+0000, overlong forms, surrogates?  Counts its cp. */
extern OtStatus ot_utf8_check(const char *text, size_t size, int64_t *length_cp);

/* The cp of text known to be valid; word at a time. */
extern int64_t ot_utf8_length(const char *text, size_t size);

/* The bytes of the first `length_cp` cp of valid text, at most `size`. */
extern size_t ot_utf8_offset(const char *text, size_t size, int64_t length_cp);

/* ---- reading and building (op.c) ---- */

typedef struct OtComponent
{
	OtKind		kind;
	int64_t		length;			/* cp */
	const char *text;			/* OT_INSERT only: its UTF-8 ... */
	size_t		text_size;		/* ... and bytes; == length when it is ASCII */
} OtComponent;

typedef struct OtReader
{
	const uint8_t *next;
	const uint8_t *end;
} OtReader;

extern void ot_reader_init(OtReader *reader, OtOp op);

/* The next component; false at the end of the op. */
extern bool ot_reader_next(OtReader *reader, OtComponent *component);

/*
 * The appender: the only way ops are made.  Empty components vanish, equal
 * neighbours merge, a retain at the end is dropped by ot_builder_finish().  The
 * first error sticks and is what finish returns, so that callers may check once.
 * The buffer must be empty but for its reserved bytes.
 */
typedef struct OtBuilder
{
	OtBuffer   *out;
	OtStatus	status;
	OtKind		kind;			/* of the pending component */
	int64_t		length;			/* of the pending component, cp; 0: none */
	size_t		header_at;		/* pending insert: where its header begins ... */
	size_t		text_at;		/* ... and its text, which runs to out->size */
	int64_t		base_length;	/* retained and deleted so far */
	int64_t		result_length;	/* retained and inserted so far */
} OtBuilder;

extern void ot_builder_init(OtBuilder *builder, OtBuffer *out);
extern void ot_builder_retain(OtBuilder *builder, int64_t length);
extern void ot_builder_delete(OtBuilder *builder, int64_t length);

/* Valid UTF-8 of `length` cp in `size` bytes. */
extern void ot_builder_insert(OtBuilder *builder, const char *text, size_t size, int64_t length);
extern OtStatus ot_builder_finish(OtBuilder *builder);

/* Is it the packed form of an op in normal form, within the limits? */
extern OtStatus ot_check(OtOp op);

typedef struct OtMeasure
{
	int64_t		base_length;	/* shortest document it fits, cp */
	int64_t		inserted;		/* cp */
	int64_t		deleted;		/* cp */
	int64_t		components;
} OtMeasure;

extern void ot_measure(OtOp op, OtMeasure *measure);

/* ---- JSON (json.c) ---- */

/*
 * Parse the JSON text form.  What is not in normal form (an empty component,
 * neighbours to be merged, a retain at the end) is brought into it.  On an error
 * *error_at is the offset in bytes and *detail, never NULL then, a static
 * lower-case phrase that says what is wrong there.
 */
extern OtStatus ot_from_json(const char *json, size_t size, OtBuffer *out,
							 size_t *error_at, const char **detail);

/* Append the text form, without white space: [5,"hi",{"d":3}]. */
extern OtStatus ot_to_json(OtOp op, OtBuffer *out);

/* Append a JSON string literal, quotes included, of valid UTF-8. */
extern OtStatus ot_json_string(const char *text, size_t size, OtBuffer *out);

/* ---- the algebra: each appends to an empty `out` ---- */

/* The document after the op. OT_OUT_OF_RANGE where it reaches past the end. */
extern OtStatus ot_apply(const char *document, size_t size, OtOp op, OtBuffer *out);

/* The op that takes apply(document, op) back to document. */
extern OtStatus ot_invert(OtOp op, const char *document, size_t size, OtBuffer *out);

/*
 * `op` as it must be to come after `over`, both made against one document.
 * Exactly the result of ot-text-unicode.
 */
extern OtStatus ot_transform(OtOp op, OtOp over, OtSide side, OtBuffer *out);

/*
 * A position (cp from the start) as it is after `over`: where an insert made
 * there would go.  Saturates at OT_MAX_LENGTH.
 */
extern int64_t ot_transform_position(int64_t position, OtOp over, OtSide side);

/*
 * `first` then `second` as one op.  At a tie first's delete stands before
 * second's insert: with this choice, and only with it,
 *		transform(transform(x, b1, left), b2, left)
 *			= transform(x, compose(b1, b2), left)
 * exactly, structure included, and compose is associative, structure included.
 */
extern OtStatus ot_compose(OtOp first, OtOp second, OtBuffer *out);

/*
 * Many ops composed, pushed in order.  Keeps a stack of partial results of
 * falling size, as a binary counter does, so that n ops of constant size take
 * O(n log n) and never a quadratic walk.  Pushed bytes are copied.
 */
typedef struct OtFold OtFold;

extern OtStatus ot_fold_create(const OtAllocator *allocator, OtFold **fold);
extern OtStatus ot_fold_push(OtFold *fold, OtOp op);

/* Bytes held at present. */
extern size_t ot_fold_size(const OtFold *fold);

/* Write the composition of all that was pushed; the fold is then empty. */
extern OtStatus ot_fold_finish(OtFold *fold, OtBuffer *out);
extern void ot_fold_free(OtFold *fold);

/*
 * One op carried, as the left one, over many, pushed in order.  Pushed ops are
 * composed into runs about as large as the op itself before it is transformed
 * over each run: O(size of the op + sizes of all pushed), by the composition law.
 */
typedef struct OtRebase OtRebase;

extern OtStatus ot_rebase_create(const OtAllocator *allocator, OtOp op, OtRebase **rebase);
extern OtStatus ot_rebase_push(OtRebase *rebase, OtOp over);

/* Write the transformed op; the rebase may only be freed then. */
extern OtStatus ot_rebase_finish(OtRebase *rebase, OtBuffer *out);
extern void ot_rebase_free(OtRebase *rebase);

#endif							/* CONVERGE_OT_H */
