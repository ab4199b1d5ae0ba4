/*
 * edit/missed.h
 *		What the ops of a batch have missed, and carrying them over it.
 */
#ifndef CVG_MISSED_H
#define CVG_MISSED_H

#include "store/catalog.h"

#include "utils/hsearch.h"

/* An op that some of the batch have missed. */
typedef struct CvgMissedOp
{
	OtOp		op;
	bool		packed;			/* its id is in no index any more */
	pg_uuid_t	op_id;			/* of a packed one */
} CvgMissedOp;

/*
 * A window on the end of the log: the ops from version `from` on, in order, the
 * last ones not yet written.
 */
typedef struct CvgMissed
{
	const pg_uuid_t *doc_id;
	bool		shared;			/* by several ops: worth keeping */
	int64		from;
	CvgMissedOp *ops;
	int			count;
	int			capacity;
	HTAB	   *blocks;			/* composed runs; NULL until wanted */
} CvgMissed;

/* Begin with an empty window at the head, in the current memory context. */
extern void cvg_missed_begin(CvgMissed *missed, const pg_uuid_t *doc_id, int64 head_version, bool shared);

/* Note an op that was applied just now; it must outlive the window. */
extern void cvg_missed_append(CvgMissed *missed, OtOp op);

/*
 * Carry an op, as the left one, over all that was committed since its base.  An
 * op that was applied on this base before, and packed since, lies on the way:
 * then *duplicate_of is its version, and nothing is written to `out`.
 */
extern OtStatus cvg_missed_rebase(CvgMissed *missed, OtOp op, const pg_uuid_t *op_id, int64 base,
								  OtBuffer *out, int64 *duplicate_of);

#endif							/* CVG_MISSED_H */
