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
SELECT * FROM finish();
ROLLBACK;
