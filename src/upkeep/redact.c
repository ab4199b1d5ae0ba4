/*
 * upkeep/redact.c
 *		Replacing the characters of a secret in all of a document's past.
 *
 * A secret need not stand in any op: it may have been typed letter by letter.  So the
 * log is followed with the text, with where the secret occurs, and with the op that
 * inserted each character; the characters of each occurrence are marked there, in the
 * op.  Then each op that has marks gets as many other characters in their place, and
 * the snapshots are made anew from the log.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/limits.h"
#include "history/snapshot.h"
#include "past/matches.h"
#include "past/spans.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "store/scan.h"
#include "store/snapshots.h"
#include "store/statements.h"
#include "type/op_type.h"
#include "upkeep/rewrite.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(converge_redact_log);
PG_FUNCTION_INFO_V1(converge_redact_op);

/* Characters that an op inserted, counted from the first one of all its inserts. */
typedef struct Mark
{
	int64		version;		/* of the op; 0: of the text that the log begins
								 * with */
	int64		first;			/* cp */
	int64		length;			/* cp */
} Mark;

typedef struct Redaction
{
	Mark	   *marks;
	int64		count;
	int64		capacity;
	Spans	   *spans;
	const char *mask;			/* one character */
	size_t		mask_size;
	int64		length;			/* cp of what is looked for */

	/* occurrences that began with the op that is being followed */
	int64	   *ids;
	int64	   *places;
	int64		begun;
	int64		begun_capacity;
} Redaction;

/* ---- marking ---- */

static void
add_mark(void *ctx, const Span *span)
{
	Redaction  *redaction = ctx;

	if (redaction->count == redaction->capacity)
	{
		redaction->capacity = Max(64, 2 * redaction->capacity);
		redaction->marks = redaction->marks == NULL ? palloc(redaction->capacity * sizeof(Mark)) :
			repalloc_huge(redaction->marks, redaction->capacity * sizeof(Mark));
	}
	redaction->marks[redaction->count++] = (Mark) {span->version, span->first, span->length};
}

/* An occurrence began; where its characters are from is known when the op is done. */
static void
note_begin(void *ctx, int64_t id, int64_t pos)
{
	Redaction  *redaction = ctx;

	if (redaction->begun == redaction->begun_capacity)
	{
		redaction->begun_capacity = Max(64, 2 * redaction->begun_capacity);
		redaction->ids = redaction->ids == NULL ? palloc(redaction->begun_capacity * sizeof(int64)) :
			repalloc_huge(redaction->ids, redaction->begun_capacity * sizeof(int64));
		redaction->places = redaction->places == NULL ? palloc(redaction->begun_capacity * sizeof(int64)) :
			repalloc_huge(redaction->places, redaction->begun_capacity * sizeof(int64));
	}
	redaction->ids[redaction->begun] = id;
	redaction->places[redaction->begun++] = pos;
}

/* An occurrence ended; if it had begun with this op, no version has it. */
static void
note_end(void *ctx, int64_t id, int64_t pos)
{
	Redaction  *redaction = ctx;

	for (int64 i = redaction->begun - 1; i >= 0 && redaction->ids[i] >= id; i--)
		if (redaction->ids[i] == id)
			redaction->places[i] = -1;
}

/* Mark the occurrences that began. */
static void
mark_begun(Redaction *redaction)
{
	for (int64 i = 0; i < redaction->begun; i++)
		if (redaction->places[i] >= 0)
			spans_visit(redaction->spans, redaction->places[i], redaction->length, add_mark, redaction);
	redaction->begun = 0;
}

