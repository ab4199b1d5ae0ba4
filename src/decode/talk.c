/*
 * decode/talk.c
 *		Prints the events of threads, comments, suggestions and messages: the fields that
 *		converge.talk_events() returns for the same rows.
 */
#include "decode/talk.h"

#include "decode/values.h"
#include "type/event.h"
#include "type/op_type.h"

/* Append what every event of talk has: its number, and the row. */
static void
begin_fields(StringInfo out, const Datum *values)
{
	cvg_append_number(out, "changed", values[TALK_EVENT_CHANGED]);
	cvg_append_id(out, "id", values[TALK_EVENT_ID]);
}

void
cvg_thread_fields(StringInfo out, const Datum *values)
{
	begin_fields(out, values);
	cvg_append_number(out, "version", values[THREAD_EVENT_VERSION]);
	cvg_append_number(out, "from", values[THREAD_EVENT_FROM]);
	cvg_append_number(out, "to", values[THREAD_EVENT_TO]);
	cvg_append_flag(out, "alive", values[THREAD_EVENT_ALIVE]);
	cvg_append_number(out, "length", values[THREAD_EVENT_LENGTH]);
	cvg_append_text(out, "quote", values[THREAD_EVENT_QUOTE]);
	cvg_append_text(out, "prefix", values[THREAD_EVENT_PREFIX]);
	cvg_append_text(out, "suffix", values[THREAD_EVENT_SUFFIX]);
	cvg_append_text(out, "userId", values[THREAD_EVENT_CREATED_BY]);
	cvg_append_at(out, "at", values[THREAD_EVENT_CREATED_AT]);
	cvg_append_text(out, "resolvedBy", values[THREAD_EVENT_RESOLVED_BY]);
	cvg_append_at(out, "resolvedAt", values[THREAD_EVENT_RESOLVED_AT]);
	cvg_append_at(out, "deletedAt", values[THREAD_EVENT_DELETED_AT]);
	appendStringInfoChar(out, '}');
}

void
cvg_comment_fields(StringInfo out, const Datum *values)
{
	begin_fields(out, values);
	cvg_append_id(out, "threadId", values[COMMENT_EVENT_THREAD_ID]);
	cvg_append_text(out, "userId", values[COMMENT_EVENT_USER_ID]);
	cvg_append_text(out, "body", values[COMMENT_EVENT_BODY]);
	cvg_append_at(out, "at", values[COMMENT_EVENT_CREATED_AT]);
	cvg_append_at(out, "editedAt", values[COMMENT_EVENT_EDITED_AT]);
	cvg_append_at(out, "deletedAt", values[COMMENT_EVENT_DELETED_AT]);
	appendStringInfoChar(out, '}');
}

const char *
cvg_suggestion_type(const Datum *values)
{
	struct varlena *status = cvg_plain_varlena(values[SUGGESTION_EVENT_STATUS]);

	return VARSIZE_ANY_EXHDR(status) == 4 && memcmp(VARDATA_ANY(status), "open", 4) == 0 ? "suggest" : "decide";
}

/* Append the version that an accepted suggestion made. */
static void
append_made(StringInfo out, Datum version)
{
	if (DatumGetInt64(version) == DatumGetInt64(CVG_NO_NUMBER))
		appendStringInfoString(out, ",\"version\":null");
	else
		cvg_append_number(out, "version", version);
}

void
cvg_suggestion_fields(StringInfo out, const Datum *values)
{
	begin_fields(out, values);
	cvg_append_number(out, "baseVersion", values[SUGGESTION_EVENT_BASE_VERSION]);
	appendStringInfoString(out, ",\"op\":");
	cvg_append_json_op(out, cvg_op_of(cvg_plain_varlena(values[SUGGESTION_EVENT_OP])));
	cvg_append_text(out, "note", values[SUGGESTION_EVENT_NOTE]);
	cvg_append_text(out, "userId", values[SUGGESTION_EVENT_USER_ID]);
	cvg_append_at(out, "at", values[SUGGESTION_EVENT_CREATED_AT]);
	cvg_append_text(out, "status", values[SUGGESTION_EVENT_STATUS]);
	cvg_append_text(out, "decidedBy", values[SUGGESTION_EVENT_DECIDED_BY]);
	cvg_append_at(out, "decidedAt", values[SUGGESTION_EVENT_DECIDED_AT]);
	append_made(out, values[SUGGESTION_EVENT_VERSION]);
	appendStringInfoChar(out, '}');
}

void
cvg_message_fields(StringInfo out, const Datum *values)
{
	begin_fields(out, values);
	cvg_append_text(out, "userId", values[MESSAGE_EVENT_USER_ID]);
	cvg_append_text(out, "body", values[MESSAGE_EVENT_BODY]);
	cvg_append_number(out, "version", values[MESSAGE_EVENT_VERSION]);
	cvg_append_at(out, "at", values[MESSAGE_EVENT_CREATED_AT]);
	appendStringInfoChar(out, '}');
}
