/*
 * naive.c
 *		What naive.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "naive.h"

/* ---- arrays ---- */

/* Make room for one more element. */
static void *
grow(void *array, int count, int *capacity, size_t element)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity == 0 ? 16 : *capacity * 2;
	array = realloc(array, (size_t) *capacity * element);
	if (array == NULL)
		abort();
	return array;
}

static void
add_cp(NaiveText *text, uint32_t cp)
{
	text->cps = grow(text->cps, text->count, &text->capacity, sizeof(uint32_t));
	text->cps[text->count++] = cp;
}

void
naive_op_free(NaiveOp *op)
{
	free(op->units);
	memset(op, 0, sizeof(*op));
}

void
naive_text_free(NaiveText *text)
{
	free(text->cps);
	memset(text, 0, sizeof(*text));
}

void
naive_clear(NaiveOp *op)
{
	op->count = 0;
}

void
naive_add(NaiveOp *op, char kind, uint32_t cp)
{
	op->units = grow(op->units, op->count, &op->capacity, sizeof(NaiveUnit));
	op->units[op->count].kind = kind;
	op->units[op->count].cp = kind == 'i' ? cp : 0;
	op->count++;
}

/* Drop the retains at the end. */
void
naive_trim(NaiveOp *op)
{
	while (op->count > 0 && op->units[op->count - 1].kind == 'r')
		op->count--;
}

void
naive_copy(NaiveOp *to, const NaiveOp *from)
{
	naive_clear(to);
	for (int i = 0; i < from->count; i++)
		naive_add(to, from->units[i].kind, from->units[i].cp);
}

bool
naive_equal(const NaiveOp *a, const NaiveOp *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->units[i].kind != b->units[i].kind || a->units[i].cp != b->units[i].cp)
			return false;
	return true;
}

/* The length of a document of `length` cp after the op. */
int
naive_length_after(const NaiveOp *op, int length)
{
	for (int i = 0; i < op->count; i++)
	{
		if (op->units[i].kind == 'i')
			length++;
		if (op->units[i].kind == 'd')
			length--;
	}
	return length;
}

/* ---- the algebra ---- */

/* The unit at an index; behind the end an op retains. */
static NaiveUnit
unit_at(const NaiveOp *op, int index)
{
	NaiveUnit	retain = {'r', 0};

	return index < op->count ? op->units[index] : retain;
}

void
naive_transform(const NaiveOp *op, const NaiveOp *over, OtSide side, NaiveOp *out)
{
	int			i = 0;

	naive_clear(out);
	for (int j = 0; j < over->count; j++)
	{
		char		theirs = over->units[j].kind;

		/* Before whatever they did here goes what this op inserts here. */
		if (theirs != 'i' || side == OT_LEFT)
			for (; unit_at(op, i).kind == 'i'; i++)
				naive_add(out, 'i', op->units[i].cp);
		if (theirs == 'i')
			naive_add(out, 'r', 0);
		else if (theirs == 'r')
			naive_add(out, unit_at(op, i++).kind, 0);
		else
			i++;
	}
	for (; i < op->count; i++)
		naive_add(out, op->units[i].kind, op->units[i].cp);
	naive_trim(out);
}

void
naive_compose(const NaiveOp *first, const NaiveOp *second, NaiveOp *out)
{
	int			i = 0;
	int			j = 0;

	naive_clear(out);
	while (i < first->count || j < second->count)
	{
		NaiveUnit	a = unit_at(first, i);
		NaiveUnit	b = unit_at(second, j);

		if (a.kind == 'd')
		{
			naive_add(out, 'd', 0);
			i++;
		}
		else if (b.kind == 'i')
		{
			naive_add(out, 'i', b.cp);
			j++;
		}
		else
		{
			if (b.kind == 'r')
				naive_add(out, a.kind, a.cp);
			else if (a.kind == 'r')
				naive_add(out, 'd', 0);
			i++;
			j++;
		}
	}
	naive_trim(out);
}

void
naive_invert(const NaiveOp *op, const NaiveText *document, NaiveOp *out)
{
	int			at = 0;

	naive_clear(out);
	for (int i = 0; i < op->count; i++)
	{
		switch (op->units[i].kind)
		{
			case 'r':
				naive_add(out, 'r', 0);
				at++;
				break;
			case 'd':
				naive_add(out, 'i', document->cps[at++]);
				break;
			default:
				naive_add(out, 'd', 0);
		}
	}
	naive_trim(out);
}

/* Make an insert there, transform it, and look where it is. */
int
naive_position(int position, const NaiveOp *over, OtSide side)
{
	NaiveOp		insert = {0};
	NaiveOp		moved = {0};
	int			at = 0;

	for (int i = 0; i < position; i++)
		naive_add(&insert, 'r', 0);
	naive_add(&insert, 'i', 'x');
	naive_transform(&insert, over, side, &moved);
	while (moved.units[at].kind == 'r')
		at++;
	naive_op_free(&insert);
	naive_op_free(&moved);
	return at;
}

