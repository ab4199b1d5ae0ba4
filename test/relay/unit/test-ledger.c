/*
 * test-ledger.c: who owes how much, and who goes when it is too much.
 */
#include "base/ledger.h"
#include "tap.h"
#include "wire/frame.h"

#include <string.h>

#define BOUND 1000000

static struct metrics metrics;
static struct ledger ledger;
static struct ledger_purse purses[8];
static size_t frames;
static size_t sheddable;

static size_t
count_frames(void)
{
	return frames;
}

static void
shed(void *arg, size_t bytes)
{
	size_t		gone = bytes < sheddable ? bytes : sheddable;

	(void) arg;
	sheddable -= gone;
	frames -= gone;
}

/* As a connection does: what waited for it is dropped at once. */
static void
on_close(struct ledger_purse *purse)
{
	for (int class = 0; class < LEDGER_CLASSES; class++)
	{
		if (class == LEDGER_FRAMES)
			frames -= purse->by_class[class];
		ledger_release(purse, class, purse->by_class[class]);
	}
}

static void
on_slow(struct ledger_purse *purse, bool on)
{
	CHECK(purse->slowed == on);
}

static const struct ledger_acts acts = {.close = on_close,.slow = on_slow};

static void
owe(struct ledger_purse *purse, size_t bytes)
{
	frames += bytes;
	ledger_charge(purse, LEDGER_FRAMES, bytes);
}

/* Begin with purses of ann (two), ben, cid, and an address. */
static void
begin(void)
{
	struct ledger_config config = {.bound = BOUND,.metrics = &metrics,.frames = count_frames,.shed = shed};
	static const char *const users[] = {"ann", "ann", "ben", "cid", NULL};

	memset(&metrics, 0, sizeof(metrics));
	memset(purses, 0, sizeof(purses));
	frames = sheddable = 0;
	ledger_init(&ledger, &config);
	for (int i = 0; i < 5; i++)
	{
		purses[i].acts = &acts;
		ledger_open(&ledger, &purses[i], "127.0.0.1");
		if (users[i] != NULL)
			ledger_take_over(&purses[i], users[i]);
	}
}

static void
end(void)
{
	for (int i = 0; i < 5; i++)
		ledger_close(&purses[i]);
	CHECK(metrics.memory_requests == 0 && metrics.memory_edits == 0 && metrics.memory_asked == 0 && metrics.memory_connections == 0);
	ledger_forget(&ledger);
	CHECK(ledger.accounts.row_count == 0);
	ledger_free(&ledger);
}

static void
every_byte_has_an_account(void)
{
	begin();
	ledger_charge(&purses[4], LEDGER_REQUESTS, 100);
	CHECK(purses[4].account->bytes == 100 && ledger_total(&ledger) == 100);
	ledger_take_over(&purses[4], "ann");
	CHECK(purses[0].account == purses[4].account && purses[0].account->bytes == 100);
	ledger_charge(&purses[1], LEDGER_EDITS, 11);
	CHECK(purses[0].account->bytes == 111 && metrics.memory_edits == 11);
	ledger_release(&purses[4], LEDGER_REQUESTS, 60);
	ledger_close(&purses[4]);
	CHECK(purses[0].account->bytes == 11 && metrics.memory_requests == 0);
	purses[4] = (struct ledger_purse) {0};
	ledger_open(&ledger, &purses[4], "127.0.0.1");
	end();
}

/* A user whose name is that of an address has another account. */
static void
users_are_no_addresses(void)
{
	begin();
	ledger_take_over(&purses[2], "127.0.0.1");
	CHECK(purses[2].account != purses[4].account);
	end();
}

static void
the_largest_debtor_goes(void)
{
	begin();
	owe(&purses[0], 400000);
	owe(&purses[1], 200000);
	owe(&purses[2], 380000);
	ledger_settle(&ledger);
	CHECK(metrics.memory_closed == 0);
	owe(&purses[3], 100000);
	ledger_settle(&ledger);
	CHECK(purses[0].closed && !purses[1].closed && !purses[2].closed && !purses[3].closed);
	CHECK(metrics.memory_closed == 1 && ledger_total(&ledger) == 680000);
	end();
}

