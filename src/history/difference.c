/*
 * history/difference.c
 *		What two versions differ in, for people: diff_rows and unified_diff.
 *
 * They compare the two texts, not the operations between them: what was typed and
 * deleted again, or deleted and typed again, is no difference.
 */
#include "postgres.h"

#include "base/call.h"
#include "history/snapshot.h"
#include "past/diff.h"
#include "store/heads.h"
#include "type/op_type.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(converge_diff_rows);
PG_FUNCTION_INFO_V1(converge_unified_diff);

/* A place in a text. */
typedef struct Place
{
	const char *text;			/* what is left from here on */
	size_t		size;			/* bytes left */
	int64		pos;			/* cp passed */
	int64		line;			/* lines passed */
} Place;

/* A passage of a text. */
typedef struct Passage
{
	const char *text;
	size_t		size;
	int64		pos;			/* cp before it */
	int64		line;			/* lines before it */
	int64		lines;			/* in it */
} Passage;

/* Two versions of a document, and what leads from one to the other. */
typedef struct Versions
{
	int64		from_version;
	int64		to_version;
	Place		from;
	Place		to;
	OtOp		op;
} Versions;

/* Let the caller interrupt a long comparison. */
static void
look_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Begin at the start of a version's text. */
static Place
start_of(const pg_uuid_t *doc_id, const CvgHead *head, int64 version)
{
	text	   *content;
	Place		place = {0};

	cvg_check_version(head, version);
	content = cvg_content_at(doc_id, version);
	place.text = VARDATA_ANY(content);
	place.size = VARSIZE_ANY_EXHDR(content);
	return place;
}

/* Compare the versions that the second and third argument name. */
static void
compare_versions(FunctionCallInfo fcinfo, DiffUnit unit, Versions *versions)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	CvgHead		head;
	OtBuffer	op;

	cvg_open_head(doc_id, &head);
	versions->from_version = PG_GETARG_INT64(1);
	versions->to_version = PG_GETARG_INT64(2);
	versions->from = start_of(doc_id, &head, versions->from_version);
	versions->to = start_of(doc_id, &head, versions->to_version);
	ot_buffer_init(&op, &cvg_allocator, 0);
	cvg_check_status(diff_texts(&cvg_allocator, versions->from.text, versions->from.size,
								versions->to.text, versions->to.size, unit, look_for_interrupts, &op));
	versions->op = ot_buffer_op(&op);
}

/* Count the lines of a passage; the last one of a text may have no line feed. */
static int64
count_lines(const char *text, size_t size)
{
	const char *end = text + size;
	int64		lines = 0;

	while (text < end)
	{
		const char *feed = memchr(text, '\n', end - text);

		lines++;
		text = feed == NULL ? end : feed + 1;
	}
	return lines;
}

/* Take the next `length` cp of a text, or all that is left for -1. */
static Passage
take(Place *place, int64 length)
{
	Passage		passage = {.text = place->text,.pos = place->pos,.line = place->line};

	passage.size = length < 0 ? place->size : ot_utf8_offset(place->text, place->size, length);
	passage.lines = count_lines(passage.text, passage.size);
	place->text += passage.size;
	place->size -= passage.size;
	place->pos += length < 0 ? ot_utf8_length(passage.text, passage.size) : length;
	place->line += passage.lines;
	return passage;
}

/* The next step from one text to the other: what both have, then what one of them has. */
typedef struct Step
{
	Passage		kept;			/* in the first text */
	Passage		kept_to;		/* the same in the second */
	Passage		deleted;
	Passage		inserted;
} Step;

/* Take a step; `next` is the component that was read ahead, of length 0 before the first. */
static bool
take_step(Versions *versions, OtReader *reader, OtComponent *next, Step *step)
{
	bool		more = next->length > 0 || ot_reader_next(reader, next);
	int64		kept = !more ? -1 : next->kind == OT_RETAIN ? next->length : 0;
	int64		deleted = 0;
	int64		inserted = 0;

	if (!more && versions->from.size == 0)
		return false;
	if (kept > 0)
		more = ot_reader_next(reader, next);
	for (; more && next->kind != OT_RETAIN; more = ot_reader_next(reader, next))
	{
		deleted += next->kind == OT_DELETE ? next->length : 0;
		inserted += next->kind == OT_INSERT ? next->length : 0;
	}
	if (!more)
		next->length = 0;
	step->kept = take(&versions->from, kept);
	step->kept_to = take(&versions->to, kept);
	step->deleted = take(&versions->from, deleted);
	step->inserted = take(&versions->to, inserted);
	return true;
}

/* ---- rows ---- */

/* Read the unit that the fourth argument names. */
static DiffUnit
unit_argument(FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(3));

	if (strcmp(name, "lines") == 0)
		return DIFF_LINES;
	if (strcmp(name, "characters") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid unit of a difference: \"%s\"", name),
				 errdetail("The unit must be \"characters\" or \"lines\".")));
	return DIFF_CHARACTERS;
}

/* Put out a row, unless it would be empty. */
static void
put_row(ReturnSetInfo *result, const char *kind, const Passage *passage, int64 from_pos, int64 to_pos)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	if (passage->size == 0)
		return;
	values[0] = CStringGetTextDatum(kind);
	values[1] = Int64GetDatum(from_pos);
	values[2] = Int64GetDatum(to_pos);
	values[3] = PointerGetDatum(cstring_to_text_with_len(passage->text, (int) passage->size));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[3]));
}

