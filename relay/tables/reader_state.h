/*
 * tables/reader_state.h: what the files of the reader share.
 */
#ifndef RELAY_READER_STATE_H
#define RELAY_READER_STATE_H

#include "base/log_repeat.h"
#include "base/mem.h"
#include "pg/link.h"
#include "pg/probe.h"
#include "tables/reader.h"

enum request_kind
{
	REQUEST_JOIN,
	REQUEST_CATCH_UP,
	REQUEST_SWEEP,
	REQUEST_ROLES,
	REQUEST_CHECKSUM
};

/* of a sweep's rooms: documents, heads, the versions known with their marks, and lives */
#define SWEEP_ARRAYS 6

struct request
{
	struct request *next;
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
	struct mark known;
	uint64_t	epoch;			/* of the reader, when it was asked */
	unsigned	pause;			/* ticks until it goes again */
	struct buf	arrays[SWEEP_ARRAYS];	/* a sweep's; the first may be the
										 * users */
	unsigned	attempts;
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
};

struct reader
{
	struct reader_callbacks callbacks;
	struct metrics *metrics;
	uint64_t	epoch;			/* counts new connections, of any link */
	struct source *sources;
	int			source_count;
	struct request *first;
	struct request **last;
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
};

/* reader_requests.c */
extern const struct pg_statement reader_statements[];
extern const int reader_statement_count;
void		reader_put_params(struct pg_params *params, struct request *r, struct param_texts *texts);

/* reader_answers.c: hand an answer on; tells whether it was one */
bool		reader_answer(struct request *r, const PGresult *result);

/* reader.c */
void		reader_push(struct reader *reader, struct request *r);

#endif							/* RELAY_READER_STATE_H */
