/*
 * edit/take_back.c
 *		Undoing many ops at once, in one pass over the log.
 *
 * At every version there is an op that takes back what was chosen so far.  An op that
 * is not chosen carries it on: the taking back is transformed over it, as the left one.
 * An op that is chosen comes to it: its inverse, then the taking back of before.  By
 * the laws of composition a run of either kind may be treated as one.
 */
#include "edit/take_back.h"

#include "history/snapshot.h"
#include "past/rope.h"
#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

#include "miscadmin.h"

typedef struct TakingBack
{
	OtBuffer	op;				/* takes back what was chosen before this run */
	OtRebase   *carried;		/* it, in a run that is not chosen */
	OtBuffer   *inverses;		/* of a run that is chosen */
	int			count;
	int			capacity;
	OtBuilder	builder;		/* of the inverse that is being made */
	int64		built;			/* cp of the text after its op that it covers */
} TakingBack;

/* ---- a run that is not chosen ---- */

/* Carry the taking back over an op. */
static void
carry_over(TakingBack *back, OtOp op)
{
	if (back->op.size == 0)
		return;
	if (back->carried == NULL)
		cvg_check_status(ot_rebase_create(&cvg_allocator, ot_buffer_op(&back->op), &back->carried));
	cvg_check_status(ot_rebase_push(back->carried, op));
}

/* End the run. */
static void
finish_carrying(TakingBack *back)
{
	if (back->carried == NULL)
		return;
	ot_buffer_free(&back->op);
	ot_buffer_init(&back->op, &cvg_allocator, 0);
	cvg_check_status(ot_rebase_finish(back->carried, &back->op));
	ot_rebase_free(back->carried);
	back->carried = NULL;
}

/* ---- a run that is chosen ---- */

/* Invert a component of an op that is being applied. */
static OtStatus
invert_component(void *ctx, OtKind kind, int64_t pos, int64_t length, const char *text, size_t size)
{
	TakingBack *back = ctx;

	ot_builder_retain(&back->builder, pos - back->built);
	back->built = pos;
	if (kind == OT_DELETE)
		ot_builder_insert(&back->builder, text, size, length);
	else
	{
		ot_builder_delete(&back->builder, length);
		back->built += length;
	}
	return OT_OK;
}

/* Apply an op to the text, and add its inverse to those of the run. */
static void
add_inverse(TakingBack *back, Rope *rope, OtOp op)
{
	OtBuffer   *inverse;

	if (back->count == back->capacity)
	{
		back->capacity = Max(64, 2 * back->capacity);
		back->inverses = back->inverses == NULL ? palloc(back->capacity * sizeof(OtBuffer)) :
			repalloc_huge(back->inverses, back->capacity * sizeof(OtBuffer));
	}
	inverse = &back->inverses[back->count++];
	ot_buffer_init(inverse, &cvg_allocator, 0);
	ot_builder_init(&back->builder, inverse);
	back->built = 0;
	cvg_check_status(rope_apply(rope, op, invert_component, back));
	cvg_check_status(ot_builder_finish(&back->builder));
}

/* End the run: its inverses from the last to the first, then what was there before. */
static void
finish_inverting(TakingBack *back)
{
	OtFold	   *fold;

	if (back->count == 0)
		return;
	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	while (back->count > 0)
	{
		OtBuffer   *inverse = &back->inverses[--back->count];

		cvg_check_status(ot_fold_push(fold, ot_buffer_op(inverse)));
		ot_buffer_free(inverse);
	}
	cvg_check_status(ot_fold_push(fold, ot_buffer_op(&back->op)));
	ot_buffer_free(&back->op);
	ot_buffer_init(&back->op, &cvg_allocator, 0);
	cvg_check_status(ot_fold_finish(fold, &back->op));
	ot_fold_free(fold);
}

/* ---- the pass ---- */

/* The op that takes back what was chosen. */
OtOp
cvg_take_back(const pg_uuid_t *doc_id, int64 after, int64 upto,
			  bool (*is_chosen) (void *ctx, int64 version), void *ctx)
{
	text	   *start = cvg_content_at(doc_id, after);
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);
	TakingBack	back = {0};
	CvgOpRow	row;
	Rope	   *rope;

	ot_buffer_init(&back.op, &cvg_allocator, 0);
	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &rope));
	while (cvg_ops_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		if (is_chosen(ctx, row.version))
		{
			finish_carrying(&back);
			add_inverse(&back, rope, row.op);
		}
		else
		{
			finish_inverting(&back);
			carry_over(&back, row.op);
			cvg_check_status(rope_apply(rope, row.op, NULL, NULL));
		}
	}
	cvg_ops_end(scan);
	finish_carrying(&back);
	finish_inverting(&back);
	rope_free(rope);
	return ot_buffer_op(&back.op);
}
