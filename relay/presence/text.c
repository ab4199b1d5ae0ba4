/*
 * presence/text.c: presence as JSON: what clients say, what they are shown,
 * what relays tell each other, what the table gets.
 */
#include "presence/text.h"

#include "base/bounds.h"

#include <ctype.h>
#include <string.h>

#define STR_(x) #x
#define STR(x) STR_(x)

#define COLOR_LEN 7				/* #rrggbb */

static const char *const kind_names[] = {
	[PRESENCE_HELLO] = "hello",
	[PRESENCE_STATE] = "state",
	[PRESENCE_BEAT] = "beat",
	[PRESENCE_BYE] = "bye",
};

#define KIND_COUNT (sizeof(kind_names) / sizeof(kind_names[0]))

/* ---- reading ---- */

/* Read a field that is a text without U+0000, or null; tells whether it is. */
static bool
text_field(const json_t *root, const char *name, bool *there, const char **text)
{
	const json_t *value = json_object_get(root, name);

	*there = value != NULL;
	*text = json_string_value(value);
	if (value == NULL || json_is_null(value))
		return true;
	return *text != NULL && strlen(*text) == json_string_length(value);
}

/* Read a field that is a whole number from 0 to the most. */
static bool
number_field(const json_t *root, const char *name, int64_t most, int64_t *number)
{
	const json_t *value = json_object_get(root, name);

	*number = json_integer_value(value);
	return json_is_integer(value) && *number >= 0 && *number <= most;
}

/* Count the code points of a text. */
static size_t
length_of(const char *text)
{
	size_t		count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char) *text & 0xc0) != 0x80;
	return count;
}

/* Tell whether a text is a colour. */
static bool
is_color(const char *text)
{
	if (strlen(text) != COLOR_LEN || text[0] != '#')
		return false;
	for (int i = 1; i < COLOR_LEN; i++)
	{
		if (!isxdigit((unsigned char) text[i]))
			return false;
	}
	return true;
}

/* Read a cursor and the version it is a place in; gives what is wrong, or NULL. */
static const char *
read_cursor(const json_t *root, struct presence_said *said)
{
	const json_t *cursor = json_object_get(root, "cursor");

	said->names_cursor = cursor != NULL;
	said->has_cursor = cursor != NULL && !json_is_null(cursor);
	if (!said->has_cursor)
		return NULL;
	if (!json_is_object(cursor))
		return "presence: cursor is null or an object with anchor and head";
	if (!number_field(cursor, "anchor", LIMIT_POSITION, &said->anchor) ||
		!number_field(cursor, "head", LIMIT_POSITION, &said->head))
		return "presence: anchor and head are whole numbers from 0 to " STR(LIMIT_POSITION);
	if (!number_field(root, "version", INT64_MAX, &said->version))
		return "presence: version, which the cursor is a place in, is a whole number, not negative";
	return NULL;
}

/* Read what a client says of itself. */
bool
presence_read_said(const json_t *root, struct presence_said *said, const char **problem)
{
	memset(said, 0, sizeof(*said));
	*problem = NULL;
	if (!text_field(root, "name", &said->names_name, &said->name) ||
		(said->name != NULL && length_of(said->name) > LIMIT_NAME_CHARACTERS))
		*problem = "presence: name is null or a text of at most " STR(LIMIT_NAME_CHARACTERS) " characters, without U+0000";
	else if (!text_field(root, "color", &said->names_color, &said->color) ||
			 (said->color != NULL && !is_color(said->color)))
		*problem = "presence: color is null or a text like #12ab9f";
	else
		*problem = read_cursor(root, said);
	return *problem == NULL;
}

/* Read a field that is a uuid. */
static bool
uuid_field(const json_t *root, const char *name, struct uuid *id)
{
	const json_t *value = json_object_get(root, name);

	return json_is_string(value) && uuid_parse(json_string_value(value), json_string_length(value), id);
}

/* Read what another relay told of a client. */
bool
presence_read_told(const json_t *client, struct presence_told *told)
{
	struct presence_view *view = &told->view;
	struct presence_said said;
	const char *problem;
	bool		there;

	memset(told, 0, sizeof(*told));
	if (!uuid_field(client, "documentId", &view->doc) || !uuid_field(client, "clientId", &view->client))
		return false;
	told->left = json_is_true(json_object_get(client, "left"));
	if (told->left)
		return true;
	if (!text_field(client, "userId", &there, &view->user) || view->user == NULL ||
		strlen(view->user) > LIMIT_USER_BYTES || !presence_read_said(client, &said, &problem))
		return false;
	view->name = said.name;
	view->color = said.color;
	view->has_cursor = said.has_cursor;
	view->version = said.version;
	view->anchor = said.anchor;
	view->head = said.head;
	return true;
}

/* Read a message of another relay, as far as its list of clients. */
bool
presence_read_news(const char *text, size_t len, struct presence_news *news)
{
	const char *kind;
	int64_t		timeout_s;

	memset(news, 0, sizeof(*news));
	news->root = json_loadb(text, len, 0, NULL);
	kind = json_string_value(json_object_get(news->root, "kind"));
	news->clients = json_object_get(news->root, "clients");
	news->first = json_is_true(json_object_get(news->root, "first"));
	news->last = json_is_true(json_object_get(news->root, "last"));
	for (size_t i = 0; kind != NULL && i < KIND_COUNT; i++)
	{
		if (strcmp(kind, kind_names[i]) != 0)
			continue;
		news->kind = (enum presence_kind) i;
		if (uuid_field(news->root, "relay", &news->relay) &&
			number_field(news->root, "number", INT64_MAX, &news->number) &&
			number_field(news->root, "timeout", LIMIT_PRESENCE_TIMEOUT_S, &timeout_s))
		{
			news->timeout_s = (int) timeout_s;
			return true;
		}
	}
	presence_news_release(news);
	return false;
}

