/*
 * packs.c
 *		What packs.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "../ot/naive.h"
#include "history.h"
#include "packs.h"

/* Users of a made-up history; one id is empty, one is of wide characters. */
static const char *const users[] = {
	"ann", "ben", "", "ann ", "zo\xc3\xab", "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x98\x80", "cleo",
	"a user whose id is of rather more characters than most of them have, which is allowed"
};

enum
{
	USERS = sizeof(users) / sizeof(users[0])
};

/* That of any two numbers. */
static int64_t
sum(int64_t a, int64_t b)
{
	return (int64_t) ((uint64_t) a + (uint64_t) b);
}

/* Add an op that follows the last one in every way. */
PackOp	   *
ops_add(Ops *ops, OtOp op, const char *user)
{
	PackOp	   *added;
	uint8_t    *data = support_keep(op.size);
	size_t		len = strlen(user);
	char	   *name = support_keep(len + 1);

	if (ops->count == ops->capacity)
	{
		ops->capacity = ops->capacity * 2 + 16;
		ops->ops = realloc(ops->ops, (size_t) ops->capacity * sizeof(PackOp));
		if (ops->ops == NULL)
			abort();
	}
	added = &ops->ops[ops->count++];
	memset(added, 0, sizeof(*added));
	if (ops->count > 1)
	{
		added->version = sum(added[-1].version, 1);
		added->seq = sum(added[-1].seq, 1);
		added->created_at = sum(added[-1].created_at, 1000);
	}
	added->base_version = sum(added->version, -1);
	if (op.size > 0)
		memcpy(data, op.data, op.size);
	added->op.data = data;
	added->op.size = op.size;
	added->submitted_hash = history_hash(added->op);
	memcpy(name, user, len + 1);
	added->user_id = name;
	added->user_len = (int) len;
	return added;
}

void
ops_free(Ops *ops)
{
	free(ops->ops);
	memset(ops, 0, sizeof(*ops));
}

/* ---- random histories ---- */

/* What an author is doing. */
typedef struct Author
{
	uint8_t		id[16];
	int			cursor;
} Author;

static uint64_t
any_number(Random *random)
{
	return random_next(random) >> random_below(random, 64);
}

/* A keystroke near the cursor, or anything at all. */
static void
random_op(Random *random, Author *author, int *length, NaiveOp *op)
{
	static const NaiveShape shape = {60, 12, 20};
	int			choice = random_below(random, 8);

	if (choice == 0 || author->cursor > *length)
	{
		naive_random_op(random, &shape, *length, op);
		author->cursor = random_below(random, naive_length_after(op, *length) + 1);
	}
	else
	{
		naive_clear(op);
		if (choice < 3 && author->cursor > 0)
			author->cursor--;
		for (int i = 0; i < author->cursor; i++)
			naive_add(op, 'r', 0);
		if (choice < 4 && author->cursor < *length)
			naive_add(op, 'd', 0);
		if (choice > 2)
			naive_add(op, 'i', naive_random_cp(random));
		author->cursor += choice > 2;
		naive_trim(op);
	}
	*length = naive_length_after(op, *length);
}

/* The next id of an author: one higher, or of another client, or of no kind. */
static void
random_id(Random *random, Author *author, uint8_t *id)
{
	int			choice = random_below(random, 20);

	for (int i = 15; i >= 12 && ++author->id[i] == 0; i--)
		continue;
	if (choice == 0)
		author->id[3] = (uint8_t) random_below(random, 6);
	else if (choice == 1)
		author->id[12 + random_below(random, 4)] = 0xff;
	memcpy(id, author->id, sizeof(author->id));
	if (choice == 2)
		for (int i = 0; i < 16; i++)
			id[i] = (uint8_t) random_next(random);
}

/* Some hundred ops. */
void
ops_random(Ops *ops, Random *random)
{
	Author		authors[USERS] = {{{0}, 0}};
	NaiveOp		op = {0};
	OtBuffer	packed;
	int			length = 0;
	int			count = 1 + random_below(random, 300);
	int			active = 1 + random_below(random, USERS);
	int			wild = random_below(random, 30);
	int64_t		first = (int64_t) any_number(random);

	ot_buffer_init(&packed, &ot_libc_allocator, 0);
	for (int i = 0; i < count; i++)
	{
		int			user = random_below(random, active);
		PackOp	   *added;

		random_op(random, &authors[user], &length, &op);
		naive_pack(&op, &packed);
		added = ops_add(ops, ot_buffer_op(&packed), users[user]);
		if (i == 0)
		{
			added->version = first;
			added->base_version = sum(first, -1);
			added->created_at = (int64_t) any_number(random);
		}
		random_id(random, &authors[user], added->op_id);
		if (random_below(random, 30) < wild)
			added->base_version = sum(added->version, (int64_t) any_number(random));
		if (random_below(random, 30) < wild)
			added->submitted_hash = (int32_t) random_next(random);
		if (random_below(random, 300) < wild)
			added->seq = (int64_t) any_number(random);
		if (random_below(random, 300) < wild)
			added->created_at = (int64_t) any_number(random);
	}
	naive_op_free(&op);
	ot_buffer_free(&packed);
}

/* ---- packs ---- */

/* Are they the same to the bit? */
bool
ops_same(const PackOp *a, const PackOp *b)
{
	return a->version == b->version && a->seq == b->seq &&
		a->base_version == b->base_version && a->created_at == b->created_at &&
		memcmp(a->op_id, b->op_id, sizeof(a->op_id)) == 0 &&
		a->submitted_hash == b->submitted_hash && a->user_len == b->user_len &&
		memcmp(a->user_id, b->user_id, (size_t) a->user_len) == 0 &&
		a->op.size == b->op.size &&
		(a->op.size == 0 || memcmp(a->op.data, b->op.data, a->op.size) == 0);
}

/* Pack them. */
OtStatus
ops_pack(const Ops *ops, const OtAllocator *allocator, OtBuffer *out)
{
	PackWriter *writer;
	OtStatus	status = pack_writer_create(allocator, history_hash, &writer);

	for (int i = 0; i < ops->count && status == OT_OK; i++)
		status = pack_writer_add(writer, &ops->ops[i]);
	if (status == OT_OK)
		status = pack_writer_finish(writer, out);
	pack_writer_free(writer);
	return status;
}

/* Read every byte that an op points to: the sanitizers see those that are not there. */
static bool
is_readable(const PackOp *op)
{
	OtOp		user = {(const uint8_t *) op->user_id, (size_t) op->user_len};

	return op->user_len >= 0 && history_hash(user) != history_hash(op->op) + 1;
}

/* Read a pack: do its ops match these? */
OtStatus
ops_compare(const Ops *ops, const OtAllocator *allocator,
			const uint8_t *data, size_t size, int *matching)
{
	PackReader *reader;
	PackOp		op;
	bool		found = true;
	bool		same = true;
	OtStatus	status = pack_reader_open(allocator, history_hash, data, size, &reader);

	*matching = 0;
	while (status == OT_OK && found)
	{
		status = pack_reader_next(reader, &op, &found);
		if (!found)
			break;
		if (!is_readable(&op) || ot_check(op.op) != OT_OK)
			status = OT_SYNTAX;
		same = same && *matching < ops->count && ops_same(&op, &ops->ops[*matching]);
		*matching += same;
	}
	pack_reader_free(reader);
	return status;
}
