/*
 * store/heads.h
 *		A document's head: its version, and what goes with it.
 */
#ifndef CVG_HEADS_H
#define CVG_HEADS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

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
	CVG_BUSY,					/* another transaction holds it and we do not
								 * wait */
	CVG_ABSENT					/* no such document */
} CvgLockResult;

/* Read a document's head without locking it; find it in its table where that is open. */
extern bool cvg_head_read(const pg_uuid_t *doc_id, CvgHead *head);
extern bool cvg_head_find(Relation heads, const pg_uuid_t *doc_id, CvgHead *head);
extern CvgLockResult cvg_head_lock(Relation heads, const pg_uuid_t *doc_id, bool wait, CvgHead *head);

/* Write a head whose lock we hold. */
extern void cvg_head_update(Relation heads, const pg_uuid_t *doc_id, const CvgHead *head);

/* Call back for every document's head. */
extern void cvg_heads_walk(void (*visit) (void *ctx, const pg_uuid_t *doc_id, const CvgHead *head),
						   void *ctx);

/* The next number of the server sequence. */
extern int64 cvg_next_seq(void);

#endif							/* CVG_HEADS_H */
