/*
 * test-room-life.c: a document that was deleted, and another under its id, whose
 * operations have the same versions.
 *
 * A life here is the sequence id that it begins with. The operations of house.h
 * have the sequence ids 100 + version; those of the life before, 50 + version.
 */
#include "house.h"

static struct uuid lives[2];

/* Get the life that begins with a sequence id. */
static const struct uuid *
life(int first)
{
	static struct uuid result;

	memset(&result, 0, sizeof(result));
	result.bytes[7] = (unsigned char) first;
	result.bytes[15] = 1;
	return &result;
}

/* Get the revision of a version in a life. */
static const struct revision *
mark_in(const struct uuid *of, int64_t version)
{
	static struct revision result;

	result = *revision(version);
	result.life = *of;
	return &result;
}

/* Let a reader come to a room with what the tables gave. */
static enum room_open_result
come(struct reader *r, const struct uuid *of, int64_t version)
{
	enum room_open_result result;

	memset(r, 0, sizeof(*r));
	room_attach(rooms, &doc, &r->member);
	result = room_open(&r->member, mark_in(of, version));
	if (result == ROOM_OPEN)
		room_go_live(&r->member, version);
	return result;
}

/* Show an operation of the life before on the stream. */
static void
old_event(int version)
{
	char		text[64];

	snprintf(text, sizeof(text), "{\"version\":%d,\"sequenceId\":%d,\"op\":[]}", version, 50 + version);

	struct event e = {.doc = doc,.version = version,.sequence_id = 50 + version,.entry = text,.entry_len = strlen(text)};

	rooms_event(rooms, &e);
}

static void
new_event(int version)
{
	const char *text = entry(version);
	struct event e = {.doc = doc,.version = version,.sequence_id = 100 + version,.entry = text,.entry_len = strlen(text)};

	rooms_event(rooms, &e);
}

static void
set_up(void)
{
	begin(8, 10000);
	lives[0] = *life(40);
	lives[1] = *life(90);
}

/* The tables are ahead of the stream: what it still shows of the document before is not the room's. */
static void
stream_is_behind(void)
{
	struct reader r;

	set_up();
	CHECK(come(&r, &lives[1], 3) == ROOM_OPEN);
	old_event(4);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "") == 0 && fetches == 1);	/* the tables know better */
	rooms_fetched(rooms, &doc, true);
	CHECK(!retry_wanted);
	CHECK(!rooms_deleted(rooms, &doc, &lives[0]));
	new_event(4);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "4 ") == 0);
	end(&r, 1);
}

/* What came before the room was open is not its document's either. */
static void
stream_was_first(void)
{
	struct reader r;

	set_up();
	memset(&r, 0, sizeof(r));
	room_attach(rooms, &doc, &r.member);
	old_event(2);
	old_event(3);
	CHECK(room_open(&r.member, mark_in(&lives[1], 1)) == ROOM_OPEN);
	room_go_live(&r.member, 1);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "") == 0 && fetches == 0 && !retry_wanted);
	new_event(2);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "2 ") == 0);
	end(&r, 1);
}

/* Nor is what the stream showed when there was no room. */
static void
seen_before(void)
{
	struct reader r;

	set_up();
	old_event(7);
	CHECK(come(&r, &lives[1], 0) == ROOM_OPEN);
	CHECK(fetches == 0);
	end(&r, 1);
	set_up();
	new_event(7);
	CHECK(come(&r, &lives[1], 0) == ROOM_OPEN);
	CHECK(fetches == 1 && uuid_equal(&fetched_known.life, &lives[1]));
	rooms_fetched(rooms, &doc, true);
	table_ops(0, 7);
	while (rooms_retry(rooms))
		rooms_fetched(rooms, &doc, false);
	end(&r, 1);
}

/* The tables give a joining member a later document: the members of the earlier one leave, it stays. */
static void
tables_show(void)
{
	struct reader r[3];

	set_up();
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN && endings == 0);
	CHECK(come(&r[1], &lives[1], 0) == ROOM_OPEN && endings == 1 && losses == 0);
	room_detach(&r[0].member);
	CHECK(come(&r[0], &lives[0], 5) == ROOM_DELETED);	/* asked before */
	new_event(1);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[1]), "1 ") == 0);
	CHECK(!rooms_deleted(rooms, &doc, &lives[0]));
	CHECK(come(&r[2], &lives[1], 1) == ROOM_OPEN && endings == 1);
	end(r, 3);
}

