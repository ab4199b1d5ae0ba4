-- What the relay asks when somebody joins or is behind: join_document, catch_up.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc '10140000-0000-4000-8000-000000000001'
\set fresh '10140000-0000-4000-8000-000000000002'
SET converge."user" = 'ann';
SELECT converge.create_document('Grüße "😀"', E'é\n"\\\t😀' || chr(1) || chr(127), :'doc'), converge.create_document('', '', :'fresh');
SELECT converge.share(:'doc', 'dan', 'viewer');
RESET converge."user";
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$
	SELECT ('0b140000-0000-8000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;

-- at version 0
SELECT role, title, version, seq, operation_id, resumed, snapshot FROM converge.join_document('ann', :'doc');
SELECT role, title, version, seq, operation_id, resumed, snapshot FROM converge.join_document('ann', :'doc', 0, NULL, (SELECT life FROM converge.documents WHERE id = :'doc'));
SELECT version, resumed, snapshot FROM converge.join_document('ann', :'fresh');
SELECT * FROM converge.catch_up(:'doc', 0);

-- at version 3
SELECT ord, code FROM converge.submit(array_fill(:'doc'::uuid, '{3}'), '{ann,ann,ann}', ARRAY[pg_temp.id(1), pg_temp.id(2), pg_temp.id(3)],
	'{0,1,2}', ARRAY['["1"]', '[1,"\u0001é\"\\\n😀"]', '[{"d":1}]']);
SELECT role, title, version, seq > 0 AS numbered, operation_id, resumed, pg_temp.plain(snapshot) FROM converge.join_document('dan', :'doc');
SELECT (snapshot::json ->> 'content') = convert_from(decode('01c3a9225c0af09f9880c3a90a225c09f09f9880017f', 'hex'), 'UTF8') AS exact FROM converge.join_document('dan', :'doc');
SELECT known, resumed, version, snapshot IS NULL AS none FROM (VALUES (0, NULL), (1, pg_temp.id(1)), (2, pg_temp.id(2)), (3, pg_temp.id(3)),
	(1, NULL), (1, pg_temp.id(2)), (0, pg_temp.id(1)), (4, pg_temp.id(3)), (-1, NULL), (NULL, pg_temp.id(1))) AS v (known, id),
	converge.join_document('ann', :'doc', known, id);

-- whom it does not let in
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.join_document('eve', '10140000-0000-4000-8000-000000000001')$$),
	($$SELECT converge.join_document('ann', '10140000-0000-4000-8000-00000000dead')$$),
	($$SELECT converge.join_document('', '10140000-0000-4000-8000-000000000001')$$),
	($$SELECT converge.join_document(NULL, '10140000-0000-4000-8000-000000000001')$$),
	($$SELECT converge.join_document('ann', NULL)$$)) AS v (statement);

-- catching up: all, one, none, from the future
SELECT from_version, version, pg_temp.plain(frame) FROM converge.catch_up(:'doc', 0);
SELECT from_version, version, pg_temp.plain(frame) FROM converge.catch_up(:'doc', 2);
SELECT count(*) FROM converge.catch_up(:'doc', 3);
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.catch_up('10140000-0000-4000-8000-000000000001', 4)$$),
	($$SELECT converge.catch_up('10140000-0000-4000-8000-000000000001', -1)$$),
	($$SELECT converge.catch_up('10140000-0000-4000-8000-00000000dead', 0)$$),
	($$SELECT converge.catch_up('10140000-0000-4000-8000-000000000001', NULL)$$),
	($$SELECT converge.catch_up(NULL, 0)$$)) AS v (statement);

-- what made a version: the same op under the same seq, or not known; another one; no such version; forgotten ones are below
SELECT version, pg_temp.id(v.id) AS op_id, v.seq AS seq, converge.has_version(:'doc', version, pg_temp.id(v.id), first.seq + v.seq)
FROM (VALUES (0, NULL, 0), (0, 1, 0), (1, 1, 0), (3, 3, 2), (3, NULL, 9), (3, 3, 1), (3, 2, 2), (2, 3, 2), (4, 3, 2), (4, NULL, 0), (-1, NULL, 0)) AS v (version, id, seq),
	(SELECT min(seq) AS seq FROM converge.ops WHERE doc_id = :'doc') AS first;
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.has_version('10140000-0000-4000-8000-00000000dead', 0, NULL, 0)$$),
	($$SELECT converge.has_version(NULL, 0, NULL, 0)$$),
	($$SELECT converge.has_version('10140000-0000-4000-8000-000000000001', NULL, NULL, 0)$$)) AS v (statement);

