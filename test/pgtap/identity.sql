-- The identity makes no version: whoever submits it is answered with the version there is.
-- What becomes the identity on its way keeps its place, or its author would wait for it.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc '1de00000-0000-4000-8000-00000000000a'
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$SELECT ('1de00000-0000-8000-8000-' || lpad(n::text, 12, '0'))::uuid$$;
CREATE FUNCTION pg_temp.head() RETURNS bigint LANGUAGE sql AS $$SELECT version FROM converge.heads WHERE doc_id = '1de00000-0000-4000-8000-00000000000a'$$;
SET converge."user" = 'ann';
SELECT converge.create_document('', 'é😀x', :'doc') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor'), converge.share(:'doc', 'dan', 'viewer') \g /dev/null

SELECT is(converge.edit(:'doc', '[]'), 0::bigint, 'an edit that changes nothing, at version 0');
SELECT converge.edit(:'doc', '["1"]'), converge.edit(:'doc', '["2"]') \g /dev/null
SELECT is(converge.edit(:'doc', op), 2::bigint, 'an edit with ' || op) FROM unnest('{[],[0],[3],"[\"\"]","[1,{\"d\":0}]"}'::text[]::converge.op[]) AS op;
SELECT seq AS head_seq FROM converge.heads WHERE doc_id = :'doc' \gset
SELECT results_eq(format('SELECT * FROM converge.apply_op(%L, pg_temp.id(1), %s, ''[]'')', :'doc', base),
	format('SELECT 2::bigint, %s::bigint, ''[]''::converge.op, false', :head_seq), 'apply_op at base ' || base) FROM generate_series(0, 2) AS base;
SELECT is(pg_temp.head(), 2::bigint, 'no version was made');
SELECT is_empty($$SELECT FROM converge.ops WHERE op_id = pg_temp.id(1)$$, 'and the id names nothing');

-- what is refused is refused
SELECT throws_ok(format('SELECT converge.apply_op(%L, pg_temp.id(1), 3, ''[]'')', :'doc'), 'OT007', NULL, 'a base that does not exist');
SELECT throws_ok($$SELECT converge.edit('1de00000-0000-4000-8000-00000000dead', '[]')$$, 'OT003', NULL, 'a document that does not exist');
SET converge."user" = 'dan';
SELECT throws_ok(format('SELECT converge.edit(%L, ''[]'')', :'doc'), 'OT002', NULL, 'a viewer');
SET converge."user" = 'ann';

-- the id of another operation, in ops and in a pack
SELECT converge.apply_op(:'doc', pg_temp.id(2), 2, '["3"]') \g /dev/null
SELECT throws_ok(format('SELECT converge.apply_op(%L, pg_temp.id(2), 2, ''[]'')', :'doc'), 'OT004', NULL, 'the id of another operation');
SELECT converge.pack(:'doc', 0) \g /dev/null
SELECT throws_ok(format('SELECT converge.apply_op(%L, pg_temp.id(2), 2, ''[]'')', :'doc'), 'OT004', NULL, 'which is packed');

-- revert to the same text, and to what only looks different
SELECT is(converge.revert(:'doc', 3), 3::bigint, 'a revert to the version there is');
SELECT converge.edit(:'doc', '["é"]'), converge.edit(:'doc', '[{"d":1}]') \g /dev/null
SELECT is(converge.revert(:'doc', 3), 5::bigint, 'to a version of the same text');
SELECT converge.edit(:'doc', '[{"d":1},"字"]'), converge.edit(:'doc', '[{"d":1},"3"]') \g /dev/null
SELECT is(converge.revert(:'doc', 5), 7::bigint, 'and of the same text written anew');
SELECT is(converge.revert(:'doc', 6), 8::bigint, 'to another text it makes a version');
SELECT is(converge.revert(:'doc', 7), 9::bigint, 'and back');

