/*
 * past/pack_model.c
 *		What the writer and the reader of packs expect of the next op.
 *
 * Expected is that everybody goes on: typing where he typed, deleting in the
 * direction he deleted, naming his ops by the next number.
 */
#include <string.h>

#include "pack_model.h"

/* Users of a pack: so that the array of them can be allocated in one piece. */
#define MAX_USERS	(1 << 22)

/* ---- users ---- */

void
pack_model_init(PackModel *model, const OtAllocator *allocator)
{
	memset(model, 0, sizeof(*model));
	model->allocator = allocator;
}

void
pack_model_free(PackModel *model)
{
	if (model->users != NULL)
		model->allocator->release(model->allocator->ctx, model->users);
	if (model->slots != NULL)
		model->allocator->release(model->allocator->ctx, model->slots);
	pack_model_init(model, model->allocator);
}

/* Forget all users. */
void
pack_model_reset(PackModel *model)
{
	model->count = 0;
	model->recent_count = 0;
	if (model->slot_count > 0)
		memset(model->slots, 0xff, (size_t) model->slot_count * sizeof(int));
}

/* One more user. */
OtStatus
pack_model_add(PackModel *model, size_t text_at, int text_len)
{
	PackUser   *user;

	if (model->count == model->capacity)
	{
		int			capacity = model->capacity == 0 ? 4 : model->capacity * 2;
		void	   *users;

		if (capacity > MAX_USERS)
			return OT_TOO_LARGE;
		users = model->allocator->resize(model->allocator->ctx, model->users,
										 (size_t) capacity * sizeof(PackUser));
		if (users == NULL)
			return OT_NO_MEMORY;
		model->users = users;
		model->capacity = capacity;
	}
	user = &model->users[model->count++];
	memset(user, 0, sizeof(*user));
	user->text_at = text_at;
	user->text_len = text_len;
	return OT_OK;
}

/* It is the turn of a user: he comes first among the recent ones. */
PackUser   *
pack_model_turn(PackModel *model, int number)
{
	int			at = 0;

	while (at < model->recent_count && model->recent[at] != number)
		at++;
	if (at == model->recent_count && model->recent_count < PACK_RECENT)
		model->recent_count++;
	if (at == PACK_RECENT)
		at--;
	memmove(model->recent + 1, model->recent, (size_t) at * sizeof(int));
	model->recent[0] = number;
	return &model->users[number];
}

/* ---- finding a user ---- */

/* FNV-1a. */
static uint32_t
hash_text(const char *text, int len)
{
	uint32_t	hash = 2166136261u;

	for (int i = 0; i < len; i++)
		hash = (hash ^ (uint8_t) text[i]) * 16777619u;
	return hash;
}

static bool
is_user(const PackUser *user, const OtBuffer *texts, const char *text, int len)
{
	return user->text_len == len &&
		(len == 0 || memcmp(texts->data + user->text_at, text, (size_t) len) == 0);
}

/* The slot of a user, or the empty one where he belongs. */
static int *
find_slot(const PackModel *model, const OtBuffer *texts, uint32_t hash,
		  const char *text, int len)
{
	uint32_t	mask = (uint32_t) model->slot_count - 1;
	uint32_t	at = hash & mask;

	for (; model->slots[at] >= 0; at = (at + 1) & mask)
	{
		const PackUser *user = &model->users[model->slots[at]];

		if (user->text_hash == hash && is_user(user, texts, text, len))
			break;
	}
	return &model->slots[at];
}

/* Give the table room for one more user: at least half of it stays empty. */
static OtStatus
grow_slots(PackModel *model)
{
	int			count = model->slot_count == 0 ? 16 : model->slot_count * 2;
	int		   *slots;

	if (model->count < model->slot_count / 2)
		return OT_OK;
	slots = model->allocator->resize(model->allocator->ctx, model->slots,
									 (size_t) count * sizeof(int));
	if (slots == NULL)
		return OT_NO_MEMORY;
	memset(slots, 0xff, (size_t) count * sizeof(int));
	model->slots = slots;
	model->slot_count = count;
	for (int i = 0; i < model->count; i++)
	{
		uint32_t	at = model->users[i].text_hash & ((uint32_t) count - 1);

		while (slots[at] >= 0)
			at = (at + 1) & ((uint32_t) count - 1);
		slots[at] = i;
	}
	return OT_OK;
}

