/*
 * upkeep/maintenance.c
 *		What is due in a document, and doing it: snapshots and packing.
 *
 * It is due by the amount of log, in proportion to the document: reading stays
 * a matter of the document's size, and writing snapshots a constant share of
 * writing the log.  The worker and CALL converge.maintain() do the same thing.
 */
#include "postgres.h"

#include "access/access.h"
#include "base/subxact.h"
#include "history/snapshot.h"
#include "upkeep/pack.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_maintain_document);
PG_FUNCTION_INFO_V1(converge_due_documents);

/* What reading one op costs beside its bytes, in bytes. */
#define OP_COST			64

/* Least log, in these bytes, that makes a snapshot due. */
#define LEAST_LOG		((int64) 64 * 1024)

/*
 * Older snapshots stay where so much log lies between them: so many times the
 * document, and at least so many ops.
 */
#define SPACING_FACTOR	32
#define SPACING_OPS		((int64) 32768)

/* Half a second, half of what deadlock_timeout is unless somebody changed it. */
#define LOCK_TIMEOUT	"500ms"

static int	pack_keep = 1000;
static int	pack_batch = 1024;

/* Define the settings; the worker has its own. */
void
cvg_maintenance_init(void)
{
	DefineCustomIntVariable("converge.pack_keep",
							"How many of a document's newest ops maintenance leaves unpacked.",
							NULL, &pack_keep, 1000, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("converge.pack_batch",
							"How many ops beyond converge.pack_keep make packing due.",
							NULL, &pack_batch, 1024, 1, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
}

/* Is there so much log since the last snapshot? */
static bool
snapshot_is_due(const CvgHead *head)
{
	int64		log = head->log_bytes + OP_COST * (head->version - head->snapshot_version);

	return log >= Max(LEAST_LOG, head->length);
}

/* Are there so many ops to pack? */
static bool
packing_is_due(const CvgHead *head)
{
	return head->version - head->packed_version >= (int64) pack_keep + pack_batch;
}

typedef struct Errand
{
	const pg_uuid_t *doc_id;
	CvgMaintained done;
} Errand;

/* Do what is due. */
static void
run_errand(void *arg)
{
	Errand	   *errand = arg;
	const pg_uuid_t *doc_id = errand->doc_id;
	CvgMaintained *done = &errand->done;
	CvgHead		head;
	CvgHead		seen;
	int64		packed_version = 0;

	/* for this subtransaction only: a SAVE ends with it */
	(void) set_config_option("lock_timeout", LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (!cvg_maintainer_lock(doc_id, false))
		return;
	cvg_push_latest_snapshot();
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	PopActiveSnapshot();
	if (snapshot_is_due(&head))
	{
		cvg_keep_text(doc_id, "due", &seen);
		cvg_snapshots_thin(doc_id, Max(SPACING_OPS, SPACING_FACTOR * head.length / OP_COST));
		done->snapshot_taken = true;
	}
	if (packing_is_due(&head))
		done->ops_packed = cvg_pack_ops(doc_id, pack_keep, &packed_version);
	if (done->snapshot_taken || done->ops_packed > 0)
		cvg_note_kept(doc_id, done->snapshot_taken ? &seen : NULL, packed_version);
}

/* Do what is due in a document, or leave it for the next time. */
CvgMaintained
cvg_maintain_document(const pg_uuid_t *doc_id)
{
	Errand		errand = {.doc_id = doc_id};
	ErrorData  *error = cvg_try(run_errand, &errand);

	if (error == NULL)
		return errand.done;
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ReThrowError(error);
	return (CvgMaintained)
	{
		0
	};
}

/* ---- which documents ---- */

typedef struct DueList
{
	pg_uuid_t  *ids;
	int			count;
	int			capacity;
} DueList;

/* Note a document that has something due. */
static void
note_due(void *ctx, const pg_uuid_t *doc_id, const CvgHead *head)
{
	DueList    *list = ctx;

	if (!snapshot_is_due(head) && !packing_is_due(head))
		return;
	if (list->count == list->capacity)
	{
		list->capacity *= 2;
		list->ids = repalloc(list->ids, list->capacity * sizeof(pg_uuid_t));
	}
	list->ids[list->count++] = *doc_id;
}

/* The documents that have something due. */
pg_uuid_t  *
cvg_due_documents(int *count)
{
	DueList		list = {.ids = palloc(64 * sizeof(pg_uuid_t)),.capacity = 64};

	cvg_heads_walk(note_due, &list);
	*count = list.count;
	return list.ids;
}

/* ---- SQL ---- */

Datum
converge_maintain_document(PG_FUNCTION_ARGS)
{
	CvgMaintained done;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("document must not be null")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	PreventCommandIfReadOnly("converge.maintain_document()");
	done = cvg_maintain_document(PG_GETARG_UUID_P(0));
	values[0] = BoolGetDatum(done.snapshot_taken);
	values[1] = Int64GetDatum(done.ops_packed);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

Datum
converge_due_documents(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t  *ids;
	int			count;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	ids = cvg_due_documents(&count);
	for (int i = 0; i < count; i++)
	{
		Datum		value = UUIDPGetDatum(&ids[i]);
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
	}
	return (Datum) 0;
}
