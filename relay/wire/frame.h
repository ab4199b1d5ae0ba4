/*
 * wire/frame.h: one encoded message, shared by all receivers.
 *
 * libwebsockets writes the WebSocket header of each send into the headroom
 * before the text. Every send writes it again, so sharing is safe in one
 * thread.
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
	struct frame **share;		/* where frame_share finds it, or NULL */
	struct frame *deflated;		/* the same compressed, if that was tried and
								 * is shorter */
	bool		tried;
	int64_t		sent_us;		/* operations: time of sending, since 1970; 0: not sent */
	unsigned char headroom[FRAME_HEADROOM];
	unsigned char text[];
};

struct frame *frame_new(size_t cap);
struct frame *frame_text(const char *text, size_t len);

/* a frame of a text; one that others still hold, if it has the same text and is not small */
struct frame *frame_share(const char *text, size_t len);

/* give back what was allocated in advance; for a frame without other users, which may move */
struct frame *frame_fit(struct frame *f);

/* the memory of all frames */
size_t		frames_held(void);

struct frame *frame_append(struct frame *f, const void *data, size_t len);
struct frame *frame_ref(struct frame *f);
void		frame_unref(struct frame *f);

#endif							/* RELAY_FRAME_H */
