/*
 * test-docmap.c: uuids as text and back.
 */
#include "base/docmap.h"
#include "tap.h"

#include <ctype.h>
#include <string.h>

#define ID "0123abcd-4567-89ef-fedc-ba9876543210"

static void
a_uuid_is_read_and_written_as_it_was(void)
{
	static const unsigned char bytes[UUID_BYTES] = {
		0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10
	};
	struct uuid id;
	char		text[UUID_TEXT_LEN + 1];

	CHECK(uuid_parse(ID, UUID_TEXT_LEN, &id) && memcmp(id.bytes, bytes, UUID_BYTES) == 0);
	uuid_format(&id, text);
	CHECK(strcmp(text, ID) == 0);
}

static void
capital_letters_are_digits_too(void)
{
	char		text[] = ID;
	struct uuid lower;
	struct uuid upper;

	for (char *at = text; *at != '\0'; at++)
		*at = (char) toupper(*at);
	CHECK(uuid_parse(ID, UUID_TEXT_LEN, &lower) && uuid_parse(text, UUID_TEXT_LEN, &upper) && uuid_equal(&lower, &upper));
}

/* Each character in each place is taken where PostgreSQL's usual form has it, and nowhere else. */
static void
nothing_else_is_a_uuid(void)
{
	struct uuid id;

	for (size_t i = 0; i < UUID_TEXT_LEN; i++)
	{
		for (int c = 0; c < 256; c++)
		{
			char		text[] = ID;
			bool		good = text[i] == '-' ? c == '-' : c < 128 && isxdigit(c) != 0;

			text[i] = (char) c;
			CHECK(uuid_parse(text, UUID_TEXT_LEN, &id) == good);
		}
	}
	CHECK(!uuid_parse(ID, UUID_TEXT_LEN - 1, &id) && !uuid_parse(ID "0", UUID_TEXT_LEN + 1, &id));
	CHECK(!uuid_parse("0123abcd4567-89ef-fedc-ba98-76543210", UUID_TEXT_LEN, &id));
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a uuid is read and written as it was", a_uuid_is_read_and_written_as_it_was},
		{"capital letters are digits too", capital_letters_are_digits_too},
		{"nothing else is a uuid", nothing_else_is_a_uuid},
	};

	return TAP_RUN(tests);
}
