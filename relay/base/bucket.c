/*
 * base/bucket.c: a token bucket that may be overdrawn.
 *
 * The caller bounds the debt: it stops reading from a client in debt, but only
 * for short pauses, so that the client still gets answers. A client that keeps
 * sending reaches the next level.
 */
#include "base/bucket.h"

#include <limits.h>

/* debts, in bursts, from which operations are rejected and the connection ends */
#define REJECT_BURSTS 1
#define FLOOD_BURSTS 4

/* Charge a cost to the bucket; return what its debt means. */
enum flow
bucket_take(struct bucket *bucket, const struct bucket_size *size, double cost, int64_t now_ms)
{
	double		debt;

	if (size->rate == 0)
		return FLOW_FREE;
	bucket->spent -= (double) (now_ms - bucket->at_ms) * size->rate / 1000;
	if (bucket->spent < 0)
		bucket->spent = 0;
	bucket->at_ms = now_ms;
	bucket->spent += cost;
	debt = bucket->spent - size->burst;
	if (debt <= 0)
		return FLOW_FREE;
	if (debt <= (double) REJECT_BURSTS * size->burst)
		return FLOW_SLOW;
	return debt <= (double) FLOOD_BURSTS * size->burst ? FLOW_REJECT : FLOW_FLOOD;
}

/* Return how long it takes until the debt is paid. */
int
bucket_wait_ms(const struct bucket *bucket, const struct bucket_size *size)
{
	double		debt = bucket->spent - size->burst;
	double		wait;

	if (size->rate == 0 || debt <= 0)
		return 0;
	wait = debt * 1000 / size->rate + 1;
	return wait < INT_MAX ? (int) wait : INT_MAX;
}
