/*
 * tables/writer_state.h: what the files of the writer share, and nobody else.
 */
#ifndef RELAY_WRITER_STATE_H
#define RELAY_WRITER_STATE_H

#include "base/log_repeat.h"
#include "base/mem.h"
#include "pg/link.h"
#include "tables/write_queue.h"
#include "tables/writer.h"

/* documents, users, operations' ids, bases, operations, and the documents' lives */
#define WRITER_ARRAYS 6

/* a connection and the batch that is under way on it */
struct slot
{
	struct writer *writer;
	struct pg_link *link;
	struct pg_probe *probe;
	struct log_repeat trouble;
	char		name[24];
	bool		waits;			/* for locks */
	bool		flying;
	uint32_t	doc_count;
	uint32_t	doc_cap;
	uint32_t	op_count;
	struct doc **docs;
};

struct writer
{
	struct writer_callbacks callbacks;
	struct metrics *metrics;
	struct doc_map docs;
	struct doc_list ready;
	struct doc_list busy;
	struct slot *slots;
	int			slot_count;
	uint64_t	held_max;
	bool		paused;			/* PostgreSQL is in trouble */
	unsigned	troubles;
	uv_timer_t	timer;
	struct buf	arrays[WRITER_ARRAYS];	/* parameters of the batch being built */
};

/* writer.c: a document's submissions, front first */
void		writer_finish_first(struct writer *writer, struct doc *doc, struct write_answer *answer);
void		writer_reject_flying(struct writer *writer, struct doc *doc, enum reject_code code, const char *message);
void		writer_land(struct writer *writer, struct doc *doc, enum doc_state next);

/* writer_answers.c: the answer to the batch of a slot */
void		writer_on_answer(void *arg, PGresult *result);

#endif							/* RELAY_WRITER_STATE_H */
