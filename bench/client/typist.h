/*
 * client/typist.h
 *		Load: clients that type into documents through a relay, one edit in flight
 *		each, and note when it comes back and when another client sees it.
 *
 * A typist keeps no text.  Its document begins empty and every edit inserts one
 * character, so that the version it knows is also the length it knows, and every
 * position up to it is a valid one.  That leaves the machine to what is measured.
 *
 * Before a server that does no more than hand on what it gets (bare/broadcast.c), a
 * writer sends what the relay would make of its edit.
 */
#ifndef BENCH_TYPIST_H
#define BENCH_TYPIST_H

#include "lib/common.h"
#include "lib/ids.h"
#include "lib/loop.h"
#include "client/ws.h"

#define STAGE_FLIGHTS	65536	/* edits whose sending time is remembered */

typedef struct Stage Stage;

typedef struct Typist
{
	Ws			ws;
	LoopTimer	turn;			/* to connect again, or to type the next edit */
	Stage	   *stage;
	char		path[64];
	int			port;			/* the stage's, unless changed before it joins */
	char	   *token;
	bool		writes;			/* else it only watches */
	bool		joined;
	bool		in_flight;
	int64_t		version;
	int64_t		sent_us;
	char		needle[64];		/* the edit in flight, as it comes back */
	size_t		needle_size;
} Typist;

struct Stage
{
	Loop		loop;
	LoopTimer	clock;
	const char *host;
	int			port;
	Typist	   *typists;
	int			count;
	int			called;			/* to connect */
	int			joined;
	double		pause_us;		/* between edits of a writer; 0: none */
	bool		broadcast;		/* the server only hands on */
	const char *paste;			/* replaces the whole text at every edit, in
								 * place of typing */
	IdSession	ids;
	uint64_t	next_id;
	int64_t		sent_us[STAGE_FLIGHTS];

	WsBuffer	scratch;		/* the message being written */

	bool		measuring;		/* everybody types */
	bool		pausing;		/* nobody begins another edit */
	int			flying;			/* edits without an answer */
	bool		sampling;		/* latencies are noted, also of what was sent
								 * before */
	double		answered;
	double		deliveries;		/* of an edit to a client that watches */
	bool		awaiting;		/* ... until everybody has everything */
	double		behind;			/* edits that those who watch have not */
	double		gaps;
	Samples		answered_ms;	/* sent -> back, durable */
	Samples		seen_ms;		/* sent -> at a client that watches */
};

extern void stage_open(Stage *stage, const char *host, int port, int typists, double pause_us);

/* The next of the stage's typists; user's token, document's id. */
extern void stage_typist(Stage *stage, int index, const char *document, const char *token,
						 bool writes);

/* Connect everybody, some hundreds at a time. */
extern void stage_join(Stage *stage);

/* Let them type, unmeasured and then measured. */
extern void stage_warm_up(Stage *stage, double seconds);
extern void stage_measure(Stage *stage, double seconds);

/* Wait until every edit has its answer. */
extern void stage_rest(Stage *stage);

/* ... and everybody who watches the one document of a stage has it. */
extern void stage_catch_up(Stage *stage);

/*
 * Let the writer of a stage that has one type, and wait until everybody who watches
 * has everything: from rest to rest.  The seconds it took.
 */
extern double stage_broadcast(Stage *stage, double seconds);
extern void stage_close(Stage *stage);

#endif							/* BENCH_TYPIST_H */
