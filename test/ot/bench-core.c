/*
 * bench-core.c
 *		What the core costs: nanoseconds a keystroke, milliseconds for many ops.
 *
 * It prints and judges nothing; figures count only beside others of the same run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"

#define KEYSTROKES	260000
#define ROUNDS		5000000

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static void
must(OtStatus status)
{
	if (status != OT_OK)
	{
		printf("%s\n", status_name(status));
		exit(EXIT_FAILURE);
	}
}

/* One transform or compose of two keystrokes, many times. */
static void
time_pair(const char *name, const char *first, const char *second, bool composing)
{
	OtOp		a = op_of(first);
	OtOp		b = op_of(second);
	OtBuffer	out;
	double		start = now();

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	for (int i = 0; i < ROUNDS; i++)
	{
		ot_buffer_reset(&out);
		must(composing ? ot_compose(a, b, &out) : ot_transform(a, b, OT_LEFT, &out));
	}
	printf("%-40s %8.1f ns\n", name, (now() - start) / ROUNDS * 1e9);
	ot_buffer_free(&out);
}

/* A session's keystrokes, one packed behind another; ends[i] is where the i-th ends. */
typedef struct Session
{
	OtBuffer	bytes;
	size_t		ends[KEYSTROKES];
} Session;

static OtOp
keystroke(const Session *session, int i)
{
	size_t		start = i == 0 ? 0 : session->ends[i - 1];
	OtOp		op = {session->bytes.data + start, session->ends[i] - start};

	return op;
}

/* Type, and delete now and then, moving somewhere else every `stay` keystrokes. */
static void
make_session(Session *session, int stay)
{
	Random		random = {1};
	OtBuffer	one;
	int			length = 0;
	int			at = 0;

	ot_buffer_init(&session->bytes, &ot_libc_allocator, 0);
	ot_buffer_init(&one, &ot_libc_allocator, 0);
	for (int i = 0; i < KEYSTROKES; i++)
	{
		OtBuilder	builder;

		if (i % stay == 0)
			at = random_below(&random, length + 1);
		ot_buffer_reset(&one);
		ot_builder_init(&builder, &one);
		if (at > 0 && i % 4 == 3)
		{
			ot_builder_retain(&builder, --at);
			ot_builder_delete(&builder, 1);
			length--;
		}
		else
		{
			ot_builder_retain(&builder, at++);
			ot_builder_insert(&builder, "x", 1, 1);
			length++;
		}
		must(ot_builder_finish(&builder));
		must(ot_buffer_append(&session->bytes, one.data, one.size));
		session->ends[i] = session->bytes.size;
	}
	ot_buffer_free(&one);
}

static void
time_fold(const char *name, const Session *session)
{
	OtFold	   *fold;
	OtBuffer	out;
	double		start = now();

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	must(ot_fold_create(&ot_libc_allocator, &fold));
	for (int i = 0; i < KEYSTROKES; i++)
		must(ot_fold_push(fold, keystroke(session, i)));
	must(ot_fold_finish(fold, &out));
	printf("%-40s %8.1f ms, %zu bytes\n", name, (now() - start) * 1e3, out.size);
	ot_fold_free(fold);
	ot_buffer_free(&out);
}

static void
time_rebase(const char *name, OtOp op, const Session *session)
{
	OtRebase   *rebase;
	OtBuffer	out;
	double		start = now();

	ot_buffer_init(&out, &ot_libc_allocator, 0);
	must(ot_rebase_create(&ot_libc_allocator, op, &rebase));
	for (int i = 0; i < KEYSTROKES; i++)
		must(ot_rebase_push(rebase, keystroke(session, i)));
	must(ot_rebase_finish(rebase, &out));
	printf("%-40s %8.1f ms\n", name, (now() - start) * 1e3);
	ot_rebase_free(rebase);
	ot_buffer_free(&out);
}

/* An op that inserts so many characters. */
static OtOp
paste(size_t size)
{
	char	   *json = support_keep(size + 5);

	memset(json, 'p', size + 2);
	memcpy(json, "[\"", 2);
	memcpy(json + size + 2, "\"]", 3);
	return op_of(json);
}

static void
time_text(size_t size)
{
	char	   *text = malloc(size);
	OtBuffer	out;
	int64_t		length;
	double		start;

	if (text == NULL)
		abort();
	memset(text, 'x', size);
	ot_buffer_init(&out, &ot_libc_allocator, 0);
	start = now();
	length = ot_utf8_length(text, size);
	printf("%-40s %8.2f ms\n", "UTF-8 length of 10 MB", (now() - start) * 1e3);
	start = now();
	length = (int64_t) ot_utf8_offset(text, size, length - 1);
	printf("%-40s %8.2f ms\n", "UTF-8 offset at the end of 10 MB", (now() - start) * 1e3);
	start = now();
	must(ot_utf8_check(text, size, &length));
	printf("%-40s %8.2f ms\n", "UTF-8 check of 10 MB", (now() - start) * 1e3);
	start = now();
	must(ot_apply(text, size, op_of("[5000000,\"y\"]"), &out));
	printf("%-40s %8.2f ms\n", "apply in the midst of 10 MB", (now() - start) * 1e3);
	ot_buffer_free(&out);
	free(text);
}

int
main(void)
{
	static Session typing;
	static Session jumping;

	make_session(&typing, 60);
	make_session(&jumping, 1);
	time_pair("transform a keystroke, earlier", "[5000,\"x\"]", "[7000,\"y\"]", false);
	time_pair("transform a keystroke, later", "[7000,\"x\"]", "[5000,\"y\"]", false);
	time_pair("transform a delete over an insert", "[7000,{\"d\":1}]", "[5000,\"y\"]", false);
	time_pair("compose neighbouring keystrokes", "[5000,\"x\"]", "[5001,\"y\"]", true);
	time_pair("compose distant keystrokes", "[5000,\"x\"]", "[70,\"y\"]", true);
	time_fold("fold 260,000 keystrokes of typing", &typing);
	time_fold("fold 260,000 keystrokes all over", &jumping);
	time_rebase("rebase a keystroke over them", op_of("[50,\"x\"]"), &jumping);
	time_rebase("rebase 1 KB over them", paste(1000), &jumping);
	time_rebase("rebase 1 MB over them", paste(1000000), &jumping);
	time_text(10 * 1000 * 1000);
	ot_buffer_free(&typing.bytes);
	ot_buffer_free(&jumping.bytes);
	support_release();
	return EXIT_SUCCESS;
}
