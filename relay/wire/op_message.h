/*
 * wire/op_message.h: an operation's message as most clients write it, read without
 * building a document of it.
 */
#ifndef RELAY_OP_MESSAGE_H
#define RELAY_OP_MESSAGE_H

#include "base/docmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct op_message
{
	struct uuid operation_id;
	int64_t		base_version;
	const char *op;				/* its JSON, in the message */
	size_t		op_len;
};

/*
 * Return true if a message is a plain op: valid JSON and UTF-8, with the keys type,
 * operationId, baseVersion and op and no others, each once and without escapes, and an
 * op of counts, texts and {"d":count}. Whether another message is an op, or is JSON at
 * all, this does not say.
 */
bool		op_message_read(const char *text, size_t len, struct op_message *message);

#endif							/* RELAY_OP_MESSAGE_H */
