/*
 * test-write-share.c: who makes room where too many edits wait for PostgreSQL.
 */
#include "tables/write_share.h"
#include "tap.h"

#include <stdio.h>
#include <string.h>

#define MOST_OPS 10
#define MOST_BYTES 1000

static struct usage users;
static struct write_shares shares;
static struct submission ops[100];
static int	op_count;

static void
begin(void)
{
	memset(ops, 0, sizeof(ops));
	op_count = 0;
	write_shares_init(&shares, MOST_OPS, MOST_BYTES);
}

static struct usage_row *
user(const char *name)
{
	struct usage_row *row = usage_hold_kind(&users, USAGE_USER, name);

	usage_let_go(row);
	return row;
}

/* Let a user submit: the operation, or NULL where there is no room; *gone lists the names of users that yield. */
static struct submission *
submit(const char *name, size_t len, char *gone)
{
	struct submission *victim;
	enum write_room room;

	*gone = '\0';
	while ((room = write_shares_room(&shares, user(name), len, &victim)) == WRITE_YIELD)
	{
		strcat(gone, victim->user);
		write_shares_remove(&shares, victim);
	}
	if (room == WRITE_FULL)
		return NULL;
	ops[op_count] = (struct submission)
	{
		.user = user(name)->name,.text_len = len
	};
	write_shares_add(&shares, user(name), &ops[op_count]);
	return &ops[op_count++];
}

static int
count(const char *name)
{
	return user(name)->held != NULL ? (int) user(name)->held->ops : 0;
}

/* Let all go. */
static void
end(void)
{
	struct write_share *share;

	while ((share = LIST_FIRST(&shares.users)) != NULL)
		write_shares_remove(&shares, TAILQ_FIRST(&share->submissions));
	CHECK(shares.ops == 0 && shares.bytes == 0 && shares.sent == 0);
	usage_forget(&users, 0);
	CHECK(users.row_count == 0);
	usage_free(&users);
}

static void
one_user_has_all_the_room_there_is(void)
{
	char		gone[100];

	begin();
	for (int i = 0; i < MOST_OPS; i++)
		CHECK(submit("a", 1, gone) != NULL && *gone == '\0');
	CHECK(submit("a", 1, gone) == NULL && *gone == '\0' && count("a") == MOST_OPS);
	write_shares_remove(&shares, &ops[3]);
	CHECK(submit("a", 1, gone) != NULL);
	end();
}

static void
no_user_takes_the_place_of_another(void)
{
	char		gone[100];
	struct submission *last;

	begin();
	while ((last = submit("a", 1, gone)) != NULL)
		;
	for (int i = 0; i < MOST_OPS / 2; i++)
		CHECK(submit("b", 1, gone) != NULL && strcmp(gone, "a") == 0);
	CHECK(count("a") == MOST_OPS / 2 && count("b") == MOST_OPS / 2);
	/* equal shares: neither pushes the other out */
	CHECK(submit("a", 1, gone) == NULL && *gone == '\0');
	CHECK(submit("b", 1, gone) == NULL && *gone == '\0');
	CHECK(submit("c", 1, gone) != NULL && strlen(gone) == 1);
	end();
}

static void
the_newest_that_waits_yields(void)
{
	char		gone[100];

	begin();
	for (int i = 0; i < MOST_OPS; i++)
		submit("a", 1, gone);
	write_shares_note_sent(&shares, &ops[MOST_OPS - 1], true);
	write_shares_note_sent(&shares, &ops[0], true);
	CHECK(submit("b", 1, gone) != NULL && strcmp(gone, "a") == 0);
	CHECK(TAILQ_LAST(&user("a")->held->submissions, write_share_submissions) == &ops[MOST_OPS - 1]);
	CHECK(TAILQ_PREV(&ops[MOST_OPS - 1], write_share_submissions, of_user) == &ops[MOST_OPS - 3]);
	end();
}

/* What PostgreSQL has is not counted against a user who has less. */
static void
what_is_sent_is_in_no_other_users_way(void)
{
	char		gone[100];
	struct submission *s;
	int			more = 0;

	begin();
	for (int i = 0; i < MOST_OPS; i++)
		write_shares_note_sent(&shares, submit("a", 1, gone), true);
	CHECK(submit("a", 1, gone) == NULL);
	while (more < MOST_OPS && (s = submit("b", 1, gone)) != NULL)
	{
		CHECK(*gone == '\0');
		more++;
	}
	CHECK(more == MOST_OPS - 1);
	/* a batch that failed waits again */
	for (int i = 0; i < MOST_OPS; i++)
		write_shares_note_sent(&shares, &ops[i], false);
	CHECK(submit("c", 1, gone) != NULL && shares.ops == MOST_OPS);
	CHECK(*gone == 'a' && count("a") + count("b") == MOST_OPS - 1 && count("a") - count("b") <= 1 && count("b") - count("a") <= 1);
	end();
}

static void
bytes_are_shared_too(void)
{
	char		gone[100];

	begin();
	for (int i = 0; i < 4; i++)
		CHECK(submit("a", MOST_BYTES / 4, gone) != NULL);
	CHECK(submit("a", 1, gone) == NULL && *gone == '\0');
	CHECK(submit("b", 2, gone) != NULL && strcmp(gone, "a") == 0);
	CHECK(submit("b", MOST_BYTES / 2 - 2, gone) != NULL && strcmp(gone, "a") == 0);
	/* two quarters against a half: no more for b, all the more for c */
	CHECK(submit("b", MOST_BYTES / 4, gone) == NULL && *gone == '\0');
	CHECK(submit("c", MOST_BYTES / 8, gone) != NULL);
	CHECK(shares.bytes <= MOST_BYTES);
	end();
}

static void
no_operation_is_longer_than_all_may_be(void)
{
	char		gone[100];

	begin();
	CHECK(submit("a", MOST_BYTES + 1, gone) == NULL && submit("a", MOST_BYTES, gone) != NULL);
	CHECK(submit("b", MOST_BYTES + 1, gone) == NULL && *gone == '\0');
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"one user has all the room there is", one_user_has_all_the_room_there_is},
		{"no user takes the place of another", no_user_takes_the_place_of_another},
		{"the newest that waits yields", the_newest_that_waits_yields},
		{"what is sent is in no other user's way", what_is_sent_is_in_no_other_users_way},
		{"bytes are shared too", bytes_are_shared_too},
		{"no operation is longer than all may be", no_operation_is_longer_than_all_may_be},
	};

	return TAP_RUN(tests);
}
