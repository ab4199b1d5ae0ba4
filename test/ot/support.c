/*
 * support.c
 *		What support.h promises.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* The name a status has in ot.h. */
const char *
status_name(OtStatus status)
{
	static const char *const names[] = {
		[OT_OK] = "OT_OK",
		[OT_NO_MEMORY] = "OT_NO_MEMORY",
		[OT_TOO_LARGE] = "OT_TOO_LARGE",
		[OT_MALFORMED] = "OT_MALFORMED",
		[OT_SYNTAX] = "OT_SYNTAX",
		[OT_BAD_UTF8] = "OT_BAD_UTF8",
		[OT_NUL] = "OT_NUL",
		[OT_SURROGATE] = "OT_SURROGATE",
		[OT_OUT_OF_RANGE] = "OT_OUT_OF_RANGE"
	};

	return names[status];
}

/* ---- memory that lives as long as a test ---- */

typedef struct Kept
{
	struct Kept *next;
	max_align_t memory[];
} Kept;

static Kept *kept;

/* Memory that support_release() frees. */
void	   *
support_keep(size_t size)
{
	Kept	   *made = malloc(sizeof(Kept) + size);

	if (made == NULL)
		abort();
	made->next = kept;
	kept = made;
	return made->memory;
}

/* Free all that was kept. */
void
support_release(void)
{
	while (kept != NULL)
	{
		Kept	   *next = kept->next;

		free(kept);
		kept = next;
	}
}

/* ---- from text to text ---- */

/* Keep a buffer's bytes as a string, and free it. */
static const char *
keep_text(OtBuffer *buffer)
{
	const char *text = text_of(buffer);

	ot_buffer_free(buffer);
	return text;
}

/* A buffer's bytes as a string. */
const char *
text_of(const OtBuffer *buffer)
{
	OtOp		bytes = ot_buffer_op(buffer);
	char	   *text = support_keep(bytes.size + 1);

	if (bytes.size > 0)
		memcpy(text, bytes.data, bytes.size);
	text[bytes.size] = '\0';
	return text;
}

/* An op's JSON text. */
const char *
json_of(OtOp op)
{
	OtBuffer	json;

	if (ot_check(op) != OT_OK)
		return "not in normal form";
	ot_buffer_init(&json, &ot_libc_allocator, 0);
	if (ot_to_json(op, &json) != OT_OK)
		abort();
	return keep_text(&json);
}

/* The JSON text of the op in a buffer, which is freed, or the status. */
static const char *
outcome(OtStatus status, OtBuffer *out)
{
	const char *text;

	text = status == OT_OK ? json_of(ot_buffer_op(out)) : status_name(status);
	ot_buffer_free(out);
	return text;
}

/* What the parser makes of a text. */
const char *
parsed(const char *json)
{
	OtBuffer	out;
	size_t		error_at;
	const char *detail;
	OtStatus	status;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	status = ot_from_json(json, strlen(json), &out, &error_at, &detail);
	return outcome(status, &out);
}

/* The op a JSON text is. */
OtOp
op_of(const char *json)
{
	OtBuffer	out;
	size_t		error_at;
	const char *detail;
	OtOp		op;
	uint8_t    *data;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	if (ot_from_json(json, strlen(json), &out, &error_at, &detail) != OT_OK)
	{
		printf("Bail out! %s at byte %zu of %s\n", detail, error_at, json);
		exit(EXIT_FAILURE);
	}
	op = ot_buffer_op(&out);
	data = support_keep(op.size);
	memcpy(data, op.data, op.size);
	op.data = data;
	ot_buffer_free(&out);
	return op;
}

/* An op carried over another. */
const char *
transformed(const char *op, const char *over, OtSide side)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	return outcome(ot_transform(op_of(op), op_of(over), side, &out), &out);
}

/* Two ops as one. */
const char *
composed(const char *first, const char *second)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	return outcome(ot_compose(op_of(first), op_of(second), &out), &out);
}

/* The document after the op. */
const char *
applied(const char *document, const char *op)
{
	OtBuffer	out;
	OtStatus	status;
	const char *text;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	status = ot_apply(document, strlen(document), op_of(op), &out);
	text = status == OT_OK ? text_of(&out) : status_name(status);
	ot_buffer_free(&out);
	return text;
}

/* The op that undoes another. */
const char *
inverted(const char *op, const char *document)
{
	OtBuffer	out;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	return outcome(ot_invert(op_of(op), document, strlen(document), &out), &out);
}

/* Where a position goes. */
long long
position_after(long long position, const char *over, OtSide side)
{
	return ot_transform_position(position, op_of(over), side);
}

/* ---- randomness ---- */

/* The next 64 bits. */
uint64_t
random_next(Random *random)
{
	uint64_t	bits = (random->state += UINT64_C(0x9e3779b97f4a7c15));

	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

/* From 0 to bound - 1. */
int
random_below(Random *random, int bound)
{
	return (int) (((random_next(random) >> 32) * (uint64_t) bound) >> 32);
}

/* An environment variable that is a number, or its default. */
uint64_t
setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? strtoull(value, NULL, 10) : otherwise;
}
