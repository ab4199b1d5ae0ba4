/*
 * edit/undo.c
 *		revert, undo, undo_last and undo_range.  Each makes a new op; history stays as it
 *		was.
 *
 * The head's lock is taken first, so that the op is applied at exactly the head
 * that it was made for.
 */
#include "postgres.h"

#include "access/access.h"
#include "edit/at_head.h"
#include "edit/take_back.h"
#include "history/snapshot.h"
#include "type/op_type.h"

#include "access/context.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/names.h"
#include "store/ops.h"
#include "store/roles.h"
#include "store/scan.h"
#include "store/undos.h"

#include "access/table.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(converge_revert);
PG_FUNCTION_INFO_V1(converge_undo);
PG_FUNCTION_INFO_V1(converge_undo_last);
PG_FUNCTION_INFO_V1(converge_undo_range);

/* How far undo_last looks back at first, in versions. */
#define FIRST_LOOK_BACK	64

/* How many ops whose undo amounts to nothing undo_last passes over. */
#define UNDO_TRIES		32

/* ---- revert ---- */

/* Return true if two versions have the same text, though the ops between them change something. */
static bool
is_same_text(const pg_uuid_t *doc_id, OtOp difference, int64 a, int64 b)
{
	OtMeasure	measure;
	text	   *a_text;
	text	   *b_text;

	ot_measure(difference, &measure);
	if (measure.inserted != measure.deleted)
		return false;
	a_text = cvg_content_at(doc_id, a);
	b_text = cvg_content_at(doc_id, b);
	return VARSIZE_ANY_EXHDR(a_text) == VARSIZE_ANY_EXHDR(b_text) &&
		memcmp(VARDATA_ANY(a_text), VARDATA_ANY(b_text), VARSIZE_ANY_EXHDR(a_text)) == 0;
}

Datum
converge_revert(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 2, "converge.revert()");
	int64		version = PG_GETARG_INT64(1);
	CvgHead		head;
	OtOp		back;

	cvg_edit_begin(doc_id, &head);
	cvg_check_version(&head, version);
	back = cvg_op_of((struct varlena *) DatumGetPointer(cvg_diff(doc_id, head.version, version)));
	if (back.size > 0 && is_same_text(doc_id, back, head.version, version))
		back.size = 0;			/* the identity, which makes no version */
	PG_RETURN_INT64(cvg_edit_finish(doc_id, back));
}

/* ---- undo ---- */

/* The version of an op by its id, packed or not. */
static int64
find_op(const pg_uuid_t *doc_id, const CvgHead *head, const pg_uuid_t *op_id)
{
	CvgOpScan  *scan;
	CvgOpRow	row;
	bool		found = false;

	if (cvg_op_by_id(doc_id, op_id, &row))
		return row.version;
	scan = cvg_runs_begin(doc_id, head->floor_version, head->packed_version, op_id);
	while (!found && cvg_ops_next(scan, &row))
		found = !row.composed && memcmp(&row.op_id, op_id, UUID_LEN) == 0;
	cvg_ops_end(scan);
	if (!found)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("operation %s is not in the history of the document",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(op_id))))));
	return row.version;
}

/* What undid a version last. */
typedef struct LastUndo
{
	int64		undone_version;
	int64		version;
} LastUndo;

