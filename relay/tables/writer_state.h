/*
 * tables/writer_state.h: what the files of the writer share, and nobody else.
 */
#ifndef RELAY_WRITER_STATE_H
#define RELAY_WRITER_STATE_H

#include "base/log_repeat.h"
#include "base/mem.h"
#include "pg/error.h"
#include "pg/link.h"
#include "tables/write_queue.h"
#include "tables/write_share.h"
#include "tables/writer.h"

/* documents, users, operations' ids, bases, operations, and the documents' lives */
#define WRITER_ARRAYS 6

/* a connection and the batch that is under way on it */
struct writer_conn
{
	struct writer *writer;
	struct pg_link *link;
	struct pg_probe *probe;
	struct log_repeat trouble;
	char		name[24];
	bool		waits;			/* for locks */
	bool		in_flight;
	uint32_t	doc_count;
	uint32_t	doc_cap;
	uint32_t	op_count;
	uint64_t	sent_ms;
	struct doc **docs;
};

struct writer
{
	struct writer_callbacks callbacks;
	struct metrics *metrics;
	struct doc_map docs;
	struct doc_list ready;		/* a few; the others are the crowd */
	uint32_t	ready_count;
	struct turns crowd;			/* documents that are ready, by user */
	struct turns busy;			/* locked ones, and operations far behind */
	struct writer_conn *conns;
	int			conn_count;
	int			waiter_count;	/* of them, those that wait */
	struct write_shares held;	/* submissions that are not answered, by user */
	size_t		batch_bytes;	/* most in a batch, but for the last operation */
	bool		paused;			/* PostgreSQL is in trouble */
	unsigned	troubles;
	uv_timer_t	timer;
	struct buf	arrays[WRITER_ARRAYS];	/* parameters of the batch being built */
};

/* writer_docs.c: where a document's next batch is made from, and its submissions, front first */
void		writer_set_state(struct writer *writer, struct doc *doc, enum doc_state state);
struct doc *writer_next_ready(struct writer *writer);
void		writer_finish_first(struct writer *writer, struct doc *doc, struct write_answer *answer);
void		writer_reject_in_flight(struct writer *writer, struct doc *doc, enum reject_code code, const char *message);
void		writer_complete(struct writer *writer, struct doc *doc, enum doc_state next);

/*
 * writer_answers.c: answer the batch of a connection, return true if it went through,
 * and tell what helps if it did not. Without a result, whether it was committed is
 * unknown, and it goes again.
 */
bool		writer_answer(struct writer_conn *conn, PGresult *result, enum pg_remedy *remedy);

#endif							/* RELAY_WRITER_STATE_H */
