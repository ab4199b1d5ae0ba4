/*
 * client/collab.c
 *		A collaborating client: a copy of one document on a WebSocket.
 */
#include "client/collab.h"

#include "lib/common.h"
#include "client/message.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US		100000
#define PUT_OFF_US		50000

static void opened(void *ctx);
static void message(void *ctx, const char *text, size_t size);
static void closed(void *ctx, int code, const char *reason);
static void retry(LoopTimer *timer);

static const WsHandler handler = {opened, message, closed};

void
collab_init(Collab *collab, Loop *loop, const char *host, int port,
			const char *path, const char *token,
			const CollabHooks *hooks, void *ctx)
{
	memset(collab, 0, sizeof(*collab));
	copy_init(&collab->copy);
	collab->hooks = hooks;
	collab->ctx = ctx;
	collab->loop = loop;
	collab->host = host;
	collab->port = port;
	collab->path = xstrdup(path);
	collab->token = xstrdup(token);
	collab->retry.fire = retry;
	collab->inbox_end = &collab->inbox;
	ids_start(&collab->ids);
	ws_init(&collab->ws, loop, &handler, collab);
}

/* ---- the inbox ---- */

/* Take the oldest event out. */
static CollabEvent *
inbox_shift(Collab *collab)
{
	CollabEvent *event = collab->inbox;

	collab->inbox = event->next;
	if (collab->inbox == NULL)
		collab->inbox_end = &collab->inbox;
	return event;
}

static void
event_free(CollabEvent *event)
{
	ot_buffer_free(&event->op);
	free(event);
}

/* Forget what has not been applied: the server will send it again. */
static void
inbox_clear(Collab *collab)
{
	while (collab->inbox != NULL)
		event_free(inbox_shift(collab));
	collab->held_version = collab->copy.version;
}

void
collab_free(Collab *collab)
{
	loop_timer_stop(collab->loop, &collab->retry);
	inbox_clear(collab);
	ws_free(&collab->ws);
	copy_free(&collab->copy);
	free(collab->path);
	free(collab->token);
	free(collab->in_flight);
}

/* ---- sending ---- */

/* Make the front edit's message, once: it is sent again exactly as it was. */
static void
write_front(Collab *collab)
{
	const CopyEdit *edit = copy_front(&collab->copy);

	free(collab->in_flight);
	collab->in_flight = message_op(edit->id, collab->copy.version,
								   ot_buffer_op(&edit->op), &collab->in_flight_size);
	copy_sent(&collab->copy);
	collab->edits_sent++;
	if (collab->hooks->sent != NULL)
		collab->hooks->sent(collab, edit);
}

/*
 * Send the front edit if it is its turn.  On a connection that resumed this waits
 * for what the connection missed, which may hold the answer already.
 */
static void
send_front(Collab *collab)
{
	if (collab->state != COLLAB_LIVE || collab->answer_due || collab->retry.armed ||
		copy_front(&collab->copy) == NULL ||
		collab->copy.version < collab->joined_version)
		return;
	if (!collab->copy.in_flight)
		write_front(collab);
	collab->answer_due = true;
	ws_send(&collab->ws, collab->in_flight, collab->in_flight_size);
}

void
collab_type(Collab *collab, OtOp op, bool seal)
{
	char		id[ID_SIZE];
	bool		id_used;
	OtStatus	status;

	ids_format(&collab->ids, collab->next_id, id);
	status = copy_type(&collab->copy, op, id, seal, &id_used);
	if (status != OT_OK)
		die("%s: an edit does not fit the copy (status %d)", collab->path, status);
	if (id_used)
		collab->next_id++;
	send_front(collab);
}

bool
collab_idle(const Collab *collab)
{
	return copy_front(&collab->copy) == NULL;
}

/* Tell the checksum that was asked for, as soon as the text is the server's alone. */
static void
answer_checksum(Collab *collab)
{
	const Copy *copy = &collab->copy;
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_size;
	char		text[256];
	int			size;

	if (!collab->checksum_due || collab->state != COLLAB_LIVE || copy_front(copy) != NULL)
		return;
	collab->checksum_due = false;
	if (!EVP_Digest(copy->text.data, copy->text.size, hash, &hash_size, EVP_sha256(), NULL))
		die("SHA-256 failed");
	size = snprintf(text, sizeof(text), "{\"type\":\"checksum\",\"version\":%lld,\"checksum\":\"",
					(long long) copy->version);
	for (unsigned int i = 0; i < hash_size; i++)
		size += snprintf(text + size, sizeof(text) - (size_t) size, "%02x", hash[i]);
	size += snprintf(text + size, sizeof(text) - (size_t) size, "\"}");
	ws_send(&collab->ws, text, (size_t) size);
}

