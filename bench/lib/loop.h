/*
 * lib/loop.h
 *		A small event loop: descriptors (epoll) and timers, one thread.
 *
 * A callback may start and stop any watch or timer, its own too: a stopped watch
 * gets nothing more, not even what this turn of the loop has already fetched.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define LOOP_BATCH 256

typedef struct LoopWatch LoopWatch;
typedef struct LoopTimer LoopTimer;

/* Embedded in whatever owns the descriptor. */
struct LoopWatch
{
	int			fd;				/* -1: not watched */
	uint32_t	events;			/* EPOLLIN, EPOLLOUT */
	void		(*ready) (LoopWatch *watch, uint32_t events);
};

struct LoopTimer
{
	int64_t		due_us;
	bool		armed;
	int			place;			/* in the heap, while armed */
	void		(*fire) (LoopTimer *timer);
};

typedef struct Loop
{
	int			epoll_fd;
	bool		stopped;
	LoopTimer **timers;			/* a heap: none is due before its parent */
	int			timer_count;
	int			timer_capacity;
	struct epoll_event batch[LOOP_BATCH];
	int			batch_size;
} Loop;

extern void loop_init(Loop *loop);
extern void loop_free(Loop *loop);
extern void loop_watch(Loop *loop, LoopWatch *watch, int fd, uint32_t events);
extern void loop_change(Loop *loop, LoopWatch *watch, uint32_t events);
extern void loop_unwatch(Loop *loop, LoopWatch *watch);
extern void loop_timer_start(Loop *loop, LoopTimer *timer, int64_t delay_us);
extern void loop_timer_stop(Loop *loop, LoopTimer *timer);

/* Run until loop_stop(). */
extern void loop_run(Loop *loop);
extern void loop_stop(Loop *loop);

#endif							/* BENCH_LOOP_H */