-- an undo of what others have deleted
SELECT converge.create_document('', '', '1de00000-0000-4000-8000-00000000000b') AS second \gset
SELECT converge.share(:'second', 'ben', 'editor') \g /dev/null
SELECT version FROM converge.apply_op(:'second', pg_temp.id(11), 0, '["kept "]') \g /dev/null
SELECT version FROM converge.apply_op(:'second', pg_temp.id(12), 1, '[5,"gone"]') \g /dev/null
SET converge."user" = 'ben';
SELECT converge.edit(:'second', '[5,{"d":4}]') \g /dev/null
SET converge."user" = 'ann';
SELECT is(converge.undo(:'second', pg_temp.id(12)), 3::bigint, 'an undo of what is gone');
SELECT is(converge.undo(:'second', pg_temp.id(12)), 3::bigint, 'again: nothing was noted');
SELECT is(converge.undo_last(:'second'), 4::bigint, 'undo_last takes back what there is to take back');
SELECT is(converge.content(:'second'), '', 'the operation before');
SELECT is(converge.undo_last(:'second'), 4::bigint, 'and then the version there is');
SELECT is(converge.undo_last(:'second', 'eve'), NULL, 'null is for who wrote nothing');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'second'), 'all is well');
SET converge."user" = 'ben';
SELECT is(converge.undo_last(:'second'), 5::bigint, 'who deleted it brings it back');
SET converge."user" = 'ann';
SELECT is(converge.undo(:'second', pg_temp.id(12)), 5::bigint, 'what came back so is not what was inserted');

-- what becomes the identity when it is transformed keeps its version
SELECT converge.create_document('', 'abc', '1de00000-0000-4000-8000-00000000000c') AS third \gset
SELECT converge.share(:'third', 'ben', 'editor') \g /dev/null
SELECT converge.edit(:'third', '[1,{"d":1}]') \g /dev/null
SELECT results_eq(format('SELECT version, applied, duplicate FROM converge.apply_op(%L, pg_temp.id(21), 0, ''[1,{"d":1}]'')', :'third'),
	$$VALUES (2::bigint, '[]'::converge.op, false)$$, 'two delete the same: the second one has its version');
SELECT results_eq(format('SELECT version, applied, duplicate FROM converge.apply_op(%L, pg_temp.id(21), 0, ''[1,{"d":1}]'')', :'third'),
	$$VALUES (2::bigint, '[]'::converge.op, true)$$, 'and its answer, again');

-- submit: the answer is one that the author's client knows as its own
SELECT seq AS seq_1 FROM converge.ops WHERE doc_id = :'third' AND version = 1 \gset
SELECT results_eq(format($$SELECT ord, code, version, event::jsonb - 'at' = jsonb_build_object('version', version, 'sequenceId', %s, 'operationId', pg_temp.id(31), 'userId', 'ben', 'baseVersion', 1, 'op', '[]'::jsonb), member_changes
	FROM converge.submit(ARRAY[%2$L]::uuid[], '{ben}', ARRAY[pg_temp.id(31)], '{1}', '{[]}')$$, :seq_1, :'third'),
	$$VALUES (1, 'applied', 1::bigint, true, NULL::bigint)$$, 'submit answers at the version that the client made it on');
SELECT results_eq(format($$SELECT code, version FROM converge.submit(array_fill(%L::uuid, '{4}'), '{ben,ann,dan,ben}', ARRAY[pg_temp.id(32), pg_temp.id(33), pg_temp.id(34), pg_temp.id(35)], '{2,2,2,0}', '{[7],"[\"x\"]",[],[]}')$$, :'third'),
	$$VALUES ('applied', 2::bigint), ('applied', 3), ('forbidden', NULL), ('applied', 0)$$, 'among others');
SELECT results_eq(format('SELECT version, length FROM converge.heads WHERE doc_id = %L', :'third'), $$VALUES (3::bigint, 3::bigint)$$, 'no version but that of the one');

SELECT * FROM finish();
ROLLBACK;
