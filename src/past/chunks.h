/*
 * past/chunks.h
 *		A long sequence in chunks of bytes, each with its length in code points:
 *		what rope.c and spans.c have in common.
 *
 * Two levels: groups of chunks, and a table of the groups' lengths, so that a
 * position is found by two short scans.  What the bytes mean is the caller's.
 *
 * Invariant: there is always at least one chunk, and only a sole chunk is empty;
 * between the calls of one edit the caller may break the latter, until
 * chunks_tidy().
 */
#ifndef CONVERGE_CHUNKS_H
#define CONVERGE_CHUNKS_H

#include "../ot/ot.h"

/*
 * Bytes of a chunk, few enough to be moved within a keystroke, and chunks of a
 * group.  Tests make them small, to have many of both.
 */
#ifndef CHUNK_BYTES
#define CHUNK_BYTES		2048
#define CHUNK_GROUP		128
#endif

typedef struct Chunk
{
	uint8_t    *data;
	int64_t		length;			/* cp */
	size_t		size;			/* bytes */
} Chunk;

typedef struct ChunkGroup
{
	int			count;			/* never 0 */
	Chunk		chunks[CHUNK_GROUP];
} ChunkGroup;

typedef struct ChunkEntry
{
	ChunkGroup *group;
	int64_t		length;			/* cp of all its chunks */
} ChunkEntry;

typedef struct ChunkList
{
	const OtAllocator *allocator;
	ChunkEntry *entries;
	size_t		count;
	size_t		capacity;
	int64_t		length;			/* cp of all */
	size_t		size;			/* bytes of all */
} ChunkList;

/* A chunk, and a position in it. */
typedef struct ChunkPlace
{
	size_t		group;
	int			chunk;
	int64_t		offset;			/* cp */
} ChunkPlace;

/* An empty list; on an error it holds nothing. */
extern OtStatus chunks_init(ChunkList *list, const OtAllocator *allocator);
extern void chunks_free(ChunkList *list);

/*
 * The place of a position that is in the list.  Between two chunks it is the end
 * of the left one, where an insert goes, or with `forward` the beginning of the
 * right one, where a delete begins.
 */
extern void chunks_locate(const ChunkList *list, int64_t pos, bool forward, ChunkPlace *place);

/* Step to the beginning of the next chunk; false, and no step, at the last. */
extern bool chunks_next(const ChunkList *list, ChunkPlace *place);

/* Put a new empty chunk behind a place, and step to it. */
extern OtStatus chunks_add(ChunkList *list, ChunkPlace *place);

/*
 * From the end of a full chunk go on where there is room for `size` bytes: at the
 * beginning of the next chunk, or in a new one between them.
 */
extern OtStatus chunks_go_on(ChunkList *list, ChunkPlace *place, size_t size);

/*
 * Move what lies behind `at` bytes, which are `length` cp, of a chunk into a new
 * one behind it.
 */
extern OtStatus chunks_split(ChunkList *list, const ChunkPlace *place, size_t at, int64_t length);

/*
 * Replace `removed` bytes at `at` of a chunk by `size` others, for which there
 * is room; its length changes by `length` cp.  Without `bytes` they are left to
 * be filled in.
 */
extern void chunks_splice(ChunkList *list, const ChunkPlace *place, size_t at, size_t removed,
						  const void *bytes, size_t size, int64_t length);

/*
 * Remove a chunk that became empty, or join a small one with a neighbour.
 * Places are void then.
 */
extern void chunks_tidy(ChunkList *list, const ChunkPlace *place);

static inline Chunk *
chunks_at(const ChunkList *list, const ChunkPlace *place)
{
	return &list->entries[place->group].group->chunks[place->chunk];
}

#endif							/* CONVERGE_CHUNKS_H */