/* ---- connecting ---- */

void
collab_connect(Collab *collab)
{
	collab->state = COLLAB_CONNECTING;
	ws_connect(&collab->ws, collab->host, collab->port, collab->path);
}

/* The socket is open: say who we are and what we hold. */
static void
opened(void *ctx)
{
	Collab	   *collab = ctx;
	size_t		size;
	char	   *hello = message_hello(collab->token, collab->has_text,
									  collab->copy.version, collab->copy.operation_id,
									  collab->copy.in_flight ?
									  copy_front(&collab->copy)->id : NULL, &size);

	collab->state = COLLAB_HELLO;
	ws_send(&collab->ws, hello, size);
	free(hello);
}

/* Away; the timer will try again. */
static void
go_away(Collab *collab)
{
	ws_drop(&collab->ws);
	inbox_clear(collab);
	collab->answer_due = false;
	collab->checksum_due = false;
	collab->state = COLLAB_AWAY;
	collab->reconnects++;
	loop_timer_start(collab->loop, &collab->retry, RETRY_US);
}

/* The connection ended.  Codes of the protocol mean that trying again is useless. */
static void
closed(void *ctx, int code, const char *reason)
{
	Collab	   *collab = ctx;

	if (code >= 4400 && code < 4500 && code != 4408)
		die("%s: closed with %d %s", collab->path, code, reason);
	if (code >= 400 && code < 500)
		die("%s: answered with HTTP %d", collab->path, code);
	go_away(collab);
}

/* Connect again, or send again an edit that was put off. */
static void
retry(LoopTimer *timer)
{
	Collab	   *collab = (Collab *) ((char *) timer - offsetof(Collab, retry));

	if (collab->state == COLLAB_AWAY)
		collab_connect(collab);
	else
		send_front(collab);
}

/* ---- receiving ---- */

/* Apply one event to the copy. */
static void
apply_event(Collab *collab, const CollabEvent *event)
{
	OtOp		op = ot_buffer_op(&event->op);
	bool		same = true;
	OtStatus	status;

	if (event->unchanged)
	{
		collab->answer_due = false;
		copy_drop_front(&collab->copy);
	}
	else if (event->mine)
	{
		collab->answer_due = false;
		copy_acknowledge(&collab->copy, event->version, op, &same);
		if (!same)
			collab->differing++;
	}
	else
	{
		status = copy_foreign(&collab->copy, event->version, event->operation_id, op);
		if (status != OT_OK)
			die("%s: version %lld does not fit the copy (status %d)", collab->path,
				(long long) event->version, status);
	}
	collab->hooks->applied(collab, event);
}

void
collab_pump(Collab *collab)
{
	while (collab->inbox != NULL && collab->hooks->take(collab))
	{
		CollabEvent *event = inbox_shift(collab);

		apply_event(collab, event);
		event_free(event);
	}
	answer_checksum(collab);
	send_front(collab);
}

void
collab_split(Collab *collab, CollabEvent *list)
{
	CollabEvent *last = list;

	event_free(inbox_shift(collab));
	while (last->next != NULL)
		last = last->next;
	last->next = collab->inbox;
	if (collab->inbox == NULL)
		collab->inbox_end = &last->next;
	collab->inbox = list;
}

/* Put an op that arrived into the inbox if it is the next one; false at a gap. */
static bool
receive(Collab *collab, CollabEvent *event)
{
	if (event->version <= collab->held_version && !copy_is_mine(&collab->copy, event->operation_id))
	{
		event_free(event);
		return true;
	}
	if (event->version <= collab->held_version)
	{
		/* the answer to an edit that changes nothing: it made no version */
		event->mine = event->unchanged = true;
		event->from_version = event->version = collab->held_version;
		*collab->inbox_end = event;
		collab->inbox_end = &event->next;
		return true;
	}
	if (event->from_version != collab->held_version)
	{
		event_free(event);
		return false;
	}
	event->mine = copy_is_mine(&collab->copy, event->operation_id);
	collab->held_version = event->version;
	*collab->inbox_end = event;
	collab->inbox_end = &event->next;
	collab->hooks->received(collab, event);
	return true;
}

