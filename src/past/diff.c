/*
 * past/diff.c
 *		The difference of two texts: lines first, then the code points of what lies
 *		between equal lines.
 *
 * Lines get numbers, the same for equal ones.  A line that the other text does not have
 * is changed in any case, so only the others are compared; what a light edit of a large
 * text costs is then one pass over both.
 */
#include "diff.h"

#include "myers.h"
#include "slide.h"

#include <string.h>

/* Steps for the lines and for the code points: about a tenth of a second together. */
#define LINE_STEPS			((int64_t) 4 << 20)
#define CHARACTER_STEPS		((int64_t) 16 << 20)

/* The most entries that a line's number is looked for in. */
#define MOST_PROBES			64

/* A line with its line feed; the last one may have none. */
typedef struct Line
{
	const char *text;
	uint32_t	size;
	uint32_t	number;			/* 0: the other text does not have it */
} Line;

/* One of the two texts. */
typedef struct Side
{
	const char *text;
	size_t		size;
	Line	   *lines;
	int32_t		line_count;
	uint32_t   *numbers;		/* of the lines that are compared */
	int32_t    *places;			/* which lines they are */
	bool	   *differs;		/* of those: is it changed? */
	int32_t		count;
	uint32_t   *points;			/* code points of a passage */
	bool	   *changed;
	size_t		room;			/* code points that there is room for */
} Side;

/* A line in the table of numbers. */
typedef struct Entry
{
	uint64_t	hash;
	const Line *line;			/* NULL: free */
	uint32_t	number;
	bool		met;			/* the second text has it too */
} Entry;

typedef struct Differ
{
	const OtAllocator *allocator;
	Side		from;
	Side		to;
	Entry	   *table;
	size_t		table_mask;
	DiffUnit	unit;
	OtBuilder	builder;
	Myers	   *myers;
} Differ;

/* ---- memory ---- */

static bool
allocate(const Differ *differ, void *place, size_t count, size_t size)
{
	void	   *memory = differ->allocator->resize(differ->allocator->ctx, NULL, (count + 1) * size);

	memcpy(place, &memory, sizeof(memory));
	return memory != NULL;
}

static void
release(const Differ *differ, void *memory)
{
	if (memory != NULL)
		differ->allocator->release(differ->allocator->ctx, memory);
}

static void
release_side(const Differ *differ, Side *side)
{
	release(differ, side->lines);
	release(differ, side->numbers);
	release(differ, side->places);
	release(differ, side->differs);
	release(differ, side->points);
	release(differ, side->changed);
}

/* ---- lines ---- */

/* The size of a line, line feed included. */
static size_t
line_size(const char *text, size_t left)
{
	const char *end = memchr(text, '\n', left);

	return end == NULL ? left : (size_t) (end - text) + 1;
}

/* Divide a text into lines. */
static bool
read_lines(const Differ *differ, Side *side)
{
	size_t		count = 0;

	for (size_t at = 0; at < side->size; at += line_size(side->text + at, side->size - at))
		count++;
	if (!allocate(differ, &side->lines, count, sizeof(Line)) ||
		!allocate(differ, &side->numbers, count, sizeof(uint32_t)) ||
		!allocate(differ, &side->places, count, sizeof(int32_t)) ||
		!allocate(differ, &side->differs, count, sizeof(bool)))
		return false;
	for (size_t at = 0; at < side->size; at += side->lines[side->line_count++].size)
	{
		Line	   *line = &side->lines[side->line_count];

		line->text = side->text + at;
		line->size = (uint32_t) line_size(line->text, side->size - at);
		line->number = 0;
	}
	return true;
}

/* Hash a line, eight bytes at a time. */
static uint64_t
hash_line(const Line *line)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t	hash = line->size * odd;
	uint64_t	word;
	uint32_t	at;

	for (at = 0; at + sizeof(word) <= line->size; at += sizeof(word))
	{
		memcpy(&word, line->text + at, sizeof(word));
		hash = (hash ^ word) * odd;
		hash ^= hash >> 29;
	}
	word = 0;
	memcpy(&word, line->text + at, line->size - at);
	hash = (hash ^ word) * odd;
	return hash ^ (hash >> 32);
}

/*
 * Find a line's entry, or the free one where it belongs.  NULL where it is not found
 * soon: then it counts as a line that the other text does not have.
 */
static Entry *
find_entry(Differ *differ, const Line *line, uint64_t hash)
{
	for (size_t i = 0; i < MOST_PROBES; i++)
	{
		Entry	   *entry = &differ->table[(hash + i) & differ->table_mask];

		if (entry->line == NULL ||
			(entry->hash == hash && entry->line->size == line->size &&
			 memcmp(entry->line->text, line->text, line->size) == 0))
			return entry;
	}
	return NULL;
}

