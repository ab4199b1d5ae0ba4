/*
 * wire/talk_message.h: messages of clients about comments, suggestions and chat, as
 * calls of SQL; and the stream's events of them. Pure: text in, text out.
 */
#ifndef RELAY_TALK_MESSAGE_H
#define RELAY_TALK_MESSAGE_H

#include "base/docmap.h"
#include "wire/protocol.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALK_PARAMS 7

/* what a client asks for */
struct talk_request
{
	const char *type;			/* of its message: static */
	const char *statement;		/* the name of the prepared statement */
	int			count;
	char	   *values[TALK_PARAMS];	/* its parameters after the document; NULL: null */
	json_t	   *id;				/* of what it is about, or a list of ids */
};

/* an event of the stream; texts are in its line */
struct talk_event
{
	struct uuid doc;
	const char *type;
	size_t		type_len;
	int64_t		changed;		/* its number; 0: it has none */
	const char *fields;			/* those behind the document, from a comma or the brace on */
	size_t		fields_len;
};

/* return true if it is one of these messages */
bool		talk_is_type(const char *type);

/*
 * Read a message; false: *problem is what is wrong, and the id is there to reject it
 * by, or NULL. The request is to be released in both cases.
 */
bool		talk_read(const struct message *m, struct talk_request *request, const char **problem);
void		talk_release(struct talk_request *request);

/* Read an event line of the output plugin; false: it is of another kind. */
bool		talk_read_event(const char *line, size_t len, struct talk_event *event);

/* the messages to clients */
struct frame *talk_event_frame(const struct talk_event *event);
struct frame *talk_reject(const char *type, json_t *id, enum reject_code code, const char *message, int retry_after_ms);

/* tells a client that it may have missed events */
#define TALK_HINT "{\"type\":\"talk\"}"

#endif							/* RELAY_TALK_MESSAGE_H */
