/*
 * edit/whole_text.c
 *		set_content, put_content and replace_all: edits that are given as a text, and
 *		become one op of what differs.
 */
#include "postgres.h"

#include "access/access.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/uuid_text.h"
#include "edit/apply.h"
#include "edit/at_head.h"
#include "history/snapshot.h"
#include "past/diff.h"
#include "store/roles.h"
#include "store/scan.h"
#include "type/op_type.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(converge_set_content);
PG_FUNCTION_INFO_V1(converge_put_content);
PG_FUNCTION_INFO_V1(converge_replace_all);

/* ---- the whole text ---- */

/* Let the caller interrupt a long comparison. */
static void
look_for_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}

/* The op that changes one text into another. */
static OtOp
difference_of(const text *from, const text *to)
{
	OtBuffer	out;

	ot_buffer_init(&out, &cvg_allocator, 0);
	cvg_check_status(diff_texts(&cvg_allocator, VARDATA_ANY(from), VARSIZE_ANY_EXHDR(from),
								VARDATA_ANY(to), VARSIZE_ANY_EXHDR(to), DIFF_CHARACTERS,
								look_for_interrupts, &out));
	return ot_buffer_op(&out);
}

/* Give the text of the head its new form; the head is locked. */
static int64
set_at_head(const pg_uuid_t *doc_id, const CvgHead *head, const text *content)
{
	return cvg_edit_finish(doc_id, difference_of(cvg_content_at(doc_id, head->version), content));
}

/* Apply what differs from a base, which others may have edited since. */
static int64
set_from_base(const pg_uuid_t *doc_id, int64 base_version, const text *content)
{
	CvgSubmission sub = {.base_version = base_version,.op_id = cvg_fresh_op_id()};
	CvgHead		head;

	cvg_require_role(doc_id, CVG_EDITOR);
	cvg_push_latest_snapshot();
	cvg_open_head(doc_id, &head);
	cvg_check_version(&head, base_version);
	sub.op = difference_of(cvg_content_at(doc_id, base_version), content);
	PopActiveSnapshot();
	cvg_apply_one(doc_id, &sub);
	return sub.version;
}

/* Set the text, at the head or from the base given as an argument. */
static int64
set_text(FunctionCallInfo fcinfo, const pg_uuid_t *doc_id)
{
	CvgHead		head;

	if (!PG_ARGISNULL(2))
		return set_from_base(doc_id, PG_GETARG_INT64(2), PG_GETARG_TEXT_PP(1));
	cvg_edit_begin(doc_id, &head);
	return set_at_head(doc_id, &head, PG_GETARG_TEXT_PP(1));
}

Datum
converge_set_content(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 2, "converge.set_content()");

	PG_RETURN_INT64(set_text(fcinfo, doc_id));
}

/* ---- the whole text, if it is still the one that the caller saw ---- */

/* Return true if a version is among the entity tags of an If-Match header. */
static bool
is_matched(const text *tags, const CvgHead *head)
{
	char	   *given = text_to_cstring(tags);

	return strcmp(given, "*") == 0 ||
		strstr(given, psprintf("\"%s." INT64_FORMAT "\"", cvg_uuid_text(&head->life), head->version)) != NULL;
}

/*
 * Like set_content, for a text that a program has fetched: the current version must be
 * one of `tags`.  Where it is not, the version is null.
 */
Datum
converge_put_content(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 2, "converge.put_content()");
	CvgHead		head;

	if (PG_ARGISNULL(3))
		PG_RETURN_INT64(set_text(fcinfo, doc_id));
	cvg_edit_begin(doc_id, &head);
	if (!is_matched(PG_GETARG_TEXT_PP(3), &head))
	{
		PopActiveSnapshot();
		PG_RETURN_NULL();
	}
	if (PG_ARGISNULL(2))
		PG_RETURN_INT64(set_at_head(doc_id, &head, PG_GETARG_TEXT_PP(1)));
	PopActiveSnapshot();
	PG_RETURN_INT64(set_text(fcinfo, doc_id));
}

/* ---- a text for another, wherever it stands ---- */

/* The op that puts one text in the place of another, from left to right. */
static OtOp
replacement_of(const text *content, const text *from, const text *to, OtBuffer *out)
{
	const char *at = VARDATA_ANY(content);
	const char *end = at + VARSIZE_ANY_EXHDR(content);
	size_t		from_size = VARSIZE_ANY_EXHDR(from);
	int64		from_length = ot_utf8_length(VARDATA_ANY(from), from_size);
	int64		to_length = ot_utf8_length(VARDATA_ANY(to), VARSIZE_ANY_EXHDR(to));
	const char *found;
	OtBuilder	builder;

	ot_builder_init(&builder, out);
	while ((found = memmem(at, end - at, VARDATA_ANY(from), from_size)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		ot_builder_retain(&builder, ot_utf8_length(at, found - at));
		if (to_length > 0)
			ot_builder_insert(&builder, VARDATA_ANY(to), VARSIZE_ANY_EXHDR(to), to_length);
		ot_builder_delete(&builder, from_length);
		at = found + from_size;
	}
	cvg_check_status(ot_builder_finish(&builder));
	return ot_buffer_op(out);
}

Datum
converge_replace_all(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = cvg_write_arguments(fcinfo, 3, "converge.replace_all()");
	text	   *from = PG_GETARG_TEXT_PP(1);
	text	   *to = PG_GETARG_TEXT_PP(2);
	OtOp		op = {0};
	CvgHead		head;
	OtBuffer	out;

	if (VARSIZE_ANY_EXHDR(from) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the text to replace must not be empty")));
	cvg_edit_begin(doc_id, &head);
	ot_buffer_init(&out, &cvg_allocator, 0);
	if (VARSIZE_ANY_EXHDR(from) != VARSIZE_ANY_EXHDR(to) ||
		memcmp(VARDATA_ANY(from), VARDATA_ANY(to), VARSIZE_ANY_EXHDR(from)) != 0)
		op = replacement_of(cvg_content_at(doc_id, head.version), from, to, &out);
	PG_RETURN_INT64(cvg_edit_finish(doc_id, op));
}
