/*
 * base/turns.c: what waits, in turn by the user who asked for it: deficit round
 * robin.  A lane is there while something of it waits or is under way, or while it
 * owes.
 */
#include "base/turns.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64

/* most quanta that a lane may owe or save up */
#define MOST_QUANTA 64

/* lanes that only owe are forgotten from this number on */
#define LANES_KEPT 4096

/* Get the slot of a name (FNV-1a). */
static size_t
slot_of(const struct turns *turns, const char *name)
{
	uint64_t	hash = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char) *name) * UINT64_C(1099511628211);
	return (size_t) (hash ^ hash >> 32) & (turns->slot_count - 1);
}

void
turns_init(struct turns *turns, double quantum)
{
	memset(turns, 0, sizeof(*turns));
	TAILQ_INIT(&turns->circle);
	turns->quantum = quantum;
	turns->slot_count = SLOTS_FIRST;
	turns->slots = mem_zalloc(SLOTS_FIRST * sizeof(struct turns_lane *));
}

void
turns_free(struct turns *turns)
{
	for (size_t i = 0; i < turns->slot_count; i++)
	{
		while (turns->slots[i] != NULL)
		{
			struct turns_lane *lane = turns->slots[i];

			turns->slots[i] = lane->next;
			free(lane);
		}
	}
	free(turns->slots);
	memset(turns, 0, sizeof(*turns));
}

/* Make room for more lanes. */
static void
grow(struct turns *turns)
{
	struct turns_lane **old = turns->slots;
	size_t		count = turns->slot_count;

	turns->slot_count = count * 2;
	turns->slots = mem_zalloc(turns->slot_count * sizeof(struct turns_lane *));
	for (size_t i = 0; i < count; i++)
	{
		while (old[i] != NULL)
		{
			struct turns_lane *lane = old[i];
			size_t		slot = slot_of(turns, lane->name);

			old[i] = lane->next;
			lane->next = turns->slots[slot];
			turns->slots[slot] = lane;
		}
	}
	free(old);
}

/* Get the lane of a name, which is made where there is none. */
static struct turns_lane *
lane_of(struct turns *turns, const char *name)
{
	struct turns_lane *lane;
	size_t		slot;

	if (turns->lane_count == turns->slot_count)
		grow(turns);
	slot = slot_of(turns, name);
	for (lane = turns->slots[slot]; lane != NULL; lane = lane->next)
	{
		if (strcmp(lane->name, name) == 0)
			return lane;
	}
	lane = mem_zalloc(sizeof(struct turns_lane) + strlen(name) + 1);
	memcpy(lane->name, name, strlen(name));
	TAILQ_INIT(&lane->queue);
	lane->next = turns->slots[slot];
	turns->slots[slot] = lane;
	turns->lane_count++;
	return lane;
}

/* Forget a lane that has nothing, unless its debt is to be remembered. */
static void
forget_idle(struct turns *turns, struct turns_lane *lane)
{
	struct turns_lane **at;

	if (lane->waiting > 0 || lane->under_way > 0 || (lane->deficit < 0 && turns->lane_count < LANES_KEPT))
		return;
	at = &turns->slots[slot_of(turns, lane->name)];
	while (*at != lane)
		at = &(*at)->next;
	*at = lane->next;
	turns->lane_count--;
	free(lane);
}

/* Let a lane take part in the circle, at its end. */
static void
enter_circle(struct turns *turns, struct turns_lane *lane)
{
	if (lane->in_circle)
		return;
	TAILQ_INSERT_TAIL(&turns->circle, lane, entry);
	lane->in_circle = true;
	lane->fresh = false;
}

static void
leave_circle(struct turns *turns, struct turns_lane *lane)
{
	if (lane->in_circle)
		TAILQ_REMOVE(&turns->circle, lane, entry);
	lane->in_circle = false;
	/* nothing is saved up by who asks for nothing */
	if (lane->deficit > 0)
		lane->deficit = 0;
}

void
turns_price(const struct turns *turns, struct turn *turn, double cost)
{
	turn->cost = cost < 1 ? 1 : cost;
	if (turn->cost > turns->quantum * MOST_QUANTA)
		turn->cost = turns->quantum * MOST_QUANTA;
}

void
turns_put(struct turns *turns, struct turn *turn, const char *name, double cost)
{
	struct turns_lane *lane = lane_of(turns, name);

	turn->lane = lane;
	turns_price(turns, turn, cost);
	turn->waits = true;
	turn->under_way = false;
	TAILQ_INSERT_TAIL(&lane->queue, turn, entry);
	lane->waiting++;
	turns->waiting++;
	enter_circle(turns, lane);
}

