/*
 * loop.c
 *		A small event loop: descriptors (epoll) and timers, one thread.
 */
#include "loop.h"

#include "common.h"

#include <errno.h>
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

void
loop_timer_start(Loop *loop, LoopTimer *timer, int64_t delay_us)
{
	LoopTimer **at = &loop->timers;

	loop_timer_stop(loop, timer);
	timer->due_us = now_us() + delay_us;
	while (*at != NULL && (*at)->due_us <= timer->due_us)
		at = &(*at)->next;
	timer->next = *at;
	timer->armed = true;
	*at = timer;
}

void
loop_timer_stop(Loop *loop, LoopTimer *timer)
{
	LoopTimer **at = &loop->timers;

	if (!timer->armed)
		return;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	timer->armed = false;
}

/* Fire what is due; milliseconds until the next one, -1 without any. */
static int
run_timers(Loop *loop)
{
	int64_t		now = now_us();

	while (loop->timers != NULL && loop->timers->due_us <= now && !loop->stopped)
	{
		LoopTimer  *timer = loop->timers;

		loop_timer_stop(loop, timer);
		timer->fire(timer);
	}
	if (loop->timers == NULL)
		return -1;
	if (loop->timers->due_us <= now)
		return 0;
	return (int) ((loop->timers->due_us - now + 999) / 1000);
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
