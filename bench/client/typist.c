/*
 * client/typist.c
 *		Load: clients that type into documents through a relay.
 */
#include "client/typist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US		20000
#define JOIN_TIMEOUT_US	(120 * 1000000LL)
#define JOIN_AT_ONCE	256
#define SETTLE_TIMEOUT_US	(60 * 1000000LL)

static void opened(void *ctx);
static void message(void *ctx, const char *text, size_t size);
static void closed(void *ctx, int code, const char *reason);
static void take_turn(LoopTimer *timer);
static void call(Typist *typist);

static const WsHandler handler = {opened, message, closed};

/* ---- typing ---- */

/* Write the components of the next edit. */
static void
write_op(const Typist *typist, uint64_t number, WsBuffer *out)
{
	const char *paste = typist->stage->paste;
	long long	position = (long long) (number * 7919 % (uint64_t) (typist->version + 1));

	if (paste != NULL && typist->version > 0)
		ws_printf(out, "[\"%s\",{\"d\":%zu}]", paste, strlen(paste));
	else if (paste != NULL)
		ws_printf(out, "[\"%s\"]", paste);
	else if (position > 0)
		ws_printf(out, "[%lld,\"x\"]", position);
	else
		ws_printf(out, "[\"x\"]");
}

/* Write the next edit as the relay takes it, or as it shows it. */
static void
write_edit(const Typist *typist, uint64_t number, const char *id, WsBuffer *out)
{
	long long	version = (long long) typist->version;

	if (!typist->stage->broadcast)
		ws_printf(out, "{\"type\":\"op\",\"operationId\":\"%s\",\"baseVersion\":%lld,\"op\":",
				  id, version);
	else
		ws_printf(out, "{\"type\":\"ops\",\"ops\":[{\"version\":%lld,\"sequenceId\":%lld,"
				  "\"operationId\":\"%s\",\"userId\":\"ann\",\"baseVersion\":%lld,"
				  "\"at\":\"2026-01-31T12:34:56.123456Z\",\"op\":",
				  version + 1, version + 1, id, version);
	write_op(typist, number, out);
	ws_printf(out, typist->stage->broadcast ? "}]}" : "}");
}

/* Send the next edit. */
static void
type_edit(Typist *typist)
{
	Stage	   *stage = typist->stage;
	uint64_t	number = stage->next_id++;
	char		id[ID_SIZE];

	ids_format(&stage->ids, number, id);
	stage->scratch.size = 0;
	write_edit(typist, number, id, &stage->scratch);
	typist->needle_size = (size_t) snprintf(typist->needle, sizeof(typist->needle),
											"\"operationId\":\"%s\"", id);
	typist->in_flight = true;
	stage->flying++;
	typist->sent_us = now_us();
	stage->sent_us[number % STAGE_FLIGHTS] = typist->sent_us;
	ws_send(&typist->ws, stage->scratch.data, stage->scratch.size);
}

/* Type at once, or when so long has passed since the last edit. */
static void
type_next(Typist *typist)
{
	Stage	   *stage = typist->stage;

	if (stage->pausing && stage->flying == 0)
		loop_stop(&stage->loop);
	if (stage->pausing || !typist->writes || !stage->measuring)
		return;
	if (stage->pause_us == 0)
		type_edit(typist);
	else if (!typist->turn.armed)
		loop_timer_start(&stage->loop, &typist->turn,
						 typist->sent_us + (int64_t) stage->pause_us - now_us());
}

/* ---- connecting ---- */

static void
opened(void *ctx)
{
	Typist	   *typist = ctx;
	char		text[2304];
	int			size = snprintf(text, sizeof(text), "{\"type\":\"hello\",\"token\":\"%s\"}",
								typist->token);

	ws_send(&typist->ws, text, (size_t) size);
}

/* Until it has joined, a relay may still be starting. */
static void
closed(void *ctx, int code, const char *reason)
{
	Typist	   *typist = ctx;

	if (typist->joined)
		die("the relay closed a connection: %d %s", code, reason);
	loop_timer_start(&typist->stage->loop, &typist->turn, RETRY_US);
}

/* Connect again, or type when the pause is over. */
static void
take_turn(LoopTimer *timer)
{
	Typist	   *typist = (Typist *) ((char *) timer - offsetof(Typist, turn));

	if (!typist->joined)
		call(typist);
	else if (!typist->in_flight && typist->stage->measuring && !typist->stage->pausing)
		type_edit(typist);
}

static void
call(Typist *typist)
{
	ws_connect(&typist->ws, typist->stage->host, typist->port, typist->path);
}

