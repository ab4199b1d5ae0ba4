/*
 * converge.c
 *		The library's entry: its magic, the list of what has to be set up, and the
 *		one way to fail in part.
 */
#include "converge.h"

#include "upkeep/pack.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/resowner.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Set up each part that wants it. */
void
_PG_init(void)
{
	cvg_access_init();
	cvg_maintenance_init();
	MarkGUCPrefixReserved("converge");
}

/* Do something in a subtransaction. */
ErrorData  *
cvg_try(void (*work) (void *arg), void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}
