-- Whether a passage's first character lives: after each kind of op, past a prune, in an import, in events.
BEGIN;
SET client_min_messages = warning;
SELECT * FROM no_plan();

\set doc '''7a1c0000-0000-4000-8000-00000000a11e'''
\set twin '''7a1c0000-0000-4000-8000-00000000a11f'''
\set moved '''7a1c0000-0000-4000-8000-00000000a120'''
\set thread '''7a1c0000-0000-4000-8000-00000000000a'''
CREATE FUNCTION pg_temp.places(doc uuid, version bigint DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.from_pos, t.to_pos, CASE WHEN t.alive THEN 'alive' END, CASE WHEN t.orphan THEN 'orphan' END), ', ' ORDER BY t.id)
	FROM converge.threads_at(doc, version) AS t
$$;
CREATE FUNCTION pg_temp.edit(doc uuid, op converge.op) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM converge.edit(doc, op); RETURN pg_temp.places(doc); END$$;
SET converge."user" = 'ann';
SELECT converge.create_document('soup', 'é😀 rice!', :doc) \g /dev/null
SELECT converge.comment(:doc, 'which?', 3, 7, 0, :thread) \g /dev/null

-- ---- each kind of op ----

SELECT is(pg_temp.places(:doc), '3 7 alive', 'where it is made its first character lives');
SELECT is(pg_temp.edit(:doc, converge.insert(0, '😀')), '4 8 alive', 'an insert before it');
SELECT is(pg_temp.edit(:doc, converge.insert(4, '_')), '5 9 alive', 'an insert at its start pushes it');
SELECT is(pg_temp.edit(:doc, converge.delete(6, 1)), '5 8 alive', 'a delete within');
SELECT is(pg_temp.edit(:doc, converge.insert(8, 'x')), '5 8 alive', 'an insert at its end');
SELECT is(pg_temp.edit(:doc, converge.delete(4, 2)), '4 6', 'a delete of its first character and the one before');
SELECT is(pg_temp.edit(:doc, converge.insert(4, 'x')), '4 7', 'an insert at its start is now within it');
SELECT is(pg_temp.edit(:doc, converge.replace(4, 1, 'yz')), '4 8', 'a replacement at its start');
SELECT is(pg_temp.places(:doc, 4), '5 8 alive', 'in an earlier version it lives');
SELECT is(pg_temp.edit(:doc, converge.delete(2, 8)), '2 2 orphan', 'of an orphan no character lives');
SELECT is(pg_temp.edit(:doc, converge.insert(2, 'o')), '2 2 orphan', 'nor after an insert there');
SELECT is(pg_temp.edit(:doc, converge.replace(2, 1, 'a rice b')), '4 8 alive', 'with its quote it lives again');
SELECT is(pg_temp.edit(:doc, converge.insert(4, '_')), '5 9 alive', 'and is pushed again');
SELECT is(pg_temp.edit(:doc, converge.delete(4, 5)), '4 4 orphan', 'deleted again');
SELECT is(pg_temp.edit(:doc, converge.insert(4, 'ri')), '4 4 orphan', 'a part of its quote');
SELECT is(pg_temp.edit(:doc, '[{"d":7}]'), '0 0 orphan', 'all gone');
SELECT is(pg_temp.edit(:doc, '["é😀 r!"]'), '0 0 orphan', 'in two steps');
SELECT is(pg_temp.edit(:doc, '[4,"ice"]'), '3 7 alive', 'found by its quote it lives');
SELECT is(pg_temp.edit(:doc, '[{"d":8},"é😀 rice!"]'), '3 7 alive', 'as where one op brings it back');

-- ---- past a prune: as in a document that was not pruned ----

