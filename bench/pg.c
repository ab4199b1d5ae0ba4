/*
 * pg.c
 *		libpq for programs that give up when a statement fails.
 */
#include "pg.h"

#include "common.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PARAMS 8

/* Notices are for people at psql. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

PGconn *
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

/* The one that the functions with a list of arguments share. */
static PGresult *
query(PGconn *conn, const char *sql, va_list args)
{
	const char *values[MAX_PARAMS];
	int			count = 0;
	PGresult   *result;

	while (count < MAX_PARAMS && (values[count] = va_arg(args, const char *)) != NULL)
		count++;
	result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
	pg_check(conn, result, sql);
	return result;
}

PGresult *
pg_query(PGconn *conn, const char *sql,...)
{
	va_list		args;
	PGresult   *result;

	va_start(args, sql);
	result = query(conn, sql, args);
	va_end(args);
	return result;
}

/* Copy the first value out of a result and clear it. */
static char *
first_value(PGresult *result, const char *sql)
{
	char	   *value;

	if (PQntuples(result) < 1 || PQnfields(result) < 1)
		die("no row: %s", sql);
	value = xstrdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	return value;
}

char *
pg_value(PGconn *conn, const char *sql,...)
{
	va_list		args;
	char	   *value;

	va_start(args, sql);
	value = first_value(query(conn, sql, args), sql);
	va_end(args);
	return value;
}

double
pg_number(PGconn *conn, const char *sql,...)
{
	va_list		args;
	char	   *value;
	double		number;

	va_start(args, sql);
	value = first_value(query(conn, sql, args), sql);
	va_end(args);
	number = strtod(value, NULL);
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
