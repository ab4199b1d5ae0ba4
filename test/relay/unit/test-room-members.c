/*
 * test-room-members.c: what each member is sent: slow members, the ring and its bounds, shared frames.
 */
#include "house.h"

static void
slow_member(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	r[0].full = true;
	for (int v = 1; v <= 5; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(strcmp(r[0].got, "") == 0 && r[0].woken == 1);
	CHECK(strcmp(r[1].got, "1 2 3 4 5 ") == 0);
	CHECK(strcmp(drain(&r[0]), "1,2,3,4,5 ") == 0);
	event(6);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "1,2,3,4,5 6 ") == 0);
	end(r, 2);
}

static void
off_the_ring(void)
{
	struct reader r[2];

	begin(4, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	r[0].full = true;
	for (int v = 1; v <= 5; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(strcmp(drain(&r[0]), "tables") == 0);
	CHECK(strcmp(r[1].got, "1 2 3 4 5 ") == 0);
	room_go_live(&r[0].member, 1);
	CHECK(strcmp(drain(&r[0]), "2,3,4,5 ") == 0);
	end(r, 2);
}

static void
bounded_bytes(void)
{
	struct reader r;

	begin(1000, 400);
	enter(&r, 0);
	r.full = true;
	for (int v = 1; v <= 50; v++)
	{
		event(v);
		rooms_flush(rooms);
		CHECK(metrics.ring_bytes <= 400);
	}
	CHECK(strcmp(drain(&r), "tables") == 0);
	room_go_live(&r.member, 46);
	CHECK(strcmp(drain(&r), "47,48,49,50 ") == 0);
	end(&r, 1);
}

/* Rooms that together keep too much each keep their share, those where nothing happens as well. */
static void
bounded_in_all(void)
{
	struct uuid first = doc;
	struct reader r[2];
	size_t		entry_len = strlen(entry(1));

	bytes_in_all = entry_len * 10;
	begin(64, 1 << 20);
	enter(&r[0], 0);
	for (int v = 1; v <= 8; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(metrics.ring_bytes == 8 * entry_len);
	rooms_shorten(rooms);
	CHECK(metrics.ring_bytes == 8 * entry_len && metrics.rings_shortened == 0);
	doc.bytes[0] ^= 1;
	enter(&r[1], 0);
	for (int v = 1; v <= 8; v++)
	{
		event(v);
		rooms_flush(rooms);
	}
	CHECK(metrics.ring_bytes > 5 * entry_len && metrics.ring_bytes <= 10 * entry_len && metrics.rings_shortened > 0);
	doc = first;
	event(9);
	rooms_flush(rooms);
	CHECK(r[0].member.cursor == 9 && r[1].member.cursor == 8);
	CHECK(metrics.ring_bytes <= 11 * entry_len);
	/* even the newest goes where memory is short: the tables have it */
	rooms_shed(rooms, 1 << 20);
	CHECK(metrics.ring_bytes == 0 && metrics.ring_entries == 0);
	event(10);
	rooms_flush(rooms);
	CHECK(r[0].member.cursor == 10);
	end(r, 2);
	bytes_in_all = 1 << 20;
}

static void
frames_are_shared(void)
{
	struct reader r[3];
	struct frame *first;
	struct frame *second;

	begin(8, 10000);
	for (int i = 0; i < 3; i++)
		enter(&r[i], 0);
	r[1].full = r[2].full = true;
	event(1);
	rooms_flush(rooms);
	event(2);
	rooms_flush(rooms);
	CHECK(room_next(&r[1].member, &first) == ROOM_FRAME);
	CHECK(room_next(&r[2].member, &second) == ROOM_FRAME);
	CHECK(first == second);		/* built once for all members at the same version */
	frame_unref(first);
	frame_unref(second);
	rooms_flush(rooms);
	r[1].full = r[2].full = false;
	room_next(&r[1].member, &first);
	room_next(&r[2].member, &second);
	event(3);
	rooms_flush(rooms);
	first = last_frame;
	room_go_live(&r[2].member, 2);
	CHECK(room_next(&r[2].member, &second) == ROOM_FRAME);
	CHECK(first == second);		/* a frame of the ring that is just what is
								 * missing */
	frame_unref(second);
	end(r, 3);
}

static void
member_in_the_middle(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	memset(&r[1], 0, sizeof(r[1]));
	room_attach(rooms, &doc, &r[1].member);
	room_open(&r[1].member, revision(2));
	room_go_live(&r[1].member, 2);	/* its snapshot is ahead of the room */
	event(1);
	event(2);
	event(3);
	rooms_flush(rooms);
	CHECK(strcmp(r[0].got, "1,2,3 ") == 0);
	CHECK(strcmp(drain(&r[1]), "3 ") == 0);
	end(r, 2);
}

static void
paused_member(void)
{
	struct reader r[2];

	begin(8, 10000);
	enter(&r[0], 0);
	enter(&r[1], 0);
	room_pause(&r[1].member);
	event(1);
	rooms_flush(rooms);
	CHECK(strcmp(r[1].got, "") == 0 && r[1].woken == 0);
	room_go_live(&r[1].member, 0);
	CHECK(r[1].woken == 1 && strcmp(drain(&r[1]), "1 ") == 0);
	end(r, 2);
}

static void
count_member(void *arg, struct room_member *member)
{
	CHECK(member->room != NULL);
	++*(int *) arg;
}

static void
count_room(void *arg, const struct uuid *id)
{
	CHECK(uuid_equal(id, &doc));
	++*(int *) arg;
}

static void
members_are_visited(void)
{
	struct reader r[3];
	int			members = 0;
	int			houses = 0;

	begin(8, 10000);
	rooms_each_member(rooms, &doc, count_member, &members);
	CHECK(members == 0);
	enter(&r[0], 5);
	enter(&r[1], 5);
	memset(&r[2], 0, sizeof(r[2]));
	room_attach(rooms, &doc, &r[2].member);
	room_pause(&r[1].member);
	rooms_each_member(rooms, &doc, count_member, &members);
	rooms_each(rooms, count_room, &houses);
	CHECK(members == 3 && houses == 1);
	room_detach(&r[1].member);
	rooms_each_member(rooms, &doc, count_member, &members);
	CHECK(members == 5);
	room_attach(rooms, &doc, &r[1].member);
	end(r, 3);
}

static void
leaving_and_coming_back(void)
{
	struct reader r;

	begin(8, 10000);
	enter(&r, 0);
	event(1);
	room_detach(&r.member);
	rooms_flush(rooms);
	CHECK(metrics.rooms == 0);
	enter(&r, 0);				/* the tables may be a moment behind what was
								 * published */
	CHECK(fetches == 1 && fetched_from == 0);
	end(&r, 1);
}

int
main(void)
{
	static const struct tap_test tests[] = {
		{"a slow member delays no other and gets everything in one frame", slow_member},
		{"a cursor that fell off the ring goes to the tables", off_the_ring},
		{"the ring is bounded in bytes", bounded_bytes},
		{"all rings together are bounded in bytes", bounded_in_all},
		{"a frame is encoded once", frames_are_shared},
		{"a snapshot ahead of the room gets only what follows it", member_in_the_middle},
		{"a paused member gets nothing until it lives again", paused_member},
		{"every member is visited, live or not", members_are_visited},
		{"an empty room ends, and what it had seen is remembered", leaving_and_coming_back},
	};

	return TAP_RUN(tests);
}
