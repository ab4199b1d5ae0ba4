/*
 * wire/frame.c: one encoded message, shared by all who receive it.
 */
#include "wire/frame.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Make an empty frame with room for cap bytes, held once. */
struct frame *
frame_new(size_t cap)
{
	struct frame *f = mem_alloc(sizeof(struct frame) + cap);

	f->refs = 1;
	f->len = 0;
	f->cap = cap;
	f->deflated = NULL;
	f->tried = false;
	f->sent_us = 0;
	return f;
}

/* Make a frame of a text. */
struct frame *
frame_text(const char *text, size_t len)
{
	return frame_append(frame_new(len), text, len);
}

/* Append to a frame that nobody else holds yet; it may move. */
struct frame *
frame_append(struct frame *f, const void *data, size_t len)
{
	if (f->len + len > f->cap)
	{
		f->cap = (f->len + len) * 2;
		f = mem_grow(f, sizeof(struct frame) + f->cap);
	}
	memcpy(f->text + f->len, data, len);
	f->len += len;
	return f;
}

/* Hold a frame once more. */
struct frame *
frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

/* Let go of a frame; the last holder frees it. */
void
frame_unref(struct frame *f)
{
	if (f == NULL || --f->refs > 0)
		return;
	frame_unref(f->deflated);
	free(f);
}
