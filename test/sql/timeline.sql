-- The past in few rows, packed or not, and what is asked for wrongly.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc '71e11e00-0000-4000-8000-000000000001'
SET converge."user" = 'ann';
SELECT converge.create_document('', 'né', :'doc');
SELECT converge.share(:'doc', 'ben', 'editor');
SELECT count(*) FROM converge.timeline(:'doc');
SELECT max(converge.edit(:'doc', converge.insert(0, '😀a'))) FROM generate_series(1, 10);
SET converge."user" = 'ben';
SELECT max(converge.edit(:'doc', converge.replace(0, 3, 'é'))) FROM generate_series(1, 5);

-- the same rows from the log and from packs
CREATE FUNCTION pg_temp.shown(buckets integer, first bigint, last bigint)
	RETURNS TABLE (from_version bigint, to_version bigint, edits bigint, inserted bigint, deleted bigint, users text[]) LANGUAGE sql AS $$
	SELECT t.from_version, t.to_version, t.edits, t.inserted, t.deleted, t.users
	FROM converge.timeline('71e11e00-0000-4000-8000-000000000001', buckets, first, last) t
$$;
SELECT * FROM pg_temp.shown(4, 0, NULL);
SELECT * FROM pg_temp.shown(3, 10, 12);
SELECT * FROM pg_temp.shown(1, 9, 100);
SET converge."user" = 'ann';
SELECT converge.pack(:'doc', 2);
SELECT * FROM pg_temp.shown(4, 0, NULL);
SELECT bool_and(t.from_at = h.first AND t.to_at = h.last) FROM converge.timeline(:'doc', 4) t,
	LATERAL (SELECT min(created_at) AS first, max(created_at) AS last FROM converge.history(:'doc', t.from_version, t.to_version)) h;
SELECT count(*), min(edits), max(edits), sum(edits) FROM converge.timeline(:'doc');
SELECT count(*) FROM pg_temp.shown(5, 16, NULL);

-- what is forgotten is not there
SELECT converge.prune(:'doc', 6);
SELECT * FROM pg_temp.shown(2, 0, NULL);

SELECT count(*) FROM converge.timeline(:'doc', 0);
SELECT count(*) FROM converge.timeline(:'doc', 10001);
SELECT count(*) FROM converge.timeline(NULL);
SELECT count(*) FROM converge.timeline('71e11e00-0000-4000-8000-00000000dead');