SELECT converge.comment(:doc, 'all of it', 0, 8) \g /dev/null
SELECT converge.edit(:doc, '[{"d":1},2,{"d":1}]') \g /dev/null
SELECT converge.comment(:doc, 'new', 1, 3) \g /dev/null
SELECT converge.edit(:doc, '[5,{"d":1}]') AS version \gset
SELECT converge.import_document(converge.export_document(:doc), :twin) \g /dev/null
SELECT set_eq(format('SELECT id, version, from_pos, to_pos, alive FROM converge.threads WHERE doc_id = %L', :twin),
	format('SELECT id, version, from_pos, to_pos, alive FROM converge.threads WHERE doc_id = %L', :doc), 'an import has the places of the export');
SELECT pg_temp.places(:doc) AS before \gset
SELECT converge.prune(:doc, :version) \g /dev/null
SELECT is(pg_temp.places(:doc), :'before', 'pruned, all are where they were');
SELECT is((SELECT array_agg(t.alive ORDER BY t.from_pos) FROM converge.threads t WHERE t.doc_id = :doc AND t.version = :version), '{f,t,f}', 'which rows say at the oldest version left');
SELECT set_eq(format('SELECT (event ->> %L)::uuid, (event ->> %L)::boolean FROM converge.talk_events(%L) WHERE event ->> %L = %L', 'id', 'alive', :doc, 'type', 'thread'),
	format('SELECT id, alive FROM converge.threads WHERE doc_id = %L', :doc), 'and events');
SELECT is(pg_temp.edit(:doc, '["<",1,">",1,"|"]'), pg_temp.edit(:twin, '["<",1,">",1,"|"]'), 'an insert at their starts moves the same ones');
SELECT converge.import_document(converge.export_document(:doc), :moved) \g /dev/null
SELECT is(pg_temp.places(:moved), pg_temp.places(:doc), 'an import of what was pruned');
SELECT is(pg_temp.edit(:moved, '[">",5,"<"]'), pg_temp.edit(:doc, '[">",5,"<"]'), 'carries them on the same');
SELECT converge.prune(:doc, :version + 1) \g /dev/null
SELECT is(pg_temp.places(:doc), pg_temp.places(:moved), 'pruned twice');
SELECT converge.resolve_thread(:doc, :thread) \g /dev/null
SELECT is((SELECT t.alive FROM converge.threads_at(:doc) t WHERE t.id = :thread), false, 'a resolved one stays as it was');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :doc), 'nothing is wrong');

-- ---- forks ----

SELECT converge.fork(:doc, NULL, true) AS forked \gset
SELECT is_empty(format('SELECT * FROM converge.threads_at(%L)', :'forked'), 'talk stays with its document');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'forked'), 'nothing is wrong with the fork');

-- ---- what verify finds, and what is refused ----

UPDATE converge.threads SET to_pos = from_pos, alive = true WHERE doc_id = :twin AND version = 0;
SELECT results_eq(format('SELECT problem FROM converge.verify(%L)', :twin),
	$$VALUES ('thread 7a1c0000-0000-4000-8000-00000000000a is empty at 3, but its first character is recorded as alive')$$, 'an orphan that is recorded as alive');
SELECT results_eq(format('SELECT * FROM converge.carry_ranges(%L, 1, %L, ARRAY[3], ARRAY[3], ARRAY[4], ARRAY[%L], ARRAY[%L], ARRAY[%L], ARRAY[true])', :twin, '{0}', 'bean', '', ''),
	'VALUES (1, 4::bigint, 4::bigint, false)', 'which is taken for an orphan');
SELECT throws_ok(format('SELECT * FROM converge.carry_ranges(%L, 0, ARRAY[0], ARRAY[3], ARRAY[7], ARRAY[4], ARRAY[%L], ARRAY[%L], ARRAY[%L], %L)', :twin, 'rice', '', '', living),
	'2202E', wanted, what)
FROM (VALUES ('{}', 'argument 10 has 0 elements, but must have 1', 'too few'), ('{t,f}', 'argument 10 has 2 elements, but must have 1', 'too many'),
	('{NULL}', 'argument 10 must be an array of one dimension without nulls', 'none')) AS v (living, wanted, what);

SELECT * FROM finish();
ROLLBACK;
