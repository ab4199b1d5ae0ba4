/*
 * store/additions.h
 *		What was added to a table of converge by others: rules, triggers, constraints,
 *		indexes, columns.
 */
#ifndef CVG_ADDITIONS_H
#define CVG_ADDITIONS_H

#include "postgres.h"

#include "nodes/nodes.h"
#include "utils/relcache.h"

/* Fail where a table has a rule for a command, which only a plan would follow. */
extern void cvg_check_rules(Relation table, CmdType command);

/* Return true if heads have nothing that an update in place would miss. */
extern bool cvg_heads_are_plain(Relation heads);

#endif							/* CVG_ADDITIONS_H */
