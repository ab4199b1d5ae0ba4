/*
 * wire/frame.c: one encoded message, shared by all receivers.
 */
#include "wire/frame.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* small ones are not worth a look whether they are there already */
#define SHARED_LEAST 16384
#define SHARED_SLOTS 1024
#define SAMPLES 64

/* what malloc takes beside an allocation, about */
#define MALLOC_BYTES 16

static size_t frames_bytes;

/* frames that were made by frame_share, which has no reference itself */
static struct frame *shared[SHARED_SLOTS];

/* Get the memory that a frame of a capacity takes. */
static size_t
size_of(size_t cap)
{
	return sizeof(struct frame) + cap + MALLOC_BYTES;
}

size_t
frames_held(void)
{
	return frames_bytes;
}

/* Make an empty frame with room for cap bytes, held once. */
struct frame *
frame_new(size_t cap)
{
	struct frame *f = mem_alloc(sizeof(struct frame) + cap);

	f->refs = 1;
	f->len = 0;
	f->cap = cap;
	f->share = NULL;
	f->deflated = NULL;
	f->tried = false;
	f->sent_us = 0;
	frames_bytes += size_of(cap);
	return f;
}

/* Make a frame of a text. */
struct frame *
frame_text(const char *text, size_t len)
{
	return frame_append(frame_new(len), text, len);
}

/* Append to a frame that has no other users yet; it may move. */
struct frame *
frame_append(struct frame *f, const void *data, size_t len)
{
	if (f->len + len > f->cap)
	{
		frames_bytes -= size_of(f->cap);
		f->cap = (f->len + len) * 2;
		frames_bytes += size_of(f->cap);
		f = mem_grow(f, sizeof(struct frame) + f->cap);
	}
	memcpy(f->text + f->len, data, len);
	f->len += len;
	return f;
}

/* Choose the slot of a text by its length and some of its bytes: equality is checked then. */
static struct frame **
slot_of(const char *text, size_t len)
{
	size_t		hash = len;

	for (size_t i = 0; i < SAMPLES; i++)
		hash = hash * 31 + (unsigned char) text[len / SAMPLES * i];
	return &shared[hash % SHARED_SLOTS];
}

struct frame *
frame_share(const char *text, size_t len)
{
	struct frame **slot;
	struct frame *f;

	if (len < SHARED_LEAST)
		return frame_text(text, len);
	slot = slot_of(text, len);
	if (*slot != NULL && (*slot)->len == len && memcmp((*slot)->text, text, len) == 0)
		return frame_ref(*slot);
	f = frame_text(text, len);
	if (*slot != NULL)
		(*slot)->share = NULL;
	*slot = f;
	f->share = slot;
	return f;
}

struct frame *
frame_fit(struct frame *f)
{
	if (f->cap < SHARED_LEAST || f->cap - f->len < f->cap / 4)
		return f;
	frames_bytes -= f->cap - f->len;
	f->cap = f->len;
	return mem_grow(f, sizeof(struct frame) + f->cap);
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
	if (f->share != NULL)
		*f->share = NULL;
	frame_unref(f->deflated);
	frames_bytes -= size_of(f->cap);
	free(f);
}
