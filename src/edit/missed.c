/*
 * edit/missed.c
 *		Carries the ops of a batch over what was committed since their bases.
 *
 * The ops of a batch have missed much the same.  So what they missed is read
 * once, and runs of 16, 256, 4,096 and 65,536 ops of it are composed when they
 * are first wanted and serve all; by the law of composition nothing else comes
 * out than op by op.  A single op, and one that is very far behind, streams.
 */
#include "edit/missed.h"

#include "type/op_type.h"

/* Most ops and bytes kept in memory for the ops of a batch to share. */
#define WINDOW_OPS		65536
#define WINDOW_BYTES	((Size) 32 << 20)

/* So many ops, or blocks of them, are composed to a block of the next level. */
#define BLOCK_BITS		4
#define BLOCK_LEVELS	4
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
cvg_missed_begin(CvgMissed *missed, const pg_uuid_t *doc_id, int64 head_version, bool shared)
{
	memset(missed, 0, sizeof(CvgMissed));
	missed->doc_id = doc_id;
	missed->shared = shared;
	missed->from = head_version;
}

/* Make room for more ops. */
static void
reserve(CvgMissed *missed, int more)
{
	if (missed->count + more <= missed->capacity)
		return;
	missed->capacity = Max(2 * missed->capacity, missed->count + more);
	missed->ops = missed->ops == NULL
		? palloc(missed->capacity * sizeof(CvgMissedOp))
		: repalloc(missed->ops, missed->capacity * sizeof(CvgMissedOp));
}

/* Note an op at the window's end. */
void
cvg_missed_append(CvgMissed *missed, OtOp op)
{
	reserve(missed, 1);
	missed->ops[missed->count].op = op;
	missed->ops[missed->count].packed = false;
	missed->count++;
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
read_ops(CvgMissed *missed, int64 base, CvgMissedOp *places)
{
	CvgOpScan  *scan = cvg_ops_begin(missed->doc_id, base, missed->from);
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
extend(CvgMissed *missed, int64 base)
{
	int64		more = missed->from - base;
	CvgMissedOp *places;

	if (!missed->shared || more <= 0 || more > WINDOW_OPS - missed->count)
		return;
	places = palloc((more + missed->count) * sizeof(CvgMissedOp));
	if (!read_ops(missed, base, places))
	{
		missed->shared = false; /* the next one would fail likewise */
		return;
	}
	if (missed->count > 0)
		memcpy(places + more, missed->ops, missed->count * sizeof(CvgMissedOp));
	missed->ops = places;
	missed->from = base;
	missed->count += (int) more;
	missed->capacity = missed->count;
}

/* ---- composed runs of it ---- */

/* Room for composed blocks, which live as long as the window. */
static void
create_blocks(CvgMissed *missed)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(BlockKey);
	control.entrysize = sizeof(Block);
	control.hcxt = CurrentMemoryContext;
	missed->blocks = hash_create("converge composed blocks", 256, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The op that leads from version index * span to the next multiple of span. */
static OtOp
composed_block(CvgMissed *missed, int level, int64 index)
{
	BlockKey	key = {level, index};
	Block	   *block;
	OtBuffer	out;
	OtFold	   *fold;

	if (level == 0)
		return missed->ops[index - missed->from].op;
	block = hash_search(missed->blocks, &key, HASH_FIND, NULL);
	if (block != NULL)
		return block->op;
	cvg_check_status(ot_fold_create(&cvg_allocator, &fold));
	for (int64 i = index << BLOCK_BITS; i < (index + 1) << BLOCK_BITS; i++)
		cvg_check_status(ot_fold_push(fold, composed_block(missed, level - 1, i)));
	ot_buffer_init(&out, &cvg_allocator, 0);
	cvg_check_status(ot_fold_finish(fold, &out));
	ot_fold_free(fold);
	block = hash_search(missed->blocks, &key, HASH_ENTER, NULL);
	block->op = ot_buffer_op(&out);
	return block->op;
}

/* ---- carrying an op over it ---- */

/* Over what the window does not reach: streamed, not kept. */
static OtStatus
rebase_over_far(CvgMissed *missed, OtRebase *rebase, const pg_uuid_t *op_id, int64 base,
				int64 *duplicate_of)
{
	CvgOpScan  *scan = cvg_ops_begin(missed->doc_id, base, missed->from);
	OtStatus	status = OT_OK;
	CvgOpRow	row;

	while (status == OT_OK && *duplicate_of == 0 && cvg_ops_next(scan, &row))
	{
		if (row.packed && memcmp(&row.op_id, op_id, UUID_LEN) == 0)
			*duplicate_of = row.version;
		else
			status = ot_rebase_push(rebase, row.op);
	}
	cvg_ops_end(scan);
	return status;
}

/* The version of a packed op in the window; 0: it is not there. */
static int64
find_packed(const CvgMissed *missed, const pg_uuid_t *op_id, int64 base)
{
	for (int64 i = base - missed->from; i < missed->count && missed->ops[i].packed; i++)
		if (memcmp(&missed->ops[i].op_id, op_id, UUID_LEN) == 0)
			return missed->from + i + 1;
	return 0;
}

/* Over the window, by the longest runs that fit. */
static OtStatus
rebase_over_window(CvgMissed *missed, OtRebase *rebase, int64 base)
{
	int64		version = base;
	int64		upto = missed->from + missed->count;
	OtStatus	status = OT_OK;

	if (version < upto && missed->blocks == NULL)
		create_blocks(missed);
	while (status == OT_OK && version < upto)
	{
		int			level = BLOCK_LEVELS;

		while (version % BLOCK_SPAN(level) != 0 || version + BLOCK_SPAN(level) > upto)
			level--;
		status = ot_rebase_push(rebase,
								composed_block(missed, level, version >> (BLOCK_BITS * level)));
		version += BLOCK_SPAN(level);
	}
	return status;
}

/* Carry an op over all that was committed since its base. */
OtStatus
cvg_missed_rebase(CvgMissed *missed, OtOp op, const pg_uuid_t *op_id, int64 base,
				  OtBuffer *out, int64 *duplicate_of)
{
	OtRebase   *rebase;
	OtStatus	status;
	int64		window_base;

	*duplicate_of = 0;
	extend(missed, base);
	window_base = Max(base, missed->from);
	status = ot_rebase_create(&cvg_allocator, op, &rebase);
	if (status != OT_OK)
		return status;
	if (base < missed->from)
		status = rebase_over_far(missed, rebase, op_id, base, duplicate_of);
	if (status == OT_OK && *duplicate_of == 0)
		*duplicate_of = find_packed(missed, op_id, window_base);
	if (status == OT_OK && *duplicate_of == 0)
		status = rebase_over_window(missed, rebase, window_base);
	if (status == OT_OK && *duplicate_of == 0)
		status = ot_rebase_finish(rebase, out);
	ot_rebase_free(rebase);
	return status;
}
