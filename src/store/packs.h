/*
 * store/packs.h
 *		The rows of converge.packs: runs of ops, compressed (past/pack_format.h).
 */
#ifndef CVG_PACKS_H
#define CVG_PACKS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/palloc.h"
#include "utils/uuid.h"

/* What a pack's row says it holds. */
typedef struct CvgPackRange
{
	int64		from_version;
	int64		to_version;
	TimestampTz first_at;
} CvgPackRange;

/* The packs of a document, in order; how many. */
extern int	cvg_pack_ranges(const pg_uuid_t *doc_id, CvgPackRange **ranges);

/*
 * Fetch the pack that holds a version, in a context, and what its row says of it;
 * NULL where there is none.
 */
extern bytea *cvg_pack_fetch(const pg_uuid_t *doc_id, int64 version, MemoryContext context, CvgPackRange *range);

/*
 * Fetch the composition of the pack that begins with a version, in a context; NULL
 * where no pack begins there, it ends beyond `upto`, it has none, or it may hold the
 * op `sought` (NULL: any may be in it).
 */
extern struct varlena *cvg_pack_composed(const pg_uuid_t *doc_id, int64 from_version, int64 upto,
										 const pg_uuid_t *sought, MemoryContext context, CvgPackRange *range);

/* Fetch what a pack that begins with a version has beside its data; NULL where it has not. */
extern void cvg_pack_extras(const pg_uuid_t *doc_id, int64 from_version, struct varlena **composed, bytea **ids);

/* Keep a pack, with its ops composed and the filter of their ids, or neither (NULL). */
extern void cvg_pack_keep(const pg_uuid_t *doc_id, const CvgPackRange *range, bytea *data,
						  struct varlena *composed, bytea *ids);
extern void cvg_pack_forget(const pg_uuid_t *doc_id, int64 to_version);

/* The pack that holds a version; false: none. */
extern bool cvg_pack_find(const pg_uuid_t *doc_id, int64 version, int64 *from_version, int64 *to_version);

#endif							/* CVG_PACKS_H */
