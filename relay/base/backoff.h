/*
 * base/backoff.h: how long to wait before the next attempt.
 */
#ifndef RELAY_BACKOFF_H
#define RELAY_BACKOFF_H

/* no pause is longer than the first one doubled so often */
#define BACKOFF_DOUBLINGS 6

/* Get the pause after a number of attempts: each is twice as long as the one before. */
static inline unsigned
backoff(unsigned first, unsigned attempts)
{
	return first << (attempts < BACKOFF_DOUBLINGS ? attempts : BACKOFF_DOUBLINGS);
}

#endif							/* RELAY_BACKOFF_H */
