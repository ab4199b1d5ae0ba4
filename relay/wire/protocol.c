/*
 * wire/protocol.c: the messages of converge.v1 as structs.
 *
 * Nothing here looks into an operation: its JSON is passed on as it came, and
 * PostgreSQL judges it. What PostgreSQL hands out ready (entries, snapshots,
 * event lines) has a fixed order of keys, so a few bytes at its front say all
 * the relay needs.
 */
#include "wire/protocol.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const reject_names[] = {
	[REJECT_STALE] = "stale",
	[REJECT_FORBIDDEN] = "forbidden",
	[REJECT_INVALID] = "invalid",
	[REJECT_CONFLICT] = "conflict",
	[REJECT_TOO_LARGE] = "too_large",
	[REJECT_RATE_LIMITED] = "rate_limited",
	[REJECT_UNAVAILABLE] = "unavailable",
};

#define REJECT_COUNT (sizeof(reject_names) / sizeof(reject_names[0]))

#define PARSE_FLAGS (JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES)
#define PRINT_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)

static const char entry_open[] = "{\"version\":";
static const char event_open[] = "{\"type\":\"op\",\"documentId\":\"";
static const char event_time[] = "\",\"committed\":";

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
 * Replace escapes of lone surrogates, in place; tells whether there were any.
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
		*problem = "a message is an object with a type";
	return m->type != NULL;
}

/* Give a message back. */
void
protocol_release(struct message *m)
{
	json_decref(m->root);
	memset(m, 0, sizeof(*m));
}

/* Read a field that is a uuid; absent or null leaves *there false. */
static bool
uuid_field(const json_t *root, const char *name, bool *there, struct uuid *id)
{
	json_t	   *value = json_object_get(root, name);

	*there = value != NULL && !json_is_null(value);
	if (!*there)
		return true;
	return json_is_string(value) && uuid_parse(json_string_value(value), json_string_length(value), id);
}

/* Read a field that is a whole number, not negative. */
static bool
count_field(const json_t *root, const char *name, int64_t *number)
{
	json_t	   *value = json_object_get(root, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = json_integer_value(value);
	return true;
}

/* Read a life; a text that is none is that of no document. */
static bool
life_field(const json_t *root, bool *there, struct uuid *life)
{
	const json_t *value = json_object_get(root, "life");

	*there = value != NULL && !json_is_null(value);
	if (!*there)
		return true;
	if (!json_is_string(value))
		return false;
	if (!uuid_parse(json_string_value(value), json_string_length(value), life))
		memset(life, 0xff, sizeof(*life));
	return true;
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
		*problem = "hello: token is a string";
	else if (version != NULL && !json_is_null(version) && !count_field(m->root, "version", &hello->version))
		*problem = "hello: version is a whole number, not negative";
	else if (!uuid_field(m->root, "operationId", &hello->has_operation_id, &hello->operation_id))
		*problem = "hello: operationId is a uuid";
	else if (sequence_id != NULL && !json_is_null(sequence_id) && !count_field(m->root, "sequenceId", &hello->sequence_id))
		*problem = "hello: sequenceId is a whole number, not negative";
	else if (!uuid_field(m->root, "pending", &hello->has_pending, &hello->pending))
		*problem = "hello: pending is a uuid";
	else if (!life_field(m->root, &hello->has_life, &hello->life))
		*problem = "hello: life is a string";
	hello->token = json_string_value(token);
	hello->resumes = json_is_integer(version);
	return *problem == NULL;
}

/* Read an ack. */
bool
protocol_ack(const struct message *m, int64_t *sequence_id, const char **problem)
{
	*problem = "ack: sequenceId is a whole number, not negative";
	return count_field(m->root, "sequenceId", sequence_id);
}

/* Read the id of an op, without which it cannot even be rejected. */
bool
protocol_operation_id(const struct message *m, struct uuid *id)
{
	bool		there;

	return uuid_field(m->root, "operationId", &there, id) && there;
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

	if (type == NULL || !count_field(root, "position", &position))
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

/* Read an op; a problem here is answered by rejecting it. */
bool
protocol_op(const struct message *m, struct submitted *op, const char **problem)
{
	json_t	   *value = json_object_get(m->root, "op");

	memset(op, 0, sizeof(*op));
	*problem = NULL;
	if (!protocol_operation_id(m, &op->operation_id))
		*problem = "op: operationId is a uuid";
	else if (m->lone_surrogate)
		*problem = "the text holds a lone surrogate, which is no character";
	else if (!count_field(m->root, "baseVersion", &op->base_version))
		*problem = "op: baseVersion is a whole number, not negative";
	if (*problem != NULL)
		return false;
	value = value != NULL ? json_incref(value) : components_of(m->root);
	if (value != NULL)
		op->text = json_dumps(value, PRINT_FLAGS);
	json_decref(value);
	if (op->text == NULL)
		*problem = "op: op is a list of components, or operationType is insert, delete or replace "
			"with position, payload (a text) and length";
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

	if (!count_field(m->root, "version", version))
		*problem = "checksum: version is a whole number, not negative";
	else if (text == NULL || json_string_length(value) != CHECKSUM_DIGITS ||
			 strspn(text, "0123456789abcdef") != CHECKSUM_DIGITS)
		*problem = "checksum: checksum is a SHA-256 in hex, 64 small digits";
	else
	{
		memcpy(checksum, text, CHECKSUM_DIGITS + 1);
		return true;
	}
	return false;
}

/* Encode an object, and let go of it. */
static struct frame *
encode(json_t *object)
{
	char	   *text = json_dumps(object, PRINT_FLAGS);
	struct frame *f = text != NULL ? frame_text(text, strlen(text)) : frame_text("{}", 2);

	free(text);
	json_decref(object);
	return f;
}

/* Add whether the client's pending operation is in, where that was asked and is known. */
static void
put_pending(json_t *object, const struct joined *joined)
{
	if (joined->pending_known)
		json_object_set_new(object, "pendingVersion",
							joined->pending_version > 0 ? json_integer(joined->pending_version) : json_null());
}

/* Encode the answer to a hello; the list of users is ready, and stands at the end. */
struct frame *
protocol_joined(const struct joined *joined)
{
	static const char open[] = ",\"users\":[";
	char		doc[UUID_TEXT_LEN + 1];
	char		client[UUID_TEXT_LEN + 1];
	char		life[UUID_TEXT_LEN + 1];
	json_t	   *object;
	struct frame *f;

	uuid_format(joined->doc, doc);
	uuid_format(joined->client, client);
	uuid_format(joined->life, life);
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:s}",
					   "type", "joined", "documentId", doc, "userId", joined->user, "clientId", client,
					   "role", joined->role, "title", joined->title,
					   "version", (json_int_t) joined->version, "resumed", (int) joined->resumed, "life", life);
	put_pending(object, joined);
	f = encode(object);
	f->len--;
	f = frame_append(f, open, sizeof(open) - 1);
	if (joined->users != NULL && joined->users->len > 0)
		f = frame_append(f, joined->users->data, joined->users->len);
	return frame_append(f, "]}", 2);
}

