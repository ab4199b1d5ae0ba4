/*
 * past/rope.h
 *		A text that many ops are applied to, one after another.
 *
 * UTF-8 in chunks, addressed in code points ("cp"): an edit touches a chunk or
 * two and the sums over it, whatever the size of the document.  For replaying
 * long histories, which ot_apply() would copy once an op.
 */
#ifndef CONVERGE_ROPE_H
#define CONVERGE_ROPE_H

#include "../ot/ot.h"

typedef struct Rope Rope;

/*
 * Called for every delete and insert of an op, from left to right: its position
 * `pos` in the text after the components before it, its length in cp, and the
 * deleted or inserted text, which is valid until it returns.  If it does not
 * return OT_OK, the op stops there.
 */
typedef OtStatus (*RopeVisit) (void *ctx, OtKind kind, int64_t pos, int64_t length,
							   const char *text, size_t size);

/* A rope of valid UTF-8, which is copied. */
extern OtStatus rope_create(const OtAllocator *allocator, const char *text, size_t size,
							Rope **rope);

/*
 * Apply an op; `visit` may be NULL.  OT_OUT_OF_RANGE leaves the rope as it was;
 * after any other error it may only be freed.
 */
extern OtStatus rope_apply(Rope *rope, OtOp op, RopeVisit visit, void *ctx);

/* In cp. */
extern int64_t rope_length(const Rope *rope);

/* In bytes. */
extern size_t rope_size(const Rope *rope);

/* Append `length` cp at `pos`, which are there. */
extern OtStatus rope_read(const Rope *rope, int64_t pos, int64_t length, OtBuffer *out);

/* Append the whole text. */
extern OtStatus rope_text(const Rope *rope, OtBuffer *out);
extern void rope_free(Rope *rope);

#endif							/* CONVERGE_ROPE_H */
