/*
 * wire/encode.c: what clients are told, from structs.
 */
#include "wire/protocol.h"

#include "base/mem.h"

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

#define PRINT_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)

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

/* Encode the answer to a ping. */
struct frame *
protocol_pong(void)
{
	return encode(json_pack("{s:s}", "type", "pong"));
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
	struct frame *f = frame_new(OPS_OPEN_LEN + len + OPS_CLOSE_LEN);

	f = frame_append(f, OPS_OPEN, OPS_OPEN_LEN);
	f = frame_append(f, entry, len);
	return frame_append(f, OPS_CLOSE, OPS_CLOSE_LEN);
}

/* Get the name of a reject code on the wire. */
const char *
protocol_reject_name(enum reject_code code)
{
	return reject_names[code];
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
