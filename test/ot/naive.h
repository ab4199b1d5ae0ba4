/*
 * naive.h
 *		A second implementation of the algebra, as plain as it can be written.
 *
 * A document is an array of code points.  An op is an array of units, one for
 * each character it retains, deletes or inserts, without retains at its end; so
 * two ops are equal exactly when their units are, and there is nothing to merge
 * and nothing to split.  It shares no code with the core.
 */
#ifndef CONVERGE_TEST_NAIVE_H
#define CONVERGE_TEST_NAIVE_H

#include "../../src/ot/ot.h"
#include "support.h"

typedef struct NaiveUnit
{
	char		kind;			/* 'r'etain, 'd'elete, 'i'nsert */
	uint32_t	cp;				/* of an insert */
} NaiveUnit;

typedef struct NaiveOp
{
	NaiveUnit  *units;
	int			count;
	int			capacity;
} NaiveOp;

typedef struct NaiveText
{
	uint32_t   *cps;
	int			count;
	int			capacity;
} NaiveText;

extern void naive_op_free(NaiveOp *op);
extern void naive_text_free(NaiveText *text);

extern void naive_clear(NaiveOp *op);
extern void naive_add(NaiveOp *op, char kind, uint32_t cp);

/* Drop the retains at the end. */
extern void naive_trim(NaiveOp *op);
extern void naive_copy(NaiveOp *to, const NaiveOp *from);
extern bool naive_equal(const NaiveOp *a, const NaiveOp *b);

/* The length of a document of `length` cp after the op. */
extern int	naive_length_after(const NaiveOp *op, int length);

extern void naive_transform(const NaiveOp *op, const NaiveOp *over, OtSide side, NaiveOp *out);
extern void naive_compose(const NaiveOp *first, const NaiveOp *second, NaiveOp *out);
extern void naive_invert(const NaiveOp *op, const NaiveText *document, NaiveOp *out);
extern int	naive_position(int position, const NaiveOp *over, OtSide side);
extern void naive_apply(const NaiveText *document, const NaiveOp *op, NaiveText *out);

/* The packed form, by an encoder of its own; and a text's UTF-8. */
extern void naive_pack(const NaiveOp *op, OtBuffer *out);
extern void naive_utf8(const NaiveText *text, OtBuffer *out);

/* ---- random documents and ops ---- */

typedef struct NaiveShape
{
	int			document;		/* longest document */
	int			insert;			/* longest insert */
	int			run;			/* longest retain or delete made at once */
} NaiveShape;

extern uint32_t naive_random_cp(Random *random);
extern void naive_random_text(Random *random, int length, NaiveText *out);

/* An op on a document of `length` cp. */
extern void naive_random_op(Random *random, const NaiveShape *shape, int length, NaiveOp *out);

#endif							/* CONVERGE_TEST_NAIVE_H */
