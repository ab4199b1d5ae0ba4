-- What is done to snapshots leaves labelled ones as they are: maintenance that takes and thins
-- them, packing, and pruning, which takes with it the labels below where history begins.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc '1abe1000-0000-4000-8000-000000000001'
SET converge."user" = 'ann';

-- the snapshots, each with its kind and labels
CREATE FUNCTION pg_temp.kept(OUT version bigint, OUT kept text) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT version, concat_ws(' ', kind, string_agg(label, ' + ' ORDER BY labelled_at, label))
	FROM converge.list_snapshots('1abe1000-0000-4000-8000-000000000001') GROUP BY version, kind
$$;
-- another whole text, which makes a snapshot due, and the work that is due
CREATE FUNCTION pg_temp.rewrite(letter text, OUT taken boolean) LANGUAGE sql AS $$
	SELECT converge.edit('1abe1000-0000-4000-8000-000000000001',
						 converge.replace(0, (converge.document('1abe1000-0000-4000-8000-000000000001')).length, repeat(letter, 70000)));
	SELECT snapshot_taken FROM converge.maintain_document('1abe1000-0000-4000-8000-000000000001')
$$;

SELECT converge.create_document('', 'é', :'doc') \g /dev/null
SELECT ok(taken, 'a snapshot is due: ' || letter) FROM unnest('{a,b}'::text[]) AS letter, pg_temp.rewrite(letter);
SELECT is(converge.snapshot(:'doc', 'signed contract'), 2::bigint, 'the due one is labelled');
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SET converge."user" = 'ben';
SELECT is(converge.snapshot(:'doc', 'junk'), 2::bigint, 'twice');
SELECT ok(taken, 'another is due: ' || letter) FROM unnest('{c,d,e}'::text[]) AS letter, pg_temp.rewrite(letter);
SELECT set_eq('SELECT * FROM pg_temp.kept()', $$VALUES (0, 'initial'), (2, 'named signed contract + junk'), (5, 'due')$$,
	'thinned out: labelled ones stay, the first and the newest');
SELECT is(converge.content_at(:'doc', 2), repeat('b', 70000), 'with their text');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'and nothing is wrong with them');

-- maintenance at a version that has a label already
SELECT is(converge.snapshot(:'doc', 'final'), 5::bigint, 'the newest gets a label');
SET converge."user" = 'ann';
SELECT is(converge.pack(:'doc', 0), 5::bigint, 'packed');
SELECT set_eq('SELECT * FROM pg_temp.kept()', $$VALUES (0, 'initial'), (2, 'named signed contract + junk'), (5, 'named final')$$, 'the same are there');

-- without its last label it is kept still; a snapshot that has none is as good
SELECT converge.remove_label(:'doc', 2, 'junk'), converge.remove_label(:'doc', 2, 'signed contract') \g /dev/null
SELECT ok(taken, 'another is due') FROM pg_temp.rewrite('f');
SELECT set_eq('SELECT * FROM pg_temp.kept()', $$VALUES (0, 'initial'), (2, 'named'), (5, 'named final'), (6, 'due')$$, 'no label, and kept');

-- history begins at one, and then above it
SELECT is(converge.prune(:'doc', 5), 5::bigint, 'pruned up to a labelled one');
SELECT set_eq('SELECT * FROM pg_temp.kept()', $$VALUES (5, 'named final'), (6, 'due')$$, 'it has its label');
SELECT is(converge.prune(:'doc', 6), 1::bigint, 'pruned beyond it');
SELECT set_eq('SELECT * FROM pg_temp.kept()', $$VALUES (6, 'floor')$$, 'it is gone');
SELECT is_empty(format('SELECT * FROM converge.labels WHERE doc_id = %L', :'doc'), 'with its label');
SELECT throws_ok(format('SELECT converge.remove_label(%L, 5, ''final'')', :'doc'), 'P0002', NULL, 'which cannot be taken away again');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'and nothing is wrong');

SELECT * FROM finish();
ROLLBACK;
