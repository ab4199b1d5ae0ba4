/*
 * tables/reader_statements.c: the statements that read from the tables, and their
 * parameters.
 */
#include "tables/reader_state.h"

#include <stdio.h>

/* stands in a backfill for an operation that is not known */
#define NO_UUID "00000000-0000-0000-0000-000000000000"

const struct pg_statement reader_statements[] = {
	[REQUEST_JOIN] = {"join",
		"SELECT role, title, version, seq, operation_id, resumed, snapshot, life, pending_known, pending_version, bytes"
		" FROM converge.join_document($1::text, $2::uuid,"
		" CASE WHEN $5::bigint IS NULL OR converge.has_version($2::uuid, $3::bigint, $4::uuid, $5::bigint, $6::uuid) IS NOT FALSE THEN $3::bigint END,"
	" $4::uuid, $6::uuid, $7::uuid, $8::bigint)", HISTOGRAM_PG_JOIN},
	[REQUEST_CATCH_UP] = {"catch_up",
		"SELECT $1::uuid, r.ours, c.from_version, c.version, c.seq, c.operation_id,"
		" CASE WHEN ($4::text IS NULL OR r.role IS NOT NULL) AND c.bytes <= $9::bigint THEN c.frame END, $8::uuid, c.composed,"
		" CASE WHEN $4::text IS NULL OR r.role IS NOT NULL THEN c.bytes END"
		" FROM (SELECT converge.role_in($4::text, $1::uuid) AS role, converge.has_version($1::uuid, $5::bigint, $6::uuid, $7::bigint, $8::uuid) AS ours OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT f.from_version, f.version, f.seq, f.operation_id, f.frame, f.composed, sum(f.bytes) OVER () AS bytes"
		" FROM converge.catch_up($1::uuid, $2::bigint, $3::uuid, $9::bigint) AS f WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_CATCH_UP},
	[REQUEST_BACKFILL] = {"sweep",
		"SELECT r.doc, r.ours, c.from_version, c.version, c.seq, c.operation_id,"
		" CASE WHEN sum(c.bytes) OVER (ROWS UNBOUNDED PRECEDING) <= $7::bigint THEN c.frame END, r.life, c.composed"
		" FROM (SELECT doc, head, life, converge.has_version(doc, version, nullif(id, '" NO_UUID "'::uuid), seq, life) AS ours"
		" FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::uuid[])"
		" AS u (doc, head, version, id, seq, life) OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT * FROM converge.catch_up(r.doc, r.head, NULL::uuid, $7::bigint) WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_BACKFILL},
	[REQUEST_ROLES] = {"roles", "SELECT role FROM converge.settled_roles($1::uuid, $2::text[]) ORDER BY ord", HISTOGRAM_PG_ROLES},
	[REQUEST_CHECKSUM] = {"checksum", "SELECT converge.checksum($1::uuid, $2::bigint, $3::uuid)", HISTOGRAM_PG_CHECKSUM},
	PG_PROBE_STATEMENT,
};

const int	reader_statement_count = sizeof(reader_statements) / sizeof(reader_statements[0]);

/* Add the parameters of a request; the texts are the caller's. */
void
reader_put_params(struct pg_params *params, struct request *r, struct param_texts *t)
{
	uuid_format(&r->doc, t->doc);
	uuid_format(&r->id, t->id);
	uuid_format(&r->known.id, t->known_id);
	uuid_format(&r->known.life, t->life);
	uuid_format(&r->pending, t->pending);
	snprintf(t->version, sizeof(t->version), "%lld", (long long) r->version);
	snprintf(t->known_version, sizeof(t->known_version), "%lld", (long long) r->known.version);
	snprintf(t->known_seq, sizeof(t->known_seq), "%lld", (long long) r->known.sequence_id);
	snprintf(t->room, sizeof(t->room), "%zu", r->room);
	switch (r->kind)
	{
		case REQUEST_JOIN:
			pg_param_text(params, r->user);
			pg_param_text(params, t->doc);
			pg_param_text(params, r->has_version ? t->version : NULL);
			pg_param_text(params, r->has_id ? t->id : NULL);
			pg_param_text(params, r->has_version && r->known.sequence_id >= 0 ? t->known_seq : NULL);
			pg_param_text(params, r->has_life ? t->life : NULL);
			pg_param_text(params, r->has_pending ? t->pending : NULL);
			pg_param_text(params, t->room);
			break;
		case REQUEST_CATCH_UP:
			pg_param_text(params, t->doc);
			pg_param_text(params, t->version);
			pg_param_text(params, r->has_id ? t->id : NULL);
			pg_param_text(params, r->user);
			pg_param_text(params, t->known_version);
			pg_param_text(params, r->known.has_id ? t->known_id : NULL);
			pg_param_text(params, t->known_seq);
			pg_param_text(params, t->life);
			pg_param_text(params, t->room);
			break;
		case REQUEST_ROLES:
			pg_param_text(params, t->doc);
			pg_param_binary(params, r->arrays[0].data, r->arrays[0].len);
			break;
		case REQUEST_CHECKSUM:
			pg_param_text(params, t->doc);
			pg_param_text(params, t->version);
			pg_param_text(params, t->life);
			break;
		case REQUEST_BACKFILL:
			for (int i = 0; i < BACKFILL_ARRAYS; i++)
				pg_param_binary(params, r->arrays[i].data, r->arrays[i].len);
			pg_param_text(params, t->room);
			break;
	}
}
