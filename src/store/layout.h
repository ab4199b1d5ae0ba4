/*
 * store/layout.h
 *		What tables, columns and indexes must be like for this library, which reads and
 *		writes them without the executor.
 */
#ifndef CVG_LAYOUT_H
#define CVG_LAYOUT_H

#include "postgres.h"

#include "access/attnum.h"

/* Fail where one of our tables is not an ordinary one, in a heap, and logged. */
extern void cvg_check_table(Oid table, const char *name);

/* Fail where a column is not what it must be. */
extern void cvg_check_column(Oid table, const char *table_name, AttrNumber number,
							 const char *name, Oid type, bool nullable);

/* Fail where an index is not a unique b-tree that begins with these columns (second may be 0). */
extern void cvg_check_index(Oid index, Oid table, AttrNumber first, AttrNumber second);

#endif							/* CVG_LAYOUT_H */
