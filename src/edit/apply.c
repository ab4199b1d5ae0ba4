/*
 * edit/apply.c
 *		The stages that an operation passes, in the order at the end of this
 *		file: lock, permission, duplicate, base, transform, fit, append.
 *
 * All decisions are made before anything is written, and a refusal is a result,
 * not an error, so a batch needs no subtransactions.  The lock of the head row is
 * taken first and kept until the end of the transaction; what is read after it
 * cannot change.
 */
#include "edit/apply.h"

#include "access/access.h"
#include "base/limits.h"
#include "edit/rebase.h"
#include "edit/sequence.h"
#include "store/append.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/names.h"
#include "store/ops.h"
#include "store/roles.h"
#include "store/scan.h"
#include "type/op_type.h"

#include "access/table.h"
#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* One document while a batch is applied to it. */
typedef struct Work
{
	const pg_uuid_t *doc_id;
	CvgHead		head;
	TimestampTz at;				/* created_at of all that is appended now */

	CvgRebase	rebase;			/* what the ops of the batch have missed */

	CvgOpRow   *rows;			/* what is to be appended */
	int			row_count;
	HTAB	   *new_ids;		/* op id -> row; NULL for a single op */

	/* the user asked about last */
	const char *user_id;
	int			user_len;
	CvgRole		role;
} Work;

typedef struct NewId
{
	pg_uuid_t	op_id;
	int			row;
} NewId;

/* Refuse a submission, with a sentence that names the value and the limit. */
static bool
refuse(CvgSubmission *sub, CvgOutcome outcome, char *detail)
{
	sub->outcome = outcome;
	sub->detail = detail;
	return false;
}

/* ---- permission ---- */

/* May the user write here? */
static bool
check_permission(Work *work, CvgSubmission *sub)
{
	if (work->user_id == NULL || work->user_len != sub->user_len ||
		memcmp(work->user_id, sub->user_id, sub->user_len) != 0)
	{
		work->user_id = sub->user_id;
		work->user_len = sub->user_len;
		work->role = cvg_role_of(work->doc_id, sub->user_id, sub->user_len);
	}
	if (work->role >= CVG_EDITOR)
		return true;
	if (work->role == CVG_NO_ROLE)
		return refuse(sub, CVG_FORBIDDEN,
					  psprintf("User \"%.*s\" is not a member.", sub->user_len, sub->user_id));
	return refuse(sub, CVG_FORBIDDEN,
				  psprintf("User \"%.*s\" has role %s; editing needs editor or owner.",
						   sub->user_len, sub->user_id, cvg_role_name(work->role)));
}

/* ---- duplicates ---- */

/* The op an id names already, in this batch or in the log. */
static bool
find_earlier(Work *work, const pg_uuid_t *op_id, CvgOpRow *earlier)
{
	if (work->new_ids != NULL)
	{
		NewId	   *entry = hash_search(work->new_ids, op_id, HASH_FIND, NULL);

		if (entry != NULL)
		{
			*earlier = work->rows[entry->row];
			return true;
		}
	}
	return cvg_op_by_id(work->doc_id, op_id, earlier);
}

/* Answer as the first time, or say that the id is taken. */
static bool
answer_earlier(CvgSubmission *sub, const CvgOpRow *earlier)
{
	if (earlier->user_len != sub->user_len ||
		memcmp(earlier->user_id, sub->user_id, sub->user_len) != 0)
		return refuse(sub, CVG_CONFLICT, pstrdup("The id names an operation of another user."));
	if (earlier->base_version != sub->base_version)
		return refuse(sub, CVG_CONFLICT,
					  psprintf("The id names an operation on base version " INT64_FORMAT
							   ", not " INT64_FORMAT ".", earlier->base_version, sub->base_version));
	if (earlier->submitted_hash != cvg_content_hash(sub->op))
		return refuse(sub, CVG_CONFLICT, pstrdup("The id names an operation of other content."));
	sub->outcome = CVG_DUPLICATE;
	sub->version = earlier->version;
	sub->seq = earlier->seq;
	sub->first_base = earlier->base_version;
	sub->created_at = earlier->created_at;
	sub->applied = earlier->op;
	return false;
}

