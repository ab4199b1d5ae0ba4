/*
 * unit-pack.c
 *		What goes into a pack comes out of it, to the bit, and how small it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ot/tap.h"
#include "history.h"
#include "packs.h"
#include "scarce.h"

#define EMOJI	"\xf0\x9f\x98\x80"

/* Pack ops and read them back; the size of the pack. */
static size_t
round_trip(const Ops *ops)
{
	OtBuffer	out;
	int			matching = -1;
	size_t		size;

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ops_pack(ops, &ot_libc_allocator, &out), OT_OK);
	CHECK_NUMBER(ops_compare(ops, &ot_libc_allocator, out.data, out.size, &matching), OT_OK);
	CHECK_NUMBER(matching, ops->count);
	size = out.size;
	ot_buffer_free(&out);
	return size;
}

/* Add the op that a JSON text is. */
static PackOp *
add(Ops *ops, const char *json, const char *user)
{
	return ops_add(ops, op_of(json), user);
}

/* An id of a client, and the number of its op. */
static void
set_id(PackOp *op, unsigned client, uint32_t number)
{
	memset(op->op_id, (int) client, sizeof(op->op_id));
	for (int i = 0; i < 4; i++)
		op->op_id[12 + i] = (uint8_t) (number >> (24 - 8 * i));
}

/* Type a character at the end, `count` times. */
static void
type(Ops *ops, int count, const char *user)
{
	char		json[40];

	for (int i = 0; i < count; i++)
	{
		sprintf(json, i == 0 ? "[\"x\"]" : "[%d,\"x\"]", i);
		set_id(add(ops, json, user), 7, (uint32_t) i);
	}
}

/* ---- round trips ---- */

static void
holds_no_op(void)
{
	Ops			ops = {0};

	CHECK(round_trip(&ops) > 0);
}

static void
holds_one_op(void)
{
	Ops			ops = {0};
	PackOp	   *op = add(&ops, "[3,\"" EMOJI "\",{\"d\":2}]", "ann");

	op->version = 1;
	op->base_version = 0;
	op->created_at = INT64_C(823456789012345);
	set_id(op, 200, 5);
	CHECK(round_trip(&ops) < 100);
	ops_free(&ops);
}

static void
holds_identities(void)
{
	Ops			ops = {0};

	for (int i = 0; i < 10; i++)
		add(&ops, i % 3 == 0 ? "[2,\"a\"]" : "[]", "ann");
	round_trip(&ops);
	ops_free(&ops);
}

static void
holds_ops_of_every_form(void)
{
	static const char *const forms[] = {
		"[\"a\"]", "[{\"d\":1}]", "[\"a\",{\"d\":1}]", "[{\"d\":1},\"a\"]", "[5,\"a\",{\"d\":9},\"b\"]",
		"[1,{\"d\":2},3,{\"d\":4},5,\"six\",{\"d\":7}]", "[1,\"\xc3\xa9\xe6\xbc\xa2" EMOJI "e\xcc\x81\"]",
		"[1073741823,\"x\"]", "[1073741823,{\"d\":1}]", "[{\"d\":1073741824}]", "[127,{\"d\":127},128,\"a\",1,\"b\"]"
	};
	Ops			ops = {0};
	int			last = sizeof(forms) / sizeof(forms[0]) - 1;

	for (int i = 0; i <= last * 2; i++)
		add(&ops, forms[i <= last ? i : last * 2 - i], i % 2 == 0 ? "ann" : "ben");
	ops.ops[8].submitted_hash++;
	round_trip(&ops);
	ops_free(&ops);
}

static void
holds_extreme_values(void)
{
	static const int64_t extremes[] = {INT64_MAX, INT64_MIN, 0, -1, INT64_MIN, INT64_MIN, INT64_MAX};
	Ops			ops = {0};

	for (int i = 0; i < 7; i++)
	{
		PackOp	   *op = add(&ops, "[\"a\"]", "ann");

		op->version = (int64_t) ((uint64_t) INT64_MAX - 3 + (uint64_t) i);
		op->seq = extremes[i];
		op->base_version = extremes[6 - i];
		op->created_at = extremes[(i + 3) % 7];
		op->submitted_hash = i % 2 == 0 ? INT32_MIN : INT32_MAX;
		memset(op->op_id, 0xff, 16);
	}
	round_trip(&ops);
	ops_free(&ops);
}

