-- What is kept of the past and how: snapshots, packs, pruning, and what is due.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set typing :tests '/typing.sql'
\i :typing
\set ECHO all
\set doc '4a100000-0000-4000-8000-000000000001'
\set long '4a100000-0000-4000-8000-000000000002'
\set wide '4a100000-0000-4000-8000-000000000003'
\set odd '4a100000-0000-4000-8000-000000000004'
\set cut '4a100000-0000-4000-8000-000000000005'
\set due '4a100000-0000-4000-8000-000000000007'
SET converge."user" = 'ann';

-- All that can be asked about the past, in short; kept, and compared with what was kept.
CREATE FUNCTION pg_temp.past(doc uuid, OUT history text, OUT changes text, OUT blame text, OUT texts text, OUT moments text, OUT diffs text) LANGUAGE sql AS $$
	WITH v AS MATERIALIZED (SELECT * FROM converge.heads AS h, generate_series(h.floor_version, h.version, greatest((h.version - h.floor_version) / 30, 1)) WITH ORDINALITY AS v (at, n) WHERE h.doc_id = doc)
	SELECT (SELECT md5(string_agg(h::text, E'\n')) FROM converge.history(doc) AS h),
		   (SELECT md5(string_agg(c::text, E'\n')) FROM converge.changes(doc) AS c),
		   (SELECT md5(string_agg(b::text, E'\n')) FROM converge.blame(doc) AS b),
		   (SELECT md5(string_agg(converge.content_at(doc, at), E'\n' ORDER BY at)) FROM v),
		   (SELECT md5(string_agg(converge.content_at(doc, h.created_at), E'\n' ORDER BY at)) FROM v JOIN converge.history(doc) AS h ON h.version = at),
		   (SELECT md5(string_agg(converge.diff(doc, a.at, b.at)::text, E'\n' ORDER BY a.at, b.at)) FROM v AS a, v AS b WHERE (a.n + 7 * b.n) % 20 = 0)
$$;
CREATE TEMP TABLE pasts (doc uuid PRIMARY KEY, history text, changes text, blame text, texts text, moments text, diffs text);
CREATE FUNCTION pg_temp.keep_past(doc uuid) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pasts SELECT doc, p.* FROM pg_temp.past(doc) AS p
	ON CONFLICT ON CONSTRAINT pasts_pkey DO UPDATE SET (history, changes, blame, texts, moments, diffs) = ROW (excluded.history, excluded.changes, excluded.blame, excluded.texts, excluded.moments, excluded.diffs)
$$;
CREATE FUNCTION pg_temp.same_past(doc uuid, OUT history boolean, OUT changes boolean, OUT blame boolean, OUT texts boolean, OUT moments boolean, OUT diffs boolean, OUT problems bigint) LANGUAGE sql AS $$
	SELECT p.history = k.history, p.changes = k.changes, p.blame = k.blame, p.texts = k.texts, p.moments = k.moments, p.diffs = k.diffs, (SELECT count(*) FROM converge.verify(doc))
	FROM pasts AS k, pg_temp.past(doc) AS p WHERE k.doc = same_past.doc
$$;
CREATE FUNCTION pg_temp.stored(doc uuid, OUT floor bigint, OUT hot text, OUT packs text, OUT snapshots text) LANGUAGE sql AS $$
	SELECT (SELECT floor_version FROM converge.heads WHERE doc_id = doc),
		   (SELECT concat_ws('-', min(version), max(version)) FROM converge.ops WHERE doc_id = doc),
		   (SELECT string_agg(from_version || '-' || to_version, ' ' ORDER BY to_version) FROM converge.packs WHERE doc_id = doc),
		   (SELECT string_agg(concat_ws(' ', version, kind, left(label, 20)), ', ' ORDER BY version, label COLLATE "C") FROM converge.snapshots LEFT JOIN converge.labels USING (doc_id, version) WHERE doc_id = doc)
$$;

