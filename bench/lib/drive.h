/*
 * lib/drive.h
 *		Drives PostgreSQL from many connections in one thread, each in a closed
 *		loop: a prepared statement goes out, its answer comes, the next goes out.
 *
 * Contestants are statements that take turns on the same connections in short
 * slices, so that whatever the machine does beside happens to all of them.
 */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include "lib/loop.h"
#include "lib/pg.h"

#include <stddef.h>

typedef struct Drive Drive;
typedef struct Worker Worker;

typedef struct Contestant
{
	const char *name;
	const char *sql;
	/* Before a slice, not timed. */
	void		(*prepare) (Drive *drive);
	/* Send the next statement by drive_send(). */
	void		(*send) (Worker *worker);
	/* The edits that an answer means. */
	size_t		(*answer) (Worker *worker, const PGresult *result);
} Contestant;

struct Worker
{
	LoopWatch	watch;
	Drive	   *drive;
	PGconn	   *conn;
	int			index;
	int			document;		/* contestants' use */
};

struct Drive
{
	Loop		loop;
	LoopTimer	end;
	PGconn	   *control;		/* for what is not measured */
	Worker	   *workers;
	int			count;
	const Contestant *contestants;
	int			contestant_count;
	const Contestant *current;
	bool		ending;
	int			busy;			/* workers with a statement under way */
	double		edits;
	void	   *ctx;			/* contestants' use */
};

/* Connect `count` workers and prepare every contestant's statement on each. */
extern void drive_open(Drive *drive, const char *dsn, int count,
					   const Contestant *contestants, int contestant_count);
extern void drive_close(Drive *drive);

/* Send the current contestant's statement. */
extern void drive_send(Worker *worker, int count, const char *const *values,
					   const int *lengths, const int *formats);

/* One slice of a contestant: edits a second. */
extern double drive_slice(Drive *drive, const Contestant *contestant, double seconds);

#endif							/* BENCH_DRIVE_H */