/* A room at the later one does not go back. */
static void
late_answer(void)
{
	struct reader r[2];

	set_up();
	CHECK(come(&r[0], &lives[1], 0) == ROOM_OPEN);
	CHECK(come(&r[1], &lives[0], 5) == ROOM_OTHER && endings == 0);
	end(r, 2);
}

/* The stream shows the end: the room is empty, and opens for a later document only. */
static void
stream_shows(void)
{
	struct reader r[3];

	set_up();
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN);
	CHECK(rooms_deleted(rooms, &doc, &lives[0]));
	new_event(1);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[0]), "") == 0);
	room_pause(&r[0].member);
	CHECK(come(&r[1], &lives[0], 5) == ROOM_DELETED);
	CHECK(come(&r[2], &lives[1], 0) == ROOM_OPEN);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[2]), "1 ") == 0 && fetches == 0);
	end(r, 3);
	set_up();
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN);
	CHECK(rooms_deleted(rooms, &doc, NULL));
	CHECK(come(&r[1], &lives[0], 5) == ROOM_DELETED);
	end(r, 2);
}

/* Answers and the tables' frames that were asked for before are another document's. */
static void
other_answers(void)
{
	struct reader r;
	struct room_answer a = {.revision = *mark_in(&lives[0], 1),.entry = entry(1),.entry_len = strlen(entry(1)),.member_changes = 0};

	set_up();
	CHECK(come(&r, &lives[1], 0) == ROOM_OPEN);
	a.revision.life = lives[0];
	rooms_answer(rooms, &doc, &a);
	rooms_answer(rooms, &doc, &a);
	rooms_frame(rooms, &doc, 0, mark_in(&lives[0], 2), false, "{\"type\":\"ops\",\"ops\":[{\"version\":1,\"sequenceId\":51,\"op\":[]}]}",
				strlen("{\"type\":\"ops\",\"ops\":[{\"version\":1,\"sequenceId\":51,\"op\":[]}]}"));
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "") == 0 && fetches == 0 && tables_shown == 0);
	CHECK(uuid_equal(&room_known(&r.member)->life, &lives[1]) && room_known(&r.member)->version == 0);
	end(&r, 1);
}

/* In another history a document may not have been deleted. */
static void
deletion_is_lost(void)
{
	struct reader r[2];

	set_up();
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN);
	CHECK(rooms_deleted(rooms, &doc, &lives[0]));
	rooms_suspect(rooms);
	CHECK(come(&r[1], &lives[0], 5) == ROOM_OPEN);
	end(r, 2);
}

/* The past of a document was changed: who joins with what was there before must come again. */
static void
past_is_changed(void)
{
	struct reader r[4];
	struct uuid later;

	set_up();
	later = lives[0];
	later.bytes[15]++;
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN);
	CHECK(rooms_renewed(rooms, &doc, &lives[0]));
	CHECK(come(&r[1], &lives[0], 5) == ROOM_OTHER);
	CHECK(come(&r[2], &later, 5) == ROOM_OPEN && renewals == 0 && endings == 0);
	CHECK(!rooms_renewed(rooms, &doc, &lives[0]));	/* read already */
	new_event(6);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[2]), "6 ") == 0);
	end(r, 3);

	/* the tables show it first */
	set_up();
	CHECK(come(&r[0], &lives[0], 5) == ROOM_OPEN);
	CHECK(come(&r[1], &later, 5) == ROOM_OPEN && renewals == 1 && endings == 0);
	CHECK(come(&r[2], &lives[0], 5) == ROOM_OTHER);
	CHECK(come(&r[3], &lives[1], 0) == ROOM_OPEN && endings == 1);
	end(r, 4);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a stream that is behind shows nothing of the document before", stream_is_behind},
		{"nor where it came before the room was open", stream_was_first},
		{"nor where there was no room", seen_before},
		{"a join opens the room at a later document", tables_show},
		{"a room does not go back to the document before", late_answer},
		{"the stream shows the end of the room's document", stream_shows},
		{"a deletion that a failover has lost is forgotten", deletion_is_lost},
		{"a document whose past was changed is another for those who join", past_is_changed},
		{"answers about the document before are not taken", other_answers},
	};

	return TAP_RUN(tests);
}
