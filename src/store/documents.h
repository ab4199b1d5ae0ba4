/*
 * store/documents.h
 *		The rows of converge.documents.
 */
#ifndef CVG_DOCUMENTS_H
#define CVG_DOCUMENTS_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* A document's title; NULL where there is no such document. */
extern text * cvg_document_title(const pg_uuid_t *doc_id);

/* When a document was created; 0 where there is no such document. */
extern TimestampTz cvg_document_created_at(const pg_uuid_t *doc_id);

/*
 * Take the lock of maintenance on a document, until the end of the transaction.  False
 * where another transaction has it and we do not wait.
 */
extern bool cvg_maintainer_lock(const pg_uuid_t *doc_id, bool wait);

#endif							/* CVG_DOCUMENTS_H */
