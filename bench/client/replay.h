/*
 * client/replay.h
 *		Replays a concurrent trace: every author a client of his own, all at once.
 *
 * An edit of a trace was made knowing of certain edits of the other author, and
 * its positions mean what they meant to him then.  So a client types an edit when
 * its copy holds exactly those, its own earlier edits, and nothing else, and it
 * takes the other's edits one by one until that is so.  All the while its own
 * edits are in flight against versions that the server has left behind: the
 * rebasing is real, and yet the outcome is the trace's own text.
 *
 * It cannot deadlock.  What an edit waits for comes earlier in the trace, and a
 * client that waits takes everything that arrives, so that its own edits get
 * their answers and the next ones go out.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "client/collab.h"
#include "lib/common.h"
#include "lib/trace.h"

typedef struct Replay Replay;

/* An op of an author, by its number. */
typedef struct ReplayOp
{
	size_t		covers;			/* the author's edits up to and with it */
	int64_t		sent_us;
	bool		unchanged;		/* it changed nothing, and made no version */
} ReplayOp;

typedef struct ReplayAuthor
{
	Collab		collab;
	Replay	   *replay;
	int			index;
	bool		ready;
	char		id_prefix[25];	/* of his operation ids */
	TraceEdit **edits;
	bool	   *known_alone;	/* by edit: the other knew it and not the next */
	size_t		count;
	size_t		typed;
	size_t		answered;
	size_t		seen[TRACE_MAX_AUTHORS];
	ReplayOp   *ops;
} ReplayAuthor;

/* A single op as the server applied it. */
typedef struct ReplayEntry
{
	bool		present;
	char		operation_id[ID_SIZE];
	OtBuffer	op;
} ReplayEntry;

struct Replay
{
	const Trace *trace;
	Loop	   *loop;
	bool		compose;		/* what is typed while an op is in flight is
								 * one op */
	ReplayAuthor authors[TRACE_MAX_AUTHORS];
	ReplayEntry *log;			/* by version */
	Samples		propagation_ms; /* sent by one, arrived at the other */
	int64_t		started_us;
	int64_t		finished_us;
	uint64_t	split;			/* catch-ups taken apart */
	uint64_t	unchanged;		/* ops that made no version */
};

extern void replay_init(Replay *replay, const Trace *trace, Loop *loop, bool compose);

/* Connect one author; host, path and token as collab_init() takes them. */
extern void replay_connect(Replay *replay, int author, const char *host, int port,
						   const char *path, const char *token);

/* Edits answered by the server so far, by all. */
extern size_t replay_answered(const Replay *replay);

/* Ops the authors' edits became, without those that changed nothing. */
extern uint64_t replay_ops(const Replay *replay);
extern bool replay_finished(const Replay *replay);
extern void replay_free(Replay *replay);

#endif							/* BENCH_REPLAY_H */
