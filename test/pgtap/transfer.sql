-- Documents that leave and come: what is imported or forked is what was exported, and what is
-- damaged is refused.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc 'e9000000-0000-4000-8000-000000000001'
\set there 'e9000000-0000-4000-8000-000000000002'

-- ---- a document with everything ----

SELECT converge.create_document('Größe', 'é😀 start', :'doc'), converge.share(:'doc', 'ben', 'editor'), converge.share(:'doc', '*', 'viewer') \g /dev/null
DO $$
DECLARE
	doc CONSTANT uuid := 'e9000000-0000-4000-8000-000000000001';
BEGIN
	FOR n IN 1..200 LOOP
		PERFORM set_config('converge.acting_user', CASE n % 3 WHEN 0 THEN 'ben' ELSE 'ann' END, true);
		PERFORM converge.apply_op(doc, gen_random_uuid(), greatest(n - 3, 0), converge.insert(n % 7, chr(97 + n % 26) || '😀'));
		IF n % 40 = 0 THEN
			PERFORM converge.undo_last(doc), converge.snapshot(doc, 'label é ' || n);
		END IF;
	END LOOP;
	PERFORM set_config('converge.acting_user', 'ann', true);
	PERFORM converge.snapshot(doc, 'the same'), converge.snapshot(doc, 'twice'), converge.edit(doc, '["!"]');
END
$$;

CREATE FUNCTION pg_temp.same(a uuid, b uuid, upto bigint DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT results_eq(format('SELECT version, op_id, user_id, base_version, created_at, op FROM converge.history(%L)', b),
			format('SELECT version, op_id, user_id, base_version, created_at, op FROM converge.history(%L, 1, %L)', a, upto), 'the history')
	UNION ALL SELECT results_eq(format('SELECT * FROM converge.blame(%L)', b), format('SELECT * FROM converge.blame(%L, %L)', a, upto), 'the authors')
	UNION ALL SELECT is((SELECT string_agg(DISTINCT v::text, ',') FROM generate_series((converge.document(b)).floor_version, (converge.document(b)).version) AS v
			WHERE converge.content_at(a, v) <> converge.content_at(b, v)), NULL, 'every text')
	UNION ALL SELECT results_eq(format('SELECT version, label, labelled_by, labelled_at FROM converge.list_snapshots(%L) WHERE label IS NOT NULL', b),
			format('SELECT version, label, labelled_by, labelled_at FROM converge.list_snapshots(%L) WHERE label IS NOT NULL AND version <= coalesce(%L, version)', a, upto), 'the labels')
	UNION ALL SELECT results_eq(format('SELECT version, undone_version FROM converge.undos WHERE doc_id = %L ORDER BY 1, 2', b),
			format('SELECT version, undone_version FROM converge.undos WHERE doc_id = %L AND version <= coalesce(%L, version) ORDER BY 1, 2', a, upto), 'the undos')
	UNION ALL SELECT is_empty(format('SELECT * FROM converge.verify(%L)', b), 'and nothing came to harm')
$$;

-- ---- export and import ----

CREATE TEMP TABLE exported (name text, data bytea);
INSERT INTO exported VALUES ('hot', converge.export_document(:'doc'));
SELECT is(converge.import_document(data, :'there'), :'there', 'imported under another id') FROM exported;
SELECT pg_temp.same(:'doc', :'there');
SELECT results_eq(format('SELECT user_id, role, created_at FROM converge.members WHERE doc_id = %L ORDER BY 1', :'there'),
	format('SELECT user_id, role, created_at FROM converge.members WHERE doc_id = %L ORDER BY 1', :'doc'), 'the members');
SELECT is((d.title, d.owner, d.created_at, d.updated_at, d.version, d.length), (o.title, o.owner, o.created_at, o.updated_at, o.version, o.length), 'what is told of it')
FROM converge.document(:'there') AS d, converge.document(:'doc') AS o;
SELECT ok(t.life <> d.life AND (SELECT min(seq) FROM converge.history(:'there')) > (converge.document(:'doc')).seq, 'it has a life and numbers of its own')
FROM converge.document(:'there') AS t, converge.document(:'doc') AS d;
SELECT throws_ok(format('SELECT converge.import_document((SELECT data FROM exported), %L)', id), '23505', NULL, 'an id that is taken')
FROM (VALUES (NULL::uuid), (:'there'::uuid)) AS v (id);

-- it goes on
SELECT is(a.version, 5::bigint, 'an op that was sent before is known') FROM converge.history(:'doc', 5, 5) AS h,
	LATERAL (SELECT a.version FROM converge.apply_op(:'there', h.op_id, h.base_version, converge.insert(5, 'f😀')) AS a WHERE duplicate) AS a;
SELECT is(converge.edit(:'there', '["more"]'), (converge.document(:'doc')).version + 1, 'and edited');
SELECT converge.undo_last(:'there'), converge.snapshot(:'there', 'later'), converge.pack(:'there', 0) \g /dev/null
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'there'), 'nothing came to harm');

