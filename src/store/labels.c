/*
 * store/labels.c
 *		Reads and writes rows of converge.labels.
 */
#include "store/labels.h"

#include "store/columns.h"
#include "store/names.h"
#include "store/scan.h"
#include "store/statements.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Label a snapshot. */
void
cvg_label_add(const pg_uuid_t *doc_id, int64 version, text * label,
			  const char *user_id, TimestampTz at)
{
	Oid			types[] = {UUIDOID, INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(version), PointerGetDatum(label),
		CStringGetTextDatum(user_id), TimestampTzGetDatum(at)
	};

	SPI_connect();
	cvg_execute("INSERT INTO converge.labels (doc_id, version, label, user_id, created_at) "
				"VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING", 5, types, values, NULL);
	SPI_finish();
}

/* The versions of a document's labels. */
int
cvg_label_versions(const pg_uuid_t *doc_id, int64 **versions)
{
	return cvg_list_versions(cvg_catalog()->labels, cvg_catalog()->labels_pkey,
							 LABELS_DOC_ID, LABELS_VERSION, doc_id, versions);
}
