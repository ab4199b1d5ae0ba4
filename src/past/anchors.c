/*
 * past/anchors.c
 *		Ranges of a text that follow its ops: their ends as points in the order of
 *		the text, each with its distance from the one before.
 *
 * An insert widens one distance, a delete narrows those in its way, so that an op
 * touches few points however many there are; a distance that a delete has used up
 * costs nothing more until an insert widens it.  The points lie in blocks with the
 * sum of their distances, which are walked over whole.  Ops never change the order
 * of points: a range that returns is taken out and put in again.
 */
#include "anchors_state.h"

#include <string.h>

/* What is read of an inserted text for ranges that may return: this many times its size. */
#define SEARCHES		16

/* A point, and where the one before it stands. */
typedef struct Place
{
	size_t		block;			/* block_count: behind the last point */
	int			index;
	int64_t		before;
} Place;

/* ---- memory ---- */

/* Let an array have room for one more. */
static OtStatus
reserve(const OtAllocator *allocator, void **array, size_t *capacity, size_t count, size_t item)
{
	size_t		wanted = *capacity > 0 ? 2 * *capacity : 16;
	void	   *grown;

	if (count < *capacity)
		return OT_OK;
	grown = allocator->resize(allocator->ctx, *array, wanted * item);
	if (grown == NULL)
		return OT_NO_MEMORY;
	*array = grown;
	*capacity = wanted;
	return OT_OK;
}

OtStatus
anchors_create(const OtAllocator *allocator, Anchors **anchors)
{
	*anchors = allocator->resize(allocator->ctx, NULL, sizeof(Anchors));
	if (*anchors == NULL)
		return OT_NO_MEMORY;
	memset(*anchors, 0, sizeof(Anchors));
	(*anchors)->allocator = allocator;
	return OT_OK;
}

/* Free memory, if there is any. */
static void
release(const Anchors *a, void *memory)
{
	if (memory != NULL)
		a->allocator->release(a->allocator->ctx, memory);
}

void
anchors_free(Anchors *a)
{
	for (size_t i = 0; i < a->block_count; i++)
		release(a, a->blocks[i]);
	release(a, a->blocks);
	release(a, a->ranges);
	release(a, a);
}

/* ---- points ---- */

/* Find the first point behind a position. */
static Place
find_behind(const Anchors *a, int64_t position)
{
	Place		place = {0, 0, 0};

	while (place.block < a->block_count && place.before + a->blocks[place.block]->sum <= position)
		place.before += a->blocks[place.block++]->sum;
	if (place.block == a->block_count)
		return place;
	while (place.before + a->blocks[place.block]->points[place.index].gap <= position)
		place.before += a->blocks[place.block]->points[place.index++].gap;
	return place;
}

/* Add to a point's gap. */
static void
widen(Anchors *a, const Place *place, int64_t by)
{
	if (place->block == a->block_count)
		return;
	a->blocks[place->block]->points[place->index].gap += by;
	a->blocks[place->block]->sum += by;
}

/* Step to the next point. */
static void
step(const Anchors *a, Place *place)
{
	place->before += a->blocks[place->block]->points[place->index].gap;
	if (++place->index == a->blocks[place->block]->count)
	{
		place->block++;
		place->index = 0;
	}
}

/* Put a new, empty block at a place among the others. */
static OtStatus
add_block(Anchors *a, size_t at)
{
	OtStatus	status = reserve(a->allocator, (void **) &a->blocks, &a->block_capacity, a->block_count, sizeof(Block *));
	Block	   *block = status == OT_OK ? a->allocator->resize(a->allocator->ctx, NULL, sizeof(Block)) : NULL;

	if (block == NULL)
		return OT_NO_MEMORY;
	block->count = block->alive = 0;
	block->sum = 0;
	memmove(a->blocks + at + 1, a->blocks + at, (a->block_count - at) * sizeof(Block *));
	a->blocks[at] = block;
	a->block_count++;
	return OT_OK;
}

/* Count a block's gaps and living starts anew. */
static void
count_block(const Anchors *a, Block *block)
{
	block->sum = 0;
	block->alive = 0;
	for (int i = 0; i < block->count; i++)
	{
		block->sum += block->points[i].gap;
		block->alive += anchors_is_alive(a, &block->points[i]);
	}
}

/* Move the second half of a full block to a new one behind it, and correct the place. */
static OtStatus
split_block(Anchors *a, Place *place)
{
	OtStatus	status = add_block(a, place->block + 1);
	Block	   *block = a->blocks[place->block];
	Block	   *second;
	int			half = block->count / 2;

	if (status != OT_OK)
		return status;
	second = a->blocks[place->block + 1];
	second->count = block->count - half;
	memcpy(second->points, block->points + half, second->count * sizeof(Point));
	block->count = half;
	count_block(a, block);
	count_block(a, second);
	if (place->index > half)
	{
		place->block++;
		place->index -= half;
	}
	return OT_OK;
}