-- snapshots on request
SELECT converge.create_document('', U&'na\0301ह😀', :'doc');
SELECT converge.share(:'doc', 'ben é', 'editor');
SELECT * FROM pg_temp.type(:'doc', 1, 20);
SELECT converge.snapshot(:'doc', 'é first'), converge.snapshot(:'doc');
SELECT * FROM pg_temp.type(:'doc', 21, 30);
SELECT converge.snapshot(:'doc'), converge.snapshot(:'doc', 'named later'), converge.snapshot(:'doc', 'renamed');
SELECT version, kind, label, length, length = char_length(converge.content_at(:'doc', version)) AS whole, created_at <= clock_timestamp() AS told FROM converge.list_snapshots(:'doc');
-- labels of one version stand beside each other, whoever gave them; only an owner takes one away
SELECT converge.snapshot(:'doc', 'signed contract');
SET converge."user" = 'ben é';
SELECT converge.snapshot(:'doc', 'junk'), converge.snapshot(:'doc', 'signed contract'), converge.snapshot(:'doc', ''), converge.snapshot(:'doc');
SELECT version, kind, label, labelled_by, labelled_at <= clock_timestamp() AS told FROM converge.list_snapshots(:'doc') WHERE version = 30;
SELECT pg_temp.failure(format('SELECT converge.remove_label(%L, 30, ''junk'')', :'doc'));
SET converge."user" = 'ann';
SELECT converge.remove_label(:'doc', 30, 'junk'), converge.remove_label(:'doc', 30, '');
SELECT pg_temp.failure(format('SELECT converge.remove_label(%L, %s)', :'doc', arguments)) FROM (VALUES
	(1, '30, ''junk'''), (2, '30, ''Signed contract'''), (3, '20, ''signed contract'''), (4, '31, ''x'''), (5, '-1, ''x'''),
	(6, 'NULL, ''x'''), (7, '30, NULL')) AS v (n, arguments) ORDER BY n;
SELECT pg_temp.failure('SELECT converge.remove_label(NULL, 30, ''x'')'), pg_temp.failure('SELECT converge.remove_label(''4a100000-0000-4000-8000-0000000000ff'', 30, ''x'')');
-- the last one gone, the text stays
SELECT converge.snapshot(:'doc', 'of the same text'), converge.remove_label(:'doc', 20, 'é first');
SELECT version, kind, label FROM converge.list_snapshots(:'doc');
SELECT s.content = converge.content_at(doc_id, version) AS same, s.op_id = h.op_id AS its_op, s.seq = h.seq AS its_seq
FROM converge.snapshots AS s JOIN converge.history(:'doc') AS h USING (version) WHERE doc_id = :'doc' ORDER BY version;
SELECT snapshot_version, log_bytes FROM converge.heads WHERE doc_id = :'doc';
SELECT * FROM converge.verify(:'doc');
SELECT pg_temp.failure(format('SELECT converge.snapshot(%L, repeat(%L, 501))', :'doc', 'é'));
SELECT converge.snapshot(:'doc', repeat('é', 500));
BEGIN;
SELECT converge.edit(:'doc', '["x"]'), converge.snapshot(:'doc', 'in one transaction');
SELECT version, label FROM converge.list_snapshots(:'doc') ORDER BY version DESC LIMIT 1;
ROLLBACK;
SELECT version FROM converge.list_snapshots(:'doc') ORDER BY version DESC LIMIT 1;

-- packing: nothing changes but the place
SELECT pg_temp.keep_past(:'doc');
SELECT converge.pack(:'doc'), converge.pack(:'doc', 30), converge.pack(:'doc', 9223372036854775807);
SELECT converge.pack(:'doc', 20);
SELECT * FROM pg_temp.stored(:'doc');
SELECT * FROM pg_temp.same_past(:'doc');
SELECT converge.pack(:'doc', 12);						-- the small pack is opened again
SELECT * FROM pg_temp.stored(:'doc');
SELECT * FROM pg_temp.same_past(:'doc');
SELECT converge.pack(:'doc', 15);						-- less than there is
SELECT converge.pack(:'doc', 0), converge.pack(:'doc', 0);
SELECT * FROM pg_temp.stored(:'doc');
SELECT * FROM pg_temp.same_past(:'doc');

-- and editing goes on, also below what is packed
SELECT * FROM pg_temp.type(:'doc', 31, 40);
SELECT version, applied FROM converge.apply_op(:'doc', pg_temp.id(41), 2, '["on an old base"]');
SELECT pg_temp.keep_past(:'doc');
SELECT converge.pack(:'doc', 3);
SELECT * FROM pg_temp.stored(:'doc');
SELECT * FROM pg_temp.same_past(:'doc');

