/*
 * client/message.h
 *		Messages of converge.v1, written and read.
 */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include "client/collab.h"

/* Each returns text to be freed, and its size. */
extern char *message_hello(const char *token, bool resume, int64_t version,
						   const char *operation_id, const char *pending, size_t *size);
extern char *message_op(const char *operation_id, int64_t base_version, OtOp op, size_t *size);

/* An entry of `ops`, or a `catchup`; false when it is not well formed. */
extern bool message_event(json_t *entry, bool composed, CollabEvent *event);

#endif							/* BENCH_MESSAGE_H */
