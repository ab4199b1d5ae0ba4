/*
 * past/anchors_composed.c
 *		Whether ranges may follow a composed op in place of the ops that it is composed of.
 *
 * Ranges that never return are at the same place after both.  One that is not empty after
 * the composition was not empty between the ops either, so it cannot have returned.  One
 * that is empty after it may have returned, but stayed between the same two characters of
 * the old text that are kept: if the composition inserts nothing between those, it is
 * empty, and where it is after the composition.  What may differ is the order of the ranges
 * that are empty at that place, so there must be no other.
 */
#include "anchors_state.h"

/* Old text between two characters that are kept: deleted, or inserted into, or both; or a place. */
typedef struct Gap
{
	int64_t		from;
	int64_t		to;
	bool		inserts;
} Gap;

/* The gaps of an op, from the start of the text. */
typedef struct GapReader
{
	OtReader	reader;
	OtComponent component;		/* the one under way */
	bool		more;
	int64_t		position;		/* where that begins, in the old text */
	Gap			gap;
} GapReader;

/* The points in a gap, or at a place, so far. */
typedef struct Group
{
	Gap			gap;
	int			starts;
	bool		empty;			/* a range ends up empty there */
} Group;

/* Step to the next component. */
static void
next_component(GapReader *gaps)
{
	if (gaps->component.kind != OT_INSERT)
		gaps->position += gaps->component.length;
	gaps->more = ot_reader_next(&gaps->reader, &gaps->component);
}

/* Step to the next gap; behind the last one is one behind all text. */
static void
next_gap(GapReader *gaps)
{
	while (gaps->more && gaps->component.kind == OT_RETAIN)
		next_component(gaps);
	gaps->gap = (Gap)
	{
		gaps->more ? gaps->position : INT64_MAX, INT64_MAX, false
	};
	if (!gaps->more)
		return;
	while (gaps->more && gaps->component.kind != OT_RETAIN)
	{
		gaps->gap.inserts |= gaps->component.kind == OT_INSERT;
		next_component(gaps);
	}
	gaps->gap.to = gaps->position;
}

/* Begin with the first gap of an op. */
static void
begin_gaps(GapReader *gaps, OtOp op)
{
	ot_reader_init(&gaps->reader, op);
	gaps->position = 0;
	gaps->more = ot_reader_next(&gaps->reader, &gaps->component);
	next_gap(gaps);
}

/* Begin a group of the points in the gap that contains a position, or at that position alone. */
static void
begin_group(Anchors *a, Group *group, const GapReader *gaps, int64_t position)
{
	*group = (Group)
	{
		{position, position, false}, 0, false
	};
	if (gaps->gap.from <= position)
		group->gap = gaps->gap;
	a->search++;
}

/* Count a point in its group: a range with both ends there ends up empty, if its first character dies. */
static void
count_point(Anchors *a, Group *group, const Point *point, int64_t position)
{
	Range	   *range = &a->ranges[point->name / 2];

	if (point->name % 2 == 1)
		range->end_seen = a->search;
	else
	{
		group->starts++;
		if (!range->alive || position > group->gap.from)
			range->start_seen = a->search;
	}
	group->empty |= range->start_seen == a->search && range->end_seen == a->search;
}

bool
anchors_follow_composed(Anchors *a, OtOp composed)
{
	GapReader	gaps;
	Group		group = {{-1, -1, false}, 0, false};
	int64_t		position = 0;

	begin_gaps(&gaps, composed);
	for (size_t b = 0; b < a->block_count; b++)
		for (int i = 0; i < a->blocks[b]->count; i++)
		{
			position += a->blocks[b]->points[i].gap;
			while (gaps.gap.to < position)
				next_gap(&gaps);
			if (position > group.gap.to)
				begin_group(a, &group, &gaps, position);
			count_point(a, &group, &a->blocks[b]->points[i], position);
			if (group.empty && (group.gap.inserts || group.starts > 1))
				return false;
		}
	return true;
}
