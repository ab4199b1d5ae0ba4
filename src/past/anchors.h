/*
 * past/anchors.h
 *		Ranges of a text that follow its ops, many at a time.
 *
 * A range begins with its first character and ends before an insert at its end.  Its
 * end is a position that stays before an insert made there (`left`).  While its first
 * character lives, its start is where that stands, left(start + 1) - 1; the op that
 * deletes it leaves the start at left(start + 1), a left position from then on.
 * Carried so, a range is at the same place after the composition of some ops as after
 * one op at a time.  To carry it on from a place, it must be known whether its first
 * character lives there.
 *
 * A range whose text was deleted is empty, an orphan.  It returns when an op inserts, at
 * the place where the range is, a text that contains the passage it was made on.
 */
#ifndef CONVERGE_ANCHORS_H
#define CONVERGE_ANCHORS_H

#include "quote.h"

#include "../ot/ot.h"

typedef struct Anchors Anchors;

/* Where a range is, in cp. */
typedef struct AnchorPlace
{
	int64_t		from;
	int64_t		to;				/* == from: an orphan */
	bool		alive;			/* its first character is in the text; false for an orphan */
} AnchorPlace;

/* No ranges, in a text of any length. */
extern OtStatus anchors_create(const OtAllocator *allocator, Anchors **anchors);

/*
 * Add a range of the text as it is now, from <= to; its number is how many were added
 * before.  An empty range is not alive, whatever its place says.  The bytes of its
 * quote stay the caller's, who keeps them.
 */
extern OtStatus anchors_add(Anchors *anchors, const AnchorPlace *place, const Quote *quote);

/* Let all ranges follow an op. */
extern OtStatus anchors_apply(Anchors *anchors, OtOp op);

/*
 * Return true if all ranges would be, after some ops one by one, where they are after the
 * composition of these, whatever ops it is the composition of: no range that is, or becomes,
 * empty can have returned meanwhile in a way that shows.
 */
extern bool anchors_follow_composed(Anchors *anchors, OtOp composed);

/* Write where every range is, in the order in which they were added. */
extern void anchors_places(const Anchors *anchors, AnchorPlace *places);
extern void anchors_free(Anchors *anchors);

#endif							/* CONVERGE_ANCHORS_H */
