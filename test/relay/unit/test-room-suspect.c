/*
 * test-room-suspect.c: suspect rooms, whose operations the database may have lost.
 */
#include "house.h"

/* A suspect room sends nothing; if the tables have what it has, it goes on with what came meanwhile. */
static void
suspect_and_confirm(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	event(6);
	rooms_flush(rooms);
	rooms_suspect(rooms);
	CHECK(rooms_suspect_count(rooms) == 1 && rooms_is_suspect(rooms, &doc));
	event(7);
	event(8);
	enter(&r[1], 5);			/* is behind, and would be served from the
								 * ring */
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[0]), "6 ") == 0 && strcmp(drain(&r[1]), "") == 0 && fetches == 0);
	rooms_confirm(rooms, &doc);
	rooms_flush(rooms);
	CHECK(rooms_suspect_count(rooms) == 0 && losses == 0 && fetches == 0);
	CHECK(strcmp(drain(&r[0]), "6 7,8 ") == 0 && strcmp(drain(&r[1]), "6,7,8 ") == 0);
	end(r, 2);
}

/* What waited for a gap to be closed may be of the history before; the tables have it, or they have other things. */
static void
suspicion_drops_pending(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	event(8);
	CHECK(fetches == 1);
	rooms_suspect(rooms);
	rooms_fetched(rooms, &doc, true);	/* asked before: outdated */
	rooms_confirm(rooms, &doc);
	table_ops(5, 7);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "6,7 ") == 0);
	table_ops(7, 8);
	while (rooms_retry(rooms));
	end(&r, 1);
}

/* The highest version counts that the room or a member has, wherever from. */
static void
known_is_the_highest(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	CHECK(room_known(&r[0].member)->version == 5 && uuid_equal(&room_known(&r[0].member)->id, &revision(5)->id));
	event(6);
	CHECK(room_known(&r[0].member)->version == 6 && uuid_equal(&room_known(&r[0].member)->id, &revision(6)->id));
	CHECK(room_known(&r[0].member)->sequence_id == 106);
	answer(8, -1, true);		/* the writer's answer */
	answer(7, -1, true);
	event(7);
	CHECK(room_known(&r[0].member)->version == 8);
	enter(&r[1], 9);			/* a snapshot, ahead of the stream */
	CHECK(room_known(&r[0].member)->version == 9);
	room_learn(&r[1].member, revision(12)); /* caught up by itself */
	CHECK(room_known(&r[0].member)->version == 12);
	table_ops(7, 13);
	CHECK(room_known(&r[0].member)->version == 13);
	event(15);
	CHECK(room_known(&r[0].member)->version == 13 && fetches == 1 && fetched_known.version == 13);
	end(r, 2);
}

/* What the tables have lost is forgotten; the room opens anew for the next member that joins. */
static void
suspect_and_reset(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 5);
	event(6);
	rooms_flush(rooms);
	event(7);					/* published, not flushed */
	rooms_suspect(rooms);
	event(6);					/* of the other history */
	rooms_reset(rooms, &doc);
	CHECK(losses == 1 && rooms_suspect_count(rooms) == 0 && metrics.ring_bytes == 0 && metrics.rooms_lost == 1);
	room_pause(&r[0].member);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[0]), "6 ") == 0);
	enter(&r[1], 6);
	event(7);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r[1]), "7 ") == 0 && room_known(&r[1].member)->version == 7 && fetches == 0);
	rooms_reset(rooms, &doc);
	rooms_reset(rooms, &doc);	/* nothing is left to lose */
	CHECK(losses == 2);
	room_pause(&r[1].member);
	end(r, 2);
}

/* A room without members is not suspect, and delays no other room. */
static void
empty_room(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 5);
	rooms_suspect(rooms);
	room_detach(&r.member);
	rooms_flush(rooms);
	CHECK(rooms_suspect_count(rooms) == 0);
	enter(&r, 5);
	room_detach(&r.member);
	rooms_suspect(rooms);			/* between the turns */
	CHECK(rooms_suspect_count(rooms) == 0);
	enter(&r, 3);
	event(4);
	rooms_flush(rooms);
	CHECK(strcmp(drain(&r), "4 ") == 0);
	end(&r, 1);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a suspect room sends nothing until it is confirmed", suspect_and_confirm},
		{"a room's pending operations are dropped when it becomes suspect", suspicion_drops_pending},
		{"the highest version that any member has is known", known_is_the_highest},
		{"what was lost is forgotten, and the room opens anew", suspect_and_reset},
		{"an empty room is not suspect", empty_room},
	};

	return TAP_RUN(tests);
}
