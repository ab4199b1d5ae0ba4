/*
 * type/op_type.h
 *		Ops as datums of the SQL type.
 */
#ifndef CVG_OP_TYPE_H
#define CVG_OP_TYPE_H

#include "postgres.h"

#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "ot/ot.h"

/* The core's memory: palloc in the current context. */
extern const OtAllocator cvg_allocator;

/* The packed op inside a detoasted datum. */
static inline OtOp
cvg_op_of(const struct varlena *datum)
{
	OtOp		op = {(const uint8_t *) VARDATA_ANY(datum), VARSIZE_ANY_EXHDR(datum)};

	return op;
}

#define PG_GETARG_CVG_OP(n)		cvg_op_of(PG_GETARG_VARLENA_PP(n))

/* Start a buffer that will become a datum, and make it one. */
extern void cvg_datum_begin(OtBuffer *buffer);
extern Datum cvg_datum_finish(OtBuffer *buffer);

/* A datum that is a copy of a packed op. */
extern Datum cvg_op_datum(OtOp op);

/* Raise the error that a status stands for; returns when it is OT_OK. */
extern void cvg_check_status(OtStatus status);

#endif							/* CVG_OP_TYPE_H */