static void
holds_large_text(void)
{
	enum
	{
		REPEATS = 700000
	};
	char	   *text = malloc(REPEATS * 8 + 1);
	Ops			ops = {0};
	OtBuffer	op;
	OtBuilder	builder;
	Random		random = {3};

	for (int i = 0; i < REPEATS; i++)
		memcpy(text + (size_t) i * 8, random_below(&random, 2) == 0 ? "a" EMOJI "\xe6\xbc\xa2" : "12345678", 8);
	ot_buffer_init(&op, &ot_libc_allocator, 0);
	ot_builder_init(&builder, &op);
	ot_builder_insert(&builder, text, REPEATS * 8, ot_utf8_length(text, REPEATS * 8));
	CHECK_NUMBER(ot_builder_finish(&builder), OT_OK);
	add(&ops, "[\"a\"]", "ann");
	ops_add(&ops, ot_buffer_op(&op), "ben");
	add(&ops, "[7,\"a\"]", "ann");
	round_trip(&ops);
	ot_buffer_free(&op);
	ops_free(&ops);
	free(text);
}

static void
holds_many_users(void)
{
	Ops			ops = {0};
	char		user[40];

	for (int i = 0; i < 3000; i++)
	{
		sprintf(user, "user %d", i * 7919 % 1000);
		set_id(add(&ops, "[4,\"x\"]", user), (unsigned) i % 251, (uint32_t) i);
	}
	round_trip(&ops);
	ops_free(&ops);
}

static void
holds_random_histories(void)
{
	uint64_t	cases = setting("PAST_CASES", 200);
	Random		random = {setting("PAST_SEED", 1)};

	for (uint64_t i = 0; i < cases; i++)
	{
		Ops			ops = {0};

		ops_random(&ops, &random);
		round_trip(&ops);
		ops_free(&ops);
		support_release();
	}
}

/* ---- sizes ---- */

static void
typing_costs_next_to_nothing(void)
{
	Ops			ops = {0};

	type(&ops, 4000, "ann");
	CHECK(round_trip(&ops) < 200);
	for (int i = 3999; i > 0; i--)
	{
		char		json[40];

		sprintf(json, "[%d,{\"d\":1}]", i);
		set_id(add(&ops, json, "ann"), 7, (uint32_t) (8000 - i));
	}
	CHECK(round_trip(&ops) < 250);
	ops_free(&ops);
}

static void
deleting_forward_costs_next_to_nothing(void)
{
	Ops			ops = {0};

	for (int i = 0; i < 4000; i++)
		set_id(add(&ops, "[1000,{\"d\":1}]", "ann"), 1, (uint32_t) i);
	CHECK(round_trip(&ops) < 200);
	ops_free(&ops);
}

/* Two type at two places, one before the other, which moves the other's cursor. */
static void
two_typing_at_once_costs_next_to_nothing(void)
{
	Ops			ops = {0};
	char		json[40];

	for (int i = 0; i < 4000; i++)
	{
		int			place = i % 2 == 0 ? 10 + i / 2 : 12000 + i;

		sprintf(json, "[%d,\"x\"]", place);
		set_id(add(&ops, json, i % 2 == 0 ? "ann" : "ben"), (unsigned) i % 2, (uint32_t) i / 2);
	}
	CHECK(round_trip(&ops) < 250);
	ops_free(&ops);
}

static void
clients_of_a_user_cost_next_to_nothing(void)
{
	Ops			ops = {0};

	for (int i = 0; i < 4000; i++)
	{
		/* From three clients in turn, and over the end of the counter. */
		set_id(add(&ops, "[\"x\"]", "ann"), (unsigned) i % 3, 0xffffff00u + (uint32_t) (i / 3));
	}
	CHECK(round_trip(&ops) < 250);
	ops_free(&ops);
}

