/*
 * apply.c
 *		The pipeline an operation goes through, in the order of this file's end:
 *		lock, permission, duplicate, base, transform, fit, append.
 *
 * Everything is decided before anything is written, and a refusal is an answer,
 * not an error: a batch needs no subtransactions.  The lock of the head row is
 * taken first and kept to the end of the transaction; what is read after it
 * cannot change.
 */
#include "apply.h"

#include "catalog.h"

#include "access/table.h"
#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* Most missed ops kept in memory for the ops of a batch to share. */
#define WINDOW_OPS		65536

/* So many ops, or blocks of them, are composed to a block of the next level. */
#define BLOCK_BITS		4
#define BLOCK_LEVELS	4
#define BLOCK_SPAN(level) ((int64) 1 << (BLOCK_BITS * (level)))

/* An op that some of the batch have missed. */
typedef struct Missed
{
	OtOp		op;
	bool		packed;			/* then only this pass can tell it is a
								 * duplicate */
	pg_uuid_t	op_id;
} Missed;

/* One document while a batch is applied to it. */
typedef struct Work
{
	const pg_uuid_t *doc_id;
	CvgHead		head;
	TimestampTz at;				/* created_at of all that is appended now */

	/*
	 * ops from version window_from on, in order; the last ones not yet
	 * written
	 */
	int64		window_from;
	Missed	   *window;
	int			window_size;
	int			window_capacity;
	HTAB	   *blocks;			/* composed runs of the window; NULL until
								 * wanted */

	CvgOpRow   *rows;			/* what is to be appended */
	int			row_count;
	HTAB	   *new_ids;		/* op id -> row; NULL for a single op */

	/* the user asked about last */
	const char *user_id;
	int			user_len;
	CvgRole		role;
} Work;

/* A composed run of ops: those after version index * span, span of them. */
typedef struct Block
{
	struct
	{
		int64		level;
		int64		index;
	}			key;
	OtOp		op;
} Block;

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
					  psprintf("Base version " INT64_FORMAT " is forgotten; history begins at "
							   INT64_FORMAT ".", sub->base_version, work->head.floor_version));
	return true;
}

/* ---- transform ---- */

/* Make room for more ops at the window's end. */
static void
reserve_window(Work *work, int more)
{
	if (work->window_size + more <= work->window_capacity)
		return;
	work->window_capacity = Max(2 * work->window_capacity, work->window_size + more);
	work->window = work->window == NULL
		? palloc(work->window_capacity * sizeof(Missed))
		: repalloc(work->window, work->window_capacity * sizeof(Missed));
}

/* Copy a packed op. */
static OtOp
copy_op(OtOp op)
{
	OtOp		copy = {memcpy(palloc(op.size + 1), op.data, op.size), op.size};

	return copy;
}

/* Read the ops after `base` into the window's front. */
static void
extend_window(Work *work, int64 base)
{
	int			more = (int) (work->window_from - base);
	CvgOpScan  *scan;
	CvgOpRow	row;

	reserve_window(work, more);
	memmove(work->window + more, work->window, work->window_size * sizeof(Missed));
	scan = cvg_ops_begin(work->doc_id, base, work->window_from);
	for (int i = 0; cvg_ops_next(scan, &row); i++)
	{
		work->window[i].op = copy_op(row.op);
		work->window[i].packed = row.packed;
		work->window[i].op_id = row.op_id;
	}
	cvg_ops_end(scan);
	work->window_from = base;
	work->window_size += more;
}

/*
 * Carry the op over what the window does not reach: stream it, do not keep it.
 * Stops at the op itself, where it was applied before.
 */
static OtStatus
transform_over_far(Work *work, CvgSubmission *sub, OtRebase *rebase, int64 *duplicate_of)
{
	CvgOpScan  *scan = cvg_ops_begin(work->doc_id, sub->base_version, work->window_from);
	OtStatus	status = OT_OK;
	CvgOpRow	row;

	while (status == OT_OK && *duplicate_of == 0 && cvg_ops_next(scan, &row))
	{
		if (row.packed && memcmp(&row.op_id, &sub->op_id, UUID_LEN) == 0)
			*duplicate_of = row.version;
		else
			status = ot_rebase_push(rebase, row.op);
	}
	cvg_ops_end(scan);
	return status;
}

/* The op that leads from version index * span to the next multiple of span. */
static OtOp
composed_block(Work *work, int level, int64 index)
{
	Block		wanted = {.key = {level, index}};
	Block	   *block;
	OtBuffer	out;
	OtFold	   *fold;
	bool		found;

	if (level == 0)
		return work->window[index - work->window_from].op;
	block = hash_search(work->blocks, &wanted.key, HASH_FIND, NULL);
	if (block != NULL)
		return block->op;
	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	for (int64 i = index << BLOCK_BITS; i < (index + 1) << BLOCK_BITS; i++)
		cvg_check_status(ot_fold_push(fold, composed_block(work, level - 1, i)));
	ot_buffer_init(&out, &cvg_allocator, 0);
	cvg_check_status(ot_fold_finish(fold, &out));
	ot_fold_free(fold);
	block = hash_search(work->blocks, &wanted.key, HASH_ENTER, &found);
	block->op = ot_buffer_op(&out);
	return block->op;
}

