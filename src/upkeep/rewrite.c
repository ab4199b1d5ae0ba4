/*
 * upkeep/rewrite.c
 *		Changing the log where it stands, packed or not.
 */
#include "upkeep/rewrite.h"

#include "store/log.h"
#include "store/names.h"
#include "store/packs.h"
#include "store/scan.h"
#include "store/statements.h"
#include "type/op_type.h"
#include "upkeep/pack.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* A run of the log, and what is done with its rows. */
typedef struct Rewriting
{
	CvgOpScan  *scan;
	CvgRowChange change;
	void	   *ctx;
	MemoryContext row_context;	/* what one row needs */
	int64		changed;		/* rows */
} Rewriting;

/* The next row, changed. */
static bool
next_changed(void *ctx, CvgOpRow *row)
{
	Rewriting  *run = ctx;
	MemoryContext caller;

	CHECK_FOR_INTERRUPTS();
	if (!cvg_ops_next(run->scan, row))
		return false;
	caller = MemoryContextSwitchTo(run->row_context);
	MemoryContextReset(run->row_context);
	run->changed += run->change(run->ctx, row);
	MemoryContextSwitchTo(caller);
	return true;
}

/* Return true if a run of the log has a row that changes. */
static bool
has_change(Rewriting *run, const pg_uuid_t *doc_id, int64 after, int64 upto)
{
	CvgOpRow	row;
	bool		found = false;

	run->scan = cvg_ops_begin(doc_id, after, upto);
	while (!found && cvg_ops_next(run->scan, &row))
	{
		MemoryContext caller = MemoryContextSwitchTo(run->row_context);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->row_context);
		found = run->change(run->ctx, &row);
		MemoryContextSwitchTo(caller);
	}
	cvg_ops_end(run->scan);
	return found;
}

/* Write a pack anew. */
static void
rewrite_pack(Rewriting *run, const pg_uuid_t *doc_id, const CvgPackRange *range)
{
	cvg_push_own_snapshot();
	run->scan = cvg_ops_begin(doc_id, range->from_version - 1, range->to_version);
	/* our snapshot still has it */
	cvg_pack_forget(doc_id, range->to_version);
	cvg_write_packs(doc_id, next_changed, run, range->to_version);
	cvg_ops_end(run->scan);
	PopActiveSnapshot();
}

/* Write a row of ops anew. */
static void
rewrite_row(const pg_uuid_t *doc_id, const CvgOpRow *row)
{
	Oid			types[] = {UUIDOID, INT8OID, cvg_catalog()->op_type, INT4OID, TEXTOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(row->version), cvg_op_datum(row->op), Int32GetDatum(row->submitted_hash),
		PointerGetDatum(cstring_to_text_with_len(row->user_id, row->user_len))
	};

	SPI_connect();
	cvg_execute("UPDATE ONLY converge.ops SET op = $3, submitted_hash = $4, user_id = $5 "
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2", 5, types, values, NULL);
	SPI_finish();
}

/* Change the rows that are not packed. */
static void
rewrite_hot(Rewriting *run, const pg_uuid_t *doc_id, const CvgHead *head)
{
	CvgOpRow	row;

	run->scan = cvg_ops_begin(doc_id, head->packed_version, head->version);
	while (cvg_ops_next(run->scan, &row))
	{
		MemoryContext caller = MemoryContextSwitchTo(run->row_context);

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(run->row_context);
		if (run->change(run->ctx, &row))
		{
			rewrite_row(doc_id, &row);
			run->changed++;
		}
		MemoryContextSwitchTo(caller);
	}
	cvg_ops_end(run->scan);
}

/* Change the rows of the log. */
int64
cvg_rewrite_log(const pg_uuid_t *doc_id, const CvgHead *head, CvgRowChange change, void *ctx)
{
	Rewriting	run = {.change = change,.ctx = ctx};
	CvgPackRange *packs;
	int			count = cvg_pack_ranges(doc_id, &packs);

	run.row_context = AllocSetContextCreate(CurrentMemoryContext, "converge rewritten op", ALLOCSET_SMALL_SIZES);
	for (int i = 0; i < count; i++)
		if (has_change(&run, doc_id, packs[i].from_version - 1, packs[i].to_version))
			rewrite_pack(&run, doc_id, &packs[i]);
	rewrite_hot(&run, doc_id, head);
	MemoryContextDelete(run.row_context);
	CommandCounterIncrement();
	return run.changed;
}
