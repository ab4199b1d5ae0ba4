/*
 * http/rest_params.c: reads the parameters of a route's statement from a request:
 * parts of its path, arguments, fields of its body.
 *
 * Invalid values are refused here, with the name of the parameter; PostgreSQL
 * checks what it knows better (uuids, times, roles).
 */
#include "http/rest_state.h"

#include "base/bounds.h"
#include "wire/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBLEM_BYTES 256
#define DIGITS_BYTES 24
#define NUMBER_MOST INT64_MAX
#define PAGE_MOST 1000
#define FEW_MOST 100

/* Compare a path with a route's; its parts {name} are returned in order, a last {user} takes the rest. */
bool
rest_path_fits(const char *pattern, const char *path, const char *parts[], size_t lens[], int *count)
{
	static const char user[] = "{user}";

	*count = 0;
	while (*pattern != '\0' && *path != '\0')
	{
		if (*pattern != '{')
		{
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		parts[*count] = path;
		lens[*count] = strcmp(pattern, user) == 0 ? strlen(path) : strcspn(path, "/");
		pattern += strcspn(pattern, "}") + 1;
		if (lens[*count] == 0)
			return false;
		path += lens[(*count)++];
	}
	return *pattern == '\0' && *path == '\0';
}

/* Return true if the body is of a type, whatever parameters that has. */
static bool
is_type(const struct http_request *x, const char *type)
{
	size_t		len = strcspn(type, " ;");

	return x->content_type != NULL && strcspn(x->content_type, " ;") == len && strncasecmp(x->content_type, type, len) == 0;
}

/* Return true if a text's encoding is UTF-8, or is not named. */
static bool
is_utf8(const struct http_request *x)
{
	const char *charset = strcasestr(x->content_type, "charset=");

	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0;
}

/* Return true if the client names plain text, and JSON not before it. */
static bool
prefers_text(const struct http_request *x)
{
	const char *text = x->accept != NULL ? strstr(x->accept, "text/plain") : NULL;
	const char *json = x->accept != NULL ? strstr(x->accept, http_request_json) : NULL;

	return text != NULL && (json == NULL || text < json);
}

/* Check a text against what it must be; the problem says what is wrong. */
static bool
check_kind(const struct rest_param *param, const char *value, char problem[PROBLEM_BYTES])
{
	long long	most = param->kind == REST_PAGE ? PAGE_MOST : param->kind == REST_FEW ? FEW_MOST : NUMBER_MOST;
	long long	least = param->kind == REST_NUMBER ? 0 : 1;
	char	   *end;
	long long	number;

	if (param->kind == REST_TEXT || param->kind >= REST_FLAG)
		return true;
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno == 0 && *end == '\0' && *value >= '0' && *value <= '9' && number >= least && number <= most)
		return true;
	snprintf(problem, PROBLEM_BYTES, "%s: \"%.40s\" is not a whole number from %lld to %lld", param->name, value, least, most);
	return false;
}

/* Get what a kind of field is called. */
static const char *
kind_name(enum rest_kind kind)
{
	switch (kind)
	{
		case REST_TEXT:
			return "a string";
		case REST_FLAG:
			return "true or false";
		case REST_LIST:
			return "a list";
		case REST_IDS:
			return "a list of uuids";
		default:
			return "a whole number";
	}
}

/* Print a field that is neither a string nor a number; NULL: it is no such thing. */
static char *
print_field(const json_t *field, enum rest_kind kind)
{
	if (kind == REST_FLAG && json_is_boolean(field))
		return mem_string(json_is_true(field) ? "t" : "f", 1);
	if (kind == REST_LIST && json_is_array(field))
		return json_dumps(field, JSON_COMPACT);
	return kind == REST_IDS ? field_print_ids(field) : NULL;
}

