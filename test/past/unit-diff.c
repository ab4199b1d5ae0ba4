/*
 * unit-diff.c
 *		The difference of two texts: it leads from one to the other, is as short as the
 *		plain algorithm finds, and its cost has a bound.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/diff.h"
#include "../../src/past/myers.h"
#include "../ot/tap.h"
#include "scarce.h"

#define E_ACUTE	"\xc3\xa9"
#define HAN		"\xe6\xbc\xa2"
#define EMOJI	"\xf0\x9f\x98\x80"
#define COMBINING "e\xcc\x81"
#define LARGE	(1 << 20)

static long pauses;

static void
count_pause(void)
{
	pauses++;
}

/* The difference of two texts as JSON; it is checked to lead from one to the other. */
static const char *
difference(const char *from, size_t from_size, const char *to, size_t to_size, DiffUnit unit, OtMeasure *measure)
{
	OtBuffer	op;
	OtBuffer	after;
	const char *json;

	ot_buffer_init(&op, &ot_libc_allocator, 0);
	ot_buffer_init(&after, &ot_libc_allocator, 0);
	CHECK_NUMBER(diff_texts(&ot_libc_allocator, from, from_size, to, to_size, unit, count_pause, &op), OT_OK);
	CHECK_NUMBER(ot_check(ot_buffer_op(&op)), OT_OK);
	CHECK_NUMBER(ot_apply(from, from_size, ot_buffer_op(&op), &after), OT_OK);
	CHECK(after.size == to_size && (to_size == 0 || memcmp(after.data, to, to_size) == 0));
	if (measure != NULL)
		ot_measure(ot_buffer_op(&op), measure);
	json = op.size < 1000 ? json_of(ot_buffer_op(&op)) : "long";
	ot_buffer_free(&op);
	ot_buffer_free(&after);
	return json;
}

static const char *
characters(const char *from, const char *to)
{
	return difference(from, strlen(from), to, strlen(to), DIFF_CHARACTERS, NULL);
}

static const char *
lines(const char *from, const char *to)
{
	return difference(from, strlen(from), to, strlen(to), DIFF_LINES, NULL);
}

static void
finds_what_was_edited(void)
{
	CHECK_TEXT(characters("", ""), "[]");
	CHECK_TEXT(characters("same", "same"), "[]");
	CHECK_TEXT(characters("", "new"), "[\"new\"]");
	CHECK_TEXT(characters("old", ""), "[{\"d\":3}]");
	CHECK_TEXT(characters("Hello world", "Hello brave world"), "[6,\"brave \"]");
	CHECK_TEXT(characters("one\ntwo\nthree\n", "one\n2\nthree\n"), "[4,\"2\",{\"d\":3}]");
	CHECK_TEXT(characters("a\nb\n", "a\nx\nb\n"), "[2,\"x\\n\"]");
	CHECK_TEXT(characters("a\nb", "a\nb\n"), "[3,\"\\n\"]");
}

static void
begins_where_words_do(void)
{
	CHECK_TEXT(characters("Add salt.", "Add some salt."), "[4,\"some \"]");
	CHECK_TEXT(characters("Add some salt.", "Add salt."), "[4,{\"d\":5}]");
	CHECK_TEXT(characters("aaa", "aaaa"), "[3,\"a\"]");
	CHECK_TEXT(characters("one two", "one one two"), "[\"one \"]");
	CHECK_TEXT(characters("x ab", "x aab"), "[2,\"a\"]");
}

static void
never_divides_a_code_point(void)
{
	CHECK_TEXT(characters(E_ACUTE, "\xc3\xa8"), "[\"\xc3\xa8\",{\"d\":1}]");
	CHECK_TEXT(characters("a" EMOJI "b", "a\xf0\x9f\x98\x81" "b"), "[1,\"\xf0\x9f\x98\x81\",{\"d\":1}]");
	CHECK_TEXT(characters(HAN E_ACUTE, HAN COMBINING), "[1,\"" COMBINING "\",{\"d\":1}]");
	CHECK_TEXT(characters(COMBINING, "e"), "[1,{\"d\":1}]");
}

static void
replaces_whole_lines(void)
{
	CHECK_TEXT(lines("one\ntwo\nthree\n", "one\ntwo!\nthree\n"), "[4,\"two!\\n\",{\"d\":4}]");
	CHECK_TEXT(lines("one\ntwo", "one\ntwo\n"), "[4,\"two\\n\",{\"d\":3}]");
	CHECK_TEXT(lines("a\nb\nc\n", "c\na\nb\n"), "[\"c\\n\",4,{\"d\":2}]");
	CHECK_TEXT(lines("same\n", "same\n"), "[]");
}

/* ---- against the plain algorithm ---- */

#define MOST	40

/* The length of the longest common subsequence. */
static int
longest_common(const char *a, int a_len, const char *b, int b_len)
{
	static int	table[MOST + 1][MOST + 1];

	for (int i = 0; i <= a_len; i++)
		for (int j = 0; j <= b_len; j++)
		{
			int			best = i == 0 || j == 0 ? 0 : table[i - 1][j] > table[i][j - 1] ? table[i - 1][j] : table[i][j - 1];

			table[i][j] = i > 0 && j > 0 && a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : best;
		}
	return table[a_len][b_len];
}

