/*
 * tables/reader.h: what clients and rooms read from the tables.
 */
#ifndef RELAY_READER_H
#define RELAY_READER_H

#include "base/config.h"
#include "base/docmap.h"
#include "base/ledger.h"
#include "base/metrics.h"
#include "pg/probe.h"
#include "wire/protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define READER_FRAMES 8

struct reader;
struct request;

struct join_request
{
	struct uuid doc;
	const char *user;			/* must stay until the answer */
	struct ledger_purse *purse; /* for what is asked; the same */
	const struct hello *hello;	/* what the client holds; only read now */
	const struct uuid *pending; /* its operation without an answer, or NULL;
								 * only read now */
};

struct catch_up_request
{
	struct uuid doc;
	int64_t		from;
	const struct revision *known;	/* this version must be there */
	const struct uuid *pending; /* an operation to stand alone, or NULL */
	struct ledger_purse *purse; /* for what is asked, or NULL */
	const char *user;			/* who must be allowed to read, or NULL; must
								 * stay until the answer */
};

struct join_answer
{
	bool		joined;			/* else refused, with what follows */
	enum close_code close;
	const char *message;
	const char *role;
	const char *title;
	struct revision revision;			/* of the version joined at */
	bool		resumed;
	bool		pending_known;
	int64_t		pending_version;	/* 0: the pending operation is not in */
	const char *snapshot;
	size_t		snapshot_len;
};

struct catch_up_frame
{
	int64_t		from;
	struct revision revision;	/* of its last operation */
	bool		composed;		/* into one, or, for a room, too large and left
								 * out; else an ops message */
	const char *text;
	size_t		len;
};

enum catch_up_result
{
	CATCH_UP_DONE,
	CATCH_UP_STALE,				/* the version is below the floor */
	CATCH_UP_GONE,				/* the document is no more */
	CATCH_UP_FORBIDDEN,			/* its reader may not read it */
	CATCH_UP_OTHER,				/* another history: what is known here was
								 * made by another operation */
	CATCH_UP_UNSEEN,			/* what is known here is not there, or not yet */
	CATCH_UP_OUTDATED,			/* it was asked before a connection was new */
	CATCH_UP_FAILED
};

typedef void (*join_fn) (void *arg, const struct join_answer *answer);

/* called with each frame, then once with NULL and the result; life is the one that was asked about */
typedef void (*catch_up_fn) (void *arg, const struct uuid *doc, const struct uuid *life,
							 const struct catch_up_frame *frame, enum catch_up_result result);

/*
 * called for each room, with each of its frames or NULL where it has none;
 * then once without a room, DONE, OUTDATED or FAILED
 */
typedef catch_up_fn backfill_fn;

enum roles_result
{
	ROLES_KNOWN,
	ROLES_GONE,					/* the document is no more */
	ROLES_FAILED
};

/* called for each user with a role, NULL for none, where they are known; then once with -1 */
typedef void (*roles_fn) (void *arg, int user, const char *role, enum roles_result result);

/* the checksum of a text at a version; NULL where there is none to tell */
typedef void (*checksum_fn) (void *arg, const char *checksum);

struct reader_callbacks
{
	/* a new connection: it may be to another history */
	void		(*connected) (void *arg);
	/* told every second where PostgreSQL's log ends */
	pg_log_end_fn log_end;
	void	   *arg;
};

/* a room's head, and the highest version that somebody there holds */
struct backfill_room
{
	struct uuid doc;
	int64_t		head;
	struct revision known;
};

struct reader *reader_new(uv_loop_t *loop, const struct config *config, const struct reader_callbacks *callbacks,
						  struct metrics *metrics);
void		reader_close(struct reader *reader);
void		reader_checksum(struct reader *reader, const struct uuid *doc, const struct uuid *life, int64_t version,
							checksum_fn answer, void *arg);
bool		reader_is_ready(const struct reader *reader);
enum pg_health reader_health(const struct reader *reader);
void		reader_dispatch(struct reader *reader);
void		reader_suspect(struct reader *reader);

/* each is answered exactly once, however long PostgreSQL is away */
struct request *reader_join(struct reader *reader, const struct join_request *request, join_fn answer, void *arg);
struct request *reader_catch_up(struct reader *reader, const struct catch_up_request *request, catch_up_fn answer, void *arg);

/* whoever asked has gone: answer at once, or cancel what runs and answer then */
void		reader_abandon(struct reader *reader, struct request *request);

/* give back large buffers that are not in use */
void		reader_shed(struct reader *reader);

/* refuse what has waited for memory for too long; every second */
void		reader_tick(struct reader *reader);
void		reader_backfill(struct reader *reader, const struct backfill_room *rooms, int count, backfill_fn answer, void *arg);
void		reader_roles(struct reader *reader, const struct uuid *doc, const char *const *users, int count,
						 roles_fn answer, void *arg);

#endif							/* RELAY_READER_H */
