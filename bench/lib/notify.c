/*
 * lib/notify.c
 *		Bare LISTEN and NOTIFY as a broadcaster.
 */
#include "lib/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_TIMEOUT_US	(60 * 1000000LL)

/* Send the next one. */
static void
send_one(Notify *notify)
{
	char		payload[320];
	const char *values[] = {payload};

	notify->sent_us = now_us();
	snprintf(payload, sizeof(payload), "%020lld {\"type\":\"ops\",\"ops\":[{\"version\":12,"
			 "\"sequenceId\":345,\"operationId\":\"01234567-89ab-8def-8123-456789abcdef\","
			 "\"userId\":\"ann\",\"baseVersion\":11,\"at\":\"2026-01-31T12:34:56.123456Z\","
			 "\"op\":[5,\"x\"]}]}", (long long) notify->sent_us);
	if (!PQsendQueryPrepared(notify->writer.conn, "notify", 1, values, NULL, NULL, 0))
		die("%s", PQerrorMessage(notify->writer.conn));
	notify->in_flight = true;
	notify->sent++;
}

/* Everything that was sent has come everywhere. */
static void
stop_if_done(Notify *notify)
{
	if (notify->ending && !notify->in_flight &&
		notify->deliveries >= notify->sent * notify->count)
		loop_stop(&notify->loop);
}

static void
take_turn(LoopTimer *timer)
{
	Notify	   *notify = (Notify *) ((char *) timer - offsetof(Notify, turn));

	if (!notify->ending)
		send_one(notify);
}

/* The slice is over, or what is under way never ends. */
static void
end_slice(LoopTimer *timer)
{
	Notify	   *notify = (Notify *) ((char *) timer - offsetof(Notify, clock));

	if (notify->ending)
		die("not every notification came");
	notify->ending = true;
	loop_timer_start(&notify->loop, &notify->clock, SLICE_TIMEOUT_US);
	stop_if_done(notify);
}

/* The notification is committed. */
static void
writer_ready(LoopWatch *watch, uint32_t events)
{
	Notify	   *notify = ((Listener *) watch)->notify;
	PGresult   *result;

	if (!PQconsumeInput(notify->writer.conn))
		die("%s", PQerrorMessage(notify->writer.conn));
	if (!notify->in_flight || PQisBusy(notify->writer.conn))
		return;
	while ((result = PQgetResult(notify->writer.conn)) != NULL)
	{
		pg_check(notify->writer.conn, result, "NOTIFY");
		PQclear(result);
	}
	notify->in_flight = false;
	loop_timer_start(&notify->loop, &notify->turn,
					 notify->sent_us + (int64_t) notify->pause_us - now_us());
	stop_if_done(notify);
}

/* Notifications have come. */
static void
listener_ready(LoopWatch *watch, uint32_t events)
{
	Listener   *listener = (Listener *) watch;
	Notify	   *notify = listener->notify;
	PGnotify   *notification;

	if (!PQconsumeInput(listener->conn))
		die("%s", PQerrorMessage(listener->conn));
	while ((notification = PQnotifies(listener->conn)) != NULL)
	{
		samples_add(&notify->seen_ms, (double) (now_us() - atoll(notification->extra)) / 1000);
		notify->deliveries++;
		PQfreemem(notification);
	}
	stop_if_done(notify);
}

/* Connect one of them. */
static void
open_listener(Notify *notify, Listener *listener, void (*ready) (LoopWatch *, uint32_t))
{
	listener->notify = notify;
	listener->conn = pg_connect("");
	listener->watch.ready = ready;
	loop_watch(&notify->loop, &listener->watch, PQsocket(listener->conn), EPOLLIN);
}

void
notify_open(Notify *notify, int listeners, double pause_us)
{
	memset(notify, 0, sizeof(*notify));
	loop_init(&notify->loop);
	notify->turn.fire = take_turn;
	notify->clock.fire = end_slice;
	notify->pause_us = pause_us;
	notify->count = listeners;
	notify->listeners = xcalloc((size_t) listeners, sizeof(Listener));
	open_listener(notify, &notify->writer, writer_ready);
	pg_prepare(notify->writer.conn, "notify", "SELECT pg_notify('bench', $1)");
	for (int i = 0; i < listeners; i++)
	{
		open_listener(notify, &notify->listeners[i], listener_ready);
		pg_run(notify->listeners[i].conn, "LISTEN bench");
	}
}

double
notify_slice(Notify *notify, double seconds)
{
	int64_t		started = now_us();

	notify->ending = false;
	notify->sent = notify->deliveries = 0;
	samples_clear(&notify->seen_ms);
	loop_timer_start(&notify->loop, &notify->clock, (int64_t) (seconds * 1e6));
	send_one(notify);
	loop_run(&notify->loop);
	loop_timer_stop(&notify->loop, &notify->clock);
	loop_timer_stop(&notify->loop, &notify->turn);
	return (double) (now_us() - started) / 1e6;
}

static void
close_listener(Notify *notify, Listener *listener)
{
	loop_unwatch(&notify->loop, &listener->watch);
	PQfinish(listener->conn);
}

void
notify_close(Notify *notify)
{
	close_listener(notify, &notify->writer);
	for (int i = 0; i < notify->count; i++)
		close_listener(notify, &notify->listeners[i]);
	loop_free(&notify->loop);
	free(notify->listeners);
	samples_free(&notify->seen_ms);
}
