-- seq rises inside a document also where the sequence was left behind: logical replication
-- carries none, COPY of a document does not, a restore by hand may not.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set a '5e900000-0000-4000-8000-00000000000a'
\set b '5e900000-0000-4000-8000-00000000000b'
CREATE ROLE sq_app;
GRANT sq_app TO CURRENT_USER;
SET converge."user" = 'ann';
SELECT converge.create_document('', '', :'a'), converge.create_document('', '', :'b') \g /dev/null
SELECT converge.edit(:'a', '["é"]') FROM generate_series(1, 3) \g /dev/null
SELECT converge.edit(:'b', '["é"]') FROM generate_series(1, 3) \g /dev/null
CREATE FUNCTION pg_temp.rising() RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(rises) AND count(DISTINCT seq) = count(*)
	FROM (SELECT seq, seq > lag(seq, 1, 0::bigint) OVER (PARTITION BY doc_id ORDER BY version) AS rises FROM converge.ops) AS o
$$;

-- just behind, far behind; by who may not touch the sequence
SET LOCAL ROLE sq_app;
SELECT throws_ok($$SELECT setval('converge.op_seq', 1)$$, '42501', NULL, 'who edits may not set the sequence');
RESET ROLE;
SELECT setval('converge.op_seq', 1, false) \g /dev/null
SET LOCAL ROLE sq_app;
SELECT converge.edit(:'a', '["x"]') AS version \gset
SELECT is(current_user::text, 'sq_app', 'the caller is the caller again');
SELECT converge.edit(:'b', '["x"]') AS version \gset
RESET ROLE;
SELECT ok(pg_temp.rising(), 'just behind: seq rises, and no number is given out twice');
UPDATE converge.heads SET seq = seq + 1000000 WHERE doc_id = :'a';
UPDATE converge.ops SET seq = seq + 1000000 WHERE doc_id = :'a';
SELECT max(seq) AS highest FROM converge.heads \gset
SET LOCAL ROLE sq_app;
SELECT converge.edit(:'b', '["low"]') AS version \gset
SELECT seq < 1000000 AS low FROM converge.ops WHERE doc_id = :'b' AND version = :version \gset
SELECT ok(:'low', 'a document that is not concerned goes on as before');
SELECT seq AS taken FROM converge.apply_op(:'a', gen_random_uuid(), 4, '["y"]') \gset
RESET ROLE;
SELECT is(:taken::bigint, :highest::bigint + 1, 'far behind: the number after the highest');
SELECT converge.edit(:'b', '["z"]') AS version \gset
SELECT is((SELECT seq FROM converge.heads WHERE doc_id = :'b'), :highest::bigint + 2, 'for all documents');
SELECT ok(pg_temp.rising(), 'seq rises');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', doc), 'verify finds nothing') FROM unnest(ARRAY[:'a', :'b']) AS doc;

-- a batch
SELECT setval('converge.op_seq', 1, false) \g /dev/null
SELECT count(*) FROM converge.submit(ARRAY[:'b', :'a', :'b', :'a']::uuid[], '{ann,ann,ann,ann}', ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 4)), '{0,0,0,0}', array_fill('["s"]'::text, '{4}')) WHERE code = 'applied' \gset
SELECT is(:count, 4, 'a batch');
SELECT ok(pg_temp.rising(), 'seq rises');

-- what is there already is told, with what is to be done
UPDATE converge.ops SET seq = 1 WHERE doc_id = :'a' AND version = 3;
SELECT results_eq(format('SELECT version, problem LIKE ''seq 1 does not rise above %%setval(%%'' FROM converge.verify(%L)', :'a'),
	$$VALUES (3::bigint, true)$$, 'verify says where seq fell and what to do');

SELECT * FROM finish();
ROLLBACK;
