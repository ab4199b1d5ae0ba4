/*
 * lib/least.h
 *		The least durable work that anybody who keeps an edit must do, as a
 *		yardstick: one UPDATE of a narrow row by its primary key, one INSERT into a
 *		table with a primary key and one unique index, one commit, as one prepared
 *		statement.  Its tables have the columns of converge.heads and converge.ops,
 *		so that the rows are of one size.
 */
#ifndef BENCH_LEAST_H
#define BENCH_LEAST_H

#include "lib/pg.h"

/* $1 document, $2 operation id, $3 user, $4 base version, $5 op; gives the version. */
extern const char least_statement[];

/* Make schema least, anew, with a row for each document of converge.heads. */
extern void least_create(PGconn *conn);

#endif							/* BENCH_LEAST_H */