/* Give a message back. */
void
presence_news_release(struct presence_news *news)
{
	json_decref(news->root);
	memset(news, 0, sizeof(*news));
}

/* ---- writing ---- */

static int
put_bytes(const char *data, size_t len, void *arg)
{
	buf_put(arg, data, len);
	return 0;
}

/* Append an element to a list, and let go of it. */
static void
put_element(struct buf *list, json_t *element)
{
	char		before = list->len > 0 ? list->data[list->len - 1] : '[';

	if (before == '}' || before == '"')
		buf_text(list, ",");
	json_dump_callback(element, put_bytes, list, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(element);
}

/* Make the uuid's JSON. */
static json_t *
uuid_json(const struct uuid *id)
{
	char		text[UUID_TEXT_LEN + 1];

	uuid_format(id, text);
	return json_string(text);
}

/* Make a client's JSON as others see it. */
static json_t *
view_json(const struct presence_view *view)
{
	json_t	   *object = json_pack("{s:o, s:s}", "clientId", uuid_json(&view->client), "userId", view->user);

	if (view->name != NULL)
		json_object_set_new(object, "name", json_string(view->name));
	if (view->color != NULL)
		json_object_set_new(object, "color", json_string(view->color));
	if (view->has_cursor)
	{
		json_object_set_new(object, "version", json_integer(view->version));
		json_object_set_new(object, "cursor", json_pack("{s:I, s:I}", "anchor", (json_int_t) view->anchor,
														"head", (json_int_t) view->head));
	}
	return object;
}

/* Append a client for clients. */
void
presence_put_user(struct buf *list, const struct presence_view *view)
{
	put_element(list, view_json(view));
}

/* Append one who left, for clients. */
void
presence_put_left(struct buf *list, const struct uuid *client)
{
	put_element(list, uuid_json(client));
}

/* Append a client for other relays. */
void
presence_put_told(struct buf *list, const struct presence_view *view, bool left)
{
	json_t	   *object = left ? json_pack("{s:o, s:b}", "clientId", uuid_json(&view->client), "left", 1) : view_json(view);

	json_object_set_new(object, "documentId", uuid_json(&view->doc));
	put_element(list, object);
}

/* Append a client for the table. */
void
presence_put_row(struct buf *list, const struct presence_view *view)
{
	json_t	   *row = json_pack("{s:o, s:o, s:s, s:s?, s:s?, s:I}", "doc_id", uuid_json(&view->doc),
								"client_id", uuid_json(&view->client), "user_id", view->user,
								"name", view->name, "color", view->color, "since", (json_int_t) view->since_s);

	if (view->has_cursor)
	{
		json_object_set_new(row, "version", json_integer(view->version));
		json_object_set_new(row, "anchor", json_integer(view->anchor));
		json_object_set_new(row, "head", json_integer(view->head));
	}
	put_element(list, row);
}

/* Append one whose row the table is to lose. */
void
presence_put_gone(struct buf *list, const struct uuid *doc, const struct uuid *client)
{
	put_element(list, json_pack("{s:o, s:o}", "doc_id", uuid_json(doc), "client_id", uuid_json(client)));
}

/* Make the message for clients of lists of users and of those who left; either may be NULL. */
struct frame *
presence_frame(const struct buf *users, const struct buf *left, bool complete)
{
	static const char open[] = "{\"type\":\"presence\",\"users\":[";
	static const char between[] = "],\"left\":[";
	static const char end[] = "]}";
	static const char complete_end[] = "],\"complete\":true}";
	size_t		len = (users != NULL ? users->len : 0) + (left != NULL ? left->len : 0);
	struct frame *f = frame_new(sizeof(open) + sizeof(between) + sizeof(complete_end) + len);

	f = frame_append(f, open, sizeof(open) - 1);
	if (users != NULL && users->len > 0)
		f = frame_append(f, users->data, users->len);
	f = frame_append(f, between, sizeof(between) - 1);
	if (left != NULL && left->len > 0)
		f = frame_append(f, left->data, left->len);
	return complete ? frame_append(f, complete_end, sizeof(complete_end) - 1) : frame_append(f, end, sizeof(end) - 1);
}

/* Begin a message for other relays, as far as its list of clients. */
void
presence_open_news(struct buf *text, const struct presence_news *news)
{
	char		relay[UUID_TEXT_LEN + 1];

	uuid_format(&news->relay, relay);
	buf_clear(text);
	buf_format(text, "{\"relay\":\"%s\",\"number\":%lld,\"timeout\":%d,\"kind\":\"%s\",\"first\":%s,\"clients\":[", relay,
			   (long long) news->number, news->timeout_s, kind_names[news->kind], news->first ? "true" : "false");
}

/* End it. */
void
presence_close_news(struct buf *text, bool last)
{
	buf_format(text, "],\"last\":%s}", last ? "true" : "false");
}
