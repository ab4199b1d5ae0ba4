/*
 * past/matches.h
 *		Where a text occurs in a document, followed over its ops.
 *
 * An op changes what occurs only near its edits, so only there is the document looked at
 * again; all other occurrences move along with their text.  Occurrences may overlap.
 */
#ifndef CONVERGE_MATCHES_H
#define CONVERGE_MATCHES_H

#include "rope.h"

/* Called for an occurrence, which has a number of its own, from 0 on, and a position. */
typedef void (*MatchEvent) (void *ctx, int64_t id, int64_t pos);

typedef struct Matches Matches;

/* Look for `sought`, valid UTF-8 and not empty, in a rope; `begin` is called for what is there. */
extern OtStatus matches_create(const OtAllocator *allocator, const Rope *rope,
							   const char *sought, size_t size, MatchEvent begin, void *ctx,
							   Matches **matches);

/*
 * Apply an op that fits to the rope.  `begin` is called for each occurrence that it makes,
 * `end` for each that it destroys; one that only its parts made is told of by both.
 */
extern OtStatus matches_apply(Matches *matches, Rope *rope, OtOp op,
							  MatchEvent begin, MatchEvent end, void *ctx);

/* Call back for all occurrences that there are now, from the first to the last. */
extern void matches_tell(const Matches *matches, MatchEvent tell, void *ctx);
extern void matches_free(Matches *matches);

#endif							/* CONVERGE_MATCHES_H */