/* Let the next ones connect, the more have joined. */
static void
call_more(Stage *stage)
{
	while (stage->called < stage->count && stage->called < stage->joined + JOIN_AT_ONCE)
		call(&stage->typists[stage->called++]);
}

/* One more is there. */
static void
join(Typist *typist)
{
	Stage	   *stage = typist->stage;

	if (typist->joined)
		return;
	typist->joined = true;
	stage->joined++;
	call_more(stage);
	if (stage->joined == stage->count)
		loop_stop(&stage->loop);
}

/* ---- what the relay sends ---- */

/* The number behind a key; -1 without it. */
static int64_t
number_of(const char *text, size_t size, const char *key)
{
	const char *at = memmem(text, size, key, strlen(key));

	return at != NULL ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* The version of the last entry of `ops`. */
static int64_t
last_version(const char *text, size_t size)
{
	static const char key[] = "{\"version\":";
	const char *at = text + size;

	while ((at = memrchr(text, '{', (size_t) (at - text))) != NULL)
	{
		if ((size_t) (text + size - at) >= sizeof(key) &&
			memcmp(at, key, sizeof(key) - 1) == 0)
			return strtoll(at + sizeof(key) - 1, NULL, 10);
	}
	die("ops without a version: %.*s", (int) (size < 200 ? size : 200), text);
}

/* Note how long every edit took to get here. */
static void
watch(Typist *typist, const char *text, size_t size)
{
	static const char key[] = "\"operationId\":\"";
	Stage	   *stage = typist->stage;
	const char *end = text + size;
	int64_t		now = now_us();

	while ((text = memmem(text, (size_t) (end - text), key, sizeof(key) - 1)) != NULL)
	{
		int64_t		sent_us = stage->sent_us[ids_number(text + sizeof(key) - 1) % STAGE_FLIGHTS];

		text += sizeof(key);
		if (stage->sampling)
			samples_add(&stage->seen_ms, (double) (now - sent_us) / 1000);
	}
}

/* The edit in flight is durable. */
static void
take_answer(Typist *typist)
{
	Stage	   *stage = typist->stage;

	typist->in_flight = false;
	stage->flying--;
	if (stage->measuring)
	{
		stage->answered++;
		if (stage->sampling)
			samples_add(&stage->answered_ms, (double) (now_us() - typist->sent_us) / 1000);
	}
	type_next(typist);
}

/* Somebody who watches is at a later version. */
static void
advance(Typist *typist, int64_t version)
{
	Stage	   *stage = typist->stage;
	double		step = (double) (version - typist->version);

	stage->deliveries += step;
	typist->version = version;
	if (stage->awaiting && (stage->behind -= step) <= 0)
		loop_stop(&stage->loop);
}

/* Edits, one's own among them or not. */
static void
take_ops(Typist *typist, const char *text, size_t size)
{
	int64_t		first = number_of(text, size, "\"version\":");
	int64_t		last = last_version(text, size);

	if (typist->version > 0 && first != typist->version + 1)
		typist->stage->gaps++;
	if (!typist->writes)
	{
		watch(typist, text, size);
		advance(typist, last);
		return;
	}
	typist->version = last;
	if (typist->in_flight &&
		memmem(text, size, typist->needle, typist->needle_size) != NULL)
		take_answer(typist);
}

/* Many edits in one, which can be answers only to somebody who waits for one. */
static void
take_catchup(Typist *typist, int64_t version)
{
	if (typist->writes)
		typist->version = version;
	else
		advance(typist, version);
}

/* The text is here: ask for what follows. */
static void
take_snapshot(Typist *typist, const char *text, size_t size)
{
	char		ack[64];
	int			length = snprintf(ack, sizeof(ack), "{\"type\":\"ack\",\"sequenceId\":%lld}",
								  (long long) number_of(text, size, "\"sequenceId\":"));

	typist->version = number_of(text, size, "\"version\":");
	ws_send(&typist->ws, ack, (size_t) length);
	join(typist);
}

/* Does the message begin so? */
static bool
begins(const char *text, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

static void
message(void *ctx, const char *text, size_t size)
{
	Typist	   *typist = ctx;

	if (begins(text, size, "{\"type\":\"ops\""))
		take_ops(typist, text, size);
	else if (begins(text, size, "{\"type\":\"catchup\""))
		take_catchup(typist, number_of(text, size, "\"version\":"));
	else if (begins(text, size, "{\"type\":\"snapshot\""))
		take_snapshot(typist, text, size);
	else if (begins(text, size, "{\"type\":\"error\"") || begins(text, size, "{\"type\":\"reject\""))
		die("the relay says %.*s", (int) (size < 300 ? size : 300), text);
	else if (begins(text, size, "{\"type\":\"joined\"") &&
			 memmem(text, size, "\"resumed\":true", 14) != NULL)
		join(typist);
}

/* ---- the stage ---- */

/* The time is up. */
static void
end_of_time(LoopTimer *timer)
{
	loop_stop(&((Stage *) ((char *) timer - offsetof(Stage, clock)))->loop);
}

void
stage_open(Stage *stage, const char *host, int port, int typists, double pause_us)
{
	memset(stage, 0, sizeof(*stage));
	loop_init(&stage->loop);
	stage->clock.fire = end_of_time;
	stage->host = host;
	stage->port = port;
	stage->count = typists;
	stage->pause_us = pause_us;
	stage->typists = xcalloc((size_t) typists, sizeof(Typist));
	ids_start(&stage->ids);
}

void
stage_typist(Stage *stage, int index, const char *document, const char *token, bool writes)
{
	Typist	   *typist = &stage->typists[index];

	typist->stage = stage;
	typist->writes = writes;
	typist->port = stage->port;
	typist->turn.fire = take_turn;
	typist->token = xstrdup(token);
	snprintf(typist->path, sizeof(typist->path), "/v1/collab/%s", document);
	ws_init(&typist->ws, &stage->loop, &handler, typist);
}

void
stage_join(Stage *stage)
{
	call_more(stage);
	loop_timer_start(&stage->loop, &stage->clock, JOIN_TIMEOUT_US);
	loop_run(&stage->loop);
	if (stage->joined < stage->count)
		die("only %d of %d clients could join", stage->joined, stage->count);
	loop_timer_stop(&stage->loop, &stage->clock);
}

/* Run for a while; writers that rest begin, paced ones spread over the pause. */
static void
run_for(Stage *stage, double seconds)
{
	loop_timer_start(&stage->loop, &stage->clock, (int64_t) (seconds * 1e6));
	for (int i = 0; i < stage->count; i++)
	{
		Typist	   *typist = &stage->typists[i];

		if (!typist->writes || typist->in_flight || typist->turn.armed)
			continue;
		if (stage->pause_us == 0)
			type_edit(typist);
		else
			loop_timer_start(&stage->loop, &typist->turn,
							 (int64_t) (stage->pause_us * i / stage->count));
	}
	loop_run(&stage->loop);
}

void
stage_warm_up(Stage *stage, double seconds)
{
	stage->measuring = true;
	run_for(stage, seconds);
	stage->answered = 0;
}

void
stage_measure(Stage *stage, double seconds)
{
	stage->sampling = true;
	run_for(stage, seconds);
	stage->measuring = stage->sampling = false;
}

/* Go on until somebody stops the loop: what is awaited is there. */
static void
settle(Stage *stage)
{
	loop_timer_start(&stage->loop, &stage->clock, SETTLE_TIMEOUT_US);
	loop_run(&stage->loop);
	if (!stage->clock.armed)
		die("after %d seconds not everything has come", (int) (SETTLE_TIMEOUT_US / 1000000));
	loop_timer_stop(&stage->loop, &stage->clock);
}

void
stage_rest(Stage *stage)
{
	stage->pausing = true;
	if (stage->flying > 0)
		settle(stage);
	stage->pausing = false;
}

void
stage_catch_up(Stage *stage)
{
	int64_t		head = 0;

	stage_rest(stage);
	for (int i = 0; i < stage->count; i++)
	{
		if (stage->typists[i].version > head)
			head = stage->typists[i].version;
	}
	stage->behind = 0;
	for (int i = 0; i < stage->count; i++)
	{
		if (!stage->typists[i].writes)
			stage->behind += (double) (head - stage->typists[i].version);
	}
	stage->pausing = stage->awaiting = true;
	if (stage->behind > 0)
		settle(stage);
	stage->pausing = stage->awaiting = false;
}

double
stage_broadcast(Stage *stage, double seconds)
{
	int64_t		started = now_us();

	stage->measuring = stage->sampling = true;
	stage->answered = stage->deliveries = 0;
	samples_clear(&stage->seen_ms);
	samples_clear(&stage->answered_ms);
	run_for(stage, seconds);
	stage_catch_up(stage);
	stage->measuring = stage->sampling = false;
	return (double) (now_us() - started) / 1e6;
}

void
stage_close(Stage *stage)
{
	for (int i = 0; i < stage->count; i++)
	{
		loop_timer_stop(&stage->loop, &stage->typists[i].turn);
		ws_free(&stage->typists[i].ws);
		free(stage->typists[i].token);
	}
	free(stage->typists);
	free(stage->scratch.data);
	samples_free(&stage->answered_ms);
	samples_free(&stage->seen_ms);
	loop_free(&stage->loop);
}
