/*
 * wire/talk_message.c: messages of clients about comments, suggestions and chat.
 *
 * A table of forms: a message has the form whose fields it has, and each field is a
 * parameter of the form's statement. PostgreSQL judges the rest.
 */
#include "wire/talk_message.h"

#include "base/mem.h"
#include "wire/fields.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field_kind
{
	FIELD_NONE,
	FIELD_ID,
	FIELD_IDS,
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_OP
};

struct field
{
	enum field_kind kind;
	const char *name;
	bool		optional;
	const char *problem;		/* what is wrong if it is no such thing */
};

#define ID(name) {FIELD_ID, name, false, name " must be a uuid"}
#define IDS(name) {FIELD_IDS, name, false, name " must be a list of uuids"}
#define TEXT(name) {FIELD_TEXT, name, false, name " must be a string without U+0000"}
#define OPTIONAL_TEXT(name) {FIELD_TEXT, name, true, name " must be a string without U+0000"}
#define NUMBER(name) {FIELD_NUMBER, name, false, name " must be a whole number, not negative"}
#define OPTIONAL_NUMBER(name) {FIELD_NUMBER, name, true, name " must be a whole number, not negative"}
#define FLAG(name) {FIELD_FLAG, name, false, name " must be true or false"}
#define OP(name) {FIELD_OP, name, false, name " must be a list of components"}

/* of the forms of a type the first counts whose `having` is there; the last has none */
static const struct form
{
	const char *type;
	const char *having;
	const char *statement;
	struct field fields[TALK_PARAMS];
}			forms[] =

{
	{"comment", "deleted", "talk_delete", {ID("id")}},
	{"comment", "from", "talk_comment", {ID("id"), ID("threadId"), TEXT("body"), NUMBER("from"), NUMBER("to"), OPTIONAL_NUMBER("version")}},
	{"comment", "threadId", "talk_reply", {ID("id"), ID("threadId"), TEXT("body")}},
	{"comment", NULL, "talk_edit", {ID("id"), TEXT("body")}},
	{"thread", NULL, "talk_resolve", {ID("id"), FLAG("resolved")}},
	{"suggest", "withdrawn", "talk_withdraw", {ID("id")}},
	{"suggest", NULL, "talk_suggest", {ID("id"), NUMBER("baseVersion"), OP("op"), OPTIONAL_TEXT("note")}},
	{"decide", "ids", "talk_decide_all", {IDS("ids"), FLAG("accept")}},
	{"decide", NULL, "talk_decide", {ID("id"), FLAG("accept")}},
	{"chat", NULL, "talk_say", {ID("id"), TEXT("body")}},
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

/* ---- from clients ---- */

bool
talk_is_type(const char *type)
{
	for (size_t i = 0; i < FORM_COUNT; i++)
	{
		if (strcmp(forms[i].type, type) == 0)
			return true;
	}
	return false;
}

/* Find the form of a message. */
static const struct form *
find_form(const struct message *m)
{
	size_t		i = 0;

	while (strcmp(forms[i].type, m->type) != 0 ||
		   (forms[i].having != NULL && json_object_get(m->root, forms[i].having) == NULL))
		i++;
	return &forms[i];
}

/* Print a value as the text of a parameter; NULL: it is no such thing. */
static char *
print_value(const json_t *value, enum field_kind kind)
{
	char		digits[24];

	if (kind == FIELD_IDS)
		return field_print_ids(value);
	if (kind == FIELD_OP)
		return json_is_array(value) ? json_dumps(value, JSON_COMPACT) : NULL;
	if (kind == FIELD_FLAG)
		return json_is_boolean(value) ? mem_string(json_is_true(value) ? "t" : "f", 1) : NULL;
	if (kind == FIELD_NUMBER)
	{
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return NULL;
		return mem_string(digits, (size_t) snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value)));
	}
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value) ||
		(kind == FIELD_ID && !field_is_uuid(value)))
		return NULL;
	return mem_string(json_string_value(value), json_string_length(value));
}

/* Read a field; false: it is missing, or no such thing. */
static bool
read_field(const struct message *m, const struct field *field, char **value)
{
	const json_t *given = json_object_get(m->root, field->name);

	if (given == NULL || json_is_null(given))
		return field->optional;
	*value = print_value(given, field->kind);
	return *value != NULL;
}

/* Take the id that a message can be rejected by, whatever else is wrong. */
static void
take_id(const struct message *m, struct talk_request *request)
{
	json_t	   *id = json_object_get(m->root, "id");
	json_t	   *ids = json_object_get(m->root, "ids");

	if (field_is_uuid(id))
		request->id = json_incref(id);
	else if (ids != NULL && request->count == 0)
	{
		char	   *printed = field_print_ids(ids);

		if (printed != NULL)
			request->id = json_incref(ids);
		free(printed);
	}
}

