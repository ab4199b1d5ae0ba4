/*
 * module.c
 *		The library's entry: its magic, and the list of what has to be set up.
 */
#include "postgres.h"

#include "access/access.h"
#include "upkeep/pack.h"
#include "upkeep/worker.h"

#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Set up each part that wants it. */
void
_PG_init(void)
{
	cvg_access_init();
	cvg_maintenance_init();
	cvg_worker_init();
	MarkGUCPrefixReserved("converge");
}