/* Add the hint when to come back, where there is one. */
static json_t *
with_retry(json_t *object, int retry_after_ms)
{
	if (retry_after_ms > 0)
		json_object_set_new(object, "retryAfter", json_integer(retry_after_ms));
	return object;
}

/* Encode an error that concerns no operation. */
struct frame *
protocol_error(const char *code, const char *message, int retry_after_ms)
{
	json_t	   *object = json_pack("{s:s, s:s, s:s}", "type", "error", "code", code, "message", message);

	return encode(with_retry(object, retry_after_ms));
}

/* Encode the refusal of an operation. */
struct frame *
protocol_reject(const struct uuid *operation_id, enum reject_code code, const char *message, int retry_after_ms)
{
	char		id[UUID_TEXT_LEN + 1];
	json_t	   *object;

	uuid_format(operation_id, id);
	object = json_pack("{s:s, s:s, s:s, s:s}", "type", "reject", "operationId", id,
					   "code", reject_names[code], "message", message);
	return encode(with_retry(object, retry_after_ms));
}

/* Encode a client's new role. */
struct frame *
protocol_role(const char *role)
{
	return encode(json_pack("{s:s, s:s}", "type", "role", "role", role));
}

/* Encode the document's new title. */
struct frame *
protocol_title(const char *title)
{
	return encode(json_pack("{s:s, s:s}", "type", "title", "title", title));
}

/* Encode one ready entry as an ops message. */
struct frame *
protocol_one_op(const char *entry, size_t len)
{
	static const char open[] = "{\"type\":\"ops\",\"ops\":[";
	struct frame *f = frame_new(sizeof(open) + len + 2);

	f = frame_append(f, open, sizeof(open) - 1);
	f = frame_append(f, entry, len);
	return frame_append(f, "]}", 2);
}

/* Look up a reject code by its name on the wire. */
bool
protocol_reject_code(const char *name, enum reject_code *code)
{
	for (size_t i = 0; i < REJECT_COUNT; i++)
	{
		if (strcmp(name, reject_names[i]) == 0)
		{
			*code = (enum reject_code) i;
			return true;
		}
	}
	return false;
}

/* Read digits at the front of a text. */
static bool
leading_number(const char *text, size_t len, int64_t *number)
{
	size_t		i = 0;

	*number = 0;
	for (; i < len && i < 18 && isdigit((unsigned char) text[i]); i++)
		*number = *number * 10 + (text[i] - '0');
	return i > 0 && i < len && !isdigit((unsigned char) text[i]);
}

/* Read the version at the front of an entry. */
bool
protocol_entry_version(const char *entry, size_t len, int64_t *version)
{
	size_t		open = sizeof(entry_open) - 1;

	return len > open && memcmp(entry, entry_open, open) == 0 && leading_number(entry + open, len - open, version);
}

/* Read past a number and the text that follows it. */
static bool
skip_number(const char **at, const char *end, int64_t *number, const char *then)
{
	size_t		len = strlen(then);

	if (!leading_number(*at, (size_t) (end - *at), number))
		return false;
	while (isdigit((unsigned char) **at))
		(*at)++;
	if ((size_t) (end - *at) < len || memcmp(*at, then, len) != 0)
		return false;
	*at += len;
	return true;
}