static void
rooms_give_first(void)
{
	begin();
	frames = sheddable = 500000;
	owe(&purses[0], 700000);
	ledger_settle(&ledger);
	CHECK(metrics.memory_closed == 0 && sheddable == 300000 && ledger_total(&ledger) == BOUND);
	end();
}

static void
a_newcomer_is_never_refused_while_another_has_more(void)
{
	begin();
	owe(&purses[0], 900000);
	CHECK(ledger_reserve(&purses[2], 300000, 300000) == LEDGER_GRANTED);
	CHECK(purses[0].closed && !purses[2].closed && metrics.memory_asked == 300000);
	end();
}

static void
the_largest_itself_waits(void)
{
	begin();
	owe(&purses[0], 600000);
	owe(&purses[2], 300000);
	CHECK(ledger_reserve(&purses[1], 200000, 200000) == LEDGER_WAIT && metrics.memory_closed == 0);
	CHECK(ledger_reserve(&purses[2], 301000, 301000) == LEDGER_WAIT && metrics.memory_closed == 0);
	/* it keeps less than another has, though it needs more for a moment */
	CHECK(ledger_reserve(&purses[3], 450000, 220000) == LEDGER_GRANTED && purses[0].closed);
	ledger_release(&purses[3], LEDGER_ASKED, 450000);
	purses[0].closed = false;
	owe(&purses[0], 600000);
	CHECK(ledger_reserve(&purses[2], BOUND + 1, BOUND + 1) == LEDGER_NEVER);
	CHECK(ledger_reserve(&purses[2], 299000, 299000) == LEDGER_GRANTED && purses[0].closed);
	end();
}

static void
the_largest_is_slowed_before(void)
{
	begin();
	owe(&purses[0], 500000);
	owe(&purses[2], 240000);
	ledger_settle(&ledger);
	CHECK(!purses[0].slowed);
	owe(&purses[2], 20000);
	ledger_settle(&ledger);
	CHECK(purses[0].slowed && purses[1].slowed && !purses[2].slowed && metrics.memory_slowed == 2);
	owe(&purses[2], 240000);
	frames -= 300000;
	ledger_release(&purses[0], LEDGER_FRAMES, 300000);
	ledger_settle(&ledger);
	CHECK(!purses[0].slowed && !purses[2].slowed);
	end();
}

static void
a_text_that_many_wait_for_is_held_once(void)
{
	static char text[100000];
	size_t		before = frames_held();
	struct frame *first;
	struct frame *second;

	memset(text, 'x', sizeof(text));
	first = frame_share(text, sizeof(text));
	second = frame_share(text, sizeof(text));
	CHECK(first == second && frames_held() - before < 101000);
	frame_unref(first);
	text[50001] = 'y';
	first = frame_share(text, sizeof(text));
	CHECK(first != second && first->text[50001] == 'y' && second->text[50001] == 'x');
	frame_unref(second);
	second = frame_share(text, sizeof(text));
	CHECK(first == second);
	frame_unref(first);
	frame_unref(second);
	CHECK(frames_held() == before);
	first = frame_append(frame_new(10), text, 30000);
	first = frame_fit(first);
	CHECK(first->cap == 30000 && first->len == 30000);
	frame_unref(first);
	CHECK(frames_held() == before);
}

static void
the_sum_is_told(void)
{
	begin();
	frames = 5000;
	metrics.ring_bytes = 1000;
	metrics.ring_entries = 10;
	metrics.memory_postgres = 7;
	owe(&purses[2], 10000);
	ledger_measure(&ledger);
	CHECK(metrics.memory_rings == 1000 + 10 * LEDGER_RING_ENTRY && metrics.memory_rings + metrics.memory_frames == 15000);
	CHECK(metrics.memory_total == 15007 && metrics.memory_largest == 10000);
	end();
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"every byte has an account", every_byte_has_an_account},
		{"users are no addresses", users_are_no_addresses},
		{"the largest debtor goes", the_largest_debtor_goes},
		{"rooms give first", rooms_give_first},
		{"a newcomer is never refused while another has more", a_newcomer_is_never_refused_while_another_has_more},
		{"the largest itself waits", the_largest_itself_waits},
		{"the largest is slowed before", the_largest_is_slowed_before},
		{"a text that many wait for is held once", a_text_that_many_wait_for_is_held_once},
		{"the sum is told", the_sum_is_told},
	};

	return TAP_RUN(tests);
}
