/*
 * lib/notify.h
 *		Bare LISTEN and NOTIFY as a broadcaster: a connection that notifies at a pace,
 *		one at a time, and others that listen.  The payload is as long as what the relay
 *		sends of an edit.
 */
#ifndef BENCH_NOTIFY_H
#define BENCH_NOTIFY_H

#include "lib/common.h"
#include "lib/loop.h"
#include "lib/pg.h"

typedef struct Notify Notify;

typedef struct Listener
{
	LoopWatch	watch;			/* first */
	Notify	   *notify;
	PGconn	   *conn;
} Listener;

struct Notify
{
	Loop		loop;
	LoopTimer	turn;
	LoopTimer	clock;
	Listener	writer;
	Listener   *listeners;
	int			count;
	double		pause_us;
	bool		ending;			/* no more are sent */
	bool		in_flight;
	int64_t		sent_us;		/* of the last */
	double		sent;			/* since the slice began */
	double		deliveries;
	Samples		seen_ms;
};

extern void notify_open(Notify *notify, int listeners, double pause_us);

/* From rest to rest; the seconds it took. */
extern double notify_slice(Notify *notify, double seconds);
extern void notify_close(Notify *notify);

#endif							/* BENCH_NOTIFY_H */
