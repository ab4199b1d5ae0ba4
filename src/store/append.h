/*
 * store/append.h
 *		Appends to the log.
 */
#ifndef CVG_APPEND_H
#define CVG_APPEND_H

#include "postgres.h"

#include "store/heads.h"
#include "store/ops.h"

/*
 * Append runs of ops to the log, of one document or of many in turn, and move
 * their heads, whose locks we hold.
 */
typedef struct CvgAppender CvgAppender;
extern CvgAppender *cvg_appender_begin(void);
extern void cvg_append(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
					   const CvgOpRow *rows, int count);
extern void cvg_appender_end(CvgAppender *appender);

#endif							/* CVG_APPEND_H */
