/*
 * past/pack_read.c
 *		A pack back into ops.
 *
 * Nobody vouches for the bytes: what is read is bounded before it is used, and
 * an op is told only if nothing was wrong up to its end.
 */
#include <string.h>

#include "pack_model.h"

struct PackReader
{
	const OtAllocator *allocator;
	PackHash	hash;
	PackInput	input;
	PackModel	model;
	uint8_t    *payload;
	const uint8_t *user_texts;	/* where their column begins */
	int64_t		text_left;		/* cp not yet read of the column of text */
	int64_t		count;
	int64_t		left;
	uint64_t	version;		/* of the next op */
	uint64_t	seq;			/* of the last op */
	uint64_t	time;			/* of the last op */
	uint64_t	unit;
	bool		hashes;			/* there is one more hash that is stored, ... */
	uint64_t	hash_gap;		/* ... after so many ops */
	OtBuffer	op;				/* the op told last */
};

/* ---- users and ids ---- */

/* Meet a user who is new to the pack. */
static void
add_user(PackReader *reader)
{
	uint64_t	len = pack_get(&reader->input, PACK_USER_TEXT);
	const uint8_t *text = pack_get_bytes(&reader->input, PACK_USER_TEXT, len);

	/* A column is smaller than INT_MAX. */
	if (text != NULL && reader->input.status == OT_OK)
		reader->input.status = pack_model_add(&reader->model, (size_t) (text - reader->user_texts),
											  (int) len);
}

/* The user of the op; NULL after an error. */
static PackUser *
get_user(PackReader *reader, PackOp *op)
{
	uint64_t	number = pack_get(&reader->input, PACK_USER);
	PackUser   *user;

	if (number == (uint64_t) reader->model.count)
		add_user(reader);
	if (number >= (uint64_t) reader->model.count)
		pack_fail(&reader->input);
	if (reader->input.status != OT_OK)
		return NULL;
	user = pack_model_turn(&reader->model, (int) number);
	op->user_id = (const char *) reader->user_texts + user->text_at;
	op->user_len = user->text_len;
	return user;
}

static void
get_id(PackReader *reader, PackUser *user, uint8_t *id)
{
	int			stream = pack_get_byte(&reader->input, PACK_ID_STREAM);
	const uint8_t *bytes;

	if (stream < user->streams)
	{
		uint64_t	counter = pack_get_difference(&reader->input, PACK_ID_STEP, user->stream[stream].next);

		pack_id_make(id, &user->stream[stream], (uint32_t) counter);
	}
	else
	{
		bytes = pack_get_bytes(&reader->input, PACK_ID, PACK_ID_SIZE);
		if (stream > user->streams)
			pack_fail(&reader->input);
		if (bytes == NULL || reader->input.status != OT_OK)
			return;
		memcpy(id, bytes, PACK_ID_SIZE);
	}
	pack_user_continue(user, stream, id);
}

/* ---- hashes ---- */

/* Find out when the next hash comes that is stored. */
static void
next_hash(PackReader *reader)
{
	reader->hashes = pack_left(&reader->input, PACK_HASH) > 0;
	reader->hash_gap = reader->hashes ? pack_get(&reader->input, PACK_HASH) : 0;
}

static int32_t
get_hash(PackReader *reader, OtOp op)
{
	const uint8_t *bytes;
	uint32_t	hash = 0;

	if (!reader->hashes || reader->hash_gap-- > 0)
		return reader->hash(op);
	bytes = pack_get_bytes(&reader->input, PACK_HASH, sizeof(hash));
	if (bytes == NULL)
		return 0;
	for (int i = 0; i < 4; i++)
		hash |= (uint32_t) bytes[i] << (8 * i);
	next_hash(reader);
	return (int32_t) hash;
}

/* ---- the op ---- */

/* The length of a component. */
static int64_t
get_length(PackReader *reader, unsigned code, PackColumnNumber column)
{
	uint64_t	length = 1;

	if ((code & PACK_ONE) == 0)
		length = pack_get(&reader->input, column);
	if (length == 0 || length > (uint64_t) OT_MAX_LENGTH)
	{
		pack_fail(&reader->input);
		return 0;
	}
	return (int64_t) length;
}

