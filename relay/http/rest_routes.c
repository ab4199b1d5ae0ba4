/*
 * http/rest_routes.c: the table of routes. doc/openapi.json and doc/rest.md
 * document them; a test compares both with this table.
 *
 * Each statement returns one row, built by PostgreSQL. The functions that it
 * calls check permissions; none of them takes a user, because become() was called
 * before. Parameters have PostgreSQL's own types: a prepared statement keeps the
 * types of its parameters, and converge's types change when the extension is
 * created again. A reading statement uses one snapshot, so a version and its text
 * always belong together.
 */
#include "http/rest.h"

#define PART(part) {.source = REST_PATH,.name = part,.needed = true}
#define ID PART("id")
#define OPTIONAL_ARGUMENT(argument, what) {.source = REST_ARGUMENT,.name = argument,.kind = what}
#define NEEDED_ARGUMENT(argument, what) {.source = REST_ARGUMENT,.name = argument,.kind = what,.needed = true}
#define OPTIONAL_FIELD(field, what) {.source = REST_FIELD,.name = field,.kind = what}
#define NEEDED_FIELD(field, what) {.source = REST_FIELD,.name = field,.kind = what,.needed = true}
#define OPERATION(field) {.source = REST_OPERATION,.name = field,.needed = true}
#define WHOLE_NEEDED_FIELD(field) {.source = REST_FIELD,.name = field,.needed = true,.whole = true}
#define EXPECTED {.source = REST_EXPECTED,.name = "If-Match"}
#define PLAIN {.source = REST_PLAIN,.name = "Accept"}
#define KNOWN {.source = REST_KNOWN,.name = "If-None-Match"}

/* a moment as the other messages write it */
#define MOMENT(at) "to_char(" at " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/* how many rows a page has, of a parameter that may be null */
#define PAGE(limit) "coalesce(" limit "::bigint, 100)"

/* ... and where rows are short, or a page is shown as a whole; they are bounded in bytes as well */
#define WIDE_PAGE(limit, rows) "coalesce(" limit "::bigint, " rows ")"

/* most bytes of texts in a page, before the row that exceeds them */
#define PAGE_BYTES "4194304"

/* a text as a part of a link: opaque, and with nothing to be escaped */
#define HEX(text) "encode(convert_to(" text ", 'UTF8'), 'hex')"
#define UNHEX(text) "convert_from(decode(" text ", 'hex'), 'UTF8')"

/* a moment as a part of a link, and what a part of a link was */
#define MICROSECONDS(at) "(extract(epoch FROM " at ") * 1000000)::bigint"
#define PART_OF(link, part, type) "split_part(" link "::text, ',', " part ")::" type

/* from the start of the text; no two threads are the same in it */
#define THREAD_ORDER "t.from_pos, t.to_pos, t.us, t.id"

/* the ETag of a version: another document that had the id had versions of the same numbers */
#define TAG(version) "d.life || '.' || " version

/* whether the client holds this version, and it is one; the document as d was read before */
#define HELD(known, version) "strpos(" known "::text, '\"' || " TAG(version) " || '\"') > 0 AND " version " BETWEEN d.floor_version AND d.version"

/* where history begins that is still kept */
#define FROM(param) "coalesce(" param "::bigint, (converge.document($1::uuid)).floor_version + 1)"

/* a call, and then the rows with these ids, which it may have written, as `events` */
#define THEN_ROWS(call, ids) \
	"WITH done AS MATERIALIZED (SELECT 1 AS n FROM converge." call ")" ROWS_OF("CASE done.n WHEN 1 THEN " ids " END")
#define ROWS_OF(ids) \
	" SELECT (json_agg(event) -> 0) AS body FROM done, LATERAL converge.talk_rows($1::uuid, " ids ") AS event"
#define NEW_ID(param) "coalesce(" param "::uuid, gen_random_uuid())"
#define PLACE(part) " '/v1/docs/' || $1::uuid || '" part "' AS location"

