/*
 * ot/fold.c
 *		Many ops at once: composed into one, or one op carried over them all.
 *
 * A fold is a stack of partial compositions in which each holds at least twice
 * the bytes of the one above it.  So a byte is composed O(log n) times, and the
 * stack is no deeper than the bits of a size.
 */
#include "ot_internal.h"

/* Deep enough: sizes double downwards and none passes OT_MAX_BYTES. */
#define MAX_DEPTH	32

struct OtFold
{
	OtBuffer	stack[MAX_DEPTH];	/* all initialised; those in use first */
	OtBuffer	scratch;
	int			depth;
	size_t		size;			/* of the whole stack */
	OtStatus	status;			/* the first error sticks */
};

static void
swap(OtBuffer *a, OtBuffer *b)
{
	OtBuffer	swapped = *a;

	*a = *b;
	*b = swapped;
}

/* Begin an empty fold. */
OtStatus
ot_fold_create(const OtAllocator *allocator, OtFold **fold)
{
	OtFold	   *made = allocator->resize(allocator->ctx, NULL, sizeof(OtFold));

	*fold = made;
	if (made == NULL)
		return OT_NO_MEMORY;
	for (int i = 0; i < MAX_DEPTH; i++)
		ot_buffer_init(&made->stack[i], allocator, 0);
	ot_buffer_init(&made->scratch, allocator, 0);
	made->depth = 0;
	made->size = 0;
	made->status = OT_OK;
	return OT_OK;
}

/* Compose the two topmost partial results. */
static void
merge_top(OtFold *fold)
{
	OtBuffer   *top = &fold->stack[fold->depth - 1];
	OtBuffer   *below = top - 1;

	ot_buffer_reset(&fold->scratch);
	fold->status = ot_compose(ot_buffer_op(below), ot_buffer_op(top), &fold->scratch);
	if (fold->status != OT_OK)
		return;
	fold->size = fold->size - below->size - top->size + fold->scratch.size;
	swap(below, &fold->scratch);
	fold->depth--;
}

/* Is the topmost too large to stay apart from the one below it? */
static bool
top_heavy(const OtFold *fold)
{
	const OtBuffer *top;

	if (fold->depth < 2)
		return false;
	top = &fold->stack[fold->depth - 1];
	return top[-1].size / 2 < top->size;
}

/* Compose one more op behind the others. */
OtStatus
ot_fold_push(OtFold *fold, OtOp op)
{
	OtBuffer   *top = &fold->stack[fold->depth];

	if (fold->status != OT_OK || op.size == 0)
		return fold->status;
	ot_buffer_reset(top);
	fold->status = ot_buffer_append(top, op.data, op.size);
	if (fold->status != OT_OK)
		return fold->status;
	fold->depth++;
	fold->size += op.size;
	while (fold->status == OT_OK && top_heavy(fold))
		merge_top(fold);
	return fold->status;
}

/* Bytes held at present. */
size_t
ot_fold_size(const OtFold *fold)
{
	return fold->size;
}

/* Write the composition of all that was pushed; the fold is then empty. */
OtStatus
ot_fold_finish(OtFold *fold, OtBuffer *out)
{
	OtOp		nothing = {NULL, 0};
	OtOp		lower = nothing;
	OtOp		upper = nothing;

	while (fold->status == OT_OK && fold->depth > 2)
		merge_top(fold);
	if (fold->status != OT_OK)
		return fold->status;
	if (fold->depth > 0)
		lower = ot_buffer_op(&fold->stack[0]);
	if (fold->depth > 1)
		upper = ot_buffer_op(&fold->stack[1]);
	fold->depth = 0;
	fold->size = 0;
	return ot_compose(lower, upper, out);
}

/* Give the fold's memory back. */
void
ot_fold_free(OtFold *fold)
{
	const OtAllocator *allocator;

	if (fold == NULL)
		return;
	allocator = fold->scratch.allocator;
	for (int i = 0; i < MAX_DEPTH; i++)
		ot_buffer_free(&fold->stack[i]);
	ot_buffer_free(&fold->scratch);
	allocator->release(allocator->ctx, fold);
}

/* ---- one op over many ---- */

/* An op of so few bytes is carried at once over whatever comes. */
#define SMALL_OP	64

struct OtRebase
{
	const OtAllocator *allocator;
	OtBuffer	op;
	OtBuffer	scratch;
	OtBuffer	run;
	OtFold	   *pending;		/* pushed but not yet transformed over */
};

/* Begin to carry an op. */
OtStatus
ot_rebase_create(const OtAllocator *allocator, OtOp op, OtRebase **rebase)
{
	OtRebase   *made = allocator->resize(allocator->ctx, NULL, sizeof(OtRebase));
	OtStatus	status;

	*rebase = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	made->allocator = allocator;
	made->pending = NULL;
	ot_buffer_init(&made->op, allocator, 0);
	ot_buffer_init(&made->scratch, allocator, 0);
	ot_buffer_init(&made->run, allocator, 0);
	status = ot_buffer_append(&made->op, op.data, op.size);
	if (status == OT_OK)
		*rebase = made;
	else
		ot_rebase_free(made);
	return status;
}

/* Transform the op over one run. */
static OtStatus
carry(OtRebase *rebase, OtOp over)
{
	OtStatus	status;

	ot_buffer_reset(&rebase->scratch);
	status = ot_transform(ot_buffer_op(&rebase->op), over, OT_LEFT, &rebase->scratch);
	if (status == OT_OK)
		swap(&rebase->op, &rebase->scratch);
	return status;
}

/* Is there anything the op was not yet transformed over? */
static bool
holding(const OtRebase *rebase)
{
	return rebase->pending != NULL && ot_fold_size(rebase->pending) > 0;
}

/* Transform the op over what was held back. */
static OtStatus
carry_pending(OtRebase *rebase)
{
	OtStatus	status;

	ot_buffer_reset(&rebase->run);
	status = ot_fold_finish(rebase->pending, &rebase->run);
	if (status == OT_OK)
		status = carry(rebase, ot_buffer_op(&rebase->run));
	return status;
}

/*
 * Carry the op over one more.  What is as large as the op costs least at once;
 * smaller ones are held back and composed until together they are.
 */
OtStatus
ot_rebase_push(OtRebase *rebase, OtOp over)
{
	size_t		size = rebase->op.size;
	OtStatus	status = OT_OK;

	if (!holding(rebase) && (size <= SMALL_OP || size <= over.size))
		return carry(rebase, over);
	if (rebase->pending == NULL)
		status = ot_fold_create(rebase->allocator, &rebase->pending);
	if (status == OT_OK)
		status = ot_fold_push(rebase->pending, over);
	if (status == OT_OK && ot_fold_size(rebase->pending) >= size)
		status = carry_pending(rebase);
	return status;
}

/* Write the transformed op; the rebase may only be freed then. */
OtStatus
ot_rebase_finish(OtRebase *rebase, OtBuffer *out)
{
	OtStatus	status = OT_OK;
	OtOp		op;

	if (holding(rebase))
		status = carry_pending(rebase);
	if (status != OT_OK)
		return status;
	op = ot_buffer_op(&rebase->op);
	return ot_buffer_append(out, op.data, op.size);
}

/* Give the rebase's memory back. */
void
ot_rebase_free(OtRebase *rebase)
{
	if (rebase == NULL)
		return;
	ot_fold_free(rebase->pending);
	ot_buffer_free(&rebase->op);
	ot_buffer_free(&rebase->scratch);
	ot_buffer_free(&rebase->run);
	rebase->allocator->release(rebase->allocator->ctx, rebase);
}