/* Take a field of the body. */
static bool
take_field(const struct rest_param *param, const json_t *body, char **value, char problem[PROBLEM_BYTES])
{
	const json_t *field = json_object_get(body, param->name);
	char		digits[DIGITS_BYTES];

	if (field == NULL || json_is_null(field))
		return true;
	if (param->kind == REST_TEXT && json_is_string(field))
	{
		*value = mem_string(json_string_value(field), json_string_length(field));
		if (strlen(*value) == json_string_length(field))
			return true;
		snprintf(problem, PROBLEM_BYTES, "%s must not contain U+0000", param->name);
		return false;
	}
	if (param->kind >= REST_FLAG)
		*value = print_field(field, param->kind);
	else if (param->kind != REST_TEXT && json_is_integer(field))
	{
		snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(field));
		*value = mem_string(digits, strlen(digits));
	}
	if (*value != NULL)
		return true;
	snprintf(problem, PROBLEM_BYTES, "%s must be %s", param->name, kind_name(param->kind));
	return false;
}

/* Take the whole body as a text. */
static bool
take_text(struct rest_call *rc, const struct rest_param *param, char **value, char problem[PROBLEM_BYTES])
{
	const struct buf *body = &rc->x->body;

	*value = mem_string(body->data != NULL ? body->data : "", body->len);
	if (strlen(*value) == body->len)
		return true;
	snprintf(problem, PROBLEM_BYTES, "%s must not contain U+0000", param->name);
	return false;
}

/* Take a part of an operation, which is read once, with its first. */
static bool
take_operation(struct rest_call *rc, const struct rest_param *param, char **value, char problem[PROBLEM_BYTES])
{
	struct message m = {.root = rc->body};
	char		text[UUID_TEXT_LEN + 1];
	const char *wrong;

	if (rc->op.text == NULL && !protocol_op(&m, &rc->op, &wrong))
	{
		snprintf(problem, PROBLEM_BYTES, "%s", wrong);
		return false;
	}
	if (strcmp(param->name, "operationId") == 0)
		uuid_format(&rc->op.operation_id, text);
	else
		snprintf(text, sizeof(text), "%" PRId64, rc->op.base_version);
	if (strcmp(param->name, "op") == 0)
		*value = mem_string(rc->op.text, rc->op.text_len);
	else
		*value = mem_string(text, strlen(text));
	return true;
}

/* Take a part of the path. */
static void
take_part(const struct rest_call *rc, int number, char **value)
{
	const char *parts[REST_PARAMS];
	size_t		lens[REST_PARAMS];
	int			count;

	if (rest_path_fits(rc->route->path, rc->x->path, parts, lens, &count) && number < count)
		*value = mem_string(parts[number], lens[number]);
}

/* Take the value of a parameter from where it stands; it stays NULL where it was not given. */
static bool
take_param(struct rest_call *rc, int i, int *part, char problem[PROBLEM_BYTES])
{
	const struct rest_param *param = &rc->route->params[i];
	const char *given = NULL;

	switch (param->source)
	{
		case REST_NONE:
			return true;
		case REST_PATH:
			take_part(rc, (*part)++, &rc->values[i]);
			break;
		case REST_FIELD:
			if (param->whole && is_type(rc->x, http_request_text))
			{
				if (!take_text(rc, param, &rc->values[i], problem))
					return false;
			}
			else if (!take_field(param, rc->body, &rc->values[i], problem))
				return false;
			break;
		case REST_OPERATION:
			return take_operation(rc, param, &rc->values[i], problem);
		case REST_ARGUMENT:
			given = http_request_argument(rc->x, param->name);
			break;
		case REST_KNOWN:
			given = rc->x->if_none_match;
			break;
		case REST_EXPECTED:
			given = rc->x->if_match;
			break;
		case REST_PLAIN:
			given = prefers_text(rc->x) ? "text" : NULL;
			break;
	}
	if (given != NULL)
		rc->values[i] = mem_string(given, strlen(given));
	if (rc->values[i] != NULL && param->not_with != NULL && http_request_argument(rc->x, param->not_with) != NULL)
		snprintf(problem, PROBLEM_BYTES, "%s and %s cannot be used together", param->not_with, param->name);
	else if (rc->values[i] == NULL && param->needed)
		snprintf(problem, PROBLEM_BYTES, "%s is missing", param->name);
	else
		return rc->values[i] == NULL || check_kind(param, rc->values[i], problem);
	return false;
}