static void
random_ids_cost_their_bytes(void)
{
	Ops			ops = {0};
	Random		random = {5};
	size_t		size;

	type(&ops, 4000, "ann");
	for (int i = 0; i < 4000; i++)
		for (int at = 0; at < 16; at++)
			ops.ops[i].op_id[at] = (uint8_t) random_next(&random);
	size = round_trip(&ops);
	CHECK(size > 64000 && size < 64500);
	ops_free(&ops);
}

static void
times_in_a_unit_cost_no_more(void)
{
	Ops			ops = {0};
	Random		random = {5};
	size_t		seconds;

	type(&ops, 4000, "ann");
	for (int i = 1; i < 4000; i++)
		ops.ops[i].created_at = ops.ops[i - 1].created_at + random_below(&random, 100);
	seconds = round_trip(&ops);
	for (int i = 0; i < 4000; i++)
		ops.ops[i].created_at *= 1000000;
	/* The unit itself takes a few bytes. */
	CHECK(round_trip(&ops) < seconds + 20);
	ops_free(&ops);
}

/* ---- the writer ---- */

static void
writes_one_pack_after_another(void)
{
	Ops			ops = {0};
	PackWriter *writer;
	OtBuffer	out;
	int			matching;
	const PackColumn *columns;

	type(&ops, 500, "ann");
	ops.ops[3].submitted_hash++;
	CHECK_NUMBER(pack_writer_create(&ot_libc_allocator, history_hash, &writer), OT_OK);
	for (int round = 0; round < 2; round++)
	{
		ot_buffer_init(&out, &ot_libc_allocator, 0);
		for (int i = 0; i < 500; i++)
			CHECK_NUMBER(pack_writer_add(writer, &ops.ops[i]), OT_OK);
		CHECK_NUMBER(pack_writer_count(writer), 500);
		CHECK(pack_writer_size(writer) > 500);
		CHECK_NUMBER(pack_writer_finish(writer, &out), OT_OK);
		CHECK_NUMBER(pack_writer_count(writer), 0);
		CHECK_NUMBER(pack_writer_size(writer), 0);
		CHECK_NUMBER(ops_compare(&ops, &ot_libc_allocator, out.data, out.size, &matching), OT_OK);
		CHECK_NUMBER(matching, 500);
		ot_buffer_free(&out);
	}
	CHECK(pack_writer_columns(writer, &columns) > 0);
	CHECK_TEXT(columns[0].name, "origin");
	pack_writer_free(writer);
	pack_writer_free(NULL);
	ops_free(&ops);
}

static void
leaves_reserved_bytes_alone(void)
{
	Ops			ops = {0};
	OtBuffer	out;
	OtBuffer	plain;

	type(&ops, 20, "ann");
	ot_buffer_init(&out, &ot_libc_allocator, 4);
	ot_buffer_init(&plain, &ot_libc_allocator, 0);
	CHECK_NUMBER(ops_pack(&ops, &ot_libc_allocator, &out), OT_OK);
	CHECK_NUMBER(ops_pack(&ops, &ot_libc_allocator, &plain), OT_OK);
	CHECK_NUMBER(out.size, plain.size + 4);
	CHECK(memcmp(out.data + 4, plain.data, plain.size) == 0);
	ot_buffer_free(&out);
	ot_buffer_free(&plain);
	ops_free(&ops);
}

static void
wants_versions_without_gaps(void)
{
	Ops			ops = {0};
	OtBuffer	out;

	type(&ops, 3, "ann");
	ops.ops[2].version++;
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ops_pack(&ops, &ot_libc_allocator, &out), OT_MALFORMED);
	ops.ops[2].version--;
	ops.ops[1].user_len = -1;
	CHECK_NUMBER(ops_pack(&ops, &ot_libc_allocator, &out), OT_MALFORMED);
	ot_buffer_free(&out);
	ops_free(&ops);
}