/* Number the lines of the first text, those of the second as equal ones of the first. */
static bool
number_lines(Differ *differ)
{
	size_t		size = 16;
	uint32_t	count = 0;

	while (size < 2 * (size_t) differ->from.line_count)
		size *= 2;
	if (!allocate(differ, &differ->table, size, sizeof(Entry)))
		return false;
	memset(differ->table, 0, size * sizeof(Entry));
	differ->table_mask = size - 1;
	for (int32_t i = 0; i < differ->from.line_count; i++)
	{
		Line	   *line = &differ->from.lines[i];
		uint64_t	hash = hash_line(line);
		Entry	   *entry = find_entry(differ, line, hash);

		if (entry != NULL && entry->line == NULL)
			*entry = (Entry) {.hash = hash,.line = line,.number = ++count};
		line->number = entry != NULL ? entry->number : 0;
		myers_spend(differ->myers, 1);
	}
	for (int32_t i = 0; i < differ->to.line_count; i++)
	{
		Line	   *line = &differ->to.lines[i];
		Entry	   *entry = find_entry(differ, line, hash_line(line));

		if (entry != NULL && entry->line != NULL)
		{
			entry->met = true;
			line->number = entry->number;
		}
		myers_spend(differ->myers, 1);
	}
	for (int32_t i = 0; i < differ->from.line_count; i++)
	{
		Line	   *line = &differ->from.lines[i];
		Entry	   *entry = line->number != 0 ? find_entry(differ, line, hash_line(line)) : NULL;

		if (entry == NULL || !entry->met)
			line->number = 0;
	}
	return true;
}

/* List the lines that the other text has too. */
static void
list_common(Side *side)
{
	for (int32_t i = 0; i < side->line_count; i++)
	{
		if (side->lines[i].number == 0)
			continue;
		side->numbers[side->count] = side->lines[i].number;
		side->differs[side->count] = false;
		side->places[side->count++] = i;
	}
}

/* Find which lines are kept. */
static bool
compare_lines(Differ *differ)
{
	if (!read_lines(differ, &differ->from) || !read_lines(differ, &differ->to) || !number_lines(differ))
		return false;
	list_common(&differ->from);
	list_common(&differ->to);
	differ->myers->a = differ->from.numbers;
	differ->myers->b = differ->to.numbers;
	differ->myers->a_changed = differ->from.differs;
	differ->myers->b_changed = differ->to.differs;
	myers_compare(differ->myers, 0, differ->from.count, 0, differ->to.count);
	return true;
}

/* ---- code points ---- */

/* Decode a passage of valid UTF-8; false where there is no memory. */
static bool
read_points(const Differ *differ, Side *side, const char *text, size_t size, int32_t *count)
{
	const unsigned char *at = (const unsigned char *) text;
	const unsigned char *end = at + size;
	int64_t		length = ot_utf8_length(text, size);

	if ((size_t) length > side->room || side->points == NULL)
	{
		release(differ, side->points);
		release(differ, side->changed);
		side->points = NULL;
		side->changed = NULL;
		if (!allocate(differ, &side->points, (size_t) length, sizeof(uint32_t)) ||
			!allocate(differ, &side->changed, (size_t) length, sizeof(bool)))
			return false;
		side->room = (size_t) length;
	}
	/* what tells code points apart is their bytes */
	for (*count = 0; at < end; (*count)++)
	{
		uint32_t	point = *at++;

		while (at < end && (*at & 0xc0) == 0x80)
			point = (point << 8) | *at++;
		side->points[*count] = point;
		side->changed[*count] = false;
	}
	return true;
}

/* The bytes of a run of code points. */
static size_t
run_size(const char *text, size_t size, int32_t length)
{
	return ot_utf8_offset(text, size, length);
}

/* Append what differs between two passages that were compared. */
static void
put_points(Differ *differ, const char *text, size_t size, int32_t from_count, int32_t to_count)
{
	const bool *gone = differ->from.changed;
	const bool *come = differ->to.changed;
	int32_t		i = 0;
	int32_t		j = 0;

	while (i < from_count || j < to_count)
	{
		int32_t		start = i;
		size_t		bytes;

		while (i < from_count && j < to_count && !gone[i] && !come[j])
			i++, j++;
		ot_builder_retain(&differ->builder, i - start);
		bytes = run_size(text, size, i - start);
		text += bytes;
		size -= bytes;

		start = j;
		while (j < to_count && come[j])
			j++;
		bytes = run_size(text, size, j - start);
		if (j > start)
			ot_builder_insert(&differ->builder, text, bytes, j - start);
		text += bytes;
		size -= bytes;

		start = i;
		while (i < from_count && gone[i])
			i++;
		ot_builder_delete(&differ->builder, i - start);
	}
}

/* Append a replacement as it is. */
static void
put_whole(Differ *differ, const char *from, size_t from_size, const char *to, size_t to_size)
{
	if (to_size > 0)
		ot_builder_insert(&differ->builder, to, to_size, ot_utf8_length(to, to_size));
	ot_builder_delete(&differ->builder, ot_utf8_length(from, from_size));
}

