/*
 * base/errors.h
 *		The SQLSTATEs of the extension, class OT; doc/errors.md documents them.
 */
#ifndef CVG_ERRORS_H
#define CVG_ERRORS_H

#include "postgres.h"

/* PostgreSQL 18 has this name for what stands in front, and not the older one. */
#ifndef pg_noreturn
#define pg_noreturn				pg_attribute_noreturn()
#endif

#define CVG_SQLSTATE(n)			MAKE_SQLSTATE('O', 'T', '0', '0', (n))
#define ERRCODE_CVG_STALE				CVG_SQLSTATE('1')	/* base below the floor */
#define ERRCODE_CVG_FORBIDDEN			CVG_SQLSTATE('2')	/* the role does not
															 * allow it */
#define ERRCODE_CVG_NO_DOCUMENT			CVG_SQLSTATE('3')	/* no such document */
#define ERRCODE_CVG_OP_ID_CONFLICT		CVG_SQLSTATE('4')	/* the op id names
															 * another op */
#define ERRCODE_CVG_OUT_OF_RANGE		CVG_SQLSTATE('5')	/* past the document's
															 * end */
#define ERRCODE_CVG_TOO_LARGE			CVG_SQLSTATE('6')	/* over a limit */
#define ERRCODE_CVG_FUTURE_BASE			CVG_SQLSTATE('7')	/* base above the head */
#define ERRCODE_CVG_VETOED				CVG_SQLSTATE('8')	/* a trigger on ops said
															 * no */
#define ERRCODE_CVG_TOO_OFTEN			CVG_SQLSTATE('9')	/* wrong passwords, in
															 * SQL */

#endif							/* CVG_ERRORS_H */
