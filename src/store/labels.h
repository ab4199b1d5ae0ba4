/*
 * store/labels.h
 *		The rows of converge.labels: names of snapshots.
 */
#ifndef CVG_LABELS_H
#define CVG_LABELS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* Give a snapshot a label, beside those it has; one that it has already stays as it is. */
extern void cvg_label_add(const pg_uuid_t *doc_id, int64 version, text * label,
						  const char *user_id, TimestampTz at);

/* The versions of a document's labels, one for each label, rising; how many. */
extern int	cvg_label_versions(const pg_uuid_t *doc_id, int64 **versions);

#endif							/* CVG_LABELS_H */
