/*
 * sweep.c: reading all rooms from the tables, where the stream may have shown
 * too little.
 *
 * While there is no stream, rooms live from the tables, a look each second.
 * When it is up, once at once, for what was committed before its slot; and
 * once more a second later, for a commit that was written before the slot
 * began and became visible only after the first look.
 */
#include "sweep.h"

#include "bounds.h"
#include "mem.h"

#include <stdlib.h>

struct sweeper
{
	struct rooms *rooms;
	struct reader *reader;
	const struct stream *stream;
	uv_timer_t	timer;
	struct uuid docs[LIMIT_SWEEP_ROOMS];	/* asked about in one statement */
	int64_t		heads[LIMIT_SWEEP_ROOMS];
	int			count;
	int			under_way;		/* statements */
	bool		was_up;			/* the stream, at the last look */
};

/* Take an answer; where one document failed the whole statement, each room asks for itself. */
static void
on_swept(void *arg, const struct uuid *doc, const struct catch_up_frame *frame, enum catch_up_result result)
{
	struct sweeper *sweeper = arg;

	if (frame != NULL)
	{
		rooms_frame(sweeper->rooms, doc, frame->from, frame->version, frame->text, frame->len);
		return;
	}
	sweeper->under_way--;
	if (result != CATCH_UP_DONE)
		rooms_refetch(sweeper->rooms);
}

/* Ask about the rooms collected. */
static void
send_sweep(struct sweeper *sweeper)
{
	if (sweeper->count == 0)
		return;
	sweeper->under_way++;
	reader_sweep(sweeper->reader, sweeper->docs, sweeper->heads, sweeper->count, on_swept, sweeper);
	sweeper->count = 0;
}

/* Collect a room. */
static void
add_room(void *arg, const struct uuid *doc, int64_t head)
{
	struct sweeper *sweeper = arg;

	sweeper->docs[sweeper->count] = *doc;
	sweeper->heads[sweeper->count++] = head;
	if (sweeper->count == LIMIT_SWEEP_ROOMS)
		send_sweep(sweeper);
}

/* Ask about every room, unless the last asking is still under way. */
static void
sweep(struct sweeper *sweeper)
{
	if (sweeper->under_way > 0)
		return;
	rooms_each_open(sweeper->rooms, add_room, sweeper);
	send_sweep(sweeper);
}

static void
on_timer(uv_timer_t *timer)
{
	struct sweeper *sweeper = timer->data;
	bool		up = stream_is_up(sweeper->stream);

	if (reader_is_ready(sweeper->reader))
		sweep(sweeper);
	if (up && sweeper->was_up)
		uv_timer_stop(timer);
	sweeper->was_up = up;
}

/* Look again and again, until the stream has been up for a while; at once too, if wanted. */
void
sweeper_start(struct sweeper *sweeper, bool now)
{
	if (now)
		sweep(sweeper);
	sweeper->was_up = false;
	uv_timer_start(&sweeper->timer, on_timer, LIMIT_SWEEP_MS, LIMIT_SWEEP_MS);
}

struct sweeper *
sweeper_new(uv_loop_t *loop, struct rooms *rooms, struct reader *reader, const struct stream *stream)
{
	struct sweeper *sweeper = mem_zalloc(sizeof(struct sweeper));

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