/* A set of versions, or of entries that begin with one. */
static HTAB *
version_set(Size entry_size)
{
	HASHCTL		control = {.keysize = sizeof(int64),.entrysize = entry_size,
	.hcxt = CurrentMemoryContext};

	return hash_create("converge versions", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* What was undone by what, in a document. */
typedef struct Undos
{
	CvgUndo    *rows;			/* the newest first */
	int			count;
	HTAB	   *last;			/* for each version that was ever undone, what
								 * undid it last */
	HTAB	   *undone;			/* versions that are undone now */
	HTAB	   *undos;			/* versions that are undos */
} Undos;

/*
 * Which versions are undone now, and which are undos.  Walking from the newest:
 * an undo holds unless a later one, which was met before, undid it.
 */
static void
read_undos(const pg_uuid_t *doc_id, Undos *undos)
{
	CvgCaller	caller;

	cvg_owner_begin(cvg_catalog()->heads, &caller);
	undos->count = cvg_undos_read(doc_id, &undos->rows);
	cvg_owner_end(&caller);
	undos->last = version_set(sizeof(LastUndo));
	undos->undone = version_set(sizeof(int64));
	undos->undos = version_set(sizeof(int64));
	for (int i = 0; i < undos->count; i++)
	{
		const CvgUndo *undo = &undos->rows[i];
		bool		found;
		LastUndo   *last = hash_search(undos->last, &undo->undone_version, HASH_ENTER, &found);

		CHECK_FOR_INTERRUPTS();
		if (!found)
			last->version = undo->version;
		hash_search(undos->undos, &undo->version, HASH_ENTER, NULL);
		if (hash_search(undos->undone, &undo->version, HASH_FIND, NULL) == NULL)
			hash_search(undos->undone, &undo->undone_version, HASH_ENTER, NULL);
	}
}

/* What undid a version last; 0: nothing. */
static int64
undone_by(const Undos *undos, int64 version)
{
	const LastUndo *last = hash_search(undos->last, &version, HASH_FIND, NULL);

	return last == NULL ? 0 : last->version;
}

/*
 * The version whose op did what stands in the text of a version's op now: itself,
 * or where it was undone and done again, what did it again.
 */
static int64
stands_for(const Undos *undos, int64 version)
{
	int64		undo;

	while ((undo = undone_by(undos, version)) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		version = undone_by(undos, undo);
	}
	return version;
}

/* The op that takes back what made a version, carried over all that came after. */
static OtOp
make_undo(const pg_uuid_t *doc_id, const CvgHead *head, const CvgOpRow *undone)
{
	text	   *before = cvg_content_at(doc_id, undone->version - 1);
	CvgOpScan  *scan = cvg_runs_begin(doc_id, undone->version, head->version, NULL);
	CvgOpRow	row;
	OtBuffer	inverse;
	OtBuffer	carried;
	OtRebase   *rebase;

	ot_buffer_init(&inverse, &cvg_allocator, 0);
	cvg_check_status(ot_invert(undone->op, VARDATA_ANY(before), VARSIZE_ANY_EXHDR(before), &inverse));
	cvg_check_status(ot_rebase_create(&cvg_allocator, ot_buffer_op(&inverse), &rebase));
	while (cvg_ops_next(scan, &row))
		cvg_check_status(ot_rebase_push(rebase, row.op));
	cvg_ops_end(scan);
	ot_buffer_init(&carried, &cvg_allocator, 0);
	cvg_check_status(ot_rebase_finish(rebase, &carried));
	ot_rebase_free(rebase);
	return ot_buffer_op(&carried);
}

/* The op that undoes a version which is not undone. */
static OtOp
find_undo(const pg_uuid_t *doc_id, const CvgHead *head, int64 undone_version)
{
	CvgOpRow	row;

	if (!cvg_op_by_version(doc_id, undone_version, &row))
		elog(ERROR, "version " INT64_FORMAT " vanished", undone_version);
	return make_undo(doc_id, head, &row);
}

/*
 * Apply an undo and note it, with the owner's rights.  One that amounts to
 * nothing, since others have deleted all that was inserted, makes no version, and
 * there is nothing to note.
 */
static int64
apply_undo(const pg_uuid_t *doc_id, OtOp undo, int64 undone_version)
{
	int64		version = cvg_edit_finish(doc_id, undo);
	CvgCaller	caller;

	if (undo.size == 0)
		return version;
	cvg_owner_begin(cvg_catalog()->heads, &caller);
	cvg_undos_keep(doc_id, version, &undone_version, 1);
	cvg_owner_end(&caller);
	return version;
}

Datum
converge_undo(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 2, "converge.undo()");
	pg_uuid_t  *op_id = PG_GETARG_UUID_P(1);
	CvgHead		head;
	Undos		undos;
	int64		version;

	cvg_edit_begin(doc_id, &head);
	version = find_op(doc_id, &head, op_id);
	read_undos(doc_id, &undos);
	if (hash_search(undos.undone, &version, HASH_FIND, NULL) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("operation %s has already been undone",
						DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(op_id)))),
				 errhint("To redo it, undo the operation that undid it.")));
	version = stands_for(&undos, version);
	PG_RETURN_INT64(apply_undo(doc_id, find_undo(doc_id, &head, version), version));
}

/* The newest op of a user in a stretch of the log that can be undone. */
static int64
newest_of_user(const pg_uuid_t *doc_id, int64 after, int64 upto, const text * user_id,
			   const Undos *undos)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, after, upto);
	CvgOpRow	row;
	int64		newest = 0;

	while (cvg_ops_next(scan, &row))
		if (row.user_len == VARSIZE_ANY_EXHDR(user_id) &&
			memcmp(row.user_id, VARDATA_ANY(user_id), row.user_len) == 0 &&
			hash_search(undos->undos, &row.version, HASH_FIND, NULL) == NULL &&
			hash_search(undos->undone, &row.version, HASH_FIND, NULL) == NULL)
			newest = row.version;
	cvg_ops_end(scan);
	return newest;
}

/* The same in all of history up to a version; 0: there is none. */
static int64
newest_of_user_upto(const pg_uuid_t *doc_id, const CvgHead *head, int64 upto, const text * user_id,
					const Undos *undos)
{
	int64		newest = 0;

	/* ever longer stretches, so that packs are not read over and over */
	for (int64 look_back = FIRST_LOOK_BACK; newest == 0 && upto > head->floor_version; look_back *= 8)
	{
		int64		after = Max(upto - look_back, head->floor_version);

		newest = newest_of_user(doc_id, after, upto, user_id, undos);
		upto = after;
	}
	return newest;
}

/*
 * Undo a user's newest op.  Where that amounts to nothing, the one before is meant,
 * or each further call would come to the same; where all do, no version is made.
 */
