/*
 * ot/json.c
 *		The text form of ops: strict JSON (RFC 8259) in, minimal JSON out.
 *
 * The parser feeds the builder as it reads, so that whatever it accepts comes
 * out in normal form.  An op has one level of nesting: nothing recurses.
 */
#include "ot_internal.h"

/* ---- parsing ---- */

typedef struct Parser
{
	const char *start;
	const char *next;
	const char *end;
	OtBuilder	builder;
	OtStatus	status;
	const char *error_at;
	const char *detail;
} Parser;

/* Note what is wrong and where; false, so that callers may return it. */
static bool
fail_at(Parser *parser, OtStatus status, const char *at, const char *detail)
{
	parser->status = status;
	parser->error_at = at;
	parser->detail = detail;
	return false;
}

static bool
fail(Parser *parser, const char *detail)
{
	return fail_at(parser, OT_SYNTAX, parser->next, detail);
}

static bool
skip_literal(Parser *parser, const char *literal)
{
	size_t		size = strlen(literal);

	if ((size_t) (parser->end - parser->next) < size ||
		memcmp(parser->next, literal, size) != 0)
		return false;
	parser->next += size;
	return true;
}

/* The next byte that is not white space, '\0' at the end of the text. */
static char
next_token(Parser *parser)
{
	while (parser->next < parser->end &&
		   (*parser->next == ' ' || *parser->next == '\t' ||
			*parser->next == '\n' || *parser->next == '\r'))
		parser->next++;
	return parser->next < parser->end ? *parser->next : '\0';
}

static bool
is_digit(const Parser *parser)
{
	return parser->next < parser->end && *parser->next >= '0' && *parser->next <= '9';
}

/* A whole number from 0 to OT_MAX_LENGTH. */
static bool
parse_length(Parser *parser, int64_t *length)
{
	const char *start = parser->next;
	int64_t		value = 0;

	if (!is_digit(parser))
		return fail(parser, "a number must be a whole number of code points");
	for (; is_digit(parser); parser->next++)
		if (value <= OT_MAX_LENGTH)
			value = value * 10 + (*parser->next - '0');
	if (*start == '0' && parser->next - start > 1)
		return fail_at(parser, OT_SYNTAX, start, "a number must not begin with a zero");
	if (parser->next < parser->end &&
		(*parser->next == '.' || *parser->next == 'e' || *parser->next == 'E'))
		return fail_at(parser, OT_SYNTAX, start,
					   "a number must be a whole number of code points");
	if (value > OT_MAX_LENGTH)
		return fail_at(parser, OT_TOO_LARGE, start, "a number is too large");
	*length = value;
	return true;
}

/* The four hexadecimal digits of a \u escape. */
static bool
parse_hex(Parser *parser, uint32_t *unit)
{
	uint32_t	value = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = parser->next < parser->end ? *parser->next : '\0';

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t) (c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			value = value << 4 | (uint32_t) ((c & 0x0f) + 9);
		else
			return fail(parser, "\\u must be followed by four hexadecimal digits");
		parser->next++;
	}
	*unit = value;
	return true;
}

/* Append a code point that was written as an escape. */
static void
insert_escaped(Parser *parser, uint32_t cp)
{
	char		utf8[4];
	size_t		size;

	if (cp < 0x80)
		size = 1;
	else
		size = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, cp >>= 6)
		utf8[i] = (char) (0x80 | (cp & 0x3f));
	/* The lead byte has as many high bits set as the sequence has bytes. */
	utf8[0] = (char) (size == 1 ? cp : ((0xf00u >> size) & 0xff) | cp);
	ot_builder_insert(&parser->builder, utf8, size, 1);
}

