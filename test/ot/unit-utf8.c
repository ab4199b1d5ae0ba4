/*
 * unit-utf8.c
 *		UTF-8: what is refused, and counting at every alignment and block edge.
 */
#include <string.h>

#include "support.h"
#include "tap.h"

/* a, e with acute accent composed and decomposed, a Han character, an emoji. */
#define MIXED	"a" "\xc3\xa9" "e\xcc\x81" "\xe6\xbc\xa2" "\xf0\x9f\x98\x80"
#define MIXED_CP	6

static OtStatus
check(const char *text, size_t size, int64_t *length)
{
	return ot_utf8_check(text, size, length);
}

static void
counts_every_width(void)
{
	int64_t		length;

	CHECK_NUMBER(check(MIXED, strlen(MIXED), &length), OT_OK);
	CHECK_NUMBER(length, MIXED_CP);
	CHECK_NUMBER(ot_utf8_length(MIXED, strlen(MIXED)), MIXED_CP);
}

static void
takes_no_text(void)
{
	int64_t		length = -1;

	CHECK_NUMBER(check("", 0, &length), OT_OK);
	CHECK_NUMBER(length, 0);
	CHECK_NUMBER(ot_utf8_length("", 0), 0);
	CHECK_NUMBER(ot_utf8_offset("", 0, 3), 0);
}

static void
takes_the_edges_of_each_width(void)
{
	static const char *const edges[] = {
		"\x01", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"
	};

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
	{
		int64_t		length = 0;

		CHECK_NUMBER(check(edges[i], strlen(edges[i]), &length), OT_OK);
		CHECK_NUMBER(length, 1);
	}
}

/* Each bad sequence is also tried behind text that is read a word at a time. */
static void
refuses(const char *bad, size_t size, OtStatus want)
{
	char		text[64] = "0123456789abcdef";
	int64_t		length;

	CHECK_NUMBER(check(bad, size, &length), want);
	memcpy(text + 16, bad, size);
	CHECK_NUMBER(check(text, 16 + size, &length), want);
	memcpy(text + 16 + size, "0123456789", 10);
	CHECK_NUMBER(check(text, 16 + size + 10, &length), want);
}

static void
refuses_stray_continuations(void)
{
	refuses("\x80", 1, OT_BAD_UTF8);
	refuses("\xbf", 1, OT_BAD_UTF8);
	refuses("\xc3\xa9\xa9", 3, OT_BAD_UTF8);
}

static void
refuses_overlong_forms(void)
{
	refuses("\xc0\x80", 2, OT_BAD_UTF8);
	refuses("\xc1\xbf", 2, OT_BAD_UTF8);
	refuses("\xe0\x9f\xbf", 3, OT_BAD_UTF8);
	refuses("\xf0\x8f\xbf\xbf", 4, OT_BAD_UTF8);
}

static void
refuses_surrogates(void)
{
	refuses("\xed\xa0\x80", 3, OT_BAD_UTF8);
	refuses("\xed\xbf\xbf", 3, OT_BAD_UTF8);
}

static void
refuses_what_is_past_unicode(void)
{
	refuses("\xf4\x90\x80\x80", 4, OT_BAD_UTF8);
	refuses("\xf5\x80\x80\x80", 4, OT_BAD_UTF8);
	refuses("\xff", 1, OT_BAD_UTF8);
	refuses("\xfe", 1, OT_BAD_UTF8);
}

static void
refuses_a_sequence_cut_off(void)
{
	refuses("\xc3", 1, OT_BAD_UTF8);
	refuses("\xe6\xbc", 2, OT_BAD_UTF8);
	refuses("\xf0\x9f\x98", 3, OT_BAD_UTF8);
	refuses("\xf0\x9f" "a", 3, OT_BAD_UTF8);
	refuses("\xe6" "ab", 3, OT_BAD_UTF8);
	refuses("\xf0\x9f\x98" "a", 4, OT_BAD_UTF8);
}

static void
refuses_nul_at_every_place(void)
{
	for (size_t at = 0; at < 24; at++)
	{
		char		text[24];
		int64_t		length;

		memset(text, 'x', sizeof(text));
		text[at] = '\0';
		CHECK_NUMBER(check(text, sizeof(text), &length), OT_NUL);
	}
}

