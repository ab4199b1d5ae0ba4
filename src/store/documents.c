/*
 * store/documents.c
 *		Reads rows of converge.documents, and locks them for maintenance.
 *
 *		LOCK ORDER: maintenance of a document locks its row in documents, which no writer
 *		does, and takes the lock of its head last and briefly.
 */
#include "store/documents.h"

#include "store/columns.h"
#include "store/names.h"
#include "store/scan.h"
#include "store/statements.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A document's title. */
text	   *
cvg_document_title(const pg_uuid_t *doc_id)
{
	ScanKeyData key;
	Datum		title;

	cvg_document_key(&key, DOCUMENTS_ID, doc_id);
	if (!cvg_fetch_column(cvg_catalog()->documents, cvg_catalog()->documents_pkey, &key, 1,
						  DOCUMENTS_TITLE, &title))
		return NULL;
	return DatumGetTextPP(title);
}

/* When a document was created. */
TimestampTz
cvg_document_created_at(const pg_uuid_t *doc_id)
{
	ScanKeyData key;
	Datum		at = 0;

	cvg_document_key(&key, DOCUMENTS_ID, doc_id);
	cvg_fetch_column(cvg_catalog()->documents, cvg_catalog()->documents_pkey, &key, 1,
					 DOCUMENTS_CREATED_AT, &at);
	return DatumGetTimestampTz(at);
}

/* Take the lock of maintenance on a document. */
bool
cvg_maintainer_lock(const pg_uuid_t *doc_id, bool wait)
{
	Oid			types[] = {UUIDOID};
	Datum		values[] = {UUIDPGetDatum(doc_id)};
	bool		locked;

	SPI_connect();
	cvg_execute(wait
				? "SELECT FROM ONLY converge.documents WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE"
				: "SELECT FROM ONLY converge.documents WHERE id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED",
				1, types, values, NULL);
	locked = SPI_processed > 0;
	SPI_finish();
	return locked;
}
