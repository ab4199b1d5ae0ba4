/*
 * catalog.h
 *		The tables of converge as C sees them.  catalog.c finds and reads them,
 *		catalog_write.c locks and writes them; no other file names a table or a
 *		column.
 *
 * All reads use the active snapshot, so that whoever calls decides what is seen.
 */
#ifndef CVG_CATALOG_H
#define CVG_CATALOG_H

#include "converge.h"

#include "storage/itemptr.h"
#include "utils/relcache.h"

/* What the extension's objects are called in this database. */
typedef struct CvgCatalog
{
	Oid			documents;
	Oid			documents_pkey;
	Oid			heads;
	Oid			heads_pkey;
	Oid			members;
	Oid			members_pkey;
	Oid			ops;
	Oid			ops_pkey;
	Oid			ops_op_id_key;
	Oid			snapshots;
	Oid			snapshots_pkey;
	Oid			op_seq;
	Oid			op_type;
	Oid			role_type;
	Oid			roles[CVG_OWNER + 1];	/* the enum's values, by CvgRole */
} CvgCatalog;

/* Looked up once a backend, and again when one of them has changed. */
extern const CvgCatalog *cvg_catalog(void);

/* ---- columns, in the order of the install script ---- */

enum
{
	HEADS_DOC_ID = 1, HEADS_VERSION, HEADS_SEQ, HEADS_LENGTH, HEADS_FLOOR_VERSION,
	HEADS_SNAPSHOT_VERSION, HEADS_LOG_BYTES, HEADS_UPDATED_AT, HEADS_COLUMNS = HEADS_UPDATED_AT
};

enum
{
	OPS_DOC_ID = 1, OPS_VERSION, OPS_SEQ, OPS_BASE_VERSION, OPS_CREATED_AT, OPS_OP_ID,
	OPS_SUBMITTED_HASH, OPS_USER_ID, OPS_OP, OPS_COLUMNS = OPS_OP
};

/* ---- heads ---- */

typedef struct CvgHead
{
	int64		version;
	int64		seq;
	int64		length;			/* cp */
	int64		floor_version;
	int64		snapshot_version;
	int64		log_bytes;
	TimestampTz updated_at;
	ItemPointerData tid;		/* of a locked head */
} CvgHead;

typedef enum CvgLockResult
{
	CVG_LOCKED,
	CVG_BUSY,					/* somebody holds it and we do not wait */
	CVG_ABSENT					/* no such document */
} CvgLockResult;

extern bool cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head);
extern CvgLockResult cvg_head_lock(Relation heads, const pg_uuid_t *doc_id, bool wait, CvgHead *head);

/* ---- ops ---- */

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
} CvgOpRow;

typedef struct CvgOpScan CvgOpScan;

/* One op, copied into the current context. */
extern bool cvg_op_by_id(const pg_uuid_t *doc_id, const pg_uuid_t *op_id, CvgOpRow *row);
extern bool cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row);

/*
 * The ops that lead from version `after` to version `upto`, in order.  A row
 * lives until the next one is asked for.  A gap in the log is an error.
 */
extern CvgOpScan *cvg_ops_begin(const pg_uuid_t *doc_id, int64 after, int64 upto);
extern bool cvg_ops_next(CvgOpScan *scan, CvgOpRow *row);
extern void cvg_ops_end(CvgOpScan *scan);

/* Append a run of ops to the log and move the head, whose lock we hold. */
extern void cvg_append(Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
					   const CvgOpRow *rows, int count);
extern int64 cvg_next_seq(void);

/* ---- the rest ---- */

extern CvgRole cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len);
/* NULL: no such document. */
extern text *cvg_document_title(const pg_uuid_t *doc_id);
/* The newest snapshot at or below a version; NULL: none, start with ''. */
extern text *cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version);

/* Make the active snapshot one that sees all this transaction has done so far. */
extern void cvg_push_own_snapshot(void);
/* Likewise, and all that others have committed by now, if the isolation level lets it. */
extern void cvg_push_latest_snapshot(void);

#endif							/* CVG_CATALOG_H */
