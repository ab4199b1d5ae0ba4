/*
 * tables/reader_requests.c: what may be asked of the tables.
 */
#include "tables/reader_state.h"

#include "pg/array.h"

#include <string.h>

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
struct request *
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
	r->purse = request->purse;
	reader_guess_room(reader, r);
	reader_push(reader, r);
	return r;
}

/* Ask for everything after a version, the pending operation by itself; a user gets it while he may read. */
struct request *
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
	r->purse = request->purse;
	reader_guess_room(reader, r);
	reader_push(reader, r);
	return r;
}

/* Add a room to a backfill. */
static void
put_room(struct buf *arrays, const struct backfill_room *room)
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
reader_backfill(struct reader *reader, const struct backfill_room *rooms, int count, backfill_fn answer, void *arg)
{
	static const uint32_t oids[BACKFILL_ARRAYS] = {UUID_OID, INT8_OID, INT8_OID, UUID_OID, INT8_OID, UUID_OID};
	struct request *r = new_request(reader, REQUEST_BACKFILL, NULL, arg);

	for (int i = 0; i < BACKFILL_ARRAYS; i++)
		pg_array_begin(&r->arrays[i], oids[i]);
	for (int i = 0; i < count; i++)
		put_room(r->arrays, &rooms[i]);
	for (int i = 0; i < BACKFILL_ARRAYS; i++)
		pg_array_finish(&r->arrays[i], (uint32_t) count);
	r->on_catch_up = answer;
	reader_guess_room(reader, r);
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