static void
takes_0x80_bytes_next_to_0x01(void)
{
	/*
	 * A word in which a borrow would run through, were it looked for
	 * carelessly.
	 */
	static const char text[] = "\x01\x01\xc2\x80\x01\x01\x01\x01\x01\x01";
	int64_t		length;

	CHECK_NUMBER(check(text, strlen(text), &length), OT_OK);
	CHECK_NUMBER(length, 9);
}

/* A long text of all widths, and where each of its code points begins. */
#define LONG_CP 2500

static char long_text[LONG_CP * 4];
static size_t begins[LONG_CP + 1];

static void
make_long_text(Random *random)
{
	static const char *const pieces[] = {"a", "\xc3\xa9", "\xcc\x81", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};
	size_t		at = 0;

	for (int i = 0; i < LONG_CP; i++)
	{
		const char *piece = pieces[random_below(random, 5)];

		begins[i] = at;
		memcpy(long_text + at, piece, strlen(piece));
		at += strlen(piece);
	}
	begins[LONG_CP] = at;
}

static void
counts_from_and_to_every_place(void)
{
	Random		random = {7};

	make_long_text(&random);
	for (int from = 0; from < 20; from++)
		for (int to = from; to <= LONG_CP; to++)
		{
			int64_t		length = ot_utf8_length(long_text + begins[from], begins[to] - begins[from]);

			if (length != to - from && !CHECK_NUMBER(length, to - from))
				return;
		}
}

static void
finds_every_code_point_from_every_place(void)
{
	Random		random = {8};

	make_long_text(&random);
	for (int from = 0; from < 20; from++)
		for (int to = from; to <= LONG_CP; to++)
		{
			size_t		offset = ot_utf8_offset(long_text + begins[from],
												begins[LONG_CP] - begins[from], to - from);

			if (offset != begins[to] - begins[from] &&
				!CHECK_NUMBER(offset, begins[to] - begins[from]))
				return;
		}
}

/* In a text of one character, every word has its continuation bytes alike. */
static void
counts_long_texts_of_one_character(void)
{
	static const char *const pieces[] = {"a", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < 4; i++)
	{
		size_t		width = strlen(pieces[i]);

		for (int k = 0; k < LONG_CP; k++)
			memcpy(long_text + (size_t) k * width, pieces[i], width);
		CHECK_NUMBER(ot_utf8_length(long_text, LONG_CP * width), LONG_CP);
		CHECK_NUMBER(ot_utf8_offset(long_text, LONG_CP * width, LONG_CP - 1), (LONG_CP - 1) * width);
	}
}

static void
stops_at_the_end_of_the_text(void)
{
	CHECK_NUMBER(ot_utf8_offset(MIXED, strlen(MIXED), MIXED_CP), strlen(MIXED));
	CHECK_NUMBER(ot_utf8_offset(MIXED, strlen(MIXED), MIXED_CP + 1), strlen(MIXED));
	CHECK_NUMBER(ot_utf8_offset(MIXED, strlen(MIXED), OT_MAX_LENGTH), strlen(MIXED));
}

static const TapTest tests[] = {
	{"counts code points of every width", counts_every_width},
	{"takes no text at all", takes_no_text},
	{"takes the first and last code point of each width", takes_the_edges_of_each_width},
	{"refuses stray continuation bytes", refuses_stray_continuations},
	{"refuses overlong forms", refuses_overlong_forms},
	{"refuses encoded surrogates", refuses_surrogates},
	{"refuses what is past U+10FFFF", refuses_what_is_past_unicode},
	{"refuses a sequence that is cut off", refuses_a_sequence_cut_off},
	{"refuses U+0000 wherever it stands", refuses_nul_at_every_place},
	{"takes small bytes beside large ones", takes_0x80_bytes_next_to_0x01},
	{"counts from and to every place of a long text", counts_from_and_to_every_place},
	{"finds every code point of a long text", finds_every_code_point_from_every_place},
	{"counts long texts of one character", counts_long_texts_of_one_character},
	{"stops at the end of the text", stops_at_the_end_of_the_text}
};

TAP_MAIN("unit-utf8", tests);
