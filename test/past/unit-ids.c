/*
 * unit-ids.c
 *		The filter of a pack's ids never denies one that is in, denies nearly all others,
 *		and is the same everywhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/past/pack_ids.h"
#include "../ot/tap.h"
#include "history.h"

#define MANY	8192

static uint8_t ids[MANY][16];
static uint8_t filter[2 * MANY];

/* The n-th id of a session: bytes that belong to it, and a counter. */
static void
session_id(uint8_t *id, int session, uint32_t n)
{
	memset(id, 0x40 + session, 16);
	for (int i = 0; i < 4; i++)
		id[12 + i] = (uint8_t) (n >> (24 - 8 * i));
}

static void
random_id(uint8_t *id)
{
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t) random();
}

/* A filter of all ids; its size. */
static size_t
fill(void)
{
	size_t		size = pack_ids_size(ids, MANY);

	memset(filter, 0, sizeof(filter));
	for (int i = 0; i < MANY; i++)
		pack_ids_add(filter, size, ids[i]);
	return size;
}

static int
missing(size_t size)
{
	int			count = 0;

	for (int i = 0; i < MANY; i++)
		count += !pack_ids_may_have(filter, size, ids[i]);
	return count;
}

static void
counting_ids_are_groups(void)
{
	uint8_t		other[16];
	int			passed = 0;

	for (int i = 0; i < MANY; i++)
		session_id(ids[i], i % 4, (uint32_t) i / 4);
	CHECK_NUMBER(fill(), 2 * MANY / 64);
	CHECK_NUMBER(missing(2 * MANY / 64), 0);
	for (int i = 0; i < 64000; i += 64)
	{
		session_id(other, 5, (uint32_t) i);
		passed += pack_ids_may_have(filter, 2 * MANY / 64, other);
	}
	CHECK(passed < 10);
}

static void
random_ids_are_told_apart(void)
{
	uint8_t		other[16];
	size_t		size;
	int			passed = 0;

	srandom(11);
	for (int i = 0; i < MANY; i++)
		random_id(ids[i]);
	size = fill();
	CHECK_NUMBER(size, 2 * MANY);
	CHECK_NUMBER(missing(size), 0);
	for (int i = 0; i < 100000; i++)
	{
		random_id(other);
		passed += pack_ids_may_have(filter, size, other);
	}
	CHECK(passed < 200);
}

/* Stored filters must be read for ever: one id's bits, written down once. */
static void
is_the_same_everywhere(void)
{
	uint8_t		id[1][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
	uint8_t		bits[2] = {0};

	CHECK_NUMBER(pack_ids_size(id, 1), 2);
	pack_ids_add(bits, 2, id[0]);
	CHECK_NUMBER(bits[0] << 8 | bits[1], 51000);
	CHECK(pack_ids_may_have(NULL, 0, id[0]));
	pack_ids_add(NULL, 0, id[0]);
}

static const TapTest tests[] = {
	{"ids that count up are kept in groups of 64", counting_ids_are_groups},
	{"random ids are told apart", random_ids_are_told_apart},
	{"an id has the same bits everywhere", is_the_same_everywhere},
};

TAP_MAIN("unit-ids", tests);
