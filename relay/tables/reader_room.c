/*
 * tables/reader_room.c: space for large answers is reserved before they are asked for.
 *
 * A statement is told how many bytes its answer may have.  If the answer has more, it
 * gives their number instead, and is asked for again when so much was reserved.  The
 * length of a document's text is remembered, so that this happens once.
 */
#include "tables/reader_state.h"

/* an answer of this size is asked for without a reservation */
#define SMALL_BYTES (64 * 1024)

/* where there was no room, the next attempt is after this time, or when some was given back */
#define RETRY_MS 100

/* how much a text may grow until the next join, in parts of it */
#define GROWTH 8

/* Get the row of a document in the table of sizes. */
static struct known_size *
size_row(struct reader *reader, const struct uuid *doc)
{
	return &reader->sizes[uuid_hash(doc) % LIMIT_SEEN_DOCUMENTS];
}

/* Guess how much a join needs, from the last one. */
void
reader_guess_room(struct reader *reader, struct request *r)
{
	const struct known_size *row = size_row(reader, &r->doc);

	r->room = r->purse == NULL ? reader->most_unasked : SMALL_BYTES;
	if (r->kind == REQUEST_JOIN && uuid_equal(&row->doc, &r->doc) && row->bytes > SMALL_BYTES)
		r->room = row->bytes + row->bytes / GROWTH;
}

/* An answer has that many bytes: return true if it is to be asked for again, with room for them. */
bool
reader_needs_room(struct request *r, size_t bytes)
{
	struct known_size *row = size_row(r->source->reader, &r->doc);

	if (r->kind == REQUEST_JOIN)
		*row = (struct known_size)
	{
		r->doc, bytes
	};
	if (bytes <= r->room)
		return false;
	r->room = bytes + bytes / GROWTH;
	r->again = true;
	return true;
}

/* Return true if a request has a large answer, as far as is known. */
bool
reader_is_heavy(const struct request *r)
{
	return r->room > SMALL_BYTES && r->purse != NULL;
}

/* Estimate what a request costs, in milliseconds of PostgreSQL's time, about. */
double
reader_cost(const struct request *r)
{
	return reader_is_heavy(r) ? (double) r->room / BYTES_A_MS : 1;
}

/* Get what an answer takes while it arrives: libpq's result, and the frame that is made of it. */
static size_t
needed(const struct request *r)
{
	size_t		bound = r->purse->ledger->config.bound;
	size_t		most = bound - bound / 4;

	return r->room * 2 <= most || r->room > most ? r->room * 2 : most;
}

/* Return true if it is worth trying whether there is room. */
bool
reader_may_reserve(const struct request *r)
{
	return !r->blocked || r->blocked_at != r->purse->ledger->released ||
		uv_now(r->source->reader->timer.loop) >= r->retry_ms;
}

/* Connect anew what holds a large buffer for nothing: libpq never shrinks it. */
void
reader_shed(struct reader *reader)
{
	for (int i = 0; i < reader->source_count; i++)
		pg_link_shed(reader->sources[i].link);
}

/* Reserve what a request needs; false: it has to wait, or can never be answered. */
bool
reader_reserve(struct request *r)
{
	enum ledger_answer answer;

	r->blocked = false;
	if (!reader_is_heavy(r) || r->purse->ledger == NULL)
		return true;
	answer = ledger_reserve(r->purse, needed(r), r->room);
	if (answer == LEDGER_GRANTED)
	{
		r->reserved = needed(r);
		r->source->heavy++;
		return true;
	}
	r->blocked = true;
	r->blocked_at = r->purse->ledger->released;
	r->retry_ms = uv_now(r->source->reader->timer.loop) + RETRY_MS;
	if (answer == LEDGER_NEVER)
		r->until_ms = 1;
	else if (r->until_ms == 0)
		r->until_ms = uv_now(r->source->reader->timer.loop) + LIMIT_CALL_WAIT_MS;
	return false;
}

/* Give back what was reserved. */
void
reader_unreserve(struct request *r)
{
	if (r->reserved == 0)
		return;
	ledger_release(r->purse, LEDGER_ASKED, r->reserved);
	r->source->heavy--;
	r->reserved = 0;
}
