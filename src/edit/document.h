/*
 * edit/document.h
 *		Opening a document, for SQL clients and for the relay's gateway.
 */
#ifndef CVG_DOCUMENT_H
#define CVG_DOCUMENT_H

#include "store/catalog.h"

/* What a joining client needs to know first. */
typedef struct CvgOpened
{
	CvgRole		role;
	text	   *title;
	CvgHead		head;
	bool		has_op_id;		/* false: no op is known to have made the head */
	pg_uuid_t	op_id;
	bool		resumed;		/* what the client holds is a version of ours */
} CvgOpened;

/*
 * For a user; NULL: the acting user, whose role may be none.  The client's version,
 * the id of the op that made it, and the life of the document that it had may each
 * be NULL, too.
 */
extern void cvg_open(const pg_uuid_t *doc_id, const char *user_id,
					 const int64 *known_version, const pg_uuid_t *known_op_id,
					 const pg_uuid_t *known_life, CvgOpened *opened);

#endif							/* CVG_DOCUMENT_H */
