/*
 * unit-memory.c
 *		An allocator that fails: whoever needed the memory says so, and all that was
 *		granted is given back.
 */
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "tap.h"

#define EMOJI	"\xf0\x9f\x98\x80"

typedef struct Scarce
{
	int			left;			/* allocations until one is not granted */
	bool		for_good;		/* then none is any more */
	int			held;			/* blocks not yet released */
} Scarce;

static void *
scarce_resize(void *ctx, void *ptr, size_t size)
{
	Scarce	   *scarce = ctx;

	if (scarce->left == 0 && scarce->for_good)
		return NULL;
	if (scarce->left-- == 0)
		return NULL;
	scarce->held += ptr == NULL;
	return realloc(ptr, size);
}

static void
scarce_release(void *ctx, void *ptr)
{
	Scarce	   *scarce = ctx;

	scarce->held--;
	free(ptr);
}

/* Everything that allocates, in turn; the first failure. */
static OtStatus
use_everything(const OtAllocator *allocator)
{
	static const char json[] = "[1,\"some text that takes more than a first small piece of memory "
	"before it comes to its end, " EMOJI "\",{\"d\":2}]";
	OtOp		op = op_of(json);
	OtBuffer	out;
	OtFold	   *fold = NULL;
	OtRebase   *rebase = NULL;
	size_t		error_at;
	const char *detail = NULL;
	OtStatus	status;

	ot_buffer_init(&out, allocator, 4);
	status = ot_from_json(json, strlen(json), &out, &error_at, &detail);
	if (status == OT_NO_MEMORY)
		CHECK_TEXT(detail, "out of memory");
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_to_json(op, &out);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_apply("abc", 3, op, &out);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_invert(op, "abc", 3, &out);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_transform(op, op, OT_LEFT, &out);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_compose(op, op, &out);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_fold_create(allocator, &fold);
	for (int i = 0; i < 5 && status == OT_OK; i++)
		status = ot_fold_push(fold, op);
	if (status == OT_OK)
		status = ot_fold_finish(fold, &out);
	ot_fold_free(fold);
	ot_buffer_free(&out);
	if (status == OT_OK)
		status = ot_rebase_create(allocator, op, &rebase);
	for (int i = 0; i < 30 && status == OT_OK; i++)
		status = ot_rebase_push(rebase, op_of("[\"a\"]"));
	if (status == OT_OK)
		status = ot_rebase_finish(rebase, &out);
	ot_rebase_free(rebase);
	ot_buffer_free(&out);
	return status;
}

/* Let each allocation in turn fail, and those behind it or not. */
static void
fail_each_allocation(bool for_good)
{
	Scarce		scarce;
	OtAllocator allocator = {scarce_resize, scarce_release, &scarce};
	OtStatus	status = OT_NO_MEMORY;
	int			granted;

	for (granted = 0; status == OT_NO_MEMORY && granted < 200; granted++)
	{
		scarce.left = granted;
		scarce.for_good = for_good;
		scarce.held = 0;
		status = use_everything(&allocator);
		CHECK_NUMBER(scarce.held, 0);
	}
	CHECK_NUMBER(status, OT_OK);
	CHECK(granted > 10);
}

static void
every_failed_allocation_is_told_and_leaks_nothing(void)
{
	fail_each_allocation(true);
}

static void
a_failed_allocation_is_not_forgotten(void)
{
	fail_each_allocation(false);
}

/* Whichever append finds no room, those behind it do not make up for it. */
static void
a_builder_that_lacked_memory_has_failed(void)
{
	Scarce		scarce;
	OtAllocator allocator = {scarce_resize, scarce_release, &scarce};

	for (int pieces = 40; pieces < 80; pieces++)
	{
		OtBuffer	out;
		OtBuilder	builder;
		OtStatus	status;

		scarce.left = 1;
		scarce.for_good = false;
		ot_buffer_init(&out, &allocator, 0);
		ot_builder_init(&builder, &out);
		for (int i = 0; i < pieces; i++)
			if (i % 2 == 0)
				ot_builder_retain(&builder, 1);
			else
				ot_builder_delete(&builder, 1);
		ot_builder_insert(&builder, "a", 1, 1);
		ot_builder_delete(&builder, 1);
		status = ot_builder_finish(&builder);
		CHECK_NUMBER(status, scarce.left < 0 ? OT_NO_MEMORY : OT_OK);
		ot_buffer_free(&out);
	}
}

static const TapTest tests[] = {
	{"every failed allocation is told, and leaks nothing",
	every_failed_allocation_is_told_and_leaks_nothing},
	{"a failed allocation is not forgotten when the next one is granted",
	a_failed_allocation_is_not_forgotten},
	{"a builder that once lacked memory has failed", a_builder_that_lacked_memory_has_failed}
};

TAP_MAIN("unit-memory", tests);
