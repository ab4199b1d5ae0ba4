/*
 * client/collab.h
 *		A collaborating client: a copy of one document (copy.h) on a WebSocket
 *		that speaks converge.v1 (ws.h).
 *
 * It keeps the contiguous-version rule: of what arrives it takes the op after the
 * newest one it holds, drops what it knows, and reconnects at a gap.  One edit is
 * in flight.  When the connection breaks it reconnects by itself, resumes at its
 * version, and sends an unanswered edit again exactly as it was.
 *
 * What has arrived waits in an inbox until the `take` hook lets it be applied, so
 * that a replay can decide what its author has seen.
 */
#ifndef BENCH_COLLAB_H
#define BENCH_COLLAB_H

#include "client/copy.h"
#include "lib/loop.h"
#include "client/ws.h"

#include <jansson.h>

typedef struct Collab Collab;

typedef struct CollabEvent CollabEvent;
struct CollabEvent
{
	int64_t		from_version;	/* it leads from here ... */
	int64_t		version;		/* ... to here: more than one step when
								 * composed */
	char		operation_id[ID_SIZE];
	bool		mine;			/* the acknowledgement of the edit in flight */
	bool		unchanged;		/* ... which changed nothing, and made no version */
	OtBuffer	op;
	CollabEvent *next;
};

typedef struct CollabHooks
{
	/* The text is here for the first time. */
	void		(*ready) (Collab *collab);
	/* It arrived, and is not applied yet. */
	void		(*received) (Collab *collab, const CollabEvent *event);

	/*
	 * May the first of the inbox be applied?  If not, it and what follows
	 * wait for collab_pump().
	 */
	bool		(*take) (Collab *collab);
	void		(*applied) (Collab *collab, const CollabEvent *event);
	/* An edit goes out for the first time. */
	void		(*sent) (Collab *collab, const CopyEdit *edit);
} CollabHooks;

typedef enum CollabState
{
	COLLAB_AWAY,				/* no connection; a timer will try again */
	COLLAB_CONNECTING,
	COLLAB_HELLO,				/* sent hello, waiting for joined */
	COLLAB_SNAPSHOT,			/* joined, waiting for the snapshot */
	COLLAB_LIVE
} CollabState;

struct Collab
{
	Copy		copy;
	CollabState state;
	const CollabHooks *hooks;
	void	   *ctx;			/* the hooks' */

	Loop	   *loop;
	Ws			ws;
	const char *host;
	int			port;
	char	   *path;
	char	   *token;
	LoopTimer	retry;			/* reconnect, or send again what was put off */

	bool		has_text;		/* a snapshot has come once */
	int64_t		joined_version; /* the head when this connection joined */
	bool		answer_due;		/* the edit in flight went out on this
								 * connection */
	bool		checksum_due;	/* the relay asked for it */
	char	   *in_flight;		/* the message it went out as */
	size_t		in_flight_size;
	CollabEvent *inbox;
	CollabEvent **inbox_end;
	int64_t		held_version;	/* of the newest event in the inbox, or the
								 * copy */

	IdSession	ids;
	uint64_t	next_id;

	/* what happened, for reports */
	uint64_t	edits_sent;
	uint64_t	reconnects;
	uint64_t	put_off;		/* rejects that ask to try again */
	uint64_t	gaps;
	uint64_t	differing;		/* acknowledged as something else than
								 * expected */
};

/* host must outlive it; path and token are copied. */
extern void collab_init(Collab *collab, Loop *loop, const char *host, int port,
						const char *path, const char *token,
						const CollabHooks *hooks, void *ctx);
extern void collab_connect(Collab *collab);
extern void collab_free(Collab *collab);

/* Type: see copy_type().  Sent at once when nothing is in flight. */
extern void collab_type(Collab *collab, OtOp op, bool seal);

/* Apply what waits in the inbox, as far as the hook allows. */
extern void collab_pump(Collab *collab);

/* Put single events, NULL-terminated list, in the place of a composed first one. */
extern void collab_split(Collab *collab, CollabEvent *list);

/* Nothing of one's own is unanswered. */
extern bool collab_idle(const Collab *collab);

#endif							/* BENCH_COLLAB_H */
