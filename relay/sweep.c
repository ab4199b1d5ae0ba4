/*
 * sweep.c: reading all rooms from the tables, where the stream may have shown
 * too little.
 *
 * While there is no stream, rooms live from the tables, a look each second.
 * When it is up, once at once, for what was committed before its slot; and
 * once more a second later, for a commit that was written before the slot
 * began and became visible only after the first look. And once at every new
 * connection, to end the doubt in which that puts the rooms. Rooms of shards
 * that this relay does not follow live from the tables all the time.
 */
#include "sweep.h"

#include "base/bounds.h"
#include "base/mem.h"
#include "tables/shard.h"

#include <stdlib.h>

struct sweeper
{
	const struct config *config;
	struct rooms *rooms;
	struct reader *reader;
	const struct stream *stream;
	uv_timer_t	timer;
	struct sweep_room asked[LIMIT_SWEEP_ROOMS]; /* about in one statement */
	int			count;
	int			under_way;		/* statements */
	bool		again;			/* when those are answered */
	bool		was_up;			/* the stream, at the last look */
	bool		settled;		/* only what the stream does not show is left
								 * to look for */
};

/* Take what the tables say of a room. */
static void
take_room(struct sweeper *sweeper, const struct uuid *doc, const struct catch_up_frame *frame, enum catch_up_result result)
{
	struct rooms *rooms = sweeper->rooms;

	if (result == CATCH_UP_DONE)
		rooms_trust(rooms, doc);
	else if (result != CATCH_UP_UNSEEN)
		rooms_lose(rooms, doc);
	else if (rooms_is_doubtful(rooms, doc))
		rooms_refetch(rooms, doc);	/* which waits until it is seen, for a
									 * while */
	if (frame != NULL)
		rooms_frame(rooms, doc, frame->from, &frame->mark, frame->text, frame->len);
}

static void sweep(struct sweeper *sweeper);

/* Take an answer; where one document failed the whole statement, each room asks for itself. */
static void
on_swept(void *arg, const struct uuid *doc, const struct catch_up_frame *frame, enum catch_up_result result)
{
	struct sweeper *sweeper = arg;

	if (doc != NULL)
	{
		take_room(sweeper, doc, frame, result);
		return;
	}
	if (result == CATCH_UP_OUTDATED)
		sweeper->again = true;
	else if (result != CATCH_UP_DONE)
		rooms_refetch(sweeper->rooms, NULL);
	if (--sweeper->under_way == 0 && sweeper->again)
		sweep(sweeper);
}

/* Ask about the rooms collected. */
static void
send_sweep(struct sweeper *sweeper)
{
	if (sweeper->count == 0)
		return;
	sweeper->under_way++;
	reader_sweep(sweeper->reader, sweeper->asked, sweeper->count, on_swept, sweeper);
	sweeper->count = 0;
}

/* Collect a room. */
static void
add_room(void *arg, const struct uuid *doc, int64_t head, const struct mark *known)
{
	struct sweeper *sweeper = arg;

	if (sweeper->settled && shard_is_followed(sweeper->config, doc))
		return;
	sweeper->asked[sweeper->count++] = (struct sweep_room)
	{
		*doc, head, *known
	};
	if (sweeper->count == LIMIT_SWEEP_ROOMS)
		send_sweep(sweeper);
}

/* Ask about every room; while the last asking is still under way, once more after it. */
static void
sweep(struct sweeper *sweeper)
{
	sweeper->again = sweeper->under_way > 0;
	if (sweeper->again)
		return;
	rooms_each_open(sweeper->rooms, add_room, sweeper);
	send_sweep(sweeper);
}

static void
on_timer(uv_timer_t *timer)
{
	struct sweeper *sweeper = timer->data;
	bool		up = stream_is_up(sweeper->stream);

	if (reader_is_ready(sweeper->reader) && sweeper->under_way == 0)
		sweep(sweeper);
	sweeper->settled = up && sweeper->was_up && rooms_doubtful(sweeper->rooms) == 0;
	if (sweeper->settled && sweeper->config->followed == NULL)
		uv_timer_stop(timer);
	sweeper->was_up = up;
}

/* Look again and again, until the stream has been up for a while; at once too, if wanted. */
void
sweeper_start(struct sweeper *sweeper, bool now)
{
	sweeper->settled = false;
	if (now)
		sweep(sweeper);
	sweeper->was_up = false;
	uv_timer_start(&sweeper->timer, on_timer, LIMIT_SWEEP_MS, LIMIT_SWEEP_MS);
}

struct sweeper *
sweeper_new(uv_loop_t *loop, const struct config *config, struct rooms *rooms, struct reader *reader,
			const struct stream *stream)
{
	struct sweeper *sweeper = mem_zalloc(sizeof(struct sweeper));

	sweeper->config = config;
	sweeper->rooms = rooms;
	sweeper->reader = reader;
	sweeper->stream = stream;
	uv_timer_init(loop, &sweeper->timer);
	sweeper->timer.data = sweeper;
	return sweeper;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* End; nothing is asked any more. */
void
sweeper_close(struct sweeper *sweeper)
{
	uv_close((uv_handle_t *) &sweeper->timer, on_timer_closed);
}
