/*
 * tables/write_share.c: whose submissions wait for PostgreSQL, and who makes room when
 * there are too many.
 *
 * What yields is the newest that waits of the user with most, and only for one who has
 * fewer even then: so shares become equal, and no two users take turns at pushing
 * each other out. What PostgreSQL has already cannot yield; where the user with most
 * has nothing else, a submission of another is taken in beside it, which the size of
 * the batches bounds.
 */
#include "tables/write_share.h"

#include "base/mem.h"

#include <stdlib.h>

void
write_shares_init(struct write_shares *shares, uint64_t most_ops, uint64_t most_bytes)
{
	*shares = (struct write_shares)
	{
		.most_ops = most_ops,.most_bytes = most_bytes
	};
}

/* Get the user who has most, in operations or in bytes. */
static const struct write_share *
largest(const struct write_shares *shares, bool by_ops)
{
	const struct write_share *found = NULL;
	const struct write_share *share;

	LIST_FOREACH(share, &shares->users, entry)
	{
		if (found == NULL || (by_ops ? share->ops > found->ops : share->bytes > found->bytes))
			found = share;
	}
	return found;
}

/* Get a user's newest submission that waits, or NULL. */
static struct submission *
newest_waiting(const struct write_share *share)
{
	struct submission *s = TAILQ_LAST(&share->submissions, write_share_submissions);

	while (s != NULL && s->sent)
		s = TAILQ_PREV(s, write_share_submissions, of_user);
	return s;
}

/* Return true if the largest has more than a user would have with one more operation of a length. */
static bool
has_more(const struct write_share *share, const struct write_share *own, size_t len, bool by_ops)
{
	if (by_ops)
		return share->ops > (own != NULL ? own->ops : 0) + 1;
	return share->bytes > (own != NULL ? own->bytes : 0) + len;
}

enum write_room
write_shares_room(const struct write_shares *shares, const struct usage_row *account, size_t len,
				  struct submission **victim)
{
	bool		by_ops = shares->ops >= shares->most_ops;
	const struct write_share *most;

	if (!by_ops && shares->bytes + len <= shares->most_bytes)
		return WRITE_ROOM;
	most = largest(shares, by_ops);
	if (most == NULL || !has_more(most, account->held, len, by_ops))
		return WRITE_FULL;
	*victim = newest_waiting(most);
	if (*victim != NULL)
		return WRITE_YIELD;
	/* all of it is in PostgreSQL's hands, and leaves soon */
	return by_ops && shares->ops - shares->sent < shares->most_ops && shares->bytes + len <= shares->most_bytes ?
		WRITE_ROOM : WRITE_FULL;
}

/* Get a user's share, which is made where there is none. */
static struct write_share *
share_of(struct write_shares *shares, struct usage_row *account)
{
	struct write_share *share = account->held;

	if (share != NULL)
		return share;
	share = mem_zalloc(sizeof(struct write_share));
	share->account = account;
	TAILQ_INIT(&share->submissions);
	LIST_INSERT_HEAD(&shares->users, share, entry);
	account->held = share;
	return share;
}

void
write_shares_add(struct write_shares *shares, struct usage_row *account, struct submission *s)
{
	struct write_share *share = share_of(shares, account);

	s->share = share;
	TAILQ_INSERT_TAIL(&share->submissions, s, of_user);
	share->ops++;
	share->bytes += s->text_len;
	shares->ops++;
	shares->bytes += s->text_len;
}

void
write_shares_remove(struct write_shares *shares, struct submission *s)
{
	struct write_share *share = s->share;

	write_shares_note_sent(shares, s, false);
	TAILQ_REMOVE(&share->submissions, s, of_user);
	share->ops--;
	share->bytes -= s->text_len;
	shares->ops--;
	shares->bytes -= s->text_len;
	if (share->ops > 0)
		return;
	share->account->held = NULL;
	LIST_REMOVE(share, entry);
	free(share);
}

void
write_shares_note_sent(struct write_shares *shares, struct submission *s, bool sent)
{
	if (s->sent == sent)
		return;
	s->sent = sent;
	if (sent)
		shares->sent++;
	else
		shares->sent--;
}
