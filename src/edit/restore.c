/*
 * edit/restore.c
 *		restore_text: what stood in a passage at a version, put back where that is now.
 *
 * The passage's ends are carried over what came since, as those of a comment are.  The
 * end is a left position.  The start follows the passage's first character while that
 * lives: start = left(start + 1) - 1; afterwards it is a left position too.
 */
#include "postgres.h"

#include "base/errors.h"
#include "edit/at_head.h"
#include "history/snapshot.h"
#include "past/diff.h"
#include "type/op_type.h"

#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(converge_restore_text);

/* A passage of a text, in bytes. */
typedef struct Part
{
	const char *text;
	size_t		size;
} Part;

/* Let the caller interrupt a long comparison. */
static void
look_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* Cut a passage out of a text that is long enough. */
static Part
cut(const text *content, int64 from, int64 to)
{
	const char *all = VARDATA_ANY(content);
	size_t		size = VARSIZE_ANY_EXHDR(content);
	size_t		start = ot_utf8_offset(all, size, from);

	return (Part) {all + start, ot_utf8_offset(all + start, size - start, to - from)};
}

/* Fail for a passage that is none of that text. */
static void
check_passage(const text *content, int64 version, int64 from, int64 to)
{
	int64		length = ot_utf8_length(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));

	if (from < 0 || to < from)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("passage from " INT64_FORMAT " to " INT64_FORMAT " is out of range", from, to),
				 errdetail("A passage begins at 0 or later and does not end before it begins.")));
	if (to > length)
		ereport(ERROR,
				(errcode(ERRCODE_CVG_OUT_OF_RANGE),
				 errmsg("passage from " INT64_FORMAT " to " INT64_FORMAT " reaches past the end of version " INT64_FORMAT,
						from, to, version),
				 errdetail("The text has " INT64_FORMAT " code points.", length)));
}

/* Return true if an op deletes the character at a position. */
static bool
is_deleted(OtOp op, int64 pos)
{
	OtReader	reader;
	OtComponent component;
	int64		at = 0;

	ot_reader_init(&reader, op);
	while (at <= pos && ot_reader_next(&reader, &component))
	{
		if (component.kind == OT_INSERT)
			continue;
		at += component.length;
		if (at > pos)
			return component.kind == OT_DELETE;
	}
	return false;
}

/* Carry a passage over an op. */
static void
carry_passage(OtOp over, int64 *from, int64 *to)
{
	int64		end = ot_transform_position(*to, over, OT_LEFT);
	int64		start;

	if (*to > *from && !is_deleted(over, *from))
		start = ot_transform_position(*from + 1, over, OT_LEFT) - 1;
	else
		start = ot_transform_position(*from, over, OT_LEFT);
	*from = start;
	*to = Max(start, end);
}

/* Append a component. */
static void
put_component(OtBuilder *builder, const OtComponent *component)
{
	if (component->kind == OT_INSERT)
		ot_builder_insert(builder, component->text, component->text_size, component->length);
	else if (component->kind == OT_DELETE)
		ot_builder_delete(builder, component->length);
	else
		ot_builder_retain(builder, component->length);
}

/* The op that puts `old` in the place of a passage of a text. */
static OtOp
replace_part(const text *content, int64 from, int64 to, Part old)
{
	Part		now = cut(content, from, to);
	OtBuffer	inner;
	OtBuffer	out;
	OtBuilder	builder;
	OtReader	reader;
	OtComponent component;

	ot_buffer_init(&inner, &cvg_allocator, 0);
	cvg_check_status(diff_texts(&cvg_allocator, now.text, now.size, old.text, old.size,
								DIFF_CHARACTERS, look_for_interrupts, &inner));
	ot_buffer_init(&out, &cvg_allocator, 0);
	ot_builder_init(&builder, &out);
	ot_builder_retain(&builder, from);
	ot_reader_init(&reader, ot_buffer_op(&inner));
	while (ot_reader_next(&reader, &component))
		put_component(&builder, &component);
	cvg_check_status(ot_builder_finish(&builder));
	return ot_buffer_op(&out);
}

Datum
converge_restore_text(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 4, "converge.restore_text()");
	int64		version = PG_GETARG_INT64(1);
	int64		from = PG_GETARG_INT64(2);
	int64		to = PG_GETARG_INT64(3);
	CvgHead		head;
	text	   *then;
	Part		old;
	OtOp		since;

	cvg_edit_begin(doc_id, &head);
	cvg_check_version(&head, version);
	then = cvg_content_at(doc_id, version);
	check_passage(then, version, from, to);
	old = cut(then, from, to);
	since = cvg_op_of((struct varlena *) DatumGetPointer(cvg_compose_range(doc_id, version, head.version)));
	carry_passage(since, &from, &to);
	PG_RETURN_INT64(cvg_edit_finish(doc_id, replace_part(cvg_content_at(doc_id, head.version), from, to, old)));
}
