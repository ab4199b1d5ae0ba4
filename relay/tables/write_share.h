/*
 * tables/write_share.h: whose submissions wait for PostgreSQL.  All together are
 * bounded; at the bound the user with most of them makes room for another, so that one
 * user's edits never take another's place.
 */
#ifndef RELAY_WRITE_SHARE_H
#define RELAY_WRITE_SHARE_H

#include "base/usage.h"
#include "tables/write_queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

TAILQ_HEAD(write_share_submissions, submission);

/* a user's submissions, while there are any */
struct write_share
{
	LIST_ENTRY(write_share) entry;
	struct usage_row *account;
	uint64_t	ops;
	uint64_t	bytes;
	struct write_share_submissions submissions; /* the newest last */
};

LIST_HEAD(write_share_list, write_share);

struct write_shares
{
	struct write_share_list users;
	uint64_t	ops;			/* not answered */
	uint64_t	bytes;			/* of their operations */
	uint64_t	sent;			/* of the ops, those in a batch under way */
	uint64_t	most_ops;
	uint64_t	most_bytes;
};

void		write_shares_init(struct write_shares *shares, uint64_t most_ops, uint64_t most_bytes);

enum write_room
{
	WRITE_ROOM,
	WRITE_FULL,					/* and no user has more than this one would have */
	WRITE_YIELD					/* a submission of the user with most has to go first */
};

/* Find out whether a user's submission fits; with WRITE_YIELD, which one has to go. */
enum write_room write_shares_room(const struct write_shares *shares, const struct usage_row *account, size_t len,
								  struct submission **victim);

/* count a user's submission, which is the newest; and one that goes */
void		write_shares_add(struct write_shares *shares, struct usage_row *account, struct submission *s);
void		write_shares_remove(struct write_shares *shares, struct submission *s);

/* note that a submission is in a batch, and will not yield; or that it waits again */
void		write_shares_note_sent(struct write_shares *shares, struct submission *s, bool sent);

#endif							/* RELAY_WRITE_SHARE_H */