/* Follow the log, and mark every occurrence of a text. */
static void
mark_text(Redaction *redaction, const pg_uuid_t *doc_id, const CvgHead *head, const text *sought)
{
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	CvgOpScan  *scan = cvg_ops_begin(doc_id, head->floor_version, head->version);
	Matches    *matches;
	CvgOpRow	row;
	Rope	   *rope;

	redaction->length = ot_utf8_length(VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought));
	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &rope));
	cvg_check_status(spans_create(&cvg_allocator, &redaction->spans));
	cvg_check_status(spans_init_run(redaction->spans, rope_length(rope)));
	cvg_check_status(matches_create(&cvg_allocator, rope, VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought),
									note_begin, redaction, &matches));
	mark_begun(redaction);
	while (cvg_ops_next(scan, &row))
	{
		CHECK_FOR_INTERRUPTS();
		cvg_check_status(matches_apply(matches, rope, row.op, note_begin, note_end, redaction));
		cvg_check_status(spans_apply(redaction->spans, row.op, row.version, 0, 0));
		mark_begun(redaction);
	}
	cvg_ops_end(scan);
	matches_free(matches);
	rope_free(rope);
}

/* Follow the log up to a version, and mark a passage of it. */
static void
mark_passage(Redaction *redaction, const pg_uuid_t *doc_id, const CvgHead *head, int64 version, int64 from, int64 to)
{
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	CvgOpScan  *scan = cvg_ops_begin(doc_id, head->floor_version, version);
	CvgOpRow	row;

	cvg_check_status(spans_create(&cvg_allocator, &redaction->spans));
	cvg_check_status(spans_init_run(redaction->spans, ot_utf8_length(VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start))));
	while (cvg_ops_next(scan, &row))
		cvg_check_status(spans_apply(redaction->spans, row.op, row.version, 0, 0));
	cvg_ops_end(scan);
	if (from < 0 || to < from || to > spans_length(redaction->spans))
		ereport(ERROR,
				(errcode(ERRCODE_CVG_OUT_OF_RANGE),
				 errmsg("passage from " INT64_FORMAT " to " INT64_FORMAT " is none of version " INT64_FORMAT, from, to, version),
				 errdetail("The text has " INT64_FORMAT " code points.", spans_length(redaction->spans))));
	spans_visit(redaction->spans, from, to - from, add_mark, redaction);
}

/* ---- the marks in order ---- */

static int
compare_marks(const void *a, const void *b)
{
	const Mark *left = a;
	const Mark *right = b;

	if (left->version != right->version)
		return left->version < right->version ? -1 : 1;
	return left->first < right->first ? -1 : left->first > right->first;
}

/* Sort the marks, and join those that overlap; return how many characters are marked. */
static int64
settle_marks(Redaction *redaction)
{
	int64		kept = 0;
	int64		total = 0;

	qsort(redaction->marks, redaction->count, sizeof(Mark), compare_marks);
	for (int64 i = 0; i < redaction->count; i++)
	{
		Mark	   *mark = &redaction->marks[i];
		Mark	   *last = kept > 0 ? &redaction->marks[kept - 1] : NULL;

		if (last != NULL && last->version == mark->version && mark->first <= last->first + last->length)
			last->length = Max(last->length, mark->first + mark->length - last->first);
		else
			redaction->marks[kept++] = *mark;
	}
	redaction->count = kept;
	for (int64 i = 0; i < kept; i++)
		total += redaction->marks[i].length;
	return total;
}

