/*
 * base/uuid_text.h
 *		A uuid as text, for messages.
 */
#ifndef CVG_UUID_TEXT_H
#define CVG_UUID_TEXT_H

#include "postgres.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

/* Print a uuid, in the current context. */
static inline char *
cvg_uuid_text(const pg_uuid_t *id)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}

#endif							/* CVG_UUID_TEXT_H */