-- packed, pruned, empty
SELECT converge.pack(:'doc', 3), converge.prune(:'doc', 90) \g /dev/null
INSERT INTO exported VALUES ('pruned', converge.export_document(:'doc'));
SELECT converge.delete_document(:'there'), converge.import_document(data, :'there') FROM exported WHERE name = 'pruned' \g /dev/null
SELECT pg_temp.same(:'doc', :'there');
SELECT converge.prune(:'doc', (converge.document(:'doc')).version) \g /dev/null
SELECT converge.delete_document(:'there'), converge.import_document(converge.export_document(:'doc'), :'there') \g /dev/null
SELECT is(converge.content(:'there'), converge.content(:'doc'), 'all is forgotten but the text');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'there'), 'nothing came to harm');
SELECT is(converge.edit(:'there', '["x"]'), (converge.document(:'doc')).version + 1, 'it goes on');
SELECT converge.create_document() AS empty \gset
SELECT converge.import_document(converge.export_document(:'empty'), gen_random_uuid()) AS imported \gset
SELECT is(converge.content(:'imported'), '', 'an empty document');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'imported'), 'and nothing came to harm');
SELECT converge.create_document('', '', 'e9000000-0000-4000-8000-000000000009') \g /dev/null
SELECT converge.snapshot('e9000000-0000-4000-8000-000000000009', 'nothing') \g /dev/null
SELECT converge.import_document(converge.export_document('e9000000-0000-4000-8000-000000000009'), gen_random_uuid()) AS imported \gset
SELECT is((SELECT string_agg(label, ',') FROM converge.list_snapshots(:'imported')), 'nothing', 'an empty document with a label');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'imported'), 'and nothing came to harm');

-- ---- damage ----

