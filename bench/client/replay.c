/*
 * client/replay.c
 *		Replays a concurrent trace: every author a client of his own, all at once.
 */
#include "client/replay.h"

#include <stdlib.h>
#include <string.h>

/* ---- the trace, by author ---- */

/* Deal the edits out to their authors. */
static void
deal_edits(Replay *replay)
{
	const Trace *trace = replay->trace;

	for (int i = 0; i < trace->authors; i++)
	{
		ReplayAuthor *author = &replay->authors[i];

		author->replay = replay;
		author->index = i;
		author->edits = xcalloc(trace->count, sizeof(TraceEdit *));
		author->known_alone = xcalloc(trace->count + 1, sizeof(bool));
		author->ops = xcalloc(trace->count, sizeof(ReplayOp));
	}
	for (size_t i = 0; i < trace->count; i++)
	{
		ReplayAuthor *author = &replay->authors[trace->edits[i].author];

		author->edits[author->count++] = &trace->edits[i];
	}
}

/*
 * Mark the edits that another author knew while he did not know the next: an op
 * must end there, or he would get to see more than he had seen.
 */
static void
mark_boundaries(Replay *replay)
{
	const Trace *trace = replay->trace;

	for (size_t i = 0; i < trace->count; i++)
	{
		const TraceEdit *edit = &trace->edits[i];

		for (int other = 0; other < trace->authors; other++)
		{
			if (other != edit->author && edit->knows[other] > 0)
				replay->authors[other].known_alone[edit->knows[other] - 1] = true;
		}
	}
}

void
replay_init(Replay *replay, const Trace *trace, Loop *loop, bool compose)
{
	memset(replay, 0, sizeof(*replay));
	replay->trace = trace;
	replay->loop = loop;
	replay->compose = compose;
	replay->log = xcalloc(trace->count + 1, sizeof(ReplayEntry));
	deal_edits(replay);
	mark_boundaries(replay);
}

size_t
replay_answered(const Replay *replay)
{
	size_t		sum = 0;

	for (int i = 0; i < replay->trace->authors; i++)
		sum += replay->authors[i].answered;
	return sum;
}

uint64_t
replay_ops(const Replay *replay)
{
	uint64_t	sum = 0;

	for (int i = 0; i < replay->trace->authors; i++)
		sum += replay->authors[i].collab.next_id;
	return sum - replay->unchanged;
}

bool
replay_finished(const Replay *replay)
{
	int64_t		last = (int64_t) replay_ops(replay);

	for (int i = 0; i < replay->trace->authors; i++)
	{
		const ReplayAuthor *author = &replay->authors[i];

		if (author->typed < author->count || !collab_idle(&author->collab) ||
			author->collab.copy.version != last)
			return false;
	}
	return true;
}

/* ---- typing ---- */

/* Has he seen what he knew when he made his next edit? */
static bool
may_type(const ReplayAuthor *author)
{
	const TraceEdit *edit;

	if (author->typed == author->count)
		return false;
	edit = author->edits[author->typed];
	for (int other = 0; other < author->replay->trace->authors; other++)
	{
		if (other == author->index || author->seen[other] == edit->knows[other])
			continue;
		if (author->seen[other] > edit->knows[other])
			die("author %d has seen more than he had when he made edit %zu",
				author->index, author->typed);
		return false;
	}
	return true;
}

/* Make every edit whose time has come. */
static void
type_on(ReplayAuthor *author)
{
	while (may_type(author))
	{
		TraceEdit  *edit = author->edits[author->typed];
		bool		seal = !author->replay->compose || author->known_alone[author->typed];

		author->typed++;
		author->ops[author->collab.next_id].covers = author->typed;
		collab_type(&author->collab, ot_buffer_op(&edit->op), seal);
		author->ops[author->collab.next_id - 1].covers = author->typed;
	}
}

/* ---- what the clients report ---- */

static ReplayAuthor *
author_of(Collab *collab)
{
	return (ReplayAuthor *) collab->ctx;
}

/* Whose op is it? */
static ReplayAuthor *
owner_of(Replay *replay, const char *operation_id)
{
	for (int i = 0; i < replay->trace->authors; i++)
	{
		ReplayAuthor *author = &replay->authors[i];

		if (strncmp(operation_id, author->id_prefix, sizeof(author->id_prefix) - 1) == 0 &&
			ids_number(operation_id) < author->collab.next_id)
			return author;
	}
	die("operation %s is nobody's", operation_id);
}

/* All begin when the last one has the text. */
static void
ready(Collab *collab)
{
	ReplayAuthor *author = author_of(collab);
	Replay	   *replay = author->replay;
	char		id[ID_SIZE];

	ids_format(&collab->ids, 0, id);
	memcpy(author->id_prefix, id, sizeof(author->id_prefix) - 1);
	author->ready = true;
	for (int i = 0; i < replay->trace->authors; i++)
	{
		if (!replay->authors[i].ready)
			return;
	}
	replay->started_us = now_us();
	for (int i = 0; i < replay->trace->authors; i++)
		type_on(&replay->authors[i]);
}

static void
sent(Collab *collab, const CopyEdit *edit)
{
	author_of(collab)->ops[ids_number(edit->id)].sent_us = now_us();
}

/* Keep a single op; it may be what another client's catch-up is made of. */
static void
keep(Replay *replay, const CollabEvent *event)
{
	ReplayEntry *entry;

	if (event->version < 1 || event->version > (int64_t) replay->trace->count)
		die("version %lld was never sent", (long long) event->version);
	entry = &replay->log[event->version];
	if (entry->present)
		return;
	memcpy(entry->operation_id, event->operation_id, ID_SIZE);
	ot_buffer_init(&entry->op, &ot_libc_allocator, 0);
	if (ot_buffer_append(&entry->op, event->op.data, event->op.size) != OT_OK)
		die("out of memory");
	entry->present = true;
}