-- a packed op sent again is known; the same id with anything else is not
SELECT * FROM pg_temp.type(:'doc', 1, 40);
SELECT a.version, a.duplicate, a.seq = h.seq AND a.applied::text = h.op::text AS same_answer
FROM converge.apply_op(:'doc', pg_temp.id(12), pg_temp.base(12), pg_temp.op(12)::converge.op) AS a JOIN converge.history(:'doc') AS h USING (version);
SELECT n, pg_temp.failure(statement) FROM (VALUES
	(1, format('SELECT converge.apply_op(%L, pg_temp.id(12), pg_temp.base(12), %L)', :'doc', '["other"]')),
	(2, format('SELECT converge.apply_op(%L, pg_temp.id(12), pg_temp.base(12) - 1, pg_temp.op(12)::converge.op)', :'doc')),
	(3, format('SELECT converge.apply_op(%L, pg_temp.id(4), pg_temp.base(4), pg_temp.op(4)::converge.op)', :'doc'))) AS v (n, statement) ORDER BY n;
SELECT ord, code, version, message FROM converge.submit(array_fill(:'doc'::uuid, ARRAY[4]), ARRAY['ann', 'ann', 'ben é', 'ann'], ARRAY[pg_temp.id(1), pg_temp.id(1), pg_temp.id(1), pg_temp.id(42)],
	ARRAY[0, 0, 0, 0]::bigint[], ARRAY[pg_temp.op(1), '["other"]', pg_temp.op(1), '[]']);
SELECT * FROM converge.verify(:'doc');

-- of values that no editing makes
BEGIN;
SELECT converge.create_document('', '', :'odd');
INSERT INTO converge.ops SELECT :'odd', n, s, b, t, md5(n::text)::uuid, h, u, o::converge.op FROM (VALUES
	(1, 9223372036854775807, -9223372036854775808, timestamptz '-infinity', 2147483647, repeat('😀', 63) || 'ab', '["é😀",{"d":1000000000}]'),
	(2, -9223372036854775808, 9223372036854775807, 'infinity', -2147483648, 'ann', '[]'),
	(3, 0, 0, '4713-01-01 BC', 0, 'ann', '[1000000000,"x"]'),
	(4, 5, 4, '294276-12-31', -1, E'\x01', '["a\u0301\u0001"]'),
	(5, 6, 4, '2026-01-31 12:00:00.000001Z', 1, 'ben', '[{"d":1},1,{"d":2},"é",3,"ह"]')) AS v (n, s, b, t, h, u, o);
UPDATE converge.heads SET version = 5 WHERE doc_id = :'odd';
CREATE TEMP TABLE before_packing AS SELECT * FROM converge.history(:'odd');
SELECT converge.pack(:'odd', 0);
SELECT version, a::text = b::text AS same FROM before_packing AS a JOIN converge.history(:'odd') AS b USING (version) ORDER BY version;
SELECT op FROM converge.history(:'odd') WHERE version <> 2;
ROLLBACK;

-- many: packs of 8,192
SELECT converge.create_document('', U&'na\0301ह😀', :'long');
SELECT converge.share(:'long', 'ben é', 'editor');
SELECT * FROM pg_temp.type(:'long', 1, 6000);
SELECT pg_temp.keep_past(:'long');
SELECT converge.pack(:'long', 100);
SELECT * FROM pg_temp.same_past(:'long');
SELECT * FROM pg_temp.type(:'long', 6001, 9000);
SELECT converge.pack(:'long', 50);						-- the last one is large enough
SELECT * FROM pg_temp.stored(:'long');
SELECT converge.pack(:'long', 40);
SELECT * FROM pg_temp.stored(:'long');
SELECT * FROM pg_temp.type(:'long', 9001, 15000);
SELECT pg_temp.keep_past(:'long');
SELECT converge.pack(:'long', 10);						-- opened again, and full
SELECT * FROM pg_temp.stored(:'long');
SELECT * FROM pg_temp.same_past(:'long');
SELECT min(version), max(version), count(*) FROM converge.history(:'long', 14000, 14200);
SELECT version, duplicate FROM converge.apply_op(:'long', pg_temp.id(2), 1, pg_temp.op(2)::converge.op);
SELECT pg_temp.failure(format('SELECT converge.apply_op(%L, pg_temp.id(2), 1, %L)', :'long', '["other"]'));
SELECT version FROM converge.apply_op(:'long', md5('new')::uuid, 3, '["from far behind"]');
SELECT * FROM converge.verify(:'long');

