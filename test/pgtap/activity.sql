-- Sessions of work: a user's ops, divided where they pause for longer than the gap.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc 'ac710000-0000-4000-8000-000000000001'
\set other 'ac710000-0000-4000-8000-000000000002'
SELECT converge.create_document('one', 'é', :'doc'), converge.create_document('two', '', :'other') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null

CREATE FUNCTION pg_temp.works(who text, doc uuid, op converge.op) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('converge.acting_user', who, true);
	PERFORM converge.edit(doc, op);
	PERFORM set_config('converge.acting_user', 'ann', true);
END
$$;
SELECT pg_temp.works('ann', :'doc', '["a😀"]'), pg_temp.works('ben', :'doc', '["bb"]'), pg_temp.works('ann', :'doc', '["c", {"d": 1}]'),
	pg_temp.works('ben', :'doc', '[{"d": 2}]'), pg_temp.works('ann', :'doc', '["d"]'), pg_temp.works('ann', :'other', '["e"]') \g /dev/null
-- as if they had: ann at 0, 5 and 20 minutes, ben at 1 and 30
RESET SESSION AUTHORIZATION;
UPDATE converge.ops SET created_at = timestamptz '2026-01-01' + (ARRAY['0 min', '1 min', '5 min', '30 min', '31 min']::interval[])[version] WHERE doc_id = :'doc';
UPDATE converge.ops SET created_at = timestamptz '2026-01-01 00:10' WHERE doc_id = :'other';
UPDATE converge.documents SET created_at = timestamptz '2025-12-31' WHERE id IN (:'doc', :'other');
UPDATE converge.heads SET updated_at = timestamptz '2026-01-01 00:31' WHERE doc_id IN (:'doc', :'other');

PREPARE sessions(uuid, interval, timestamptz) AS
	SELECT user_id, from_version, to_version, from_at - '2026-01-01', to_at - '2026-01-01', edits, inserted, deleted FROM converge.activity($1, $2, $3);
SELECT results_eq(format('EXECUTE sessions(%L, ''10 min'', NULL)', :'doc'), $$VALUES
	('ann', 1::bigint, 3::bigint, interval '0 min', interval '5 min', 2::bigint, 3::bigint, 1::bigint), ('ben', 2, 2, '1 min', '1 min', 1, 2, 0),
	('ben', 4, 4, '30 min', '30 min', 1, 0, 2), ('ann', 5, 5, '31 min', '31 min', 1, 1, 0)$$, 'a pause of more than ten minutes ends a session');
SELECT results_eq(format('SELECT user_id, edits FROM converge.activity(%L, ''29 min'')', :'doc'), $$VALUES ('ann', 3::bigint), ('ben', 2)$$, 'one as long as the gap does not');
SELECT is((SELECT count(*) FROM converge.activity(:'doc', '0')), 5::bigint, 'without a gap every op is one');
SELECT is((SELECT count(*) FROM converge.activity(:'doc', '1000 years')), 2::bigint, 'with a long one every user has one');
SELECT is(converge.pack(:'doc', 2), 3::bigint, 'packed');
SELECT results_eq(format('EXECUTE sessions(%L, ''10 min'', NULL)', :'doc'), $$VALUES
	('ann', 1::bigint, 3::bigint, interval '0 min', interval '5 min', 2::bigint, 3::bigint, 1::bigint), ('ben', 2, 2, '1 min', '1 min', 1, 2, 0),
	('ben', 4, 4, '30 min', '30 min', 1, 0, 2), ('ann', 5, 5, '31 min', '31 min', 1, 1, 0)$$, 'or not');
SELECT results_eq(format('SELECT user_id, from_version FROM converge.activity(%L, ''10 min'', ''2026-01-01 00:05'')', :'doc'),
	$$VALUES ('ann', 3::bigint), ('ben', 4), ('ann', 5)$$, 'since a time, which itself counts');
SELECT is_empty(format('SELECT * FROM converge.activity(%L, ''10 min'', ''infinity'')', :'doc'), 'since the end of time');
SELECT is((SELECT count(*) FROM converge.activity(:'doc', '10 min', '-infinity')), 4::bigint, 'since its beginning');
SELECT throws_ok(format('SELECT * FROM converge.activity(%L, ''-1 s'')', :'doc'), '22023', NULL, 'a negative gap');

-- ---- across documents ----

SELECT results_eq($$SELECT doc_id, user_id, from_version FROM converge.my_activity()$$, format($$VALUES
	(%1$L::uuid, 'ann', 1::bigint), (%1$L, 'ben', 2), (%2$L, 'ann', 1), (%1$L, 'ben', 4), (%1$L, 'ann', 5)$$, :'doc', :'other'), 'of all of one''s documents, in the order of time');
SELECT is((SELECT count(*) FROM converge.my_activity(author => 'ben')), 2::bigint, 'of one author');
SELECT is((SELECT count(*) FROM converge.my_activity(since => '2026-01-01 00:30')), 2::bigint, 'since a time');
SELECT set_config('converge.acting_user', 'ben', true) \g /dev/null
SELECT is((SELECT count(*) FROM converge.my_activity()), 4::bigint, 'another user sees those of theirs');
SELECT set_config('converge.acting_user', 'eve', true) \g /dev/null
SELECT is_empty('SELECT * FROM converge.my_activity()', 'and a stranger none');

SELECT * FROM finish();
ROLLBACK;
