/*
 * test-reader.c: over which connection a join goes, and which waits.
 */
#include "fake_link.h"
#include "tables/reader.h"
#include "tap.h"

#define LARGE 10000000
#define MOST_JOINS 16

/* ---- probes: PostgreSQL is well ---- */

struct pg_probe
{
	int			none;
};

static struct pg_probe probe;

struct pg_probe *
pg_probe_new(uv_loop_t *loop, struct pg_link *link, pg_log_end_fn log_end, void *arg)
{
	(void) loop;
	(void) link;
	(void) log_end;
	(void) arg;
	return &probe;
}

void
pg_probe_ask(struct pg_probe *p)
{
	(void) p;
}

enum pg_health
pg_probe_health(const struct pg_probe *p)
{
	(void) p;
	return PG_WELL;
}

void
pg_probe_close(struct pg_probe *p)
{
	(void) p;
}

/* ---- a reader, and who joins ---- */

static uv_loop_t loop;
static struct metrics metrics;
static struct ledger ledger;
static struct reader *reader;
static struct ledger_purse purses[MOST_JOINS];
static int	joining;
static int	joined;

static size_t
no_frames(void)
{
	return 0;
}

static void
on_joined(void *arg, const struct join_answer *join)
{
	(void) arg;
	joined += join->joined;
}

static void
on_connected(void *arg)
{
	(void) arg;
}

static void
begin(int readers)
{
	struct config config = {.readers = readers,.dsn = ""};
	struct reader_callbacks callbacks = {.connected = on_connected};
	struct ledger_config bounds = {.bound = (size_t) 1 << 30,.metrics = &metrics,.frames = no_frames};

	memset(purses, 0, sizeof(purses));
	joining = joined = 0;
	uv_loop_init(&loop);
	ledger_init(&ledger, &bounds);
	reader = reader_new(&loop, &config, &callbacks, &metrics);
}

static void
end(void)
{
	reader_close(reader);
	for (int i = 0; i < joining; i++)
		ledger_close(&purses[i]);
	ledger_free(&ledger);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
	forget_links();
}

/* Let a user join a document of that number. */
static struct request *
join(const char *user, unsigned char doc)
{
	struct ledger_purse *purse = &purses[joining++];
	struct join_request request = {.doc = {{doc}},.user = user,.purse = purse};
	struct request *asked;

	ledger_open(&ledger, purse, "127.0.0.1");
	ledger_take_over(purse, user);
	asked = reader_join(reader, &request, on_joined, NULL);
	reader_dispatch(reader);
	return asked;
}

/* Answer the oldest join of a connection: the text has that many bytes, and comes or not. */
static void
answer_join(int at, int bytes, bool comes)
{
	static const char *const names[] = {"role", "title", "version", "seq", "operation_id", "resumed", "snapshot", "life",
	"pending_known", "pending_version", "bytes", NULL};
	char	   *text = mem_zalloc((size_t) bytes + 1);
	char		number[24];
	const char *values[] = {"editor", "", "1", "1", "", "f", text, "", "t", "0", number};

	snprintf(number, sizeof(number), "%d", bytes);
	memset(text, 'x', comes ? (size_t) bytes : 0);
	answer(links[at], one_row(names, values));
	free(text);
}

/* Give the oldest join of a connection its text. */
static void
give(int at, int bytes)
{
	answer_join(at, bytes, true);
}

/* The oldest join of a connection, the first one of this document, is told how long the text is. */
static void
refuse(int at, int bytes)
{
	answer_join(at, bytes, false);
}

/* ---- tests ---- */

static void
users_share_the_connections(void)
{
	begin(2);
	join("ann", 1);
	join("ben", 2);
	CHECK(links[0]->count == 1 && links[1]->count == 1);
	join("ann", 3);
	join("ann", 4);
	CHECK(links[0]->count == 3 && links[1]->count == 1);
	while (links[0]->count > 0)
		give(0, 2);
	give(1, 2);
	CHECK(joined == 4);
	end();
}

static void
large_texts_leave_a_connection_to_others(void)
{
	begin(2);
	join("ann", 1);
	refuse(0, LARGE);
	CHECK(joined == 0 && links[0]->count + links[1]->count == 1);	/* it goes again, with room */
	for (int i = 0; i < 8; i++)
		join((const char *[]) {"a", "b", "c", "d", "e", "f", "g", "h"}[i], 1);
	CHECK(links[0]->count + links[1]->count == 1);
	join("ben", 2);
	CHECK(links[0]->count == 1 && links[1]->count == 1);
	give(1, 2);
	CHECK(joined == 1);
	for (int i = 0; i < 9; i++)
	{
		int			at = links[0]->count > 0 ? 0 : 1;

		CHECK(links[at]->count == 1 && links[1 - at]->count == 0);
		give(at, LARGE);
	}
	CHECK(joined == 10 && links[0]->count + links[1]->count == 0);
	end();
}

static void
a_large_text_takes_the_only_connection(void)
{
	begin(2);
	join("ann", 1);
	refuse(0, LARGE);
	links[1 - (links[1]->count > 0)]->ready = false;
	give(links[1]->count > 0, LARGE);
	CHECK(joined == 1);
	join("ben", 1);
	CHECK(links[0]->count + links[1]->count == 1);
	end();
	begin(1);
	join("ann", 1);
	refuse(0, LARGE);
	CHECK(links[0]->count == 1);
	give(0, LARGE);
	CHECK(joined == 1);
	end();
}

/* Small texts do not wait for a user's second large one: each user spends as much in a round. */
static void
a_large_text_costs_more_of_a_turn(void)
{
	begin(1);
	join("ann", 1);
	refuse(0, LARGE);
	give(0, LARGE);
	CHECK(joined == 1);
	for (int i = 0; i < 3; i++)
		join("ann", 1);
	for (int i = 0; i < 5; i++)
		join("ben", 2);
	CHECK(links[0]->count == 1);
	give(0, LARGE);
	CHECK(joined == 2 && links[0]->count == 6);
	for (int i = 0; i < 5; i++)
		give(0, 2);
	CHECK(joined == 7 && links[0]->count == 1);
	give(0, LARGE);
	CHECK(joined == 8 && links[0]->count == 1);
	end();
}

/* What a text will cost is known from its length, before a user owes anything. */
static void
a_large_text_waits_for_small_ones(void)
{
	begin(1);
	join("ann", 1);
	refuse(0, LARGE);
	join("ben", 1);
	join("cid", 2);
	join("dan", 2);
	give(0, LARGE);
	CHECK(links[0]->count == 3);
	give(0, 2);
	give(0, 2);
	CHECK(joined == 3 && links[0]->count == 1);
	end();
}

static const struct tap_test tests[] = {
	{"users share the connections, each over one", users_share_the_connections},
	{"large texts leave a connection to others, however many users ask for them", large_texts_leave_a_connection_to_others},
	{"a large text takes the only connection there is", a_large_text_takes_the_only_connection},
	{"a large text costs more of a turn", a_large_text_costs_more_of_a_turn},
	{"a large text waits for small ones that came later", a_large_text_waits_for_small_ones},
};

int
main(void)
{
	return TAP_RUN(tests);
}
