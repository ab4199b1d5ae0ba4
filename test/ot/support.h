/*
 * support.h
 *		What the tests share: the core's functions from JSON text to JSON text,
 *		and reproducible randomness.
 *
 * The texts live until support_release(), which the runner calls after each test.
 * A function that fails returns the name of its status in place of the text.
 */
#ifndef CONVERGE_TEST_SUPPORT_H
#define CONVERGE_TEST_SUPPORT_H

#include "../../src/ot/ot.h"

extern const char *status_name(OtStatus status);

/* Memory that support_release() frees. */
extern void *support_keep(size_t size);
extern void support_release(void);

/* The op a JSON text is; the program ends when it is none. */
extern OtOp op_of(const char *json);

/* An op's JSON text; "not in normal form" when ot_check() does not take it. */
extern const char *json_of(OtOp op);

/* A buffer's bytes as a string. */
extern const char *text_of(const OtBuffer *buffer);

extern const char *parsed(const char *json);
extern const char *transformed(const char *op, const char *over, OtSide side);
extern const char *composed(const char *first, const char *second);
extern const char *applied(const char *document, const char *op);
extern const char *inverted(const char *op, const char *document);
extern long long position_after(long long position, const char *over, OtSide side);

/* ---- randomness (splitmix64): one seed, one sequence, on every machine ---- */

typedef struct Random
{
	uint64_t	state;
} Random;

extern uint64_t random_next(Random *random);

/* From 0 to bound - 1. */
extern int	random_below(Random *random, int bound);

/* An environment variable that is a number, or its default. */
extern uint64_t setting(const char *name, uint64_t otherwise);

#endif							/* CONVERGE_TEST_SUPPORT_H */
