/*
 * upkeep/worker.c
 *		The maintenance worker, if converge is in shared_preload_libraries.
 *
 * A launcher wakes up every converge.maintenance_interval and starts a worker in
 * one database after another, which does the work that is due there, one
 * transaction for each document, and ends.  So databases may be created and
 * dropped at any time, and a crash costs only one round.
 */
#include "upkeep/worker.h"

#include "store/statements.h"
#include "upkeep/pack.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

extern PGDLLEXPORT void converge_launcher_main(Datum arg);
extern PGDLLEXPORT void converge_worker_main(Datum arg);

static bool maintenance_on = true;
static int	maintenance_interval = 10;

/* Define the settings, and register the launcher where the server is starting. */
void
cvg_worker_init(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = 10,
		.bgw_name = "converge maintenance launcher",
		.bgw_type = "converge maintenance launcher",
		.bgw_library_name = "converge",
		.bgw_function_name = "converge_launcher_main"
	};

	DefineCustomBoolVariable("converge.maintenance",
							 "Enables snapshots and packing by the maintenance worker.",
							 "The worker runs only if converge is in shared_preload_libraries.",
							 &maintenance_on, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("converge.maintenance_interval",
							"Time that the maintenance worker sleeps between two rounds.",
							NULL, &maintenance_interval, 10, 1, 86400, PGC_SIGHUP, GUC_UNIT_S,
							NULL, NULL, NULL);
	/* pg_upgrade runs servers whose databases are half made */
	if (process_shared_preload_libraries_in_progress && !IsBinaryUpgrade)
		RegisterBackgroundWorker(&worker);
}

/* ---- the launcher ---- */

/*
 * Return true where one can connect to a database. Below -1 its limit of connections
 * says that a DROP DATABASE was interrupted: the server refuses every session there.
 */
static bool
is_open(Form_pg_database database)
{
	return database->datallowconn && !database->datistemplate && database->datconnlimit >= -1;
}

/* The next database one can connect to, by oid; they come and go meanwhile. */
static Oid
next_database(Oid after)
{
	Oid			next = InvalidOid;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);

		if (is_open(database) && database->oid > after &&
			(!OidIsValid(next) || database->oid < next))
			next = database->oid;
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	PopActiveSnapshot();
	CommitTransactionCommand();
	return next;
}

/* Send a worker into a database and wait until it is done. */
static void
visit_database(Oid database)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_name = "converge maintenance",
		.bgw_type = "converge maintenance",
		.bgw_library_name = "converge",
		.bgw_function_name = "converge_worker_main",
		.bgw_main_arg = ObjectIdGetDatum(database),
		.bgw_notify_pid = MyProcPid
	};
	BackgroundWorkerHandle *handle;

	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		ereport(LOG,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no background worker slot is free for converge maintenance"),
				 errhint("You may need to increase max_worker_processes.")));
		return;
	}
	WaitForBackgroundWorkerShutdown(handle);
}

/* Rest, but wake up for signals. */
static void
rest(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 1000L * maintenance_interval, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
}

/* Round after round. */
void
converge_launcher_main(Datum arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	for (;;)
	{
		Oid			database = InvalidOid;

		rest();
		if (!maintenance_on)
			continue;
		while (OidIsValid(database = next_database(database)))
		{
			visit_database(database);
			CHECK_FOR_INTERRUPTS();
		}
	}
}

/* ---- a worker ---- */

/* What is due in this database; nothing where there is no converge. */
static pg_uuid_t *
list_due(MemoryContext context, int *count)
{
	pg_uuid_t  *due = NULL;

	*count = 0;
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (OidIsValid(get_extension_oid("converge", true)))
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		due = cvg_due_documents(count);
		MemoryContextSwitchTo(caller);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	return due;
}

/* Do one document's work in a transaction of its own. */
static void
maintain_one(const pg_uuid_t *doc_id)
{
	char	   *id;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	id = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(doc_id)));
	pgstat_report_activity(STATE_RUNNING, psprintf("maintaining document %s", id));
	cvg_maintain_document(doc_id);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Likewise, but log the error of a document that fails and continue with the next. */
static void
try_to_maintain(const pg_uuid_t *doc_id)
{
	PG_TRY();
	{
		maintain_one(doc_id);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(TopMemoryContext);
}

/* Call the hooks of documents that are no longer edited, in a transaction. */
static void
run_hooks(void)
{
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	if (OidIsValid(get_extension_oid("converge", true)))
	{
		pgstat_report_activity(STATE_RUNNING, "calling hooks");
		SPI_connect();
		cvg_execute("SELECT converge.run_pause_hooks(interval '5 seconds', 1000)", 0, NULL, NULL, NULL);
		SPI_finish();
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Likewise, but log an error. */
static void
try_to_run_hooks(void)
{
	PG_TRY();
	{
		run_hooks();
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(TopMemoryContext);
}

/* One document after another. */
void
converge_worker_main(Datum arg)
{
	MemoryContext context;
	pg_uuid_t  *due;
	int			count;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetConfigOption("application_name", "converge maintenance", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	/* what a database asks of its clients is not asked of us */
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);
	context = AllocSetContextCreate(TopMemoryContext, "converge maintenance", ALLOCSET_DEFAULT_SIZES);
	due = list_due(context, &count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		try_to_maintain(&due[i]);
	}
	try_to_run_hooks();
}
