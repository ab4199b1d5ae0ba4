/*
 * base/ledger.c: who owes how many of the bytes that wait in this process.
 *
 * The sum over all classes is compared with the bound; who is the largest debtor is
 * looked up only when that sum is too large, among the accounts that have a purse.
 */
#include "base/ledger.h"

#include <string.h>

/* a connection that owes less is not closed for it */
#define LEAST_DEBT 4096

/* Get where a class is counted in the whole; frames count themselves. */
static uint64_t *
total_of(const struct ledger *ledger, enum ledger_class class)
{
	struct metrics *m = ledger->config.metrics;
	uint64_t   *const totals[LEDGER_CLASSES] = {
		[LEDGER_REQUESTS] = &m->memory_requests,
		[LEDGER_EDITS] = &m->memory_edits,
		[LEDGER_ASKED] = &m->memory_asked,
		[LEDGER_CONNECTIONS] = &m->memory_connections,
	};

	return totals[class];
}

/* Begin, with nothing owed. */
void
ledger_init(struct ledger *ledger, const struct ledger_config *config)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->config = *config;
}

void
ledger_free(struct ledger *ledger)
{
	usage_free(&ledger->accounts);
}

/* Get what a purse owes: all but what is only reserved. */
static size_t
debt_of(const struct ledger_purse *purse)
{
	size_t		bytes = 0;

	for (int class = 0; class < LEDGER_CLASSES; class++)
		bytes += class != LEDGER_ASKED ? purse->by_class[class] : 0;
	return bytes;
}

/* Let a purse belong to an account. */
static void
enter(struct ledger_purse *purse, char kind, const char *name)
{
	purse->account = usage_hold_kind(&purse->ledger->accounts, kind, name);
	purse->account->bytes += debt_of(purse);
	LIST_INSERT_HEAD(&purse->account->purses, purse, entry);
}

/* Let a purse leave its account. */
static void
leave(struct ledger_purse *purse)
{
	LIST_REMOVE(purse, entry);
	purse->account->bytes -= debt_of(purse);
	usage_let_go(purse->account);
	purse->account = NULL;
}

void
ledger_open(struct ledger *ledger, struct ledger_purse *purse, const char *address)
{
	purse->ledger = ledger;
	if (ledger != NULL)
		enter(purse, USAGE_ADDRESS, address);
}

void
ledger_take_over(struct ledger_purse *purse, const char *user)
{
	if (purse->ledger == NULL)
		return;
	leave(purse);
	enter(purse, USAGE_USER, user);
}

void
ledger_close(struct ledger_purse *purse)
{
	if (purse->ledger == NULL)
		return;
	for (int class = 0; class < LEDGER_CLASSES; class++)
		ledger_release(purse, class, purse->by_class[class]);
	leave(purse);
	purse->ledger = NULL;
}

void
ledger_charge(struct ledger_purse *purse, enum ledger_class class, size_t bytes)
{
	uint64_t   *total;

	if (purse->ledger == NULL)
		return;
	purse->by_class[class] += (uint32_t) bytes;
	if (class != LEDGER_ASKED)
		purse->account->bytes += bytes;
	total = total_of(purse->ledger, class);
	if (total != NULL)
		*total += bytes;
}

void
ledger_release(struct ledger_purse *purse, enum ledger_class class, size_t bytes)
{
	uint64_t   *total;

	if (purse->ledger == NULL || bytes == 0)
		return;
	purse->by_class[class] -= (uint32_t) bytes;
	if (class != LEDGER_ASKED)
		purse->account->bytes -= bytes;
	total = total_of(purse->ledger, class);
	if (total != NULL)
		*total -= bytes;
	purse->ledger->released++;
}

void
ledger_set(struct ledger_purse *purse, enum ledger_class class, size_t bytes)
{
	size_t		now = purse->by_class[class];

	if (bytes > now)
		ledger_charge(purse, class, bytes - now);
	else
		ledger_release(purse, class, now - bytes);
}

/* Get the bytes of operations that rooms keep, with what each takes beside its text. */
static size_t
rings(const struct metrics *m)
{
	return m->ring_bytes + m->ring_entries * LEDGER_RING_ENTRY;
}

/*
 * Get the sum with that much more asked for.  An answer that is under way stands in
 * libpq's buffers, which have their size from answers before: the larger counts.
 */
static size_t
total_with(const struct ledger *ledger, size_t asked)
{
	const struct metrics *m = ledger->config.metrics;

	asked += m->memory_asked;
	return ledger->config.frames() + m->memory_requests + m->memory_edits + m->memory_connections +
		(asked > m->memory_postgres ? asked : m->memory_postgres);
}

