/*
 * store/undos.c
 *		Reads and writes rows of converge.undos.
 */
#include "store/undos.h"

#include "store/statements.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Note that one op undid others. */
void
cvg_undos_keep(const pg_uuid_t *doc_id, int64 version, const int64 *undone_versions, int count)
{
	Oid			types[] = {UUIDOID, INT8OID, INT8ARRAYOID};
	Datum	   *undone = palloc(count * sizeof(Datum));
	Datum		values[3];

	for (int i = 0; i < count; i++)
		undone[i] = Int64GetDatum(undone_versions[i]);
	values[0] = UUIDPGetDatum(doc_id);
	values[1] = Int64GetDatum(version);
	values[2] = PointerGetDatum(construct_array(undone, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	SPI_connect();
	cvg_execute("INSERT INTO converge.undos (doc_id, version, undone_version) "
				"SELECT $1, $2, u FROM pg_catalog.unnest($3) AS u", 3, types, values, NULL);
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
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 ORDER BY version DESC, undone_version DESC", 1, types, values, NULL);
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