CREATE FUNCTION pg_temp.tried(bad bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM converge.import_document(bad, gen_random_uuid());
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is((SELECT string_agg(DISTINCT pg_temp.tried(set_byte(data, n, get_byte(data, n) # 16)), ',') FROM generate_series(8, length(data) - 1, greatest(length(data) / 300, 1)) AS n), 'XX001', 'a bit that flipped is found')
FROM exported WHERE name = 'hot';
SELECT is(pg_temp.tried(substr(data, 1, length(data) - 1)), 'XX001', 'one that is cut') FROM exported WHERE name = 'hot';
SELECT is(pg_temp.tried(data || '\x00'), 'XX001', 'one that is longer') FROM exported WHERE name = 'hot';
SELECT is(pg_temp.tried(bad), '22023', 'none at all') FROM unnest(ARRAY['', '\x00', 'some text that is no document at all, though long enough'::bytea]) AS bad;
SELECT is(pg_temp.tried(set_byte(data, 7, 2)), '0A000', 'one of a later format') FROM exported WHERE name = 'hot';
-- with a checksum that fits: what is described is not what the log has
CREATE FUNCTION pg_temp.described(changes jsonb) RETURNS bytea LANGUAGE sql AS $$
	SELECT converge.export_log('e9000000-0000-4000-8000-000000000009', 0, (converge.describe_document('e9000000-0000-4000-8000-000000000009', 0) || changes)::text)
$$;
SELECT is(pg_temp.tried(pg_temp.described('{}')), 'taken', 'a description that fits');
SELECT is(pg_temp.tried(pg_temp.described(changes::jsonb)), code, changes) FROM (VALUES ('{"version": 1}', 'XX001'), ('{"version": -1}', 'XX001'), ('{"title": null}', 'XX001'),
	('{"floor_text": "x", "floor_kind": null}', 'XX001'), ('{"floor_at": "infinity"}', 'XX001'), ('{"rows": {"members": []}}', 'OT002'), ('{"snapshots": [{"version": 7, "created_at": "2020-01-01"}]}', 'XX001')) AS v (changes, code);

-- ---- by a user, who may not speak for others ----

SELECT set_config('converge.acting_user', 'eve', true) \g /dev/null
CREATE TEMP TABLE copies AS SELECT converge.import_copy(data) AS id FROM exported WHERE name = 'hot';
SELECT is((SELECT string_agg(DISTINCT user_id, ',' ORDER BY user_id) FROM converge.history(id)), 'imported:ann,imported:ben', 'authors are marked') FROM copies;
SELECT is((SELECT string_agg(DISTINCT labelled_by, ',') FROM converge.list_snapshots(id)), 'imported:ann,imported:ben', 'those of labels too') FROM copies;
SELECT is((SELECT string_agg(user_id || role, ',') FROM converge.members(id)), 'eveowner', 'the document is theirs alone') FROM copies;
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', id), 'nothing came to harm') FROM copies;
SELECT converge.import_copy(data, 'mine') AS mine FROM exported WHERE name = 'hot' \gset
SELECT is((converge.document(:'mine')).title, 'mine', 'under another title');

-- ---- fork ----

SELECT set_config('converge.acting_user', 'ann', true), converge.delete_document(:'doc'), converge.import_document(data) FROM exported WHERE name = 'hot' \g /dev/null
SELECT set_config('converge.acting_user', 'fred', true) \g /dev/null
CREATE TEMP TABLE forks AS SELECT converge.fork(:'doc') AS plain, converge.fork(:'doc', 100) AS early, converge.fork(:'doc', 100, true) AS whole, converge.fork(:'doc', NULL, true) AS latest;
SELECT is(converge.content(plain), converge.content(:'doc'), 'a fork has the text') FROM forks;
SELECT is((converge.document(plain)).version, 0::bigint, 'and no past') FROM forks;
SELECT is(converge.content(early), converge.content_at(:'doc', 100), 'that of a version') FROM forks;
SELECT pg_temp.same(:'doc', whole, 100) FROM forks;
SELECT pg_temp.same(:'doc', latest) FROM forks;
SELECT is((SELECT string_agg(user_id || role, ',') FROM converge.members(whole)), 'fredowner', 'it is theirs alone') FROM forks;
SELECT is(converge.edit(whole, '["mine"]'), 101::bigint, 'and goes its own way') FROM forks;
SELECT throws_ok(format('SELECT converge.fork(%L, 999, %s)', :'doc', h), 'OT007', NULL, 'a version that does not exist') FROM unnest('{true,false}'::text[]) AS h;
SELECT throws_ok(format('SELECT converge.fork(%1$L, NULL, %2$s, %1$L)', :'doc', h), '23505', NULL, 'an id that is taken') FROM unnest('{true,false}'::text[]) AS h;

-- ---- a move ----

SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
INSERT INTO exported VALUES ('moved', converge.move_out(:'doc'));
SELECT throws_ok(format('SELECT converge.edit(%L, %L)', :'doc', '["x"]'), 'OT003', NULL, 'what was moved takes no edit');
SELECT is(converge.import_document(data), :'doc', 'and is there again elsewhere') FROM exported WHERE name = 'moved';
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'nothing came to harm');

SELECT * FROM finish();
ROLLBACK;
