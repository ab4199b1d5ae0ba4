-- What two versions differ in, for people: passages, and a diff that patch takes.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc 'd1ff0000-0000-4000-8000-000000000001'
\set lines 'd1ff0000-0000-4000-8000-000000000002'

-- ---- by characters ----

SELECT converge.create_document('', 'Hello e\u0301 😀 world', :'doc') \g /dev/null
SELECT converge.set_content(:'doc', 'Hello brave é 😀 moon') \g /dev/null
SELECT results_eq(format('SELECT kind, from_pos, to_pos, content FROM converge.diff_rows(%L, 0, 0)', :'doc'),
	$$VALUES ('kept', 0::bigint, 0::bigint, 'Hello e\u0301 😀 world'::text)$$, 'equal texts are kept');
SELECT is(string_agg(content, '' ORDER BY n) FILTER (WHERE kind <> 'inserted'), converge.content_at(:'doc', 0), 'what is kept and deleted is the one text')
	FROM converge.diff_rows(:'doc', 0, 1) WITH ORDINALITY AS r (kind, from_pos, to_pos, content, n);
SELECT is(string_agg(content, '' ORDER BY n) FILTER (WHERE kind <> 'deleted'), converge.content_at(:'doc', 1), 'what is kept and inserted the other')
	FROM converge.diff_rows(:'doc', 0, 1) WITH ORDINALITY AS r (kind, from_pos, to_pos, content, n);
SELECT ok(bool_and(content = CASE kind WHEN 'inserted' THEN substr(converge.content_at(:'doc', 1), to_pos::int + 1, char_length(content)) ELSE substr(converge.content_at(:'doc', 0), from_pos::int + 1, char_length(content)) END), 'each stands where it says')
	FROM converge.diff_rows(:'doc', 0, 1) WITH ORDINALITY AS r (kind, from_pos, to_pos, content, n);
SELECT ok(bool_and(kind <> 'kept' OR content = substr(converge.content_at(:'doc', 1), to_pos::int + 1, char_length(content))), 'what is kept in both')
	FROM converge.diff_rows(:'doc', 0, 1) WITH ORDINALITY AS r (kind, from_pos, to_pos, content, n);
SELECT converge.edit(:'doc', '[{"d":5}]'), converge.edit(:'doc', '["Hello"]') \g /dev/null
SELECT is((SELECT count(*) FROM converge.diff_rows(:'doc', 1, 3)), 1::bigint, 'what is deleted and typed again is no difference');
SELECT is(converge.unified_diff(:'doc', 1, 3), '', 'nor in lines');
SELECT results_eq(format('SELECT kind, from_pos, to_pos, content FROM converge.diff_rows(%L, 2, 1)', :'doc'),
	$$VALUES ('inserted', 0::bigint, 0::bigint, 'Hello'::text), ('kept', 0, 5, ' brave é 😀 moon')$$, 'and back');

-- ---- by lines ----

SELECT converge.create_document('', E'one\ntwo é\nthree\nfour\nfive\nsix\nseven\neight\nnine', :'lines') \g /dev/null
SELECT converge.set_content(:'lines', E'zero\none\n2 é\nthree\nfour\nfive\nsix\nseven\neight\nnine\n') \g /dev/null
SELECT results_eq(format('SELECT kind, from_pos, to_pos, content FROM converge.diff_rows(%L, 0, 1, %L)', :'lines', 'lines'), $$VALUES
	('inserted', 0::bigint, 0::bigint, E'zero\n'::text), ('kept', 0, 5, E'one\n'), ('deleted', 4, 9, E'two é\n'), ('inserted', 10, 9, E'2 é\n'),
	('kept', 10, 13, E'three\nfour\nfive\nsix\nseven\neight\n'), ('deleted', 42, 45, 'nine'), ('inserted', 46, 45, E'nine\n')$$, 'whole lines');
SELECT is(converge.unified_diff(:'lines', 0, 1), E'--- version 0\n+++ version 1\n@@ -1,9 +1,10 @@\n+zero\n one\n-two é\n+2 é\n three\n four\n five\n six\n seven\n eight\n-nine\n\\ No newline at end of file\n+nine\n',
	'with three lines of context');
SELECT is(converge.unified_diff(:'lines', 0, 1, 1), E'--- version 0\n+++ version 1\n@@ -1,3 +1,4 @@\n+zero\n one\n-two é\n+2 é\n three\n@@ -8,2 +9,2 @@\n eight\n-nine\n\\ No newline at end of file\n+nine\n',
	'with one');
SELECT is(converge.unified_diff(:'lines', 0, 1, 0), E'--- version 0\n+++ version 1\n@@ -0,0 +1,1 @@\n+zero\n@@ -2,1 +3,1 @@\n-two é\n+2 é\n@@ -9,1 +10,1 @@\n-nine\n\\ No newline at end of file\n+nine\n',
	'with none');
SELECT converge.set_content(:'lines', '') \g /dev/null
SELECT is(converge.unified_diff(:'lines', 2, 0, 5), E'--- version 2\n+++ version 0\n@@ -0,0 +1,9 @@\n+one\n+two é\n+three\n+four\n+five\n+six\n+seven\n+eight\n+nine\n\\ No newline at end of file\n',
	'from nothing');
SELECT is(converge.unified_diff(:'lines', 0, 1, 2147483647), converge.unified_diff(:'lines', 0, 1), 'more context than there are lines');

-- ---- what is refused ----

SELECT throws_ok(format('SELECT * FROM converge.diff_rows(%L, 0, 1, %L)', :'lines', 'words'), '22023', 'invalid unit of a difference: "words"', 'another unit');
SELECT throws_ok(format('SELECT converge.unified_diff(%L, 0, 1, -1)', :'lines'), '22023', NULL, 'a negative context');
SELECT throws_ok(format('SELECT * FROM converge.%s(%L, 0, 99)', f, :'lines'), 'OT007', NULL, f || ': a version that does not exist') FROM unnest('{diff_rows,unified_diff}'::text[]) AS f;
SELECT converge.prune(:'lines', 1) \g /dev/null
SELECT throws_ok(format('SELECT * FROM converge.%s(%L, 0, 2)', f, :'lines'), 'OT001', NULL, f || ': one that is forgotten') FROM unnest('{diff_rows,unified_diff}'::text[]) AS f;

SELECT * FROM finish();
ROLLBACK;
