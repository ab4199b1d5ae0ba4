/*
 * past/diff.h
 *		The difference of two texts, as an operation.
 *
 * By the O(ND) algorithm in linear space: E. W. Myers, "An O(ND) Difference Algorithm
 * and Its Variations", Algorithmica 1 (1986), 251-266.  Lines are compared first, then
 * the code points of what lies between equal lines.  Its cost is bounded: where two
 * texts have little in common, the rest becomes coarser, at worst one replacement.
 */
#ifndef CONVERGE_DIFF_H
#define CONVERGE_DIFF_H

#include "../ot/ot.h"

/* How finely texts are compared. */
typedef enum DiffUnit
{
	DIFF_LINES,					/* only whole lines are replaced */
	DIFF_CHARACTERS
} DiffUnit;

/*
 * Append to an empty `out` the op that changes one text into another, both valid UTF-8.
 * In a replacement the insert comes first.  `pause` is called now and then, and need not
 * return; NULL: there is none.
 */
extern OtStatus diff_texts(const OtAllocator *allocator, const char *from, size_t from_size,
						   const char *to, size_t to_size, DiffUnit unit,
						   void (*pause) (void), OtBuffer *out);

#endif							/* CONVERGE_DIFF_H */