/* The next text of `length` cp. */
static void
get_text(PackReader *reader, OtComponent *component)
{
	OtReader   *column = &reader->input.columns[PACK_TEXT];

	if (component->length > reader->text_left)
	{
		pack_fail(&reader->input);
		component->length = 0;
	}
	component->text = (const char *) column->next;
	component->text_size = ot_utf8_offset(component->text, (size_t) (column->end - column->next),
										  component->length);
	column->next += component->text_size;
	reader->text_left -= component->length;
}

/* The component that a byte of the kinds begins. */
static void
get_component(PackReader *reader, unsigned code, OtComponent *component)
{
	static const PackColumnNumber lengths[] = {
		[OT_RETAIN] = PACK_RETAIN,
		[OT_DELETE] = PACK_DELETE,
		[OT_INSERT] = PACK_INSERT
	};

	component->kind = (OtKind) (code & PACK_KIND_MASK);
	component->length = 0;
	if ((code & PACK_KIND_MASK) > OT_INSERT || code > (PACK_ONE | PACK_MORE | PACK_KIND_MASK))
		pack_fail(&reader->input);
	else
		component->length = get_length(reader, code, lengths[component->kind]);
	if (component->kind == OT_INSERT)
		get_text(reader, component);
}

static void
build_component(OtBuilder *builder, const OtComponent *component)
{
	if (component->kind == OT_INSERT)
		ot_builder_insert(builder, component->text, component->text_size, component->length);
	else if (component->kind == OT_DELETE)
		ot_builder_delete(builder, component->length);
	else
		ot_builder_retain(builder, component->length);
}

/* Read the place of the first edit. */
static void
get_position(PackReader *reader, const PackUser *user, const OtComponent *component,
			 PackEdit *edit)
{
	int64_t		expected = pack_user_expects(user, component->kind, component->length);
	uint64_t	pos = pack_get_difference(&reader->input, PACK_POSITION, (uint64_t) expected);

	if (pos > (uint64_t) OT_MAX_LENGTH)
	{
		pack_fail(&reader->input);
		pos = 0;
	}
	edit->kind = component->kind;
	edit->length = component->length;
	edit->pos = edit->end = (int64_t) pos;
}

/* Build an op that is not the identity. */
static void
get_edits(PackReader *reader, PackUser *user, unsigned code, OtBuilder *builder)
{
	OtComponent component;
	PackEdit	edit;

	get_component(reader, code, &component);
	get_position(reader, user, &component, &edit);
	ot_builder_retain(builder, edit.pos);
	while (reader->input.status == OT_OK)
	{
		if (component.kind != OT_DELETE)
			edit.end += component.length;
		build_component(builder, &component);
		if ((code & PACK_MORE) == 0)
			break;
		code = pack_get_byte(&reader->input, PACK_KINDS);
		get_component(reader, code, &component);
	}
	if (ot_builder_finish(builder) != OT_OK)
		reader->input.status = builder->status == OT_NO_MEMORY ? OT_NO_MEMORY : OT_MALFORMED;
	if (reader->input.status == OT_OK)
		pack_model_follow(&reader->model, user, ot_buffer_op(&reader->op), &edit);
}

static OtOp
get_op(PackReader *reader, PackUser *user)
{
	unsigned	code = pack_get_byte(&reader->input, PACK_KINDS);
	OtBuilder	builder;

	ot_buffer_reset(&reader->op);
	ot_builder_init(&builder, &reader->op);
	if (code != PACK_IDENTITY)
		get_edits(reader, user, code, &builder);
	return ot_buffer_op(&reader->op);
}

