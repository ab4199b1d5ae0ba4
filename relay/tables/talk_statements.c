/*
 * tables/talk_statements.c: the statements of comments, suggestions and chat.
 */
#include "tables/talk_statements.h"

/* The call first; what it has written is asked about after that. */
#define CALL(call, ids) \
	"WITH done AS MATERIALIZED (SELECT 1 AS n FROM converge." call ")" \
	" SELECT event FROM done, LATERAL converge.talk_answer($1::uuid, CASE done.n WHEN 1 THEN " ids " END) AS event"

/* *INDENT-OFF* */
const struct pg_statement talk_statements[TALK_STATEMENT_COUNT] = {
	{"talk_comment", CALL("comment($1::uuid, $4::text, $5::bigint, $6::bigint, $7::bigint, $3::uuid, $2::uuid)",
		"ARRAY[$3::uuid, $2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_reply", CALL("reply($1::uuid, $3::uuid, $4::text, $2::uuid)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_edit", CALL("edit_comment($1::uuid, $2::uuid, $3::text)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_delete", CALL("delete_comment($1::uuid, $2::uuid)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_resolve", CALL("resolve_thread($1::uuid, $2::uuid, $3::boolean)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_suggest", CALL("suggest($1::uuid, $3::bigint, $4::text::converge.op, $5::text, $2::uuid)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_withdraw", CALL("withdraw_suggestion($1::uuid, $2::uuid)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_decide", CALL("decide_suggestion($1::uuid, $2::uuid, $3::boolean)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_decide_all", "WITH done AS MATERIALIZED (SELECT count(*) AS n FROM converge.decide_suggestions($1::uuid, $2::uuid[], $3::boolean))"
		" SELECT event FROM done, LATERAL converge.talk_answer($1::uuid, CASE WHEN done.n >= 0 THEN $2::uuid[] END) AS event", HISTOGRAM_PG_CALL},
	{"talk_say", CALL("say($1::uuid, $3::text, $2::uuid)", "ARRAY[$2::uuid]"), HISTOGRAM_PG_CALL},
	{"talk_numbers", "SELECT doc_id, changed FROM converge.talk_numbers($1::uuid[])", HISTOGRAM_PG_CALL},
};
/* *INDENT-ON* */
