/*
 * edit/sequence.c
 *		Numbers of the server sequence that rise inside a document.
 *
 * The sequence is behind the rows where these were copied without it: by logical
 * replication, which carries no sequences, by COPY of a document, or after a
 * setval() by hand.  Then it is raised above all rows before a number is taken.
 */
#include "edit/sequence.h"

#include "access/context.h"

#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/fmgrprotos.h"

/* Up to this distance numbers are drawn and dropped; others may draw at the same time. */
#define DRAW_DISTANCE	1000

/* Take over a head's seq where it is greater. */
static void
note_highest(void *highest, const pg_uuid_t *doc_id, const CvgHead *head)
{
	if (head->seq > *(int64 *) highest)
		*(int64 *) highest = head->seq;
}

/* Set the sequence, whoever calls. */
static void
set_sequence(int64 value)
{
	Oid			sequence = cvg_catalog()->op_seq;
	CvgCaller	caller;

	cvg_owner_begin(sequence, &caller);
	DirectFunctionCall2(setval_oid, ObjectIdGetDatum(sequence), Int64GetDatum(value));
	cvg_owner_end(&caller);
}

/*
 * Raise the sequence above what it must be, and above the numbers of all other
 * documents.  One session at a time: the second one finds it raised.
 */
static int64
raise_sequence(int64 least)
{
	Oid			sequence = cvg_catalog()->op_seq;
	int64		highest = least;
	int64		seq;

	LockDatabaseObject(RelationRelationId, sequence, 1, ExclusiveLock);
	seq = cvg_next_seq();
	if (seq <= least)
	{
		cvg_heads_walk(note_highest, &highest);
		if (highest - seq > DRAW_DISTANCE)
			set_sequence(highest);
		while (seq <= highest)
			seq = cvg_next_seq();
	}
	UnlockDatabaseObject(RelationRelationId, sequence, 1, ExclusiveLock);
	return seq;
}

int64
cvg_next_seq_above(int64 least)
{
	int64		seq = cvg_next_seq();

	return seq > least ? seq : raise_sequence(least);
}