void
turns_put_back(struct turns *turns, struct turn *turn)
{
	struct turns_lane *lane = turn->lane;

	if (turn->under_way)
		lane->under_way--;
	turn->under_way = false;
	turn->waits = true;
	lane->deficit += turn->paid;
	TAILQ_INSERT_HEAD(&lane->queue, turn, entry);
	lane->waiting++;
	turns->waiting++;
	enter_circle(turns, lane);
}

/* Take something out of its lane's queue. */
static void
unqueue(struct turns *turns, struct turn *turn)
{
	struct turns_lane *lane = turn->lane;

	TAILQ_REMOVE(&lane->queue, turn, entry);
	turn->waits = false;
	lane->waiting--;
	turns->waiting--;
	if (lane->waiting == 0)
		leave_circle(turns, lane);
}

/* Give the lane at the front its quantum, once a round. */
static void
give_quantum(const struct turns *turns, struct turns_lane *lane)
{
	if (lane->fresh)
		return;
	lane->fresh = true;
	lane->deficit += turns->quantum;
	if (lane->deficit > turns->quantum * MOST_QUANTA)
		lane->deficit = turns->quantum * MOST_QUANTA;
}

/* Let the next lane be at the front. */
static void
go_round(struct turns *turns, struct turns_lane *lane)
{
	lane->fresh = false;
	TAILQ_REMOVE(&turns->circle, lane, entry);
	TAILQ_INSERT_TAIL(&turns->circle, lane, entry);
}

/* Count the lanes whose first may go now. */
static int
count_willing(struct turns *turns, bool (*may) (void *arg, struct turn *first), void *arg)
{
	struct turns_lane *lane;
	int			count = 0;

	TAILQ_FOREACH(lane, &turns->circle, entry)
	{
		lane->willing = may == NULL || may(arg, TAILQ_FIRST(&lane->queue));
		count += lane->willing;
	}
	return count;
}

/* Take the first of a lane, which pays that much for it. */
static struct turn *
take_first(struct turns *turns, struct turns_lane *lane, double paid)
{
	struct turn *turn = TAILQ_FIRST(&lane->queue);

	lane->deficit -= paid;
	turn->paid = paid;
	unqueue(turns, turn);
	turn->under_way = true;
	lane->under_way++;
	return turn;
}

struct turn *
turns_next(struct turns *turns, bool (*may) (void *arg, struct turn *first), void *arg)
{
	struct turns_lane *lane = TAILQ_FIRST(&turns->circle);
	struct turn *first;

	/* the usual case: one asks, and nobody else */
	if (lane == NULL)
		return NULL;
	if (TAILQ_NEXT(lane, entry) == NULL)
	{
		first = TAILQ_FIRST(&lane->queue);
		if (may != NULL && !may(arg, first))
			return NULL;
		return take_first(turns, lane, 0);
	}
	if (count_willing(turns, may, arg) == 0)
		return NULL;
	for (;;)
	{
		lane = TAILQ_FIRST(&turns->circle);
		if (lane->willing)
		{
			give_quantum(turns, lane);
			first = TAILQ_FIRST(&lane->queue);
			if (lane->deficit >= first->cost)
				return take_first(turns, lane, first->cost);
		}
		go_round(turns, lane);
	}
}

void
turns_remove(struct turns *turns, struct turn *turn)
{
	struct turns_lane *lane = turn->lane;

	if (lane == NULL)
		return;
	if (turn->waits)
		unqueue(turns, turn);
	if (turn->under_way)
		lane->under_way--;
	turn->under_way = false;
	turn->lane = NULL;
	forget_idle(turns, lane);
}

void
turns_done(struct turns *turns, struct turn *turn, double more)
{
	struct turns_lane *lane = turn->lane;

	if (lane == NULL)
		return;
	lane->deficit -= more;
	if (lane->deficit < -turns->quantum * MOST_QUANTA)
		lane->deficit = -turns->quantum * MOST_QUANTA;
	turns_remove(turns, turn);
}

struct turn *
turns_any(const struct turns *turns)
{
	const struct turns_lane *lane = TAILQ_FIRST(&turns->circle);

	return lane != NULL ? TAILQ_FIRST(&lane->queue) : NULL;
}

void
turns_each(struct turns *turns, void (*visit) (void *arg, struct turn *turn), void *arg)
{
	struct turns_lane *lane = TAILQ_FIRST(&turns->circle);

	while (lane != NULL)
	{
		struct turns_lane *next_lane = TAILQ_NEXT(lane, entry);
		struct turn *turn = TAILQ_FIRST(&lane->queue);

		while (turn != NULL)
		{
			struct turn *next = TAILQ_NEXT(turn, entry);

			visit(arg, turn);
			turn = next;
		}
		lane = next_lane;
	}
}

bool
turns_may_occupy(const struct turns_lane *lane, int free_places, int most)
{
	if (free_places <= 0)
		return false;
	return lane->under_way == 0 || (free_places > 1 && lane->under_way < most);
}