/* The rest of a \u escape, and of the one behind it when they are a pair. */
static bool
parse_unicode_escape(Parser *parser, const char *at)
{
	static const char *const lone = "a surrogate must be one of a pair";
	uint32_t	cp;
	uint32_t	low;

	if (!parse_hex(parser, &cp))
		return false;
	if (cp == 0)
		return fail_at(parser, OT_NUL, at, "text must not contain U+0000");
	if (cp >= 0xdc00 && cp <= 0xdfff)
		return fail_at(parser, OT_SURROGATE, at, lone);
	if (cp >= 0xd800 && cp <= 0xdbff)
	{
		if (!skip_literal(parser, "\\u"))
			return fail_at(parser, OT_SURROGATE, at, lone);
		if (!parse_hex(parser, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return fail_at(parser, OT_SURROGATE, at, lone);
		cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
	}
	insert_escaped(parser, cp);
	return true;
}

/* What stands behind a backslash. */
static bool
parse_escape(Parser *parser)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *at = parser->next++;
	const char *name;

	if (skip_literal(parser, "u"))
		return parse_unicode_escape(parser, at);
	if (parser->next == parser->end || *parser->next == '\0' ||
		(name = strchr(names, *parser->next)) == NULL)
		return fail_at(parser, OT_SYNTAX, at, "a string has an unknown escape");
	parser->next++;
	insert_escaped(parser, (uint32_t) values[name - names]);
	return true;
}

/* Append the text from here to what ends it: a quote, an escape, a control. */
static bool
parse_plain_text(Parser *parser)
{
	const char *start = parser->next;
	int64_t		length;
	size_t		bad_at;
	OtStatus	status;

	while (parser->next < parser->end && *parser->next != '"' && *parser->next != '\\' &&
		   (uint8_t) *parser->next >= 0x20)
		parser->next++;
	status = ot_utf8_check_at(start, (size_t) (parser->next - start), &length, &bad_at);
	if (status != OT_OK)
		return fail_at(parser, status, start + bad_at, "text must be valid UTF-8");
	ot_builder_insert(&parser->builder, start, (size_t) (parser->next - start), length);
	return true;
}

/* A string, which inserts. */
static bool
parse_insert(Parser *parser)
{
	parser->next++;
	for (;;)
	{
		if (!parse_plain_text(parser))
			return false;
		if (parser->next == parser->end)
			return fail(parser, "a string does not end");
		if (skip_literal(parser, "\""))
			return true;
		if (*parser->next != '\\')
			return fail(parser, "a control character in a string must be escaped");
		if (!parse_escape(parser))
			return false;
	}
}

/* {"d": n}, which deletes. */
static bool
parse_delete(Parser *parser)
{
	static const char *const shape = "an object must be of the form {\"d\": length}";
	int64_t		length;

	parser->next++;
	(void) next_token(parser);
	/* An escape is the same key, and there is one way to write it. */
	if (!skip_literal(parser, "\"d\"") && !skip_literal(parser, "\"\\u0064\""))
		return fail(parser, shape);
	if (next_token(parser) != ':')
		return fail(parser, shape);
	parser->next++;
	(void) next_token(parser);
	if (!parse_length(parser, &length))
		return false;
	if (next_token(parser) != '}')
		return fail(parser, shape);
	parser->next++;
	ot_builder_delete(&parser->builder, length);
	return true;
}

/* A number, which retains. */
static bool
parse_retain(Parser *parser)
{
	int64_t		length;

	if (!parse_length(parser, &length))
		return false;
	ot_builder_retain(&parser->builder, length);
	return true;
}

/* One component, and the builder's word on it. */
static bool
parse_component(Parser *parser)
{
	const char *at = parser->next;
	char		token = next_token(parser);
	bool		parsed;

	if (token == '"')
		parsed = parse_insert(parser);
	else if (token == '{')
		parsed = parse_delete(parser);
	else if (token == '-' || (token >= '0' && token <= '9'))
		parsed = parse_retain(parser);
	else
		return fail(parser, "a component must be a number, a string or {\"d\": length}");
	if (parsed && parser->builder.status != OT_OK)
		return fail_at(parser, parser->builder.status, at,
					   parser->builder.status == OT_NO_MEMORY ?
					   "out of memory" : "the operation is too large");
	return parsed;
}

/* The array of components, and nothing behind it. */
static bool
parse_op(Parser *parser)
{
	if (next_token(parser) != '[')
		return fail(parser, "an operation must be an array");
	parser->next++;
	if (next_token(parser) != ']')
	{
		for (;;)
		{
			if (!parse_component(parser))
				return false;
			if (next_token(parser) != ',')
				break;
			parser->next++;
			(void) next_token(parser);
		}
		if (next_token(parser) != ']')
			return fail(parser, parser->next == parser->end ?
						"the array does not end" :
						"components must be separated by commas");
	}
	parser->next++;
	(void) next_token(parser);
	if (parser->next != parser->end)
		return fail(parser, "nothing may follow the array");
	return true;
}

/* Parse the JSON text form, bringing it into normal form. */
OtStatus
ot_from_json(const char *json, size_t size, OtBuffer *out,
			 size_t *error_at, const char **detail)
{
	const char *start = size == 0 ? "" : json;
	Parser		parser = {0};

	parser.start = start;
	parser.next = start;
	parser.end = start + size;
	ot_builder_init(&parser.builder, out);
	if (parse_op(&parser))
	{
		parser.status = ot_builder_finish(&parser.builder);
		if (parser.status == OT_OK)
			return OT_OK;
		(void) fail_at(&parser, parser.status, parser.next,
					   parser.status == OT_NO_MEMORY ?
					   "out of memory" : "the operation is too large");
	}
	*error_at = (size_t) (parser.error_at - parser.start);
	*detail = parser.detail;
	return parser.status;
}

/* ---- printing ---- */

/* Append the escape of a character that may not stand in a string as it is. */
static OtStatus
append_escape(OtBuffer *out, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	static const char values[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";
	const char *value = c == 0 ? NULL : strchr(values, c);
	char		escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 0x0f]};

	if (value == NULL)
		return ot_buffer_append(out, escape, sizeof(escape));
	escape[1] = names[value - values];
	return ot_buffer_append(out, escape, 2);
}

