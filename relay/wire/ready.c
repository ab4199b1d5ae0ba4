/*
 * wire/ready.c: what PostgreSQL hands out ready: entries and event lines.
 *
 * They have a fixed order of keys, so a few bytes at the front say all that the
 * relay needs.
 */
#include "wire/protocol.h"

#include "wire/fields.h"

#include <string.h>

static const char entry_open[] = "{\"version\":";
static const char event_open[] = "{\"type\":\"op\",\"documentId\":\"";
static const char event_time[] = "\",\"committed\":";

/* Return true if a character is a digit, whatever the locale. */
static inline bool
is_digit(char c)
{
	return (unsigned char) (c - '0') < 10;
}

/* Read digits at the front of a text that goes on behind them; return their number, or 0. */
static size_t
leading_number(const char *text, size_t len, int64_t *number)
{
	int64_t		value = 0;
	size_t		i = 0;

	for (; i < len && i < 18 && is_digit(text[i]); i++)
		value = value * 10 + (text[i] - '0');
	*number = value;
	return i < len && !is_digit(text[i]) ? i : 0;
}

/* Read the version at the front of an entry. */
bool
protocol_entry_version(const char *entry, size_t len, int64_t *version)
{
	size_t		open = sizeof(entry_open) - 1;

	return len > open && memcmp(entry, entry_open, open) == 0 && leading_number(entry + open, len - open, version) > 0;
}

/* Read past a number and the text that follows it. */
static bool
skip_number(const char **at, const char *end, int64_t *number, const char *then)
{
	size_t		len = strlen(then);
	size_t		digits = leading_number(*at, (size_t) (end - *at), number);

	if (digits == 0)
		return false;
	*at += digits;
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
		skip_number(&at, end, version, ",\"sequenceId\":") && leading_number(at, (size_t) (end - at), sequence_id) > 0;
}

/* Read which version an entry made, and what it is known by. */
bool
protocol_entry_revision(const char *entry, size_t len, struct revision *revision)
{
	const char *at = entry + sizeof(entry_open) - 1;
	const char *end = entry + len;

	return len > sizeof(entry_open) && memcmp(entry, entry_open, sizeof(entry_open) - 1) == 0 &&
		skip_number(&at, end, &revision->version, ",\"sequenceId\":") &&
		skip_number(&at, end, &revision->sequence_id, ",\"operationId\":\"") &&
		end - at > UUID_TEXT_LEN && (revision->has_id = uuid_parse(at, UUID_TEXT_LEN, &revision->id));
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
	size_t		digits;
	size_t		cut;

	if (len < time_at || memcmp(line, event_open, open) != 0 ||
		!uuid_parse(line + open, UUID_TEXT_LEN, &event->doc) ||
		memcmp(line + open + UUID_TEXT_LEN, event_time, sizeof(event_time) - 1) != 0 ||
		(digits = leading_number(line + time_at, len - time_at, &event->committed_us)) == 0)
		return false;
	/* the comma behind the number becomes the entry's brace */
	cut = time_at + digits;
	line[cut] = '{';
	event->entry = line + cut;
	event->entry_len = len - cut;
	/* an operation is an array, and comes last */
	event->withheld = len - cut < 2 || line[len - 2] != ']';
	return entry_numbers(event->entry, event->entry_len, &event->version, &event->sequence_id);
}

/* Tell what kind of notice an event is, if it is one. */
static bool
notice_kind(struct notice *notice)
{
	const char *type = json_string_value(json_object_get(notice->root, "type"));

	notice->user = json_string_value(json_object_get(notice->root, "userId"));
	notice->title = json_string_value(json_object_get(notice->root, "title"));
	if (!field_life(notice->root, &notice->has_life, &notice->life))
		return false;
	if (type == NULL)
		return false;
	if (strcmp(type, "member") == 0)
		notice->kind = NOTICE_MEMBER;
	else if (strcmp(type, "document") == 0)
		notice->kind = json_is_true(json_object_get(notice->root, "deleted")) ? NOTICE_DELETED
			: json_is_true(json_object_get(notice->root, "renewed")) ? NOTICE_RENEWED : NOTICE_RENAMED;
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
