/*
 * pg/error.c: maps a PostgreSQL error to its meaning, by its SQLSTATE, never by
 * its text.
 *
 * An unknown error counts as raised by a user's trigger: it concerns only the
 * operation that caused it, and is sent to that operation's author.
 */
#include "pg/error.h"

#include <stdio.h>
#include <string.h>

static const struct
{
	const char *prefix;			/* of the SQLSTATE; the first row that fits
								 * counts */
	struct pg_failure failure;
}			failures[] =

{
	{"08", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* connection */
	{"0A000", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 501}},	/* cached plan changed;
																				 * not there, such as
																				 * pgcrypto */
	{"22P02", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL, 400}},	/* malformed text */
	{"22P03", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL, 400}},	/* malformed binary */
	{"22P05", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL, 400}},	/* U+0000, surrogates */
	{"22", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 400}},	/* what was given is not
																	 * what it must be */
	{"23502", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 422}},	/* a constraint that
																		 * others added: null */
	{"23514", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 422}},	/* ... or a value that
																		 * it does not allow */
	{"23", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 409}},	/* taken, or referenced
																	 * by another table */
	{"25", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* read only */
	{SQLSTATE_UNPREPARED, {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 403}},	/* prepared statement
																							 * gone */
	{"3F000", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 500}},	/* schema gone */
	{"3F", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 500}},	/* the schema is another
																	 * one */
	{"40", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* deadlock,
																		 * serialization */
	{SQLSTATE_PRIVILEGE, {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 403}}, /* privileges */
	{"42704", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 404}},	/* no such user */
	{"42883", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 500}},	/* extension gone */
	{"42", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 500}},	/* the extension is
																	 * another one */
	{"53", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* out of disk, memory,
																		 * connections */
	{"54", {REMEDY_NONE, REJECT_TOO_LARGE, CLOSE_TOO_BIG, 413}},	/* over a limit of
																	 * PostgreSQL's */
	{"55000", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 409}},	/* undone already */
	{SQLSTATE_LOCK, {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}}, /* a lock that was not
																				 * given */
	{"57014", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* statement timeout,
																			 * cancelled */
	{"57", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* shutting down,
																		 * starting up */
	{"58", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING, 503}},	/* input and output */
	{SQLSTATE_STALE, {REMEDY_NONE, REJECT_STALE, CLOSE_INTERNAL, 409}}, /* the version is
																		 * forgotten */
	{SQLSTATE_FORBIDDEN, {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_FORBIDDEN, 403}},	/* the role does not
																					 * allow it */
	{SQLSTATE_NOT_FOUND, {REMEDY_NONE, REJECT_INVALID, CLOSE_NOT_FOUND, 404}},	/* no such document */
	{"OT004", {REMEDY_NONE, REJECT_CONFLICT, CLOSE_INTERNAL, 409}}, /* the id names another
																	 * operation */
	{"OT005", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL, 422}},	/* out of range */
	{"OT006", {REMEDY_NONE, REJECT_TOO_LARGE, CLOSE_INTERNAL, 413}},	/* too large */
	{SQLSTATE_FUTURE, {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL, 409}},	/* a version that does
																			 * not exist yet */
	{"OT008", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 403}},	/* a trigger's veto */
	{"OT009", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 429}},	/* too many wrong
																		 * passwords */
	{"P0002", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 404}},	/* no such operation */
	{"XX", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_INTERNAL, 500}},	/* a defect */
	{"", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL, 403}}, /* an error that a
																 * trigger raised */
};

#define FAILURE_COUNT (sizeof(failures) / sizeof(failures[0]))

/* Get the SQLSTATE of a failed statement. */
const char *
pg_sqlstate(const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return sqlstate != NULL ? sqlstate : "XX000";
}

/* Get the sentence that says what failed. */
const char *
pg_message(const PGresult *result)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	return message != NULL ? message : "PostgreSQL failed";
}

/*
 * Say what failed. The relay's role gets all its rights from one call: those on functions,
 * and, where the server lists the output plugins that a role may use, that plugin.
 */
void
pg_explain(const PGconn *conn, const PGresult *result, char *text, size_t size)
{
	const char *role = PQuser(conn);
	const char *quote = strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(role) ? "" : "\"";

	if (strcmp(pg_sqlstate(result), SQLSTATE_PRIVILEGE) != 0)
		snprintf(text, size, "%s", PQresultErrorMessage(result));
	else
		snprintf(text, size, "%s; SELECT converge.allow_relay('%s%s%s') grants the missing privilege",
				 pg_message(result), quote, role, quote);
}

/* Look up what an error means. */
struct pg_failure
pg_classify(const char *sqlstate)
{
	size_t		row = 0;

	while (row < FAILURE_COUNT - 1 && strncmp(sqlstate, failures[row].prefix, strlen(failures[row].prefix)) != 0)
		row++;
	return failures[row].failure;
}
