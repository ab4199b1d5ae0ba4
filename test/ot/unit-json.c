/*
 * unit-json.c
 *		The JSON text form: what is taken and what it becomes, what is refused, with
 *		which status, where and in which words; what is printed.
 */
#include <string.h>

#include "support.h"
#include "tap.h"

#define E_ACUTE "\xc3\xa9"
#define COMBINING_ACUTE "\xcc\x81"
#define HAN		"\xe6\xbc\xa2"
#define EMOJI	"\xf0\x9f\x98\x80"

/* ---- taken ---- */

typedef struct Taken
{
	const char *json;
	const char *normal;
} Taken;

static void
check_taken(const Taken *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK_TEXT(parsed(cases[i].json), cases[i].normal);
}

#define CHECK_TAKEN(cases)	check_taken(cases, sizeof(cases) / sizeof((cases)[0]))

static void
takes_components(void)
{
	static const Taken cases[] = {
		{"[]", "[]"},
		{"[5,\"hi\",{\"d\":3}]", "[5,\"hi\",{\"d\":3}]"},
		{"[{\"d\":1},\"x\"]", "[{\"d\":1},\"x\"]"},
		{"[\"" E_ACUTE HAN EMOJI "e" COMBINING_ACUTE "\"]", "[\"" E_ACUTE HAN EMOJI "e" COMBINING_ACUTE "\"]"},
		{"[1073741824,\"\",{\"d\":0}]", "[]"},
		{"[{\"d\":1073741824}]", "[{\"d\":1073741824}]"}
	};

	CHECK_TAKEN(cases);
}

static void
takes_white_space(void)
{
	static const Taken cases[] = {
		{" \t\r\n[ ] \n", "[]"},
		{"[ 5 ,\t\"hi\"\n,\r{ \"d\" : 3 } ] ", "[5,\"hi\",{\"d\":3}]"}
	};

	CHECK_TAKEN(cases);
}

static void
brings_into_normal_form(void)
{
	static const Taken cases[] = {
		{"[0,\"\",\"a\",\"b\",{\"d\":0},3]", "[\"ab\"]"},
		{"[1,2,\"a\",0,\"" EMOJI "\",{\"d\":1},{\"d\":2}]", "[3,\"a" EMOJI "\",{\"d\":3}]"},
		{"[7]", "[]"},
		{"[\"\",0,{\"d\":0}]", "[]"}
	};

	CHECK_TAKEN(cases);
}

static void
takes_escapes(void)
{
	static const Taken cases[] = {
		{"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]"},
		{"[\"\\u0041\\u00e9\\u00E9\\u6f22\"]", "[\"A" E_ACUTE E_ACUTE HAN "\"]"},
		{"[\"\\ud83d\\ude00\\uD83D\\uDE00\"]", "[\"" EMOJI EMOJI "\"]"},
		{"[\"\\udbff\\udfff\\ud800\\udc00\"]", "[\"\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\"]"},
		{"[\"\\ud7ff\\ue000\\uffff\\u07ff\\u0800\\u007f\\u0080\"]",
		"[\"\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xdf\xbf\xe0\xa0\x80\x7f\xc2\x80\"]"},
		{"[\"x\\u0001y\"]", "[\"x\\u0001y\"]"},
		{"[{\"\\u0064\":2}]", "[{\"d\":2}]"}
	};

	CHECK_TAKEN(cases);
}

/* ---- refused ---- */

typedef struct Refused
{
	const char *json;
	OtStatus	status;
	size_t		error_at;
	const char *detail;
} Refused;

static void
check_refused(const Refused *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		OtBuffer	out;
		size_t		error_at = 9999;
		const char *detail = "none";
		OtStatus	status;

		ot_buffer_init(&out, &ot_libc_allocator, 0);
		status = ot_from_json(cases[i].json, strlen(cases[i].json), &out, &error_at, &detail);
		if (!CHECK_TEXT(status_name(status), status_name(cases[i].status)) ||
			!CHECK_TEXT(detail, cases[i].detail) ||
			!CHECK_NUMBER(error_at, cases[i].error_at))
			tap_check(false, cases[i].json, __FILE__, __LINE__);
		ot_buffer_free(&out);
	}
}

#define CHECK_REFUSED(cases) check_refused(cases, sizeof(cases) / sizeof((cases)[0]))

#define NO_ARRAY	"an operation must be an array"
#define NO_COMPONENT	"a component must be a number, a string or {\"d\": length}"
#define NO_LENGTH	"a number must be a whole number of code points"
#define NO_OBJECT	"an object must be of the form {\"d\": length}"
#define NO_PAIR		"a surrogate must be part of a pair"

