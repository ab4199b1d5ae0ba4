/*
 * converge.c
 *		The library's entry: its magic and the list of what has to be set up.
 */
#include "converge.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

/* Set up each part that wants it. */
void
_PG_init(void)
{
	cvg_access_init();
}