/* Read the two numbers at the front of an entry. */
static bool
entry_numbers(const char *entry, size_t len, int64_t *version, int64_t *sequence_id)
{
	const char *at = entry + sizeof(entry_open) - 1;
	const char *end = entry + len;

	return len > sizeof(entry_open) && memcmp(entry, entry_open, sizeof(entry_open) - 1) == 0 &&
		skip_number(&at, end, version, ",\"sequenceId\":") && leading_number(at, (size_t) (end - at), sequence_id);
}

/* Read which version an entry made, and what it is known by. */
bool
protocol_entry_mark(const char *entry, size_t len, struct mark *mark)
{
	const char *at = entry + sizeof(entry_open) - 1;
	const char *end = entry + len;

	return len > sizeof(entry_open) && memcmp(entry, entry_open, sizeof(entry_open) - 1) == 0 &&
		skip_number(&at, end, &mark->version, ",\"sequenceId\":") &&
		skip_number(&at, end, &mark->sequence_id, ",\"operationId\":\"") &&
		end - at > UUID_TEXT_LEN && (mark->has_id = uuid_parse(at, UUID_TEXT_LEN, &mark->id));
}

/* Find the end of the object that a text begins with, or 0. */
static size_t
object_len(const char *text, size_t len)
{
	int			depth = 0;
	bool		in_string = false;

	for (size_t i = 0; i < len; i++)
	{
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!in_string && (text[i] == '}' || text[i] == ']') && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* Take the next entry from the front of a comma-separated list. */
bool
protocol_next_entry(const char **list, size_t *list_len, const char **entry, size_t *entry_len)
{
	*entry_len = *list_len > 0 && **list == '{' ? object_len(*list, *list_len) : 0;
	if (*entry_len == 0)
		return false;
	*entry = *list;
	*list += *entry_len;
	*list_len -= *entry_len;
	if (*list_len > 0 && **list == ',')
	{
		(*list)++;
		(*list_len)--;
	}
	return true;
}

/*
 * Read an event line of the output plugin; false for events that are not
 * operations. The entry is cut out of the line in place: the event is the
 * entry with three keys more in front.
 */
bool
protocol_event(char *line, size_t len, struct event *event)
{
	size_t		open = sizeof(event_open) - 1;
	size_t		time_at = open + UUID_TEXT_LEN + sizeof(event_time) - 1;
	size_t		cut;

	if (len < time_at || memcmp(line, event_open, open) != 0 ||
		!uuid_parse(line + open, UUID_TEXT_LEN, &event->doc) ||
		memcmp(line + open + UUID_TEXT_LEN, event_time, sizeof(event_time) - 1) != 0 ||
		!leading_number(line + time_at, len - time_at, &event->committed_us))
		return false;
	/* the comma behind the number becomes the entry's brace */
	cut = time_at + strspn(line + time_at, "0123456789");
	line[cut] = '{';
	event->entry = line + cut;
	event->entry_len = len - cut;
	return entry_numbers(event->entry, event->entry_len, &event->version, &event->sequence_id);
}

/* Tell what kind of notice an event is, if it is one. */
static bool
notice_kind(struct notice *notice)
{
	const char *type = json_string_value(json_object_get(notice->root, "type"));

	notice->user = json_string_value(json_object_get(notice->root, "userId"));
	notice->title = json_string_value(json_object_get(notice->root, "title"));
	if (!life_field(notice->root, &notice->has_life, &notice->life))
		return false;
	if (type == NULL)
		return false;
	if (strcmp(type, "member") == 0)
		notice->kind = NOTICE_MEMBER;
	else if (strcmp(type, "document") == 0)
		notice->kind = json_is_true(json_object_get(notice->root, "deleted")) ? NOTICE_DELETED : NOTICE_RENAMED;
	else if (strcmp(type, "resync") == 0)
		notice->kind = NOTICE_RESYNC;
	else
		return false;
	return (notice->kind != NOTICE_MEMBER || notice->user != NULL) && (notice->kind != NOTICE_RENAMED || notice->title != NULL);
}

/* Read which document a notice is about; one of all of them names none. */
static bool
notice_doc(struct notice *notice)
{
	const json_t *doc = json_object_get(notice->root, "documentId");

	return notice->kind == NOTICE_RESYNC ||
		(json_is_string(doc) && uuid_parse(json_string_value(doc), json_string_length(doc), &notice->doc));
}

/* Read an event line that is no operation; false for kinds that mean nothing here. */
bool
protocol_notice(const char *line, size_t len, struct notice *notice)
{
	memset(notice, 0, sizeof(*notice));
	notice->root = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	if (notice_kind(notice) && notice_doc(notice))
		return true;
	protocol_notice_release(notice);
	return false;
}

/* Give a notice back. */
void
protocol_notice_release(struct notice *notice)
{
	json_decref(notice->root);
	memset(notice, 0, sizeof(*notice));
}
