-- Who is connected to which document, as relays write it: what a relay may and may not
-- touch, who is forgotten, who sees it.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE ann;
CREATE ROLE eve;
CREATE ROLE a_relay;
SELECT converge.allow_relay('a_relay');
\set doc '00076e00-0000-4000-8000-00000000000d'
\set r1 '00076e00-0000-4000-8000-000000000001'
\set r2 '00076e00-0000-4000-8000-000000000002'
SET SESSION AUTHORIZATION ann;
SELECT converge.create_document('', 'é😀', :'doc') AS doc \gset
RESET SESSION AUTHORIZATION;

-- rows for the clients of these numbers, the n-th one's cursor at n
CREATE FUNCTION pg_temp.clients(VARIADIC numbers integer[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('doc_id', '00076e00-0000-4000-8000-00000000000d', 'client_id', lpad(n::text, 32, '0')::uuid,
		'user_id', 'user ' || n, 'name', 'Zoë 日本 ' || n, 'color', '#00ff00', 'version', 7, 'anchor', 0, 'head', n, 'since', 1700000000)), '[]')
	FROM unnest(numbers) AS n
$$;
CREATE FUNCTION pg_temp.who() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', user_id, head), ', ' ORDER BY user_id) FROM converge.presence
$$;

-- ---- a relay begins, writes, ends ----

SET SESSION AUTHORIZATION a_relay;
SELECT matches(converge.begin_presence(:'r1', 30), '^[0-9a-f]{64}$', 'the key that relays share');
SELECT is(converge.begin_presence(:'r2', 30), converge.begin_presence(:'r1', 30), 'is the same for all');
SELECT lives_ok(format('SELECT converge.write_presence(%L, pg_temp.clients(1, 2), ''[]'')', :'r1'), 'two come');
SELECT lives_ok(format('SELECT converge.write_presence(%L, pg_temp.clients(3), ''[]'')', :'r2'), 'and one at another relay');
RESET SESSION AUTHORIZATION;
SELECT is(pg_temp.who(), 'user 1 1, user 2 2, user 3 3', 'they are there');
SELECT results_eq('SELECT name, color, version, anchor, since, updated_at > since FROM converge.presence WHERE head = 3',
	$$VALUES ('Zoë 日本 3', '#00ff00', 7::bigint, 0::bigint, to_timestamp(1700000000), true)$$, 'with all that is known of them');
SELECT converge.write_presence(:'r1', jsonb_set(pg_temp.clients(1), '{0}', pg_temp.clients(1)->0 || '{"head": 9, "name": null}'), '[]');
SELECT is(pg_temp.who(), 'user 1 9, user 2 2, user 3 3', 'one moves');
SELECT is((SELECT name FROM converge.presence WHERE head = 9), NULL, 'and has no name any more');
SELECT converge.write_presence(:'r1', pg_temp.clients(4), pg_temp.clients(2, 3));
SELECT is(pg_temp.who(), 'user 1 9, user 3 3, user 4 4', 'a client that leaves a relay leaves only that one');
SELECT converge.write_presence(:'r2', pg_temp.clients(1), '[]');
SELECT is(pg_temp.who(), 'user 1 9, user 3 3, user 4 4', 'and no relay writes what another one wrote');
SELECT converge.begin_presence(:'r2', 30);
SELECT is(pg_temp.who(), 'user 1 9, user 4 4', 'a relay begins without clients');
SELECT converge.write_presence(:'r2', pg_temp.clients(5), '[]');
SELECT converge.end_presence(:'r1', '');
SELECT is(pg_temp.who(), 'user 5 5', 'one that ends takes its clients along');
SELECT results_eq('SELECT id FROM converge.relays', ARRAY[:'r2'::uuid], 'and is gone itself');

-- ---- life ----

SELECT ok(converge.keep_presence(:'r2', 30, ''), 'a relay that shows itself in time is known');
UPDATE converge.relays SET alive_until = clock_timestamp() - interval '1 second';
SET SESSION AUTHORIZATION ann;
SELECT is_empty('SELECT * FROM converge.presence', 'clients of a dead relay are not shown');
RESET SESSION AUTHORIZATION;
SELECT ok(NOT converge.keep_presence(:'r1', 30, ''), 'another one, that was not known,');
SELECT is_empty('SELECT * FROM converge.presence', 'clears up');
SELECT results_eq('SELECT id FROM converge.relays', ARRAY[:'r1'::uuid], 'after it');
SELECT ok(NOT converge.keep_presence(:'r2', 30, ''), 'which learns so when it reconnects');
SELECT ok(alive_until BETWEEN clock_timestamp() + interval '20 seconds' AND clock_timestamp() + interval '30 seconds', 'a relay lives as long as it says') FROM converge.relays WHERE id = :'r2';
SELECT converge.keep_presence(:'r2', 2147483647, '');
SELECT ok(alive_until <= clock_timestamp() + interval '1 hour', 'but not for ever') FROM converge.relays WHERE id = :'r2';

-- ---- who may what ----

SELECT converge.write_presence(:'r2', pg_temp.clients(6), '[]');
SET SESSION AUTHORIZATION ann;
SELECT is(pg_temp.who(), 'user 6 6', 'a member sees the clients of the document');
SET SESSION AUTHORIZATION eve;
SELECT is_empty('SELECT * FROM converge.presence', 'a user without a role does not');
SELECT throws_ok(statement, '42501', NULL, statement) FROM (VALUES
	($$SELECT * FROM converge.relays$$), ($$SELECT * FROM converge.relay_keys$$), ($$DELETE FROM converge.presence$$),
	($$SELECT converge.begin_presence(gen_random_uuid(), 1)$$), ($$SELECT converge.announce('{x}')$$),
	($$SELECT converge.keep_presence(gen_random_uuid(), 1, '')$$), ($$SELECT converge.show_life(gen_random_uuid(), 1)$$),
	($$SELECT converge.end_presence(gen_random_uuid(), '')$$), ($$SELECT converge.write_presence(gen_random_uuid(), '[]', '[]')$$)) AS v (statement);
SET SESSION AUTHORIZATION a_relay;
SELECT throws_ok('SELECT * FROM converge.relay_keys', '42501', NULL, 'a relay has the key from the function alone');
SELECT lives_ok($$SELECT converge.announce(ARRAY['one', 'two'])$$, 'it may tell the others');
SELECT throws_ok(format('SELECT converge.announce(ARRAY[%L])', repeat('x', 8000)), '22023', NULL, 'in messages of less than 8000 bytes');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
