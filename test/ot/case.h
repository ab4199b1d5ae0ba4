/*
 * case.h
 *		Random cases for the laws: making them, comparing results, telling what broke.
 *
 *		OT_SEED=n OT_CASES=n PROGRAM
 *
 * One seed makes one sequence of cases.  The first case that breaks a law is
 * printed with its ops and ends the program.
 */
#ifndef CONVERGE_TEST_CASE_H
#define CONVERGE_TEST_CASE_H

#include "naive.h"

/* The ops of a case: x and b1 on the document, b2 after b1, b3 after b2. */
enum
{
	X, B1, B2, B3, OPS
};

typedef struct Case
{
	const char *family;
	uint64_t	number;
	uint64_t	seed;
	Random		random;
	NaiveShape	shape;
	NaiveText	document;
	NaiveOp		ops[OPS];
	OtBuffer	packed[OPS];
	OtBuffer	utf8;			/* the document's */
} Case;

/* Cases of one shape, which one function checks. */
typedef struct Family
{
	const char *name;
	void		(*check) (Case *c);
	NaiveShape	shape;
	int			share;			/* of OT_CASES it takes one in so many */
} Family;

/* Run all families; what main() returns. */
extern int	case_run(const Family *families, size_t count);

extern OtOp case_op(const Case *c, int which);

/* A call that must not fail. */
extern void case_must(Case *c, OtStatus status, const char *what);

/* Two results that must be the same bytes, ops or texts. */
extern void case_same(Case *c, const OtBuffer *got, const OtBuffer *want, const char *law);

/* A result that must be what the naive model says. */
extern void case_as_model(Case *c, const OtBuffer *got, const NaiveOp *model, const char *law);

/* Say which law broke, on what, and end. */
extern void case_broken(Case *c, const char *law);

/* A buffer with room for a new result. */
extern OtBuffer *case_fresh(OtBuffer *buffer);

#endif							/* CONVERGE_TEST_CASE_H */