Datum
converge_undo_last(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 1, "converge.undo_last()");
	text	   *user_id = PG_ARGISNULL(1) ? cstring_to_text(cvg_acting_user()) : PG_GETARG_TEXT_PP(1);
	CvgHead		head;
	Undos		undos;
	OtOp		undo = {0};
	int64		newest;
	int64		stands = 0;

	cvg_edit_begin(doc_id, &head);
	read_undos(doc_id, &undos);
	newest = newest_of_user_upto(doc_id, &head, head.version, user_id, &undos);
	for (int tries = 0; newest != 0 && undo.size == 0 && tries < UNDO_TRIES; tries++)
	{
		stands = stands_for(&undos, newest);
		undo = find_undo(doc_id, &head, stands);
		if (undo.size == 0)
			newest = newest_of_user_upto(doc_id, &head, newest - 1, user_id, &undos);
	}
	if (stands == 0)
	{
		PopActiveSnapshot();
		PG_RETURN_NULL();
	}
	PG_RETURN_INT64(apply_undo(doc_id, undo, stands));
}

/* ---- a range ---- */

/* The versions that a call undoes. */
typedef struct Chosen
{
	HTAB	   *versions;
	int64		first;
	int64	   *undone;			/* what the undo is noted for */
	int			count;
} Chosen;

/* Return true if a version is one of them. */
static bool
is_chosen(void *ctx, int64 version)
{
	return hash_search(((Chosen *) ctx)->versions, &version, HASH_FIND, NULL) != NULL;
}

/* The versions of a document that an undo undid, in a range; an undo of one that is in it as well counts with it. */
static HTAB *
undos_within(const Undos *undos, int64 from, int64 upto)
{
	HTAB	   *within = version_set(sizeof(int64));

	for (int i = 0; i < undos->count; i++)
		if (undos->rows[i].undone_version >= from && undos->rows[i].version <= upto)
			hash_search(within, &undos->rows[i].version, HASH_ENTER, NULL);
	return within;
}

/* Choose a version, or what stands for it now. */
static void
choose(Chosen *chosen, const Undos *undos, int64 version, int64 capacity)
{
	bool		found;

	version = stands_for(undos, version);
	hash_search(chosen->versions, &version, HASH_ENTER, &found);
	if (found)
		return;
	if (chosen->undone == NULL)
		chosen->undone = MemoryContextAllocHuge(CurrentMemoryContext, capacity * sizeof(int64));
	chosen->undone[chosen->count++] = version;
	chosen->first = chosen->count == 1 ? version : Min(chosen->first, version);
}

/* Choose the ops of a range, of a user or of all, that are not undone. */
static void
choose_range(const pg_uuid_t *doc_id, int64 from, int64 upto, const text *user_id, const Undos *undos, Chosen *chosen)
{
	CvgOpScan  *scan = cvg_ops_begin(doc_id, from - 1, upto);
	HTAB	   *within = undos_within(undos, from, upto);
	CvgOpRow	row;

	chosen->versions = version_set(sizeof(int64));
	while (cvg_ops_next(scan, &row))
		if ((user_id == NULL || (row.user_len == VARSIZE_ANY_EXHDR(user_id) &&
								 memcmp(row.user_id, VARDATA_ANY(user_id), row.user_len) == 0)) &&
			hash_search(undos->undone, &row.version, HASH_FIND, NULL) == NULL &&
			hash_search(within, &row.version, HASH_FIND, NULL) == NULL)
			choose(chosen, undos, row.version, upto - from + 1);
	cvg_ops_end(scan);
}

/* Fail for a range that is none of the available history. */
static void
check_range(const CvgHead *head, int64 from, int64 upto)
{
	if (from < 1 || upto < from)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("versions " INT64_FORMAT " to " INT64_FORMAT " are no range", from, upto),
				 errdetail("A range begins at 1 or later and does not end before it begins.")));
	cvg_check_version(head, from - 1);
	cvg_check_version(head, upto);
}

/* Undo the ops of a range, of a user or of all, by one op. */
Datum
converge_undo_range(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 3, "converge.undo_range()");
	int64		from = PG_GETARG_INT64(1);
	int64		upto = PG_GETARG_INT64(2);
	Chosen		chosen = {0};
	CvgHead		head;
	Undos		undos;
	OtOp		undo = {0};
	int64		version;
	CvgCaller	caller;

	cvg_edit_begin(doc_id, &head);
	check_range(&head, from, upto);
	read_undos(doc_id, &undos);
	choose_range(doc_id, from, upto, PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3), &undos, &chosen);
	if (chosen.count > 0)
		undo = cvg_take_back(doc_id, chosen.first - 1, head.version, is_chosen, &chosen);
	version = cvg_edit_finish(doc_id, undo);
	if (undo.size > 0)
	{
		cvg_owner_begin(cvg_catalog()->heads, &caller);
		cvg_undos_keep(doc_id, version, chosen.undone, chosen.count);
		cvg_owner_end(&caller);
	}
	PG_RETURN_INT64(version);
}
