/*
 * wire/deflate.h: messages compressed as permessage-deflate (RFC 7692) has them.
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

/* tell from a client's Sec-WebSocket-Extensions whether its first offer is one that we take */
bool		deflate_accepts(const char *offers);

/* one compressor serves all connections, since each message is compressed by itself */
struct deflater *deflater_new(void);
void		deflater_free(struct deflater *d);
struct frame *deflate_frame(struct deflater *d, const struct frame *f);

/* what a client sends may go on from its message before: a state for each, made at the first */
enum inflate_result inflate_message(struct inflater **state, const char *data, size_t len, size_t limit,
									struct buf *out);
void		inflater_free(struct inflater *state);

#endif							/* RELAY_DEFLATE_H */
