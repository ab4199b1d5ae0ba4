/*
 * lib/loop.c
 *		A small event loop: descriptors (epoll) and timers, one thread.
 */
#include "lib/loop.h"

#include "lib/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
loop_init(Loop *loop)
{
	memset(loop, 0, sizeof(*loop));
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		die("epoll_create1: %s", strerror(errno));
}

void
loop_free(Loop *loop)
{
	close(loop->epoll_fd);
	free(loop->timers);
}

/* Tell epoll what a watch waits for. */
static void
control(Loop *loop, int action, LoopWatch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events,.data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, action, watch->fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
	watch->events = events;
}

void
loop_watch(Loop *loop, LoopWatch *watch, int fd, uint32_t events)
{
	watch->fd = fd;
	control(loop, EPOLL_CTL_ADD, watch, events);
}

void
loop_change(Loop *loop, LoopWatch *watch, uint32_t events)
{
	if (watch->events != events)
		control(loop, EPOLL_CTL_MOD, watch, events);
}

void
loop_unwatch(Loop *loop, LoopWatch *watch)
{
	if (watch->fd < 0)
		return;
	control(loop, EPOLL_CTL_DEL, watch, 0);
	watch->fd = -1;
	for (int i = 0; i < loop->batch_size; i++)
	{
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	}
}

/* ---- timers ---- */

static void
put_timer(Loop *loop, int place, LoopTimer *timer)
{
	loop->timers[place] = timer;
	timer->place = place;
}

/* Let a timer rise from a place of the heap to where it belongs. */
static void
sift_up(Loop *loop, int place, LoopTimer *timer)
{
	while (place > 0 && loop->timers[(place - 1) / 2]->due_us > timer->due_us)
	{
		put_timer(loop, place, loop->timers[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put_timer(loop, place, timer);
}

/* ... or sink. */
static void
sift_down(Loop *loop, int place, LoopTimer *timer)
{
	int			child;

	while ((child = 2 * place + 1) < loop->timer_count)
	{
		if (child + 1 < loop->timer_count &&
			loop->timers[child + 1]->due_us < loop->timers[child]->due_us)
			child++;
		if (loop->timers[child]->due_us >= timer->due_us)
			break;
		put_timer(loop, place, loop->timers[child]);
		place = child;
	}
	put_timer(loop, place, timer);
}

void
loop_timer_start(Loop *loop, LoopTimer *timer, int64_t delay_us)
{
	loop_timer_stop(loop, timer);
	timer->due_us = now_us() + delay_us;
	timer->armed = true;
	if (loop->timer_count == loop->timer_capacity)
	{
		loop->timer_capacity = loop->timer_capacity > 0 ? loop->timer_capacity * 2 : 16;
		loop->timers = xrealloc(loop->timers,
								(size_t) loop->timer_capacity * sizeof(LoopTimer *));
	}
	sift_up(loop, loop->timer_count++, timer);
}

void
loop_timer_stop(Loop *loop, LoopTimer *timer)
{
	LoopTimer  *last;

	if (!timer->armed)
		return;
	timer->armed = false;
	last = loop->timers[--loop->timer_count];
	if (last == timer)
		return;
	if (last->due_us < timer->due_us)
		sift_up(loop, timer->place, last);
	else
		sift_down(loop, timer->place, last);
}

/* Fire what is due; milliseconds until the next one, -1 without any. */
static int
run_timers(Loop *loop)
{
	int64_t		now = now_us();

	while (loop->timer_count > 0 && loop->timers[0]->due_us <= now && !loop->stopped)
	{
		LoopTimer  *timer = loop->timers[0];

		loop_timer_stop(loop, timer);
		timer->fire(timer);
	}
	if (loop->timer_count == 0)
		return -1;
	if (loop->timers[0]->due_us <= now)
		return 0;
	return (int) ((loop->timers[0]->due_us - now + 999) / 1000);
}

void
loop_run(Loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped)
	{
		int			timeout_ms = run_timers(loop);

		if (loop->stopped)
			break;
		loop->batch_size = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, timeout_ms);
		if (loop->batch_size < 0 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < loop->batch_size; i++)
		{
			LoopWatch  *watch = loop->batch[i].data.ptr;

			if (watch != NULL)
				watch->ready(watch, loop->batch[i].events);
		}
		loop->batch_size = 0;
	}
}

void
loop_stop(Loop *loop)
{
	loop->stopped = true;
}