/* ---- the reader ---- */

static void
reads_nothing_that_is_no_pack(void)
{
	Ops			ops = {0};
	int			matching;

	CHECK_NUMBER(ops_compare(&ops, &ot_libc_allocator, (const uint8_t *) "", 0, &matching),
				 OT_MALFORMED);
	CHECK_NUMBER(ops_compare(&ops, &ot_libc_allocator, (const uint8_t *) "\1\5 and so on", 13,
							 &matching), OT_MALFORMED);
	pack_reader_free(NULL);
}

static void
knows_its_count_and_ends_once(void)
{
	Ops			ops = {0};
	OtBuffer	out;
	PackReader *reader;
	PackOp		op;
	bool		found;

	type(&ops, 3, "ann");
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ops_pack(&ops, &ot_libc_allocator, &out), OT_OK);
	CHECK_NUMBER(pack_reader_open(&ot_libc_allocator, history_hash, out.data, out.size, &reader),
				 OT_OK);
	ot_buffer_free(&out);
	CHECK_NUMBER(pack_reader_count(reader), 3);
	for (int i = 0; i < 5; i++)
	{
		CHECK_NUMBER(pack_reader_next(reader, &op, &found), OT_OK);
		CHECK_NUMBER(found, i < 3);
	}
	pack_reader_free(reader);
	ops_free(&ops);
}

static void
says_when_memory_runs_out(void)
{
	Ops			ops = {0};
	OtBuffer	out;
	Scarce		scarce;
	Random		random = {9};
	OtStatus	status = OT_NO_MEMORY;
	int			matching;

	while (ops.count < 200)
		ops_random(&ops, &random);
	for (int i = 1; i < ops.count; i++)
		ops.ops[i].version = ops.ops[0].version + i;
	for (long i = 0; status == OT_NO_MEMORY; i++)
	{
		scarce_init(&scarce, i);
		ot_buffer_init(&out, &scarce.allocator, 0);
		status = ops_pack(&ops, &scarce.allocator, &out);
		if (status == OT_NO_MEMORY)
			ot_buffer_free(&out);
	}
	CHECK_NUMBER(status, OT_OK);
	status = OT_NO_MEMORY;
	for (long i = 0; status == OT_NO_MEMORY; i++)
	{
		scarce_init(&scarce, i);
		status = ops_compare(&ops, &scarce.allocator, out.data, out.size, &matching);
	}
	CHECK_NUMBER(status, OT_OK);
	CHECK_NUMBER(matching, ops.count);
	ot_buffer_free(&out);
	ops_free(&ops);
}

static const TapTest tests[] = {
	{"a pack of nothing", holds_no_op},
	{"a pack of one op", holds_one_op},
	{"identities", holds_identities},
	{"ops of every form", holds_ops_of_every_form},
	{"extreme values", holds_extreme_values},
	{"large text", holds_large_text},
	{"a thousand users", holds_many_users},
	{"random histories of several authors", holds_random_histories},
	{"typing and backspacing cost next to nothing", typing_costs_next_to_nothing},
	{"deleting forward costs next to nothing", deleting_forward_costs_next_to_nothing},
	{"two typing at once cost next to nothing", two_typing_at_once_costs_next_to_nothing},
	{"several clients of a user cost next to nothing", clients_of_a_user_cost_next_to_nothing},
	{"random ids cost their sixteen bytes", random_ids_cost_their_bytes},
	{"times in whole seconds cost no more than small ones", times_in_a_unit_cost_no_more},
	{"a writer begins anew", writes_one_pack_after_another},
	{"reserved bytes are left alone", leaves_reserved_bytes_alone},
	{"versions without gaps, and users with a length", wants_versions_without_gaps},
	{"what is no pack is malformed", reads_nothing_that_is_no_pack},
	{"a reader knows its count and ends once", knows_its_count_and_ends_once},
	{"no memory is said", says_when_memory_runs_out},
};

TAP_MAIN("unit-pack", tests);
