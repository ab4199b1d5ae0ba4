/*
 * past/quote.c
 *		Finding a quoted passage in a text again: a search for its bytes, and a
 *		comparison of what stands around each place.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE				/* memmem */
#endif
#include "quote.h"

#include <string.h>

/* How many bytes at the end of `a` are those at the end of `b`. */
static size_t
common_end(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t		n = 0;

	while (n < a_size && n < b_size && a[a_size - n - 1] == b[b_size - n - 1])
		n++;
	return n;
}

/* How many bytes at the start of `a` are those at the start of `b`. */
static size_t
common_start(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t		n = 0;

	while (n < a_size && n < b_size && a[n] == b[n])
		n++;
	return n;
}

/* How much of what stood around the passage stands around this place. */
static size_t
measure_around(const char *text, size_t size, size_t place, const Quote *quote)
{
	size_t		behind = place + quote->size;

	return common_end(text, place, quote->prefix, quote->prefix_size) +
		common_start(text + behind, size - behind, quote->suffix, quote->suffix_size);
}

/* How far two places are apart. */
static size_t
distance(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

/* Find the next place from `from` on; false: there is none before `end`, or the budget is used up. */
static bool
next_place(const char *text, size_t from, size_t end, const Quote *quote, size_t *budget, size_t *place)
{
	size_t		size = end - from < *budget ? end - from : *budget;
	const char *found = size >= quote->size ? memmem(text + from, size, quote->text, quote->size) : NULL;
	size_t		read = found != NULL ? (size_t) (found - text) - from + quote->size : size;

	*budget -= read;
	if (found != NULL)
		*place = (size_t) (found - text);
	return found != NULL;
}

bool
quote_find(const char *text, size_t size, size_t start, size_t end, size_t near,
		   const Quote *quote, size_t *budget, size_t *place, size_t *around)
{
	bool		found = false;
	size_t		at;

	if (quote->size == 0)
		return false;
	for (int i = 0; i < QUOTE_PLACES && start < end && next_place(text, start, end, quote, budget, &at); i++)
	{
		size_t		here = measure_around(text, size, at, quote);

		if (!found || here > *around || (here == *around && distance(at, near) < distance(*place, near)))
		{
			*place = at;
			*around = here;
		}
		found = true;
		start = at + 1;
	}
	return found;
}

bool
quote_is_same_place(const Quote *quote, size_t around)
{
	return 2 * around >= quote->prefix_size + quote->suffix_size;
}
