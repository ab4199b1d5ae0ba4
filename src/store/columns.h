/*
 * store/columns.h
 *		The numbers of the columns that this library reads and writes, in the order of
 *		the install script.  names.c checks them.
 */
#ifndef CVG_COLUMNS_H
#define CVG_COLUMNS_H

#include "postgres.h"

enum
{
	DOCUMENTS_ID = 1, DOCUMENTS_TITLE, DOCUMENTS_CREATED_AT = 4
};

enum
{
	HEADS_DOC_ID = 1, HEADS_VERSION, HEADS_SEQ, HEADS_LENGTH, HEADS_FLOOR_VERSION,
	HEADS_SNAPSHOT_VERSION, HEADS_LOG_BYTES, HEADS_UPDATED_AT, HEADS_PACKED_VERSION,
	HEADS_MEMBER_CHANGES, HEADS_LIFE,
	HEADS_COLUMNS = HEADS_LIFE
};

enum
{
	LABELS_DOC_ID = 1, LABELS_VERSION
};

enum
{
	MEMBERS_DOC_ID = 1, MEMBERS_USER_ID, MEMBERS_ROLE
};

enum
{
	OPS_DOC_ID = 1, OPS_VERSION, OPS_SEQ, OPS_BASE_VERSION, OPS_CREATED_AT, OPS_OP_ID,
	OPS_SUBMITTED_HASH, OPS_USER_ID, OPS_OP, OPS_COLUMNS = OPS_OP
};

enum
{
	PACKS_DOC_ID = 1, PACKS_FROM_VERSION, PACKS_TO_VERSION, PACKS_FIRST_AT, PACKS_DATA,
	PACKS_COMPOSED, PACKS_IDS
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
				 errmsg("unexpected null in a row of a converge table")));
	return value;
}

#endif							/* CVG_COLUMNS_H */
