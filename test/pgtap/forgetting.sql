-- Forgetting: the characters of a secret, everywhere in the past of a document, and nothing else;
-- a user, everywhere.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc 'f0400000-0000-4000-8000-000000000001'
\set secret 'päss😀w'

-- every row of the document as text
CREATE FUNCTION pg_temp.found(doc uuid, secret text) RETURNS bigint LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM generate_series((converge.document(doc)).floor_version, (converge.document(doc)).version) AS v WHERE strpos(converge.content_at(doc, v), secret) > 0)
		+ (SELECT count(*) FROM converge.changes(doc) WHERE strpos(content, secret) > 0)
		+ (SELECT count(*) FROM converge.history(doc) WHERE strpos(op::text, secret) > 0)
		+ (SELECT count(*) FROM converge.snapshots WHERE doc_id = doc AND strpos(content, secret) > 0)
		+ (SELECT count(*) FROM converge.list_snapshots(doc) WHERE strpos(label, secret) > 0)
		+ (SELECT count(*) FROM converge.documents WHERE id = doc AND strpos(title, secret) > 0)
$$;

-- ---- redact ----

SELECT converge.create_document('is päss😀w it', 'begin päss😀w end', :'doc') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT converge.edit(:'doc', '["päss"]') \g /dev/null
SELECT converge.edit(:'doc', '[4, "😀w and more"]') \g /dev/null
SELECT converge.snapshot(:'doc', 'with päss😀w'), converge.snapshot(:'doc', 'with ██████') \g /dev/null
SELECT converge.edit(:'doc', '[1, {"d": 3}]') \g /dev/null
SELECT converge.undo_last(:'doc') \g /dev/null
SELECT converge.edit(:'doc', '[2, "x"]'), converge.edit(:'doc', '[2, {"d": 1}]') \g /dev/null
SELECT converge.edit(:'doc', '["xpäss😀wy", 10, "päss", 3, "z"]') \g /dev/null
CREATE TEMP TABLE before AS SELECT version, op_id, user_id, base_version, created_at, seq, op, converge.content_at(:'doc', version) AS content FROM converge.history(:'doc');
SELECT life AS old_life FROM converge.document(:'doc') \gset
SELECT converge.pack(:'doc', 3) \g /dev/null
SELECT cmp_ok(pg_temp.found(:'doc', :'secret'), '>', 5::bigint, 'the secret is in many places');
-- six in the beginning, six typed, three that were deleted and came back, six pasted
SELECT is(converge.redact(:'doc', :'secret'), 21::bigint, 'its characters are replaced');
SELECT is(pg_temp.found(:'doc', :'secret'), 0::bigint, 'it is nowhere any more');
SELECT is(converge.content_at(:'doc', 0), 'begin ██████ end', 'in the text of the beginning');
SELECT is(converge.content(:'doc'), replace((SELECT content FROM before ORDER BY version DESC LIMIT 1), :'secret', '██████'), 'and in the last one');
SELECT is((SELECT count(*) FROM before AS b JOIN converge.history(:'doc') AS h USING (version, op_id, user_id, base_version, created_at, seq)
		WHERE char_length(converge.content_at(:'doc', version)) = char_length(b.content)), 7::bigint, 'all else is as it was');
SELECT is((SELECT string_agg(version::text, ',') FROM before WHERE replace(content, :'secret', '██████') = content AND content <> converge.content_at(:'doc', version) AND strpos(converge.content_at(:'doc', version), '█') = 0), NULL, 'no other character has changed');
SELECT is((converge.document(:'doc')).title, 'is ██████ it', 'the title');
SELECT is((SELECT string_agg(label, ',') FROM converge.list_snapshots(:'doc')), 'with ██████', 'the labels');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'nothing came to harm');
SELECT is((SELECT left(life::text, 18) FROM converge.document(:'doc')), left(:'old_life', 18), 'it is the same document');
SELECT ok((converge.document(:'doc')).life > :'old_life'::uuid, 'in a later life');
SELECT ok(NOT resumed, 'a client of before gets the text') FROM before AS b, converge.open_document(:'doc', b.version, b.op_id, :'old_life') WHERE b.version = 7;
SELECT ok(resumed, 'one of now goes on') FROM before AS b, converge.open_document(:'doc', b.version, b.op_id, (converge.document(:'doc')).life) WHERE b.version = 7;
SELECT is((SELECT code FROM converge.submit(ARRAY[:'doc']::uuid[], '{ann}', ARRAY[gen_random_uuid()], '{7}', ARRAY['["late"]'], true, ARRAY[:'old_life']::uuid[])), 'applied', 'what was on its way is taken');
SELECT throws_ok(format('SELECT converge.apply_op(%L, %L, 1, %L)', :'doc', op_id, op), 'OT004', NULL, 'what is sent again is no second copy') FROM before WHERE version = 2;
SELECT converge.undo_last(:'doc'), converge.revert(:'doc', 3) \g /dev/null
SELECT is(pg_temp.found(:'doc', :'secret'), 0::bigint, 'nor does it come back');
SELECT is(converge.redact(:'doc', :'secret'), 0::bigint, 'nothing is left to redact');
SELECT is(converge.redact(:'doc', 'begin', 'é'), 5::bigint, 'with another character');
SELECT is(converge.content_at(:'doc', 0), 'ééééé ██████ end', 'as many of it');
SELECT throws_ok(format('SELECT converge.redact(%L, %L, %L)', :'doc', content, mask), code, NULL, concat('redacting ', left(content, 3), ' by ', mask))
FROM (VALUES ('', 'x', '22023'), ('a', '', '22023'), ('a', 'xy', '22023'), (repeat('a', 1001), 'x', 'OT006')) AS v (content, mask, code);

