/*
 * access/context.h
 *		For whom, and with whose rights, a part of the work is done: the author of
 *		an operation while triggers see it, the extension's owner while its own
 *		tables are written by SQL.
 */
#ifndef CVG_CONTEXT_H
#define CVG_CONTEXT_H

#include "store/catalog.h"

/* Return true if that user is acting. */
extern bool cvg_is_acting(const char *user_id, int user_len);

/*
 * Act for a user until cvg_act_end(); an error ends it as well.  What the session
 * had set is restored.
 */
extern int	cvg_act_begin(const char *user_id, int user_len);
extern void cvg_act_end(int nest_level);

/* What cvg_owner_end() restores. */
typedef struct CvgCaller
{
	Oid			user;
	int			security;
	int			nest_level;
} CvgCaller;

/*
 * Have the rights of a table's owner, and a search path that no one else can
 * write to, until cvg_owner_end(); an error ends it as well.
 */
extern void cvg_owner_begin(Oid table, CvgCaller *caller);
extern void cvg_owner_end(const CvgCaller *caller);

/* What ops and heads have hung on them that an edit runs. */
typedef enum CvgForeignCode
{
	CVG_NO_CODE,
	CVG_CODE,					/* it must know for whom it is run */
	CVG_ROW_TRIGGERS			/* on ops: these must see the document of each
								 * op, too */
} CvgForeignCode;

/* Look at ops and heads, locking both as an edit does. */
extern CvgForeignCode cvg_foreign_code(void);

/* Fire the triggers of ops and heads that are deferred by default, for what was edited so far. */
extern void cvg_fire_deferred(void);

#endif							/* CVG_CONTEXT_H */
