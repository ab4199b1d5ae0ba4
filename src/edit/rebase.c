/*
 * edit/rebase.c
 *		Carries the ops of a batch over what was committed since their bases.
 *
 * The ops of a batch have mostly missed the same ops.  These are read once, and
 * runs of 16, 256 and 4,096 of them are composed when first needed and shared by
 * all; by the law of composition the result is the same as op by op.  A single op,
 * and one that is far behind, is transformed while the log is read, by whole packs
 * where they are composed.
 */
#include "edit/rebase.h"

#include "store/log.h"
#include "store/ops.h"
#include "type/op_type.h"

/* Most ops and bytes kept in memory for the ops of a batch to share. */
#define WINDOW_OPS		16384
#define WINDOW_BYTES	((Size) 32 << 20)

/* So many ops, or blocks of them, are composed to a block of the next level. */
#define BLOCK_BITS		4
#define BLOCK_LEVELS	3
#define BLOCK_SPAN(level) ((int64) 1 << (BLOCK_BITS * (level)))

/* A composed run: the `span` ops after version index * span. */
typedef struct BlockKey
{
	int64		level;
	int64		index;
} BlockKey;

typedef struct Block
{
	BlockKey	key;
	OtOp		op;
} Block;

/* ---- the window ---- */

/* Begin with an empty window. */
void
cvg_rebase_begin(CvgRebase *window, const pg_uuid_t *doc_id, int64 head_version, bool shared)
{
	memset(window, 0, sizeof(CvgRebase));
	window->doc_id = doc_id;
	window->shared = shared;
	window->from = head_version;
}

/* Make room for more ops. */
static void
reserve(CvgRebase *window, int more)
{
	if (window->count + more <= window->capacity)
		return;
	window->capacity = Max(2 * window->capacity, window->count + more);
	window->ops = window->ops == NULL
		? palloc(window->capacity * sizeof(CvgRebaseOp))
		: repalloc(window->ops, window->capacity * sizeof(CvgRebaseOp));
}

/* Note an op at the window's end. */
void
cvg_rebase_append(CvgRebase *window, OtOp op)
{
	reserve(window, 1);
	window->ops[window->count].op = op;
	window->ops[window->count].packed = false;
	window->count++;
}

/* Copy a packed op. */
static OtOp
copy_op(OtOp op)
{
	OtOp		copy = {memcpy(palloc(op.size + 1), op.data, op.size), op.size};

	return copy;
}

/* Read ops into free places; false where they are too many bytes to keep. */
static bool
read_ops(CvgRebase *window, int64 base, CvgRebaseOp *places)
{
	CvgOpScan  *scan = cvg_ops_begin(window->doc_id, base, window->from);
	CvgOpRow	row;
	Size		bytes = 0;
	int			i = 0;

	while (bytes <= WINDOW_BYTES && cvg_ops_next(scan, &row))
	{
		places[i].op = copy_op(row.op);
		places[i].packed = row.packed;
		places[i].op_id = row.op_id;
		bytes += row.op.size;
		i++;
	}
	cvg_ops_end(scan);
	return bytes <= WINDOW_BYTES;
}

/* Let the window begin at an op's base, where it is worth it. */
static void
extend(CvgRebase *window, int64 base)
{
	int64		more = window->from - base;
	CvgRebaseOp *places;

	if (!window->shared || more <= 0 || more > WINDOW_OPS - window->count)
		return;
	places = palloc((more + window->count) * sizeof(CvgRebaseOp));
	if (!read_ops(window, base, places))
	{
		window->shared = false; /* the next one would fail likewise */
		return;
	}
	if (window->count > 0)
		memcpy(places + more, window->ops, window->count * sizeof(CvgRebaseOp));
	window->ops = places;
	window->from = base;
	window->count += (int) more;
	window->capacity = window->count;
}

/* ---- composed runs of it ---- */

