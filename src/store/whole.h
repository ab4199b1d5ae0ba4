/*
 * store/whole.h
 *		Whether a document's last version is there.
 */
#ifndef CVG_WHOLE_H
#define CVG_WHOLE_H

#include "postgres.h"

#include "store/heads.h"

/* Fail where the row of a version, the last one, is missing; looked at once a backend and document. */
extern void cvg_check_whole(const pg_uuid_t *doc_id, const CvgHead *head, int64 version);

#endif							/* CVG_WHOLE_H */
