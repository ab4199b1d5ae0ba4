/*
 * store/statements.h
 *		Plain SQL, for what is not in the way of a keystroke; and checks of what came of it.
 *		The functions that call it are SECURITY DEFINER with a fixed search_path.
 */
#ifndef CVG_STATEMENTS_H
#define CVG_STATEMENTS_H

#include "postgres.h"

#include "access/attnum.h"
#include "utils/uuid.h"

/* Run one statement; the caller has connected to SPI. */
extern void cvg_execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls);

/* Run one statement about a document and a version; return how many rows it touched. */
extern int64 cvg_run_for_version(const char *sql, const pg_uuid_t *doc_id, int64 version);

/*
 * Fail where a row that was just written is not there, or has not what was put in a
 * column: by a trigger, a rule or a policy.  Else what it stands for would be
 * forgotten next.  The table's key is a document and a version.
 */
extern void cvg_check_written(Oid table, Oid index, const pg_uuid_t *doc_id, AttrNumber key, int64 version,
							  AttrNumber column, const void *expected);

/* Fail where rows up to a version are still there that were just deleted. */
extern void cvg_check_deleted(Oid table, Oid index, const pg_uuid_t *doc_id, AttrNumber key, int64 upto);

#endif							/* CVG_STATEMENTS_H */
