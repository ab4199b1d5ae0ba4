/*
 * lib/least.c
 *		The least durable work, as a yardstick.
 */
#include "lib/least.h"

#include <stddef.h>

const char	least_statement[] =
"WITH head AS ("
" UPDATE least.heads SET version = version + 1, seq = version + 1,"
"  length = length + 1, updated_at = now()"
" WHERE doc_id = $1 RETURNING version)"
" INSERT INTO least.ops (doc_id, version, seq, op_id, user_id, base_version, op,"
"  created_at, submitted_hash)"
" SELECT $1, version, version, $2, $3, $4, $5, now(), 1 FROM head"
" RETURNING version";

void
least_create(PGconn *conn)
{
	pg_run(conn,
		   "DROP SCHEMA IF EXISTS least CASCADE;"
		   "CREATE SCHEMA least;"
		   "CREATE TABLE least.heads ("
		   " doc_id uuid PRIMARY KEY, version bigint NOT NULL, seq bigint NOT NULL,"
		   " length bigint NOT NULL, floor_version bigint NOT NULL,"
		   " snapshot_version bigint NOT NULL, log_bytes bigint NOT NULL,"
		   " updated_at timestamptz NOT NULL) WITH (fillfactor = 50);"
		   "CREATE TABLE least.ops ("
		   " doc_id uuid NOT NULL, version bigint NOT NULL, seq bigint NOT NULL,"
		   " base_version bigint NOT NULL, created_at timestamptz NOT NULL,"
		   " op_id uuid NOT NULL, submitted_hash int NOT NULL, user_id text NOT NULL,"
		   " op text NOT NULL,"
		   " PRIMARY KEY (doc_id, version), UNIQUE (doc_id, op_id));"
		   "CREATE TABLE least.statement (sql text NOT NULL);"
		   "INSERT INTO least.heads SELECT doc_id, 0, 0, 0, 0, 0, 0, now() FROM converge.heads");
	PQclear(pg_query(conn, "INSERT INTO least.statement VALUES ($1)", least_statement, NULL));
}
