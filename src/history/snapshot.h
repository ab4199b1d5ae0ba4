/*
 * history/snapshot.h
 *		Whole documents: the newest snapshot and what came since.
 */
#ifndef CVG_SNAPSHOT_H
#define CVG_SNAPSHOT_H

#include "store/catalog.h"

/* The text of a document at a version that exists and is not forgotten. */
extern text * cvg_content_at(const pg_uuid_t *doc_id, int64 version);
/* Read the head of a document that the acting user may read. */
extern void cvg_open_head(const pg_uuid_t *doc_id, CvgHead *head);

/* Fail for a version that is not yet, or is forgotten. */
extern void cvg_check_version(const CvgHead *head, int64 version);

/* The ops that lead from one version to a later one, composed. */
extern Datum cvg_compose_range(const pg_uuid_t *doc_id, int64 after, int64 upto);

/*
 * Return true if an op of that many bytes is too large to catch up by: larger
 * than a bound, and than the text, which serves as well.
 */
extern bool cvg_too_large_to_catch_up(const CvgHead *head, Size bytes);

/* The ops from a version to the head, composed; false where that is too large to catch up by. */
extern bool cvg_compose_bounded(const pg_uuid_t *doc_id, int64 after, const CvgHead *head, Datum *op);

/* The op that leads from one version to another, forward or back. */
extern Datum cvg_diff(const pg_uuid_t *doc_id, int64 from, int64 upto);

/* How many bytes the ops have that lead from one version to a later one. */
extern int64 cvg_log_bytes(const pg_uuid_t *doc_id, int64 after, int64 upto);

/* Keep the text as it is now; tells the head it belongs to. */
extern void cvg_keep_text(const pg_uuid_t *doc_id, const char *kind, CvgHead *seen);

/*
 * Note in the head, once all is written, a snapshot (NULL: none) and up to where
 * ops are packed (0: none were).  Its lock stops the writers, so this comes last.
 */
extern void cvg_note_kept(const pg_uuid_t *doc_id, const CvgHead *snapshot_of, int64 packed_version);

#endif							/* CVG_SNAPSHOT_H */
