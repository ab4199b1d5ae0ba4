/*
 * base/arrays.c
 *		Reads arrays that are arguments.
 */
#include "base/arrays.h"

#include "utils/array.h"
#include "utils/lsyscache.h"

Datum *
cvg_array_argument(FunctionCallInfo fcinfo, int n, Oid type, int *count)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(n);
	int			known = *count;
	Datum	   *values;
	int16		length;
	bool		by_value;
	char		align;

	if (ARR_NDIM(array) > 1 || array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument %d must be an array of one dimension without nulls", n + 1)));
	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &values, NULL, count);
	if (known >= 0 && known != *count)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("argument %d has %d elements, but must have %d", n + 1, *count, known)));
	return values;
}