static void
refuses_what_is_no_array(void)
{
	static const Refused cases[] = {
		{"", OT_SYNTAX, 0, NO_ARRAY},
		{"  ", OT_SYNTAX, 2, NO_ARRAY},
		{"{\"d\":1}", OT_SYNTAX, 0, NO_ARRAY},
		{"null", OT_SYNTAX, 0, NO_ARRAY},
		{"[", OT_SYNTAX, 1, NO_COMPONENT},
		{"[1", OT_SYNTAX, 2, "the array is not terminated"},
		{"[1 2]", OT_SYNTAX, 3, "components must be separated by commas"},
		{"[1}", OT_SYNTAX, 2, "components must be separated by commas"},
		{"[] []", OT_SYNTAX, 3, "unexpected text after the array"},
		{"[]x", OT_SYNTAX, 2, "unexpected text after the array"}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_other_components(void)
{
	static const Refused cases[] = {
		{"[null]", OT_SYNTAX, 1, NO_COMPONENT},
		{"[true]", OT_SYNTAX, 1, NO_COMPONENT},
		{"[[]]", OT_SYNTAX, 1, NO_COMPONENT},
		{"[[[[", OT_SYNTAX, 1, NO_COMPONENT},
		{"[1,]", OT_SYNTAX, 3, NO_COMPONENT},
		{"[,1]", OT_SYNTAX, 1, NO_COMPONENT},
		{"['a']", OT_SYNTAX, 1, NO_COMPONENT},
		{"[+1]", OT_SYNTAX, 1, NO_COMPONENT}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_numbers_that_are_no_lengths(void)
{
	static const Refused cases[] = {
		{"[-1]", OT_SYNTAX, 1, NO_LENGTH},
		{"[-]", OT_SYNTAX, 1, NO_LENGTH},
		{"[1.0]", OT_SYNTAX, 1, NO_LENGTH},
		{"[1.5,\"a\"]", OT_SYNTAX, 1, NO_LENGTH},
		{"[1e3]", OT_SYNTAX, 1, NO_LENGTH},
		{"[ 1E3]", OT_SYNTAX, 2, NO_LENGTH},
		{"[99999999999.5]", OT_SYNTAX, 1, NO_LENGTH},
		{"[{\"d\":-1}]", OT_SYNTAX, 6, NO_LENGTH},
		{"[{\"d\":1.5}]", OT_SYNTAX, 6, NO_LENGTH},
		{"[01]", OT_SYNTAX, 1, "a number must not begin with a zero"},
		{"[00]", OT_SYNTAX, 1, "a number must not begin with a zero"}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_numbers_too_large(void)
{
	static const Refused cases[] = {
		{"[1073741825]", OT_TOO_LARGE, 1, "a number is too large"},
		{"[{\"d\":1073741825}]", OT_TOO_LARGE, 6, "a number is too large"},
		{"[18446744073709551617]", OT_TOO_LARGE, 1, "a number is too large"},
		{"[99999999999999999999999999999999999999]", OT_TOO_LARGE, 1, "a number is too large"},
		{"[1073741824,\"ab\"]", OT_TOO_LARGE, 12, "the operation is too large"},
		{"[{\"d\":1073741824},{\"d\":1}]", OT_TOO_LARGE, 26, "the operation is too large"}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_other_objects(void)
{
	static const Refused cases[] = {
		{"[{}]", OT_SYNTAX, 2, NO_OBJECT},
		{"[{\"i\":1}]", OT_SYNTAX, 2, NO_OBJECT},
		{"[{\"d\"}]", OT_SYNTAX, 5, NO_OBJECT},
		{"[{\"d\":1,\"d\":1}]", OT_SYNTAX, 7, NO_OBJECT},
		{"[{\"d\":1,\"i\":1}]", OT_SYNTAX, 7, NO_OBJECT},
		{"[{\"dd\":1}]", OT_SYNTAX, 2, NO_OBJECT},
		{"[{\"D\":1}]", OT_SYNTAX, 2, NO_OBJECT},
		{"[{d:1}]", OT_SYNTAX, 2, NO_OBJECT},
		{"[{\"d\":\"x\"}]", OT_SYNTAX, 6, NO_LENGTH},
		{"[{\"d\":null}]", OT_SYNTAX, 6, NO_LENGTH},
		{"[{\"d\":1", OT_SYNTAX, 7, NO_OBJECT},
		{"[{\"d\":", OT_SYNTAX, 6, NO_LENGTH},
		{"[{", OT_SYNTAX, 2, NO_OBJECT},
		{"[{\"d", OT_SYNTAX, 2, NO_OBJECT}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_broken_strings(void)
{
	static const Refused cases[] = {
		{"[\"abc", OT_SYNTAX, 5, "a string is not terminated"},
		{"[\"abc\\", OT_SYNTAX, 5, "a string has an unknown escape"},
		{"[\"\\x41\"]", OT_SYNTAX, 2, "a string has an unknown escape"},
		{"[\"\\'\"]", OT_SYNTAX, 2, "a string has an unknown escape"},
		{"[\"a\nb\"]", OT_SYNTAX, 3, "a control character in a string must be escaped"},
		{"[\"a\x1f\"]", OT_SYNTAX, 3, "a control character in a string must be escaped"},
		{"[\"\\u12\"]", OT_SYNTAX, 6, "\\u must be followed by four hexadecimal digits"},
		{"[\"\\u12g4\"]", OT_SYNTAX, 6, "\\u must be followed by four hexadecimal digits"},
		{"[\"\\u", OT_SYNTAX, 4, "\\u must be followed by four hexadecimal digits"},
		{"[\"\\ud83d\\u12\"]", OT_SYNTAX, 12, "\\u must be followed by four hexadecimal digits"}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_lone_surrogates(void)
{
	static const Refused cases[] = {
		{"[\"a\\ud83d\"]", OT_SURROGATE, 3, NO_PAIR},
		{"[\"\\ude00\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83d\\ud83d\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83d\\ue000\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83dx\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83d\\n\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83d\\u0041\"]", OT_SURROGATE, 2, NO_PAIR},
		{"[\"\\ud83d", OT_SURROGATE, 2, NO_PAIR}
	};

	CHECK_REFUSED(cases);
}

static void
refuses_nul(void)
{
	static const Refused cases[] = {
		{"[\"ab\\u0000\"]", OT_NUL, 4, "text must not contain U+0000"}
	};
	OtBuffer	out;
	size_t		error_at;
	const char *detail;

	CHECK_REFUSED(cases);
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ot_from_json("[\"a\0\"]", 6, &out, &error_at, &detail), OT_SYNTAX);
	CHECK_NUMBER(error_at, 3);
	CHECK_NUMBER(ot_from_json("[]\0", 3, &out, &error_at, &detail), OT_SYNTAX);
	ot_buffer_free(&out);
}

static void
refuses_bad_utf8(void)
{
	static const Refused cases[] = {
		{"[\"ab\xff\"]", OT_BAD_UTF8, 4, "text must be valid UTF-8"},
		{"[\"0123456789" EMOJI "\xed\xa0\x80\"]", OT_BAD_UTF8, 16, "text must be valid UTF-8"},
		{"[\"\xe6\xbc\"]", OT_BAD_UTF8, 2, "text must be valid UTF-8"},
		{"[\xff]", OT_SYNTAX, 1, NO_COMPONENT}
	};

	CHECK_REFUSED(cases);
}

/* ---- printed ---- */

static const char *
printed(const char *text, size_t size)
{
	OtBuffer	out;
	const char *result;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ot_json_string(text, size, &out), OT_OK);
	result = text_of(&out);
	ot_buffer_free(&out);
	return result;
}

static void
escapes_as_little_as_possible(void)
{
	CHECK_TEXT(printed("", 0), "\"\"");
	CHECK_TEXT(printed("\"\\\b\f\n\r\t", 7), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	CHECK_TEXT(printed("\x01\x0b\x1f", 3), "\"\\u0001\\u000b\\u001f\"");
	CHECK_TEXT(printed("/\x7f'<>&", 6), "\"/\x7f'<>&\"");
	CHECK_TEXT(printed("\xe2\x80\xa8" E_ACUTE EMOJI, 9), "\"\xe2\x80\xa8" E_ACUTE EMOJI "\"");
}

static void
escapes_at_every_place(void)
{
	for (size_t at = 0; at < 20; at++)
	{
		char		text[] = "abcdefghijklmnopqrst";
		char		want[32];

		text[at] = '"';
		want[0] = '"';
		memcpy(want + 1, text, at);
		memcpy(want + 1 + at, "\\\"", 2);
		memcpy(want + 3 + at, text + at + 1, 20 - at);
		memcpy(want + 22, "\"", 2);
		CHECK_TEXT(printed(text, 20), want);
	}
}

static void
prints_behind_what_is_there(void)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 3);
	CHECK_NUMBER(ot_buffer_append(&out, "{\"op\":", 6), OT_OK);
	CHECK_NUMBER(ot_to_json(op_of("[1073741823,\"x\"]"), &out), OT_OK);
	CHECK_TEXT(text_of(&out), "{\"op\":[1073741823,\"x\"]");
	ot_buffer_free(&out);
}

static const TapTest tests[] = {
	{"takes retains, inserts and deletes", takes_components},
	{"takes white space between tokens", takes_white_space},
	{"brings what it takes into normal form", brings_into_normal_form},
	{"takes every escape", takes_escapes},
	{"refuses what is no array, or no whole one", refuses_what_is_no_array},
	{"refuses components of other kinds", refuses_other_components},
	{"refuses numbers that are no lengths", refuses_numbers_that_are_no_lengths},
	{"refuses lengths past the limit", refuses_numbers_too_large},
	{"refuses objects of other shapes", refuses_other_objects},
	{"refuses strings that are broken", refuses_broken_strings},
	{"refuses lone surrogates", refuses_lone_surrogates},
	{"refuses U+0000", refuses_nul},
	{"refuses bytes that are not UTF-8", refuses_bad_utf8},
	{"escapes what must be, and nothing else", escapes_as_little_as_possible},
	{"escapes wherever it stands", escapes_at_every_place},
	{"prints behind what a buffer holds", prints_behind_what_is_there}
};

TAP_MAIN("unit-json", tests);
