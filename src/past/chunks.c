/*
 * past/chunks.c
 *		Groups of chunks, and their sums.
 *
 * Every change of a chunk goes through here, so that the three sums of lengths
 * (chunk, group, list) always agree.
 */
#include <string.h>

#include "chunks.h"

/* A chunk of fewer bytes is joined with a neighbour, if together they fit ... */
#define SMALL_CHUNK		(CHUNK_BYTES / 4)
/* ... with some room left for what is typed next. */
#define JOINED_CHUNK	(CHUNK_BYTES / 4 * 3)
#define JOINED_GROUP	(CHUNK_GROUP / 2)

static void *
allocate(const ChunkList *list, void *ptr, size_t size)
{
	return list->allocator->resize(list->allocator->ctx, ptr, size);
}

static void
release(const ChunkList *list, void *ptr)
{
	if (ptr != NULL)
		list->allocator->release(list->allocator->ctx, ptr);
}

/* ---- groups ---- */

/* Put a new group without chunks at `index`. */
static OtStatus
add_group(ChunkList *list, size_t index)
{
	ChunkGroup *group;

	if (list->count == list->capacity)
	{
		size_t		capacity = list->capacity * 2 + 8;
		ChunkEntry *entries = allocate(list, list->entries, capacity * sizeof(ChunkEntry));

		if (entries == NULL)
			return OT_NO_MEMORY;
		list->entries = entries;
		list->capacity = capacity;
	}
	group = allocate(list, NULL, sizeof(ChunkGroup));
	if (group == NULL)
		return OT_NO_MEMORY;
	group->count = 0;
	memmove(list->entries + index + 1, list->entries + index,
			(list->count - index) * sizeof(ChunkEntry));
	list->entries[index].group = group;
	list->entries[index].length = 0;
	list->count++;
	return OT_OK;
}

static void
remove_group(ChunkList *list, size_t index)
{
	release(list, list->entries[index].group);
	list->count--;
	memmove(list->entries + index, list->entries + index + 1,
			(list->count - index) * sizeof(ChunkEntry));
}

/* Move the chunks of a group from the `from`-th on to the end of the next one. */
static void
move_chunks(ChunkList *list, size_t index, int from, size_t to)
{
	ChunkEntry *source = &list->entries[index];
	ChunkEntry *target = &list->entries[to];

	for (int i = from; i < source->group->count; i++)
	{
		target->group->chunks[target->group->count++] = source->group->chunks[i];
		target->length += source->group->chunks[i].length;
		source->length -= source->group->chunks[i].length;
	}
	source->group->count = from;
}

/* Join a group with the next one if both together are half a group. */
static void
join_groups(ChunkList *list, size_t index)
{
	if (index + 1 >= list->count ||
		list->entries[index].group->count + list->entries[index + 1].group->count > JOINED_GROUP)
		return;
	move_chunks(list, index + 1, 0, index);
	remove_group(list, index + 1);
}

/* ---- the list ---- */

/* An empty list; on an error it holds nothing. */
OtStatus
chunks_init(ChunkList *list, const OtAllocator *allocator)
{
	ChunkPlace	place = {0, -1, 0};
	OtStatus	status;

	memset(list, 0, sizeof(*list));
	list->allocator = allocator;
	status = add_group(list, 0);
	if (status == OT_OK)
		status = chunks_add(list, &place);
	if (status != OT_OK)
		chunks_free(list);
	return status;
}

/* Give the list's memory back. */
void
chunks_free(ChunkList *list)
{
	for (size_t i = 0; i < list->count; i++)
	{
		ChunkGroup *group = list->entries[i].group;

		for (int j = 0; j < group->count; j++)
			release(list, group->chunks[j].data);
		release(list, group);
	}
	release(list, list->entries);
	memset(list, 0, sizeof(*list));
}

/* The place of a position that is in the list. */
void
chunks_locate(const ChunkList *list, int64_t pos, bool forward, ChunkPlace *place)
{
	const ChunkEntry *entry = list->entries;
	const ChunkEntry *last_entry = entry + list->count - 1;
	const Chunk *chunk;
	const Chunk *last;

	/* Forward, a chunk that ends there is passed like those before it. */
	pos += forward;
	while (entry < last_entry && entry->length < pos)
		pos -= entry++->length;
	chunk = entry->group->chunks;
	last = chunk + entry->group->count - 1;
	while (chunk < last && chunk->length < pos)
		pos -= chunk++->length;
	place->group = (size_t) (entry - list->entries);
	place->chunk = (int) (chunk - entry->group->chunks);
	place->offset = pos - forward;
}

/* Step to the beginning of the next chunk; false, and no step, at the last. */
bool
chunks_next(const ChunkList *list, ChunkPlace *place)
{
	if (place->chunk + 1 < list->entries[place->group].group->count)
		place->chunk++;
	else if (place->group + 1 < list->count)
	{
		place->group++;
		place->chunk = 0;
	}
	else
		return false;
	place->offset = 0;
	return true;
}