Datum
converge_diff_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Versions	versions;
	OtReader	reader;
	OtComponent next = {0};
	Step		step;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3),
					  "document, versions and unit");
	compare_versions(fcinfo, unit_argument(fcinfo), &versions);
	InitMaterializedSRF(fcinfo, 0);
	ot_reader_init(&reader, versions.op);
	while (take_step(&versions, &reader, &next, &step))
	{
		put_row(result, "kept", &step.kept, step.kept.pos, step.kept_to.pos);
		put_row(result, "deleted", &step.deleted, step.deleted.pos, step.inserted.pos);
		put_row(result, "inserted", &step.inserted, versions.from.pos, step.inserted.pos);
	}
	return (Datum) 0;
}

/* ---- a unified diff ---- */

/* A hunk that grows while the next change is near. */
typedef struct Hunk
{
	StringInfoData lines;
	int64		from_line;		/* lines before it */
	int64		to_line;
	int64		from_lines;		/* in it */
	int64		to_lines;
} Hunk;

/* Append lines to a hunk, each behind its mark. */
static void
put_lines(Hunk *hunk, char mark, const char *text, size_t size, int64 lines)
{
	const char *end = text + size;

	for (int64 i = 0; i < lines; i++)
	{
		const char *feed = memchr(text, '\n', end - text);
		size_t		len = (feed != NULL ? feed : end) - text;

		appendStringInfoChar(&hunk->lines, mark);
		appendBinaryStringInfo(&hunk->lines, text, (int) len);
		appendStringInfoString(&hunk->lines, feed != NULL ? "\n" : "\n\\ No newline at end of file\n");
		text += len + 1;
	}
	hunk->from_lines += mark != '+' ? lines : 0;
	hunk->to_lines += mark != '-' ? lines : 0;
}

/* Find the last `count` lines of a passage. */
static const char *
last_lines(const Passage *passage, int64 count)
{
	const char *at = passage->text + passage->size;

	while (count > 0 && at > passage->text)
	{
		at--;
		while (at > passage->text && at[-1] != '\n')
			at--;
		count--;
	}
	return at;
}

/* Append one side of a hunk's heading; an empty side counts from the line before it. */
static void
put_range(StringInfo out, char mark, int64 line, int64 lines)
{
	appendStringInfo(out, " %c" INT64_FORMAT "," INT64_FORMAT, mark, lines > 0 ? line + 1 : line, lines);
}

/* Put out a hunk, if there is one. */
static void
put_hunk(StringInfo out, Hunk *hunk)
{
	if (hunk->lines.len == 0)
		return;
	appendStringInfoString(out, "@@");
	put_range(out, '-', hunk->from_line, hunk->from_lines);
	put_range(out, '+', hunk->to_line, hunk->to_lines);
	appendStringInfoString(out, " @@\n");
	appendBinaryStringInfo(out, hunk->lines.data, hunk->lines.len);
	resetStringInfo(&hunk->lines);
}

/* Begin a hunk with the last lines of what is kept before its first change. */
static void
begin_hunk(Hunk *hunk, const Step *step, int64 context)
{
	int64		lines = Min(context, step->kept.lines);
	const char *at = last_lines(&step->kept, lines);

	hunk->from_lines = hunk->to_lines = 0;
	hunk->from_line = step->kept.line + step->kept.lines - lines;
	hunk->to_line = step->kept_to.line + step->kept_to.lines - lines;
	put_lines(hunk, ' ', at, step->kept.text + step->kept.size - at, lines);
}

/* Append what a step keeps and changes to the hunk there is, or to a new one. */
static void
put_step(StringInfo out, Hunk *hunk, const Step *step, int64 context)
{
	bool		changes = step->deleted.size > 0 || step->inserted.size > 0;
	bool		is_near = changes && step->kept.lines <= 2 * context;

	if (hunk->lines.len > 0)
		put_lines(hunk, ' ', step->kept.text, step->kept.size,
				  is_near ? step->kept.lines : Min(context, step->kept.lines));
	if (!is_near)
		put_hunk(out, hunk);
	if (changes && hunk->lines.len == 0)
		begin_hunk(hunk, step, context);
	put_lines(hunk, '-', step->deleted.text, step->deleted.size, step->deleted.lines);
	put_lines(hunk, '+', step->inserted.text, step->inserted.size, step->inserted.lines);
}

Datum
converge_unified_diff(PG_FUNCTION_ARGS)
{
	Versions	versions;
	int32		context;
	OtReader	reader;
	OtComponent next = {0};
	Step		step;
	Hunk		hunk;
	StringInfoData out;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3),
					  "document, versions and context");
	context = PG_GETARG_INT32(3);
	if (context < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of lines of context %d is negative", context)));
	compare_versions(fcinfo, DIFF_LINES, &versions);
	initStringInfo(&out);
	initStringInfo(&hunk.lines);
	if (versions.op.size > 0)
		appendStringInfo(&out, "--- version " INT64_FORMAT "\n+++ version " INT64_FORMAT "\n",
						 versions.from_version, versions.to_version);
	ot_reader_init(&reader, versions.op);
	while (take_step(&versions, &reader, &next, &step))
		put_step(&out, &hunk, &step, context);
	put_hunk(&out, &hunk);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
