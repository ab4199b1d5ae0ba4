/*
 * fuzz-json.c
 *		Any bytes as JSON: refused with a place and a word, or an op in normal form
 *		that is printed and parsed to itself.
 */
#include <string.h>

#include "fuzz.h"

static OtBuffer parsed;
static OtBuffer printed;
static OtBuffer again;

/* What a refusal must come with. */
static void
check_refusal(OtStatus status, size_t size, size_t error_at, const char *detail)
{
	PROMISE(status == OT_SYNTAX || status == OT_BAD_UTF8 || status == OT_NUL ||
			status == OT_SURROGATE || status == OT_TOO_LARGE);
	PROMISE(error_at <= size);
	PROMISE(detail != NULL && *detail != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t		error_at = SIZE_MAX;
	const char *detail = NULL;
	OtStatus	status;
	OtOp		op;

	if (parsed.allocator == NULL)
	{
		ot_buffer_init(&parsed, &ot_libc_allocator, 0);
		ot_buffer_init(&printed, &ot_libc_allocator, 0);
		ot_buffer_init(&again, &ot_libc_allocator, 0);
	}
	ot_buffer_reset(&parsed);
	status = ot_from_json((const char *) data, size, &parsed, &error_at, &detail);
	if (status != OT_OK)
	{
		check_refusal(status, size, error_at, detail);
		return 0;
	}
	op = ot_buffer_op(&parsed);
	PROMISE(ot_check(op) == OT_OK);
	ot_buffer_reset(&printed);
	PROMISE(ot_to_json(op, &printed) == OT_OK);
	ot_buffer_reset(&again);
	PROMISE(ot_from_json((const char *) printed.data, printed.size, &again,
						 &error_at, &detail) == OT_OK);
	PROMISE(again.size == op.size && (op.size == 0 || memcmp(again.data, op.data, op.size) == 0));
	return 0;
}
