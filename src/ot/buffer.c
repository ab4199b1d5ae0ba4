/*
 * ot/buffer.c
 *		Growable runs of bytes over the caller's allocator.
 *
 * A buffer owns no memory until something is put in or reserved; from then on
 * its reserved bytes are there.  It never grows past OT_MAX_BUFFER.
 */
#include <stdlib.h>

#include "ot_internal.h"

#define SMALLEST_CAPACITY	64

static void *
libc_resize(void *ctx, void *ptr, size_t size)
{
	(void) ctx;
	return realloc(ptr, size);
}

static void
libc_release(void *ctx, void *ptr)
{
	(void) ctx;
	free(ptr);
}

const OtAllocator ot_libc_allocator = {libc_resize, libc_release, NULL};

/* Begin an empty buffer whose first `reserved` bytes are the caller's. */
void
ot_buffer_init(OtBuffer *buffer, const OtAllocator *allocator, size_t reserved)
{
	buffer->allocator = allocator;
	buffer->data = NULL;
	buffer->size = reserved;
	buffer->capacity = 0;
	buffer->reserved = reserved;
}

/* Give the memory back; the buffer is as after its init. */
void
ot_buffer_free(OtBuffer *buffer)
{
	if (buffer->data != NULL)
		buffer->allocator->release(buffer->allocator->ctx, buffer->data);
	ot_buffer_init(buffer, buffer->allocator, buffer->reserved);
}

/* Forget the contents, keep the memory. */
void
ot_buffer_reset(OtBuffer *buffer)
{
	buffer->size = buffer->reserved;
}

/* Get memory for `extra` more bytes, doubling so that appending is linear. */
OtStatus
ot_buffer_grow(OtBuffer *buffer, size_t extra)
{
	size_t		capacity = buffer->capacity * 2;
	uint8_t    *data;

	if (buffer->size > OT_MAX_BUFFER || extra > OT_MAX_BUFFER - buffer->size)
		return OT_TOO_LARGE;
	if (capacity < SMALLEST_CAPACITY)
		capacity = SMALLEST_CAPACITY;
	if (capacity < buffer->size + extra)
		capacity = buffer->size + extra;
	if (capacity > OT_MAX_BUFFER)
		capacity = OT_MAX_BUFFER;
	data = buffer->allocator->resize(buffer->allocator->ctx, buffer->data, capacity);
	if (data == NULL)
		return OT_NO_MEMORY;
	buffer->data = data;
	buffer->capacity = capacity;
	return OT_OK;
}

/* Append bytes. */
OtStatus
ot_buffer_append(OtBuffer *buffer, const void *bytes, size_t size)
{
	OtStatus	status = ot_buffer_reserve(buffer, size);

	if (status != OT_OK || size == 0)
		return status;
	memcpy(buffer->data + buffer->size, bytes, size);
	buffer->size += size;
	return OT_OK;
}

/* The op a buffer holds behind its reserved bytes. */
OtOp
ot_buffer_op(const OtBuffer *buffer)
{
	OtOp		op = {NULL, 0};

	if (buffer->data != NULL)
	{
		op.data = buffer->data + buffer->reserved;
		op.size = buffer->size - buffer->reserved;
	}
	return op;
}
