-- The life of a document: what tells it from another that had its id before, and
-- whether an operation that a client sent is in already.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc '10150000-0000-4000-8000-000000000001'
\set other '10150000-0000-4000-8000-000000000002'
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$
	SELECT ('0b150000-0000-8000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;
SET converge."user" = 'ann';
SELECT converge.create_document('first', 'one', :'doc'), converge.create_document('other', 'one', :'other');
SELECT life AS first FROM converge.open_document(:'doc') \gset
SELECT life AS other_life FROM converge.open_document(:'other') \gset
SELECT :'first' <> :'other_life' AS differ, :'first' = d.life AND d.life = h.life AS kept, (converge.document(:'doc')).life = :'first' AS told
FROM converge.documents AS d JOIN converge.heads AS h ON h.doc_id = d.id WHERE d.id = :'doc';
SELECT life = :'first' AS same FROM converge.join_document('ann', :'doc');

-- at version 0 nothing but the life says that the text is the one that the client holds
SELECT resumed, content, op FROM converge.open_document(:'doc', 0);
SELECT resumed, content, op FROM converge.open_document(:'doc', 0, NULL, :'first');
SELECT resumed, content, op FROM converge.open_document(:'doc', 0, NULL, :'other_life');
SELECT resumed, snapshot IS NULL AS none FROM converge.join_document('ann', :'doc', 0);
SELECT resumed, snapshot IS NULL AS none FROM converge.join_document('ann', :'doc', 0, NULL, :'first');
SELECT resumed, snapshot IS NULL AS none FROM converge.join_document('ann', :'doc', 0, NULL, :'other_life');

-- above, the op does, and the life must not contradict it
SELECT version, seq AS first_seq FROM converge.apply_op(:'doc', pg_temp.id(1), 0, '["1"]') \gset
SELECT given, resumed FROM (VALUES ('none', NULL), ('ours', :'first'::uuid), ('another', :'other_life'::uuid)) AS v (given, life_given),
	converge.open_document(:'doc', 1, pg_temp.id(1), life_given) ORDER BY given;

-- renamed, packed, pruned: the same life
SELECT converge.edit(:'doc', converge.insert(0, n::text)) FROM generate_series(2, 6) AS n;
SELECT converge.rename_document(:'doc', 'another title'), converge.pack(:'doc', 2), converge.prune(:'doc', 3), converge.snapshot(:'doc');
SELECT life = :'first' AS same FROM converge.open_document(:'doc');
SELECT d.life = h.life AS kept FROM converge.documents AS d JOIN converge.heads AS h ON h.doc_id = d.id WHERE d.id = :'doc';

-- deleted and created again, in one transaction or in two: another
BEGIN;
SELECT converge.delete_document(:'doc');
SELECT converge.create_document('second', 'two', :'doc');
COMMIT;
SELECT life AS second FROM converge.open_document(:'doc') \gset
SELECT converge.delete_document(:'doc');
SELECT converge.create_document('third', 'three', :'doc');
SELECT life AS third FROM converge.open_document(:'doc') \gset
SELECT :'second'::uuid > :'first' AS after_first, :'third' NOT IN (:'first', :'second') AS another;
SELECT resumed, content, op FROM converge.open_document(:'doc', 0, NULL, :'first');
SELECT resumed, content, op FROM converge.open_document(:'doc', 0, NULL, :'second');
SELECT resumed, content, op FROM converge.open_document(:'doc', 0, NULL, :'third');

-- a life begins with a seq: the ops of the documents before it have lower ones, its own higher ones
SELECT ('x' || left(replace(:'third', '-', ''), 16))::bit(64)::bigint > :first_seq AS above_first,
	   seq > ('x' || left(replace(:'third', '-', ''), 16))::bit(64)::bigint AS above
FROM converge.apply_op(:'doc', pg_temp.id(1), 0, '["1"]');

-- what is known of versions
SELECT given, converge.has_version(:'doc', version, NULL, 0, life) FROM (VALUES
	('ours', 0, :'third'::uuid), ('ours', 1, :'third'), ('ours', 2, :'third'), ('another', 0, :'first'), ('another', 1, :'first'), ('another', 2, :'first'),
	('none', 0, NULL)) AS v (given, version, life);
SELECT converge.checksum(:'doc', 0, :'third') = converge.checksum(:'doc', 0) AS ours, converge.checksum(:'doc', 0, :'first') AS anothers;
SELECT pg_temp.failure('SELECT converge.checksum(NULL, 0)'), pg_temp.failure($$SELECT converge.checksum('10150000-0000-4000-8000-000000000001', NULL)$$);

-- an op that was made on another document under the same id is not taken
SELECT ord, code, version, message FROM converge.submit(array_fill(:'doc'::uuid, '{3}'), '{ann,ann,ann}', ARRAY[pg_temp.id(11), pg_temp.id(12), pg_temp.id(13)],
	'{1,1,1}', '{"[\"x\"]","[\"y\"]","[\"z\"]"}', false, ARRAY[:'third', :'first', :'third']::uuid[]);
SELECT converge.content(:'doc');
SELECT pg_temp.failure($$SELECT converge.submit('{10150000-0000-4000-8000-000000000001}', '{ann}', '{0b150000-0000-8000-8000-000000000020}', '{0}', '{"[]"}', false, '{}')$$);
SELECT pg_temp.failure($$SELECT converge.submit('{10150000-0000-4000-8000-000000000001}', '{ann}', '{0b150000-0000-8000-8000-000000000020}', '{0}', '{"[]"}', false, '{NULL}')$$);

-- whether a pending op is in: 40 of them, of which the first 30 are packed
\set log '10150000-0000-4000-8000-000000000003'
SELECT converge.create_document('log', '', :'log');
SELECT count(*) FROM generate_series(1, 40) AS n, converge.apply_op(:'log', pg_temp.id(1000 + n), n - 1, '["x"]');
SELECT converge.pack(:'log', 10);
SELECT min(version) AS first_hot FROM converge.ops WHERE doc_id = :'log';
CREATE FUNCTION pg_temp.held(held int, pending int, OUT resumed boolean, OUT version bigint, OUT pending_known boolean, OUT pending_version bigint)
LANGUAGE sql AS $$
	SELECT resumed, version, pending_known, pending_version
	FROM converge.join_document('ann', '10150000-0000-4000-8000-000000000003', held,
								CASE WHEN held > 0 THEN pg_temp.id(1000 + held) END, NULL, pg_temp.id(1000 + pending))
$$;
SELECT held, pending, p.* FROM (VALUES (20, 21), (20, 30), (20, 31), (20, 40), (20, 99), (29, 30), (30, 31), (35, 36), (35, 99), (40, 99),
	(NULL, 1), (NULL, 30), (NULL, 40), (NULL, 99), (0, 1), (41, 5), (41, 99)) AS v (held, pending), pg_temp.held(held, pending) AS p;
-- nothing is said where nothing is asked
SELECT pending_known, pending_version FROM converge.join_document('ann', :'log', 20, pg_temp.id(1020));
-- at the version of another document with the id: what is pending is looked for everywhere
SELECT resumed, pending_known, pending_version FROM converge.join_document('ann', :'log', 39, pg_temp.id(1039), :'first', pg_temp.id(1001));
-- forgotten: what is not found may have been in what is gone, unless the client holds a version of what is kept
SELECT converge.prune(:'log', 25);
SELECT held, pending, p.* FROM (VALUES (20, 21), (20, 28), (20, 35), (20, 99), (26, 27), (26, 99), (NULL, 5), (NULL, 28), (NULL, 99)) AS v (held, pending), pg_temp.held(held, pending) AS p;

SELECT converge.delete_document(id) FROM unnest(ARRAY[:'doc', :'other', :'log']::uuid[]) AS id;
