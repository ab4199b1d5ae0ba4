/*
 * client/message.c
 *		Messages of converge.v1, written and read.
 */
#include "client/message.h"

#include "lib/common.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Append formatted text of bounded length. */
static void append(OtBuffer *out, const char *format,...)
			__attribute__((format(printf, 2, 3)));

static void
append(OtBuffer *out, const char *format,...)
{
	char		text[2048];
	va_list		args;
	int			length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0 || (size_t) length >= sizeof(text) ||
		ot_buffer_append(out, text, (size_t) length) != OT_OK)
		die("a message does not fit");
}

char	   *
message_hello(const char *token, bool resume, int64_t version,
			  const char *operation_id, const char *pending, size_t *size)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	append(&out, "{\"type\":\"hello\",\"token\":\"%s\"", token);
	if (resume)
		append(&out, ",\"version\":%lld", (long long) version);
	if (resume && operation_id[0] != '\0')
		append(&out, ",\"operationId\":\"%s\"", operation_id);
	if (pending != NULL)
		append(&out, ",\"pending\":\"%s\"", pending);
	append(&out, "}");
	*size = out.size;
	return (char *) out.data;
}

char	   *
message_op(const char *operation_id, int64_t base_version, OtOp op, size_t *size)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	append(&out, "{\"type\":\"op\",\"operationId\":\"%s\",\"baseVersion\":%lld,\"op\":",
		   operation_id, (long long) base_version);
	if (ot_to_json(op, &out) != OT_OK)
		die("out of memory");
	append(&out, "}");
	*size = out.size;
	return (char *) out.data;
}

/* One component; false when it is none. */
static bool
read_component(json_t *component, OtBuilder *builder)
{
	const char *text = json_string_value(component);
	json_t	   *deleted = json_object_get(component, "d");
	int64_t		length;

	if (json_is_integer(component))
		ot_builder_retain(builder, json_integer_value(component));
	else if (json_is_integer(deleted))
		ot_builder_delete(builder, json_integer_value(deleted));
	else if (text != NULL &&
			 ot_utf8_check(text, json_string_length(component), &length) == OT_OK)
		ot_builder_insert(builder, text, json_string_length(component), length);
	else
		return false;
	return true;
}

/* The components of an op. */
static bool
read_op(json_t *list, OtBuffer *op)
{
	OtBuilder	builder;
	size_t		i;
	json_t	   *component;

	ot_buffer_init(op, &ot_libc_allocator, 0);
	ot_builder_init(&builder, op);
	json_array_foreach(list, i, component)
	{
		if (!read_component(component, &builder))
			return false;
	}
	return json_is_array(list) && ot_builder_finish(&builder) == OT_OK;
}

bool
message_event(json_t *entry, bool composed, CollabEvent *event)
{
	json_t	   *version = json_object_get(entry, "version");
	json_t	   *from = json_object_get(entry, "fromVersion");
	const char *id = json_string_value(json_object_get(entry, "operationId"));

	if (!json_is_integer(version) || id == NULL || strlen(id) != ID_SIZE - 1 ||
		(composed && !json_is_integer(from)))
		return false;
	event->version = json_integer_value(version);
	event->from_version = composed ? json_integer_value(from) : event->version - 1;
	memcpy(event->operation_id, id, ID_SIZE);
	return read_op(json_object_get(entry, "op"), &event->op);
}
