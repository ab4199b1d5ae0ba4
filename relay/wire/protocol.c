/*
 * wire/protocol.c: what clients say, as structs.
 *
 * PostgreSQL judges an operation: its JSON is passed on, in the bytes that came where
 * they are of the usual form (wire/op_message.h), else printed from what was parsed.
 */
#include "wire/protocol.h"

#include "base/mem.h"
#include "wire/fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PARSE_FLAGS (JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES)
#define PRINT_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)

/* Tell whether a \u escape stands at p, and give its value. */
static bool
read_escape(const char *p, const char *end, unsigned *value)
{
	char		digits[5] = "";

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return false;
	for (int i = 0; i < 4; i++)
	{
		if (!isxdigit((unsigned char) p[2 + i]))
			return false;
		digits[i] = p[2 + i];
	}
	*value = (unsigned) strtoul(digits, NULL, 16);
	return true;
}

static bool
is_high(unsigned value)
{
	return value >= 0xd800 && value <= 0xdbff;
}

static bool
is_low(unsigned value)
{
	return value >= 0xdc00 && value <= 0xdfff;
}

/*
 * Replace escapes of lone surrogates, in place; returns true if there were any.
 * JavaScript writes them as escapes when a text was cut inside a pair, and
 * the client that did so deserves a reject it can act on, not a closed door.
 */
static bool
replace_lone_surrogates(char *text, size_t len)
{
	const char *end = text + len;
	bool		found = false;

	for (char *p = text; p < end;)
	{
		unsigned	first,
					second;

		if (*p != '\\')
			p++;
		else if (!read_escape(p, end, &first))
			p += 2;
		else if (is_high(first) && read_escape(p + 6, end, &second) && is_low(second))
			p += 12;
		else
		{
			if (is_high(first) || is_low(first))
			{
				memcpy(p, "\\uFFFD", 6);
				found = true;
			}
			p += 6;
		}
	}
	return found;
}

/* Parse once more what may only have failed for its lone surrogates. */
static json_t *
parse_mended(const char *text, size_t len)
{
	char	   *copy = mem_string(text, len);
	json_t	   *root = NULL;

	if (replace_lone_surrogates(copy, len))
		root = json_loadb(copy, len, PARSE_FLAGS, NULL);
	free(copy);
	return root;
}

/* Read a message as far as its type. */
bool
protocol_parse(const char *text, size_t len, struct message *m, const char **problem)
{
	json_error_t error;

	memset(m, 0, sizeof(*m));
	m->is_plain_op = op_message_read(text, len, &m->op);
	if (m->is_plain_op)
	{
		m->type = "op";
		return true;
	}
	m->root = json_loadb(text, len, PARSE_FLAGS, &error);
	if (m->root == NULL)
	{
		m->root = parse_mended(text, len);
		m->lone_surrogate = true;
	}
	if (m->root == NULL)
	{
		*problem = json_error_code(&error) == json_error_invalid_utf8 ?
			"the message is not valid UTF-8" : "the message is not valid JSON";
		return false;
	}
	m->type = json_string_value(json_object_get(m->root, "type"));
	/* U+0000 may stand in texts, and ends no name */
	if (m->type != NULL && strlen(m->type) != json_string_length(json_object_get(m->root, "type")))
		m->type = NULL;
	if (m->type == NULL)
		*problem = "a message must be a JSON object with a type";
	return m->type != NULL;
}

/* Give a message back. */
void
protocol_release(struct message *m)
{
	json_decref(m->root);
	memset(m, 0, sizeof(*m));
}

/* Read a hello. */
bool
protocol_hello(const struct message *m, struct hello *hello, const char **problem)
{
	json_t	   *token = json_object_get(m->root, "token");
	json_t	   *version = json_object_get(m->root, "version");
	json_t	   *sequence_id = json_object_get(m->root, "sequenceId");

	memset(hello, 0, sizeof(*hello));
	hello->sequence_id = -1;
	*problem = NULL;
	if (token != NULL && !json_is_null(token) && !json_is_string(token))
		*problem = "hello: token must be a string";
	else if (version != NULL && !json_is_null(version) && !field_count(m->root, "version", &hello->version))
		*problem = "hello: version must be a whole number, not negative";
	else if (!field_uuid(m->root, "operationId", &hello->has_operation_id, &hello->operation_id))
		*problem = "hello: operationId must be a uuid";
	else if (sequence_id != NULL && !json_is_null(sequence_id) && !field_count(m->root, "sequenceId", &hello->sequence_id))
		*problem = "hello: sequenceId must be a whole number, not negative";
	else if (!field_uuid(m->root, "pending", &hello->has_pending, &hello->pending))
		*problem = "hello: pending must be a uuid";
	else if (!field_life(m->root, &hello->has_life, &hello->life))
		*problem = "hello: life must be a string";
	hello->token = json_string_value(token);
	hello->resumes = json_is_integer(version);
	return *problem == NULL;
}