-- across a pending op: it stands alone, whether it is the first, in the middle, the last, or not there
SELECT pending, from_version, version, pg_temp.plain(frame) FROM unnest(ARRAY[pg_temp.id(1), pg_temp.id(2), pg_temp.id(3), pg_temp.id(99)]) AS pending,
	converge.catch_up(:'doc', 0, pending);

-- many: composed. Whoever applies the frames in order to the text at the version before has the text after.
SELECT count(*) FROM converge.submit(array_fill(:'doc'::uuid, '{2000}'), array_fill('ann'::text, '{2000}'),
	(SELECT array_agg(pg_temp.id(1000 + n) ORDER BY n) FROM generate_series(1, 2000) AS n),
	array_fill(3::bigint, '{2000}'),
	(SELECT array_agg(CASE WHEN n % 3 = 0 THEN '[2,{"d":1}]' ELSE format('[2,"%s😀"]', n) END ORDER BY n) FROM generate_series(1, 2000) AS n));
SELECT pending, from_version, version, frame::json ->> 'type' AS type, frame::json ->> 'fromVersion' AS from, frame::json ->> 'version' AS to,
	   frame::json ->> 'operationId' AS operation, json_array_length(frame::json -> 'ops') AS ops, (frame::json -> 'ops' -> 0) ->> 'operationId' AS first
FROM unnest(ARRAY[NULL, pg_temp.id(1), pg_temp.id(2), pg_temp.id(2000), pg_temp.id(2999), pg_temp.id(3000)]) WITH ORDINALITY AS p (pending, n), converge.catch_up(:'doc', 0, pending)
ORDER BY n, from_version;
SELECT set_config('converge.user', 'ann', false);
SELECT p.n, converge.apply(converge.content_at(:'doc', 0), converge.compose_agg(coalesce(f.frame::jsonb -> 'op', e.entry -> 'op')::converge.op ORDER BY f.from_version, e.n))
	   = converge.content(:'doc') AS whole
FROM unnest(ARRAY[NULL, pg_temp.id(1), pg_temp.id(2000), pg_temp.id(3000)]) WITH ORDINALITY AS p (pending, n)
	CROSS JOIN LATERAL converge.catch_up(:'doc', 0, p.pending) AS f
	LEFT JOIN LATERAL jsonb_array_elements(f.frame::jsonb -> 'ops') WITH ORDINALITY AS e (entry, n) ON true
GROUP BY p.n ORDER BY p.n;
SELECT regexp_replace(pg_temp.plain(frame), '"op":.*', '"op":...') FROM converge.catch_up(:'doc', 0) LIMIT 1;

-- checksums
SELECT bool_and(converge.checksum(:'doc', n) = encode(sha256(convert_to(converge.content_at(:'doc', n), 'UTF8')), 'hex')) AS equal FROM generate_series(0, 3) AS n;
SELECT pg_temp.failure($$SELECT converge.checksum('10140000-0000-4000-8000-000000000001', 99999)$$);
SELECT pg_temp.failure($$SELECT converge.checksum('10140000-0000-4000-8000-00000000dead', 0)$$);

-- below the floor; whoever stands at it goes on
SELECT converge.prune(:'doc', 2);
SELECT pg_temp.failure($$SELECT converge.catch_up('10140000-0000-4000-8000-000000000001', 1)$$);
SELECT pg_temp.failure($$SELECT converge.checksum('10140000-0000-4000-8000-000000000001', 1)$$);
SELECT known, converge.has_version(:'doc', h.version + known, op_id, h.seq)
FROM converge.heads AS h, (SELECT operation_id AS op_id FROM converge.join_document('ann', :'doc')) AS o, (VALUES (0), (-1)) AS v (known)
WHERE doc_id = :'doc';
-- the op that made the floor is forgotten, too, so who holds it begins again
SELECT known, resumed, version FROM (VALUES (1, pg_temp.id(1)), (2, pg_temp.id(2)), (3, pg_temp.id(3)), (0, NULL)) AS v (known, id), converge.join_document('ann', :'doc', known, id);
SELECT pg_temp.failure($$SELECT converge.apply_op('10140000-0000-4000-8000-000000000001', '0b140000-0000-8000-8000-00000000abcd', 1, '["x"]')$$);
SELECT code, version, message FROM converge.submit(ARRAY[:'doc']::uuid[], '{ann}', ARRAY[pg_temp.id(7777)], '{1}', '{"[\"x\"]"}');
