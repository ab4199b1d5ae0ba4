/*
 * store/catalog_layout.h
 *		What tables, columns and indexes must be like for this library, which
 *		reads and writes them without the executor; and when a head may be
 *		written without it, too.
 */
#ifndef CVG_CATALOG_LAYOUT_H
#define CVG_CATALOG_LAYOUT_H

#include "store/catalog.h"

#include "nodes/nodes.h"

/* Fail where one of our tables is not an ordinary one, in a heap, and logged. */
extern void cvg_check_table(Oid table, const char *name);

/* Fail where a column is not what it must be. */
extern void cvg_check_column(Oid table, const char *table_name, AttrNumber number,
							 const char *name, Oid type, bool nullable);

/* Fail where an index is not a unique b-tree that begins with these columns (second may be 0). */
extern void cvg_check_index(Oid index, Oid table, AttrNumber first, AttrNumber second);

/* Fail where a table has a rule for a command, which only a plan would follow. */
extern void cvg_check_rules(Relation table, CmdType command);

/* Return true if heads have nothing that an update in place would miss. */
extern bool cvg_heads_are_plain(Relation heads);

#endif							/* CVG_CATALOG_LAYOUT_H */
