/*
 * tables/reader_state.h: what the files of the reader share.
 */
#ifndef RELAY_READER_STATE_H
#define RELAY_READER_STATE_H

#include "base/log_repeat.h"
#include "base/bounds.h"
#include "base/mem.h"
#include "base/turns.h"
#include "pg/link.h"
#include "pg/probe.h"
#include "tables/reader.h"

enum request_kind
{
	REQUEST_JOIN,
	REQUEST_CATCH_UP,
	REQUEST_BACKFILL,
	REQUEST_ROLES,
	REQUEST_CHECKSUM
};

/* of a backfill's rooms: documents, heads, the versions known with their revisions, and lives */
#define BACKFILL_ARRAYS 6

/* a large answer costs a millisecond of a turn for so many bytes */
#define BYTES_A_MS 65536

struct request
{
	struct turn turn;			/* first: what waits in turn is a request */
	struct request *next;		/* of those that are urgent, or locked */
	enum request_kind kind;
	struct source *source;		/* where it is under way */
	struct uuid doc;
	const char *user;
	bool		has_version;
	int64_t		version;
	bool		has_id;
	struct uuid id;				/* the operation resumed from, or pending */
	bool		has_life;		/* known has one */
	bool		has_pending;
	struct uuid pending;		/* of a join */
	struct revision known;
	uint64_t	epoch;			/* of the reader, when it was asked */
	unsigned	pause;			/* ticks until it goes again */
	struct buf	arrays[BACKFILL_ARRAYS];	/* a backfill's; the first may be the
										 * users */
	unsigned	attempts;
	struct ledger_purse *purse;
	size_t		room;			/* most bytes that the answer may have */
	size_t		reserved;
	bool		again;			/* at once, with more room */
	bool		blocked;		/* there was no memory for it */
	uint64_t	blocked_at;		/* when the ledger had given back so much */
	uint64_t	retry_ms;
	uint64_t	until_ms;		/* that it may wait for memory */
	bool		abandoned;
	const char *no_room;		/* why it is refused, or NULL */
	struct reader *turns_of;
	join_fn		on_join;
	catch_up_fn on_catch_up;
	roles_fn	on_roles;
	checksum_fn on_checksum;
	void	   *arg;
};

struct source
{
	struct reader *reader;
	struct pg_link *link;
	struct pg_probe *probe;
	struct log_repeat trouble;
	char		name[24];
	uint64_t	head_since_ms;	/* when what runs was begun */
	int			heavy;			/* large answers under way */
};

/* how long the text of a document was, at the last join */
struct known_size
{
	struct uuid doc;
	size_t		bytes;
};

struct reader
{
	struct reader_callbacks callbacks;
	struct metrics *metrics;
	uint64_t	epoch;			/* counts new connections, of any link */
	struct source *sources;
	int			source_count;	/* for clients; one more is for roles and
								 * health */
	struct turns turns;			/* of users */
	size_t		most_unasked;	/* bytes that rooms read without a reservation */
	struct request *first;		/* urgent: roles, which go over the last source */
	struct request **last;
	struct known_size sizes[LIMIT_SEEN_DOCUMENTS];
	struct request *locked;		/* documents that somebody changes */
	bool		paused;
	bool		closing;
	uv_timer_t	timer;
	uv_timer_t	locked_timer;
	int			timers;			/* still open */
};

/* what parameters point to */
struct param_texts
{
	char		doc[UUID_TEXT_LEN + 1];
	char		id[UUID_TEXT_LEN + 1];
	char		known_id[UUID_TEXT_LEN + 1];
	char		life[UUID_TEXT_LEN + 1];
	char		pending[UUID_TEXT_LEN + 1];
	char		version[24];
	char		known_version[24];
	char		known_seq[24];
	char		room[24];
};

/* reader_statements.c */
extern const struct pg_statement reader_statements[];
extern const int reader_statement_count;
void		reader_put_params(struct pg_params *params, struct request *r, struct param_texts *texts);

/* reader_answers.c: hand an answer on; tells whether it was one */
bool		reader_answer(struct request *r, const PGresult *result);

/* reader.c */
void		reader_push(struct reader *reader, struct request *r);

/* reader_room.c: space for large answers is reserved before they are asked for */
bool		reader_reserve(struct request *r);
void		reader_unreserve(struct request *r);
bool		reader_may_reserve(const struct request *r);
void		reader_guess_room(struct reader *reader, struct request *r);
bool		reader_needs_room(struct request *r, size_t bytes);
bool		reader_is_heavy(const struct request *r);
double		reader_cost(const struct request *r);

#endif							/* RELAY_READER_STATE_H */
