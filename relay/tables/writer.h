/*
 * tables/writer.h: submissions of clients, out to PostgreSQL in batches.
 */
#ifndef RELAY_WRITER_H
#define RELAY_WRITER_H

#include "base/config.h"
#include "base/docmap.h"
#include "base/metrics.h"
#include "base/usage.h"
#include "pg/probe.h"
#include "wire/protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct writer;

/* what became of one submission */
struct write_answer
{
	struct uuid operation_id;
	size_t		bytes;			/* that were held for it */
	bool		committed;		/* else rejected */
	bool		duplicate;		/* it had been committed before */
	bool		unchanged;		/* with committed: it was the identity, and no
								 * version came of it; the entry answers it at
								 * its base version */
	bool		gone;			/* rejected: the document is no more */
	struct uuid life;			/* of the document it was made on */
	int64_t		version;
	int64_t		sequence_id;
	const char *entry;			/* committed: ready to be sent */
	size_t		entry_len;
	int64_t		member_changes; /* in the document before it; -1 where the
								 * answer does not tell */
	enum reject_code code;
	const char *message;
};

struct writer_callbacks
{
	/* an operation was committed; called before the answer */
	void		(*committed) (void *arg, const struct uuid *doc, const struct write_answer *answer);
	/* the answer to a submission, exactly one for each */
	void		(*answer) (void *arg, void *owner, const struct write_answer *answer);
	/* all of a batch was answered, and nothing waits to be submitted */
	void		(*answered) (void *arg);
	/* whether batches may be sent now */
	bool		(*may_write) (void *arg);
	/* a new connection: it may be to another history */
	void		(*connected) (void *arg);
	void	   *arg;
};

struct writer *writer_new(uv_loop_t *loop, const struct config *config,
						  const struct writer_callbacks *callbacks, struct metrics *metrics);
void		writer_close(struct writer *writer);

/*
 * Take a submission of a user, whose account must stay until the answer. False when too
 * much is held already, and no other user holds more; then no answer comes. Else the user
 * who holds most may have to give up a submission for it, which is rejected.
 */
bool		writer_submit(struct writer *writer, const struct uuid *doc, void *owner, struct usage_row *account,
						  const struct submitted *op);
void		writer_dispatch(struct writer *writer);

/* give back large buffers that are not in use */
void		writer_shed(struct writer *writer);
enum pg_health writer_health(const struct writer *writer);
void		writer_drop(struct writer *writer, const struct uuid *doc);
bool		writer_is_idle(const struct writer *writer);

#endif							/* RELAY_WRITER_H */
