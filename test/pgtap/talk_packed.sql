-- Where passages are does not depend on how the log is stored: as rows, or in packs that are read as one op.
BEGIN;
SET client_min_messages = warning;
SELECT * FROM no_plan();

\set doc '''7a1c0000-0000-4000-8000-00000000a130'''
CREATE FUNCTION pg_temp.places(doc uuid, version bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.from_pos, t.to_pos, t.alive, t.orphan), ', ' ORDER BY t.id) FROM converge.threads_at(doc, version) AS t
$$;
SET converge."user" = 'ann';
SELECT converge.create_document('soup', repeat('Boil the 😀 rice, é. ', 20), :doc) \g /dev/null
SELECT converge.comment(:doc, 'x', n * 20, n * 20 + 1 + n) FROM generate_series(0, 18) AS n \g /dev/null
-- typing beside them, deleting of first characters and of whole passages, one of which is typed again and goes again
SELECT converge.edit(:doc, converge.insert((n * 7919) % 400, 'é')) FROM generate_series(1, 40) AS n \g /dev/null
SELECT converge.edit(:doc, converge.delete(t.from_pos, 1)) FROM (SELECT * FROM converge.threads_at(:doc) OFFSET 17 LIMIT 1) AS t \g /dev/null
SELECT max(version) AS before FROM converge.history(:doc) \gset
SELECT converge.comment(:doc, 'later', 100, 110) \g /dev/null
SELECT converge.edit(:doc, '[50,{"d":120}]') AS gone, converge.undo_last(:doc) AS back \gset
SELECT converge.edit(:doc, '[200,{"d":60}]'), converge.edit(:doc, converge.insert(200, 'x')), converge.edit(:doc, converge.insert(10, 'y')) \g /dev/null
SELECT converge.edit(:doc, converge.insert(n, 'z')) FROM generate_series(1, 10) AS n \g /dev/null
SELECT max(version) AS head FROM converge.history(:doc) \gset
CREATE TEMP TABLE rows AS SELECT v, pg_temp.places(:doc, v) AS places FROM generate_series(0, :head) AS v;
SELECT ok(places LIKE '%f f%' AND places LIKE '%f t%' AND places LIKE '%t f%', 'some have their first character, some have not, some are orphans') FROM rows WHERE v = :head;

SELECT is(converge.pack(:doc, :head - :before), :before::bigint, 'what is before one was made is packed');
SELECT converge.pack(:doc, :head - :back) \g /dev/null
SELECT results_eq(format('SELECT v, pg_temp.places(%L, v) FROM generate_series(0, %s) AS v', :doc, :head), 'SELECT * FROM rows', 'all are where they were, at every version');
SELECT converge.pack(:doc, 0) \g /dev/null
SELECT results_eq(format('SELECT v, pg_temp.places(%L, v) FROM generate_series(0, %s) AS v', :doc, :head), 'SELECT * FROM rows', 'and with all of it packed');
SELECT is(count(composed), count(*), 'each pack has its ops as one') FROM converge.packs WHERE doc_id = :doc;

SELECT * FROM finish();
ROLLBACK;
