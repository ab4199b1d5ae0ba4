/*
 * store/log.h
 *		The log of a document as one: its older part from packs, the rest from ops.
 */
#ifndef CVG_LOG_H
#define CVG_LOG_H

#include "postgres.h"

#include "store/heads.h"
#include "store/ops.h"

typedef struct CvgOpScan CvgOpScan;

/*
 * One op by the version it made, copied into the current context; only where history
 * holds it: above the floor, up to the head.
 */
extern bool cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row);

/*
 * The ops that lead from version `after` to version `upto`, in order, from packs
 * and from ops as one.  A row lives until the next one is asked for.  A gap in
 * the log is an error.
 *
 * With cvg_runs_begin() a pack on the way comes as one row, its ops composed: for
 * what needs no more than where the ops lead together.  Not so a pack that may hold
 * the op `sought` (NULL: none is).
 */
extern CvgOpScan *cvg_ops_begin(const pg_uuid_t *doc_id, int64 after, int64 upto);
extern CvgOpScan *cvg_runs_begin(const pg_uuid_t *doc_id, int64 after, int64 upto, const pg_uuid_t *sought);
extern bool cvg_ops_next(CvgOpScan *scan, CvgOpRow *row);
extern void cvg_ops_end(CvgOpScan *scan);

/* The id of the op that made a version; false where it is forgotten, or is no version. */
extern bool cvg_op_id_of(const pg_uuid_t *doc_id, const CvgHead *head, int64 version, pg_uuid_t *op_id);

/* When the floor version came to be: the document's creation, where nothing is forgotten. */
extern TimestampTz cvg_history_begins(const pg_uuid_t *doc_id, const CvgHead *head);

/* The last version at or before a moment; the floor when all are later. */
extern int64 cvg_version_at(const pg_uuid_t *doc_id, const CvgHead *head, TimestampTz at);

#endif							/* CVG_LOG_H */
