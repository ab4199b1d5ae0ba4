/*
 * store/snapshots.h
 *		The rows of converge.snapshots: whole texts at some versions.
 */
#ifndef CVG_SNAPSHOTS_H
#define CVG_SNAPSHOTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/*
 * Keep a snapshot; one that is there at that version takes over the kind.
 * op_id is NULL at version 0.
 */
extern void cvg_snapshot_keep(const pg_uuid_t *doc_id, int64 version, int64 seq, TimestampTz at,
							  const char *kind, text * content, const pg_uuid_t *op_id);

/* Forget the due snapshots that are too close behind another, but for the newest. */
extern void cvg_snapshots_thin(const pg_uuid_t *doc_id, int64 spacing);

/* The newest snapshot at or below a version; NULL: none, start with ''. */
extern text * cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version);

/* The versions of a document's snapshots, rising; how many. */
extern int	cvg_snapshot_versions(const pg_uuid_t *doc_id, int64 **versions);

#endif							/* CVG_SNAPSHOTS_H */