static bool
needs_escape(uint8_t c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Append a JSON string literal, quotes included, of valid UTF-8. */
OtStatus
ot_json_string(const char *text, size_t size, OtBuffer *out)
{
	OtStatus	status = ot_buffer_append(out, "\"", 1);
	size_t		at = 0;

	while (status == OT_OK && at < size)
	{
		size_t		run = at;

		while (run < size && !needs_escape((uint8_t) text[run]))
			run++;
		status = ot_buffer_append(out, text + at, run - at);
		at = run;
		if (status == OT_OK && at < size)
			status = append_escape(out, (uint8_t) text[at++]);
	}
	return status == OT_OK ? ot_buffer_append(out, "\"", 1) : status;
}

/* Append a number between two pieces of text. */
static OtStatus
append_length(OtBuffer *out, const char *before, int64_t length, const char *after)
{
	char		digits[32];
	size_t		at = sizeof(digits);
	OtStatus	status = ot_buffer_append(out, before, strlen(before));

	do
		digits[--at] = (char) ('0' + length % 10);
	while ((length /= 10) > 0);
	if (status == OT_OK)
		status = ot_buffer_append(out, digits + at, sizeof(digits) - at);
	return status == OT_OK ? ot_buffer_append(out, after, strlen(after)) : status;
}

/* Append the text form, without white space. */
OtStatus
ot_to_json(OtOp op, OtBuffer *out)
{
	OtReader	reader;
	OtComponent component;
	const char *separator = "";
	OtStatus	status = ot_buffer_append(out, "[", 1);

	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		status = ot_buffer_append(out, separator, strlen(separator));
		separator = ",";
		if (status != OT_OK)
			break;
		if (component.kind == OT_INSERT)
			status = ot_json_string(component.text, component.text_size, out);
		else if (component.kind == OT_DELETE)
			status = append_length(out, "{\"d\":", component.length, "}");
		else
			status = append_length(out, "", component.length, "");
	}
	return status == OT_OK ? ot_buffer_append(out, "]", 1) : status;
}
