/*
 * base/mem.h: memory that is there or the process is not, and growable bytes.
 *
 * What comes from outside is bounded before it is asked for here, so running
 * out means the machine is out; a relay holds nothing that would be missed,
 * and ends with a clear line instead of limping on.
 */
#ifndef RELAY_MEM_H
#define RELAY_MEM_H

#include <stddef.h>
#include <stdint.h>

void	   *mem_alloc(size_t size);
void	   *mem_zalloc(size_t size);
void	   *mem_grow(void *old, size_t size);
char	   *mem_string(const char *text, size_t len);

/* growable bytes; all zero is an empty one */
struct buf
{
	char	   *data;
	size_t		len;
	size_t		cap;
};

void		buf_reserve(struct buf *b, size_t more);
void		buf_put(struct buf *b, const void *data, size_t len);
void		buf_text(struct buf *b, const char *text);
void		buf_format(struct buf *b, const char *format,...) __attribute__((format(printf, 2, 3)));
void		buf_be32(struct buf *b, uint32_t value);
void		buf_be64(struct buf *b, uint64_t value);
void		buf_clear(struct buf *b);
void		buf_free(struct buf *b);

#endif							/* RELAY_MEM_H */