/* *INDENT-OFF* */
const struct rest_route rest_routes[] = {

	/* ---- documents ---- */

	{"POST", "/v1/docs", "create_document", REST_CREATED, false,
		{OPTIONAL_FIELD("title", REST_TEXT), OPTIONAL_FIELD("content", REST_TEXT), OPTIONAL_FIELD("id", REST_TEXT)},
		"SELECT json_build_object('documentId', id, 'title', coalesce($1::text, ''), 'role', 'owner', 'version', 0) AS body,"
		" '/v1/docs/' || id AS location"
	" FROM converge.create_document(coalesce($1::text, ''), coalesce($2::text, ''), coalesce($3::uuid, gen_random_uuid())) AS id"},

	{"GET", "/v1/docs", "my_documents", REST_SHOW, false,
		{OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("before", REST_TEXT), OPTIONAL_ARGUMENT("search", REST_TEXT)},
		"SELECT body, CASE WHEN count = " PAGE("$1") " AND EXISTS (SELECT FROM converge.my_documents(1, last_at, last_id, $3::text))"
		" THEN 'before=' || " MOMENT("last_at") " || ',' || last_id END AS next"
		" FROM (SELECT json_build_object('documents', coalesce(json_agg(json_build_object("
		"'documentId', doc_id, 'title', title, 'role', role, 'version', version, 'length', length,"
		" 'createdAt', " MOMENT("created_at") ", 'updatedAt', " MOMENT("updated_at") ") ORDER BY n), '[]')) AS body,"
		" count(*), (array_agg(updated_at ORDER BY n DESC))[1] AS last_at, (array_agg(doc_id ORDER BY n DESC))[1] AS last_id"
		" FROM converge.my_documents(" PAGE("$1") "::integer, split_part($2::text, ',', 1)::timestamptz, split_part($2::text, ',', 2)::uuid, $3::text)"
	" WITH ORDINALITY AS d (doc_id, title, role, version, length, created_at, updated_at, n)) AS page"},

	{"GET", "/v1/docs/{id}", "document", REST_SHOW, false,
		{ID},
		"SELECT json_build_object('documentId', $1::uuid, 'title', title, 'owner', owner, 'role', role, 'version', version,"
		" 'sequenceId', seq, 'life', life, 'length', length, 'floorVersion', floor_version, 'snapshotVersion', snapshot_version,"
		" 'createdAt', " MOMENT("created_at") ", 'updatedAt', " MOMENT("updated_at") ") AS body"
	" FROM converge.document($1::uuid)"},

	{"PATCH", "/v1/docs/{id}", "rename_document", REST_SHOW, false,
		{ID, NEEDED_FIELD("title", REST_TEXT)},
		"SELECT json_build_object('documentId', $1::uuid, 'title', $2::text) AS body"
	" FROM converge.rename_document($1::uuid, $2::text)"},

	{"DELETE", "/v1/docs/{id}", "delete_document", REST_EMPTY, false,
		{ID},
	"SELECT FROM converge.delete_document($1::uuid)"},

	{"POST", "/v1/docs/{id}/fork", "fork", REST_CREATED, false,
		{ID, OPTIONAL_FIELD("version", REST_NUMBER), OPTIONAL_FIELD("withHistory", REST_FLAG), OPTIONAL_FIELD("id", REST_TEXT)},
		"SELECT json_build_object('documentId', id) AS body, '/v1/docs/' || id AS location"
	" FROM converge.fork($1::uuid, $2::bigint, coalesce($3::boolean, false), coalesce($4::uuid, gen_random_uuid())) AS id"},

	{"GET", "/v1/docs/{id}/export", "export_document", REST_SHOW, false,
		{ID},
	"SELECT json_build_object('data', translate(encode(data, 'base64'), E'\\n', '')) AS body FROM converge.export_document($1::uuid) AS data"},

	{"POST", "/v1/import", "import_copy", REST_CREATED, false,
		{NEEDED_FIELD("data", REST_TEXT), OPTIONAL_FIELD("title", REST_TEXT)},
		"SELECT json_build_object('documentId', id) AS body, '/v1/docs/' || id AS location"
	" FROM converge.import_copy(decode($1::text, 'base64'), $2::text) AS id"},

	/* ---- the text, and operations on it ---- */

	{"GET", "/v1/docs/{id}/content", "content", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("version", REST_NUMBER), {.source = REST_ARGUMENT,.name = "at",.not_with = "version"}, KNOWN, PLAIN},
		"SELECT " TAG("v.at") " AS version, CASE WHEN $5::text IS NOT NULL OR " HELD("$4", "v.at") " THEN NULL ELSE"
		" json_build_object('documentId', $1::uuid, 'version', v.at, 'content', converge.content_at($1::uuid, v.at)) END AS body,"
		" CASE WHEN $5::text IS NULL OR " HELD("$4", "v.at") " THEN NULL ELSE converge.content_at($1::uuid, v.at) END AS text"
		" FROM converge.document($1::uuid) AS d,"
	" LATERAL (SELECT coalesce($2::bigint, converge.version_at($1::uuid, $3::timestamptz), d.version) AS at OFFSET 0) AS v"},

	{"PUT", "/v1/docs/{id}/content", "set_content", REST_MATCHED, false,
		{ID, WHOLE_NEEDED_FIELD("content"), OPTIONAL_FIELD("baseVersion", REST_NUMBER), OPTIONAL_ARGUMENT("baseVersion", REST_NUMBER), EXPECTED},
		"SELECT " TAG("p.version") " AS version, CASE WHEN p.version IS NOT NULL THEN"
		" json_build_object('documentId', $1::uuid, 'version', p.version) END AS body"
		" FROM converge.put_content($1::uuid, $2::text, coalesce($3::bigint, $4::bigint), $5::text) AS p (version),"
	" converge.document($1::uuid) AS d"},

	{"POST", "/v1/docs/{id}/replace", "replace_all", REST_SHOW, false,
		{ID, NEEDED_FIELD("from", REST_TEXT), NEEDED_FIELD("to", REST_TEXT)},
	"SELECT json_build_object('version', version) AS body FROM converge.replace_all($1::uuid, $2::text, $3::text) AS version"},

	{"POST", "/v1/docs/{id}/ops", "apply_op", REST_SHOW, false,
		{ID, OPERATION("operationId"), OPERATION("baseVersion"), OPERATION("op")},
		"SELECT json_build_object('version', version, 'sequenceId', seq, 'operationId', $2::uuid, 'op', applied::text::json,"
		" 'duplicate', duplicate) AS body"
	" FROM converge.apply_op($1::uuid, $2::uuid, $3::bigint, $4::text::converge.op)"},

	{"POST", "/v1/docs/{id}/revert", "revert", REST_SHOW, false,
		{ID, NEEDED_FIELD("version", REST_NUMBER)},
	"SELECT json_build_object('version', version) AS body FROM converge.revert($1::uuid, $2::bigint) AS version"},

	{"POST", "/v1/docs/{id}/undo", "undo", REST_SHOW, false,
		{ID, NEEDED_FIELD("operationId", REST_TEXT)},
	"SELECT json_build_object('version', version) AS body FROM converge.undo($1::uuid, $2::uuid) AS version"},

	{"POST", "/v1/docs/{id}/undo-last", "undo_last", REST_SHOW, false,
		{ID, OPTIONAL_FIELD("userId", REST_TEXT)},
	"SELECT json_build_object('version', version) AS body FROM converge.undo_last($1::uuid, $2::text) AS version"},

	{"POST", "/v1/docs/{id}/undo-range", "undo_range", REST_SHOW, false,
		{ID, NEEDED_FIELD("fromVersion", REST_NUMBER), NEEDED_FIELD("toVersion", REST_NUMBER), OPTIONAL_FIELD("userId", REST_TEXT)},
	"SELECT json_build_object('version', version) AS body FROM converge.undo_range($1::uuid, $2::bigint, $3::bigint, $4::text) AS version"},

	{"POST", "/v1/docs/{id}/restore", "restore_text", REST_SHOW, false,
		{ID, NEEDED_FIELD("version", REST_NUMBER), NEEDED_FIELD("from", REST_NUMBER), NEEDED_FIELD("to", REST_NUMBER)},
	"SELECT json_build_object('version', version) AS body FROM converge.restore_text($1::uuid, $2::bigint, $3::bigint, $4::bigint) AS version"},

	{"POST", "/v1/docs/{id}/redact", "redact", REST_SHOW, false,
		{ID, OPTIONAL_FIELD("content", REST_TEXT), OPTIONAL_FIELD("version", REST_NUMBER), OPTIONAL_FIELD("from", REST_NUMBER),
		OPTIONAL_FIELD("to", REST_NUMBER), OPTIONAL_FIELD("replacement", REST_TEXT)},
		"SELECT json_build_object('replaced', CASE WHEN $2::text IS NOT NULL THEN converge.redact($1::uuid, $2::text, coalesce($6::text, '\342\226\210'))"
	" ELSE converge.redact_range($1::uuid, $3::bigint, $4::bigint, $5::bigint, coalesce($6::text, '\342\226\210')) END) AS body"},

	/* ---- the past ---- */

	{"GET", "/v1/docs/{id}/history", "history", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("from", REST_NUMBER), OPTIONAL_ARGUMENT("to", REST_NUMBER), OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('ops', coalesce(json_agg(json_build_object("
		"'version', version, 'sequenceId', seq, 'operationId', op_id, 'userId', user_id, 'baseVersion', base_version,"
		" 'at', " MOMENT("created_at") ", 'op', op::text::json) ORDER BY version), '[]')) AS body,"
		" CASE WHEN max(version) < least($3::bigint, (converge.document($1::uuid)).version)"
		" THEN concat_ws('&', 'from=' || max(version) + 1, 'to=' || $3::bigint) END AS next"
		" FROM (SELECT h.*, sum(octet_length(h.op::text)) OVER (ORDER BY h.version) - octet_length(h.op::text) AS before"
		" FROM converge.history($1::uuid, " FROM("$2") ", least($3::bigint, " FROM("$2") " + " PAGE("$4") " - 1)) AS h) AS page"
	" WHERE before < " PAGE_BYTES},

	{"GET", "/v1/docs/{id}/changes", "changes", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("from", REST_NUMBER), OPTIONAL_ARGUMENT("to", REST_NUMBER), OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('changes', coalesce(json_agg(json_build_object("
		"'version', version, 'userId', user_id, 'at', " MOMENT("created_at") ", 'kind', kind, 'pos', pos, 'length', length,"
		" 'content', content) ORDER BY n) FILTER (WHERE before < " PAGE_BYTES "), '[]')) AS body,"
		" CASE WHEN coalesce(bool_or(before >= " PAGE_BYTES "), false)"
		" THEN concat_ws('&', 'from=' || min(version) FILTER (WHERE before >= " PAGE_BYTES "), 'to=' || $3::bigint)"
		" WHEN " FROM("$2") " + " PAGE("$4") " <= least($3::bigint, (converge.document($1::uuid)).version)"
		" THEN concat_ws('&', 'from=' || " FROM("$2") " + " PAGE("$4") ", 'to=' || $3::bigint) END AS next"
		" FROM (SELECT c.*, sum(octet_length(content)) OVER (ORDER BY version) - sum(octet_length(content)) OVER (PARTITION BY version) AS before"
		" FROM converge.changes($1::uuid, " FROM("$2") ", least($3::bigint, " FROM("$2") " + " PAGE("$4") " - 1))"
	" WITH ORDINALITY AS c (version, user_id, created_at, kind, pos, length, content, n)) AS page"},

	{"GET", "/v1/docs/{id}/timeline", "timeline", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("buckets", REST_PAGE), OPTIONAL_ARGUMENT("from", REST_NUMBER), OPTIONAL_ARGUMENT("to", REST_NUMBER)},
		"SELECT json_build_object('buckets', coalesce(json_agg(json_build_object("
		"'fromVersion', from_version, 'toVersion', to_version, 'fromAt', " MOMENT("from_at") ", 'toAt', " MOMENT("to_at") ","
		" 'edits', edits, 'inserted', inserted, 'deleted', deleted, 'users', users) ORDER BY from_version), '[]')) AS body"
	" FROM converge.timeline($1::uuid, coalesce($2::integer, 200), coalesce($3::bigint, 0), $4::bigint)"},

	{"GET", "/v1/docs/{id}/occurrences", "occurrences", REST_SHOW, false,
		{ID, NEEDED_ARGUMENT("content", REST_TEXT), OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("after", REST_NUMBER)},
		"SELECT json_build_object('occurrences', coalesce(json_agg(json_build_object("
		"'fromVersion', from_version, 'toVersion', to_version, 'pos', pos, 'lastPos', last_pos, 'insertedBy', inserted_by, 'deletedBy', deleted_by,"
		" 'insertedAt', " MOMENT("inserted_at") ", 'deletedAt', " MOMENT("deleted_at") ") ORDER BY n) FILTER (WHERE n <= coalesce($4::bigint, 0) + " PAGE("$3") "), '[]')) AS body,"
		" CASE WHEN max(n) > coalesce($4::bigint, 0) + " PAGE("$3") " THEN 'after=' || coalesce($4::bigint, 0) + " PAGE("$3") " END AS next"
		" FROM converge.occurrences($1::uuid, $2::text)"
		" WITH ORDINALITY AS o (from_version, to_version, pos, inserted_by, deleted_by, inserted_at, deleted_at, last_pos, n)"
	" WHERE n > coalesce($4::bigint, 0) AND n <= coalesce($4::bigint, 0) + " PAGE("$3") " + 1"},

	{"GET", "/v1/docs/{id}/activity", "activity", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("gap", REST_NUMBER), OPTIONAL_ARGUMENT("since", REST_TEXT), OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("before", REST_NUMBER)},
		"SELECT json_build_object('sessions', coalesce(json_agg(json_build_object("
		"'userId', user_id, 'fromVersion', from_version, 'toVersion', to_version, 'fromAt', " MOMENT("from_at") ", 'toAt', " MOMENT("to_at") ","
		" 'edits', edits, 'inserted', inserted, 'deleted', deleted) ORDER BY from_version DESC) FILTER (WHERE n <= " PAGE("$4") "), '[]')) AS body,"
		" CASE WHEN count(*) > " PAGE("$4") " THEN concat_ws('&', 'before=' || min(from_version) FILTER (WHERE n <= " PAGE("$4") ")) END AS next"
		" FROM (SELECT a.*, row_number() OVER (ORDER BY from_version DESC) AS n"
		" FROM converge.activity($1::uuid, make_interval(secs => least(coalesce($2::bigint, 600), 1000000000)), $3::timestamptz) AS a"
	" WHERE $5::bigint IS NULL OR from_version < $5::bigint ORDER BY from_version DESC LIMIT " PAGE("$4") " + 1) AS s"},

	{"GET", "/v1/docs/{id}/blame", "blame", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("version", REST_NUMBER), KNOWN, OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("pos", REST_NUMBER)},
		"SELECT " TAG("v.at") " AS version, CASE WHEN " HELD("$3", "v.at") " THEN NULL ELSE"
		" json_build_object('version', v.at, 'runs', p.runs) END AS body,"
		" CASE WHEN p.follows IS NOT NULL THEN 'version=' || v.at || '&pos=' || p.follows END AS next"
		" FROM converge.document($1::uuid) AS d, LATERAL (SELECT coalesce($2::bigint, d.version) AS at OFFSET 0) AS v,"
		" LATERAL (SELECT coalesce(json_agg(json_build_object("
		"'pos', r.pos, 'content', r.content, 'userId', r.user_id, 'version', r.version, 'at', " MOMENT("r.created_at") ") ORDER BY r.pos)"
		" FILTER (WHERE r.fits), '[]') AS runs, min(r.pos) FILTER (WHERE NOT r.fits) AS follows"
		" FROM (SELECT b.*, row_number() OVER w <= " WIDE_PAGE("$4", "20000") " AND sum(octet_length(b.content)) OVER w - octet_length(b.content) < " PAGE_BYTES " AS fits"
		" FROM converge.blame($1::uuid, v.at) AS b WHERE b.pos >= coalesce($5::bigint, 0) AND (" HELD("$3", "v.at") ") IS NOT TRUE"
	" WINDOW w AS (ORDER BY b.pos)) AS r) AS p"},

	{"GET", "/v1/docs/{id}/diff", "diff", REST_SHOW, false,
		{ID, NEEDED_ARGUMENT("from", REST_NUMBER), NEEDED_ARGUMENT("to", REST_NUMBER)},
		"SELECT json_build_object('fromVersion', $2::bigint, 'version', $3::bigint, 'op', op::text::json) AS body"
	" FROM converge.diff($1::uuid, $2::bigint, $3::bigint) AS op"},

	{"GET", "/v1/docs/{id}/diff-rows", "diff_rows", REST_SHOW, false,
		{ID, NEEDED_ARGUMENT("from", REST_NUMBER), NEEDED_ARGUMENT("to", REST_NUMBER), OPTIONAL_ARGUMENT("unit", REST_TEXT)},
		"SELECT json_build_object('fromVersion', $2::bigint, 'version', $3::bigint, 'rows', coalesce(json_agg(json_build_object("
		"'kind', kind, 'fromPos', from_pos, 'toPos', to_pos, 'content', content) ORDER BY n), '[]')) AS body"
	" FROM converge.diff_rows($1::uuid, $2::bigint, $3::bigint, coalesce($4::text, 'characters')) WITH ORDINALITY AS r (kind, from_pos, to_pos, content, n)"},

	{"GET", "/v1/docs/{id}/unified-diff", "unified_diff", REST_SHOW, false,
		{ID, NEEDED_ARGUMENT("from", REST_NUMBER), NEEDED_ARGUMENT("to", REST_NUMBER), OPTIONAL_ARGUMENT("context", REST_NUMBER), PLAIN},
		"SELECT CASE WHEN $5::text IS NULL THEN json_build_object('fromVersion', $2::bigint, 'version', $3::bigint, 'diff', diff) END AS body,"
		" CASE WHEN $5::text IS NOT NULL THEN diff END AS text"
	" FROM converge.unified_diff($1::uuid, $2::bigint, $3::bigint, least(coalesce($4::bigint, 3), 1000000)::integer) AS diff"},

	{"GET", "/v1/docs/{id}/snapshots", "list_snapshots", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("after", REST_TEXT)},
		"SELECT json_build_object('snapshots', coalesce(json_agg(json_build_object("
		"'version', version, 'at', " MOMENT("created_at") ", 'kind', kind, 'label', label, 'length', length,"
		" 'labelledBy', labelled_by, 'labelledAt', " MOMENT("labelled_at") ") ORDER BY n) FILTER (WHERE place <= " WIDE_PAGE("$2", "1000") "), '[]')) AS body,"
		" CASE WHEN bool_or(place > " WIDE_PAGE("$2", "1000") ") THEN 'after=' || (array_agg(version || ',' || labelled_us || ',' || " HEX("coalesce(label, '')") ")"
		" FILTER (WHERE place = " WIDE_PAGE("$2", "1000") "))[1] END AS next"
		" FROM (SELECT s.*, row_number() OVER (ORDER BY n) AS place"
		" FROM (SELECT l.*, coalesce((extract(epoch FROM l.labelled_at) * 1000000)::bigint, 0) AS labelled_us FROM converge.list_snapshots($1::uuid)"
		" WITH ORDINALITY AS l (version, created_at, kind, label, length, labelled_by, labelled_at, n)) AS s"
		" WHERE $3::text IS NULL OR (version, labelled_us, coalesce(label, '')) >"
		" (split_part($3::text, ',', 1)::bigint, split_part($3::text, ',', 2)::bigint, " UNHEX("split_part($3::text, ',', 3)") ")) AS page"
	" WHERE place <= " WIDE_PAGE("$2", "1000") " + 1"},

	{"POST", "/v1/docs/{id}/snapshots", "snapshot", REST_CREATED, false,
		{ID, OPTIONAL_FIELD("label", REST_TEXT)},
		"SELECT json_build_object('version', version, 'label', $2::text) AS body,"
		" '/v1/docs/' || $1::uuid || '/content?version=' || version AS location"
	" FROM converge.snapshot($1::uuid, $2::text) AS version"},

	{"DELETE", "/v1/docs/{id}/labels", "remove_label", REST_EMPTY, false,
		{ID, NEEDED_ARGUMENT("version", REST_NUMBER), NEEDED_ARGUMENT("label", REST_TEXT)},
	"SELECT FROM converge.remove_label($1::uuid, $2::bigint, $3::text)"},

	/* ---- talk ---- */

	{"GET", "/v1/docs/{id}/talk", "talk_events", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("since", REST_NUMBER), OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('changed', CASE WHEN count(*) = " PAGE("$3") " THEN max(changed) ELSE converge.talk_changed($1::uuid) END,"
		" 'events', coalesce(json_agg(event ORDER BY changed), '[]')) AS body,"
		" CASE WHEN count(*) = " PAGE("$3") " AND max(changed) < converge.talk_changed($1::uuid) THEN 'since=' || max(changed) END AS next"
	" FROM converge.talk_events($1::uuid, coalesce($2::bigint, 0), " PAGE("$3") "::integer)"},

	{"GET", "/v1/docs/{id}/threads", "threads_at", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("version", REST_NUMBER), OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("after", REST_TEXT)},
		"WITH v AS MATERIALIZED (SELECT coalesce($2::bigint, d.version) AS at FROM converge.document($1::uuid) AS d),"
		" k AS MATERIALIZED (SELECT " PART_OF("$4", "1", "bigint") " AS from_pos, " PART_OF("$4", "2", "bigint") " AS to_pos, "
		PART_OF("$4", "3", "bigint") " AS us, " PART_OF("$4", "4", "uuid") " AS id WHERE $4::text IS NOT NULL),"
		" page AS MATERIALIZED (SELECT t.*, row_number() OVER (ORDER BY " THREAD_ORDER ") AS n"
		" FROM v LEFT JOIN k ON true, LATERAL (SELECT a.*, " MICROSECONDS("a.created_at") " AS us FROM converge.threads_at($1::uuid, v.at) AS a) AS t"
		" WHERE $4::text IS NULL OR (" THREAD_ORDER ") > (k.from_pos, k.to_pos, k.us, k.id)"
		" ORDER BY " THREAD_ORDER " LIMIT " WIDE_PAGE("$3", "1000") " + 1),"
		" said AS (SELECT l.thread_id, json_agg(converge.comment_event(l) ORDER BY l.created_at, l.id) AS list, sum(octet_length(l.body)) AS bytes"
		" FROM converge.list_comments($1::uuid, NULL::uuid) AS l WHERE l.thread_id IN (SELECT p.id FROM page AS p) GROUP BY l.thread_id),"
		" sized AS (SELECT p.*, h.length, h.prefix, h.suffix, s.list, octet_length(p.quote) + coalesce(s.bytes, 0) AS bytes FROM page AS p"
		" LEFT JOIN converge.threads AS h ON h.doc_id = $1::uuid AND h.id = p.id LEFT JOIN said AS s ON s.thread_id = p.id)"
		" SELECT json_build_object('version', v.at, 'changed', converge.talk_changed($1::uuid), 'threads', p.list) AS body,"
		" CASE WHEN p.more THEN 'version=' || v.at || '&after=' || p.last END AS next"
		" FROM v, LATERAL (SELECT bool_or(NOT t.fits) AS more,"
		" (array_agg(concat_ws(',', " THREAD_ORDER ") ORDER BY t.n DESC) FILTER (WHERE t.fits))[1] AS last,"
		" coalesce(json_agg(json_build_object('id', t.id, 'from', t.from_pos, 'to', t.to_pos, 'orphan', t.orphan, 'alive', t.alive, 'quote', t.quote,"
		" 'length', t.length, 'prefix', t.prefix, 'suffix', t.suffix,"
		" 'resolved', t.resolved, 'resolvedBy', t.resolved_by, 'resolvedAt', converge.moment(t.resolved_at), 'userId', t.created_by,"
		" 'at', converge.moment(t.created_at), 'madeVersion', t.made_version, 'changed', t.changed, 'comments', coalesce(t.list, '[]')) ORDER BY t.n) FILTER (WHERE t.fits), '[]') AS list"
	" FROM (SELECT z.*, z.n <= " WIDE_PAGE("$3", "1000") " AND sum(z.bytes) OVER (ORDER BY z.n) - z.bytes < " PAGE_BYTES " AS fits FROM sized AS z) AS t) AS p"},

	{"POST", "/v1/docs/{id}/threads", "comment", REST_CREATED, false,
		{ID, NEEDED_FIELD("body", REST_TEXT), NEEDED_FIELD("from", REST_NUMBER), NEEDED_FIELD("to", REST_NUMBER),
		OPTIONAL_FIELD("version", REST_NUMBER), OPTIONAL_FIELD("threadId", REST_TEXT), OPTIONAL_FIELD("id", REST_TEXT)},
		"WITH ids AS MATERIALIZED (SELECT " NEW_ID("$6") " AS thread, " NEW_ID("$7") " AS id),"
		" done AS MATERIALIZED (SELECT converge.comment($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint, thread, id) AS thread, id FROM ids)"
		" SELECT json_build_object('threadId', done.thread, 'id', done.id, 'events', (SELECT json_agg(event) FROM"
		" converge.talk_rows($1::uuid, ARRAY[done.thread, done.id]) AS event)) AS body," PLACE("/threads")
	" FROM done"},

	{"PATCH", "/v1/docs/{id}/threads/{thread}", "resolve_thread", REST_SHOW, false,
		{ID, PART("thread"), NEEDED_FIELD("resolved", REST_FLAG)},
	THEN_ROWS("resolve_thread($1::uuid, $2::uuid, $3::boolean)", "ARRAY[$2::uuid]")},

	{"POST", "/v1/docs/{id}/threads/{thread}/comments", "reply", REST_CREATED, false,
		{ID, PART("thread"), NEEDED_FIELD("body", REST_TEXT), OPTIONAL_FIELD("id", REST_TEXT)},
		"WITH done AS MATERIALIZED (SELECT converge.reply($1::uuid, $2::uuid, $3::text, " NEW_ID("$4") ") AS id)"
	ROWS_OF("ARRAY[done.id]")},

	{"PATCH", "/v1/docs/{id}/comments/{comment}", "edit_comment", REST_SHOW, false,
		{ID, PART("comment"), NEEDED_FIELD("body", REST_TEXT)},
	THEN_ROWS("edit_comment($1::uuid, $2::uuid, $3::text)", "ARRAY[$2::uuid]")},

	{"DELETE", "/v1/docs/{id}/comments/{comment}", "delete_comment", REST_EMPTY, false,
		{ID, PART("comment")},
	"SELECT FROM converge.delete_comment($1::uuid, $2::uuid)"},

	{"GET", "/v1/docs/{id}/suggestions", "suggestions_at", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("version", REST_NUMBER), OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("after", REST_TEXT)},
		"WITH v AS MATERIALIZED (SELECT coalesce($2::bigint, d.version) AS at FROM converge.document($1::uuid) AS d),"
		" k AS MATERIALIZED (SELECT " PART_OF("$4", "1", "bigint") " AS us, " PART_OF("$4", "2", "uuid") " AS id WHERE $4::text IS NOT NULL),"
		" page AS MATERIALIZED (SELECT s.*, row_number() OVER (ORDER BY s.us, s.id) AS n, octet_length(s.op::text) + octet_length(s.note) AS bytes"
		" FROM v LEFT JOIN k ON true, LATERAL (SELECT a.*, " MICROSECONDS("a.created_at") " AS us FROM converge.suggestions_at($1::uuid, v.at) AS a) AS s"
		" WHERE $4::text IS NULL OR (s.us, s.id) > (k.us, k.id)"
		" ORDER BY s.us, s.id LIMIT " WIDE_PAGE("$3", "1000") " + 1)"
		" SELECT json_build_object('version', v.at, 'changed', converge.talk_changed($1::uuid), 'suggestions', p.list) AS body,"
		" CASE WHEN p.more THEN 'version=' || v.at || '&after=' || p.last END AS next"
		" FROM v, LATERAL (SELECT bool_or(NOT s.fits) AS more,"
		" (array_agg(concat_ws(',', s.us, s.id) ORDER BY s.n DESC) FILTER (WHERE s.fits))[1] AS last,"
		" coalesce(json_agg(json_build_object('id', s.id, 'op', s.op::text::json, 'stale', s.stale, 'note', s.note, 'userId', s.user_id,"
		" 'at', converge.moment(s.created_at), 'baseVersion', s.base_version, 'changed', s.changed) ORDER BY s.n) FILTER (WHERE s.fits), '[]') AS list"
	" FROM (SELECT p.*, p.n <= " WIDE_PAGE("$3", "1000") " AND sum(p.bytes) OVER (ORDER BY p.n) - p.bytes < " PAGE_BYTES " AS fits FROM page AS p) AS s) AS p"},

	{"POST", "/v1/docs/{id}/suggestions", "suggest", REST_CREATED, false,
		{ID, NEEDED_FIELD("baseVersion", REST_NUMBER), NEEDED_FIELD("op", REST_LIST), OPTIONAL_FIELD("note", REST_TEXT), OPTIONAL_FIELD("id", REST_TEXT)},
		"WITH done AS MATERIALIZED (SELECT converge.suggest($1::uuid, $2::bigint, $3::text::converge.op, $4::text, " NEW_ID("$5") ") AS id)"
	ROWS_OF("ARRAY[done.id]")},

	{"DELETE", "/v1/docs/{id}/suggestions/{suggestion}", "withdraw_suggestion", REST_EMPTY, false,
		{ID, PART("suggestion")},
	"SELECT FROM converge.withdraw_suggestion($1::uuid, $2::uuid)"},

	{"POST", "/v1/docs/{id}/suggestions/{suggestion}/decision", "decide_suggestion", REST_SHOW, false,
		{ID, PART("suggestion"), NEEDED_FIELD("accept", REST_FLAG)},
	THEN_ROWS("decide_suggestion($1::uuid, $2::uuid, $3::boolean)", "ARRAY[$2::uuid]")},

	{"POST", "/v1/docs/{id}/decisions", "decide_suggestions", REST_SHOW, false,
		{ID, NEEDED_FIELD("ids", REST_IDS), NEEDED_FIELD("accept", REST_FLAG)},
		"SELECT json_build_object('suggestions', coalesce(json_agg(json_build_object('id', id, 'version', version) ORDER BY n), '[]')) AS body"
	" FROM converge.decide_suggestions($1::uuid, $2::uuid[], $3::boolean) WITH ORDINALITY AS s (id, version, n)"},

	{"GET", "/v1/docs/{id}/messages", "messages_before", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("before", REST_TEXT), OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('changed', converge.talk_changed($1::uuid), 'messages', messages) AS body,"
		" CASE WHEN count = " PAGE("$3") " AND EXISTS (SELECT FROM converge.messages_before($1::uuid, last_id, 1)) THEN 'before=' || last_id END AS next"
		" FROM (SELECT coalesce(json_agg(converge.message_event(m) ORDER BY m.changed DESC), '[]') AS messages, count(*),"
	" (array_agg(m.id ORDER BY m.changed))[1] AS last_id FROM converge.messages_before($1::uuid, $2::uuid, " PAGE("$3") "::integer) AS m) AS page"},

	{"POST", "/v1/docs/{id}/messages", "say", REST_CREATED, false,
		{ID, NEEDED_FIELD("body", REST_TEXT), OPTIONAL_FIELD("id", REST_TEXT)},
		"WITH done AS MATERIALIZED (SELECT converge.say($1::uuid, $2::text, " NEW_ID("$3") ") AS id)"
	ROWS_OF("ARRAY[done.id]")},

	{"GET", "/v1/docs/{id}/read", "unread", REST_SHOW, false,
		{ID},
		"SELECT json_build_object('lastRead', last_read, 'messages', messages, 'comments', comments, 'mentions', mentions) AS body"
	" FROM converge.unread($1::uuid)"},

	{"PUT", "/v1/docs/{id}/read", "mark_read", REST_SHOW, false,
		{ID, NEEDED_FIELD("changed", REST_NUMBER)},
	"SELECT json_build_object('lastRead', converge.mark_read($1::uuid, $2::bigint)) AS body"},

	/* ---- members ---- */

	{"GET", "/v1/docs/{id}/members", "members", REST_SHOW, false,
		{ID, OPTIONAL_ARGUMENT("limit", REST_PAGE), OPTIONAL_ARGUMENT("after", REST_TEXT)},
		"SELECT json_build_object('members', coalesce(json_agg(json_build_object("
		"'userId', user_id, 'name', name, 'role', role, 'at', " MOMENT("created_at") ") ORDER BY place) FILTER (WHERE place <= " WIDE_PAGE("$2", "1000") "), '[]')) AS body,"
		" CASE WHEN bool_or(place > " WIDE_PAGE("$2", "1000") ") THEN 'after=' || (array_agg(role || ',' || " HEX("user_id") ")"
		" FILTER (WHERE place = " WIDE_PAGE("$2", "1000") "))[1] END AS next"
		" FROM (SELECT m.*, row_number() OVER (ORDER BY role DESC, user_id) AS place FROM converge.members($1::uuid) AS m"
		" WHERE $3::text IS NULL OR role < split_part($3::text, ',', 1)::converge.role"
		" OR (role = split_part($3::text, ',', 1)::converge.role AND user_id > " UNHEX("split_part($3::text, ',', 2)") ")) AS page"
	" WHERE place <= " WIDE_PAGE("$2", "1000") " + 1"},

	{"PUT", "/v1/docs/{id}/members/{user}", "share", REST_SHOW, false,
		{ID, PART("user"), NEEDED_FIELD("role", REST_TEXT)},
		"SELECT json_build_object('userId', $2::text, 'name', converge.account_name($2::text), 'role', $3::text::converge.role) AS body"
	" FROM converge.share($1::uuid, $2::text, $3::text::converge.role)"},

	{"DELETE", "/v1/docs/{id}/members/{user}", "unshare", REST_EMPTY, false,
		{ID, PART("user")},
	"SELECT FROM converge.unshare($1::uuid, $2::text)"},

	/*
	 * the same for ids that cannot stand in a path, such as addresses with
	 * two slashes
	 */
	{"PUT", "/v1/docs/{id}/members", "share_any", REST_SHOW, false,
		{ID, NEEDED_FIELD("userId", REST_TEXT), NEEDED_FIELD("role", REST_TEXT)},
		"SELECT json_build_object('userId', $2::text, 'name', converge.account_name($2::text), 'role', $3::text::converge.role) AS body"
	" FROM converge.share($1::uuid, $2::text, $3::text::converge.role)"},

	{"DELETE", "/v1/docs/{id}/members", "unshare_any", REST_EMPTY, false,
		{ID, NEEDED_ARGUMENT("userId", REST_TEXT)},
	"SELECT FROM converge.unshare($1::uuid, $2::text)"},

	{"PUT", "/v1/docs/{id}/owner", "transfer_ownership", REST_SHOW, false,
		{ID, NEEDED_FIELD("userId", REST_TEXT)},
		"SELECT json_build_object('userId', $2::text, 'name', converge.account_name($2::text), 'role', 'owner') AS body"
	" FROM converge.transfer_ownership($1::uuid, $2::text)"},

	/* ---- users ---- */

	{"GET", "/v1/users", "search_users", REST_SHOW, false,
		{NEEDED_ARGUMENT("search", REST_TEXT), OPTIONAL_ARGUMENT("limit", REST_FEW)},
		"SELECT json_build_object('users', coalesce(json_agg(json_build_object('userId', user_id, 'name', name) ORDER BY n), '[]')) AS body"
	" FROM converge.search_users($1::text, coalesce($2::integer, 20)) WITH ORDINALITY AS u (user_id, name, n)"},

	/* ---- operators, by the beginning of the path ---- */

	{"GET", "/v1/operator/documents", "largest_documents", REST_SHOW, false,
		{OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('documents', coalesce(json_agg(json_build_object("
		"'documentId', doc_id, 'title', title, 'version', version, 'length', length, 'bytes', bytes, 'packBytes', pack_bytes,"
		" 'snapshotBytes', snapshot_bytes, 'logBytes', log_bytes, 'hotOps', hot_ops, 'snapshotLag', snapshot_lag,"
		" 'updatedAt', " MOMENT("updated_at") ") ORDER BY n), '[]')) AS body"
		" FROM converge.largest_documents(coalesce($1::integer, 100))"
		" WITH ORDINALITY AS d (doc_id, title, version, length, bytes, pack_bytes, snapshot_bytes, log_bytes, hot_ops, snapshot_lag, updated_at, n)"},

	/* ---- the user ---- */

	{"GET", "/v1/me", "acting_user", REST_SHOW, false,
		{{.source = REST_NONE}},
	"SELECT json_build_object('userId', converge.acting_user()) AS body"},

	{"GET", "/v1/me/activity", "my_activity", REST_SHOW, false,
		{OPTIONAL_ARGUMENT("since", REST_TEXT), OPTIONAL_ARGUMENT("gap", REST_NUMBER), OPTIONAL_ARGUMENT("author", REST_TEXT), OPTIONAL_ARGUMENT("limit", REST_PAGE)},
		"SELECT json_build_object('sessions', coalesce(json_agg(json_build_object('documentId', doc_id, "
		"'userId', user_id, 'fromVersion', from_version, 'toVersion', to_version, 'fromAt', " MOMENT("from_at") ", 'toAt', " MOMENT("to_at") ","
		" 'edits', edits, 'inserted', inserted, 'deleted', deleted) ORDER BY to_at DESC, doc_id), '[]')) AS body"
		" FROM (SELECT * FROM converge.my_activity(make_interval(secs => least(coalesce($2::bigint, 600), 1000000000)),"
	" coalesce($1::timestamptz, clock_timestamp() - interval '30 days'), $3::text) ORDER BY to_at DESC, doc_id LIMIT " PAGE("$4") ") AS s"},

	{"PATCH", "/v1/me", "rename_user", REST_SHOW, false,
		{NEEDED_FIELD("name", REST_TEXT)},
		"SELECT json_build_object('userId', converge.acting_user(), 'name', btrim($1::text)) AS body"
	" FROM converge.rename_user($1::text)"},

	{"DELETE", "/v1/me", "erase_me", REST_EMPTY, false,
		{{.source = REST_NONE}},
	"SELECT FROM converge.erase_me()"},

	{"PUT", "/v1/me/password", "change_password", REST_CONFIRMED, false,
		{NEEDED_FIELD("oldPassword", REST_TEXT), NEEDED_FIELD("newPassword", REST_TEXT)},
	"SELECT done AS body FROM converge.change_password($1::text, $2::text) AS done"},

	{"POST", "/v1/signup", "sign_up", REST_SIGNED_UP, true,
		{NEEDED_FIELD("name", REST_TEXT), NEEDED_FIELD("address", REST_TEXT), NEEDED_FIELD("password", REST_TEXT)},
	"SELECT user_id AS body FROM converge.sign_up($1::text, $2::text, $3::text) AS user_id"},

	{"POST", "/v1/login", "log_in", REST_LOGGED_IN, true,
		{NEEDED_FIELD("address", REST_TEXT), NEEDED_FIELD("password", REST_TEXT)},
	"SELECT user_id AS body FROM converge.log_in($1::text, $2::text) AS user_id"},
};

/* *INDENT-ON* */

const int	rest_route_count = sizeof(rest_routes) / sizeof(rest_routes[0]);

_Static_assert(sizeof(rest_routes) / sizeof(rest_routes[0]) <= REST_ROUTES_MOST, "there is room for every route");
