/*
 * store/catalog.h
 *		The tables of converge as C sees them.  catalog.c finds them and reads
 *		rows, catalog_log.c reads the log, catalog_write.c locks and appends,
 *		catalog_keep.c does what maintenance needs; no other file names a table
 *		or a column.
 *
 * All reads use the active snapshot, so that whoever calls decides what is seen.
 */
#ifndef CVG_CATALOG_H
#define CVG_CATALOG_H

#include "base/limits.h"
#include "type/op_type.h"

#include "storage/itemptr.h"
#include "storage/lockdefs.h"
#include "datatype/timestamp.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

/* In the order of what they may do; CVG_NO_ROLE is none. */
typedef enum CvgRole
{
	CVG_NO_ROLE,
	CVG_VIEWER,
	CVG_COMMENTER,
	CVG_EDITOR,
	CVG_OWNER
} CvgRole;

extern const char *cvg_role_name(CvgRole role);

/* What the extension's objects are called in this database. */
typedef struct CvgCatalog
{
	Oid			documents;
	Oid			documents_pkey;
	Oid			heads;
	Oid			heads_pkey;
	Oid			labels;
	Oid			labels_pkey;
	Oid			members;
	Oid			members_pkey;
	Oid			ops;
	Oid			ops_pkey;
	Oid			ops_op_id_key;
	Oid			packs;
	Oid			packs_pkey;
	Oid			snapshots;
	Oid			snapshots_pkey;
	Oid			op_seq;
	Oid			op_type;
	Oid			role_type;
	Oid			roles[CVG_OWNER + 1];	/* the enum's values, by CvgRole */
} CvgCatalog;

/* Looked up once a backend, and again when one of them has changed. */
extern const CvgCatalog *cvg_catalog(void);

/* Counts what may have changed one of the tables: while it stays, so does what their relcache says. */
extern uint64 cvg_catalog_changes(void);

/*
 * Open one of these tables.  While its lock was waited for it may have been
 * changed, so what its rows are like is known only then.
 */
extern Relation cvg_open_table(Oid table, LOCKMODE lock);

/* Fail where a table that was opened is not the one by that name any longer. */
extern void cvg_check_current(Relation table, const Oid *current);

/*
 * Take the locks on tables and indexes that an op needs, to the end of the
 * transaction: for those who have many documents to go through, since a lock
 * that is held is only counted when it is taken again.
 */
extern void cvg_hold_locks(void);

/* A scan key on a document's id. */
struct ScanKeyData;
extern void cvg_document_key(struct ScanKeyData *key, AttrNumber column, const pg_uuid_t *doc_id);

/* ---- columns, in the order of the install script ---- */

enum
{
	HEADS_DOC_ID = 1, HEADS_VERSION, HEADS_SEQ, HEADS_LENGTH, HEADS_FLOOR_VERSION,
	HEADS_SNAPSHOT_VERSION, HEADS_LOG_BYTES, HEADS_UPDATED_AT, HEADS_PACKED_VERSION,
	HEADS_MEMBER_CHANGES, HEADS_LIFE,
	HEADS_COLUMNS = HEADS_LIFE
};

enum
{
	OPS_DOC_ID = 1, OPS_VERSION, OPS_SEQ, OPS_BASE_VERSION, OPS_CREATED_AT, OPS_OP_ID,
	OPS_SUBMITTED_HASH, OPS_USER_ID, OPS_OP, OPS_COLUMNS = OPS_OP
};

enum
{
	PACKS_DOC_ID = 1, PACKS_FROM_VERSION, PACKS_TO_VERSION, PACKS_FIRST_AT, PACKS_DATA
};

enum
{
	SNAPSHOTS_DOC_ID = 1, SNAPSHOTS_VERSION, SNAPSHOTS_CREATED_AT = 4, SNAPSHOTS_CONTENT = 6,
	SNAPSHOTS_OP_ID
};

/*
 * A value that is not null.  Columns are NOT NULL, but a constraint may not be
 * valid for the rows that were there before it.
 */
#define cvg_given(value, isnull) cvg_check_given((value), &(isnull))

static inline Datum
cvg_check_given(Datum value, const bool *isnull)
{
	if (unlikely(*isnull))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a row of converge has a null where none may be")));
	return value;
}

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
	int64		packed_version;
	int64		member_changes;
	pg_uuid_t	life;			/* which document it is, of those that had the
								 * id */
	ItemPointerData tid;		/* of a locked head */
} CvgHead;

typedef enum CvgLockResult
{
	CVG_LOCKED,
	CVG_BUSY,					/* somebody holds it and we do not wait */
	CVG_ABSENT					/* no such document */
} CvgLockResult;

/* Read a document's head without locking it; find it in its table where that is open. */
extern bool cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head);
extern bool cvg_head_find(Relation heads, const pg_uuid_t *doc_id, CvgHead *head);

/* Take a head apart, from the columns of its row. */
extern void cvg_head_from_columns(const Datum *values, CvgHead *head);
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
	bool		packed;			/* read from a pack */
} CvgOpRow;

typedef struct CvgOpScan CvgOpScan;

/*
 * One op, copied into the current context; by id only where it is not packed
 * yet, by version only where history holds it: above the floor, up to the head.
 */
extern bool cvg_op_by_id(const pg_uuid_t *doc_id, const pg_uuid_t *op_id, CvgOpRow *row);
extern bool cvg_op_by_version(const pg_uuid_t *doc_id, int64 version, CvgOpRow *row);

