/*
 * test-log.c: what of a text from outside reaches the log.
 */
#include "base/log.h"
#include "tap.h"

#include <string.h>
#include <unistd.h>

static char line[8192];

/* Log a text, and read the line that it became, behind its subject. */
static const char *
logged(const char *text)
{
	int			ends[2];
	int			saved = dup(STDERR_FILENO);
	ssize_t		len;
	char	   *at;

	CHECK(pipe(ends) == 0);
	dup2(ends[1], STDERR_FILENO);
	log_event(RELAY_ERROR, "test", "<%s>", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	len = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	line[len > 0 ? len : 0] = '\0';
	at = strchr(line, '<');
	return at != NULL ? at : line;
}

static void
letters(void)
{
	CHECK(strcmp(logged("ann \xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80"), "<ann \xc3\xa9 \xe6\x97\xa5 \xf0\x9f\x98\x80>\n") == 0);
}

static void
controls(void)
{
	CHECK(strcmp(logged("a\nb\r\x1b[31mc\x7f"), "<a b  [31mc >\n") == 0);
	CHECK(strcmp(logged("a\xc2\x85" "b\xc2\x9b" "31m\xc2\x80"), "<a\\u0085b\\u009b31m\\u0080>\n") == 0);
}

static void
separators(void)
{
	CHECK(strcmp(logged("a\xe2\x80\xa8" "b\xe2\x80\xa9"), "<a\\u2028b\\u2029>\n") == 0);
}

static void
directions(void)
{
	CHECK(strcmp(logged("\xe2\x80\xae\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\x8f\xd8\x9c"),
				 "<\\u202e\\u202a\\u2066\\u2069\\u200f\\u061c>\n") == 0);
	CHECK(strcmp(logged("\xef\xbb\xbf\xe2\x80\x8b\xf3\xa0\x80\xa1"), "<\\ufeff\\u200b\\U000e0021>\n") == 0);
}

static void
no_utf8(void)
{
	CHECK(strcmp(logged("a\xff\xc2"), "<a\\xff\\xc2>\n") == 0);
	CHECK(strcmp(logged("\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80"), "<\\xed\\xa0\\x80\\xc0\\xaf\\xf4\\x90\\x80\\x80>\n") == 0);
}

/* A long text is cut, also where each of its bytes is escaped. */
static void
long_texts(void)
{
	char		text[4096];

	memset(text, 0xff, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	logged(text);
	CHECK(line[strlen(line) - 1] == '\n' && strchr(line, '\n') == line + strlen(line) - 1);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"letters stay as they are", letters},
		{"controls are spaces, or escaped", controls},
		{"separators of lines and paragraphs are escaped", separators},
		{"what changes the direction or has no width is escaped", directions},
		{"bytes that are not UTF-8 are escaped", no_utf8},
		{"a long text is one line", long_texts},
	};

	return TAP_RUN(tests);
}
