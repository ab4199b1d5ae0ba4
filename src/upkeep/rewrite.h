/*
 * upkeep/rewrite.h
 *		Changing the log where it stands, packed or not: for what must be forgotten.
 *
 * Nothing else changes ops that were committed.  Versions, positions and lengths stay.
 */
#ifndef CVG_REWRITE_H
#define CVG_REWRITE_H

#include "postgres.h"

#include "store/heads.h"
#include "store/ops.h"

/*
 * Changes a row in place, and returns true if it did.  It is called for each row at least
 * once; what it allocates lives until the call is over.
 */
typedef bool (*CvgRowChange) (void *ctx, CvgOpRow *row);

/*
 * Change the rows of the log.  The caller holds the locks of maintenance and of the head,
 * and has the rights of the tables' owner.  Return how many rows were changed.
 */
extern int64 cvg_rewrite_log(const pg_uuid_t *doc_id, const CvgHead *head, CvgRowChange change, void *ctx);

#endif							/* CVG_REWRITE_H */