/* Put a new empty chunk behind a place, and step to it. */
OtStatus
chunks_add(ChunkList *list, ChunkPlace *place)
{
	ChunkGroup *group = list->entries[place->group].group;
	uint8_t    *data;
	Chunk	   *chunk;

	if (group->count == CHUNK_GROUP)
	{
		/* Whoever fills it from left to right leaves full groups behind. */
		int			from = place->chunk == CHUNK_GROUP - 1 ? CHUNK_GROUP : CHUNK_GROUP / 2;
		OtStatus	status = add_group(list, place->group + 1);

		if (status != OT_OK)
			return status;
		move_chunks(list, place->group, from, place->group + 1);
		if (place->chunk >= from || from == CHUNK_GROUP)
		{
			place->group++;
			place->chunk -= from;
		}
		group = list->entries[place->group].group;
	}
	data = allocate(list, NULL, CHUNK_BYTES);
	if (data == NULL)
		return OT_NO_MEMORY;
	chunk = &group->chunks[++place->chunk];
	memmove(chunk + 1, chunk, (size_t) (group->count - place->chunk) * sizeof(Chunk));
	chunk->data = data;
	chunk->length = 0;
	chunk->size = 0;
	group->count++;
	place->offset = 0;
	return OT_OK;
}

/*
 * From the end of a full chunk go on where there is room for `size` bytes: at the
 * beginning of the next chunk, or in a new one between them.
 */
OtStatus
chunks_go_on(ChunkList *list, ChunkPlace *place, size_t size)
{
	ChunkPlace	next = *place;

	if (!chunks_next(list, &next) || chunks_at(list, &next)->size + size > CHUNK_BYTES)
		return chunks_add(list, place);
	*place = next;
	return OT_OK;
}

/* ---- chunks ---- */

/* Count a change of a chunk into all sums. */
static void
count(ChunkList *list, const ChunkPlace *place, int64_t length, size_t added, size_t removed)
{
	Chunk	   *chunk = chunks_at(list, place);

	chunk->length += length;
	chunk->size = chunk->size + added - removed;
	list->entries[place->group].length += length;
	list->length += length;
	list->size = list->size + added - removed;
}

/* Replace bytes of a chunk. */
void
chunks_splice(ChunkList *list, const ChunkPlace *place, size_t at, size_t removed,
			  const void *bytes, size_t size, int64_t length)
{
	Chunk	   *chunk = chunks_at(list, place);

	if (size != removed)
		memmove(chunk->data + at + size, chunk->data + at + removed, chunk->size - at - removed);
	if (bytes != NULL)
		memcpy(chunk->data + at, bytes, size);
	count(list, place, length, size, removed);
}

/* Move what lies behind `at` bytes of a chunk into a new one behind it. */
OtStatus
chunks_split(ChunkList *list, const ChunkPlace *place, size_t at, int64_t length)
{
	ChunkPlace	left = *place;
	ChunkPlace	right;
	Chunk	   *chunk;
	size_t		size;
	OtStatus	status;

	/* Adding may move the chunk to another group: find it before the new one. */
	right = left;
	status = chunks_add(list, &right);
	if (status != OT_OK)
		return status;
	if (right.chunk > 0)
	{
		left.group = right.group;
		left.chunk = right.chunk - 1;
	}
	chunk = chunks_at(list, &left);
	size = chunk->size - at;
	length = chunk->length - length;
	chunks_splice(list, &right, 0, 0, chunk->data + at, size, length);
	chunks_splice(list, &left, at, size, NULL, 0, -length);
	return OT_OK;
}

/* Take a chunk, whose bytes are none or elsewhere now, out of the list. */
static void
remove_chunk(ChunkList *list, size_t index, int number)
{
	ChunkGroup *group = list->entries[index].group;
	Chunk	   *chunk = &group->chunks[number];

	release(list, chunk->data);
	group->count--;
	memmove(chunk, chunk + 1, (size_t) (group->count - number) * sizeof(Chunk));
	if (group->count == 0)
	{
		remove_group(list, index);
		return;
	}
	join_groups(list, index);
	if (index > 0)
		join_groups(list, index - 1);
}

/* Append the next chunk of the group to this one, if it fits well. */
static bool
join_chunks(ChunkList *list, size_t index, int number)
{
	ChunkGroup *group = list->entries[index].group;
	Chunk	   *left = &group->chunks[number];
	Chunk	   *right = left + 1;

	if (number < 0 || number + 1 >= group->count || left->size + right->size > JOINED_CHUNK)
		return false;
	memcpy(left->data + left->size, right->data, right->size);
	left->size += right->size;
	left->length += right->length;
	remove_chunk(list, index, number + 1);
	return true;
}

/* Remove a chunk that became empty, or join a small one with a neighbour. */
void
chunks_tidy(ChunkList *list, const ChunkPlace *place)
{
	const Chunk *chunk = chunks_at(list, place);

	if (chunk->size >= SMALL_CHUNK)
		return;
	if (chunk->size == 0 && (list->count > 1 || list->entries[0].group->count > 1))
		remove_chunk(list, place->group, place->chunk);
	else if (!join_chunks(list, place->group, place->chunk))
		join_chunks(list, place->group, place->chunk - 1);
}
