/*
 * store/scan.h
 *		Reads rows through an index, without the executor: a keystroke makes three to four
 *		index probes, and setting up a plan for each would cost more than they do.
 *
 *		All reads use the active snapshot, so that the caller decides what is seen.
 */
#ifndef CVG_SCAN_H
#define CVG_SCAN_H

#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

/* Set a scan key on a document's id. */
extern void cvg_document_key(ScanKey key, AttrNumber column, const pg_uuid_t *doc_id);

/*
 * Copy one column of the row that the keys name; false where there is no such row,
 * or it has a null there.
 */
extern bool cvg_fetch_column(Oid table, Oid index, ScanKey keys, int key_count, AttrNumber column, Datum *value);

/* A scan of the rows that keys name, in the order of an index. */
typedef struct CvgScan
{
	Relation	table;
	Relation	index;
	SysScanDesc scan;
} CvgScan;

extern void cvg_scan_begin(CvgScan *scan, Oid table, Oid index, ScanKey keys, int key_count);
extern HeapTuple cvg_scan_next(CvgScan *scan, ScanDirection direction);
extern void cvg_scan_end(CvgScan *scan);

/*
 * List the versions of a document's rows in a table whose key begins with the
 * document and the version, rising; return how many.
 */
extern int	cvg_list_versions(Oid table, Oid index, AttrNumber doc_id_column, AttrNumber version_column,
							  const pg_uuid_t *doc_id, int64 **versions);

/* Make the active snapshot one that sees all this transaction has done so far. */
extern void cvg_push_own_snapshot(void);

/* Likewise, and all that others have committed by now, if the isolation level lets it. */
extern void cvg_push_latest_snapshot(void);

#endif							/* CVG_SCAN_H */
