/*
 * http/target.c: what a request asks for, read from how it was written.
 *
 * In a path each character is itself unless it is escaped (RFC 3986). Only in
 * the query, which forms write, is a plus a space and an ampersand the end of an
 * argument.
 */
#include "http/target.h"

#include <string.h>

/* Get the length of the path. */
static size_t
path_len(const char *target, size_t len)
{
	const char *query = memchr(target, '?', len);

	return query != NULL ? (size_t) (query - target) : len;
}

static int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = c != '\0' ? strchr(digits, c) : NULL;
	int			value = found != NULL ? (int) (found - digits) : -1;

	return value < 16 ? value : value - 6;
}

/* Read one character, escaped or not; gives how many bytes it took, 0 where it is none. */
static size_t
read_character(const char *p, size_t left, char *c)
{
	*c = *p;
	if (*p != '%')
		return *p > ' ' || *p < 0 ? 1 : 0;
	if (left < 3 || hex_value(p[1]) < 0 || hex_value(p[2]) < 0)
		return 0;
	*c = (char) (hex_value(p[1]) * 16 + hex_value(p[2]));
	return *c != '\0' ? 3 : 0;
}

/* Decode the path. */
bool
target_path(const char *target, size_t len, struct buf *path)
{
	size_t		end = path_len(target, len);
	char		before = '\0';

	buf_clear(path);
	if (end == 0 || *target != '/')
		return false;
	for (size_t at = 0; at < end;)
	{
		char		c;
		size_t		taken = read_character(target + at, end - at, &c);

		if (taken == 0 || (before == '/' && (c == '/' || c == '.')))
			return false;
		buf_put(path, &c, 1);
		before = c;
		at += taken;
	}
	buf_put(path, "", 1);
	return true;
}

/* Tell whether the path has a plus, a semicolon or an ampersand. */
bool
target_has_signs(const char *target, size_t len)
{
	size_t		end = path_len(target, len);

	for (size_t at = 0; at < end; at++)
	{
		if (target[at] == '+' || target[at] == ';' || target[at] == '&')
			return true;
	}
	return false;
}
