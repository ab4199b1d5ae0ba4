/*
 * house.h: small rooms with members, for the tests of rooms.
 *
 * A member here notes what it was sent as a text of versions: "3 4,5 " is a frame
 * of 3 and a frame of 4 and 5.
 */
#ifndef TEST_HOUSE_H
#define TEST_HOUSE_H

#include "wire/protocol.h"
#include "room/room.h"
#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader
{
	struct room_member member;	/* first */
	char		got[512];
	bool		full;			/* its socket takes nothing */
	int			woken;
};

static struct uuid doc = {{1}};
static struct metrics metrics;
static struct rooms *rooms;
static struct frame *last_frame;
static int64_t age_us;			/* of the commits of events */
static int64_t fetched_from;
static struct revision fetched_known;
static int	losses;
static int	endings;
static int	renewals;
static int	fetches;
static bool retry_wanted;
static int	tables_shown;				/* times that the tables were about to be
								 * published */
static struct reader *held;		/* by those times */

/* Note the versions of a frame. */
static inline void
note(struct reader *r, const struct frame *frame)
{
	const char *list = (const char *) frame->text + strlen("{\"type\":\"ops\",\"ops\":[");
	size_t		len = frame->len - strlen("{\"type\":\"ops\",\"ops\":[]}");
	const char *entry;
	size_t		entry_len;
	int64_t		version;
	bool		first = true;

	while (protocol_next_entry(&list, &len, &entry, &entry_len) && protocol_entry_version(entry, entry_len, &version))
	{
		sprintf(r->got + strlen(r->got), "%s%d", first ? "" : ",", (int) version);
		first = false;
	}
	strcat(r->got, " ");
}

static inline bool
deliver(struct room_member *member, struct frame *frame)
{
	struct reader *r = (struct reader *) member;

	if (r->full)
		return false;
	note(r, frame);
	last_frame = frame;
	return true;
}

static inline void
wake(struct room_member *member)
{
	((struct reader *) member)->woken++;
}

static inline void
fetch(void *arg, const struct uuid *id, int64_t from, const struct revision *known)
{
	(void) arg;
	CHECK(uuid_equal(id, &doc));
	fetched_from = from;
	fetched_known = *known;
	fetches++;
}

static inline void
retry(void *arg)
{
	(void) arg;
	retry_wanted = true;
}

static inline void
from_tables(void *arg, const struct uuid *id)
{
	(void) arg;
	CHECK(uuid_equal(id, &doc));
	tables_shown++;
	if (held != NULL)
		room_pause(&held->member);
}

static inline void
lost(void *arg, const struct uuid *id)
{
	(void) arg;
	CHECK(uuid_equal(id, &doc));
	losses++;
}

static inline void
ended(void *arg, const struct uuid *id)
{
	(void) arg;
	CHECK(uuid_equal(id, &doc));
	endings++;
}

static inline void
renewed(void *arg, const struct uuid *id)
{
	(void) arg;
	CHECK(uuid_equal(id, &doc));
	renewals++;
}

/* the bound of all rings together: more than any test but one needs */
static size_t bytes_in_all = 1 << 20;

/* Begin a test with small rooms. */
static inline void
begin(uint32_t entries, size_t bytes)
{
	struct ring_bounds bounds = {.entries = entries,.bytes = bytes};
	struct rooms_callbacks callbacks = {.deliver = deliver,.wake = wake,.fetch = fetch,.retry = retry,.from_tables = from_tables,.lost = lost,.ended = ended,.renewed = renewed};

	memset(&metrics, 0, sizeof(metrics));
	age_us = 0;
	fetches = 0;
	fetched_from = -1;
	retry_wanted = false;
	tables_shown = 0;
	losses = endings = renewals = 0;
	held = NULL;
	rooms = rooms_new(&bounds, bytes_in_all, &callbacks, &metrics);
}

