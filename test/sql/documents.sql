-- Documents: create, apply, edit, read.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc 'd0c00000-0000-4000-8000-000000000001'
\set other 'd0c00000-0000-4000-8000-000000000002'
\set nowhere 'd0c00000-0000-4000-8000-00000000dead'
\set op1 '0b000000-0000-8000-8000-000000000001'
\set op2 '0b000000-0000-8000-8000-000000000002'
\set op3 '0b000000-0000-8000-8000-000000000003'
\set op4 '0b000000-0000-8000-8000-000000000004'
SET converge."user" = 'ann';

-- create
SELECT converge.create_document('Grüße 😀', 'aéह😀', :'doc');
SELECT converge.create_document(id => :'other');
SELECT converge.create_document() <> converge.create_document() AS fresh;
SELECT converge.content(:'doc'), converge.content(:'other') = '' AS empty, converge.content_at(:'doc', 0);
SELECT title, owner FROM converge.documents WHERE id IN (:'doc', :'other') ORDER BY id;
SELECT version, seq, length, floor_version, snapshot_version, log_bytes FROM converge.heads WHERE doc_id IN (:'doc', :'other') ORDER BY doc_id;
SELECT user_id, role FROM converge.members WHERE doc_id = :'doc';
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.create_document('again', '', 'd0c00000-0000-4000-8000-000000000001')$$),
	($$SELECT converge.create_document(NULL)$$),
	($$SELECT converge.create_document('', NULL)$$),
	($$SELECT converge.create_document('', '', NULL)$$),
	($$SELECT converge.create_document(repeat('é', 1001))$$)) AS v (statement);
SELECT converge.create_document(repeat('😀', 1000), 'e' || U&'\0301', 'd0c00000-0000-4000-8000-000000000003');
SELECT converge.content('d0c00000-0000-4000-8000-000000000003') = U&'e\0301' AS kept;

-- apply_op: in turn, then on a base that others have passed
SELECT version, applied, duplicate, seq > 0 AS numbered FROM converge.apply_op(:'doc', :'op1', 0, '[4,"!"]');
SELECT version, applied, duplicate FROM converge.apply_op(:'doc', :'op2', 0, '[1,"b",{"d":1}]');
SELECT version, applied, duplicate FROM converge.apply_op(:'doc', :'op3', 0, '[4,"?"]');
SELECT converge.content(:'doc');
SELECT version, user_id, base_version, op_id, op, seq > lag(seq, 1, 0::bigint) OVER (ORDER BY version) AS rising
FROM converge.ops WHERE doc_id = :'doc' ORDER BY version;
SELECT version, length, seq = (SELECT max(seq) FROM converge.ops WHERE doc_id = :'doc') AS last,
	   updated_at = (SELECT max(created_at) FROM converge.ops WHERE doc_id = :'doc') AS at_last
FROM converge.heads WHERE doc_id = :'doc';

-- two inserts at one place: who comes later stands first
SELECT applied FROM converge.apply_op(:'other', :'op1', 0, '["ann"]');
SELECT applied FROM converge.apply_op(:'other', :'op2', 0, '["ben"]');
SELECT applied FROM converge.apply_op(:'other', :'op3', 1, '[1,{"d":2}]');
SELECT converge.content(:'other'), converge.content_at(:'other', 1), converge.content_at(:'other', 2);

-- a duplicate gets the first answer again, also after others have passed, and changes nothing
SELECT d.version, d.applied, d.duplicate, d.seq = o.seq AS same_seq
FROM converge.apply_op(:'doc', :'op2', 0, '[1,"b",{"d":1}]') AS d, converge.ops AS o
WHERE o.doc_id = :'doc' AND o.version = d.version;
SELECT version, applied, duplicate FROM converge.apply_op(:'doc', :'op2', 0, ' [1, "", "b", {"d": 1}, 0]');
SELECT version FROM converge.heads WHERE doc_id = :'doc';