/*
 * The ops that lead from version `after` to version `upto`, in order, from packs
 * and from ops as one.  A row lives until the next one is asked for.  A gap in
 * the log is an error.
 */
extern CvgOpScan *cvg_ops_begin(const pg_uuid_t *doc_id, int64 after, int64 upto);
extern bool cvg_ops_next(CvgOpScan *scan, CvgOpRow *row);
extern void cvg_ops_end(CvgOpScan *scan);

/* What a pack's row says it holds. */
typedef struct CvgPackRange
{
	int64		from_version;
	int64		to_version;
	TimestampTz first_at;
} CvgPackRange;

/* The packs of a document, in order; how many. */
extern int	cvg_pack_ranges(const pg_uuid_t *doc_id, CvgPackRange **ranges);

/*
 * Append runs of ops to the log, of one document or of many in turn, and move
 * their heads, whose locks we hold.
 */
typedef struct CvgAppender CvgAppender;
extern CvgAppender *cvg_appender_begin(void);
extern void cvg_append(CvgAppender *appender, Relation heads, const pg_uuid_t *doc_id, const CvgHead *head,
					   const CvgOpRow *rows, int count);
extern void cvg_appender_end(CvgAppender *appender);
extern int64 cvg_next_seq(void);

/* Fail where the row of a version, the last one, is missing; looked at once a backend and document. */
extern void cvg_check_whole(const pg_uuid_t *doc_id, const CvgHead *head, int64 version);

/* What tells one submitted content from another: CRC-32C of the packed op. */
extern int32 cvg_content_hash(OtOp op);

/* The id of the op that made a version; false where it is forgotten, or is no version. */
extern bool cvg_op_id_of(const pg_uuid_t *doc_id, const CvgHead *head, int64 version, pg_uuid_t *op_id);

/* When the floor version came to be: the document's creation, where nothing is forgotten. */
extern TimestampTz cvg_history_begins(const pg_uuid_t *doc_id, const CvgHead *head);

/* The last version at or before a moment; the floor when all are later. */
extern int64 cvg_version_at(const pg_uuid_t *doc_id, const CvgHead *head, TimestampTz at);

/* ---- what maintenance keeps and forgets (catalog_keep.c) ---- */

/*
 * Be the one who maintains a document, until the end of the transaction.  False
 * where another is and we do not wait.
 */
extern bool cvg_maintainer_lock(const pg_uuid_t *doc_id, bool wait);

/* Write a head whose lock we hold. */
extern void cvg_head_update(Relation heads, const pg_uuid_t *doc_id, const CvgHead *head);

/* Calls back for every document's head. */
extern void cvg_heads_walk(void (*visit) (void *ctx, const pg_uuid_t *doc_id, const CvgHead *head),
						   void *ctx);

/*
 * Keep a snapshot; one that is there at that version takes over the kind.
 * op_id is NULL at version 0.
 */
extern void cvg_snapshot_keep(const pg_uuid_t *doc_id, int64 version, int64 seq, TimestampTz at,
							  const char *kind, text * content, const pg_uuid_t *op_id);

/* Give a snapshot a label, beside those it has; one that it has already stays as it is. */
extern void cvg_label_add(const pg_uuid_t *doc_id, int64 version, text * label,
						  const char *user_id, TimestampTz at);

/* Forget the due snapshots that are too close behind another, but for the newest. */
extern void cvg_snapshots_thin(const pg_uuid_t *doc_id, int64 spacing);

extern void cvg_pack_keep(const pg_uuid_t *doc_id, int64 from_version, int64 to_version,
						  TimestampTz first_at, bytea *data);
extern void cvg_pack_forget(const pg_uuid_t *doc_id, int64 to_version);

/* The pack that holds a version; false: none. */
extern bool cvg_pack_find(const pg_uuid_t *doc_id, int64 version, int64 *from_version, int64 *to_version);

/* Delete the ops up to a version that are packed now; how many. */
extern int64 cvg_ops_drop(const pg_uuid_t *doc_id, int64 upto);

/* Forget all that led to a version. */
extern void cvg_history_forget(const pg_uuid_t *doc_id, int64 upto);

/* The op that made `version` undid the one that made `undone_version`. */
typedef struct CvgUndo
{
	int64		version;
	int64		undone_version;
} CvgUndo;

extern void cvg_undo_keep(const pg_uuid_t *doc_id, int64 version, int64 undone_version);

/* All undos of a document, the newest first; how many. */
extern int	cvg_undos_read(const pg_uuid_t *doc_id, CvgUndo **undos);

/* ---- the rest ---- */

extern CvgRole cvg_member_role(const pg_uuid_t *doc_id, const char *user_id, int user_len);

/* NULL: no such document. */
extern text * cvg_document_title(const pg_uuid_t *doc_id);
/* The newest snapshot at or below a version; NULL: none, start with ''. */
extern text * cvg_snapshot_before(const pg_uuid_t *doc_id, int64 version, int64 *snapshot_version);

/* The versions of a document's snapshots, rising; how many. */
extern int	cvg_snapshot_versions(const pg_uuid_t *doc_id, int64 **versions);

/* The versions of a document's labels, one for each label, rising; how many. */
extern int	cvg_label_versions(const pg_uuid_t *doc_id, int64 **versions);

/* Make the active snapshot one that sees all this transaction has done so far. */
extern void cvg_push_own_snapshot(void);

/* Likewise, and all that others have committed by now, if the isolation level lets it. */
extern void cvg_push_latest_snapshot(void);

#endif							/* CVG_CATALOG_H */
