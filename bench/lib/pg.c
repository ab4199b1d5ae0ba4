/*
 * lib/pg.c
 *		libpq for programs that give up when a statement fails.
 */
#include "lib/pg.h"

#include "lib/common.h"

#include <stdlib.h>
#include <string.h>

/* Notices are for people at psql. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

PGconn	   *
pg_connect(const char *conninfo)
{
	PGconn	   *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK)
		die("%s", PQerrorMessage(conn));
	PQsetNoticeProcessor(conn, ignore_notice, NULL);
	return conn;
}

void
pg_check(PGconn *conn, const PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		die("%s\n%s", what, PQerrorMessage(conn));
}

void
pg_run(PGconn *conn, const char *sql)
{
	PGresult   *result = PQexec(conn, sql);

	pg_check(conn, result, sql);
	PQclear(result);
}

PGresult   *
pg_query_values(PGconn *conn, const char *sql, const char *const *values)
{
	int			count = 0;
	PGresult   *result;

	while (values[count] != NULL)
		count++;
	result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
	pg_check(conn, result, sql);
	return result;
}

/* Copy the first value out of a result and clear it. */
char	   *
pg_take_value(PGresult *result, const char *sql)
{
	char	   *value;

	if (PQntuples(result) < 1 || PQnfields(result) < 1)
		die("no row: %s", sql);
	value = xstrdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	return value;
}

/* The same as a number. */
double
pg_take_number(PGresult *result, const char *sql)
{
	char	   *value = pg_take_value(result, sql);
	double		number = strtod(value, NULL);

	free(value);
	return number;
}

void
pg_prepare(PGconn *conn, const char *name, const char *sql)
{
	PGresult   *result = PQprepare(conn, name, sql, 0, NULL);

	pg_check(conn, result, sql);
	PQclear(result);
}

void
pg_put_int64(uint8_t out[8], int64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t) ((uint64_t) value >> (56 - 8 * i));
}

int64_t
pg_get_int64(const char *in)
{
	uint64_t	value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (uint8_t) in[i];
	return (int64_t) value;
}