bool
talk_read(const struct message *m, struct talk_request *request, const char **problem)
{
	const struct form *form = find_form(m);

	memset(request, 0, sizeof(*request));
	request->type = form->type;
	request->statement = form->statement;
	take_id(m, request);
	if (m->lone_surrogate)
	{
		*problem = "the message must not contain a lone surrogate";
		return false;
	}
	if (form->having != NULL && form->fields[1].kind == FIELD_NONE && !json_is_true(json_object_get(m->root, form->having)))
	{
		*problem = "deleted and withdrawn must be true";
		return false;
	}
	while (request->count < TALK_PARAMS && form->fields[request->count].kind != FIELD_NONE)
	{
		const struct field *field = &form->fields[request->count];

		if (!read_field(m, field, &request->values[request->count++]))
		{
			*problem = field->problem;
			return false;
		}
	}
	return true;
}

void
talk_release(struct talk_request *request)
{
	for (int i = 0; i < request->count; i++)
		free(request->values[i]);
	json_decref(request->id);
	memset(request, 0, sizeof(*request));
}

/* ---- from the stream ---- */

static const char event_open[] = "{\"type\":\"";
static const char event_doc[] = "\",\"documentId\":\"";
static const char event_time[] = ",\"committed\":";
static const char event_changed[] = ",\"changed\":";

/* Read past a text that must stand there. */
static bool
skip_text(const char **at, const char *end, const char *text)
{
	size_t		len = strlen(text);

	if ((size_t) (end - *at) < len || memcmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* Return true if a type is that of an event of talk. */
static bool
is_event_type(const char *type, size_t len)
{
	static const char *const types[] = {"thread", "comment", "suggest", "decide", "chat", "talk"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (strlen(types[i]) == len && memcmp(types[i], type, len) == 0)
			return true;
	}
	return false;
}

bool
talk_read_event(const char *line, size_t len, struct talk_event *event)
{
	const char *at = line;
	const char *end = line + len;

	if (!skip_text(&at, end, event_open))
		return false;
	event->type = at;
	while (at < end && islower((unsigned char) *at))
		at++;
	event->type_len = (size_t) (at - event->type);
	if (!is_event_type(event->type, event->type_len) || !skip_text(&at, end, event_doc) ||
		end - at < UUID_TEXT_LEN || !uuid_parse(at, UUID_TEXT_LEN, &event->doc))
		return false;
	at += UUID_TEXT_LEN;
	if (!skip_text(&at, end, "\""))
		return false;
	if (skip_text(&at, end, event_time))
	{
		while (at < end && isdigit((unsigned char) *at))
			at++;
	}
	event->fields = at;
	event->fields_len = (size_t) (end - at);
	event->changed = 0;
	for (bool there = skip_text(&at, end, event_changed); there && at < end && isdigit((unsigned char) *at); at++)
		event->changed = event->changed * 10 + (*at - '0');
	return event->fields_len > 0;
}

/* ---- to clients ---- */

/* Encode an event as a message: the line without the time of its commit. */
struct frame *
talk_event_frame(const struct talk_event *event)
{
	char		doc[UUID_TEXT_LEN + 1];
	struct frame *f = frame_new(event->fields_len + event->type_len + 100);

	uuid_format(&event->doc, doc);
	f = frame_append(f, event_open, sizeof(event_open) - 1);
	f = frame_append(f, event->type, event->type_len);
	f = frame_append(f, event_doc, sizeof(event_doc) - 1);
	f = frame_append(f, doc, UUID_TEXT_LEN);
	f = frame_append(f, "\"", 1);
	return frame_append(f, event->fields, event->fields_len);
}

/* Encode the refusal of a message. */
struct frame *
talk_reject(const char *type, json_t *id, enum reject_code code, const char *message, int retry_after_ms)
{
	json_t	   *object = json_pack("{s:s, s:s, s:O, s:s, s:s}", "type", "reject", "of", type,
								   json_is_array(id) ? "ids" : "id", id,
								   "code", protocol_reject_name(code), "message", message);
	char	   *text;
	struct frame *f;

	if (retry_after_ms > 0)
		json_object_set_new(object, "retryAfter", json_integer(retry_after_ms));
	text = json_dumps(object, JSON_COMPACT);
	f = text != NULL ? frame_text(text, strlen(text)) : frame_text("{}", 2);
	free(text);
	json_decref(object);
	return f;
}