-- pruned, and all of it packed
SELECT converge.prune(:'doc', 4), converge.pack(:'doc', 0) \g /dev/null
SELECT is(converge.redact(:'doc', 'end'), 3::bigint, 'in the text where history begins');
SELECT is(pg_temp.found(:'doc', 'end'), 0::bigint, 'it is nowhere any more');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'nothing came to harm');

-- ---- a passage ----

SELECT converge.create_document('', 'abcdé', 'f0400000-0000-4000-8000-000000000002') \g /dev/null
SELECT converge.edit('f0400000-0000-4000-8000-000000000002', '[2, "12"]'), converge.edit('f0400000-0000-4000-8000-000000000002', '[1, {"d": 2}]') \g /dev/null
SELECT is(converge.redact_range('f0400000-0000-4000-8000-000000000002', 1, 1, 4, 'x'), 3::bigint, 'three characters of two origins');
SELECT is((SELECT string_agg(converge.content_at('f0400000-0000-4000-8000-000000000002', v), ',' ORDER BY v) FROM generate_series(0, 2) AS v), 'axcdé,axxxcdé,axcdé', 'in every version');
SELECT is_empty('SELECT * FROM converge.verify(''f0400000-0000-4000-8000-000000000002'')', 'nothing came to harm');
SELECT throws_ok(format('SELECT converge.redact_range(''f0400000-0000-4000-8000-000000000002'', %s)', passage), code, NULL, passage)
FROM (VALUES ('0, 0, 6', 'OT005'), ('0, -1, 2', 'OT005'), ('0, 3, 2', 'OT005'), ('9, 0, 1', 'OT007')) AS v (passage, code);

SELECT is(converge.redact_op('[1, "aXYb", {"d": 2}, "XY", 3, "XXYY"]', 'XY', 'é')::text, '[1,"aééb",{"d":2},"éé",3,"XééY"]', 'in an op alone');
SELECT is(converge.redact_op('[1, "ab"]', 'XY', 'é')::text, '[1,"ab"]', 'which may have nothing of it');

-- ---- a user ----

\set hers 'f0400000-0000-4000-8000-000000000003'
SELECT set_config('converge.acting_user', 'cleo', true) \g /dev/null
SELECT converge.create_document('', '', :'hers') \g /dev/null
SELECT converge.share(:'hers', 'dan', 'viewer'), converge.share(:'hers', '*', 'editor') \g /dev/null
SELECT converge.edit(:'hers', '["one "]'), converge.edit(:'hers', '[4, "two "]'), converge.snapshot(:'hers', 'a label') \g /dev/null
SELECT set_config('converge.acting_user', 'ben', true) \g /dev/null
SELECT converge.edit(:'hers', '[8, "three"]') \g /dev/null
SELECT set_config('converge.acting_user', 'cleo', true) \g /dev/null
SELECT converge.edit(:'hers', '[13, "!"]'), converge.pack(:'hers', 1) \g /dev/null
INSERT INTO converge.users (id, name, address, password_hash) VALUES ('cleo', 'Cleo', 'cleo@example.org', 'x');
SELECT is(converge.erase_user('cleo'), 3::bigint, 'three ops were hers');
SELECT set_config('converge.acting_user', 'dan', true) \g /dev/null
SELECT is((SELECT string_agg(user_id, ',' ORDER BY version) FROM converge.history(:'hers')), 'erased,erased,ben,erased', 'packed or not');
SELECT is(converge.content(:'hers'), 'one two three!', 'the text stays');
SELECT is((SELECT string_agg(user_id || ':' || role, ',') FROM converge.members(:'hers')), 'dan:owner,*:editor', 'another owns the document now');
SELECT is((converge.document(:'hers')).owner, 'dan', 'as is told of it');
SELECT is((SELECT string_agg(labelled_by, ',') FROM converge.list_snapshots(:'hers') WHERE label IS NOT NULL), 'erased', 'labels');
SELECT is((SELECT count(*) FROM converge.users WHERE id = 'cleo'), 0::bigint, 'the account is gone');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'hers'), 'nothing came to harm');
SELECT is(converge.erase_user('cleo'), 0::bigint, 'nothing is left to erase');
SELECT is(converge.erase_user('ben', 'é'), 1::bigint, 'by another replacement');
SELECT throws_ok(format('SELECT converge.erase_user(''dan'', %L)', r), '22023', NULL, 'no replacement: ' || r) FROM unnest(ARRAY['', '*', 'dan', repeat('x', 256), session_user]) AS r;
-- no member beside
SELECT set_config('converge.acting_user', 'fred', true), converge.create_document('', 'alone', 'f0400000-0000-4000-8000-000000000004') \g /dev/null
SELECT converge.create_document('', 'shared', 'f0400000-0000-4000-8000-000000000005') \g /dev/null
SELECT converge.share('f0400000-0000-4000-8000-000000000005', '*', 'viewer') \g /dev/null
SELECT is(converge.erase_user('fred'), 0::bigint, 'a user who wrote nothing');
SELECT is((SELECT string_agg(user_id, ',') FROM converge.members WHERE doc_id = 'f0400000-0000-4000-8000-000000000004'), 'erased', 'a document is never without an owner');
SELECT set_config('converge.acting_user', 'gus', true), converge.create_document('', 'alone', 'f0400000-0000-4000-8000-000000000006') \g /dev/null
SELECT is(converge.erase_me(), 0::bigint, 'a user who erases themself');
SELECT is((SELECT count(*) FROM converge.documents WHERE id = 'f0400000-0000-4000-8000-000000000006'), 0::bigint, 'takes along what is theirs alone');

SELECT * FROM finish();
ROLLBACK;