/* A random text of few letters; line feeds where wanted. */
static int
random_text(Random *random, char *text, const char *letters)
{
	int			len = random_below(random, MOST + 1);

	for (int i = 0; i < len; i++)
		text[i] = letters[random_below(random, (int) strlen(letters))];
	return len;
}

static void
is_as_short_as_can_be(void)
{
	Random		random = {setting("PAST_SEED", 1)};

	for (int i = 0; i < 20000; i++)
	{
		char		a[MOST];
		char		b[MOST];
		const char *letters = i % 2 == 0 ? "ab" : "abcdef";
		int			a_len = random_text(&random, a, letters);
		int			b_len = random_text(&random, b, letters);
		OtMeasure	measure;

		difference(a, a_len, b, b_len, DIFF_CHARACTERS, &measure);
		CHECK_NUMBER(measure.inserted + measure.deleted, a_len + b_len - 2 * longest_common(a, a_len, b, b_len));
		support_release();
	}
}

static void
leads_from_one_text_to_the_other(void)
{
	Random		random = {setting("PAST_SEED", 2)};

	for (int i = 0; i < 20000; i++)
	{
		char		a[MOST];
		char		b[MOST];
		int			a_len = random_text(&random, a, "ab\n");
		int			b_len = random_text(&random, b, "ab\n");

		difference(a, a_len, b, b_len, i % 2 == 0 ? DIFF_LINES : DIFF_CHARACTERS, NULL);
		support_release();
	}
}

/* ---- large texts ---- */

static char *
large_text(Random *random, const char *letters)
{
	char	   *text = support_keep(LARGE);

	for (int i = 0; i < LARGE; i++)
		text[i] = letters[random_below(random, (int) strlen(letters))];
	return text;
}

static void
noise_has_a_bound(void)
{
	static const char *const letters[] = {"ab", "abcdefghijklmnopqrstuvwxyz", "a\n", "abcdefghijklmnopqrstuvwxyz \n"};
	Random		random = {setting("PAST_SEED", 3)};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
	{
		char	   *a = large_text(&random, letters[i]);
		char	   *b = large_text(&random, letters[i]);

		/* every pause is 65,536 steps, of which there are 32 million and those of one search */
		pauses = 0;
		difference(a, LARGE, b, LARGE, DIFF_CHARACTERS, NULL);
		CHECK(pauses > 10 && pauses < 700);
		support_release();
	}
}

static void
a_light_edit_of_a_large_text_is_small(void)
{
	Random		random = {setting("PAST_SEED", 4)};
	char	   *a = large_text(&random, "abcdefghijklmnopqrstuvwxyz         \n");
	char	   *b = support_keep(LARGE);
	OtMeasure	measure;

	memcpy(b, a, LARGE);
	for (int i = 0; i < 100; i++)
		b[i * 10000 + 5000] = '#';
	difference(a, LARGE, b, LARGE, DIFF_CHARACTERS, &measure);
	CHECK_NUMBER(measure.inserted, 100);
	CHECK_NUMBER(measure.deleted, 100);
}

static void
an_edit_of_every_line_is_followed(void)
{
	Random		random = {setting("PAST_SEED", 5)};
	char	   *a = large_text(&random, "abcdefghijklmnopqrstuvwxyz         \n");
	char	   *b = support_keep(LARGE);
	OtMeasure	measure;
	int			edits = 0;

	memcpy(b, a, LARGE);
	for (int i = 0; i < LARGE; i++)
		if (b[i] == 'q')
			b[i] = 'Q', edits++;
	difference(a, LARGE, b, LARGE, DIFF_CHARACTERS, &measure);
	CHECK(measure.inserted >= edits && measure.inserted < 3 * edits / 2);
}

/* ---- no memory ---- */

static void
says_when_there_is_no_memory(void)
{
	OtStatus	status = OT_NO_MEMORY;

	for (int left = 0; status == OT_NO_MEMORY; left++)
	{
		Scarce		scarce;
		OtBuffer	op;

		scarce_init(&scarce, left);
		ot_buffer_init(&op, &scarce.allocator, 0);
		status = diff_texts(&scarce.allocator, "one\ntwo\n", 8, "one\n2\nthree\n", 12, DIFF_CHARACTERS, NULL, &op);
		CHECK(status == OT_OK || status == OT_NO_MEMORY);
		CHECK(left < 100);
		ot_buffer_free(&op);
	}
}

static const TapTest tests[] = {
	{"the difference is what was edited", finds_what_was_edited},
	{"it begins where words do", begins_where_words_do},
	{"it never divides a code point", never_divides_a_code_point},
	{"by lines, it replaces whole lines", replaces_whole_lines},
	{"it is as short as can be", is_as_short_as_can_be},
	{"it leads from one text to the other", leads_from_one_text_to_the_other},
	{"noise against noise has a bound", noise_has_a_bound},
	{"a light edit of a large text is small", a_light_edit_of_a_large_text_is_small},
	{"an edit of every line is followed", an_edit_of_every_line_is_followed},
	{"it says when there is no memory", says_when_there_is_no_memory},
};

TAP_MAIN("unit-diff", tests);
