-- The versions in which a text came and went.
BEGIN;
SELECT * FROM no_plan();
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
\set doc '0cc00000-0000-4000-8000-000000000001'
SELECT converge.create_document('Eine Größe', 'é cat 😀', :'doc'), converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT converge.edit(:'doc', '["d"]'), converge.edit(:'doc', '[1, "o"]') \g /dev/null
SELECT set_config('converge.acting_user', 'ben', true) \g /dev/null
SELECT converge.edit(:'doc', '[2, "g"]'), converge.edit(:'doc', '[4, {"d": 4}]'), converge.edit(:'doc', '["x"]'), converge.edit(:'doc', '[2, {"d": 1}, "o"]') \g /dev/null

PREPARE found(text) AS SELECT from_version, to_version, pos, last_pos, inserted_by, deleted_by FROM converge.occurrences('0cc00000-0000-4000-8000-000000000001', $1);
SELECT results_eq('EXECUTE found(''dog'')', $$VALUES (3::bigint, 6::bigint, 0::bigint, 1::bigint, 'ben', 'ben'), (6, NULL, 1, 1, 'ben', NULL)$$, 'typed letter by letter, and replaced by itself');
SELECT results_eq('EXECUTE found(''cat'')', $$VALUES (0::bigint, 4::bigint, 2::bigint, 5::bigint, NULL, 'ben')$$, 'there from the beginning, and deleted in part');
SELECT results_eq('EXECUTE found(''gé😀'')', 'SELECT 0::bigint, 0::bigint, 0::bigint, 0::bigint, '''', '''' WHERE false', 'never there');
SELECT is(converge.content(:'doc'), 'xdogé 😀', 'the text');
SELECT converge.edit(:'doc', '[5, {"d": 1}]') \g /dev/null
SELECT results_eq('EXECUTE found(''gé😀'')', $$VALUES (7::bigint, NULL::bigint, 3::bigint, 3::bigint, 'ben', NULL)$$, 'joined by a delete');
SELECT converge.set_content(:'doc', 'aaaa') \g /dev/null
SELECT is((SELECT count(*) FROM converge.occurrences(:'doc', 'aa') WHERE to_version IS NULL), 3::bigint, 'occurrences overlap');
SELECT set_config('converge.acting_user', 'ann', true), converge.pack(:'doc', 3) \g /dev/null
SELECT is((SELECT count(*) FROM converge.occurrences(:'doc', 'dog')), 2::bigint, 'packed or not');
SELECT converge.prune(:'doc', 5) \g /dev/null
SELECT is((SELECT from_version FROM converge.occurrences(:'doc', 'dog') LIMIT 1), 5::bigint, 'from where history begins');
SELECT ok(inserted_at <= deleted_at AND inserted_by IS NULL, 'with times') FROM converge.occurrences(:'doc', 'dog') LIMIT 1;
SELECT throws_ok(format('SELECT * FROM converge.occurrences(%L, %L)', :'doc', ''), '22023', NULL, 'nothing');
SELECT throws_ok(format('SELECT * FROM converge.occurrences(%L, %L)', :'doc', repeat('é', 1001)), 'OT006', NULL, 'too much');
SELECT is_empty(format('SELECT * FROM converge.occurrences(%L, %L)', :'doc', repeat('é', 1000)), 'as much as can be');

-- at random, against the texts of all versions
CREATE FUNCTION pg_temp.compare(seed float, sought text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	doc CONSTANT uuid := gen_random_uuid();
	length bigint;
BEGIN
	PERFORM setseed(seed), converge.create_document('', 'abab', doc);
	FOR n IN 1..60 LOOP
		length := char_length(converge.content(doc));
		PERFORM converge.edit(doc, CASE WHEN random() < 0.6 OR length < 4 THEN converge.insert(floor(random() * (length + 1))::bigint, (ARRAY['a', 'b', 'é', 'ab'])[1 + floor(random() * 4)])
			ELSE converge.replace(floor(random() * (length - 3))::bigint, 1 + floor(random() * 3)::bigint, (ARRAY['', 'a', 'é'])[1 + floor(random() * 3)]) END);
	END LOOP;
	RETURN (SELECT count(*) FROM generate_series(0, (converge.document(doc)).version) AS v,
		LATERAL (SELECT count(*) AS there FROM generate_series(1, 200) AS p WHERE substr(converge.content_at(doc, v), p, char_length(sought)) = sought) AS t
		WHERE there <> (SELECT count(*) FROM converge.occurrences(doc, sought) WHERE from_version <= v AND (to_version IS NULL OR to_version > v)));
END
$$;
SELECT is(pg_temp.compare(seed / 100.0, sought), 0::bigint, format('all versions have as many, case %s, %s', seed, sought)) FROM generate_series(1, 5) AS seed, unnest('{a,ab,aa,éa,aba}'::text[]) AS sought;

-- ---- across documents, and by title ----

SELECT is((SELECT count(*) FROM converge.my_occurrences('gé😀', 1000)), 1::bigint, 'in one''s own documents');
SELECT is((SELECT count(*) FROM converge.my_occurrences('gé😀', 0)), 0::bigint, 'as many as are wanted');
SELECT is((SELECT string_agg(title, ',') FROM converge.my_documents(search => 'GRÖSSE')), NULL, 'another title');
SELECT is((SELECT string_agg(title, ',') FROM converge.my_documents(search => '.*')), NULL, 'no pattern of another kind');
SELECT is((SELECT string_agg(title, ',') FROM converge.my_documents(search => 'größ')), 'Eine Größe', 'a part of a title');
SELECT is((SELECT string_agg(title, ',') FROM converge.my_documents(search => 'EINE gr')), 'Eine Größe', 'whatever the case');
SELECT is((SELECT count(*) FROM converge.my_documents(search => '%')), 0::bigint, 'no pattern');

SELECT * FROM finish();
ROLLBACK;
