/*
 * wire/fields.h: fields of JSON objects.
 */
#ifndef RELAY_FIELDS_H
#define RELAY_FIELDS_H

#include "base/docmap.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* each returns false where the field is there and is no such thing */
bool		field_uuid(const json_t *root, const char *name, bool *there, struct uuid *id);
bool		field_life(const json_t *root, bool *there, struct uuid *life);

/* return true if a value is a uuid */
bool		field_is_uuid(const json_t *value);

/* print a list of uuids as PostgreSQL's array, to be freed; NULL: it is no such list */
char	   *field_print_ids(const json_t *list);

/* return false where the field is not a whole number, or negative, or not there */
bool		field_count(const json_t *root, const char *name, int64_t *number);

#endif							/* RELAY_FIELDS_H */
