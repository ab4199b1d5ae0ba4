/*
 * wire/frame.h: one encoded message, shared by all who receive it.
 *
 * The headroom before the text is where libwebsockets writes the WebSocket
 * header of each send; it is written anew every time, so sharing is safe in
 * one thread.
 */
#ifndef RELAY_FRAME_H
#define RELAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADROOM 32

struct frame
{
	uint32_t	refs;
	size_t		len;
	size_t		cap;
	struct frame *deflated;		/* the same compressed, if that was tried and
								 * is shorter */
	bool		tried;
	int64_t		sent_us;		/* operations: when, since 1970; 0: to nobody */
	unsigned char headroom[FRAME_HEADROOM];
	unsigned char text[];
};

struct frame *frame_new(size_t cap);
struct frame *frame_text(const char *text, size_t len);
struct frame *frame_append(struct frame *f, const void *data, size_t len);
struct frame *frame_ref(struct frame *f);
void		frame_unref(struct frame *f);

#endif							/* RELAY_FRAME_H */
