-- A large batch of ops that have missed different stretches of the log comes to
-- just what they come to one by one: composed runs of missed ops change nothing.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set singly 'ba7c0000-0000-4000-8000-000000000001'
\set batched 'ba7c0000-0000-4000-8000-000000000002'
\set text 'aé😀é字 the quick brown fox jumps over the lazy dog'
SELECT setseed(0.25);
SELECT converge.create_document('singly', :'text', :'singly'), converge.create_document('batched', :'text', :'batched');

-- a past of 700 ops in both, then 1,500 ops on bases anywhere in it or in the batch before them
CREATE TEMP TABLE edits AS
	SELECT n, ('0bba7c00-0000-8000-8000-' || lpad(n::text, 12, '0'))::uuid AS op_id,
		   CASE WHEN n <= 700 THEN n - 1 ELSE 700 - floor(700 * random() ^ 3)::int END AS base,
		   random() AS place, random() AS kind
	FROM generate_series(1, 2200) AS n;
CREATE TEMP TABLE made (n int, op_id uuid, base bigint, op converge.op);
DO $$
DECLARE
	e record;
	made_op converge.op;
	pos bigint;
	len bigint;
BEGIN
	FOR e IN SELECT * FROM edits ORDER BY n LOOP
		len := length(converge.content_at('ba7c0000-0000-4000-8000-000000000001', e.base));
		pos := floor(e.place * (len - 3));
		made_op := CASE WHEN e.kind < 0.5 THEN converge.insert(pos, chr(97 + e.n % 26) || 'é')
						WHEN e.kind < 0.8 THEN converge.delete(pos, 2)
						ELSE converge.replace(pos, 3, '😀' || e.n) END;
		INSERT INTO made VALUES (e.n, e.op_id, e.base, made_op);
		PERFORM converge.apply_op('ba7c0000-0000-4000-8000-000000000001', e.op_id, e.base, made_op);
	END LOOP;
END
$$;
SELECT count(converge.apply_op(:'batched', op_id, base, op)) FROM (SELECT * FROM made WHERE n <= 700 ORDER BY n) AS m;
SELECT s.code, count(*)
FROM (SELECT array_agg(op_id ORDER BY n) AS ids, array_agg(base ORDER BY n) AS bases, array_agg(op::text ORDER BY n) AS ops
	  FROM made WHERE n > 700) AS b,
	 converge.submit(array_fill(:'batched'::uuid, ARRAY[1500]), array_fill(session_user::text, ARRAY[1500]), ids, bases, ops) AS s
GROUP BY s.code;
SELECT count(*) AS transformed FROM converge.history(:'batched') WHERE base_version < version - 1;
SELECT count(*) AS different
FROM converge.history(:'singly') AS a FULL JOIN converge.history(:'batched') AS b USING (version)
WHERE (a.op_id, a.base_version, a.op::text) IS DISTINCT FROM (b.op_id, b.base_version, b.op::text);
SELECT converge.content(:'singly') = converge.content(:'batched') AS same_text;

-- the same from packs: a resubmitted batch is all duplicates, and new ops land as they did singly
SELECT converge.pack(:'batched', 100);
SELECT s.code, count(*), count(*) FILTER (WHERE s.version = 700 + s.ord) AS same_version
FROM (SELECT array_agg(op_id ORDER BY n) AS ids, array_agg(base ORDER BY n) AS bases, array_agg(op::text ORDER BY n) AS ops
	  FROM made WHERE n > 700) AS b,
	 converge.submit(array_fill(:'batched'::uuid, ARRAY[1500]), array_fill(session_user::text, ARRAY[1500]), ids, bases, ops) AS s
GROUP BY s.code;
CREATE TEMP TABLE late AS
	SELECT n, gen_random_uuid() AS op_id, 3 * n AS base, converge.insert(n % 40, 'late' || n)::text AS op FROM generate_series(1, 200) AS n;
SELECT count(converge.apply_op(:'singly', op_id, base, op::converge.op)) FROM (SELECT * FROM late ORDER BY n) AS m;
SELECT s.code, count(*)
FROM (SELECT array_agg(op_id ORDER BY n) AS ids, array_agg(base ORDER BY n) AS bases, array_agg(op ORDER BY n) AS ops FROM late) AS b,
	 converge.submit(array_fill(:'batched'::uuid, ARRAY[200]), array_fill(session_user::text, ARRAY[200]), ids, bases, ops) AS s
GROUP BY s.code;
SELECT count(*) AS different
FROM converge.history(:'singly') AS a FULL JOIN converge.history(:'batched') AS b USING (version)
WHERE (a.op_id, a.base_version, a.op::text) IS DISTINCT FROM (b.op_id, b.base_version, b.op::text);
SELECT * FROM converge.verify(:'batched');
