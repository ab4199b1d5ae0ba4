/*
 * test-sql-pool.c: which calls have a connection, and which wait.
 */
#include "fake_link.h"
#include "tables/sql_pool.h"
#include "tap.h"

#define LARGE (8 << 20)
#define CALLERS 4
#define MOST_CALLS 16

static uv_loop_t loop;
static struct metrics metrics;
static struct ledger ledger;
static struct sql_pool *pool;
static struct ledger_purse purses[MOST_CALLS];
static int	calling;
static int	done;

static const struct pg_statement statements[] = {{"text", "SELECT $1, $2", HISTOGRAM_PG_CALL}};

static size_t
no_frames(void)
{
	return 0;
}

static void
begin(void)
{
	struct config config = {.callers = CALLERS,.dsn = "",.max_memory_mib = 1024};
	struct ledger_config bounds = {.bound = (size_t) 1 << 30,.metrics = &metrics,.frames = no_frames};

	memset(purses, 0, sizeof(purses));
	calling = done = 0;
	uv_loop_init(&loop);
	ledger_init(&ledger, &bounds);
	pool = sql_pool_new(&loop, &config, &metrics, statements, 1);
}

static void
end(void)
{
	sql_pool_close(pool);
	for (int i = 0; i < calling; i++)
		ledger_close(&purses[i]);
	ledger_free(&ledger);
	CHECK(uv_loop_close(&loop) == 0);
	forget_links();
}

static void
on_done(void *arg, enum call_result outcome, const PGresult *result, uint64_t took_ms)
{
	(void) arg;
	(void) result;
	(void) took_ms;
	done += outcome == CALL_DONE;
}

/* Let a user ask for a text. */
static struct call *
call(const char *user, const char *text)
{
	struct ledger_purse *purse = &purses[calling++];
	struct pg_params params = {.count = 1,.values = {text}};
	struct call_request request = {
		.statement = "text",.user = user,.lane = user,.purse = purse,.params = &params,.repeatable = true,.bounded = true,
	};

	ledger_open(&ledger, purse, "127.0.0.1");
	ledger_take_over(purse, user);
	return sql_pool_call(pool, &request, on_done, NULL);
}

/* Count the connections that have a call. */
static int
busy(void)
{
	int			count = 0;

	for (int i = 0; i < link_count; i++)
		count += links[i]->count;
	return count;
}

/* Answer the call of a connection: its answer has that many bytes. */
static void
give(struct pg_link *link, int bytes)
{
	static const char *const names[] = {CALL_BYTES, NULL};
	char		number[24];
	const char *values[] = {number};

	snprintf(number, sizeof(number), "%d", bytes);
	answer(link, one_row(names, values));
}

/* Answer what each connection has now. */
static void
give_all(int bytes)
{
	bool		has[LINKS_MOST];

	for (int i = 0; i < link_count; i++)
		has[i] = links[i]->count > 0;
	for (int i = 0; i < link_count; i++)
	{
		if (has[i])
			give(links[i], bytes);
	}
}

static void
a_user_has_half_of_the_connections(void)
{
	begin();
	for (int i = 0; i < 5; i++)
		call("ann", "small");
	CHECK(busy() == 2);
	call("ben", "small");
	call("cid", "small");
	call("dan", "small");
	CHECK(busy() == 4);
	for (int i = 0; i < 8; i++)
		give_all(10);
	CHECK(done == 8);
	end();
}

static void
large_answers_leave_a_connection_to_others(void)
{
	static const char *const users[] = {"a", "b", "c", "d", "e", "f"};

	begin();
	call("ann", "large");
	give_all(LARGE);
	CHECK(done == 0 && busy() == 1);	/* it goes again, with room */
	give_all(LARGE);
	CHECK(done == 1);
	for (int i = 0; i < 6; i++)
		call(users[i], "large");
	CHECK(busy() == CALLERS - 1);
	call("ben", "small");
	CHECK(busy() == CALLERS);
	while (busy() > 0)
		give_all(LARGE);
	CHECK(done == 8);
	end();
}

static void
a_large_answer_takes_the_only_connection(void)
{
	begin();
	call("ann", "large");
	give_all(LARGE);
	give_all(LARGE);
	for (int i = 1; i < CALLERS; i++)
		links[i]->ready = false;
	call("ann", "large");
	CHECK(busy() == 1);
	end();
}

static void
only_what_is_under_way_is_cancelled(void)
{
	struct call *first;
	struct call *waits;

	begin();
	first = call("ann", "small");
	call("ann", "small");
	waits = call("ann", "small");
	CHECK(!call_cancel(waits));
	CHECK(call_cancel(first));
	CHECK(links[0]->cancelling && !links[1]->cancelling);
	end();
}

static const struct tap_test tests[] = {
	{"a user has half of the connections", a_user_has_half_of_the_connections},
	{"large answers leave a connection to others, however many users ask for them", large_answers_leave_a_connection_to_others},
	{"a large answer takes the only connection there is", a_large_answer_takes_the_only_connection},
	{"only what is under way is cancelled", only_what_is_under_way_is_cancelled},
};

int
main(void)
{
	return TAP_RUN(tests);
}
