/*
 * decode/talk.h
 *		The events of threads, comments, suggestions and messages.
 */
#ifndef CVG_DECODE_TALK_H
#define CVG_DECODE_TALK_H

#include "postgres.h"

#include "lib/stringinfo.h"

/* The columns that the events begin with: whose document, which row, its last change. */
enum
{
	TALK_EVENT_DOC_ID,
	TALK_EVENT_ID,
	TALK_EVENT_CHANGED
};

/* ... and those of each table behind them, in the order of the events' fields. */
enum
{
	THREAD_EVENT_VERSION = TALK_EVENT_CHANGED + 1,
	THREAD_EVENT_FROM,
	THREAD_EVENT_TO,
	THREAD_EVENT_ALIVE,
	THREAD_EVENT_LENGTH,
	THREAD_EVENT_QUOTE,
	THREAD_EVENT_PREFIX,
	THREAD_EVENT_SUFFIX,
	THREAD_EVENT_CREATED_BY,
	THREAD_EVENT_CREATED_AT,
	THREAD_EVENT_RESOLVED_BY,
	THREAD_EVENT_RESOLVED_AT,
	THREAD_EVENT_DELETED_AT
};

enum
{
	COMMENT_EVENT_THREAD_ID = TALK_EVENT_CHANGED + 1,
	COMMENT_EVENT_USER_ID,
	COMMENT_EVENT_BODY,
	COMMENT_EVENT_CREATED_AT,
	COMMENT_EVENT_EDITED_AT,
	COMMENT_EVENT_DELETED_AT
};

enum
{
	SUGGESTION_EVENT_BASE_VERSION = TALK_EVENT_CHANGED + 1,
	SUGGESTION_EVENT_OP,
	SUGGESTION_EVENT_NOTE,
	SUGGESTION_EVENT_USER_ID,
	SUGGESTION_EVENT_CREATED_AT,
	SUGGESTION_EVENT_STATUS,
	SUGGESTION_EVENT_DECIDED_BY,
	SUGGESTION_EVENT_DECIDED_AT,
	SUGGESTION_EVENT_VERSION
};

enum
{
	MESSAGE_EVENT_USER_ID = TALK_EVENT_CHANGED + 1,
	MESSAGE_EVENT_BODY,
	MESSAGE_EVENT_VERSION,
	MESSAGE_EVENT_CREATED_AT
};

/* Append the fields of an event that follow those of every event, and end it. */
extern void cvg_thread_fields(StringInfo out, const Datum *values);
extern void cvg_comment_fields(StringInfo out, const Datum *values);
extern void cvg_suggestion_fields(StringInfo out, const Datum *values);
extern void cvg_message_fields(StringInfo out, const Datum *values);

/* The type of a suggestion's event: `suggest` of an open one, else `decide`. */
extern const char *cvg_suggestion_type(const Datum *values);

#endif							/* CVG_DECODE_TALK_H */
