/*
 * base/bucket.c: a token bucket that may be overdrawn.
 *
 * The debt is bounded by the one who acts on it: reading pauses as long as
 * there is any, but never long, so that a client is told and not left hanging;
 * one that goes on sends itself through the levels.
 */
#include "base/bucket.h"

#include <limits.h>

/* debts, in bursts, from which operations are rejected and the connection ends */
#define REJECT_BURSTS 1
#define FLOOD_BURSTS 4

/* Take what something costs; tells what the debt means. */
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

/* Tell how long it takes until the debt is paid. */
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