/* Read an ack. */
bool
protocol_ack(const struct message *m, int64_t *sequence_id, const char **problem)
{
	*problem = "ack: sequenceId must be a whole number, not negative";
	return field_count(m->root, "sequenceId", sequence_id);
}

/* Read the id of an op, without which it cannot even be rejected. */
bool
protocol_operation_id(const struct message *m, struct uuid *id)
{
	bool		there;

	if (m->is_plain_op)
	{
		*id = m->op.operation_id;
		return true;
	}
	return field_uuid(m->root, "operationId", &there, id) && there;
}

/* Build the components that operationType, position and payload stand for. */
static json_t *
components_of(const json_t *root)
{
	const char *type = json_string_value(json_object_get(root, "operationType"));
	json_t	   *payload = json_object_get(root, "payload");
	json_t	   *length = json_object_get(root, "length");
	json_t	   *text = json_is_string(payload) ? payload : NULL;
	json_t	   *op = json_array();
	int64_t		position;

	if (type == NULL || !field_count(root, "position", &position))
	{
		json_decref(op);
		return NULL;
	}
	if (length == NULL && json_is_integer(payload))
		length = payload;
	if (position > 0)
		json_array_append_new(op, json_integer(position));
	if (text != NULL && json_string_length(text) > 0 && strcmp(type, "delete") != 0)
		json_array_append(op, text);
	if (length != NULL && strcmp(type, "insert") != 0)
		json_array_append_new(op, json_pack("{s:O}", "d", length));
	if ((strcmp(type, "insert") == 0 && text != NULL) ||
		(strcmp(type, "delete") == 0 && length != NULL) ||
		(strcmp(type, "replace") == 0 && text != NULL && length != NULL))
		return op;
	json_decref(op);
	return NULL;
}

/* Take over what a plain op says. */
static void
take_plain_op(const struct op_message *message, struct submitted *op)
{
	op->operation_id = message->operation_id;
	op->base_version = message->base_version;
	op->text = mem_string(message->op, message->op_len);
	op->text_len = message->op_len;
}

/* Read an op; a problem here is answered by rejecting it. */
bool
protocol_op(const struct message *m, struct submitted *op, const char **problem)
{
	json_t	   *value;

	memset(op, 0, sizeof(*op));
	if (m->is_plain_op)
	{
		take_plain_op(&m->op, op);
		return true;
	}
	value = json_object_get(m->root, "op");
	*problem = NULL;
	if (!protocol_operation_id(m, &op->operation_id))
		*problem = "op: operationId must be a uuid";
	else if (m->lone_surrogate)
		*problem = "op: the text must not contain a lone surrogate";
	else if (!field_count(m->root, "baseVersion", &op->base_version))
		*problem = "op: baseVersion must be a whole number, not negative";
	if (*problem != NULL)
		return false;
	value = value != NULL ? json_incref(value) : components_of(m->root);
	if (value != NULL)
		op->text = json_dumps(value, PRINT_FLAGS);
	json_decref(value);
	if (op->text == NULL)
		*problem = "op: op must be a list of components, or operationType must be insert, delete or replace "
			"with position, payload (a string) and length";
	else
		op->text_len = strlen(op->text);
	return op->text != NULL;
}

/* Read a checksum of the client's text. */
bool
protocol_checksum(const struct message *m, int64_t *version, char checksum[CHECKSUM_DIGITS + 1], const char **problem)
{
	json_t	   *value = json_object_get(m->root, "checksum");
	const char *text = json_string_value(value);

	if (!field_count(m->root, "version", version))
		*problem = "checksum: version must be a whole number, not negative";
	else if (text == NULL || json_string_length(value) != CHECKSUM_DIGITS ||
			 strspn(text, "0123456789abcdef") != CHECKSUM_DIGITS)
		*problem = "checksum: checksum must be a SHA-256 as 64 lower-case hex digits";
	else
	{
		memcpy(checksum, text, CHECKSUM_DIGITS + 1);
		return true;
	}
	return false;
}

/* Get the end of a string whose first quote was read: what is behind its last one. */
static const char *
end_of_string(const char *p, const char *end)
{
	const char *first = p;

	while ((p = memchr(p, '"', (size_t) (end - p))) != NULL)
	{
		const char *escape = p;

		while (escape > first && escape[-1] == '\\')
			escape--;
		p++;
		if ((p - 1 - escape) % 2 == 0)
			return p;
	}
	return end;
}

size_t
protocol_count_elements(const char *text, size_t len)
{
	const char *end = text + len;
	size_t		count = 0;

	for (const char *p = text; p < end;)
	{
		char		c = *p++;

		if (c == '"')
			p = end_of_string(p, end);
		else if (c == ',' || c == '[' || c == '{')
			count++;
	}
	return count;
}