static void
received(Collab *collab, const CollabEvent *event)
{
	Replay	   *replay = author_of(collab)->replay;
	ReplayAuthor *owner = owner_of(replay, event->operation_id);

	if (event->version - event->from_version > 1)
		return;
	keep(replay, event);
	if (owner != author_of(collab))
	{
		int64_t		sent_us = owner->ops[ids_number(event->operation_id)].sent_us;

		samples_add(&replay->propagation_ms, (double) (now_us() - sent_us) / 1000);
	}
	for (int i = 0; i < replay->trace->authors; i++)
	{
		if (&replay->authors[i] != author_of(collab))
			collab_pump(&replay->authors[i].collab);
	}
}

/* A single event made of what is kept. */
static CollabEvent *
kept_event(const ReplayEntry *entry, int64_t version)
{
	CollabEvent *event = xcalloc(1, sizeof(CollabEvent));

	event->from_version = version - 1;
	event->version = version;
	memcpy(event->operation_id, entry->operation_id, ID_SIZE);
	ot_buffer_init(&event->op, &ot_libc_allocator, 0);
	if (ot_buffer_append(&event->op, entry->op.data, entry->op.size) != OT_OK)
		die("out of memory");
	return event;
}

/* The parts of a catch-up must be what it is composed of. */
static void
check_parts(const Replay *replay, const CollabEvent *event)
{
	OtFold	   *fold;
	OtBuffer	composed;
	OtStatus	status = ot_fold_create(&ot_libc_allocator, &fold);

	ot_buffer_init(&composed, &ot_libc_allocator, 0);
	for (int64_t v = event->from_version + 1; v <= event->version && status == OT_OK; v++)
		status = ot_fold_push(fold, ot_buffer_op(&replay->log[v].op));
	if (status == OT_OK)
		status = ot_fold_finish(fold, &composed);
	if (status != OT_OK || composed.size != event->op.size ||
		memcmp(composed.data, event->op.data, composed.size) != 0)
		die("the catch-up to version %lld is not its ops composed",
			(long long) event->version);
	ot_fold_free(fold);
	ot_buffer_free(&composed);
}

/*
 * A client that was away gets many of the other's ops as one, and among them may
 * be ops its author had not seen.  The other client has each of them by itself,
 * since it got them as answers: take the catch-up apart.
 */
static bool
take(Collab *collab)
{
	Replay	   *replay = author_of(collab)->replay;
	const CollabEvent *event = collab->inbox;
	CollabEvent *list = NULL;

	if (event->version - event->from_version <= 1)
		return true;
	for (int64_t v = event->from_version + 1; v <= event->version; v++)
	{
		if (!replay->log[v].present)
			return false;
	}
	check_parts(replay, event);
	for (int64_t v = event->version; v > event->from_version; v--)
	{
		CollabEvent *part = kept_event(&replay->log[v], v);

		part->next = list;
		list = part;
	}
	collab_split(collab, list);
	replay->split++;
	return true;
}

/* Return how many of an author's edits are known with one op: those behind it that change nothing, too. */
static size_t
known_with(const ReplayAuthor *owner, uint64_t number)
{
	while (number + 1 < owner->collab.next_id && owner->ops[number + 1].unchanged)
		number++;
	return owner->ops[number].covers;
}

/* An author's op changed nothing: a client that has the ones before it has it, too, and may type on. */
static void
settle_unchanged(ReplayAuthor *owner, uint64_t number)
{
	Replay	   *replay = owner->replay;
	size_t		before = number > 0 ? owner->ops[number - 1].covers : 0;

	owner->ops[number].unchanged = true;
	replay->unchanged++;
	for (int i = 0; i < replay->trace->authors; i++)
	{
		ReplayAuthor *other = &replay->authors[i];

		if (other == owner || other->seen[owner->index] != before)
			continue;
		other->seen[owner->index] = owner->ops[number].covers;
		type_on(other);
		collab_pump(&other->collab);
	}
}

static void
applied(Collab *collab, const CollabEvent *event)
{
	ReplayAuthor *author = author_of(collab);
	ReplayAuthor *owner = owner_of(author->replay, event->operation_id);
	uint64_t	number = ids_number(event->operation_id);

	if (event->mine)
		author->answered = owner->ops[number].covers;
	else
		author->seen[owner->index] = known_with(owner, number);
	if (event->unchanged)
		settle_unchanged(owner, number);
	type_on(author);
	if (replay_finished(author->replay))
	{
		author->replay->finished_us = now_us();
		loop_stop(author->replay->loop);
	}
}

static const CollabHooks hooks = {
	.ready = ready,
	.received = received,
	.take = take,
	.applied = applied,
	.sent = sent
};

void
replay_connect(Replay *replay, int author, const char *host, int port,
			   const char *path, const char *token)
{
	Collab	   *collab = &replay->authors[author].collab;

	collab_init(collab, replay->loop, host, port, path, token, &hooks,
				&replay->authors[author]);
	collab_connect(collab);
}

void
replay_free(Replay *replay)
{
	for (int i = 0; i < replay->trace->authors; i++)
	{
		ReplayAuthor *author = &replay->authors[i];

		collab_free(&author->collab);
		free(author->edits);
		free(author->known_alone);
		free(author->ops);
	}
	for (size_t v = 1; v <= replay->trace->count; v++)
	{
		if (replay->log[v].present)
			ot_buffer_free(&replay->log[v].op);
	}
	free(replay->log);
	samples_free(&replay->propagation_ms);
}
