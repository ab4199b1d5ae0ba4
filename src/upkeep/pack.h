/*
 * upkeep/pack.h
 *		Packing cold ops, and the work of maintenance on one document.
 */
#ifndef CVG_PACK_H
#define CVG_PACK_H

#include "postgres.h"

#include "store/ops.h"

#include "utils/uuid.h"

/*
 * Pack all but the newest `keep` ops of a document; how many were packed, and up
 * to which version, which is still to be noted in the head.
 */
extern int64 cvg_pack_ops(const pg_uuid_t *doc_id, int64 keep, int64 *packed_version);

/* Gives the next op of a run of the log, which lives until the next one; false behind the last. */
typedef bool (*CvgRowSource) (void *ctx, CvgOpRow *row);

/* Write the ops of a source, whose last one made the version `upto`, as packs. */
extern void cvg_write_packs(const pg_uuid_t *doc_id, CvgRowSource next, void *ctx, int64 upto);

/* ---- maintenance.c ---- */

/* Define its settings, and register the worker where the server is starting. */
extern void cvg_maintenance_init(void);

typedef struct CvgMaintained
{
	bool		snapshot_taken;
	int64		ops_packed;
} CvgMaintained;

/*
 * Do what is due in a document.  Nothing where another session is at it, or
 * where its writers do not leave the lock of its head for half a second.
 */
extern CvgMaintained cvg_maintain_document(const pg_uuid_t *doc_id);

/* The documents that have something due: a palloc'd array. */
extern pg_uuid_t *cvg_due_documents(int *count);

#endif							/* CVG_PACK_H */
