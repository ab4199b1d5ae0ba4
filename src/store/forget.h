/*
 * store/forget.h
 *		Forgets the past of a document.
 */
#ifndef CVG_FORGET_H
#define CVG_FORGET_H

#include "postgres.h"

#include "utils/uuid.h"

/* Forget all that led to a version. */
extern void cvg_history_forget(const pg_uuid_t *doc_id, int64 upto);

#endif							/* CVG_FORGET_H */
