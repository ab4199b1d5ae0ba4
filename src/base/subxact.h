/*
 * base/subxact.h
 *		Runs work in a subtransaction and returns its error.
 */
#ifndef CVG_SUBXACT_H
#define CVG_SUBXACT_H

#include "postgres.h"

/*
 * Run a function in a subtransaction.  Return NULL if it succeeded, else its error;
 * then its changes are rolled back.
 */
extern ErrorData *cvg_try(void (*work) (void *arg), void *arg);

#endif							/* CVG_SUBXACT_H */
