/*
 * edit/join.c
 *		What the relay reads for a client that joins, and whether a version or a
 *		text that it holds is the document's.
 *
 * Only the relay's role may call these functions: the user is an argument, or is not
 * checked at all.
 */
#include "postgres.h"

#include "access/access.h"
#include "base/call.h"
#include "edit/document.h"
#include "edit/ready_text.h"
#include "history/snapshot.h"
#include "store/append.h"
#include "store/heads.h"
#include "store/log.h"
#include "store/ops.h"
#include "store/roles.h"
#include "type/event.h"

#include "access/htup_details.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(converge_join_document);
PG_FUNCTION_INFO_V1(converge_checksum);
PG_FUNCTION_INFO_V1(converge_has_version);

/* So many packed ops, the newest, are looked through for a client's pending one. */
#define MAX_PENDING_OPS	1000000

/* ---- join ---- */

/*
 * The whole text as a ready message, and how many bytes it has: NULL if these are more
 * than `most`.  It is not even made if the text has as many code points, and `bytes` is
 * their number then.
 */
static text *
snapshot_message(const pg_uuid_t *doc_id, const CvgOpened *opened, int64 most, int64 *bytes)
{
	text	   *content;
	StringInfoData message;

	*bytes = opened->head.length;
	if (*bytes > most)
		return NULL;
	content = cvg_content_at(doc_id, opened->head.version);
	initStringInfo(&message);
	cvg_text_begin(&message);
	appendStringInfoString(&message, "{\"type\":\"snapshot\",\"version\":");
	cvg_append_int64(&message, opened->head.version);
	appendStringInfoString(&message, ",\"sequenceId\":");
	cvg_append_int64(&message, opened->head.seq);
	if (opened->has_op_id)
	{
		appendStringInfoString(&message, ",\"operationId\":\"");
		cvg_append_uuid(&message, &opened->op_id);
		appendStringInfoChar(&message, '"');
	}
	appendStringInfoString(&message, ",\"content\":");
	cvg_append_json_string(&message, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	appendStringInfoChar(&message, '}');
	*bytes = message.len - VARHDRSZ;
	return *bytes <= most ? cvg_text_finish(&message) : NULL;
}

/*
 * Find the version that a client's pending op made, which is above the one that
 * the client holds; 0 where it made none.  Returns whether that is certain: not
 * where the history that might have it is forgotten, or is longer than is looked
 * through for one join.
 */
static bool
find_pending(const pg_uuid_t *doc_id, const pg_uuid_t *pending, const CvgHead *head,
			 int64 held, int64 *version)
{
	int64		from = Max(held, Max(head->floor_version, head->packed_version - MAX_PENDING_OPS));
	CvgOpScan  *scan;
	CvgOpRow	row;

	*version = 0;
	if (cvg_op_by_id(doc_id, pending, &row))
		*version = row.version;
	else if (from < head->packed_version)
	{
		scan = cvg_runs_begin(doc_id, from, head->packed_version, pending);
		while (*version == 0 && cvg_ops_next(scan, &row))
			if (!row.composed && memcmp(&row.op_id, pending, UUID_LEN) == 0)
				*version = row.version;
		cvg_ops_end(scan);
	}
	return *version != 0 || from <= held;
}

Datum
converge_join_document(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	int64		known_version = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2);
	CvgOpened	opened;
	TupleDesc	desc;
	Datum		values[11] = {0};
	bool		nulls[11] = {false};

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1), "user and document");
	desc = cvg_row_type(fcinfo);
	doc_id = PG_GETARG_UUID_P(1);
	cvg_open(doc_id, text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_ARGISNULL(2) ? NULL : &known_version,
			 PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3),
			 PG_ARGISNULL(4) ? NULL : PG_GETARG_UUID_P(4), &opened);

	values[0] = CStringGetTextDatum(cvg_role_name(opened.role));
	values[1] = PointerGetDatum(opened.title);
	values[2] = Int64GetDatum(opened.head.version);
	values[3] = Int64GetDatum(opened.head.seq);
	values[4] = UUIDPGetDatum(&opened.op_id);
	nulls[4] = !opened.has_op_id;
	values[5] = BoolGetDatum(opened.resumed);
	nulls[10] = opened.resumed;
	if (!opened.resumed)
	{
		int64		bytes;

		values[6] = PointerGetDatum(snapshot_message(doc_id, &opened, PG_ARGISNULL(6) ? PG_INT64_MAX : PG_GETARG_INT64(6), &bytes));
		values[10] = Int64GetDatum(bytes);
	}
	nulls[6] = DatumGetPointer(values[6]) == NULL;
	values[7] = UUIDPGetDatum(&opened.head.life);
	nulls[8] = PG_ARGISNULL(5);
	nulls[9] = true;
	if (!PG_ARGISNULL(5))
	{
		int64		version = 0;

		values[8] = BoolGetDatum(find_pending(doc_id, PG_GETARG_UUID_P(5), &opened.head,
											  opened.resumed ? known_version : 0, &version));
		values[9] = Int64GetDatum(version);
		nulls[9] = version == 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* ---- checksum ---- */

Datum
converge_checksum(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	int64		version;
	CvgHead		head;
	Datum		hash;
	Datum		hex;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1), "document and version");
	doc_id = PG_GETARG_UUID_P(0);
	version = PG_GETARG_INT64(1);
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (!PG_ARGISNULL(2) && memcmp(PG_GETARG_UUID_P(2), &head.life, UUID_LEN) != 0)
		PG_RETURN_NULL();
	cvg_check_version(&head, version);
	/* a text is its bytes in UTF-8, the only encoding there is here */
	hash = DirectFunctionCall1(sha256_bytea, PointerGetDatum(cvg_content_at(doc_id, version)));
	hex = DirectFunctionCall2(binary_encode, hash, CStringGetTextDatum("hex"));
	PG_RETURN_DATUM(hex);
}

/* ---- has_version ---- */

/*
 * Return true if an existing version is the one that the caller knows.  Both numbers
 * are compared: after a crash that lost commits, the same operation may come back
 * as the same version behind other ones, but hardly with the same seq.
 */
static bool
is_same_version(const pg_uuid_t *doc_id, const CvgHead *head, int64 version,
				const pg_uuid_t *op_id, int64 seq)
{
	CvgOpRow	row;
	pg_uuid_t	floor_id;

	if (version == 0 || version < head->floor_version)
		return version == 0 && op_id == NULL && head->floor_version == 0;
	if (op_id == NULL)
		return true;
	if (version == head->floor_version)
		return cvg_op_id_of(doc_id, head, version, &floor_id) &&
			memcmp(&floor_id, op_id, UUID_LEN) == 0;
	return cvg_op_by_version(doc_id, version, &row) && row.seq == seq &&
		memcmp(&row.op_id, op_id, UUID_LEN) == 0;
}

Datum
converge_has_version(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *doc_id;
	CvgHead		head;

	cvg_require_given(PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3), "document, version and seq");
	doc_id = PG_GETARG_UUID_P(0);
	if (!cvg_head_read(doc_id, &head))
		cvg_no_document(doc_id);
	if (!PG_ARGISNULL(4) && memcmp(PG_GETARG_UUID_P(4), &head.life, UUID_LEN) != 0)
		PG_RETURN_BOOL(false);
	if (PG_GETARG_INT64(1) > head.version)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(is_same_version(doc_id, &head, PG_GETARG_INT64(1),
								   PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2), PG_GETARG_INT64(3)));
}