-- the same id in another document is another op
SELECT version, duplicate FROM converge.apply_op(:'other', :'op4', 3, '["x"]');
SELECT version, duplicate FROM converge.apply_op(:'doc', :'op4', 3, '["x"]');

-- an op that others have emptied still takes its place
SELECT version, applied FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-000000000005', 4, '[{"d":5}]');
SELECT version, applied FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-000000000006', 4, '[1,{"d":3}]');
SELECT converge.content(:'other') = '' AS empty;

-- what is refused
SELECT pg_temp.failure(format('SELECT converge.apply_op(%L, %L, %s, %L)', doc, op_id, base, op)) FROM (VALUES
	(1, 'd0c00000-0000-4000-8000-00000000dead', '0b000000-0000-8000-8000-0000000000ff', 0, '["x"]'),	-- no document
	(2, :'doc', '0b000000-0000-8000-8000-0000000000ff', 5, '["x"]'),		-- future
	(3, :'doc', '0b000000-0000-8000-8000-0000000000ff', 9223372036854775807, '["x"]'),
	(4, :'doc', '0b000000-0000-8000-8000-0000000000ff', -1, '["x"]'),	-- before the beginning
	(5, :'doc', '0b000000-0000-8000-8000-0000000000ff', -9223372036854775808, '["x"]'),
	(6, :'doc', '0b000000-0000-8000-8000-0000000000ff', 4, '[8,"x"]'),	-- past the end
	(7, :'doc', '0b000000-0000-8000-8000-0000000000ff', 4, '[6,{"d":2}]'),
	(8, :'doc', '0b000000-0000-8000-8000-0000000000ff', 0, '[5,"x"]'),	-- past the end of its base, not of the head
	(9, :'doc', :'op2', 0, '[1,"c",{"d":1}]'),							-- the id of another content,
	(10, :'doc', :'op2', 1, '[1,"b",{"d":1}]')							-- of another base
	) AS v (n, doc, op_id, base, op) ORDER BY n;
SET converge."user" = 'ben';
SELECT pg_temp.failure(format('SELECT converge.apply_op(%L, %L, 0, %L)', :'doc', :'op2', '[1,"b",{"d":1}]'));
SET converge."user" = 'ann';
SELECT converge.share(:'doc', 'ben', 'editor');
SET converge."user" = 'ben';
SELECT pg_temp.failure(format('SELECT converge.apply_op(%L, %L, 0, %L)', :'doc', :'op2', '[1,"b",{"d":1}]')); -- of another user
SET converge."user" = 'ann';
SELECT version, length FROM converge.heads WHERE doc_id = :'doc';
SELECT count(*) FROM converge.ops WHERE doc_id = :'doc';

-- null arguments
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.apply_op(NULL, '0b000000-0000-8000-8000-000000000009', 0, '[]')$$),
	($$SELECT converge.apply_op('d0c00000-0000-4000-8000-000000000001', NULL, 0, '[]')$$),
	($$SELECT converge.apply_op('d0c00000-0000-4000-8000-000000000001', '0b000000-0000-8000-8000-000000000009', NULL, '[]')$$),
	($$SELECT converge.apply_op('d0c00000-0000-4000-8000-000000000001', '0b000000-0000-8000-8000-000000000009', 0, NULL)$$),
	($$SELECT converge.edit(NULL, '[]')$$),
	($$SELECT converge.edit('d0c00000-0000-4000-8000-000000000001', NULL)$$)) AS v (statement);
SELECT converge.content(NULL) IS NULL, converge.content_at(:'doc', NULL::bigint) IS NULL;

-- edit: at the head
SELECT converge.edit(:'doc', converge.replace(0, 2, '😀'));
SELECT converge.edit(:'doc', '[]');
-- what becomes nothing on its way has its version
SELECT version, applied FROM converge.apply_op(:'doc', '0b000000-0000-8000-8000-000000000006', 4, '[{"d":2}]');
SELECT version, base_version, op, user_id, op_id IS NOT NULL AS named FROM converge.ops WHERE doc_id = :'doc' AND version > 4 ORDER BY version;
SELECT count(DISTINCT op_id) FROM converge.ops WHERE doc_id = :'doc';
SELECT pg_temp.failure(format('SELECT converge.edit(%L, %L)', doc, op)) FROM (VALUES
	(:'doc', '[7,"x"]'), (:'nowhere', '["x"]')) AS v (doc, op);