-- wide: a pack ends where it is large enough, and can be opened again there
SELECT converge.create_document('', '', :'wide');
SELECT count(converge.edit(:'wide', converge.insert(0, repeat(chr(64 + n), 3 << 20)))) FROM generate_series(1, 4) AS n;
SELECT converge.pack(:'wide', 1);
SELECT * FROM pg_temp.stored(:'wide');
SELECT count(converge.edit(:'wide', converge.insert(0, repeat(chr(64 + n), 3 << 20)))) FROM generate_series(5, 7) AS n;
SELECT converge.pack(:'wide', 1);
SELECT converge.pack(:'wide', 0);
SELECT * FROM pg_temp.stored(:'wide');
SELECT version, kind, pos, length, left(content, 3) FROM converge.changes(:'wide');
SELECT pos, length(content), left(content, 1), version FROM converge.blame(:'wide');
SELECT * FROM converge.verify(:'wide');

-- pruning
SELECT converge.create_document('', U&'na\0301ह😀', :'cut');
SELECT converge.share(:'cut', 'ben é', 'editor');
SELECT * FROM pg_temp.type(:'cut', 1, 20);
SELECT converge.snapshot(:'cut', 'goes');
SELECT * FROM pg_temp.type(:'cut', 21, 30);
SELECT converge.snapshot(:'cut', 'stays');
SELECT * FROM pg_temp.type(:'cut', 31, 60);
SELECT converge.undo_last(:'cut'), converge.undo(:'cut', pg_temp.id(3));
SELECT converge.pack(:'cut', 12);
CREATE TEMP TABLE whole AS SELECT h.*, converge.content_at(:'cut', version) AS content FROM converge.history(:'cut') AS h;
SELECT converge.prune(:'cut', 0);
SELECT converge.prune(:'cut', 25);
SELECT * FROM pg_temp.stored(:'cut');
SELECT * FROM converge.verify(:'cut');
SELECT version, kind, label, op_id = pg_temp.id(version) AS its_op FROM converge.snapshots LEFT JOIN converge.labels USING (doc_id, version) WHERE doc_id = :'cut' ORDER BY version;
SELECT min(h.version), max(h.version), bool_and(w.content = converge.content_at(:'cut', h.version)) AND bool_and((w.seq, w.op_id, w.user_id, w.base_version, w.created_at, w.op)::text = (h.seq, h.op_id, h.user_id, h.base_version, h.created_at, h.op)::text) AS the_rest_is_the_same
FROM converge.history(:'cut', 1) AS h JOIN whole AS w USING (version);
SELECT converge.content_at(:'cut', 25) = content AS the_floor_too FROM whole WHERE version = 25;
SELECT min(version) FROM converge.changes(:'cut');
SELECT count(*) FILTER (WHERE user_id IS NULL) > 0 AS some_of_nobody, min(version) > 25 AS none_forgotten, string_agg(content, '' ORDER BY pos) = converge.content(:'cut') AS whole FROM converge.blame(:'cut');
SELECT converge.content_at(:'cut', created_at) = content AS moment FROM whole WHERE version = (SELECT max(version) FROM whole WHERE created_at = (SELECT created_at FROM whole WHERE version = 25));
SELECT pg_temp.failure(format(statement, :'cut')) FROM (VALUES
	(1, 'SELECT converge.content_at(%L, 24)'), (2, 'SELECT converge.diff(%L, 24, 30)'), (3, 'SELECT converge.diff(%L, 30, 0)'), (4, 'SELECT converge.blame(%L, 24)'),
	(5, 'SELECT converge.revert(%L, 24)'), (6, 'SELECT converge.undo(%L, pg_temp.id(24))'), (7, 'SELECT converge.prune(%L, 63)'), (8, 'SELECT converge.prune(%L, -1)'),
	(9, 'SELECT converge.pack(%L, -1)'), (10, 'SELECT converge.prune(%L, NULL)'), (11, 'SELECT converge.pack(%L, NULL)'),
	(12, 'SELECT converge.apply_op(%L, pg_temp.id(24), 23, pg_temp.op(24)::converge.op)'),		-- sent again, forgotten: not applied twice
	(13, 'SELECT converge.catch_up(%L, 24)')) AS v (n, statement) ORDER BY n;