/* Room for composed blocks, which live as long as the window. */
static void
create_blocks(CvgRebase *window)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(BlockKey);
	control.entrysize = sizeof(Block);
	control.hcxt = CurrentMemoryContext;
	window->blocks = hash_create("converge composed blocks", 256, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The op that leads from version index * span to the next multiple of span. */
static OtOp
composed_block(CvgRebase *window, int level, int64 index)
{
	BlockKey	key = {level, index};
	Block	   *block;
	OtBuffer	out;
	OtFold	   *fold;

	if (level == 0)
		return window->ops[index - window->from].op;
	block = hash_search(window->blocks, &key, HASH_FIND, NULL);
	if (block != NULL)
		return block->op;
	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	for (int64 i = index << BLOCK_BITS; i < (index + 1) << BLOCK_BITS; i++)
		cvg_check_status(ot_fold_push(fold, composed_block(window, level - 1, i)));
	ot_buffer_init(&out, &cvg_allocator, 0);
	cvg_check_status(ot_fold_finish(fold, &out));
	ot_fold_free(fold);
	block = hash_search(window->blocks, &key, HASH_ENTER, NULL);
	block->op = ot_buffer_op(&out);
	return block->op;
}

/* ---- carrying an op over it ---- */

/* Over what the window does not reach: streamed by whole packs, not kept. */
static OtStatus
rebase_over_far(CvgRebase *window, OtRebase *rebase, const pg_uuid_t *op_id, int64 base,
				int64 *duplicate_of)
{
	CvgOpScan  *scan = cvg_runs_begin(window->doc_id, base, window->from, op_id);
	OtStatus	status = OT_OK;
	CvgOpRow	row;

	while (status == OT_OK && *duplicate_of == 0 && cvg_ops_next(scan, &row))
	{
		if (row.packed && !row.composed && memcmp(&row.op_id, op_id, UUID_LEN) == 0)
			*duplicate_of = row.version;
		else
			status = ot_rebase_push(rebase, row.op);
	}
	cvg_ops_end(scan);
	return status;
}

/* The version of a packed op in the window; 0: it is not there. */
static int64
find_packed(const CvgRebase *window, const pg_uuid_t *op_id, int64 base)
{
	for (int64 i = base - window->from; i < window->count && window->ops[i].packed; i++)
		if (memcmp(&window->ops[i].op_id, op_id, UUID_LEN) == 0)
			return window->from + i + 1;
	return 0;
}

/* Over the window, by the longest runs that fit. */
static OtStatus
rebase_over_window(CvgRebase *window, OtRebase *rebase, int64 base)
{
	int64		version = base;
	int64		upto = window->from + window->count;
	OtStatus	status = OT_OK;

	if (version < upto && window->blocks == NULL)
		create_blocks(window);
	while (status == OT_OK && version < upto)
	{
		int			level = BLOCK_LEVELS;

		while (version % BLOCK_SPAN(level) != 0 || version + BLOCK_SPAN(level) > upto)
			level--;
		status = ot_rebase_push(rebase,
								composed_block(window, level, version >> (BLOCK_BITS * level)));
		version += BLOCK_SPAN(level);
	}
	return status;
}

/* Carry an op over all that was committed since its base. */
OtStatus
cvg_rebase_op(CvgRebase *window, OtOp op, const pg_uuid_t *op_id, int64 base,
			  OtBuffer *out, int64 *duplicate_of)
{
	OtRebase   *rebase;
	OtStatus	status;
	int64		window_base;

	*duplicate_of = 0;
	extend(window, base);
	window_base = Max(base, window->from);
	status = ot_rebase_create(&cvg_allocator, op, &rebase);
	if (status != OT_OK)
		return status;
	if (base < window->from)
		status = rebase_over_far(window, rebase, op_id, base, duplicate_of);
	if (status == OT_OK && *duplicate_of == 0)
		*duplicate_of = find_packed(window, op_id, window_base);
	if (status == OT_OK && *duplicate_of == 0)
		status = rebase_over_window(window, rebase, window_base);
	if (status == OT_OK && *duplicate_of == 0)
		status = ot_rebase_finish(rebase, out);
	ot_rebase_free(rebase);
	return status;
}