/* Append the difference of two passages between lines that are kept. */
static bool
put_passage(Differ *differ, const char *from, size_t from_size, const char *to, size_t to_size)
{
	int32_t		from_count;
	int32_t		to_count;

	if (from_size == 0 || to_size == 0 || differ->unit == DIFF_LINES)
	{
		put_whole(differ, from, from_size, to, to_size);
		return true;
	}
	if (!read_points(differ, &differ->from, from, from_size, &from_count) ||
		!read_points(differ, &differ->to, to, to_size, &to_count))
		return false;
	differ->myers->a = differ->from.points;
	differ->myers->b = differ->to.points;
	differ->myers->a_changed = differ->from.changed;
	differ->myers->b_changed = differ->to.changed;
	myers_compare(differ->myers, 0, from_count, 0, to_count);
	slide_runs(differ->from.points, differ->from.changed, from_count, differ->to.changed, to_count);
	slide_runs(differ->to.points, differ->to.changed, to_count, differ->from.changed, from_count);
	put_points(differ, to, to_size, from_count, to_count);
	return true;
}

/* ---- putting both together ---- */

/* Where the passage ends that begins at line `at`: at the next line that is kept, whose entry is *next. */
static int32_t
end_of_passage(const Side *side, int32_t *next)
{
	while (*next < side->count && side->differs[*next])
		(*next)++;
	return *next < side->count ? side->places[*next] : side->line_count;
}

/* Where a line begins. */
static const char *
line_start(const Side *side, int32_t line)
{
	return line < side->line_count ? side->lines[line].text : side->text + side->size;
}

/* Append the whole difference. */
static bool
put_difference(Differ *differ)
{
	int32_t		next[2] = {0, 0};
	int32_t		line[2] = {0, 0};

	for (;;)
	{
		int32_t		from_end = end_of_passage(&differ->from, &next[0]);
		int32_t		to_end = end_of_passage(&differ->to, &next[1]);
		const char *from = line_start(&differ->from, line[0]);
		const char *to = line_start(&differ->to, line[1]);

		if ((from_end > line[0] || to_end > line[1]) &&
			!put_passage(differ, from, (size_t) (line_start(&differ->from, from_end) - from),
						 to, (size_t) (line_start(&differ->to, to_end) - to)))
			return false;
		if (next[0] >= differ->from.count)
			return true;
		ot_builder_retain(&differ->builder, ot_utf8_length(differ->from.lines[from_end].text,
														   differ->from.lines[from_end].size));
		line[0] = from_end + 1;
		line[1] = to_end + 1;
		next[0]++;
		next[1]++;
	}
}

/*
 * Leave out what both texts begin and end with, in whole lines, so that a light edit
 * costs little more than comparing bytes.  Return the code points left out in front.
 */
static int64_t
trim(Side *from, Side *to)
{
	size_t		least = from->size < to->size ? from->size : to->size;
	size_t		head = 0;
	size_t		tail = 0;
	const char *text = from->text;

	while (head < least && from->text[head] == to->text[head])
		head++;
	while (head > 0 && text[head - 1] != '\n')
		head--;
	while (tail < least - head && from->text[from->size - 1 - tail] == to->text[to->size - 1 - tail])
		tail++;
	/* a tail begins where a line does in both */
	while (tail > 0 &&
		   ((from->size > tail && from->text[from->size - tail - 1] != '\n') ||
			(to->size > tail && to->text[to->size - tail - 1] != '\n')))
		tail--;
	from->text += head;
	from->size -= head + tail;
	to->text += head;
	to->size -= head + tail;
	return ot_utf8_length(text, head);
}

/* Find the difference of two texts. */
OtStatus
diff_texts(const OtAllocator *allocator, const char *from, size_t from_size,
		   const char *to, size_t to_size, DiffUnit unit,
		   void (*pause) (void), OtBuffer *out)
{
	Differ		differ = {.allocator = allocator,.from = {.text = from,.size = from_size},
	.to = {.text = to,.size = to_size},.unit = unit};
	bool		done;

	if (!allocate(&differ, &differ.myers, 1, sizeof(Myers)))
		return OT_NO_MEMORY;
	memset(differ.myers, 0, sizeof(Myers));
	differ.myers->pause = pause;
	differ.myers->budget = LINE_STEPS;
	ot_builder_init(&differ.builder, out);
	ot_builder_retain(&differ.builder, trim(&differ.from, &differ.to));
	done = compare_lines(&differ);
	differ.myers->budget = CHARACTER_STEPS;
	done = done && put_difference(&differ);
	release_side(&differ, &differ.from);
	release_side(&differ, &differ.to);
	release(&differ, differ.table);
	release(&differ, differ.myers);
	return done ? ot_builder_finish(&differ.builder) : OT_NO_MEMORY;
}
