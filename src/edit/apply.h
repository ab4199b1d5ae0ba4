/*
 * edit/apply.h
 *		Applying operations: the pipeline that apply_op, edit and submit share.
 */
#ifndef CVG_APPLY_H
#define CVG_APPLY_H

#include "postgres.h"

#include "store/append.h"

/* The outcome of a submitted op. */
typedef enum CvgOutcome
{
	CVG_APPLIED,
	CVG_DUPLICATE,				/* already applied: the same answer again */
	CVG_UNCHANGED,				/* the identity, which makes no version */
	CVG_DOC_BUSY,				/* not tried: locked by another transaction */
	CVG_NOT_FOUND,
	CVG_FORBIDDEN,
	CVG_CONFLICT,				/* the op id names another op */
	CVG_FUTURE,
	CVG_STALE,
	CVG_OUT_OF_RANGE,
	CVG_TOO_LARGE,
	CVG_MALFORMED				/* set by the parser */
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
 * Apply ops on one document, in order, under one lock and with one update of the
 * head.  Each op has its own outcome, and a refused op changes nothing.  Waits for
 * the document's lock only if `wait` is true.
 */
extern void cvg_apply(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **submissions, int count, bool wait);

/* Apply one op as the acting user, waiting for the document; refusals are errors. */
extern void cvg_apply_one(const pg_uuid_t *doc_id, CvgSubmission *sub);

/* A new, random operation id. */
extern pg_uuid_t cvg_fresh_op_id(void);

#endif							/* CVG_APPLY_H */
