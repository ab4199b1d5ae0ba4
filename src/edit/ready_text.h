/*
 * edit/ready_text.h
 *		A ready message as a text: built in a buffer, and not copied again.
 */
#ifndef CVG_READY_TEXT_H
#define CVG_READY_TEXT_H

#include "postgres.h"

#include "lib/stringinfo.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Begin a text in a buffer, in place of what is there: the length stands in front. */
static inline void
cvg_text_begin(StringInfo buffer)
{
	resetStringInfo(buffer);
	appendStringInfoSpaces(buffer, VARHDRSZ);
}

/* Get the text that a buffer holds; it lives as long as the buffer is not changed. */
static inline text *
cvg_text_finish(StringInfo buffer)
{
	SET_VARSIZE(buffer->data, buffer->len);
	return (text *) buffer->data;
}

#endif							/* CVG_READY_TEXT_H */
