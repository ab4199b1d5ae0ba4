/*
 * store/undos.c
 *		Reads and writes rows of converge.undos.
 */
#include "store/undos.h"

#include "store/statements.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

/* Note that one op undid another. */
void
cvg_undo_keep(const pg_uuid_t *doc_id, int64 version, int64 undone_version)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8OID};
	Datum		values[] = {UUIDPGetDatum(doc_id), Int64GetDatum(version), Int64GetDatum(undone_version)};

	SPI_connect();
	cvg_execute("INSERT INTO converge.undos (doc_id, version, undone_version) VALUES ($1, $2, $3)",
				3, types, values, NULL);
	SPI_finish();
}

/* All undos of a document, the newest first. */
int
cvg_undos_read(const pg_uuid_t *doc_id, CvgUndo **undos)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(doc_id)};
	int			count;

	SPI_connect();
	cvg_execute("SELECT version, undone_version FROM ONLY converge.undos "
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 ORDER BY version DESC", 1, types, values, NULL);
	count = (int) SPI_processed;
	*undos = MemoryContextAlloc(caller, Max(count, 1) * sizeof(CvgUndo));
	for (int i = 0; i < count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;

		(*undos)[i].version = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));
		(*undos)[i].undone_version = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2, &isnull));
	}
	SPI_finish();
	return count;
}