-- every version is still there
SELECT version, converge.content_at(:'doc', version) FROM generate_series(0, 6) AS version;
SELECT converge.content(:'doc') = converge.content_at(:'doc', 6) AS same, char_length(converge.content(:'doc')) = length AS counted
FROM converge.heads WHERE doc_id = :'doc';
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.content_at('d0c00000-0000-4000-8000-000000000001', 7)$$),
	($$SELECT converge.content_at('d0c00000-0000-4000-8000-000000000001', -1)$$),
	($$SELECT converge.content_at('d0c00000-0000-4000-8000-00000000dead', 0)$$),
	($$SELECT converge.content('d0c00000-0000-4000-8000-00000000dead')$$)) AS v (statement);

-- several edits of one statement see each other
SELECT converge.edit(:'other', converge.insert(n, 'é')) FROM generate_series(0, 4) AS n;
SELECT converge.content(:'other');

-- in one transaction: rolled back to a savepoint, then the same op again
BEGIN;
SELECT version, duplicate FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-00000000000a', 11, '["1"]');
SAVEPOINT s;
SELECT version, duplicate FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-00000000000b', 12, '["2"]');
SELECT converge.content(:'other');
ROLLBACK TO s;
SELECT version, duplicate FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-00000000000a', 11, '["1"]');
SELECT version, duplicate FROM converge.apply_op(:'other', '0b000000-0000-8000-8000-00000000000b', 11, '["3"]');
COMMIT;
SELECT converge.content(:'other');
BEGIN;
SELECT converge.edit(:'other', '[{"d":5}]');
ROLLBACK;
SELECT converge.content(:'other');

-- reading inside a function that has just written
CREATE FUNCTION pg_temp.write_and_read(doc uuid, op converge.op) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM converge.edit(doc, op);
	RETURN converge.content(doc);
END
$$;
SELECT pg_temp.write_and_read(:'other', '["w"]');

-- open_document
SELECT role, title, version, seq > 0 AS numbered, op_id IS NOT NULL AS named, resumed, content, op FROM converge.open_document(:'doc');
SELECT version, resumed, content, op FROM converge.open_document(:'doc', 2, :'op2');
SELECT version, resumed, content, op FROM converge.open_document(:'doc', 0, NULL, (converge.document(:'doc')).life);
SELECT version, resumed, content, op FROM converge.open_document(:'doc', 2, :'op1');
SELECT version, resumed, content, op FROM converge.open_document(:'doc', 2);
SELECT version, resumed, content, op FROM converge.open_document(:'doc', 7, :'op2');
SELECT version, resumed, content, op FROM converge.open_document(:'doc', -1, :'op2');
SELECT o.version, o.resumed, o.content, o.op FROM converge.heads AS h, converge.open_document(h.doc_id, h.version, (converge.open_document(h.doc_id)).op_id) AS o WHERE h.doc_id = :'doc';
SELECT role, version, seq, op_id, resumed, content = U&'e\0301' AS whole, op FROM converge.open_document('d0c00000-0000-4000-8000-000000000003');
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.open_document('d0c00000-0000-4000-8000-00000000dead')$$),
	($$SELECT converge.open_document(NULL)$$)) AS v (statement);

-- a million characters in one op, and the document is as long as it says
SELECT converge.edit(:'other', converge.insert(0, repeat('aéह😀', 250000)));
SELECT length FROM converge.heads WHERE doc_id = :'other';
SELECT md5(left(converge.content(:'other'), 1000000)) = md5(repeat('aéह😀', 250000)) AS same;

-- and one that is too much
SELECT pg_temp.failure(format('SELECT converge.edit(%L, converge.insert(0, repeat(%L, 17 << 20)))', :'other', 'a'));