/* Return true if a route has this argument. */
static bool
has_argument(const struct rest_route *route, const char *name, size_t len)
{
	for (int i = 0; i < REST_PARAMS; i++)
	{
		const struct rest_param *param = &route->params[i];

		if (param->source == REST_ARGUMENT && strlen(param->name) == len && strncmp(param->name, name, len) == 0)
			return true;
	}
	return false;
}

/* Check that no argument was given that would go unnoticed, nor one twice. */
static bool
check_arguments(const struct rest_call *rc, char problem[PROBLEM_BYTES])
{
	const struct buf *given = &rc->x->arguments;

	for (size_t at = 0; at < given->len; at += strlen(given->data + at) + 1)
	{
		const char *name = given->data + at;
		size_t		len = strcspn(name, "=");

		if (has_argument(rc->route, name, len))
		{
			char		copy[LIMIT_ARGUMENT_BYTES];

			snprintf(copy, sizeof(copy), "%.*s", (int) len, name);
			if (http_request_argument(rc->x, copy) == name + len + 1)
				continue;
			snprintf(problem, PROBLEM_BYTES, "%.40s is given twice", copy);
		}
		else
			snprintf(problem, PROBLEM_BYTES, "unknown argument \"%.*s\"", (int) (len < 40 ? len : 40), name);
		return false;
	}
	return true;
}

/* Return true if a route reads the body. */
static bool
has_body(const struct rest_route *route)
{
	for (int i = 0; i < REST_PARAMS; i++)
	{
		if (route->params[i].source == REST_FIELD || route->params[i].source == REST_OPERATION)
			return true;
	}
	return false;
}

/* Return true if the body of a route may be plain text. */
static bool
takes_text(const struct rest_route *route)
{
	for (int i = 0; i < REST_PARAMS; i++)
	{
		if (route->params[i].whole)
			return true;
	}
	return false;
}

/* Read the body, an object or a text; false where it was refused. */
bool
rest_read_body(struct rest_call *rc)
{
	struct http_request *x = rc->x;
	bool		is_text = takes_text(rc->route) && is_type(x, http_request_text);

	if (x->body_withheld)
	{
		http_request_fail(x, 413, "too_large", "the body is longer than one without a token may be (32 KiB)");
		return false;
	}
	if (is_text && !is_utf8(x))
	{
		http_request_fail(x, 415, "malformed", "the charset of a text must be utf-8");
		return false;
	}
	if (is_text || !has_body(rc->route) || x->body.len == 0)
	{
		rc->body = json_object();
		return true;
	}
	if (!is_type(x, http_request_json))
	{
		http_request_fail(x, 415, "malformed", takes_text(rc->route) ?
						  "Content-Type must be application/json or text/plain" : "Content-Type must be application/json");
		return false;
	}
	rc->body = json_loadb(x->body.data, x->body.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (json_is_object(rc->body))
		return true;
	http_request_fail(x, 400, "malformed", "the body must be a JSON object");
	return false;
}

/* Take every parameter; false where the request was refused. */
bool
rest_take_params(struct rest_call *rc)
{
	char		problem[PROBLEM_BYTES] = "";
	bool		good = check_arguments(rc, problem);
	int			part = 0;

	for (int i = 0; good && i < REST_PARAMS; i++)
		good = take_param(rc, i, &part, problem);
	if (!good)
		http_request_fail(rc->x, 400, "malformed", problem);
	return good;
}
