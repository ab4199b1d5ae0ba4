/*
 * past/quote.h
 *		Finding a quoted passage in a text again, by its words and what stood around it.
 */
#ifndef CONVERGE_QUOTE_H
#define CONVERGE_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A passage: its text, and the text before and behind it; UTF-8, in bytes. */
typedef struct Quote
{
	int64_t		length;			/* in cp; of a long passage the text is only the beginning */
	const char *text;
	size_t		size;
	const char *prefix;
	size_t		prefix_size;
	const char *suffix;
	size_t		suffix_size;
} Quote;

/* Places of a passage that are compared at most. */
#define QUOTE_PLACES	64

/*
 * Find the passage in a text, in the bytes from `start` to `end`: the place where most
 * of what stood around it stands around it again, and among those the one nearest to
 * `near`.  *around is how many bytes of that.  Takes what it reads off *budget, and
 * finds nothing more once that is used up.  False: not there.
 */
extern bool quote_find(const char *text, size_t size, size_t start, size_t end, size_t near,
					   const Quote *quote, size_t *budget, size_t *place, size_t *around);

/* Return true if at least half of what stood around the passage stands around it again. */
extern bool quote_is_same_place(const Quote *quote, size_t around);

#endif							/* CONVERGE_QUOTE_H */
