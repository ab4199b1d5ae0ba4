/*
 * store/ops.h
 *		The rows of converge.ops: ops that are not packed yet.
 */
#ifndef CVG_OPS_H
#define CVG_OPS_H

#include "postgres.h"

#include "type/op_type.h"

#include "access/htup.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/uuid.h"

typedef struct CvgOpRow
{
	int64		version;
	int64		seq;
	int64		base_version;
	TimestampTz created_at;
	pg_uuid_t	op_id;
	int32		submitted_hash;
	const char *user_id;
	int			user_len;
	OtOp		op;
	bool		packed;			/* read from a pack */
	bool		composed;		/* of a whole pack: only version and op are
								 * set */
} CvgOpRow;

/* Take a row of the table apart; it points into the tuple where it can. */
extern void cvg_op_row_read(HeapTuple tuple, TupleDesc desc, CvgOpRow *row);

/* Fill a slot of the table's with a row, in the current context. */
extern void cvg_op_row_fill(TupleTableSlot *slot, const pg_uuid_t *doc_id, const CvgOpRow *row);

/* Give a row memory of its own, in the current context. */
extern void cvg_op_row_copy(CvgOpRow *row);

/* One op that is not packed yet, by its id, copied into the current context. */
extern bool cvg_op_by_id(const pg_uuid_t *doc_id, const pg_uuid_t *op_id, CvgOpRow *row);

/* Delete the ops up to a version that are packed now; how many. */
extern int64 cvg_ops_drop(const pg_uuid_t *doc_id, int64 upto);

/* What tells one submitted content from another: CRC-32C of the packed op. */
extern int32 cvg_content_hash(OtOp op);

#endif							/* CVG_OPS_H */
