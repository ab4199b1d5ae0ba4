/*
 * wire/op_message.c: an operation's message as most clients write it, read without
 * building a document of it.
 *
 * A keystroke is such a message. All of its bytes are looked at, so what is read here
 * is what a parser of all JSON would read; what is unusual is left to that one.
 */
#include "wire/op_message.h"

#include <string.h>

/* a number of more digits may not fit into 64 bits */
#define DIGITS_MOST 18

struct cursor
{
	const char *at;
	const char *end;
};

enum field
{
	FIELD_TYPE = 1,
	FIELD_OPERATION_ID = 2,
	FIELD_BASE_VERSION = 4,
	FIELD_OP = 8,
	FIELDS = 15
};

/* ---- tokens ---- */

static void
skip_space(struct cursor *c)
{
	while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
}

/* Take one character, and the white space before and after it. */
static bool
take(struct cursor *c, char wanted)
{
	skip_space(c);
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	skip_space(c);
	return true;
}

/* Take a text that is known byte for byte. */
static bool
take_text(struct cursor *c, const char *wanted, size_t len)
{
	if ((size_t) (c->end - c->at) < len || memcmp(c->at, wanted, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* Take a whole number, not negative; one of many digits is left to the parser of all JSON. */
static bool
take_number(struct cursor *c, int64_t *number)
{
	const char *first = c->at;

	*number = 0;
	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
	{
		if (c->at - first == DIGITS_MOST)
			return false;
		*number = *number * 10 + (*c->at++ - '0');
	}
	if (c->at == first || (*first == '0' && c->at - first > 1))
		return false;
	/* a fraction or an exponent follows */
	return c->at == c->end || (*c->at != '.' && *c->at != 'e' && *c->at != 'E');
}

/* Take a character of UTF-8 that has more than one byte. */
static bool
take_wide(struct cursor *c)
{
	const unsigned char *p = (const unsigned char *) c->at;
	int			more = p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	unsigned char least = 0x80;
	unsigned char most = 0xbf;

	if (p[0] < 0xc2 || p[0] > 0xf4 || c->end - c->at <= more)
		return false;
	/* no longer than need be, no surrogate, nothing above U+10FFFF */
	if (p[0] == 0xe0)
		least = 0xa0;
	else if (p[0] == 0xed)
		most = 0x9f;
	else if (p[0] == 0xf0)
		least = 0x90;
	else if (p[0] == 0xf4)
		most = 0x8f;
	if (p[1] < least || p[1] > most)
		return false;
	for (int i = 2; i <= more; i++)
	{
		if (p[i] < 0x80 || p[i] > 0xbf)
			return false;
	}
	c->at += more + 1;
	return true;
}

/* Pass the characters of a string that are one byte each and mean nothing but themselves. */
static void
pass_plain(struct cursor *c)
{
	const char *at = c->at;

	while (at < c->end && (unsigned char) *at < 0x80 && (unsigned char) *at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	c->at = at;
}

/* Take a string; one with an escape by number is left to the parser of all JSON. */
static bool
take_string(struct cursor *c)
{
	if (!take_text(c, "\"", 1))
		return false;
	for (pass_plain(c); c->at < c->end && *c->at != '"'; pass_plain(c))
	{
		unsigned char byte = (unsigned char) *c->at;

		if (byte >= 0x80)
		{
			if (!take_wide(c))
				return false;
			continue;
		}
		if (byte < 0x20)
			return false;
		if (byte == '\\')
		{
			c->at++;
			if (c->at == c->end || *c->at == '\0' || strchr("\"\\/bfnrt", *c->at) == NULL)
				return false;
		}
		c->at++;
	}
	return take_text(c, "\"", 1);
}

/* ---- the op ---- */

/* Take a component: a count, a text, or a count to delete. */
static bool
take_component(struct cursor *c)
{
	int64_t		number;

	if (c->at == c->end)
		return false;
	if (*c->at == '"')
		return take_string(c);
	if (*c->at != '{')
		return take_number(c, &number);
	return take(c, '{') && take_text(c, "\"d\"", 3) && take(c, ':') && take_number(c, &number) && take(c, '}');
}

/* Take a list of components. */
static bool
take_op(struct cursor *c, struct op_message *message)
{
	message->op = c->at;
	if (c->at == c->end || *c->at != '[' || !take(c, '['))
		return false;
	if (c->at < c->end && *c->at != ']')
	{
		do
		{
			if (!take_component(c))
				return false;
		}
		while (take(c, ','));
	}
	if (!take_text(c, "]", 1))
		return false;
	message->op_len = (size_t) (c->at - message->op);
	return true;
}

/* ---- the message ---- */

/* Take a uuid. */
static bool
take_uuid(struct cursor *c, struct uuid *id)
{
	if (!take_text(c, "\"", 1) || c->end - c->at <= UUID_TEXT_LEN || !uuid_parse(c->at, UUID_TEXT_LEN, id))
		return false;
	c->at += UUID_TEXT_LEN;
	return take_text(c, "\"", 1);
}

/* Take a key; 0: none of ours. */
static enum field
take_key(struct cursor *c)
{
	if (take_text(c, "\"op\"", 4))
		return FIELD_OP;
	if (take_text(c, "\"type\"", 6))
		return FIELD_TYPE;
	if (take_text(c, "\"operationId\"", 13))
		return FIELD_OPERATION_ID;
	return take_text(c, "\"baseVersion\"", 13) ? FIELD_BASE_VERSION : 0;
}

/* Take the value of a key. */
static bool
take_value(struct cursor *c, enum field field, struct op_message *message)
{
	switch (field)
	{
		case FIELD_TYPE:
			return take_text(c, "\"op\"", 4);
		case FIELD_OPERATION_ID:
			return take_uuid(c, &message->operation_id);
		case FIELD_BASE_VERSION:
			return take_number(c, &message->base_version);
		case FIELD_OP:
			return take_op(c, message);
		default:
			return false;
	}
}

/* Read a plain op. */
bool
op_message_read(const char *text, size_t len, struct op_message *message)
{
	struct cursor c = {text, text + len};
	unsigned	seen = 0;

	if (!take(&c, '{'))
		return false;
	do
	{
		enum field	field = take_key(&c);

		if (field == 0 || (seen & field) != 0 || !take(&c, ':') || !take_value(&c, field, message))
			return false;
		seen |= field;
	}
	while (take(&c, ','));
	return seen == FIELDS && take(&c, '}') && c.at == c.end;
}
