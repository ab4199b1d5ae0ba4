/*
 * snapshot.h
 *		Whole documents: the newest snapshot and what came since.
 */
#ifndef CVG_SNAPSHOT_H
#define CVG_SNAPSHOT_H

#include "converge.h"

/* The text of a document at a version that exists and is not forgotten. */
extern text *cvg_content_at(const pg_uuid_t *doc_id, int64 version);
/* The ops that lead from one version to a later one, composed. */
extern Datum cvg_compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto);

#endif							/* CVG_SNAPSHOT_H */