SELECT regexp_replace(pg_temp.failure(format('SELECT converge.content_at(%L, %L::timestamptz - interval ''1 us'')', :'cut', created_at)), '20[-+0-9:. ]*', 'T', 'g') FROM whole WHERE version = 25;
SELECT pg_temp.failure('SELECT converge.prune(NULL, 1)'), pg_temp.failure('SELECT converge.pack(NULL, 1)');
SELECT code, message FROM converge.submit(array_fill(:'cut'::uuid, ARRAY[3]), ARRAY['ann', 'ann', 'ann'], ARRAY[pg_temp.id(24), pg_temp.id(26), md5('n')::uuid], ARRAY[23, pg_temp.base(26), 25]::bigint[], ARRAY[pg_temp.op(24), pg_temp.op(26), '["floor"]']);

-- a client behind the floor gets the whole text; one at the floor goes on
SELECT version, resumed, content = converge.content(:'cut') AS whole, op FROM converge.open_document(:'cut', 24, pg_temp.id(24));
SELECT version, resumed, content, op::text = converge.diff(:'cut', 25, version)::text AS missed FROM converge.open_document(:'cut', 25, pg_temp.id(25));
SELECT version, resumed FROM converge.open_document(:'cut', 25, pg_temp.id(24));
SELECT resumed, snapshot IS NULL AS none FROM converge.join_document('ann', :'cut', 25, pg_temp.id(25));
SELECT resumed, snapshot IS NULL AS none FROM converge.join_document('ann', :'cut', 24, pg_temp.id(24));
SELECT resumed FROM converge.open_document(:'cut', 0);
SELECT min(from_version), max(version) FROM converge.catch_up(:'cut', 25);

-- lower, again, at a pack's end, among hot ops, everything
SELECT converge.prune(:'cut', 25), converge.prune(:'cut', 3), converge.prune(:'cut', 0);
SELECT converge.prune(:'cut', 50);
SELECT * FROM pg_temp.stored(:'cut');
SELECT * FROM converge.verify(:'cut');
SELECT converge.prune(:'cut', 55);
SELECT * FROM pg_temp.stored(:'cut');
SELECT * FROM converge.verify(:'cut');
SELECT version, undone_version FROM converge.undos WHERE doc_id = :'cut' ORDER BY version;
SELECT converge.prune(:'cut', version) FROM converge.heads WHERE doc_id = :'cut';
SELECT * FROM pg_temp.stored(:'cut');
SELECT version, floor_version, packed_version, snapshot_version, log_bytes FROM converge.heads WHERE doc_id = :'cut';
SELECT * FROM converge.verify(:'cut');
SELECT count(*) FROM converge.history(:'cut');
SELECT count(*), bool_and(user_id IS NULL) AS nobodys FROM converge.blame(:'cut');
SELECT converge.undo_last(:'cut') IS NULL AS nothing_to_undo;
SELECT resumed, op FROM converge.heads AS h, converge.open_document(:'cut', h.version, (converge.open_document(:'cut')).op_id) WHERE h.doc_id = :'cut';
SELECT converge.edit(:'cut', '["on we go "]'), converge.pack(:'cut', 0);
SELECT left(converge.content(:'cut'), 9), (SELECT seq > (SELECT max(seq) FROM whole) FROM converge.history(:'cut', 64)) AS rising;
SELECT * FROM pg_temp.stored(:'cut');
SELECT * FROM converge.verify(:'cut');
SELECT pg_temp.keep_past(:'doc');
BEGIN;
SELECT converge.prune(:'doc', 20);
SELECT * FROM converge.verify(:'doc');
ROLLBACK;
SELECT * FROM pg_temp.stored(:'doc');
SELECT * FROM pg_temp.same_past(:'doc');

