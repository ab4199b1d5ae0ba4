/*
 * type/event.c
 *		A committed op as JSON, printed in one place for the output plugin,
 *		the answers of submit() and the messages of catch_up().
 */
#include "type/event.h"

#include "type/op_type.h"

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Append a whole number. */
void
cvg_append_int64(StringInfo out, int64 value)
{
	enlargeStringInfo(out, MAXINT8LEN + 1);
	out->len += pg_lltoa(value, out->data + out->len);
}

/* Append a uuid in its usual form. */
void
cvg_append_uuid(StringInfo out, const pg_uuid_t *uuid)
{
	static const char hex[] = "0123456789abcdef";
	char		text[36];
	char	   *next = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*next++ = '-';
		*next++ = hex[uuid->data[i] >> 4];
		*next++ = hex[uuid->data[i] & 0x0F];
	}
	appendBinaryStringInfo(out, text, sizeof(text));
}

/* Take over what the core wrote. */
static void
append_buffer(StringInfo out, OtStatus status, OtBuffer *buffer)
{
	cvg_check_status(status);
	if (buffer->size > 0)
		appendBinaryStringInfo(out, (const char *) buffer->data, (int) buffer->size);
	ot_buffer_free(buffer);
}

/* Append a JSON string literal. */
void
cvg_append_json_string(StringInfo out, const char *text, Size size)
{
	OtBuffer	buffer;

	ot_buffer_init(&buffer, &cvg_allocator, 0);
	append_buffer(out, ot_json_string(text, size, &buffer), &buffer);
}

/* Append an op's JSON. */
void
cvg_append_json_op(StringInfo out, OtOp op)
{
	OtBuffer	buffer;

	ot_buffer_init(&buffer, &cvg_allocator, 0);
	append_buffer(out, ot_to_json(op, &buffer), &buffer);
}

/* Append a moment in UTC, whatever the session's time zone: ISO 8601. */
void
cvg_append_moment(StringInfo out, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	appendStringInfo(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
					 tm.tm_year, tm.tm_mon, tm.tm_mday,
					 tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
}

/* Append what an op's entry says of the op. */
void
cvg_event_entry_head(StringInfo out, int64 version, int64 seq, const pg_uuid_t *op_id,
					 const char *user_id, int user_len, int64 base_version, TimestampTz at)
{
	appendStringInfoString(out, "{\"version\":");
	cvg_append_int64(out, version);
	appendStringInfoString(out, ",\"sequenceId\":");
	cvg_append_int64(out, seq);
	appendStringInfoString(out, ",\"operationId\":\"");
	cvg_append_uuid(out, op_id);
	appendStringInfoString(out, "\",\"userId\":");
	cvg_append_json_string(out, user_id, user_len);
	appendStringInfoString(out, ",\"baseVersion\":");
	cvg_append_int64(out, base_version);
	appendStringInfoString(out, ",\"at\":\"");
	cvg_append_moment(out, at);
	appendStringInfoString(out, "\",");
}

/* Append the entry of one committed op. */
void
cvg_event_entry(StringInfo out, int64 version, int64 seq, const pg_uuid_t *op_id,
				const char *user_id, int user_len, int64 base_version,
				TimestampTz at, OtOp op)
{
	cvg_event_entry_head(out, version, seq, op_id, user_id, user_len, base_version, at);
	appendStringInfoString(out, "\"op\":");
	cvg_append_json_op(out, op);
	appendStringInfoChar(out, '}');
}