/* The time of the op: the first one's is in the origin. */
static int64_t
get_time(PackReader *reader)
{
	uint64_t	delta;

	if (reader->left == reader->count)
		return (int64_t) reader->time;
	delta = pack_get_byte(&reader->input, PACK_TIME_LOW);
	delta |= (uint64_t) pack_get_byte(&reader->input, PACK_TIME_MIDDLE) << 8;
	delta |= pack_get(&reader->input, PACK_TIME_HIGH) << 16;
	reader->time += pack_unzigzag(delta) * reader->unit;
	return (int64_t) reader->time;
}

/* ---- the pack ---- */

/* Is every byte read? */
static bool
at_end(const PackReader *reader)
{
	for (int i = 0; i < PACK_COLUMNS; i++)
		if (reader->input.columns[i].next != reader->input.columns[i].end)
			return false;
	return true;
}

/* The next op; *found is false behind the last. */
OtStatus
pack_reader_next(PackReader *reader, PackOp *op, bool *found)
{
	PackUser   *user;

	*found = false;
	if (reader->left == 0 && reader->input.status == OT_OK && !at_end(reader))
		pack_fail(&reader->input);
	if (reader->left == 0 || reader->input.status != OT_OK)
		return reader->input.status;
	user = get_user(reader, op);
	if (user == NULL)
		return reader->input.status;
	op->version = (int64_t) reader->version++;
	op->seq = (int64_t) (reader->seq = pack_get_difference(&reader->input, PACK_SEQ, reader->seq + 1));
	op->base_version = (int64_t) ((uint64_t) op->version - 1 -
								  pack_get_difference(&reader->input, PACK_BASE, 0));
	op->created_at = get_time(reader);
	get_id(reader, user, op->op_id);
	op->op = get_op(reader, user);
	op->submitted_hash = get_hash(reader, op->op);
	reader->left--;
	*found = reader->input.status == OT_OK;
	return reader->input.status;
}

/* Read what comes before the ops, and check what is true of all of them. */
static void
read_origin(PackReader *reader)
{
	const OtReader *text = &reader->input.columns[PACK_TEXT];

	/* An op has at least a byte in this column. */
	if ((uint64_t) reader->count > pack_left(&reader->input, PACK_KINDS))
		pack_fail(&reader->input);
	if (reader->count > 0)
	{
		reader->version = pack_get_difference(&reader->input, PACK_ORIGIN, 0);
		reader->time = pack_get_difference(&reader->input, PACK_ORIGIN, 0);
	}
	reader->unit = pack_get(&reader->input, PACK_ORIGIN);
	if (ot_utf8_check((const char *) text->next, pack_left(&reader->input, PACK_TEXT),
					  &reader->text_left) != OT_OK)
		pack_fail(&reader->input);
	reader->user_texts = reader->input.columns[PACK_USER_TEXT].next;
	reader->left = reader->count;
	next_hash(reader);
}

/* Decompress a pack. */
OtStatus
pack_reader_open(const OtAllocator *allocator, PackHash hash,
				 const uint8_t *data, size_t size, PackReader **reader)
{
	PackReader *made = allocator->resize(allocator->ctx, NULL, sizeof(PackReader));
	OtStatus	status;

	*reader = NULL;
	if (made == NULL)
		return OT_NO_MEMORY;
	memset(made, 0, sizeof(*made));
	made->allocator = allocator;
	made->hash = hash;
	pack_model_init(&made->model, allocator);
	ot_buffer_init(&made->op, allocator, 0);
	made->input.status = pack_frame_read(allocator, data, size, &made->count, &made->payload,
										 &made->input);
	if (made->input.status == OT_OK)
		read_origin(made);
	status = made->input.status;
	if (status == OT_OK)
		*reader = made;
	else
		pack_reader_free(made);
	return status;
}

/* How many ops the pack holds. */
int64_t
pack_reader_count(const PackReader *reader)
{
	return reader->count;
}

/* Give the reader's memory back. */
void
pack_reader_free(PackReader *reader)
{
	if (reader == NULL)
		return;
	pack_model_free(&reader->model);
	ot_buffer_free(&reader->op);
	if (reader->payload != NULL)
		reader->allocator->release(reader->allocator->ctx, reader->payload);
	reader->allocator->release(reader->allocator->ctx, reader);
}