/* Meet a user who is new to the pack. */
static OtStatus
meet(PackModel *model, OtBuffer *texts, const char *text, int len)
{
	uint8_t		bytes[PACK_MAX_VARINT];
	size_t		size = (size_t) (pack_varint_write(bytes, (uint64_t) len) - bytes);
	OtStatus	status = ot_buffer_append(texts, bytes, size);

	if (status == OT_OK)
		status = ot_buffer_append(texts, text, (size_t) len);
	if (status == OT_OK)
		status = pack_model_add(model, texts->size - (size_t) len, len);
	return status;
}

/* The number of the user with this id. */
OtStatus
pack_model_find(PackModel *model, OtBuffer *texts, const char *text, int len, int *number)
{
	uint32_t	hash;
	int		   *slot;
	OtStatus	status;

	*number = model->recent[0];
	if (model->recent_count > 0 && is_user(&model->users[*number], texts, text, len))
		return OT_OK;
	status = grow_slots(model);
	if (status != OT_OK)
		return status;
	hash = hash_text(text, len);
	slot = find_slot(model, texts, hash, text, len);
	if (*slot < 0)
	{
		status = meet(model, texts, text, len);
		if (status != OT_OK)
			return status;
		*slot = model->count - 1;
		model->users[*slot].text_hash = hash;
	}
	*number = *slot;
	return OT_OK;
}

/* ---- positions ---- */

/* Where the first edit of the user's next op is expected. */
int64_t
pack_user_expects(const PackUser *user, OtKind kind, int64_t length)
{
	if (kind == OT_DELETE && !user->forward)
		return user->cursor - length;
	return user->cursor;
}

/* The user whose turn it is did that. */
void
pack_model_follow(PackModel *model, PackUser *user, OtOp op, const PackEdit *edit)
{
	user->forward = edit->kind == OT_DELETE && edit->pos == user->cursor;
	user->cursor = edit->end;
	for (int i = 1; i < model->recent_count; i++)
	{
		PackUser   *other = &model->users[model->recent[i]];

		other->cursor = ot_transform_position(other->cursor, op, OT_LEFT);
	}
}

/* ---- operation ids ---- */

/* The counter at the end of an id, big end first. */
uint32_t
pack_id_counter(const uint8_t *id)
{
	id += PACK_ID_FIXED;
	return (uint32_t) id[0] << 24 | (uint32_t) id[1] << 16 | (uint32_t) id[2] << 8 | id[3];
}

/* The id of a stream with this counter. */
void
pack_id_make(uint8_t *id, const PackIdStream *stream, uint32_t counter)
{
	memcpy(id, stream->fixed, PACK_ID_FIXED);
	for (int i = PACK_ID_SIZE - 1; i >= PACK_ID_FIXED; i--)
	{
		id[i] = (uint8_t) counter;
		counter >>= 8;
	}
}

/* The stream an id belongs to; user->streams when to none. */
int
pack_user_stream(const PackUser *user, const uint8_t *id)
{
	int			at = 0;

	while (at < user->streams && memcmp(user->stream[at].fixed, id, PACK_ID_FIXED) != 0)
		at++;
	return at;
}

/* Make a stream, or with user->streams a new one, that of `id`, the first. */
void
pack_user_continue(PackUser *user, int stream, const uint8_t *id)
{
	if (stream == user->streams && user->streams < PACK_ID_STREAMS)
		user->streams++;
	if (stream == PACK_ID_STREAMS)
		stream--;
	memmove(user->stream + 1, user->stream, (size_t) stream * sizeof(PackIdStream));
	memcpy(user->stream[0].fixed, id, PACK_ID_FIXED);
	user->stream[0].next = pack_id_counter(id) + 1;
}