/* Is it new, as far as ids are indexed?  The packed ones transform_to_head() meets. */
static bool
check_duplicate(Work *work, CvgSubmission *sub)
{
	CvgOpRow	earlier;

	return !find_earlier(work, &sub->op_id, &earlier) || answer_earlier(sub, &earlier);
}

/* ---- base ---- */

/* Is the base a version that is, and that history still reaches? */
static bool
check_base(Work *work, CvgSubmission *sub)
{
	if (sub->base_version < 0)
		return refuse(sub, CVG_FUTURE,
					  psprintf("Base version " INT64_FORMAT " is negative.", sub->base_version));
	if (sub->base_version > work->head.version)
		return refuse(sub, CVG_FUTURE,
					  psprintf("Base version " INT64_FORMAT " is in the future; the document is at "
							   INT64_FORMAT ".", sub->base_version, work->head.version));
	if (sub->base_version < work->head.floor_version)
		return refuse(sub, CVG_STALE,
					  psprintf("Base version " INT64_FORMAT " is no longer available; the oldest is "
							   INT64_FORMAT ".", sub->base_version, work->head.floor_version));
	return true;
}

/* ---- transform ---- */

/* The op as it comes to stand after the head. */
static bool
transform_to_head(Work *work, CvgSubmission *sub)
{
	int64		duplicate_of = 0;
	CvgOpRow	earlier;
	OtBuffer	out;
	OtStatus	status;

	if (sub->base_version == work->head.version)
	{
		sub->applied = sub->op;
		return true;
	}
	ot_buffer_init(&out, &cvg_allocator, 0);
	status = cvg_rebase_op(&work->rebase, sub->op, &sub->op_id, sub->base_version,
						   &out, &duplicate_of);
	if (status == OT_TOO_LARGE)
		return refuse(sub, CVG_TOO_LARGE,
					  pstrdup("The operation is too large to be transformed."));
	cvg_check_status(status);
	if (duplicate_of != 0)
	{
		cvg_op_by_version(work->doc_id, duplicate_of, &earlier);
		return answer_earlier(sub, &earlier);
	}
	sub->applied = ot_buffer_op(&out);
	return true;
}

/* ---- fit ---- */

/* Does it fit the document, and is there room for what it adds? */
static bool
check_fit(Work *work, CvgSubmission *sub, const OtMeasure *measure)
{
	int64		length = work->head.length + measure->inserted - measure->deleted;

	if (measure->base_length > work->head.length)
		return refuse(sub, CVG_OUT_OF_RANGE,
					  psprintf("The operation reaches to " INT64_FORMAT
							   "; the document has " INT64_FORMAT " code points.",
							   measure->base_length, work->head.length));
	if (length > CVG_MAX_DOCUMENT_LENGTH)
		return refuse(sub, CVG_TOO_LARGE,
					  psprintf("The document would have " INT64_FORMAT " code points; the limit is "
							   INT64_FORMAT ".", length, CVG_MAX_DOCUMENT_LENGTH));
	return true;
}

/* Does it keep within the bounds that need no document? */
static bool
check_size(CvgSubmission *sub)
{
	if (sub->op.size > CVG_MAX_OP_BYTES)
		return refuse(sub, CVG_TOO_LARGE,
					  psprintf("The operation has %zu bytes; the limit is %zu.",
							   sub->op.size, CVG_MAX_OP_BYTES));
	if (sub->user_len < 1 || sub->user_len > CVG_MAX_USER_BYTES)
		return refuse(sub, CVG_FORBIDDEN,
					  psprintf("A user id of %d bytes is out of range; it has 1 to %d.",
							   sub->user_len, CVG_MAX_USER_BYTES));
	return true;
}

/* ---- the identity ---- */

/*
 * An op that was submitted as the identity makes no version, and its id names
 * nothing.  One that became the identity by being transformed does make one: its
 * author waits to see it in its place.
 */
static bool
check_change(Work *work, CvgSubmission *sub)
{
	if (sub->op.size > 0)
		return true;
	sub->version = work->head.version;
	sub->seq = work->head.seq;
	sub->first_base = sub->base_version;
	sub->created_at = work->at;
	return refuse(sub, CVG_UNCHANGED, NULL);
}

