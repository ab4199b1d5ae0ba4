/*
 * lib/pg.h
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

/*
 * Run one statement with text parameters, the last of which is followed by NULL;
 * the result is checked.
 */
#define pg_query(conn, sql, ...) \
	pg_query_values(conn, sql, (const char *const[]) {__VA_ARGS__})
/* Its first value, to be freed; or as a number. */
#define pg_value(conn, sql, ...) \
	pg_take_value(pg_query(conn, sql, __VA_ARGS__), sql)
#define pg_number(conn, sql, ...) \
	pg_take_number(pg_query(conn, sql, __VA_ARGS__), sql)

extern PGresult *pg_query_values(PGconn *conn, const char *sql, const char *const *values);
extern char *pg_take_value(PGresult *result, const char *sql);
extern double pg_take_number(PGresult *result, const char *sql);
extern void pg_prepare(PGconn *conn, const char *name, const char *sql);

/* Give up unless the result is a success. */
extern void pg_check(PGconn *conn, const PGresult *result, const char *what);

/* Network byte order, for binary parameters and results. */
extern void pg_put_int64(uint8_t out[8], int64_t value);
extern int64_t pg_get_int64(const char *in);

#endif							/* BENCH_PG_H */
