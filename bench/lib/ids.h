/*
 * lib/ids.h
 *		Operation ids that count up: a random session part and a counter, as
 *		version 8 UUIDs.  They keep an index on them local, and say which edit of
 *		a session they name.  Beside them, for comparison, such that do neither.
 */
#ifndef BENCH_IDS_H
#define BENCH_IDS_H

#include <stdint.h>

#define ID_SIZE 37				/* with the terminating zero */

typedef struct IdSession
{
	uint8_t		random[10];
} IdSession;

extern void ids_start(IdSession *session);

/* The id of edit `number` (below 2^48), in 36 characters. */
extern void ids_format(const IdSession *session, uint64_t number, char *out);

/* The same in its 16 bytes. */
extern void ids_binary(const IdSession *session, uint64_t number, uint8_t out[16]);

/* An id that continues nothing: 122 random bits, as a version 4 UUID. */
extern void ids_random(char *out);

/* The number in an id made here. */
extern uint64_t ids_number(const char *id);

#endif							/* BENCH_IDS_H */
