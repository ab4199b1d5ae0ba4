-- What the gateway's functions tell beside their ready messages is what the messages say:
-- the relay reads the columns alone.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc '6a7e0000-0000-4000-8000-00000000000a'
SET converge."user" = 'ann';
SELECT converge.create_document('', '', :'doc') \g /dev/null

-- submit: applied, applied on an older base, sent again, the identity, refused
CREATE TEMP TABLE answers AS SELECT * FROM converge.submit(array_fill(:'doc'::uuid, '{5}'), '{ann,ann,ann,ann,dan}',
	'{0b000000-0000-8000-8000-000000000001,0b000000-0000-8000-8000-000000000002,0b000000-0000-8000-8000-000000000001,0b000000-0000-8000-8000-000000000003,0b000000-0000-8000-8000-000000000004}',
	'{0,0,0,1,0}', ARRAY['["é"]', '["😀"]', '["é"]', '[]', '["x"]']);
SELECT results_eq('SELECT code FROM answers ORDER BY ord', $$VALUES ('applied'), ('applied'), ('duplicate'), ('applied'), ('forbidden')$$, 'every kind of answer');
SELECT results_eq('SELECT version, seq FROM answers ORDER BY ord',
	$$SELECT (event::jsonb->>'version')::bigint, (event::jsonb->>'sequenceId')::bigint FROM answers ORDER BY ord$$, 'version and seq of an answer are those of its entry');
SELECT results_eq('SELECT version, seq FROM answers WHERE ord IN (1, 2) ORDER BY ord',
	format('SELECT version, seq FROM converge.ops WHERE doc_id = %L ORDER BY version', :'doc'), '... and of the log');
SELECT is((SELECT seq FROM answers WHERE code = 'forbidden'), NULL, 'what was refused has none');

-- catch_up: composed or not
SELECT converge.edit(:'doc', '["a"]') FROM generate_series(1, 70) \g /dev/null
SELECT results_eq(format('SELECT from_version, version, composed FROM converge.catch_up(%L, 0, %L)', :'doc', '0b000000-0000-8000-8000-000000000002'),
	$$VALUES (0::bigint, 1::bigint, false), (1, 2, false), (2, 72, true)$$, 'many are composed, few are not');
SELECT results_eq(format('SELECT composed, version, seq, operation_id FROM converge.catch_up(%L, 0, %L)', :'doc', '0b000000-0000-8000-8000-000000000002'),
	format($$SELECT message->>'type' = 'catchup', (coalesce(message->'ops'->0, message)->>'version')::bigint, (coalesce(message->'ops'->0, message)->>'sequenceId')::bigint,
		(coalesce(message->'ops'->0, message)->>'operationId')::uuid FROM (SELECT frame::jsonb AS message FROM converge.catch_up(%L, 0, %L)) AS c$$, :'doc', '0b000000-0000-8000-8000-000000000002'),
	'the columns are what the message says');

-- join_document and catch_up: no message of more bytes than that
SELECT converge.create_document('', '', '6a7e0000-0000-4000-8000-00000000000b'), converge.edit('6a7e0000-0000-4000-8000-00000000000b', converge.insert(0, repeat(chr(1), 1000))) \g /dev/null
SELECT results_eq($$SELECT octet_length(snapshot), bytes FROM converge.join_document('ann', '6a7e0000-0000-4000-8000-00000000000b')$$,
	$$SELECT octet_length(snapshot), octet_length(snapshot)::bigint FROM converge.join_document('ann', '6a7e0000-0000-4000-8000-00000000000b')$$, 'a snapshot has that many bytes');
SELECT bytes AS all_bytes FROM converge.join_document('ann', '6a7e0000-0000-4000-8000-00000000000b') \gset
SELECT cmp_ok(:all_bytes::bigint, '>', 6000::bigint, '... as JSON');
SELECT results_eq(format($$SELECT m, snapshot IS NULL, bytes, version FROM unnest('{0,999,1000,%s,%s}'::bigint[]) AS m, converge.join_document('ann', '6a7e0000-0000-4000-8000-00000000000b', most => m)$$, :all_bytes - 1, :all_bytes),
	format($$VALUES (0::bigint, true, 1000::bigint, 1::bigint), (999, true, 1000, 1), (1000, true, %s, 1), (%s, true, %1$s, 1), (%1$s, false, %1$s, 1)$$, :all_bytes, :all_bytes - 1), 'no longer one is returned, nor made if the text alone is longer');
SELECT results_eq($$SELECT resumed, snapshot, bytes FROM converge.join_document('ann', '6a7e0000-0000-4000-8000-00000000000b', 1, (SELECT op_id FROM converge.history('6a7e0000-0000-4000-8000-00000000000b', 1, 1)), most => 0)$$,
	$$VALUES (true, NULL::text, NULL::bigint)$$, 'who resumes needs none');
SELECT converge.edit('6a7e0000-0000-4000-8000-00000000000b', '["x"]') \g /dev/null
SELECT results_eq($$SELECT sum(octet_length(frame)), sum(bytes) FROM converge.catch_up('6a7e0000-0000-4000-8000-00000000000b', 0)$$,
	$$SELECT sum(octet_length(frame)), sum(octet_length(frame))::numeric FROM converge.catch_up('6a7e0000-0000-4000-8000-00000000000b', 0)$$, 'messages have that many bytes');
SELECT results_eq($$SELECT m, frame IS NULL, bytes > m, bytes >= 1000, version FROM unnest('{0,500,5000,100000}'::bigint[]) AS m, converge.catch_up('6a7e0000-0000-4000-8000-00000000000b', 0, most => m)$$,
	$$VALUES (0::bigint, true, true, true, 2::bigint), (500, true, true, true, 2), (5000, true, true, true, 2), (100000, false, false, true, 2)$$, 'no longer ones are returned, one by one');
SELECT results_eq($$SELECT m, frame IS NULL, bytes > m, from_version, version, composed FROM unnest('{0,10,100,100000}'::bigint[]) AS m, converge.catch_up('6a7e0000-0000-4000-8000-00000000000a', 0, '0b000000-0000-8000-8000-000000000002', m)$$,
	$$SELECT m, m < 100000, m < 100000, f, v, c FROM unnest('{0,10,100,100000}'::bigint[]) AS m, (VALUES (0::bigint, 1::bigint, false), (1, 2, false), (2, 72, true)) AS e (f, v, c) ORDER BY m, f$$, '... nor composed');
SELECT * FROM finish();
ROLLBACK;
