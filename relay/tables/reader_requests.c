/*
 * tables/reader_requests.c: what may be asked of the tables: the statements, their
 * parameters, and the asking.
 */
#include "tables/reader_state.h"

#include "pg/array.h"

#include <stdio.h>
#include <string.h>

/* stands in a sweep for an operation that is not known */
#define NO_UUID "00000000-0000-0000-0000-000000000000"

const struct pg_statement reader_statements[] = {
	[REQUEST_JOIN] = {"join",
		"SELECT role, title, version, seq, operation_id, resumed, snapshot, life, pending_known, pending_version"
		" FROM converge.join_document($1::text, $2::uuid,"
		" CASE WHEN $5::bigint IS NULL OR converge.has_version($2::uuid, $3::bigint, $4::uuid, $5::bigint, $6::uuid) IS NOT FALSE THEN $3::bigint END,"
	" $4::uuid, $6::uuid, $7::uuid)", HISTOGRAM_PG_JOIN},
	[REQUEST_CATCH_UP] = {"catch_up",
		"SELECT $1::uuid, r.ours, c.from_version, c.version, c.seq, c.operation_id,"
		" CASE WHEN $4::text IS NULL OR r.role IS NOT NULL THEN c.frame END, $8::uuid"
		" FROM (SELECT converge.role_in($4::text, $1::uuid) AS role, converge.has_version($1::uuid, $5::bigint, $6::uuid, $7::bigint, $8::uuid) AS ours OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT * FROM converge.catch_up($1::uuid, $2::bigint, $3::uuid) WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_CATCH_UP},
	[REQUEST_SWEEP] = {"sweep",
		"SELECT r.doc, r.ours, c.from_version, c.version, c.seq, c.operation_id, c.frame, r.life"
		" FROM (SELECT doc, head, life, converge.has_version(doc, version, nullif(id, '" NO_UUID "'::uuid), seq, life) AS ours"
		" FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::uuid[])"
		" AS u (doc, head, version, id, seq, life) OFFSET 0) AS r"
	" LEFT JOIN LATERAL (SELECT * FROM converge.catch_up(r.doc, r.head, NULL::uuid) WHERE r.ours OFFSET 0) AS c ON true", HISTOGRAM_PG_SWEEP},
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
		case REQUEST_SWEEP:
			for (int i = 0; i < SWEEP_ARRAYS; i++)
				pg_param_binary(params, r->arrays[i].data, r->arrays[i].len);
			break;
	}
}

/* Begin a request about a document. */
static struct request *
new_request(struct reader *reader, enum request_kind kind, const struct uuid *doc, void *arg)
{
	struct request *r = mem_zalloc(sizeof(struct request));

	r->epoch = reader->epoch;

	r->kind = kind;
	if (doc != NULL)
		r->doc = *doc;
	r->arg = arg;
	return r;
}

/* Ask for what a joining client needs. */
void
reader_join(struct reader *reader, const struct join_request *request, join_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_JOIN, &request->doc, arg);

	r->user = request->user;
	r->has_version = request->hello != NULL && request->hello->resumes;
	if (r->has_version)
	{
		r->version = request->hello->version;
		r->has_id = request->hello->has_operation_id;
		r->id = request->hello->operation_id;
		r->known.sequence_id = request->hello->sequence_id;
		r->has_life = request->hello->has_life;
		r->known.life = request->hello->life;
	}
	r->has_pending = request->pending != NULL;
	if (r->has_pending)
		r->pending = *request->pending;
	r->on_join = answer;
	reader_push(reader, r);
}

/* Ask for everything after a version, the pending operation by itself; a user gets it while he may read. */
void
reader_catch_up(struct reader *reader, const struct catch_up_request *request, catch_up_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_CATCH_UP, &request->doc, arg);

	r->user = request->user;
	r->version = request->from;
	r->known = *request->known;
	r->has_id = request->pending != NULL;
	if (request->pending != NULL)
		r->id = *request->pending;
	r->on_catch_up = answer;
	reader_push(reader, r);
}

/* Add a room to a sweep. */
static void
put_room(struct buf *arrays, const struct sweep_room *room)
{
	static const struct uuid none;

	pg_array_put(&arrays[0], room->doc.bytes, UUID_BYTES);
	pg_array_put_int8(&arrays[1], room->head);
	pg_array_put_int8(&arrays[2], room->known.version);
	pg_array_put(&arrays[3], room->known.has_id ? room->known.id.bytes : none.bytes, UUID_BYTES);
	pg_array_put_int8(&arrays[4], room->known.sequence_id);
	pg_array_put(&arrays[5], room->known.life.bytes, UUID_BYTES);
}

/* Ask for what many documents have after the versions their rooms hold, and whether they still have these. */
void
reader_sweep(struct reader *reader, const struct sweep_room *rooms, int count, sweep_fn answer, void *arg)
{
	static const uint32_t oids[SWEEP_ARRAYS] = {UUID_OID, INT8_OID, INT8_OID, UUID_OID, INT8_OID, UUID_OID};
	struct request *r = new_request(reader, REQUEST_SWEEP, NULL, arg);

	for (int i = 0; i < SWEEP_ARRAYS; i++)
		pg_array_begin(&r->arrays[i], oids[i]);
	for (int i = 0; i < count; i++)
		put_room(r->arrays, &rooms[i]);
	for (int i = 0; i < SWEEP_ARRAYS; i++)
		pg_array_finish(&r->arrays[i], (uint32_t) count);
	r->on_catch_up = answer;
	reader_push(reader, r);
}

/* Ask for the roles of users in a document, once no change of members is under way there. */
void
reader_roles(struct reader *reader, const struct uuid *doc, const char *const *users, int count, roles_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_ROLES, doc, arg);

	pg_array_begin(&r->arrays[0], TEXT_OID);
	for (int i = 0; i < count; i++)
		pg_array_put(&r->arrays[0], users[i], strlen(users[i]));
	pg_array_finish(&r->arrays[0], (uint32_t) count);
	r->on_roles = answer;
	reader_push(reader, r);
}

/* Ask for the checksum of a document's text at a version. */
void
reader_checksum(struct reader *reader, const struct uuid *doc, const struct uuid *life, int64_t version,
				checksum_fn answer, void *arg)
{
	struct request *r = new_request(reader, REQUEST_CHECKSUM, doc, arg);

	r->version = version;
	r->known.life = *life;
	r->on_checksum = answer;
	reader_push(reader, r);
}
