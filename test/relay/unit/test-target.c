/*
 * test-target.c: the path of a request, from how it was written.
 */
#include "tap.h"
#include "http/target.h"

#include <string.h>

/* Tell whether a target has this path; NULL: none that can be told. */
static bool
leads_to(const char *target, const char *path)
{
	struct buf	b = {0};
	bool		found = target_path(target, strlen(target), &b);
	bool		same = path == NULL ? !found : found && strcmp(b.data, path) == 0;

	buf_free(&b);
	return same;
}

static void
characters(void)
{
	CHECK(leads_to("/a+b", "/a+b") && leads_to("/a%2Bb", "/a+b") && leads_to("/a%2bb", "/a+b"));
	CHECK(leads_to("/a;b&c=d", "/a;b&c=d") && leads_to("/a%20b", "/a b") && leads_to("/%C3%A9", "/\xc3\xa9"));
	CHECK(leads_to("/a%252Bb", "/a%2Bb") && leads_to("/a%2Fb", "/a/b") && leads_to("/\xc3\xa9", "/\xc3\xa9"));
	CHECK(leads_to("/%4A%4a%aF%Fa", "/JJ\xaf\xfa"));
}

static void
queries(void)
{
	CHECK(leads_to("/a?b+c", "/a") && leads_to("/a%3Fb?c", "/a?b") && leads_to("/?x", "/"));
	CHECK(!target_has_signs("/a?b+c", 6) && target_has_signs("/a+b", 4) && target_has_signs("/;", 2) && target_has_signs("/&?", 3));
	CHECK(!target_has_signs("/a%2Bb", 6));
}

static void
no_paths(void)
{
	static const char *const targets[] = {
		"", "*", "a", "?", "http://x/a", "/%", "/%4", "/%4g", "/%g4", "/%00", "/a b", "/a\tb", "/a\nb", "//", "/a//b", "/a%2F/b", "/.a", "/a/../b", "/a/%2e",
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		CHECK(leads_to(targets[i], NULL));
	CHECK(leads_to("/", "/") && leads_to("/a.b/c..", "/a.b/c.."));
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"each character is itself unless it is escaped", characters},
		{"a path ends where the query begins", queries},
		{"what is no plain path is told as such", no_paths},
	};

	return TAP_RUN(tests);
}
