-- What is far behind is carried over whole packs: an op, a client that catches up, a text.
-- The result is what it is op by op, a duplicate on the way is met, packs without their
-- composition are read as before, and verify finds one that is wrong.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
SELECT setseed(0.4);
\set doc '6a7e0000-0000-4000-8000-0000000000fa'
SET converge."user" = 'ann';
SELECT converge.create_document('', 'Once upon a time.', :'doc') \g /dev/null

-- 12,600 edits at random places in batches, packed in three
CREATE FUNCTION pg_temp.type(doc uuid, batch int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE head converge.heads := h FROM converge.heads h WHERE doc_id = doc;
BEGIN
	PERFORM count(*) FROM (SELECT array_agg(doc) AS docs, array_agg(CASE n % 3 WHEN 0 THEN 'ben' ELSE 'ann' END) AS users,
		array_agg(format('0b000000-0000-8000-8000-%s', lpad(to_hex(batch * 1000 + n), 12, '0'))::uuid ORDER BY n) AS ids,
		array_agg(head.version) AS bases,
		array_agg(CASE WHEN n % 4 = 0 AND head.length > 40 THEN format('[%s,{"d":3}]', (random() * (head.length - 3))::int)
			ELSE format('[%s,"%s"]', (random() * head.length)::int, chr(97 + n % 26)) END) AS ops
		FROM generate_series(1, 420) AS n) AS b, converge.submit(docs, users, ids, bases, ops);
END $$;
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT pg_temp.type(:'doc', batch) FROM generate_series(1, 10) AS batch \g /dev/null
SELECT converge.pack(:'doc', 0) \g /dev/null
SELECT pg_temp.type(:'doc', batch) FROM generate_series(11, 20) AS batch \g /dev/null
SELECT converge.pack(:'doc', 0) \g /dev/null
SELECT pg_temp.type(:'doc', batch) FROM generate_series(21, 30) AS batch \g /dev/null
SELECT converge.pack(:'doc', 100) \g /dev/null
SELECT is((SELECT array_agg((from_version, to_version, composed IS NOT NULL, octet_length(ids) BETWEEN 2 * 64 AND 2 * 80) ORDER BY to_version)::text FROM converge.packs WHERE doc_id = :'doc'),
	'{"(1,4200,t,t)","(4201,8400,t,t)","(8401,12500,t,t)"}', 'three packs, each composed and with a filter');
SELECT is((SELECT count(*) FROM converge.packs AS p WHERE p.doc_id = :'doc'
	AND p.composed::jsonb IS DISTINCT FROM (SELECT converge.compose_agg(h.op ORDER BY h.version) FROM converge.history(:'doc', p.from_version, p.to_version) AS h)::jsonb), 0::bigint,
	'a pack''s composition is that of its ops');

-- what an op becomes, and the id of which version it is a duplicate of, without doing it
CREATE FUNCTION pg_temp.tried(doc uuid, id uuid, base bigint, op converge.op) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	BEGIN
		SELECT format('%s %s', CASE WHEN a.duplicate THEN a.version::text ELSE 'new' END, a.applied::jsonb) INTO result FROM converge.apply_op(doc, id, base, op) AS a;
		RAISE EXCEPTION USING errcode = 'P0042';
	EXCEPTION WHEN SQLSTATE 'P0042' THEN RETURN result;
	END;
END $$;
CREATE TEMP TABLE bases AS
	SELECT base, 'f0000000-0000-4000-8000-000000000001'::uuid AS id,
		(CASE WHEN base % 2 = 0 THEN converge.insert((random() * 10)::int, 'far') ELSE converge.replace((random() * 5)::int, 9, '😀') END)::jsonb AS op
	FROM unnest('{0,1,17,4199,4200,4201,6000,8399,8400,8401,12499,12500,12501,12599,12600}'::bigint[]) AS base;
CREATE TEMP TABLE carried AS SELECT base, op, pg_temp.tried(:'doc', id, base, op::converge.op) AS result FROM bases;
SELECT is((SELECT array_agg(base) FROM carried AS c WHERE result IS DISTINCT FROM 'new '::text ||
	converge.transform(op::converge.op, coalesce((SELECT converge.compose_agg(h.op ORDER BY h.version) FROM converge.history(:'doc', c.base + 1, 12600) AS h WHERE c.base < 12600), '[]'), 'left')::jsonb::text), NULL,
	'an op is carried from every base as over its ops one by one');

-- sent again, from before the pack that has it and from within
SELECT results_eq(format('SELECT v, pg_temp.tried(%L, h.op_id, h.base_version, h.op) LIKE v || '' %%'' FROM (SELECT version AS v, op_id, base_version, op FROM converge.history(%L, 1, 12600)) AS h
	WHERE v IN (1, 2, 4200, 4201, 5000, 8400, 8401, 12500, 12501, 12600) AND base_version = v - 1 ORDER BY 1', :'doc', :'doc'),
	format('SELECT version, true FROM converge.history(%L, 1, 12600) WHERE version IN (1, 2, 4200, 4201, 5000, 8400, 8401, 12500, 12501, 12600) AND base_version = version - 1 ORDER BY 1', :'doc'), 'a duplicate is met wherever it lies');
SELECT throws_ok(format('SELECT converge.apply_op(%L, %L, 0, converge.insert(0, ''other''))', :'doc', (SELECT op_id FROM converge.history(:'doc', 9000, 9000))), 'OT004', NULL,
	'another op under the id of one far ahead is a conflict');

-- catching up and texts
CREATE TEMP TABLE held AS SELECT base, converge.content_at(:'doc', base) AS text FROM unnest('{0,100,4200,4201,9000,12500,12590}'::bigint[]) AS base;
SELECT is((SELECT array_agg(base) FROM held AS h WHERE text IS DISTINCT FROM (
	SELECT converge.apply('Once upon a time.', coalesce(converge.compose_agg(o.op ORDER BY o.version), '[]')) FROM converge.history(:'doc', 1, greatest(h.base, 1)) AS o WHERE o.version <= h.base)
	AND base > 0), NULL, 'a text of the past is that of its ops');
SELECT is((SELECT array_agg((base, c.from_version, c.version, c.seq = o.seq, c.operation_id = o.op_id,
		converge.apply(h.text, (c.frame::jsonb->>'op')::converge.op) = converge.content(:'doc'))) FROM held AS h, converge.catch_up(:'doc', h.base) AS c, converge.history(:'doc', 12600, 12600) AS o
		WHERE base < 12590)::text,
	'{"(0,0,12600,t,t,t)","(100,100,12600,t,t,t)","(4200,4200,12600,t,t,t)","(4201,4201,12600,t,t,t)","(9000,9000,12600,t,t,t)","(12500,12500,12600,t,t,t)"}', 'catching up leads to the head, and names its last op');
SELECT is((SELECT array_agg((from_version, version)) FROM converge.catch_up(:'doc', 10, (SELECT op_id FROM converge.history(:'doc', 6000, 6000))))::text,
	'{"(10,5999)","(5999,6000)","(6000,12600)"}', '... and stops before and after a client''s own op in a pack');
SELECT ok(converge.undo(:'doc', (SELECT op_id FROM converge.history(:'doc', 3000, 3000))) > 12600, 'an op in the first pack is undone');
SELECT is((SELECT count(*) FROM converge.verify(:'doc')), 0::bigint, 'verify finds nothing');

-- without: packs as they were written before
CREATE TEMP TABLE packed AS SELECT from_version, composed, ids FROM converge.packs WHERE doc_id = :'doc';
UPDATE converge.packs SET composed = NULL, ids = NULL WHERE doc_id = :'doc' AND from_version > 1;
SELECT is((SELECT count(*) FROM converge.verify(:'doc')), 0::bigint, 'verify finds nothing in packs without');
UPDATE converge.packs AS p SET composed = packed.composed, ids = packed.ids FROM packed WHERE p.doc_id = :'doc' AND p.from_version = packed.from_version;

-- damaged
UPDATE converge.packs SET composed = '["x"]' WHERE doc_id = :'doc' AND from_version = 4201;
SELECT results_eq(format('SELECT version, problem FROM converge.verify(%L)', :'doc'),
	$$VALUES (8400::bigint, 'the pack that ends with this version differs from its operations composed')$$, 'verify finds a composition that is wrong');
UPDATE converge.packs AS p SET composed = packed.composed, ids = packed.ids FROM packed WHERE p.doc_id = :'doc' AND p.from_version = packed.from_version;
UPDATE converge.packs SET ids = decode(repeat('00', octet_length(ids)), 'hex') WHERE doc_id = :'doc' AND from_version = 8401;
SELECT is((SELECT array_agg(DISTINCT problem) || count(*)::text FROM converge.verify(:'doc')), '{the filter of its pack does not have its operation id,4100}', '... and a filter that lacks ids');
UPDATE converge.packs AS p SET composed = packed.composed, ids = packed.ids FROM packed WHERE p.doc_id = :'doc' AND p.from_version = packed.from_version;

-- all packed
SELECT converge.pack(:'doc', 0) \g /dev/null
SELECT is((SELECT array_agg((c.version, c.seq = o.seq, c.operation_id = o.op_id)) FROM converge.catch_up(:'doc', 4200) AS c, converge.history(:'doc', 12601, 12601) AS o)::text,
	'{"(12601,t,t)"}', 'catching up leads to the head where the last op is packed');
SELECT * FROM finish();
ROLLBACK;
