/*
 * wire/fields.c: fields of JSON objects.
 */
#include "wire/fields.h"

#include "base/mem.h"

#include <string.h>

/* Read a field that is a uuid; absent or null leaves *there false. */
bool
field_uuid(const json_t *root, const char *name, bool *there, struct uuid *id)
{
	json_t	   *value = json_object_get(root, name);

	*there = value != NULL && !json_is_null(value);
	if (!*there)
		return true;
	return json_is_string(value) && uuid_parse(json_string_value(value), json_string_length(value), id);
}

/* Read a field that is a whole number, not negative. */
bool
field_count(const json_t *root, const char *name, int64_t *number)
{
	json_t	   *value = json_object_get(root, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = json_integer_value(value);
	return true;
}

/* Read a life; a text that is none is that of no document. */
bool
field_life(const json_t *root, bool *there, struct uuid *life)
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

/* Return true if a value is a uuid. */
bool
field_is_uuid(const json_t *value)
{
	struct uuid id;

	return json_is_string(value) && uuid_parse(json_string_value(value), json_string_length(value), &id);
}

/* Print a list of uuids as PostgreSQL's array. */
char *
field_print_ids(const json_t *list)
{
	struct buf	out = {0};
	size_t		i;
	json_t	   *value;

	if (!json_is_array(list))
		return NULL;
	buf_text(&out, "{");
	json_array_foreach(list, i, value)
	{
		if (!field_is_uuid(value))
		{
			buf_free(&out);
			return NULL;
		}
		buf_format(&out, "%s%s", i > 0 ? "," : "", json_string_value(value));
	}
	buf_put(&out, "}", sizeof("}"));
	return out.data;
}
