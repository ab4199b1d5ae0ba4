/*
 * store/undos.h
 *		The rows of converge.undos: which op undid which.
 */
#ifndef CVG_UNDOS_H
#define CVG_UNDOS_H

#include "postgres.h"

#include "utils/uuid.h"

/* The op that made `version` undid the one that made `undone_version`. */
typedef struct CvgUndo
{
	int64		version;
	int64		undone_version;
} CvgUndo;

/* Note that one op undid others. */
extern void cvg_undos_keep(const pg_uuid_t *doc_id, int64 version, const int64 *undone_versions, int count);

/* All undos of a document, the newest first; how many. */
extern int	cvg_undos_read(const pg_uuid_t *doc_id, CvgUndo **undos);

#endif							/* CVG_UNDOS_H */
