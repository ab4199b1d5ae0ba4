/*
 * store/names.h
 *		What the tables, indexes and types of converge are called in this database: their
 *		OIDs.  No file outside this folder names a table or a column.
 */
#ifndef CVG_NAMES_H
#define CVG_NAMES_H

#include "postgres.h"

#include "store/roles.h"

#include "storage/lockdefs.h"
#include "utils/relcache.h"

/* What the extension's objects are called in this database. */
typedef struct CvgCatalog
{
	Oid			documents;
	Oid			documents_pkey;
	Oid			heads;
	Oid			heads_pkey;
	Oid			labels;
	Oid			labels_pkey;
	Oid			members;
	Oid			members_pkey;
	Oid			ops;
	Oid			ops_pkey;
	Oid			ops_op_id_key;
	Oid			packs;
	Oid			packs_pkey;
	Oid			snapshots;
	Oid			snapshots_pkey;
	Oid			op_seq;
	Oid			op_type;
	Oid			role_type;
	Oid			roles[CVG_OWNER + 1];	/* the enum's values, by CvgRole */
} CvgCatalog;

/* Looked up once a backend, and again when one of them has changed. */
extern const CvgCatalog *cvg_catalog(void);

/* Counts what may have changed one of the tables: while it stays, so does what their relcache says. */
extern uint64 cvg_catalog_changes(void);

/*
 * Open one of these tables.  While its lock was waited for it may have been
 * changed, so what its rows are like is known only then.
 */
extern Relation cvg_open_table(Oid table, LOCKMODE lock);

/* Fail where a table that was opened is not the one by that name any longer. */
extern void cvg_check_current(Relation table, const Oid *current);

/*
 * Take the locks on tables and indexes that an op needs, to the end of the
 * transaction: for those who have many documents to go through, since a lock
 * that is held is only counted when it is taken again.
 */
extern void cvg_hold_locks(void);

#endif							/* CVG_NAMES_H */
