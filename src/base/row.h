/*
 * base/row.h
 *		Reads a column of a table's row.
 *
 * PostgreSQL's heap_getattr does the same and checks composite values besides, in newer
 * minor releases by a function that older ones have not: a library that was built on the
 * former would not load on the latter.
 */
#ifndef CVG_ROW_H
#define CVG_ROW_H

#include "postgres.h"

#include "access/htup_details.h"

/* A user column of a row that was read from its table; not for composite values. */
static inline Datum
cvg_row_column(HeapTuple row, AttrNumber number, TupleDesc desc, bool *isnull)
{
	Assert(number > 0);
	if (number > HeapTupleHeaderGetNatts(row->t_data))
		return getmissingattr(desc, number, isnull);
	return fastgetattr(row, number, desc, isnull);
}

#endif							/* CVG_ROW_H */