size_t
ledger_total(const struct ledger *ledger)
{
	return total_with(ledger, 0);
}

/* Get the account that owes most, but for what was told to go already; NULL where none owes enough. */
static struct usage_row *
largest(const struct ledger *ledger)
{
	struct usage_row *found = NULL;

	for (size_t i = 0; i < ledger->accounts.slot_count; i++)
	{
		for (struct usage_row *row = ledger->accounts.slots[i]; row != NULL; row = row->next)
		{
			if (row->bytes >= LEAST_DEBT && (found == NULL || row->bytes > found->bytes))
				found = row;
		}
	}
	return found;
}

/* Get the connection of an account that owes most, and can be told to go. */
static struct ledger_purse *
largest_purse(const struct usage_row *account)
{
	struct ledger_purse *found = NULL;
	struct ledger_purse *purse;
	size_t		most = 0;

	LIST_FOREACH(purse, &account->purses, entry)
	{
		size_t		debt = debt_of(purse);

		if (purse->closed || purse->acts == NULL || debt < LEAST_DEBT || debt <= most)
			continue;
		found = purse;
		most = debt;
	}
	return found;
}

/* Close the largest debtor's largest connection; false where there is none that owes more than that. */
static bool
close_one(struct ledger *ledger, size_t more_than, const struct usage_row *spared)
{
	struct usage_row *account = largest(ledger);
	struct ledger_purse *purse;

	if (account == NULL || account == spared || account->bytes <= more_than)
		return false;
	purse = largest_purse(account);
	if (purse == NULL)
		return false;
	purse->closed = true;
	ledger->config.metrics->memory_closed++;
	purse->acts->close(purse);
	return true;
}

/* Let rooms forget operations, so that this many more bytes fit. */
static void
shed(struct ledger *ledger, size_t more)
{
	size_t		total = total_with(ledger, more);

	if (total > ledger->config.bound && ledger->config.shed != NULL)
		ledger->config.shed(ledger->config.arg, total - ledger->config.bound);
}

enum ledger_answer
ledger_reserve(struct ledger_purse *purse, size_t bytes, size_t kept)
{
	struct ledger *ledger = purse->ledger;

	if (ledger == NULL)
		return LEDGER_GRANTED;
	if (bytes > ledger->config.bound)
		return LEDGER_NEVER;
	shed(ledger, bytes);
	while (total_with(ledger, bytes) > ledger->config.bound)
	{
		if (!close_one(ledger, purse->account->bytes + kept, purse->account))
			return LEDGER_WAIT;
	}
	ledger_charge(purse, LEDGER_ASKED, bytes);
	return LEDGER_GRANTED;
}

/* Slow the purses of the account that owes most, where it owes much; let the others go on. */
static void
slow_debtors(struct ledger *ledger, const struct usage_row *debtor)
{
	for (size_t i = 0; i < ledger->accounts.slot_count; i++)
	{
		for (struct usage_row *row = ledger->accounts.slots[i]; row != NULL; row = row->next)
		{
			struct ledger_purse *purse;

			if (row != debtor && !row->slowed)
				continue;
			row->slowed = row == debtor;
			LIST_FOREACH(purse, &row->purses, entry)
			{
				if (purse->acts == NULL || purse->acts->slow == NULL || purse->slowed == row->slowed)
					continue;
				purse->slowed = row->slowed;
				ledger->config.metrics->memory_slowed += row->slowed;
				purse->acts->slow(purse, row->slowed);
			}
		}
	}
	ledger->slows = debtor != NULL;
}

void
ledger_settle(struct ledger *ledger)
{
	size_t		soft = ledger->config.bound / 4 * 3;

	/* as at the end of nearly every turn */
	if (ledger_total(ledger) <= soft && !ledger->slows)
		return;
	shed(ledger, 0);
	while (ledger_total(ledger) > ledger->config.bound && close_one(ledger, 0, NULL))
		;
	if (ledger_total(ledger) > soft)
		slow_debtors(ledger, largest(ledger));
	else if (ledger->slows)
		slow_debtors(ledger, NULL);
}

void
ledger_measure(const struct ledger *ledger)
{
	struct metrics *m = ledger->config.metrics;
	const struct usage_row *debtor = largest(ledger);
	size_t		frames = ledger->config.frames();

	m->memory_rings = rings(m) < frames ? rings(m) : frames;
	m->memory_frames = frames - m->memory_rings;
	m->memory_total = ledger_total(ledger);
	m->memory_largest = debtor != NULL ? debtor->bytes : 0;
}

void
ledger_forget(struct ledger *ledger)
{
	usage_forget(&ledger->accounts, 0);
}
