/*
 * edit/apply.h
 *		Applying operations: the pipeline that apply_op, edit and submit share.
 */
#ifndef CVG_APPLY_H
#define CVG_APPLY_H

#include "store/catalog.h"

/* What became of a submitted op. */
typedef enum CvgOutcome
{
	CVG_APPLIED,
	CVG_DUPLICATE,				/* applied before: the same answer again */
	CVG_UNCHANGED,				/* the identity, which makes no version */
	CVG_DOC_BUSY,				/* not tried: somebody holds the document */
	CVG_NOT_FOUND,
	CVG_FORBIDDEN,
	CVG_CONFLICT,				/* the op id names another op */
	CVG_FUTURE,
	CVG_STALE,
	CVG_OUT_OF_RANGE,
	CVG_TOO_LARGE,
	CVG_MALFORMED				/* set by whoever parses it */
} CvgOutcome;

typedef struct CvgSubmission
{
	/* what came in */
	pg_uuid_t	op_id;
	const char *user_id;
	int			user_len;
	int64		base_version;
	bool		at_head;		/* base_version is the head, whatever that is */
	bool		has_life;		/* life is that of the document it was made
								 * on; else that is not known */
	pg_uuid_t	life;
	OtOp		op;

	/* what became of it */
	CvgOutcome	outcome;
	char	   *detail;			/* a sentence for the refused, or NULL */
	int64		version;		/* of the applied and the duplicate; the
								 * head's, of the identity ... */
	int64		seq;
	int64		first_base;
	TimestampTz created_at;
	OtOp		applied;
	int64		member_changes; /* of the applied: before it, in its document */
} CvgSubmission;

/*
 * Apply ops on one document, in order, as one: one lock, one new head row.  Each
 * is decided by itself, and what is refused leaves no trace.  Waits for the
 * document's lock only if told to.
 */
extern void cvg_apply(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **submissions, int count, bool wait);

/* Apply one op as the acting user, waiting for the document; refusals are errors. */
extern void cvg_apply_one(const pg_uuid_t *doc_id, CvgSubmission *sub);

/* An operation id nobody has. */
extern pg_uuid_t cvg_fresh_op_id(void);

#endif							/* CVG_APPLY_H */