/* Find where a new point goes that comes before the point at `place`: a block with room. */
static OtStatus
make_room(Anchors *a, Place *place)
{
	if (a->block_count == 0)
		return add_block(a, 0);
	if (place->block == a->block_count)
	{
		place->block--;
		place->index = a->blocks[place->block]->count;
	}
	return a->blocks[place->block]->count == ANCHORS_BLOCK ? split_block(a, place) : OT_OK;
}

/* Put in a point, behind all others at its position. */
static OtStatus
put_point(Anchors *a, uint32_t name, int64_t position)
{
	Place		place = find_behind(a, position);
	int64_t		gap = position - place.before;
	OtStatus	status;
	Block	   *block;

	widen(a, &place, -gap);
	status = make_room(a, &place);
	if (status != OT_OK)
		return status;
	block = a->blocks[place.block];
	memmove(block->points + place.index + 1, block->points + place.index, (block->count - place.index) * sizeof(Point));
	block->points[place.index] = (Point)
	{
		name, gap
	};
	block->count++;
	block->sum += gap;
	block->alive += anchors_is_alive(a, &block->points[place.index]);
	return OT_OK;
}

/* Take out the point at a place. */
static void
take_point(Anchors *a, const Place *place)
{
	Block	   *block = a->blocks[place->block];
	Point		point = block->points[place->index];
	Place		next = *place;

	step(a, &next);
	widen(a, &next, point.gap);
	block->alive -= anchors_is_alive(a, &point);
	block->sum -= point.gap;
	block->count--;
	memmove(block->points + place->index, block->points + place->index + 1, (block->count - place->index) * sizeof(Point));
	if (block->count > 0)
		return;
	release(a, block);
	a->block_count--;
	memmove(a->blocks + place->block, a->blocks + place->block + 1, (a->block_count - place->block) * sizeof(Block *));
}

/* Put both ends of a range in. */
static OtStatus
put_range(Anchors *a, size_t number, const AnchorPlace *place)
{
	bool		alive = place->alive && place->to > place->from;
	OtStatus	status;

	a->ranges[number].alive = alive;
	status = put_point(a, 2 * (uint32_t) number, place->from + alive);
	return status == OT_OK ? put_point(a, 2 * (uint32_t) number + 1, place->to) : status;
}

OtStatus
anchors_add(Anchors *a, const AnchorPlace *place, const Quote *quote)
{
	OtStatus	status = reserve(a->allocator, (void **) &a->ranges, &a->range_capacity, a->range_count, sizeof(Range));

	if (status != OT_OK)
		return status;
	a->ranges[a->range_count] = (Range)
	{
		.quote = *quote
	};
	return put_range(a, a->range_count++, place);
}

/* ---- deleting ---- */

/* A point is at the start of what was deleted: a first character behind it is gone. */
static void
kill_start(Anchors *a, Block *block, const Point *point)
{
	if (!anchors_is_alive(a, point))
		return;
	a->ranges[point->name / 2].alive = false;
	block->alive--;
}

/* Is there nothing to be done in a block for points that have come to stand where the one before it does? */
static bool
is_settled(const Block *block)
{
	return block->sum == 0 && block->alive == 0;
}

/* Delete text: the points in it, and those at its end, go to its start. */
static void
delete_text(Anchors *a, int64_t position, int64_t length)
{
	Place		place = find_behind(a, position);
	int64_t		kept = position - place.before; /* of the first one's gap */

	while (place.block < a->block_count)
	{
		Block	   *block = a->blocks[place.block];
		Point	   *point = &block->points[place.index];
		int64_t		there = point->gap - kept;
		int64_t		cut = there < length ? there : length;

		if (place.index == 0 && kept == 0 && is_settled(block))
		{
			place.block++;
			continue;
		}
		point->gap -= cut;
		block->sum -= cut;
		length -= cut;
		if (there > cut)
			return;
		kill_start(a, block, point);
		kept = 0;
		step(a, &place);
	}
}

/* ---- ranges that return ---- */

/* Note which ranges have their start, dead, and their end at a position; return true if one has both. */
static bool
note_empty(Anchors *a, Place place, int64_t position)
{
	bool		found = false;

	a->search++;
	while (place.block < a->block_count)
	{
		const Point *point = &a->blocks[place.block]->points[place.index];
		Range	   *range = &a->ranges[point->name / 2];

		if (place.before + point->gap > position)
			break;
		if (point->name % 2 == 1)
			range->end_seen = a->search;
		else if (!range->alive)
			range->start_seen = a->search;
		found = found || (range->start_seen == a->search && range->end_seen == a->search);
		step(a, &place);
	}
	return found;
}

