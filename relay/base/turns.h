/*
 * base/turns.h: what waits, in turn by the user who asked for it.
 *
 * Deficit round robin (Shreedhar and Varghese, 1996): each user has a lane, a queue
 * of their own; the lanes come round in a circle, and a lane whose turn it is may
 * spend a quantum, which it saves up for what costs more.  So what one user asks
 * for delays another by a quantum of each lane at most, however much waits.
 *
 * What was more expensive than it looked is charged to the lane afterwards.
 */
#ifndef RELAY_TURNS_H
#define RELAY_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct turns_lane;

/* something that waits: a member of the struct that does */
struct turn
{
	TAILQ_ENTRY(turn) entry;
	struct turns_lane *lane;	/* NULL: in none */
	double		cost;			/* estimated, at least 1 */
	double		paid;			/* of it, by its lane; nothing while no other
								 * waited */
	bool		waits;			/* in its lane's queue */
	bool		under_way;
};

TAILQ_HEAD(turn_queue, turn);

struct turns_lane
{
	struct turns_lane *next;	/* in the slot of its name */
	TAILQ_ENTRY(turns_lane) entry;	/* in the circle, while something waits */
	struct turn_queue queue;
	double		deficit;		/* what it may spend; below zero: owes */
	int			waiting;
	int			under_way;
	void	   *place;			/* the user's of this: where the last one went */
	bool		in_circle;
	bool		fresh;			/* has its quantum of this round */
	bool		willing;		/* its first may go, at the last look */
	char		name[];
};

TAILQ_HEAD(turns_circle, turns_lane);

/* zeroed, and then turns_init: empty */
struct turns
{
	struct turns_circle circle;
	struct turns_lane **slots;
	size_t		slot_count;
	size_t		lane_count;
	int			waiting;
	double		quantum;
};

void		turns_init(struct turns *turns, double quantum);
void		turns_free(struct turns *turns);

/* queue something for a name, behind or before what waits there */
void		turns_put(struct turns *turns, struct turn *turn, const char *name, double cost);
void		turns_put_back(struct turns *turns, struct turn *turn);

/* something that waits turned out to cost as much as this */
void		turns_price(const struct turns *turns, struct turn *turn, double cost);

/*
 * Take what is next; NULL where nothing may go.  may says of each lane's first
 * whether it may go now; a lane whose first may not go is passed over.  What was
 * taken is under way until turns_done.
 */
struct turn *turns_next(struct turns *turns, bool (*may) (void *arg, struct turn *first), void *arg);

/* take something out of its queue: it is not to be done any more */
void		turns_remove(struct turns *turns, struct turn *turn);

/* what was under way has ended, and cost that much more than was estimated */
void		turns_done(struct turns *turns, struct turn *turn, double more);

/* get any that waits, or NULL */
struct turn *turns_any(const struct turns *turns);

/* visit all that wait; visit may remove the one it is called with */
void		turns_each(struct turns *turns, void (*visit) (void *arg, struct turn *turn), void *arg);

/*
 * Return true if a lane may take one more of the places that are free: it has less
 * than the most, and the last free place is for one that has none.
 */
bool		turns_may_occupy(const struct turns_lane *lane, int free_places, int most);

#endif							/* RELAY_TURNS_H */
