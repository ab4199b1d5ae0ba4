/*
 * type/event.h
 *		Committed ops as JSON.
 */
#ifndef CVG_EVENT_H
#define CVG_EVENT_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/uuid.h"

#include "ot/ot.h"

/*
 * Append the entry of one committed op, the same text wherever it is shown:
 * {"version":12,"sequenceId":345,"operationId":"...","userId":"...",
 *	"baseVersion":11,"at":"2026-01-31T12:34:56.123456Z","op":[5,"hi"]}
 */
extern void cvg_event_entry(StringInfo out, int64 version, int64 seq,
							const pg_uuid_t *op_id, const char *user_id, int user_len,
							int64 base_version, TimestampTz at, OtOp op);

/* The same up to the op: what follows is the caller's, and the closing brace. */
extern void cvg_event_entry_head(StringInfo out, int64 version, int64 seq,
								 const pg_uuid_t *op_id, const char *user_id, int user_len,
								 int64 base_version, TimestampTz at);

/* Append a JSON string literal. */
extern void cvg_append_json_string(StringInfo out, const char *text, Size size);

/* Append an op's JSON. */
extern void cvg_append_json_op(StringInfo out, OtOp op);

/* Append a uuid's 36 characters, without quotes. */
extern void cvg_append_uuid(StringInfo out, const pg_uuid_t *uuid);

/* Append a moment in UTC, which must be finite: 2026-01-31T12:34:56.123456Z. */
extern void cvg_append_moment(StringInfo out, TimestampTz at);

/* Append a whole number. */
extern void cvg_append_int64(StringInfo out, int64 value);

#endif							/* CVG_EVENT_H */