/* ---- append ---- */

/* Give the op its place: the next version. */
static void
take_place(Work *work, CvgSubmission *sub, const OtMeasure *measure)
{
	CvgHead    *head = &work->head;
	CvgOpRow   *row = &work->rows[work->row_count];

	head->version++;
	head->seq = cvg_next_seq_above(head->seq);
	head->length += measure->inserted - measure->deleted;
	head->log_bytes += sub->applied.size;
	head->updated_at = work->at;

	row->version = sub->version = head->version;
	row->seq = sub->seq = head->seq;
	sub->member_changes = head->member_changes;
	row->base_version = sub->first_base = sub->base_version;
	row->created_at = sub->created_at = work->at;
	row->op_id = sub->op_id;
	row->submitted_hash = cvg_content_hash(sub->op);
	row->user_id = sub->user_id;
	row->user_len = sub->user_len;
	row->op = sub->applied;
	sub->outcome = CVG_APPLIED;

	if (work->new_ids != NULL)
	{
		NewId	   *entry = hash_search(work->new_ids, &sub->op_id, HASH_ENTER, NULL);

		entry->row = work->row_count;
	}
	work->row_count++;
	cvg_rebase_append(&work->rebase, sub->applied);
}

/* Is it the document that the op was made on, and not another that has the id now? */
static bool
check_life(const Work *work, CvgSubmission *sub)
{
	if (!sub->has_life || memcmp(&sub->life, &work->head.life, CVG_LIFE_BYTES) == 0)
		return true;
	return refuse(sub, CVG_NOT_FOUND,
				  pstrdup("The document was deleted, and another was created under its id."));
}

/* Decide one op. */
static void
decide(Work *work, CvgSubmission *sub)
{
	OtMeasure	measure;

	if (sub->at_head)
		sub->base_version = work->head.version;
	if (!check_life(work, sub) ||
		!check_size(sub) ||
		!check_permission(work, sub) ||
		!check_duplicate(work, sub) ||
		!check_base(work, sub) ||
		!transform_to_head(work, sub) ||
		!check_change(work, sub))
		return;
	ot_measure(sub->applied, &measure);
	if (check_fit(work, sub, &measure))
		take_place(work, sub, &measure);
}

/* Set up the work on a document whose head is locked. */
static void
begin_work(Work *work, int count)
{
	work->at = Max(GetCurrentTimestamp(), work->head.updated_at);
	cvg_rebase_begin(&work->rebase, work->doc_id, work->head.version, count > 1);
	work->rows = palloc(count * sizeof(CvgOpRow));
	if (count > 1)
	{
		HASHCTL		control = {.keysize = sizeof(pg_uuid_t),.entrysize = sizeof(NewId),
		.hcxt = CurrentMemoryContext};

		work->new_ids = hash_create("converge new op ids", count, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
}

/* Apply ops on one document. */
void
cvg_apply(CvgAppender *appender, const pg_uuid_t *doc_id, CvgSubmission **submissions, int count, bool wait)
{
	Work		work = {.doc_id = doc_id};
	Relation	heads;
	CvgLockResult locked;

	/* what this transaction did before, in the same command too, must be seen */
	CommandCounterIncrement();
	heads = table_open(cvg_catalog()->heads, RowExclusiveLock);
	locked = cvg_head_lock(heads, doc_id, wait, &work.head);
	if (locked == CVG_LOCKED)
	{
		/* we may have waited: see what was committed meanwhile */
		cvg_push_latest_snapshot();
		begin_work(&work, count);
		for (int i = 0; i < count; i++)
			decide(&work, submissions[i]);
		if (work.row_count > 0)
		{
			cvg_append(appender, heads, doc_id, &work.head, work.rows, work.row_count);
			CommandCounterIncrement();
		}
		PopActiveSnapshot();
	}
	else
	{
		for (int i = 0; i < count; i++)
			refuse(submissions[i], locked == CVG_BUSY ? CVG_DOC_BUSY : CVG_NOT_FOUND, NULL);
	}
	table_close(heads, NoLock);
}