/* Find the first point of a range from a place on, which is there. */
static void
seek_point(const Anchors *a, Place *place, uint32_t name)
{
	while (a->blocks[place->block]->points[place->index].name != name)
		step(a, place);
}

/* Put an empty range, whose points stand at a position, to where its passage came back. */
static OtStatus
move_range(Anchors *a, int64_t position, size_t number, const AnchorPlace *to)
{
	for (uint32_t end = 0; end < 2; end++)
	{
		/* anew for each: to take out a point moves others, and may end a block */
		Place		place = find_behind(a, position - 1);

		seek_point(a, &place, 2 * (uint32_t) number + end);
		take_point(a, &place);
	}
	return put_range(a, number, to);
}

/* The passages found so far in an inserted text: those of ranges are in the order of their places. */
typedef struct Insert
{
	int64_t		position;
	int64_t		length;
	const char *text;
	size_t		size;
	size_t		budget;
	size_t		found;			/* where the last one was, in bytes, ... */
	int64_t		found_cp;		/* ... and in cp */
} Insert;

/* Find a range's passage in an inserted text, from where the last was found on: its place in it, in cp. */
static bool
find_passage(Insert *insert, const Range *range, int64_t *at)
{
	size_t		place;
	size_t		around;

	if (!quote_find(insert->text, insert->size, insert->found, insert->size, insert->found, &range->quote,
					&insert->budget, &place, &around))
		return false;
	insert->found_cp += ot_utf8_length(insert->text + insert->found, place - insert->found);
	insert->found = place;
	*at = insert->found_cp;
	return *at + range->quote.length <= insert->length;
}

/*
 * Bring back the ranges that are empty at the place of an insert, and whose passage it
 * contains.  Their points stand before the inserted text, in the order in which
 * they stood in the text that was deleted.
 */
static OtStatus
bring_back(Anchors *a, Insert *insert)
{
	Place		place = find_behind(a, insert->position - 1);
	size_t		count = 0;
	OtStatus	status = OT_OK;
	uint32_t   *empty;

	if (place.block == a->block_count || !note_empty(a, place, insert->position))
		return OT_OK;
	empty = a->allocator->resize(a->allocator->ctx, NULL, a->range_count * sizeof(uint32_t));
	if (empty == NULL)
		return OT_NO_MEMORY;
	for (; place.block < a->block_count; step(a, &place))
	{
		const Point *point = &a->blocks[place.block]->points[place.index];
		const Range *range = &a->ranges[point->name / 2];

		if (place.before + point->gap > insert->position)
			break;
		if (point->name % 2 == 0 && range->start_seen == a->search && range->end_seen == a->search)
			empty[count++] = point->name / 2;
	}
	for (size_t i = 0; i < count && status == OT_OK; i++)
	{
		const Range *range = &a->ranges[empty[i]];
		AnchorPlace to = {.alive = true};

		if (!find_passage(insert, range, &to.from))
			continue;
		to.from += insert->position;
		to.to = to.from + range->quote.length;
		status = move_range(a, insert->position, empty[i], &to);
	}
	release(a, empty);
	return status;
}

/* Insert text: what is behind its position moves. */
static OtStatus
insert_text(Anchors *a, int64_t position, const OtComponent *component)
{
	Place		place = find_behind(a, position);
	Insert		insert = {
		position, component->length, component->text, component->text_size,
		SEARCHES * component->text_size, 0, 0
	};

	widen(a, &place, component->length);
	return place.before == position ? bring_back(a, &insert) : OT_OK;
}

/* ---- ops ---- */

OtStatus
anchors_apply(Anchors *a, OtOp op)
{
	OtReader	reader;
	OtComponent component;
	int64_t		position = 0;
	OtStatus	status = OT_OK;

	if (a->block_count == 0)
		return OT_OK;
	ot_reader_init(&reader, op);
	while (status == OT_OK && ot_reader_next(&reader, &component))
	{
		if (component.kind == OT_DELETE)
			delete_text(a, position, component.length);
		else if (component.kind == OT_INSERT)
			status = insert_text(a, position, &component);
		if (component.kind != OT_DELETE)
			position += component.length;
	}
	return status;
}

void
anchors_places(const Anchors *a, AnchorPlace *places)
{
	int64_t		position = 0;

	for (size_t b = 0; b < a->block_count; b++)
		for (int i = 0; i < a->blocks[b]->count; i++)
		{
			const Point *point = &a->blocks[b]->points[i];
			AnchorPlace *place = &places[point->name / 2];

			position += point->gap;
			if (point->name % 2 == 1)
			{
				place->to = position;
				continue;
			}
			place->alive = anchors_is_alive(a, point);
			place->from = position - place->alive;
		}
}