-- what is due: a snapshot, by the bytes of the log and the document's length
SELECT converge.create_document('', '', :'due');
SELECT d = :'due' AS due FROM converge.due_documents() AS d WHERE d = :'due';
SELECT converge.edit(:'due', converge.insert(0, repeat('é', 70000)));
SELECT d = :'due' AS due FROM converge.due_documents() AS d WHERE d = :'due';
SELECT * FROM converge.maintain_document(:'due');
SELECT * FROM converge.maintain_document(:'due');
SELECT d = :'due' AS due FROM converge.due_documents() AS d WHERE d = :'due';
SELECT snapshot_version, log_bytes FROM converge.heads WHERE doc_id = :'due';
SELECT converge.edit(:'due', converge.delete(0, 60000)), converge.edit(:'due', converge.insert(0, repeat('b', 65000)));
SELECT length, log_bytes, version - snapshot_version AS ops FROM converge.heads WHERE doc_id = :'due';
SELECT * FROM converge.maintain_document(:'due');		-- not as much as the document
SELECT converge.edit(:'due', converge.delete(0, 60000));
SELECT * FROM converge.maintain_document(:'due');		-- not as much as it takes at least
SELECT converge.edit(:'due', converge.insert(0, repeat('b', 300)));
SELECT length, log_bytes, version - snapshot_version AS ops FROM converge.heads WHERE doc_id = :'due';
SELECT * FROM converge.maintain_document(:'due');
SELECT * FROM pg_temp.stored(:'due');					-- the older one has gone
SELECT converge.snapshot(:'due', 'stays');
SELECT count(converge.edit(:'due', converge.replace(0, 1000, repeat('b', 1000)))) FROM generate_series(1, 90);
SELECT * FROM converge.maintain_document(:'due');
SELECT count(converge.edit(:'due', converge.replace(0, 1000, repeat('b', 1000)))) FROM generate_series(1, 200);
SELECT * FROM converge.maintain_document(:'due');
SELECT * FROM pg_temp.stored(:'due');
SELECT * FROM converge.verify(:'due');

-- and packing, by the number of ops
SHOW converge.pack_keep;
SHOW converge.pack_batch;
SET converge.pack_keep = 100;
SET converge.pack_batch = 200;
SELECT version FROM converge.heads WHERE doc_id = :'due';
SELECT * FROM converge.maintain_document(:'due');
SELECT * FROM converge.maintain_document(:'due');
SELECT * FROM pg_temp.stored(:'due');
SET converge.pack_keep = 50;
SELECT * FROM converge.maintain_document(:'due');
SELECT count(converge.edit(:'due', '["b"]')) FROM generate_series(1, 199);
SELECT d = :'due' AS due FROM converge.due_documents() AS d WHERE d = :'due';
SELECT converge.edit(:'due', '["b"]');
SELECT d = :'due' AS due FROM converge.due_documents() AS d WHERE d = :'due';

-- all of it at once
CALL converge.maintain();
SELECT count(*) FROM converge.due_documents();
SELECT doc_id = :'due' AS due, hot_ops, packed_ops, packs, pack_bytes > 0 AS bytes, snapshots, snapshot_bytes > 0 AS bytes, snapshot_lag, floor_version FROM converge.storage WHERE doc_id = :'due';
SELECT doc_id, version, hot_ops, packed_ops, packs, snapshots FROM converge.storage WHERE doc_id::text LIKE '4a100000%' ORDER BY doc_id;
SELECT name, table_bytes > 0 AS bytes FROM converge.storage_totals WHERE name <> 'talks' ORDER BY name; -- which may have no row yet
SELECT count(*) FROM converge.maintenance;
SELECT id, problem FROM converge.documents, converge.verify(id) WHERE id::text LIKE '4a100000%' ORDER BY id;
SELECT * FROM converge.maintain_document('4a100000-0000-4000-8000-00000000dead');
SELECT pg_temp.failure('SELECT converge.maintain_document(NULL)');
BEGIN;
CALL converge.maintain();
ROLLBACK;
SELECT lower(setting) FROM pg_settings WHERE name = 'lock_timeout';	-- as it was
SELECT name, context, setting, unit FROM pg_settings WHERE name LIKE 'converge.%' ORDER BY name;
SET converge.pack_batch = 0;
SET converge.maintenance = off;
