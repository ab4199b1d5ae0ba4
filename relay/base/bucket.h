/*
 * base/bucket.h: a token bucket that may be overdrawn, and what the overdraft
 * means: first the reading slows down, then operations are rejected, then the
 * connection ends.
 */
#ifndef RELAY_BUCKET_H
#define RELAY_BUCKET_H

#include <stdint.h>

enum flow
{
	FLOW_FREE,
	FLOW_SLOW,					/* read nothing for a while */
	FLOW_REJECT,				/* ... and take no operation */
	FLOW_FLOOD					/* enough: close */
};

/* tokens come at a rate a second, up to the burst; a rate of 0 is no limit */
struct bucket_size
{
	int			rate;
	int			burst;
};

/* all zero is a full one */
struct bucket
{
	double		spent;			/* below full; more than the burst is debt */
	int64_t		at_ms;
};

enum flow	bucket_take(struct bucket *bucket, const struct bucket_size *size, double cost, int64_t now_ms);
int			bucket_wait_ms(const struct bucket *bucket, const struct bucket_size *size);

#endif							/* RELAY_BUCKET_H */