/* The first mark of a version, or behind it; the count where there is none. */
static int64
first_mark(const Redaction *redaction, int64 version)
{
	int64		low = 0;
	int64		high = redaction->count;

	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (redaction->marks[middle].version < version)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- replacing ---- */

/* Append a text whose characters from `at` on are counted, with those that are marked replaced. */
static void
mask_text(const Redaction *redaction, int64 *mark, int64 version, int64 at, const char *text, size_t size, OtBuffer *out)
{
	while (size > 0)
	{
		const Mark *here = *mark < redaction->count && redaction->marks[*mark].version == version ? &redaction->marks[*mark] : NULL;
		int64		left = ot_utf8_length(text, size);
		bool		masked = here != NULL && here->first <= at;
		int64		end = here == NULL ? at + left : masked ? here->first + here->length : here->first;
		int64		step = Min(left, end - at);
		size_t		bytes = ot_utf8_offset(text, size, step);

		if (!masked)
			cvg_check_status(ot_buffer_append(out, text, bytes));
		for (int64 i = 0; masked && i < step; i++)
			cvg_check_status(ot_buffer_append(out, redaction->mask, redaction->mask_size));
		text += bytes;
		size -= bytes;
		at += step;
		if (masked && at == end)
			(*mark)++;
	}
}

/* Replace what is marked of an op. */
static bool
mask_row(void *ctx, CvgOpRow *row)
{
	const Redaction *redaction = ctx;
	int64		mark = first_mark(redaction, row->version);
	int64		at = 0;
	OtBuffer	out;
	OtBuffer	part;
	OtBuilder	builder;
	OtReader	reader;
	OtComponent component;

	if (mark == redaction->count || redaction->marks[mark].version != row->version)
		return false;
	ot_buffer_init(&out, &cvg_allocator, 0);
	ot_buffer_init(&part, &cvg_allocator, 0);
	ot_builder_init(&builder, &out);
	ot_reader_init(&reader, row->op);
	while (ot_reader_next(&reader, &component))
	{
		if (component.kind == OT_RETAIN)
			ot_builder_retain(&builder, component.length);
		else if (component.kind == OT_DELETE)
			ot_builder_delete(&builder, component.length);
		else
		{
			ot_buffer_reset(&part);
			mask_text(redaction, &mark, row->version, at, component.text, component.text_size, &part);
			ot_builder_insert(&builder, (const char *) part.data, part.size, component.length);
			at += component.length;
		}
	}
	cvg_check_status(ot_builder_finish(&builder));
	row->op = ot_buffer_op(&out);
	/* what was submitted must not be guessed from it */
	row->submitted_hash = cvg_content_hash(row->op);
	return true;
}

/* ---- snapshots ---- */

/* Put another text into a snapshot. */
static void
write_snapshot(const pg_uuid_t *doc_id, int64 version, const void *content, size_t size)
{
	Oid			types[] = {UUIDOID, INT8OID, TEXTOID};
	Datum		values[] = {
		UUIDPGetDatum(doc_id), Int64GetDatum(version),
		PointerGetDatum(cstring_to_text_with_len(content, (int) size))
	};

	SPI_connect();
	cvg_execute("UPDATE ONLY converge.snapshots SET content = $3 "
				"WHERE doc_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2", 3, types, values, NULL);
	SPI_finish();
	pfree(DatumGetPointer(values[2]));
}

/* Write the text that the log begins with anew. */
static void
mask_start(const Redaction *redaction, const pg_uuid_t *doc_id, const CvgHead *head)
{
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	int64		mark = 0;
	OtBuffer	out;

	if (redaction->count == 0 || redaction->marks[0].version != 0)
		return;
	ot_buffer_init(&out, &cvg_allocator, 0);
	mask_text(redaction, &mark, 0, 0, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &out);
	write_snapshot(doc_id, head->floor_version, out.data, out.size);
	ot_buffer_free(&out);
}

/* Write the later snapshots anew, from the log as it is now. */
static void
remake_snapshots(const pg_uuid_t *doc_id, const CvgHead *head)
{
	int64	   *versions;
	int			count = cvg_snapshot_versions(doc_id, &versions);
	text	   *start = cvg_content_at(doc_id, head->floor_version);
	int			next = 0;
	CvgOpScan  *scan;
	CvgOpRow	row;
	Rope	   *rope;

	while (next < count && versions[next] <= head->floor_version)
		next++;
	if (next == count)
		return;
	cvg_check_status(rope_create(&cvg_allocator, VARDATA_ANY(start), VARSIZE_ANY_EXHDR(start), &rope));
	scan = cvg_ops_begin(doc_id, head->floor_version, versions[count - 1]);
	while (cvg_ops_next(scan, &row))
	{
		OtBuffer	out;

		CHECK_FOR_INTERRUPTS();
		cvg_check_status(rope_apply(rope, row.op, NULL, NULL));
		if (next == count || versions[next] != row.version)
			continue;
		ot_buffer_init(&out, &cvg_allocator, 0);
		cvg_check_status(rope_text(rope, &out));
		write_snapshot(doc_id, row.version, out.data, out.size);
		ot_buffer_free(&out);
		next++;
	}
	cvg_ops_end(scan);
	rope_free(rope);
}

/* Note in the head how many bytes the ops since the newest snapshot have now. */
static void
note_bytes(const pg_uuid_t *doc_id, int64 bytes)
{
	cvg_run_for_version("UPDATE ONLY converge.heads SET log_bytes = $2 WHERE doc_id OPERATOR(pg_catalog.=) $1", doc_id, bytes);
}

/* ---- SQL ---- */

/* Get the character that is put in place of others. */
static void
read_mask(Redaction *redaction, const text *mask)
{
	redaction->mask = VARDATA_ANY(mask);
	redaction->mask_size = VARSIZE_ANY_EXHDR(mask);
	if (ot_utf8_length(redaction->mask, redaction->mask_size) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the replacement must be a single character")));
}

/*
 * redact_log(doc_id, content, version, from_pos, to_pos, replacement): replace a text, or
 * where that is null a passage of a version.  The caller holds all locks.
 */
Datum
converge_redact_log(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id = PG_GETARG_UUID_P(0);
	Redaction	redaction = {0};
	int64		total;
	CvgHead		head;

	read_mask(&redaction, PG_GETARG_TEXT_PP(5));
	cvg_push_latest_snapshot();
	if (!cvg_head_read(doc_id, &head))
		elog(ERROR, "document vanished");
	if (!PG_ARGISNULL(1))
		mark_text(&redaction, doc_id, &head, PG_GETARG_TEXT_PP(1));
	else
	{
		cvg_check_version(&head, PG_GETARG_INT64(2));
		mark_passage(&redaction, doc_id, &head, PG_GETARG_INT64(2), PG_GETARG_INT64(3), PG_GETARG_INT64(4));
	}
	spans_free(redaction.spans);
	total = settle_marks(&redaction);
	mask_start(&redaction, doc_id, &head);
	cvg_rewrite_log(doc_id, &head, mask_row, &redaction);
	PopActiveSnapshot();
	cvg_push_own_snapshot();
	if (total > 0)
	{
		remake_snapshots(doc_id, &head);
		note_bytes(doc_id, cvg_log_bytes(doc_id, head.snapshot_version, head.version));
	}
	PopActiveSnapshot();
	PG_RETURN_INT64(total);
}

/* Replace a text in what an op inserts. */
Datum
converge_redact_op(PG_FUNCTION_ARGS)
{
	OtOp		op = PG_GETARG_CVG_OP(0);
	text	   *sought = PG_GETARG_TEXT_PP(1);
	Redaction	redaction = {0};
	CvgOpRow	row = {.version = 1,.op = op};
	OtReader	reader;
	OtComponent component;
	int64		length = ot_utf8_length(VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought));
	int64		at = 0;

	read_mask(&redaction, PG_GETARG_TEXT_PP(2));
	ot_reader_init(&reader, op);
	while (length > 0 && ot_reader_next(&reader, &component))
	{
		const char *text = component.text;
		const char *found;

		if (component.kind != OT_INSERT)
			continue;
		while ((found = memmem(text, component.text + component.text_size - text,
							   VARDATA_ANY(sought), VARSIZE_ANY_EXHDR(sought))) != NULL)
		{
			Span		span = {.version = 1,.length = length,
			.first = at + ot_utf8_length(component.text, found - component.text)};

			add_mark(&redaction, &span);
			text = found + 1;
		}
		at += component.length;
	}
	settle_marks(&redaction);
	mask_row(&redaction, &row);
	PG_RETURN_DATUM(cvg_op_datum(row.op));
}
