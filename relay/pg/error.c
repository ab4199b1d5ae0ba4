/*
 * pg/error.c: what an error of PostgreSQL means, by its SQLSTATE, never by
 * its text.
 *
 * An unknown error counts as one raised by somebody's trigger: it concerns
 * the one operation that meets it, and is told to whoever made it.
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
	{SQLSTATE_STALE, {REMEDY_NONE, REJECT_STALE, CLOSE_INTERNAL}},
	{SQLSTATE_FORBIDDEN, {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_FORBIDDEN}},
	{SQLSTATE_NOT_FOUND, {REMEDY_NONE, REJECT_INVALID, CLOSE_NOT_FOUND}},
	{"OT004", {REMEDY_NONE, REJECT_CONFLICT, CLOSE_INTERNAL}},
	{"OT005", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL}},	/* out of range */
	{"OT006", {REMEDY_NONE, REJECT_TOO_LARGE, CLOSE_INTERNAL}},
	{SQLSTATE_FUTURE, {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL}},	/* base in the future */
	{"22P02", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL}},	/* malformed text */
	{"22P03", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL}},	/* malformed binary */
	{"22P05", {REMEDY_NONE, REJECT_INVALID, CLOSE_INTERNAL}},	/* U+0000, surrogates */
	{"40", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* deadlock,
																	 * serialization */
	{SQLSTATE_LOCK, {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},
	{"57014", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* statement timeout,
																		 * cancelled */
	{"0A000", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* cached plan changed */
	{SQLSTATE_UNPREPARED, {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* prepared statement
																						 * gone */
	{"42883", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* extension gone */
	{"3F000", {REMEDY_RECONNECT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* schema gone */
	{"08", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* connection */
	{"25", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* read only */
	{"53", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* out of disk, memory,
																	 * connections */
	{"54", {REMEDY_NONE, REJECT_TOO_LARGE, CLOSE_TOO_BIG}}, /* over a limit of
																 * PostgreSQL's */
	{"57", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* shutting down,
																	 * starting up */
	{"58", {REMEDY_WAIT, REJECT_UNAVAILABLE, CLOSE_RESTARTING}},	/* input and output */
	{"XX", {REMEDY_RETRY, REJECT_UNAVAILABLE, CLOSE_INTERNAL}}, /* a defect */
	{"", {REMEDY_NONE, REJECT_FORBIDDEN, CLOSE_INTERNAL}},	/* a trigger's veto */
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
		snprintf(text, size, "%s; SELECT converge.allow_relay('%s%s%s') lets the role do that",
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
