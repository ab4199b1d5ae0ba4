/*
 * base/call.h
 *		What functions that SQL calls share: arguments that must be given, and a row as
 *		the result.
 */
#ifndef CVG_CALL_H
#define CVG_CALL_H

#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"

/* Fail where an argument is null that must not be; `what` names it, or several. */
static inline void
cvg_require_given(bool isnull, const char *what)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
}

/* Get the type of the row that a function returns. */
static inline TupleDesc
cvg_row_type(FunctionCallInfo fcinfo)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return BlessTupleDesc(desc);
}

#endif							/* CVG_CALL_H */
