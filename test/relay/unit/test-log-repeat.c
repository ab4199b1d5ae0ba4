/*
 * test-log-repeat.c: what comes again and again is logged once, with a count.
 */
#include "base/log_repeat.h"
#include "base/bounds.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct log_repeat repeat;
static char heard[4096];

/* Say a message so many times, at a time, and keep what is logged: without its time and level. */
static const char *
said(const char *message, unsigned times, uint64_t now_ms)
{
	int			out = dup(STDERR_FILENO);
	int			ends[2];
	char		line[4096] = "";
	char	   *from = line;
	ssize_t		len;

	if (pipe(ends) != 0)
		return "no pipe";
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	for (unsigned i = 0; i < times; i++)
		log_repeated(&repeat, now_ms, message, RELAY_WARN, "test", "<%s>", message);
	if (times == 0)
		log_repeat_end(&repeat, RELAY_WARN, "test");
	dup2(out, STDERR_FILENO);
	close(out);
	len = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	line[len > 0 ? len : 0] = '\0';
	*heard = '\0';
	while ((from = strstr(from, " test: ")) != NULL)
	{
		char	   *end = strchr(from, '\n');

		strncat(heard, from + strlen(" test: "), (size_t) (end - from) - strlen(" test: "));
		strcat(heard, ";");
		from = end;
	}
	return heard;
}

static void
once(void)
{
	memset(&repeat, 0, sizeof(repeat));
	CHECK(strcmp(said("a", 1, 1000), "<a>;") == 0);
	CHECK(strcmp(said("a", 50, 1000), "") == 0);
	CHECK(strcmp(said("a", 50, 1000 + LIMIT_REPEAT_MS - 1), "") == 0);
	CHECK(strcmp(said("a", 2, 1000 + LIMIT_REPEAT_MS), "<a> (repeats: 100 in the last 60 s);") == 0);
	CHECK(strcmp(said("a", 1, 1000 + 2 * LIMIT_REPEAT_MS), "<a> (repeats: 1 in the last 60 s);") == 0);
	CHECK(strcmp(said("a", 1, 1000 + 3 * LIMIT_REPEAT_MS), "<a>;") == 0);
}

static void
others(void)
{
	memset(&repeat, 0, sizeof(repeat));
	CHECK(strcmp(said("a", 3, 1), "<a>;") == 0);
	CHECK(strcmp(said("b", 1, 2), "<b>;") == 0);
	CHECK(strcmp(said("a", 1, 3), "") == 0);
	CHECK(strcmp(said("c", 1, 4), "<c>;") == 0);
	CHECK(strcmp(said("d", 1, 5), "<d>;") == 0);
	CHECK(strcmp(said("b", 1, 6), "") == 0);
	CHECK(strcmp(said("e", 1, 7), "a (repeats: 3);<e>;") == 0);
	CHECK(strcmp(said("a", 1, 8), "b (repeats: 1);<a>;") == 0);
}

static void
ends(void)
{
	memset(&repeat, 0, sizeof(repeat));
	CHECK(strcmp(said("é 😀", 4, 1), "<é 😀>;") == 0);
	CHECK(strcmp(said("", 0, 2), "é 😀 (repeats: 3);") == 0);
	CHECK(strcmp(said("", 0, 3), "") == 0);
	CHECK(strcmp(said("é 😀", 4, 4), "<é 😀>;") == 0);
}

static void
long_ones(void)
{
	char		text[2000];

	memset(&repeat, 0, sizeof(repeat));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK(strlen(said(text, 1, 1)) > 500);
	CHECK(strcmp(said(text, 1, 2), "") == 0);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a message that comes again is logged once a minute, with a count", once},
		{"messages in turn are told apart", others},
		{"the end of what was said tells how often it came", ends},
		{"long messages are told apart by how they begin", long_ones},
	};

	return TAP_RUN(tests);
}
