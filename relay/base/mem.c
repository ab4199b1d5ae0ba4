/*
 * base/mem.c: allocation that ends the process if it fails, and a growable
 * buffer.
 */
#include "base/mem.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* End the process: see mem.h for why. */
static void
out_of_memory(size_t size)
{
	log_event(RELAY_ERROR, "memory", "out of memory: could not allocate %zu bytes", size);
	abort();
}

/* Allocate, or do not return. */
void	   *
mem_alloc(size_t size)
{
	void	   *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

/* Allocate zeroed bytes. */
void	   *
mem_zalloc(size_t size)
{
	return memset(mem_alloc(size), 0, size);
}

/* Change the size of an allocation. */
void	   *
mem_grow(void *old, size_t size)
{
	void	   *p = realloc(old, size > 0 ? size : 1);

	if (p == NULL)
		out_of_memory(size);
	return p;
}

/* Copy text, ending it with a NUL. */
char	   *
mem_string(const char *text, size_t len)
{
	char	   *copy = mem_alloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

/* Make room for that many more bytes. */
void
buf_reserve(struct buf *b, size_t more)
{
	size_t		cap = b->cap > 0 ? b->cap : 64;

	if (b->len + more <= b->cap)
		return;
	while (cap < b->len + more)
		cap *= 2;
	b->data = mem_grow(b->data, cap);
	b->cap = cap;
}

/* Append bytes. */
void
buf_put(struct buf *b, const void *data, size_t len)
{
	buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* Append text without its NUL. */
void
buf_text(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

/* Append formatted text. */
void
buf_format(struct buf *b, const char *format,...)
{
	va_list		args;
	int			len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	buf_reserve(b, (size_t) len + 1);
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t) len + 1, format, args);
	va_end(args);
	b->len += (size_t) len;
}

/* Append an integer in network order, as PostgreSQL's binary formats have it. */
void
buf_be32(struct buf *b, uint32_t value)
{
	uint32_t	big = htonl(value);

	buf_reserve(b, sizeof(big));
	memcpy(b->data + b->len, &big, sizeof(big));
	b->len += sizeof(big);
}

/* Append a long integer in network order. */
void
buf_be64(struct buf *b, uint64_t value)
{
	buf_be32(b, (uint32_t) (value >> 32));
	buf_be32(b, (uint32_t) value);
}

/* Forget the content and keep the memory. */
void
buf_clear(struct buf *b)
{
	b->len = 0;
}

/* Give the memory back. */
void
buf_free(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
