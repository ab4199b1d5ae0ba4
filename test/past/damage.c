/*
 * damage.c
 *		Packs that were damaged: they are malformed, or hold other ops, and never
 *		cost more memory than their bytes can mean.
 *
 *		PAST_SEED=n PAST_ROUNDS=n damage
 *
 * Bytes are changed in the pack, where the checksum finds them, and in what is
 * compressed in it, where only the reader's own checks do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../ot/tap.h"
#include "packs.h"
#include "scarce.h"

static Random random_state;
static uint64_t rounds;

/* A history of an author or more, as a pack. */
static void
random_pack(Ops *ops, OtBuffer *out)
{
	ops_random(ops, &random_state);
	ot_buffer_init(out, &ot_libc_allocator, 0);
	CHECK_NUMBER(ops_pack(ops, &ot_libc_allocator, out), OT_OK);
}

/* Change a few bytes, cut some off, copy some over others, make a number huge. */
static void
damage(uint8_t *data, size_t *size)
{
	int			changes = 1 + random_below(&random_state, 4);
	size_t		at;

	for (; changes > 0 && *size > 0; changes--)
	{
		at = random_next(&random_state) % *size;
		switch (random_below(&random_state, 7))
		{
			case 0:
				data[at] = (uint8_t) random_next(&random_state);
				break;
			case 1:
				data[at] = (uint8_t) (random_below(&random_state, 2) * 0xff);
				break;
			case 2:
				*size = random_below(&random_state, 8) == 0 ? at : *size;
				break;
			case 3:
				memmove(data + at, data + random_next(&random_state) % *size / 2, (*size - at) / 2);
				break;
			case 4:
				memset(data + at, 0xff, *size - at < 9 ? *size - at : 9);
				if (*size - at > 9)
					data[at + 9] = (uint8_t) random_below(&random_state, 128);
				break;
			default:
				data[at] ^= (uint8_t) (1 << random_below(&random_state, 8));
		}
	}
}

/* Read it with memory counted: what a reader needs for so many bytes. */
static OtStatus
read_scarcely(const Ops *ops, const uint8_t *data, size_t size, size_t payload, int *matching)
{
	Scarce		scarce;
	OtStatus	status;

	scarce_init(&scarce, -1);
	status = ops_compare(ops, &scarce.allocator, data, size, matching);
	/* A user takes a byte, and some hundred of them in the model; doubled. */
	if (!CHECK(scarce.largest <= 4096 + payload * 300))
		printf("# %zu bytes asked for\n", scarce.largest);
	return status;
}

static void
damaged_packs_are_malformed(void)
{
	for (uint64_t i = 0; i < rounds; i++)
	{
		Ops			ops = {0};
		OtBuffer	out;
		int			matching;

		random_pack(&ops, &out);
		for (int j = 0; j < 20; j++)
		{
			size_t		size = out.size;
			uint8_t    *copy = malloc(size);
			OtStatus	status;

			memcpy(copy, out.data, size);
			damage(copy, &size);
			status = read_scarcely(&ops, copy, size, size * 32768, &matching);
			if (size != out.size || memcmp(copy, out.data, size) != 0)
				CHECK(status == OT_MALFORMED || matching == ops.count);
			free(copy);
		}
		ot_buffer_free(&out);
		ops_free(&ops);
		support_release();
	}
}

/* The same pack with a frame of its own around other bytes. */
static size_t
repack(const uint8_t *head, size_t head_size, const uint8_t *payload, size_t payload_size,
	   uint8_t *out, size_t capacity)
{
	size_t		size;

	memcpy(out, head, head_size);
	size = ZSTD_compress(out + head_size, capacity - head_size, payload, payload_size, 1);
	if (ZSTD_isError(size))
		abort();
	return head_size + size;
}

/* Damage what is compressed. */
static void
damage_inside(const Ops *ops, const OtBuffer *pack, int times)
{
	/* Format and count: no history here has more than 16383 ops. */
	size_t		head = ops->count < 128 ? 2 : 3;
	size_t		size = (size_t) ZSTD_getFrameContentSize(pack->data + head, pack->size - head);
	size_t		capacity = ZSTD_compressBound(size + 1) + head;
	uint8_t    *payload = calloc(1, size + 1);
	uint8_t    *copy = malloc(size);
	uint8_t    *out = malloc(capacity);
	int			matching;

	CHECK_NUMBER(ZSTD_decompress(payload, size, pack->data + head, pack->size - head), size);
	/* The method itself: undamaged it is the same pack. */
	CHECK_NUMBER(read_scarcely(ops, out, repack(pack->data, head, payload, size, out, capacity),
							   size, &matching), OT_OK);
	CHECK_NUMBER(matching, ops->count);
	/* A byte behind the last column is a byte too many. */
	CHECK_NUMBER(read_scarcely(ops, out, repack(pack->data, head, payload, size + 1, out, capacity),
							   size, &matching), OT_MALFORMED);
	for (int i = 0; i < times; i++)
	{
		size_t		copy_size = size;
		OtStatus	status;

		memcpy(copy, payload, size);
		damage(copy, &copy_size);
		status = read_scarcely(ops, out, repack(pack->data, head, copy, copy_size, out, capacity),
							   size, &matching);
		CHECK(status == OT_OK || status == OT_MALFORMED);
	}
	free(payload);
	free(copy);
	free(out);
}

static void
damaged_columns_are_bounded(void)
{
	for (uint64_t i = 0; i < rounds; i++)
	{
		Ops			ops = {0};
		OtBuffer	out;

		random_pack(&ops, &out);
		damage_inside(&ops, &out, 20);
		ot_buffer_free(&out);
		ops_free(&ops);
		support_release();
	}
}

/* A few bytes that claim to be gigabytes. */
static void
claims_are_not_believed(void)
{
	static const uint8_t claims[][24] = {
		/* A frame said to hold 2^62 bytes, then 1 GB - 1, then 3 MB. */
		{1, 1, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0},
		{1, 1, 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xfe, 0xff, 0xff, 0x3f, 1, 0, 0},
		{1, 1, 0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x30, 0, 1, 0, 0},
		/* 2^63 ops, and no frame. */
		{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0},
	};
	Ops			none = {0};
	int			matching;

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		for (size_t size = 0; size <= sizeof(claims[0]); size++)
			CHECK_NUMBER(read_scarcely(&none, claims[i], size, 3 << 20, &matching), OT_MALFORMED);
}

static const TapTest tests[] = {
	{"damaged packs are malformed", damaged_packs_are_malformed},
	{"damaged columns give other ops or none", damaged_columns_are_bounded},
	{"what a few bytes claim is not believed", claims_are_not_believed},
};

int
main(void)
{
	random_state.state = setting("PAST_SEED", 1);
	rounds = setting("PAST_ROUNDS", 300);
	return tap_run("damage", tests, sizeof(tests) / sizeof(tests[0]));
}
