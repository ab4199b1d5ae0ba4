/*
 * lient/copy_test.c
 *		Copies against a server in memory, at random: people type, ops arrive one by
 *		one or many composed, edits are composed while one is in flight.  In the end
 *		all texts are equal, and every edit came back as its copy expected it.
 *
 * The server applies what DESIGN calls the contract: an incoming op is carried, as
 * the left one, over all ops since its base.
 */
#include "lib/common.h"
#include "client/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE		4
#define EDITS		400			/* a round, of all */
#define MAX_LOG		(EDITS + 1)

typedef struct Entry
{
	char		id[ID_SIZE];
	OtBuffer	op;
} Entry;

typedef struct Person
{
	Copy		copy;
	IdSession	ids;
	uint64_t	next_id;
	int64_t		base;			/* of the edit on its way to the server */
	bool		on_its_way;
	OtBuffer	letter;
} Person;

static Person people[PEOPLE];
static Entry ops[MAX_LOG];
static int64_t head;

static const char *const characters[] = {"a", "b", " ", "\n", "é", "ß", "e\xCC\x81", "漢", "字", "�7"};

static int
below(int limit)
{
	return rand() % limit;
}

/* Give up unless it went well. */
static void
must(OtStatus status)
{
	if (status != OT_OK)
		die("status %d", status);
}

/* A random edit of a text: an insert, a delete, a replacement. */
static void
random_edit(const OtBuffer *text, OtBuffer *op)
{
	int64_t		length = ot_utf8_length((const char *) text->data, text->size);
	int64_t		position = below((int) length + 1);
	int64_t		deleted = below(3) == 0 ? below((int) (length - position) + 1) % 8 : 0;
	OtBuilder	builder;

	ot_builder_init(&builder, op);
	ot_builder_retain(&builder, position);
	if (below(4) != 0 || deleted == 0)
	{
		const char *inserted = characters[below(sizeof(characters) / sizeof(characters[0]))];
		size_t		size = strlen(inserted);

		ot_builder_insert(&builder, inserted, size, ot_utf8_length(inserted, size));
	}
	ot_builder_delete(&builder, deleted);
	must(ot_builder_finish(&builder));
}

/* Somebody types. */
static void
type(Person *person)
{
	OtBuffer	op;
	char		id[ID_SIZE];
	bool		id_used;

	ot_buffer_init(&op, &ot_libc_allocator, 0);
	random_edit(&person->copy.text, &op);
	ids_format(&person->ids, person->next_id, id);
	must(copy_type(&person->copy, ot_buffer_op(&op), id, below(2) == 0, &id_used));
	person->next_id += id_used;
	ot_buffer_free(&op);
}

/* The front edit leaves, if none is under way. */
static void
post(Person *person)
{
	const CopyEdit *edit = copy_front(&person->copy);

	if (edit == NULL || person->copy.in_flight)
		return;
	ot_buffer_reset(&person->letter);
	must(ot_buffer_append(&person->letter, edit->op.data, edit->op.size));
	person->base = person->copy.version;
	person->on_its_way = true;
	copy_sent(&person->copy);
}

/* The server takes an edit. */
static void
serve(Person *person)
{
	OtRebase   *rebase;
	Entry	   *entry = &ops[head + 1];

	must(ot_rebase_create(&ot_libc_allocator, ot_buffer_op(&person->letter), &rebase));
	for (int64_t v = person->base + 1; v <= head; v++)
		must(ot_rebase_push(rebase, ot_buffer_op(&ops[v].op)));
	ot_buffer_init(&entry->op, &ot_libc_allocator, 0);
	must(ot_rebase_finish(rebase, &entry->op));
	ot_rebase_free(rebase);
	memcpy(entry->id, copy_front(&person->copy)->id, ID_SIZE);
	person->on_its_way = false;
	head++;
}

/* Somebody gets ops up to a version, composed, none of them his own. */
static void
catch_up(Person *person, int64_t to)
{
	OtFold	   *fold;
	OtBuffer	composed;

	must(ot_fold_create(&ot_libc_allocator, &fold));
	for (int64_t v = person->copy.version + 1; v <= to; v++)
		must(ot_fold_push(fold, ot_buffer_op(&ops[v].op)));
	ot_buffer_init(&composed, &ot_libc_allocator, 0);
	must(ot_fold_finish(fold, &composed));
	must(copy_foreign(&person->copy, to, ops[to].id, ot_buffer_op(&composed)));
	ot_buffer_free(&composed);
	ot_fold_free(fold);
}

/* Somebody gets his edit back, or what others did: the next op, or many at once. */
static void
deliver(Person *person)
{
	int64_t		next = person->copy.version + 1;
	bool		same = true;

	if (next > head)
		return;
	if (copy_is_mine(&person->copy, ops[next].id))
		copy_acknowledge(&person->copy, next, ot_buffer_op(&ops[next].op), &same);
	else
	{
		int64_t		to = next;
		int64_t		limit = below(4) == 0 ? next + below(20) : next;

		while (to < limit && to < head && !copy_is_mine(&person->copy, ops[to + 1].id))
			to++;
		catch_up(person, to);
	}
	if (!same)
		die("version %lld is not what its author expected", (long long) next);
}

/* One step of one person. */
static void
step(Person *person, bool may_type)
{
	switch (below(4))
	{
		case 0:
			if (may_type)
				type(person);
			break;
		case 1:
			post(person);
			break;
		case 2:
			if (person->on_its_way)
				serve(person);
			break;
		default:
			deliver(person);
	}
}

/* Is there nothing left to do? */
static bool
settled(void)
{
	for (int i = 0; i < PEOPLE; i++)
	{
		if (copy_front(&people[i].copy) != NULL || people[i].copy.version != head)
			return false;
	}
	return true;
}

/* A session from an empty document until everybody has everything. */
static void
round_of(unsigned seed)
{
	srand(seed);
	head = 0;
	for (int i = 0; i < PEOPLE; i++)
	{
		memset(&people[i], 0, sizeof(Person));
		copy_init(&people[i].copy);
		ids_start(&people[i].ids);
		ot_buffer_init(&people[i].letter, &ot_libc_allocator, 0);
	}
	for (int i = 0; i < EDITS * 4; i++)
		step(&people[below(PEOPLE)], i < EDITS);
	while (!settled())
		step(&people[below(PEOPLE)], false);
	for (int i = 0; i < PEOPLE; i++)
	{
		const OtBuffer *text = &people[i].copy.text;

		if (text->size != people[0].copy.text.size ||
			(text->size > 0 && memcmp(text->data, people[0].copy.text.data, text->size) != 0))
			die("seed %u: the copies differ", seed);
	}
	for (int i = 0; i < PEOPLE; i++)
	{
		copy_free(&people[i].copy);
		ot_buffer_free(&people[i].letter);
	}
	for (int64_t v = 1; v <= head; v++)
		ot_buffer_free(&ops[v].op);
}

int
main(int argc, char **argv)
{
	unsigned	rounds = argc > 1 ? (unsigned) atoi(argv[1]) : 200;

	for (unsigned seed = 1; seed <= rounds; seed++)
		round_of(seed);
	printf("%u sessions of %d people: all copies equal\n", rounds, PEOPLE);
	return 0;
}