/* An `ops` message, or a `catchup`, which is one event of many ops. */
static void
take_ops(Collab *collab, json_t *root, bool composed)
{
	json_t	   *list = composed ? NULL : json_object_get(root, "ops");
	size_t		count = composed ? 1 : json_array_size(list);

	if (collab->state != COLLAB_LIVE)
		die("%s: ops before they were asked for", collab->path);
	for (size_t i = 0; i < count; i++)
	{
		CollabEvent *event = xcalloc(1, sizeof(CollabEvent));

		if (!message_event(composed ? root : json_array_get(list, i), composed, event))
			die("%s: an op that is none", collab->path);
		if (!receive(collab, event))
		{
			collab->gaps++;
			go_away(collab);
			return;
		}
	}
	collab_pump(collab);
}

/* The server tells what follows. */
static void
take_joined(Collab *collab, json_t *root)
{
	bool		resumed = json_is_true(json_object_get(root, "resumed"));

	collab->joined_version = json_integer_value(json_object_get(root, "version"));
	collab->held_version = collab->copy.version;
	collab->state = resumed ? COLLAB_LIVE : COLLAB_SNAPSHOT;
	if (!resumed && collab->has_text)
		die("%s: the server does not know version %lld any more", collab->path,
			(long long) collab->copy.version);
	send_front(collab);
}

/* The first text.  Its acknowledgement makes the ops flow. */
static void
take_snapshot(Collab *collab, json_t *root)
{
	json_t	   *content = json_object_get(root, "content");
	char		ack[64];
	int			size = snprintf(ack, sizeof(ack), "{\"type\":\"ack\",\"sequenceId\":%lld}",
								json_integer_value(json_object_get(root, "sequenceId")));

	if (collab->state != COLLAB_SNAPSHOT || !json_is_string(content))
		die("%s: a snapshot that nobody asked for", collab->path);
	if (copy_set(&collab->copy, json_string_value(content), json_string_length(content),
				 json_integer_value(json_object_get(root, "version"))) != OT_OK)
		die("out of memory");
	collab->held_version = collab->copy.version;
	collab->joined_version = collab->copy.version;
	collab->has_text = true;
	collab->state = COLLAB_LIVE;
	ws_send(&collab->ws, ack, (size_t) size);
	collab->hooks->ready(collab);
}

/* When to try again, if a refusal asks for no more than that; otherwise give up. */
static int64_t
retry_delay_us(Collab *collab, json_t *root)
{
	const char *code = json_string_value(json_object_get(root, "code"));
	const char *text = json_string_value(json_object_get(root, "message"));
	int64_t		delay_ms = json_integer_value(json_object_get(root, "retryAfter"));

	if (code == NULL || (strcmp(code, "unavailable") != 0 && strcmp(code, "rate_limited") != 0))
		die("%s: %s: %s: %s", collab->path,
			json_string_value(json_object_get(root, "type")), code != NULL ? code : "no code",
			text != NULL ? text : "no message");
	collab->put_off++;
	return delay_ms > 0 ? delay_ms * 1000 : PUT_OFF_US;
}

/* An edit was refused; sooner or later it is sent again as it was. */
static void
take_reject(Collab *collab, json_t *root)
{
	int64_t		delay_us = retry_delay_us(collab, root);

	collab->answer_due = false;
	loop_timer_start(collab->loop, &collab->retry, delay_us);
}

/* The session itself is in trouble: leave, come back. */
static void
take_error(Collab *collab, json_t *root)
{
	int64_t		delay_us = retry_delay_us(collab, root);

	go_away(collab);
	loop_timer_start(collab->loop, &collab->retry, delay_us);
}

/* A message of the server. */
static void
message(void *ctx, const char *text, size_t size)
{
	Collab	   *collab = ctx;
	json_error_t error;
	json_t	   *root = json_loadb(text, size, 0, &error);
	const char *type = json_string_value(json_object_get(root, "type"));

	if (type == NULL)
		die("%s: a message without a type: %.*s", collab->path,
			(int) (size < 200 ? size : 200), text);
	if (strcmp(type, "ops") == 0)
		take_ops(collab, root, false);
	else if (strcmp(type, "catchup") == 0)
		take_ops(collab, root, true);
	else if (strcmp(type, "joined") == 0)
		take_joined(collab, root);
	else if (strcmp(type, "snapshot") == 0)
		take_snapshot(collab, root);
	else if (strcmp(type, "checksum") == 0)
	{
		collab->checksum_due = true;
		answer_checksum(collab);
	}
	else if (strcmp(type, "reject") == 0)
		take_reject(collab, root);
	else if (strcmp(type, "error") == 0)
		take_error(collab, root);
	json_decref(root);
}
