/*
 * base/arrays.h
 *		Arrays as arguments that have one value for each row.
 */
#ifndef CVG_ARRAYS_H
#define CVG_ARRAYS_H

#include "postgres.h"

#include "fmgr.h"

/*
 * Get the values of argument n, an array of a type; the first array decides how
 * many (*count is -1), the others must have as many.  Fails for nulls.
 */
extern Datum *cvg_array_argument(FunctionCallInfo fcinfo, int n, Oid type, int *count);

#endif							/* CVG_ARRAYS_H */
