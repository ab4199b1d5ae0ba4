/*
 * backfill.c: reading rooms from the tables, one that misses something or all of them,
 * where the stream may have shown too little; and what the answer means for a room.
 *
 * While there is no stream, rooms live from the tables, a look each second.
 * When it is up, once at once, for what was committed before its slot; and
 * once more a second later, for a commit that was written before the slot
 * began and became visible only after the first look. And once at every new
 * connection, to end the doubt in which that puts the rooms. Rooms of shards
 * that this relay does not follow live from the tables all the time.
 */
#include "backfill.h"

#include "base/bounds.h"
#include "base/mem.h"
#include "tables/shard.h"

#include <stdlib.h>

struct backfill
{
	const struct config *config;
	struct rooms *rooms;
	struct reader *reader;
	const struct stream *stream;
	uv_timer_t	timer;
	struct backfill_room asked[LIMIT_BACKFILL_ROOMS]; /* about in one statement */
	int			count;
	int			under_way;		/* statements */
	bool		again;			/* when those are answered */
	bool		was_up;			/* the stream, at the last look */
	bool		settled;		/* only what the stream does not show is left
								 * to look for */
};

/* ---- what the tables say of a room ---- */

/*
 * Return true if a room that asked must begin anew: in doubt, only what was found is
 * trusted. Without doubt, another document is there only if this one was deleted, which
 * the stream tells, if it shows the document.
 */
static bool
is_lost(const struct backfill *backfill, const struct uuid *doc, enum catch_up_result result)
{
	if (rooms_is_suspect(backfill->rooms, doc))
		return result != CATCH_UP_DONE && result != CATCH_UP_OUTDATED;
	return result == CATCH_UP_OTHER && !stream_shows(backfill->stream, doc);
}

/* Return true if the tables cannot give what a room misses. */
static bool
is_unreadable(enum catch_up_result result)
{
	return result == CATCH_UP_STALE || result == CATCH_UP_FORBIDDEN || result == CATCH_UP_FAILED;
}

/* Take what the tables say of a room that asked for itself. */
static void
on_fetched(void *arg, const struct uuid *doc, const struct uuid *life, const struct catch_up_frame *frame,
		   enum catch_up_result result)
{
	struct backfill *backfill = arg;
	struct rooms *rooms = backfill->rooms;
	bool		lost;

	/* a room may be at a later document by now */
	if (!rooms_is_at(rooms, doc, life))
		result = CATCH_UP_OUTDATED;
	lost = is_lost(backfill, doc, result);
	if (result == CATCH_UP_DONE)
		rooms_confirm(rooms, doc);
	if (frame != NULL)
	{
		rooms_frame(rooms, doc, frame->from, &frame->revision, frame->composed, frame->text, frame->len);
		return;
	}
	rooms_fetched(rooms, doc, lost || !is_unreadable(result));
	if (result == CATCH_UP_GONE)
		rooms_gone(rooms, doc);
	else if (lost)
		rooms_reset(rooms, doc);
}

/* Ask for what a room misses. */
void
backfill_fetch(struct backfill *backfill, const struct uuid *doc, int64_t from, const struct revision *known)
{
	struct catch_up_request request = {.doc = *doc,.from = from,.known = known};

	reader_catch_up(backfill->reader, &request, on_fetched, backfill);
}

/* Take what the tables say of a room in a backfill. */
static void
take_room(struct backfill *backfill, const struct uuid *doc, const struct uuid *life, const struct catch_up_frame *frame,
		  enum catch_up_result result)
{
	struct rooms *rooms = backfill->rooms;

	if (!rooms_is_at(rooms, doc, life))
		return;
	if (result == CATCH_UP_DONE)
		rooms_confirm(rooms, doc);
	else if (is_lost(backfill, doc, result) && result != CATCH_UP_UNSEEN)
		rooms_reset(rooms, doc);
	else if (rooms_is_suspect(rooms, doc))
		rooms_refetch(rooms, doc);	/* which waits until it is seen, for a
									 * while */
	if (frame != NULL)
		rooms_frame(rooms, doc, frame->from, &frame->revision, frame->composed, frame->text, frame->len);
}

/* ---- all rooms ---- */

static void ask_all(struct backfill *backfill);

/* Take an answer; where one document failed the whole statement, each room asks for itself. */
static void
on_answer(void *arg, const struct uuid *doc, const struct uuid *life, const struct catch_up_frame *frame,
		  enum catch_up_result result)
{
	struct backfill *backfill = arg;

	if (doc != NULL)
	{
		take_room(backfill, doc, life, frame, result);
		return;
	}
	if (result == CATCH_UP_OUTDATED)
		backfill->again = true;
	else if (result != CATCH_UP_DONE)
		rooms_refetch(backfill->rooms, NULL);
	if (--backfill->under_way == 0 && backfill->again)
		ask_all(backfill);
}

/* Ask about the rooms collected. */
static void
send_backfill(struct backfill *backfill)
{
	if (backfill->count == 0)
		return;
	backfill->under_way++;
	reader_backfill(backfill->reader, backfill->asked, backfill->count, on_answer, backfill);
	backfill->count = 0;
}

/* Collect a room. */
static void
add_room(void *arg, const struct uuid *doc, int64_t head, const struct revision *known)
{
	struct backfill *backfill = arg;

	if (backfill->settled && shard_is_followed(backfill->config, doc))
		return;
	backfill->asked[backfill->count++] = (struct backfill_room)
	{
		*doc, head, *known
	};
	if (backfill->count == LIMIT_BACKFILL_ROOMS)
		send_backfill(backfill);
}

/* Ask about every room; while the last asking is still under way, once more after it. */
static void
ask_all(struct backfill *backfill)
{
	backfill->again = backfill->under_way > 0;
	if (backfill->again)
		return;
	rooms_each_open(backfill->rooms, add_room, backfill);
	send_backfill(backfill);
}

static void
on_timer(uv_timer_t *timer)
{
	struct backfill *backfill = timer->data;
	bool		up = stream_is_up(backfill->stream);

	if (reader_is_ready(backfill->reader) && backfill->under_way == 0)
		ask_all(backfill);
	backfill->settled = up && backfill->was_up && rooms_suspect_count(backfill->rooms) == 0;
	if (backfill->settled && backfill->config->followed == NULL)
		uv_timer_stop(timer);
	backfill->was_up = up;
}

/* Look again and again, until the stream has been up for a while; at once too, if wanted. */
void
backfill_start(struct backfill *backfill, bool now)
{
	backfill->settled = false;
	if (now)
		ask_all(backfill);
	backfill->was_up = false;
	uv_timer_start(&backfill->timer, on_timer, LIMIT_BACKFILL_MS, LIMIT_BACKFILL_MS);
}

struct backfill *
backfill_new(uv_loop_t *loop, const struct config *config, struct rooms *rooms, struct reader *reader,
			const struct stream *stream)
{
	struct backfill *backfill = mem_zalloc(sizeof(struct backfill));

	backfill->config = config;
	backfill->rooms = rooms;
	backfill->reader = reader;
	backfill->stream = stream;
	uv_timer_init(loop, &backfill->timer);
	backfill->timer.data = backfill;
	return backfill;
}

static void
on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* End; nothing is asked any more. */
void
backfill_close(struct backfill *backfill)
{
	uv_close((uv_handle_t *) &backfill->timer, on_timer_closed);
}
