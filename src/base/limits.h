/*
 * base/limits.h
 *		The limits of the extension for input from outside.
 */
#ifndef CVG_LIMITS_H
#define CVG_LIMITS_H

#include "postgres.h"

/* Longest document, in code points; its UTF-8 text stays well below 1 GB. */
#define CVG_MAX_DOCUMENT_LENGTH	((int64) 1 << 26)

/* Largest packed op that may be submitted, in bytes. */
#define CVG_MAX_OP_BYTES		((Size) 16 << 20)

/* Longest user id, in bytes. */
#define CVG_MAX_USER_BYTES		255

/* Most bytes of JSON in which a client that is behind gets ops one by one ... */
#define CVG_MAX_SINGLE_BYTES	((Size) 16 << 20)

/* ... and of a packed op that they are composed to; beyond it, it gets the text. */
#define CVG_MAX_CATCH_UP_BYTES	((Size) 16 << 20)

/* Most ops of one submit() call. */
#define CVG_MAX_BATCH			10000

/* Rows of a timeline: unless the caller says, and at most. */
#define CVG_TIMELINE_BUCKETS	200
#define CVG_MAX_TIMELINE_BUCKETS	10000

/* Longest text that occurrences looks for, in code points. */
#define CVG_MAX_SOUGHT_LENGTH	1000

/*
 * The bytes of a document's life that identify it.  The others change with its past: what
 * a reader has of the same document in another life must not be believed any more.
 */
#define CVG_LIFE_BYTES			8

/* Longest label of a snapshot, in bytes. */
#define CVG_MAX_LABEL_BYTES		1000

/* Largest packed op of a suggestion, in bytes. */
#define CVG_MAX_SUGGESTION_BYTES	((Size) 64 << 10)

#endif							/* CVG_LIMITS_H */
