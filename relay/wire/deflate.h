/*
 * wire/deflate.h: compresses messages as permessage-deflate (RFC 7692) specifies.
 * Pure: bytes in, bytes out.
 */
#ifndef RELAY_DEFLATE_H
#define RELAY_DEFLATE_H

#include "wire/frame.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct deflater;
struct inflater;

enum inflate_result
{
	INFLATE_DONE,
	INFLATE_TOO_BIG,
	INFLATE_BAD
};

/* return true if the first offer in a client's Sec-WebSocket-Extensions is acceptable */
bool		deflate_accepts(const char *offers);

/* one compressor serves all connections, since each message is compressed by itself */
struct deflater *deflater_new(void);
void		deflater_free(struct deflater *d);
struct frame *deflate_frame(struct deflater *d, const struct frame *f);

/* a client's message may refer to earlier ones: each client has a state, created at its first message */
enum inflate_result inflate_message(struct inflater **state, const char *data, size_t len, size_t limit,
									struct buf *out);
void		inflater_free(struct inflater *state);

#endif							/* RELAY_DEFLATE_H */
