-- Edits given as whole texts: what differs becomes one small op, so that the rest keeps its
-- authors; from an older version it is merged with what came since.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc '3e700000-0000-4000-8000-000000000001'
\set other '3e700000-0000-4000-8000-000000000002'

-- ---- set_content ----

SELECT converge.create_document('a file', E'one é\ntwo 😀\nthree\n', :'doc') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT is(converge.set_content(:'doc', E'one é\n2 😀\nthree\n'), 1::bigint, 'a text becomes a version');
SELECT is((SELECT op::text FROM converge.history(:'doc', 1)), '[6,"2",{"d":3}]', 'by what differs');
SELECT is(converge.set_content(:'doc', E'one é\n2 😀\nthree\n'), 1::bigint, 'the same text makes none');
SELECT is(converge.content(:'doc'), E'one é\n2 😀\nthree\n', 'which it is');
SELECT set_config('converge.acting_user', 'ben', true) \g /dev/null
SELECT is(converge.set_content(:'doc', E'one é\n2 😀\nthree\nfour e\u0301\n'), 2::bigint, 'another user adds a line');
SELECT is((SELECT string_agg(concat(user_id, ':', content), '|' ORDER BY pos) FROM converge.blame(:'doc')),
	E':one é\n|ann:2|: 😀\nthree\n|ben:four e\u0301\n', 'the rest keeps its authors');

-- a file taken at version 1, edited elsewhere
SELECT is(converge.set_content(:'doc', E'ONE é\n2 😀\nthree\n', 1), 3::bigint, 'from a base');
SELECT is(converge.content(:'doc'), E'ONE é\n2 😀\nthree\nfour e\u0301\n', 'it is merged');
SELECT is((SELECT base_version FROM converge.history(:'doc', 3)), 1::bigint, 'and has that base');
SELECT is(converge.set_content(:'doc', E'one é\n2 😀\nthree\n', 1), 3::bigint, 'what differs not from its base makes no version');
SELECT is(converge.set_content(:'doc', ''), 4::bigint, 'nothing is a text');
SELECT is(converge.content(:'doc'), '', 'the empty one');
SELECT is(converge.set_content(:'doc', '🎉'), 5::bigint, 'and something again');

SELECT throws_ok(format('SELECT converge.set_content(%L, %L, 99)', :'doc', 'x'), 'OT007', 'version 99 does not exist', 'a base that is not there');
SELECT throws_ok(format('SELECT converge.set_content(%L, %L, -1)', :'doc', 'x'), 'OT007', NULL, 'a negative one');
SELECT throws_ok(format('SELECT converge.set_content(%L, NULL)', :'doc'), '22004', NULL, 'no text');
SELECT throws_ok('SELECT converge.set_content(NULL, ''x'')', '22004', NULL, 'no document');
SELECT throws_ok($$SELECT converge.set_content('3e700000-0000-4000-8000-00000000dead', 'x')$$, 'OT003', NULL, 'one that does not exist');
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
SELECT converge.prune(:'doc', 3) \g /dev/null
SELECT throws_ok(format('SELECT converge.set_content(%L, %L, 1)', :'doc', 'x'), 'OT001', NULL, 'a base that is forgotten');
SELECT converge.pack(:'doc', 0) \g /dev/null
SELECT is(converge.set_content(:'doc', 'x', 3), 6::bigint, 'a packed one');

-- ---- a large text, lightly edited ----

SELECT converge.create_document('', (SELECT string_agg(md5(n::text), E'\n') FROM generate_series(1, 32000) AS n), :'other') \g /dev/null
SELECT converge.set_content(:'other', regexp_replace(regexp_replace(converge.content(:'other'), 'c4ca', 'C4ca'), '(.*)(\n.{12})', E'\\1\\2é')) \g /dev/null
SELECT cmp_ok(octet_length(op::text), '<', 100, 'a light edit of a large text is a small op') FROM converge.history(:'other', 1);

-- ---- the text that a program has seen ----

SELECT is(converge.put_content(:'doc', 'y', NULL, NULL), 7::bigint, 'without tags it is set_content');
SELECT is(converge.put_content(:'doc', 'z', NULL, format('"%s.7"', (converge.document(:'doc')).life)), 8::bigint, 'the current version matches');
SELECT is(converge.put_content(:'doc', '!', NULL, format('"%s.7"', (converge.document(:'doc')).life)), NULL, 'an older one does not');
SELECT is(converge.put_content(:'doc', '!', NULL, '"00000000-0000-0000-0000-000000000000.8"'), NULL, 'nor one of a document that had the id');
SELECT is(converge.put_content(:'doc', '!', NULL, ''), NULL, 'nor none');
SELECT is(converge.content(:'doc'), 'z', 'then nothing is changed');
SELECT is(converge.put_content(:'doc', '*', NULL, '*'), 9::bigint, 'any version matches *');
SELECT is(converge.put_content(:'doc', '**', 9, format('"x", "%s.9"', (converge.document(:'doc')).life)), 10::bigint, 'one of several, with a base');

-- ---- replace_all ----

SELECT converge.set_content(:'doc', 'aaa é aa 😀 aé') \g /dev/null
SELECT is(converge.replace_all(:'doc', 'aa', 'ä'), 12::bigint, 'one op replaces all');
SELECT is(converge.content(:'doc'), 'äa é ä 😀 aé', 'from left to right');
SELECT is((SELECT op::text FROM converge.history(:'doc', 12)), '["ä",{"d":2},4,"ä",{"d":2}]', 'and nothing else');
SELECT is(converge.replace_all(:'doc', 'ä', ''), 13::bigint, 'by nothing');
SELECT is(converge.content(:'doc'), 'a é  😀 aé', 'which deletes it');
SELECT is(converge.replace_all(:'doc', 'nowhere', 'x'), 13::bigint, 'what is not there makes no version');
SELECT is(converge.replace_all(:'doc', 'a', 'a'), 13::bigint, 'nor what stays the same');
SELECT throws_ok(format('SELECT converge.replace_all(%L, %L, %L)', :'doc', '', 'x'), '22023', 'the text to replace must not be empty', 'nothing cannot be replaced');

-- several documents, all or none
SELECT results_eq(format('SELECT * FROM converge.replace_in_all(ARRAY[%1$L, %2$L, %1$L]::uuid[], %3$L, %4$L)', :'other', :'doc', 'a', 'A'),
	format('VALUES (%L::uuid, 14::bigint), (%L::uuid, 2::bigint)', :'doc', :'other'), 'several documents, each once, in the order of their ids');
SELECT is(converge.content(:'doc'), 'A é  😀 Aé', 'the one');
SELECT is(strpos(converge.content(:'other'), 'a'), 0, 'and the other');
SELECT throws_ok(format('SELECT * FROM converge.replace_in_all(ARRAY[%L, %L]::uuid[], %L, %L)', :'doc', '3e700000-0000-4000-8000-00000000dead', 'A', 'a'),
	'OT003', NULL, 'one that does not exist');
SELECT is(converge.content(:'doc'), 'A é  😀 Aé', 'then none is changed');
SELECT throws_ok('SELECT * FROM converge.replace_in_all(NULL, ''a'', ''b'')', '22004', NULL, 'no documents');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', d), 'nothing came to harm') FROM unnest(ARRAY[:'doc', :'other']::uuid[]) AS d;

SELECT * FROM finish();
ROLLBACK;
