-- Catching up stays within bounds: one by one while it is little, composed when it is much,
-- and where even that is too much, as after forgetting: the text.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc 'ca7c0000-0000-4000-8000-00000000000a'
SET converge."user" = 'ann';
SELECT converge.create_document('', '', :'doc') \g /dev/null
CREATE FUNCTION pg_temp.frames(since bigint, pending uuid DEFAULT NULL) RETURNS TABLE (type text, from_version bigint, version bigint) LANGUAGE sql AS $$
	SELECT substring(frame FROM '^{"type":"(\w+)"'), from_version, version FROM converge.catch_up('ca7c0000-0000-4000-8000-00000000000a', since, pending)
$$;

-- control characters grow to six bytes each in JSON: 22 operations of 16 MB would be 2 GB
SELECT converge.edit(:'doc', converge.insert(0, repeat(U&'\0001', 4000000))) \g /dev/null
SELECT results_eq('SELECT * FROM pg_temp.frames(0)', $$VALUES ('ops', 0::bigint, 1::bigint)$$, 'a single operation stands alone, whatever its size');
SELECT op_id AS pending FROM converge.apply_op(:'doc', 'ca7c0000-0000-8000-8000-000000000001', 1, converge.replace(0, 4000000, repeat(U&'\0002', 4000000))), (SELECT 'ca7c0000-0000-8000-8000-000000000001'::uuid AS op_id) AS i \gset
SELECT results_eq('SELECT * FROM pg_temp.frames(0)', $$VALUES ('catchup', 0::bigint, 2::bigint)$$, 'two are composed');
SELECT results_eq(format('SELECT * FROM pg_temp.frames(0, %L)', :'pending'), $$VALUES ('ops', 0::bigint, 1::bigint), ('ops', 1, 2)$$, 'but for the pending one');
DO $$
BEGIN
	FOR n IN 3..22 LOOP
		PERFORM converge.edit('ca7c0000-0000-4000-8000-00000000000a', converge.replace(0, 4000000, repeat(chr(n), 4000000)));
	END LOOP;
END
$$;
SELECT results_eq('SELECT * FROM pg_temp.frames(0)', $$VALUES ('catchup', 0::bigint, 22::bigint)$$, '22 are composed');
SELECT results_eq(format('SELECT * FROM pg_temp.frames(0, %L)', :'pending'), $$VALUES ('ops', 0::bigint, 1::bigint), ('ops', 1, 2), ('catchup', 2, 22)$$, 'around the pending one');
SELECT ok(length(frame) < 30000000, 'within bounds') FROM converge.catch_up(:'doc', 0);
SELECT results_eq(format($$SELECT resumed, content IS NULL, length(op::text) < 30000000 FROM converge.open_document(%L, 1, (SELECT op_id FROM converge.history(%1$L, 1, 1)))$$, :'doc'),
	$$VALUES (true, true, true)$$, 'open_document too');

-- little ones stay one by one, by number and by size
SELECT converge.edit(:'doc', '["a"]') FROM generate_series(1, 64) \g /dev/null
SELECT results_eq('SELECT * FROM pg_temp.frames(22)', $$VALUES ('ops', 22::bigint, 86::bigint)$$, '64 small ones go one by one');
SELECT results_eq('SELECT * FROM pg_temp.frames(21)', $$VALUES ('catchup', 21::bigint, 86::bigint)$$, '65 do not');
SELECT is((SELECT jsonb_array_length(frame::jsonb->'ops') FROM converge.catch_up(:'doc', 80)), 6, 'each is there');

-- the text is less, or as much: 6 million characters of 4 bytes
SELECT converge.create_document('', '', 'ca7c0000-0000-4000-8000-00000000000b') AS large \gset
SELECT converge.edit(:'large', '["first"]') \g /dev/null
SELECT converge.edit(:'large', converge.insert(0, repeat('😀', 3000000))) FROM generate_series(1, 2) \g /dev/null
SELECT throws_ok(format('SELECT * FROM converge.catch_up(%L, 0)', :'large'), 'OT001', 'version 0 is too far behind to catch up from', 'more than the bound, composed, is answered as what is forgotten is');
SELECT is((SELECT version FROM converge.catch_up(:'large', 2)), 3::bigint, 'who has missed less is served');
SELECT results_eq(format('SELECT resumed, version, op IS NULL, length(content) FROM converge.open_document(%L, 1, (SELECT op_id FROM converge.history(%1$L, 1, 1)))', :'large'),
	$$VALUES (false, 3::bigint, true, 6000005)$$, 'open_document gives the text');
SELECT results_eq(format('SELECT resumed, version, content IS NULL, length(op::text) FROM converge.open_document(%L, 2, (SELECT op_id FROM converge.history(%1$L, 2, 2)))', :'large'),
	$$VALUES (true, 3::bigint, true, 3000004)$$, 'and the operation where it is less');

SELECT * FROM finish();
ROLLBACK;