/* Room for composed blocks, which live as long as the batch. */
static void
create_blocks(Work *work)
{
	HASHCTL		control = {.keysize = sizeof(((Block *) NULL)->key),.entrysize = sizeof(Block),
	.hcxt = CurrentMemoryContext};

	work->blocks = hash_create("converge composed blocks", 256, &control,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Was the op applied before, and packed since? */
static bool
find_packed(Work *work, CvgSubmission *sub, int64 from, int64 *duplicate_of)
{
	for (int64 i = from - work->window_from; i < work->window_size && work->window[i].packed; i++)
	{
		if (memcmp(&work->window[i].op_id, &sub->op_id, UUID_LEN) == 0)
		{
			*duplicate_of = work->window_from + i + 1;
			return true;
		}
	}
	return false;
}

/*
 * Likewise over what the window holds.  The ops of a batch have missed much the
 * same: runs of it are composed once and serve them all, the longest that fit.
 */
static OtStatus
transform_over_window(Work *work, CvgSubmission *sub, OtRebase *rebase, int64 *duplicate_of)
{
	int64		version = Max(sub->base_version, work->window_from);
	int64		upto = work->window_from + work->window_size;
	OtStatus	status = OT_OK;

	if (find_packed(work, sub, version, duplicate_of))
		return OT_OK;
	if (work->blocks == NULL)
		create_blocks(work);
	while (status == OT_OK && version < upto)
	{
		int			level = BLOCK_LEVELS;

		while (version % BLOCK_SPAN(level) != 0 || version + BLOCK_SPAN(level) > upto)
			level--;
		status = ot_rebase_push(rebase,
								composed_block(work, level, version >> (BLOCK_BITS * level)));
		version += BLOCK_SPAN(level);
	}
	return status;
}

/*
 * Carry the op over all that was committed since its base.  An op that was
 * applied on this base before lies on the way: packed history needs no index of
 * operation ids.
 */
static OtStatus
transform_over_missed(Work *work, CvgSubmission *sub, OtBuffer *out, int64 *duplicate_of)
{
	OtRebase   *rebase;
	OtStatus	status;

	/* a single op has nobody to share a window with */
	if (sub->base_version < work->window_from && work->new_ids != NULL &&
		work->window_from - sub->base_version <= WINDOW_OPS - Min(work->window_size, WINDOW_OPS))
		extend_window(work, sub->base_version);
	status = ot_rebase_create(&cvg_allocator, sub->op, &rebase);
	if (status != OT_OK)
		return status;
	if (sub->base_version < work->window_from)
		status = transform_over_far(work, sub, rebase, duplicate_of);
	if (status == OT_OK)
		status = transform_over_window(work, sub, rebase, duplicate_of);
	if (status == OT_OK && *duplicate_of == 0)
		status = ot_rebase_finish(rebase, out);
	ot_rebase_free(rebase);
	return status;
}

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
	status = transform_over_missed(work, sub, &out, &duplicate_of);
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

/* ---- append ---- */

/* Give the op its place: the next version. */
static void
take_place(Work *work, CvgSubmission *sub, const OtMeasure *measure)
{
	CvgHead    *head = &work->head;
	CvgOpRow   *row = &work->rows[work->row_count];

	head->version++;
	head->seq = cvg_next_seq();
	head->length += measure->inserted - measure->deleted;
	head->log_bytes += sub->applied.size;
	head->updated_at = work->at;

	row->version = sub->version = head->version;
	row->seq = sub->seq = head->seq;
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
	reserve_window(work, 1);
	work->window[work->window_size].op = sub->applied;
	work->window[work->window_size].packed = false;
	work->window_size++;
}

/* Decide one op. */
static void
decide(Work *work, CvgSubmission *sub)
{
	OtMeasure	measure;

	if (sub->at_head)
		sub->base_version = work->head.version;
	if (!check_size(sub) ||
		!check_permission(work, sub) ||
		!check_duplicate(work, sub) ||
		!check_base(work, sub) ||
		!transform_to_head(work, sub))
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
	work->window_from = work->head.version;
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
cvg_apply(const pg_uuid_t *doc_id, CvgSubmission **submissions, int count, bool wait)
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
			cvg_append(heads, doc_id, &work.head, work.rows, work.row_count);
			CommandCounterIncrement();
		}
		PopActiveSnapshot();
	}
	else
	{
		for (int i = 0; i < count; i++)
			refuse(submissions[i], locked == CVG_BUSY ? CVG_DOC_BUSY : CVG_NOT_FOUND, NULL);
	}
	table_close(heads, RowExclusiveLock);
}
