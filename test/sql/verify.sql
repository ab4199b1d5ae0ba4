-- verify: what is damaged is told, and nothing worse comes of it.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set typing :tests '/typing.sql'
\i :typing
\set ECHO all
\set broken '6e100000-0000-4000-8000-000000000001'
\set another '6e100000-0000-4000-8000-000000000002'
SET converge."user" = 'ann';

-- two of them, one packed
SELECT converge.create_document('', U&'na\0301ह😀', :'another');
SELECT converge.share(:'another', 'ben é', 'editor');
SELECT * FROM pg_temp.type(:'another', 1, 40);
SELECT converge.pack(:'another', 0);
SELECT converge.create_document('', U&'na\0301ह😀', :'broken');
SELECT converge.share(:'broken', 'ben é', 'editor');
SELECT * FROM pg_temp.type(:'broken', 1, 20);
SELECT converge.snapshot(:'broken', 'hot');
SELECT * FROM pg_temp.type(:'broken', 21, 30);
SELECT converge.undo_last(:'broken');
SELECT * FROM converge.verify(:'broken');

-- Damage, look, take the damage back.
CREATE FUNCTION pg_temp.verify_after(damage text, doc uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	problems text[];
BEGIN
	BEGIN
		EXECUTE replace(damage, 'THIS', format('doc_id = %L', doc));
		problems := ARRAY(SELECT concat(version, ': ', regexp_replace(regexp_replace(problem, 'rise above .*', 'rise'), 'seq( is|) \d+(, the head says \d+|)', 'seq N')) FROM converge.verify(doc));
		RAISE EXCEPTION 'take it back' USING ERRCODE = 'ZZZZZ';
	EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
		NULL;
	END;
	RETURN QUERY SELECT coalesce(nullif(unnest, ''), '') FROM unnest(coalesce(nullif(problems, '{}'), ARRAY['NOTHING TOLD']));
END
$$;
CREATE TEMP TABLE damages (n serial, damage text);
INSERT INTO damages (damage) VALUES
	('DELETE FROM converge.ops WHERE THIS AND version = 14'),
	('DELETE FROM converge.ops WHERE THIS AND version = 1'),
	('DELETE FROM converge.ops WHERE THIS AND version = (SELECT max(version) FROM converge.ops WHERE THIS)'),
	('DELETE FROM converge.ops WHERE THIS'),
	('UPDATE converge.ops SET version = 1000 WHERE THIS AND version = 25'),
	('UPDATE converge.heads SET version = version + 1 WHERE THIS'),
	('UPDATE converge.heads SET length = length + 1 WHERE THIS'),
	('UPDATE converge.heads SET seq = seq + 1 WHERE THIS'),
	('UPDATE converge.heads SET log_bytes = 1 WHERE THIS'),
	('UPDATE converge.heads SET floor_version = 3 WHERE THIS'),
	('UPDATE converge.heads SET floor_version = -1 WHERE THIS'),
	('UPDATE converge.heads SET floor_version = version + 1 WHERE THIS'),
	('UPDATE converge.heads SET packed_version = version + 1 WHERE THIS'),
	('UPDATE converge.heads SET packed_version = packed_version - 1 WHERE THIS'),
	('UPDATE converge.heads SET packed_version = packed_version + 1 WHERE THIS'),
	('UPDATE converge.heads SET snapshot_version = version + 1 WHERE THIS'),
	('UPDATE converge.heads SET snapshot_version = 19 WHERE THIS'),
	('UPDATE converge.snapshots SET content = overlay(content PLACING ''X'' FROM 2) WHERE THIS AND version = 20'),
	('UPDATE converge.snapshots SET content = content || ''😀'' WHERE THIS AND version = 20'),
	('UPDATE converge.snapshots SET content = ''éaéé'' WHERE THIS AND version = 0'),
	('DELETE FROM converge.snapshots WHERE THIS AND version = 0'),
	('DELETE FROM converge.snapshots WHERE THIS AND version = 20'),
	('UPDATE converge.snapshots SET version = 19 WHERE THIS AND version = 20'),
	('UPDATE converge.snapshots SET version = 1000 WHERE THIS AND version = 20'),
	('INSERT INTO converge.labels SELECT doc_id, 21, l, ''ann'', now() FROM converge.heads, (VALUES (''a''), (''b'')) AS v (l) WHERE THIS'),
	('UPDATE converge.labels SET version = 1000 WHERE THIS'),
	('UPDATE converge.ops SET op = ''[1000,"x"]'' WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET op = ''["é"]'' WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET submitted_hash = submitted_hash + 1 WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET base_version = 26 WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET base_version = -1 WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET seq = 1 WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET created_at = created_at - interval ''1 day'' WHERE THIS AND version = 26'),
	('UPDATE converge.ops SET created_at = created_at + interval ''1 day'' WHERE THIS AND version = 26'),
	('UPDATE converge.documents SET created_at = created_at + interval ''1 day'' WHERE id = (SELECT doc_id FROM converge.heads WHERE THIS)');
SELECT damage, v AS problem FROM damages, pg_temp.verify_after(damage, :'broken') AS v ORDER BY n;

-- and where the older half is packed
SELECT converge.pack(:'broken', 15);
SELECT * FROM converge.verify(:'broken');
TRUNCATE damages;
INSERT INTO damages (damage) VALUES
	('DELETE FROM converge.packs WHERE THIS'),
	('UPDATE converge.packs SET data = '''' WHERE THIS'),
	('UPDATE converge.packs SET data = ''\x00'' WHERE THIS'),
	('UPDATE converge.packs SET data = data || ''\x00'' WHERE THIS'),
	('UPDATE converge.packs SET data = substr(data, 1, length(data) - 1) WHERE THIS'),
	('UPDATE converge.packs SET data = substr(data, 1, length(data) / 2) WHERE THIS'),
	('UPDATE converge.packs SET data = data || data WHERE THIS'),
	('UPDATE converge.packs SET data = (SELECT data FROM converge.packs WHERE doc_id = ''6e100000-0000-4000-8000-000000000002'') WHERE THIS'),
	('UPDATE converge.packs SET doc_id = ''6e100000-0000-4000-8000-00000000dead'' WHERE THIS'),
	('UPDATE converge.packs SET from_version = 2 WHERE THIS'),
	('UPDATE converge.packs SET from_version = 0 WHERE THIS'),
	('UPDATE converge.packs SET to_version = to_version - 1 WHERE THIS'),
	('UPDATE converge.packs SET to_version = to_version + 1 WHERE THIS'),
	('UPDATE converge.packs SET first_at = first_at + interval ''1 day'' WHERE THIS'),
	('INSERT INTO converge.packs SELECT doc_id, 1, 5, first_at, data FROM converge.packs WHERE THIS'),
	('INSERT INTO converge.packs SELECT doc_id, 1, 30, first_at, data FROM converge.packs WHERE THIS'),
	('UPDATE converge.ops SET op_id = (SELECT op_id FROM converge.history(doc_id, 2, 2)) WHERE THIS AND version = 26'),
	('INSERT INTO converge.ops SELECT h.doc_id, o.version, o.seq, o.base_version, o.created_at, o.op_id, 0, o.user_id, o.op FROM converge.heads AS h, converge.history(h.doc_id, 4, 4) AS o WHERE h.THIS');
SELECT damage, v AS problem FROM damages, pg_temp.verify_after(damage, :'broken') AS v ORDER BY n;

-- any one bit of a pack; a bit that says nothing may go unnoticed
CREATE FUNCTION pg_temp.break_each_bit(doc uuid, OUT bits bigint, OUT told bigint, OUT harmless bigint, OUT states text[]) LANGUAGE plpgsql AS $$
DECLARE
	whole bytea := (SELECT data FROM converge.packs WHERE doc_id = doc);
	past text := (SELECT string_agg(h::text, '') FROM converge.history(doc) AS h);
	history text;
BEGIN
	SELECT 0, 0, 0, '{}' INTO bits, told, harmless, states;
	FOR n IN 0 .. 8 * length(whole) - 1 LOOP
		bits := bits + 1;
		UPDATE converge.packs SET data = set_bit(whole, n, 1 - get_bit(whole, n)) WHERE doc_id = doc;
		IF EXISTS (SELECT FROM converge.verify(doc)) THEN
			told := told + 1;
		END IF;
		BEGIN
			history := (SELECT string_agg(h::text, '') FROM converge.history(doc) AS h);
			harmless := harmless + (history = past)::integer;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE <> ALL (states) THEN
				states := states || SQLSTATE::text;
			END IF;
		END;
	END LOOP;
	UPDATE converge.packs SET data = whole WHERE doc_id = doc;
END
$$;
SELECT told + harmless = bits AS each_told, bits > 2000 AS many, harmless < bits / 100 AS few, states FROM pg_temp.break_each_bit(:'broken');
SELECT * FROM converge.verify(:'broken');

-- nothing is kept of what is not whole, as while its rows are being restored
BEGIN;
DELETE FROM converge.snapshots WHERE doc_id = :'broken';
UPDATE converge.heads SET snapshot_version = 0, log_bytes = 100000 WHERE doc_id = :'broken';
SELECT converge.create_document('', 'é', '6e100000-0000-4000-8000-000000000003');
SELECT converge.edit('6e100000-0000-4000-8000-000000000003', '["no matter what stands here"]');
DELETE FROM converge.snapshots WHERE doc_id = '6e100000-0000-4000-8000-000000000003';
UPDATE converge.heads SET log_bytes = 100000 WHERE doc_id = '6e100000-0000-4000-8000-000000000003';
SELECT pg_temp.failure('SELECT converge.snapshot(''6e100000-0000-4000-8000-000000000003'')');
SELECT pg_temp.failure('SELECT converge.maintain_document(''6e100000-0000-4000-8000-000000000003'')');
SELECT pg_temp.failure_detail(format('SELECT converge.maintain_document(%L)', :'broken'));
SELECT version, kind FROM converge.snapshots WHERE doc_id IN (:'broken', '6e100000-0000-4000-8000-000000000003');
ROLLBACK;

-- there is nothing to look at without a head
DELETE FROM converge.heads WHERE doc_id = :'broken';
SELECT pg_temp.failure(format('SELECT converge.verify(%L)', :'broken'));
DELETE FROM converge.ops WHERE doc_id = :'broken';

