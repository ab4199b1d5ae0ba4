/*
 * pg/error.h: maps PostgreSQL errors to what the relay does and tells its client.
 */
#ifndef RELAY_PG_ERROR_H
#define RELAY_PG_ERROR_H

#include "wire/protocol.h"

#include <libpq-fe.h>

/* what to do with the statement */
enum pg_remedy
{
	REMEDY_NONE,				/* it would fail again: report it */
	REMEDY_RETRY,				/* a conflict in this document: retry it */
	REMEDY_WAIT,				/* PostgreSQL is in trouble: try everything
								 * again later */
	REMEDY_RECONNECT			/* the session's state is stale: connect anew,
								 * try again */
};

struct pg_failure
{
	enum pg_remedy remedy;
	enum reject_code code;		/* for an operation that caused it */
	enum close_code close;		/* for a join that caused it */
	int			status;			/* of HTTP, for a call that caused it */
};

#define SQLSTATE_FUTURE		"OT007"
#define SQLSTATE_STALE		"OT001"
#define SQLSTATE_FORBIDDEN	"OT002"
#define SQLSTATE_NOT_FOUND	"OT003"
#define SQLSTATE_CANCELLED "57014"
#define SQLSTATE_LOCK		"55P03"
#define SQLSTATE_UNPREPARED	"26000"
#define SQLSTATE_PRIVILEGE	"42501"

const char *pg_sqlstate(const PGresult *result);
const char *pg_message(const PGresult *result);

/* write an error's text for the log; for a missing privilege, with the call that grants it */
void		pg_explain(const PGconn *conn, const PGresult *result, char *text, size_t size);
struct pg_failure pg_classify(const char *sqlstate);

#endif							/* RELAY_PG_ERROR_H */
