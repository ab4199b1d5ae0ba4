-- Whatever may take a right from a document's members is counted in its head, and the relay
-- is told the count with each operation that it submits.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE ann;
CREATE ROLE ben;
CREATE FUNCTION pg_temp.changes() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT member_changes FROM converge.heads WHERE doc_id = 'c0117000-0000-4000-8000-000000000001');
END
$$;
CREATE FUNCTION pg_temp.did(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint := pg_temp.changes();
BEGIN
	EXECUTE statement;
	RETURN pg_temp.changes() - before;
END
$$;

SET SESSION AUTHORIZATION ann;
SELECT converge.create_document('', 'é', 'c0117000-0000-4000-8000-000000000001');
SELECT is(pg_temp.changes(), 0::bigint, 'a new document has no changes of members');
SELECT is(pg_temp.did(format('SELECT converge.%s', format(call, '''c0117000-0000-4000-8000-000000000001'''))), changes::bigint, call) FROM (VALUES
	(1, 'share(%s, ''ben'', ''viewer'')', 0),
	(2, 'share(%s, ''ben'', ''editor'')', 1),
	(3, 'share(%s, ''*'', ''viewer'')', 0),
	(4, 'unshare(%s, ''*'')', 1),
	(5, 'unshare(%s, ''cleo'')', 0),
	(6, 'edit(%s, ''["日"]'')', 0),
	(7, 'rename_document(%s, ''né'')', 0),
	(8, 'snapshot(%s)', 0),
	(9, 'transfer_ownership(%s, ''ben'')', 2)) AS v (n, call, changes);
SELECT is(pg_temp.did($$SELECT converge.unshare('c0117000-0000-4000-8000-000000000001', 'ann')$$), NULL, 'a member who left sees nothing any longer');
RESET SESSION AUTHORIZATION;
SELECT is(pg_temp.changes(), 5::bigint, 'but is counted');

-- not by the functions alone
SELECT is(pg_temp.did($$INSERT INTO converge.members (doc_id, user_id, role) SELECT 'c0117000-0000-4000-8000-000000000001', 'é' || n, 'viewer' FROM generate_series(1, 3) AS n$$),
	0::bigint, 'a new row takes nothing from anybody');
SELECT is(pg_temp.did($$UPDATE converge.members SET role = 'editor' WHERE user_id LIKE 'é%'$$), 3::bigint, 'each row that is updated counts');
SELECT is(pg_temp.did($$DELETE FROM converge.members WHERE user_id LIKE 'é%'$$), 3::bigint, 'or deleted');

-- as logical replication applies it, which fires no ordinary triggers
INSERT INTO converge.members (doc_id, user_id, role) VALUES ('c0117000-0000-4000-8000-000000000001', 'é', 'viewer');
SET LOCAL session_replication_role = replica;
SELECT is(pg_temp.did($$DELETE FROM converge.members WHERE user_id = 'é'$$), 1::bigint, 'a row that replication deletes counts');
SELECT is(pg_temp.did($$TRUNCATE converge.members$$), 1::bigint, 'and all rows that it deletes');
SET LOCAL session_replication_role = origin;

SELECT is(pg_temp.did($$TRUNCATE converge.members$$), 1::bigint, 'all rows at once count in every document');
INSERT INTO converge.members (doc_id, user_id, role) VALUES ('c0117000-0000-4000-8000-000000000001', 'ben', 'owner');

-- submit() tells of the changes before what it applied
CREATE TEMP TABLE answers AS SELECT * FROM converge.submit(array_fill('c0117000-0000-4000-8000-000000000001'::uuid, '{3}'), '{ben,dan,ben}',
	'{0b000000-0000-8000-8000-000000000001,0b000000-0000-8000-8000-000000000002,0b000000-0000-8000-8000-000000000003}', '{1,1,1}', ARRAY['["a"]', '["b"]', '["c"]']);
SELECT results_eq($$SELECT code, version, member_changes FROM answers ORDER BY ord$$,
	$$VALUES ('applied', 2::bigint, 14::bigint), ('forbidden', NULL, NULL), ('applied', 3, 14)$$, 'submit tells how many stand before what it applied');
SELECT converge.become('ben');
SELECT converge.share('c0117000-0000-4000-8000-000000000001', 'dan', 'editor');
SELECT results_eq($$SELECT code, version, member_changes FROM converge.submit(array_fill('c0117000-0000-4000-8000-000000000001'::uuid, '{2}'), '{dan,ben}',
		'{0b000000-0000-8000-8000-000000000002,0b000000-0000-8000-8000-000000000001}', '{1,1}', ARRAY['["b"]', '["a"]'])$$,
	$$VALUES ('applied', 4::bigint, 14::bigint), ('duplicate', 2, NULL)$$, 'and none of the operations applied before');

-- a deleted document leaves nothing
SELECT converge.delete_document('c0117000-0000-4000-8000-000000000001');
SELECT is(pg_temp.changes(), NULL, 'a deleted document counts nothing');

SELECT * FROM finish();
ROLLBACK;