void
naive_apply(const NaiveText *document, const NaiveOp *op, NaiveText *out)
{
	int			at = 0;

	out->count = 0;
	for (int i = 0; i < op->count; i++)
	{
		if (op->units[i].kind == 'i')
			add_cp(out, op->units[i].cp);
		else if (op->units[i].kind == 'r')
			add_cp(out, document->cps[at++]);
		else
			at++;
	}
	while (at < document->count)
		add_cp(out, document->cps[at++]);
}

/* ---- bytes ---- */

static void
put_byte(OtBuffer *out, unsigned value)
{
	uint8_t		byte = (uint8_t) value;

	if (ot_buffer_append(out, &byte, 1) != OT_OK)
		abort();
}

static void
put_varint(OtBuffer *out, unsigned value)
{
	if (value < 128)
		put_byte(out, value);
	else
	{
		put_byte(out, value % 128 + 128);
		put_varint(out, value / 128);
	}
}

static void
put_cp(OtBuffer *out, uint32_t cp)
{
	if (cp < 0x80)
		put_byte(out, cp);
	else if (cp < 0x800)
	{
		put_byte(out, 0xc0 + cp / 64);
		put_byte(out, 0x80 + cp % 64);
	}
	else if (cp < 0x10000)
	{
		put_byte(out, 0xe0 + cp / 4096);
		put_byte(out, 0x80 + cp / 64 % 64);
		put_byte(out, 0x80 + cp % 64);
	}
	else
	{
		put_byte(out, 0xf0 + cp / 262144);
		put_byte(out, 0x80 + cp / 4096 % 64);
		put_byte(out, 0x80 + cp / 64 % 64);
		put_byte(out, 0x80 + cp % 64);
	}
}

static int
cp_bytes(uint32_t cp)
{
	return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

/* One component: units from `start` to before `end`, all of a kind. */
static void
pack_run(const NaiveOp *op, int start, int end, OtBuffer *out)
{
	unsigned	length = (unsigned) (end - start);
	unsigned	bytes = 0;

	if (op->units[start].kind != 'i')
	{
		put_varint(out, length * 4 + (op->units[start].kind == 'd'));
		return;
	}
	for (int i = start; i < end; i++)
		bytes += (unsigned) cp_bytes(op->units[i].cp);
	put_varint(out, length * 4 + (bytes == length ? 2 : 3));
	if (bytes != length)
		put_varint(out, bytes - length);
	for (int i = start; i < end; i++)
		put_cp(out, op->units[i].cp);
}

void
naive_pack(const NaiveOp *op, OtBuffer *out)
{
	int			start = 0;

	ot_buffer_reset(out);
	for (int i = 1; i <= op->count; i++)
	{
		if (i < op->count && op->units[i].kind == op->units[start].kind)
			continue;
		pack_run(op, start, i, out);
		start = i;
	}
}

void
naive_utf8(const NaiveText *text, OtBuffer *out)
{
	ot_buffer_reset(out);
	for (int i = 0; i < text->count; i++)
		put_cp(out, text->cps[i]);
}

/* ---- random documents and ops ---- */

/* Characters of every width, combining marks, and those that JSON escapes. */
static const uint32_t alphabet[] = {
	'a', 'b', 'c', ' ', '"', '\\', '\n', 0x01, 0x7f,
	0x80, 0xe9, 0xdf, 0x301, 0x308, 0x416, 0x7ff,
	0x800, 0x200d, 0x6f22, 0x5b57, 0xd7ff, 0xe000, 0xffff,
	0x10000, 0x1d4b3, 0x1f469, 0x1f600, 0x10ffff
};

uint32_t
naive_random_cp(Random *random)
{
	return alphabet[random_below(random, (int) (sizeof(alphabet) / sizeof(alphabet[0])))];
}

/* Half of the runs of text are ASCII, as is most text. */
static uint32_t
next_cp(Random *random, bool ascii)
{
	return ascii ? (uint32_t) ('a' + random_below(random, 26)) : naive_random_cp(random);
}

void
naive_random_text(Random *random, int length, NaiveText *out)
{
	bool		ascii = random_below(random, 3) == 0;

	out->count = 0;
	while (out->count < length)
		add_cp(out, next_cp(random, ascii));
}

void
naive_random_op(Random *random, const NaiveShape *shape, int length, NaiveOp *out)
{
	/* From ops that touch everything to ops that touch next to nothing. */
	int			calm = 1 + random_below(random, 4) * 3;
	int			left = length;

	naive_clear(out);
	do
	{
		int			choice = random_below(random, 2 + calm);
		int			run = 1 + random_below(random, choice == 1 ? shape->insert : shape->run);
		bool		ascii = random_below(random, 2) == 0;

		if (choice == 1)
			for (; run > 0; run--)
				naive_add(out, 'i', next_cp(random, ascii));
		else
			for (; run > 0 && left > 0; run--, left--)
				naive_add(out, choice == 0 ? 'd' : 'r', 0);
	}
	while (left > 0 || random_below(random, 3) == 0);
	naive_trim(out);
}
