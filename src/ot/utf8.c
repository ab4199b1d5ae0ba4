/*
 * ot/utf8.c
 *		UTF-8: checking it, counting its code points, finding the n-th of them.
 *
 * Counting and finding trust their text and go eight bytes at a time: a code
 * point begins at every byte that is not of the form 10xxxxxx.
 */
#include "ot_internal.h"

#define EVERY_BYTE	UINT64_C(0x0101010101010101)
#define HIGH_BITS	(EVERY_BYTE << 7)

/* Words counted together: their byte-wide sums must stay below 256. */
#define BLOCK_WORDS 32
#define BLOCK_BYTES (BLOCK_WORDS * sizeof(uint64_t))

static inline uint64_t
load_word(const char *text)
{
	uint64_t	word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/* 1 in each byte of the word that continues a code point. */
static inline uint64_t
continuations(uint64_t word)
{
	return (word >> 7) & ~(word >> 6) & EVERY_BYTE;
}

/* The sum of a word's bytes, which must be below 65536. */
static inline int64_t
sum_bytes(uint64_t word)
{
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);

	word = (word & even) + ((word >> 8) & even);
	return (int64_t) ((word * UINT64_C(0x0001000100010001)) >> 48);
}

static inline bool
begins_cp(char byte)
{
	return ((uint8_t) byte & 0xc0) != 0x80;
}

/* How many code points begin in the next BLOCK_BYTES. */
static inline int64_t
count_block(const char *text)
{
	uint64_t	sums = 0;

	for (size_t i = 0; i < BLOCK_BYTES; i += sizeof(uint64_t))
		sums += continuations(load_word(text + i));
	return (int64_t) BLOCK_BYTES - sum_bytes(sums);
}

static inline int64_t
count_word(const char *text)
{
	return (int64_t) sizeof(uint64_t) - sum_bytes(continuations(load_word(text)));
}

/* The cp of text known to be valid. */
int64_t
ot_utf8_length(const char *text, size_t size)
{
	const char *end = text + size;
	int64_t		length = 0;

	for (; (size_t) (end - text) >= BLOCK_BYTES; text += BLOCK_BYTES)
		length += count_block(text);
	for (; (size_t) (end - text) >= sizeof(uint64_t); text += sizeof(uint64_t))
		length += count_word(text);
	for (; text < end; text++)
		length += begins_cp(*text);
	return length;
}

/*
 * The bytes of the first *length_cp cp of valid text, at most `size`; what is
 * left in *length_cp is how many cp the text was short of.
 */
size_t
ot_utf8_skip(const char *text, size_t size, int64_t *length_cp)
{
	int64_t		left = *length_cp;
	size_t		at = 0;
	int64_t		count;

	while (size - at >= BLOCK_BYTES && (count = count_block(text + at)) <= left)
	{
		left -= count;
		at += BLOCK_BYTES;
	}
	while (size - at >= sizeof(uint64_t) && (count = count_word(text + at)) <= left)
	{
		left -= count;
		at += sizeof(uint64_t);
	}
	for (; at < size; at++)
	{
		if (!begins_cp(text[at]))
			continue;
		if (left == 0)
			break;
		left--;
	}
	*length_cp = left;
	return at;
}

/* The bytes of the first `length_cp` cp of valid text, at most `size`. */
size_t
ot_utf8_offset(const char *text, size_t size, int64_t length_cp)
{
	return ot_utf8_skip(text, size, &length_cp);
}

/*
 * The bytes of the multi-byte code point here, 0 when it is none: a stray
 * continuation, an overlong form, a surrogate, past U+10FFFF or cut off.
 */
static size_t
sequence_size(const uint8_t *at, size_t left)
{
	uint8_t		lead = at[0];
	uint8_t		low = 0x80;
	uint8_t		high = 0xbf;
	size_t		size;

	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (left < size)
		return 0;
	if (lead == 0xe0)
		low = 0xa0;
	else if (lead == 0xed)
		high = 0x9f;
	else if (lead == 0xf0)
		low = 0x90;
	else if (lead == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* The bytes here, whole words of them, that are ASCII and not U+0000. */
static size_t
plain_run(const char *text, size_t size)
{
	size_t		at = 0;

	while (size - at >= sizeof(uint64_t))
	{
		uint64_t	word = load_word(text + at);

		/* Without high bits the subtraction borrows exactly at a zero byte. */
		if (((word | (word - EVERY_BYTE)) & HIGH_BITS) != 0)
			break;
		at += sizeof(uint64_t);
	}
	return at;
}

/* ot_utf8_check() that also tells where the text goes wrong. */
OtStatus
ot_utf8_check_at(const char *text, size_t size, int64_t *length_cp, size_t *bad_at)
{
	size_t		at = 0;
	int64_t		length = 0;

	while (at < size)
	{
		size_t		run = plain_run(text + at, size - at);

		at += run;
		length += (int64_t) run;
		for (size_t i = 0; i < sizeof(uint64_t) && at < size; i++)
		{
			size_t		step = 1;

			*bad_at = at;
			if (text[at] == '\0')
				return OT_NUL;
			if ((text[at] & 0x80) != 0)
				step = sequence_size((const uint8_t *) text + at, size - at);
			if (step == 0)
				return OT_BAD_UTF8;
			at += step;
			length++;
		}
	}
	*length_cp = length;
	return OT_OK;
}

/* Valid UTF-8 without U+0000?  Counts its cp. */
OtStatus
ot_utf8_check(const char *text, size_t size, int64_t *length_cp)
{
	size_t		bad_at;

	return ot_utf8_check_at(text, size, length_cp, &bad_at);
}
