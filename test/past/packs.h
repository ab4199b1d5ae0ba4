/*
 * packs.h
 *		Made-up histories, and what becomes of them in a pack.
 */
#ifndef CONVERGE_TEST_PACKS_H
#define CONVERGE_TEST_PACKS_H

#include "../../src/past/pack_format.h"
#include "../ot/support.h"

typedef struct Ops
{
	PackOp	   *ops;
	int			count;
	int			capacity;
} Ops;

/* Add an op, whose bytes and user id are kept as long as the test. */
extern PackOp *ops_add(Ops *ops, OtOp op, const char *user);
extern void ops_free(Ops *ops);

/* Some hundred ops of several authors: typing, deleting, any op, any values. */
extern void ops_random(Ops *ops, Random *random);

/* Are they the same to the bit? */
extern bool ops_same(const PackOp *a, const PackOp *b);

/* Pack them; the pack is to be freed. */
extern OtStatus ops_pack(const Ops *ops, const OtAllocator *allocator, OtBuffer *out);

/*
 * Read a pack: do its ops match these?  *matching is how many did, from the
 * first.  OT_SYNTAX, which no reader says, when one is not in normal form.
 */
extern OtStatus ops_compare(const Ops *ops, const OtAllocator *allocator,
							const uint8_t *data, size_t size, int *matching);

#endif							/* CONVERGE_TEST_PACKS_H */