static inline void
end(struct reader *r, int count)
{
	for (int i = 0; i < count; i++)
		room_detach(&r[i].member);
	rooms_flush(rooms);
	CHECK(metrics.rooms == 0 && metrics.ring_bytes == 0 && metrics.sessions_live == 0);
	rooms_free(rooms);
}

/* Get a version's revision: its sequence id, and its operation if the version is not 0. */
static inline const struct revision *
revision(int64_t version)
{
	static struct revision result;

	result = (struct revision)
	{
		.version = version,.sequence_id = 100 + version,.has_id = version > 0
	};
	snprintf((char *) result.id.bytes, UUID_BYTES, "id %d", (int) version);
	return &result;
}

/* Let a reader into the room, open it at a version, and let it live there. */
static inline void
enter(struct reader *r, int64_t version)
{
	memset(r, 0, sizeof(*r));
	room_attach(rooms, &doc, &r->member);
	room_open(&r->member, revision(version));
	room_go_live(&r->member, version);
}

static char entry_text[192];

static inline const char *
entry(int version)
{
	char		id[UUID_TEXT_LEN + 1];

	uuid_format(&revision(version)->id, id);
	snprintf(entry_text, sizeof(entry_text), "{\"version\":%d,\"sequenceId\":%d,\"operationId\":\"%s\",\"op\":[\"\xc3\xa9\"]}", version, 100 + version, id);
	return entry_text;
}

static inline void
event(int version)
{
	const char *text = entry(version);

	struct event e = {.doc = doc,.version = version,.committed_us = metrics_now_us() - age_us,.entry = text,.entry_len = strlen(text)};

	rooms_event(rooms, &e);
}

/* An operation that is too large for the stream: only its numbers come. */
static inline void
withheld_event(int version)
{
	char		text[512];
	struct event e = {.doc = doc,.version = version,.committed_us = metrics_now_us(),.withheld = true};

	snprintf(text, sizeof(text), "%.*s\"withheld\":true}", (int) (strstr(entry(version), "\"op\":") - entry_text), entry_text);
	e.entry = text;
	e.entry_len = strlen(text);
	rooms_event(rooms, &e);
}

/* The answer to an operation of this relay's, with the changes of members before it, -1: not known. */
static inline void
answer(int version, int64_t member_changes, bool streamed)
{
	const char *text = entry(version);
	struct room_answer a = {.revision = *revision(version),.entry = text,.entry_len = strlen(text),.member_changes = member_changes,.streamed = streamed};

	rooms_answer(rooms, &doc, &a);
}

/* Return the number of operations in a bucket of the times between commit and sending. */
static inline int
sent_in(int bucket)
{
	return (int) metrics.histograms[HISTOGRAM_COMMIT_TO_SEND].counts[bucket];
}

/* Give the room an ops message from the tables. */
static inline void
table_ops(int from, int to)
{
	char		text[2048] = "{\"type\":\"ops\",\"ops\":[";

	for (int v = from + 1; v <= to; v++)
		sprintf(text + strlen(text), "%s%s", v > from + 1 ? "," : "", entry(v));
	strcat(text, "]}");
	rooms_frame(rooms, &doc, from, revision(to), false, text, strlen(text));
}

static inline void
table_composed(int from, int to)
{
	static const char text[] = "{\"type\":\"catchup\",\"fromVersion\":0,\"op\":[]}";

	rooms_frame(rooms, &doc, from, revision(to), true, text, strlen(text));
}

/* Let a reader's socket take what it can, as the writeable callback does. */
static inline const char *
drain(struct reader *r)
{
	struct frame *frame;
	enum room_next_result next;

	r->full = false;
	r->woken = 0;
	while ((next = room_next(&r->member, &frame)) == ROOM_FRAME)
	{
		note(r, frame);
		frame_unref(frame);
	}
	return next == ROOM_TABLES ? "tables" : r->got;
}

#endif							/* TEST_HOUSE_H */
