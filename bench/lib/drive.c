/*
 * lib/drive.c
 *		Drives PostgreSQL from many connections in one thread.
 */
#include "lib/drive.h"

#include "lib/common.h"

#include <stdlib.h>
#include <string.h>

static void ready(LoopWatch *watch, uint32_t events);

/* The slice is over: what is under way is finished and counted. */
static void
end_slice(LoopTimer *timer)
{
	Drive	   *drive = (Drive *) ((char *) timer - offsetof(Drive, end));

	drive->ending = true;
}

/* Connect one worker. */
static void
open_worker(Drive *drive, int index, const char *dsn)
{
	Worker	   *worker = &drive->workers[index];

	worker->drive = drive;
	worker->index = index;
	worker->conn = pg_connect(dsn);
	worker->watch.ready = ready;
	pg_run(worker->conn, "SET plan_cache_mode = force_generic_plan");
	for (int i = 0; i < drive->contestant_count; i++)
		pg_prepare(worker->conn, drive->contestants[i].name, drive->contestants[i].sql);
	if (PQsetnonblocking(worker->conn, 1) != 0)
		die("%s", PQerrorMessage(worker->conn));
	loop_watch(&drive->loop, &worker->watch, PQsocket(worker->conn), EPOLLIN);
}

void
drive_open(Drive *drive, const char *dsn, int count,
		   const Contestant *contestants, int contestant_count)
{
	memset(drive, 0, sizeof(*drive));
	loop_init(&drive->loop);
	drive->end.fire = end_slice;
	drive->control = pg_connect(dsn);
	drive->contestants = contestants;
	drive->contestant_count = contestant_count;
	drive->count = count;
	drive->workers = xcalloc((size_t) count, sizeof(Worker));
	for (int i = 0; i < count; i++)
		open_worker(drive, i, dsn);
}

void
drive_close(Drive *drive)
{
	for (int i = 0; i < drive->count; i++)
	{
		loop_unwatch(&drive->loop, &drive->workers[i].watch);
		PQfinish(drive->workers[i].conn);
	}
	PQfinish(drive->control);
	loop_free(&drive->loop);
	free(drive->workers);
}

void
drive_send(Worker *worker, int count, const char *const *values,
		   const int *lengths, const int *formats)
{
	if (!PQsendQueryPrepared(worker->conn, worker->drive->current->name, count,
							 values, lengths, formats, 0))
		die("%s", PQerrorMessage(worker->conn));
	worker->drive->busy++;
	if (PQflush(worker->conn) == 1)
		loop_change(&worker->drive->loop, &worker->watch, EPOLLIN | EPOLLOUT);
}

/* Count the answer, if it is all here, and send the next. */
static void
take_answer(Worker *worker)
{
	Drive	   *drive = worker->drive;
	PGresult   *result;

	if (!PQconsumeInput(worker->conn))
		die("%s", PQerrorMessage(worker->conn));
	if (drive->busy == 0 || PQisBusy(worker->conn))
		return;
	while ((result = PQgetResult(worker->conn)) != NULL)
	{
		pg_check(worker->conn, result, drive->current->name);
		drive->edits += (double) drive->current->answer(worker, result);
		PQclear(result);
	}
	drive->busy--;
	if (!drive->ending)
		drive->current->send(worker);
	else if (drive->busy == 0)
		loop_stop(&drive->loop);
}

/* What epoll says about a worker's socket. */
static void
ready(LoopWatch *watch, uint32_t events)
{
	Worker	   *worker = (Worker *) watch;

	if ((events & EPOLLOUT) != 0 && PQflush(worker->conn) == 0)
		loop_change(&worker->drive->loop, watch, EPOLLIN);
	if ((events & ~(uint32_t) EPOLLOUT) != 0)
		take_answer(worker);
}

double
drive_slice(Drive *drive, const Contestant *contestant, double seconds)
{
	int64_t		started;

	drive->current = contestant;
	drive->edits = 0;
	drive->ending = false;
	contestant->prepare(drive);
	started = now_us();
	loop_timer_start(&drive->loop, &drive->end, (int64_t) (seconds * 1e6));
	for (int i = 0; i < drive->count; i++)
		contestant->send(&drive->workers[i]);
	loop_run(&drive->loop);
	return drive->edits * 1e6 / (double) (now_us() - started);
}
