/*
 * http/encoding.c: which encodings of a content a client takes, by its Accept-Encoding
 * (RFC 9110, 12.5.3).
 */
#include "http/encoding.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Return true if an element, from its name on, has the weight 0. */
static bool
weighs_nothing(const char *element, size_t len)
{
	const char *end = element + len;

	for (const char *at = element; (at = memchr(at, ';', (size_t) (end - at))) != NULL;)
	{
		at++;
		at += strspn(at, " \t");
		if (end - at < 3 || (*at | 0x20) != 'q' || at[1] != '=')
			continue;
		at += 2;
		if (*at != '0')
			return false;
		/* "0", "0." and "0.000" */
		return at + 1 + strspn(at + 1, ".0") == at + strcspn(at, " \t,;");
	}
	return false;
}

/* Return true if a client takes contents that are packed by gzip. */
bool
encoding_takes_gzip(const char *accept)
{
	bool		any = false;

	while (accept != NULL && *accept != '\0')
	{
		size_t		len;
		size_t		name_len;

		accept += strspn(accept, " \t");
		len = strcspn(accept, ",");
		name_len = strcspn(accept, " \t;,");
		if ((name_len == 4 && strncasecmp(accept, "gzip", 4) == 0) || (name_len == 6 && strncasecmp(accept, "x-gzip", 6) == 0))
			return !weighs_nothing(accept, len);
		if (name_len == 1 && *accept == '*')
			any = !weighs_nothing(accept, len);
		accept += len;
		accept += *accept == ',';
	}
	return any;
}
