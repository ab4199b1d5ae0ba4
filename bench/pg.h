/*
 * pg.h
 *		libpq for programs that give up when a statement fails.
 */
#ifndef BENCH_PG_H
#define BENCH_PG_H

#include <libpq-fe.h>
#include <stdint.h>

/* Connect, or give up.  conninfo may be empty: the environment then tells. */
extern PGconn *pg_connect(const char *conninfo);
/* Run statements without rows that matter. */
extern void pg_run(PGconn *conn, const char *sql);
/* Run one statement with text parameters, NULL-terminated; its result is checked. */
extern PGresult *pg_query(PGconn *conn, const char *sql,...) __attribute__((sentinel));
/* Its first value, to be freed. */
extern char *pg_value(PGconn *conn, const char *sql,...) __attribute__((sentinel));
extern double pg_number(PGconn *conn, const char *sql,...) __attribute__((sentinel));
extern void pg_prepare(PGconn *conn, const char *name, const char *sql);
/* Give up unless the result is a success. */
extern void pg_check(PGconn *conn, const PGresult *result, const char *what);

/* Network byte order, for binary parameters and results. */
extern void pg_put_int64(uint8_t out[8], int64_t value);
extern int64_t pg_get_int64(const char *in);

#endif							/* BENCH_PG_H */
