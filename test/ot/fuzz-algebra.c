/*
 * fuzz-algebra.c
 *		Any bytes as a document and three ops, x and b1 on it and b2 after b1: the
 *		laws, and the naive model.
 */
#include <string.h>

#include "fuzz.h"
#include "naive.h"

/* The bytes not used yet; behind their end come zeros. */
typedef struct Input
{
	const uint8_t *next;
	const uint8_t *end;
} Input;

static OtBuffer got;
static OtBuffer want;
static OtBuffer step;
static OtBuffer other;
static NaiveOp model;

static unsigned
take_byte(Input *input)
{
	return input->next < input->end ? *input->next++ : 0;
}

/* Read an op on a document of `length` cp: a byte a component, then 255 or the end. */
static void
take_op(Input *input, int length, NaiveOp *op)
{
	static const uint32_t alphabet[] = {'a', 'b', 0xe9, 0x301, 0x6f22, 0x1f600, '"', '\n'};
	int			left = length;

	naive_clear(op);
	while (input->next < input->end)
	{
		unsigned	byte = take_byte(input);
		int			run = 1 + (int) (byte >> 2 & 0x1f);

		if (byte == 255)
			break;
		if ((byte & 3) >= 2)
		{
			uint32_t	cp = alphabet[take_byte(input) & 7];

			for (int i = 0; i < run; i++)
				naive_add(op, 'i', (byte & 3) == 3 && i % 2 == 0 ? 'c' : cp);
		}
		else
			for (; run > 0 && left > 0; run--, left--)
				naive_add(op, (byte & 3) == 0 ? 'r' : 'd', 0);
	}
	naive_trim(op);
}

static OtBuffer *
fresh(OtBuffer *buffer)
{
	ot_buffer_reset(buffer);
	return buffer;
}

static bool
same(const OtBuffer *a, const OtBuffer *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* A result is what the naive model says, and in normal form. */
static bool
is_model(const OtBuffer *result)
{
	naive_pack(&model, &want);
	return ot_check(ot_buffer_op(result)) == OT_OK && same(result, &want);
}

/* A document of all widths of characters. */
static void
make_document(int length, OtBuffer *text)
{
	static const char *const pieces[] = {"x", "\xc3\xa9", "\xcc\x81", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};

	ot_buffer_reset(text);
	for (int i = 0; i < length; i++)
		PROMISE(ot_buffer_append(text, pieces[i % 5], strlen(pieces[i % 5])) == OT_OK);
}

/* TP1, and that an inverse undoes. */
static void
check_texts(const OtBuffer *document, OtOp x, OtOp b1)
{
	const char *text = document->size == 0 ? "" : (const char *) document->data;

	PROMISE(ot_apply(text, document->size, b1, fresh(&got)) == OT_OK);
	PROMISE(ot_transform(x, b1, OT_LEFT, fresh(&step)) == OT_OK);
	PROMISE(ot_apply((char *) got.data, got.size, ot_buffer_op(&step), fresh(&other)) == OT_OK);
	PROMISE(ot_apply(text, document->size, x, fresh(&got)) == OT_OK);
	PROMISE(ot_transform(b1, x, OT_RIGHT, fresh(&step)) == OT_OK);
	PROMISE(ot_apply((char *) got.data, got.size, ot_buffer_op(&step), fresh(&want)) == OT_OK);
	PROMISE(same(&other, &want));

	PROMISE(ot_invert(x, text, document->size, fresh(&step)) == OT_OK);
	PROMISE(ot_apply((char *) got.data, got.size, ot_buffer_op(&step), fresh(&other)) == OT_OK);
	PROMISE(same(&other, document));
}

/* The one-sided law; compose and transform as the model has them. */
static void
check_ops(const NaiveOp ops[3], OtOp x, OtOp b1, OtOp b2)
{
	naive_transform(&ops[0], &ops[1], OT_RIGHT, &model);
	PROMISE(ot_transform(x, b1, OT_RIGHT, fresh(&got)) == OT_OK && is_model(&got));
	naive_transform(&ops[0], &ops[1], OT_LEFT, &model);
	PROMISE(ot_transform(x, b1, OT_LEFT, fresh(&got)) == OT_OK && is_model(&got));
	PROMISE(ot_transform(ot_buffer_op(&got), b2, OT_LEFT, fresh(&other)) == OT_OK);
	naive_compose(&ops[1], &ops[2], &model);
	PROMISE(ot_compose(b1, b2, fresh(&step)) == OT_OK && is_model(&step));
	PROMISE(ot_transform(x, ot_buffer_op(&step), OT_LEFT, fresh(&got)) == OT_OK);
	PROMISE(same(&got, &other));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static OtBuffer packed[3];
	static OtBuffer document;
	static NaiveOp ops[3];
	Input		input = {data, data + size};
	int			length;

	if (got.allocator == NULL)
	{
		OtBuffer   *const buffers[] = {&got, &want, &step, &other, &document,
		&packed[0], &packed[1], &packed[2]};

		for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
			ot_buffer_init(buffers[i], &ot_libc_allocator, 0);
	}
	length = (int) (take_byte(&input) & 0x3f);
	make_document(length, &document);
	take_op(&input, length, &ops[0]);
	take_op(&input, length, &ops[1]);
	take_op(&input, naive_length_after(&ops[1], length), &ops[2]);
	for (int i = 0; i < 3; i++)
		naive_pack(&ops[i], &packed[i]);
	check_texts(&document, ot_buffer_op(&packed[0]), ot_buffer_op(&packed[1]));
	check_ops(ops, ot_buffer_op(&packed[0]), ot_buffer_op(&packed[1]), ot_buffer_op(&packed[2]));
	return 0;
}
