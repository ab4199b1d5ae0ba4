/*
 * base/subxact.h
 *		Failing in part: work in a subtransaction.
 */
#ifndef CVG_SUBXACT_H
#define CVG_SUBXACT_H

#include "postgres.h"

/*
 * Do something in a subtransaction.  NULL when it succeeded; else what went
 * wrong, and nothing of it was done.
 */
extern ErrorData *cvg_try(void (*work) (void *arg), void *arg);

#endif							/* CVG_SUBXACT_H */
