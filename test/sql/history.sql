-- History: versions, moments, who did what; going back by going on.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc '41570000-0000-4000-8000-000000000001'
\set empty '41570000-0000-4000-8000-000000000002'
\set undone '41570000-0000-4000-8000-000000000003'
\set last '41570000-0000-4000-8000-000000000004'
\set nowhere '41570000-0000-4000-8000-00000000dead'
SET converge."user" = 'ann';

-- The n-th op id; the op id of a version.
CREATE FUNCTION pg_temp.id(n integer) RETURNS uuid LANGUAGE sql AS $$
	SELECT format('0b000000-0000-8000-8000-%s', lpad(n::text, 12, '0'))::uuid
$$;
CREATE FUNCTION pg_temp.id_of(doc uuid, version bigint) RETURNS uuid LANGUAGE sql AS $$
	SELECT op_id FROM converge.history(doc, version, version)
$$;

-- What a call answers, and the text after it.
CREATE FUNCTION pg_temp.after(call text, OUT answer bigint, OUT content text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	content := converge.content(substring(call FROM '''(.*?)''')::uuid);
END
$$;

-- two authors; the pair a + U+0301 is two code points
SELECT converge.create_document('', U&'na\0301ह😀', :'doc');
SELECT converge.share(:'doc', 'ben', 'editor');
SELECT version FROM converge.apply_op(:'doc', pg_temp.id(1), 0, '[5," ok"]');
SET converge."user" = 'ben';
SELECT version FROM converge.apply_op(:'doc', pg_temp.id(2), 1, '[1,{"d":2},"ö"]');
SELECT version, applied FROM converge.apply_op(:'doc', pg_temp.id(3), 0, '[4,{"d":1},"😀🙂"]');
SET converge."user" = 'ann';
SELECT version FROM converge.apply_op(:'doc', pg_temp.id(4), 3, '["😀é",3,{"d":1},"x",2,"ह"]');
SELECT version FROM converge.apply_op(:'doc', pg_temp.id(5), 3, '[3,{"d":1}]');
SET converge."user" = 'ben';
SELECT version FROM converge.apply_op(:'doc', pg_temp.id(6), 5, '[1,{"d":8}]');

-- every version
SELECT version, converge.content_at(:'doc', version) FROM generate_series(0, 6) AS version;
SELECT converge.content_at(:'doc', 0) = U&'na\0301ह😀' AS pair_kept;

-- a row an op
SELECT version, seq > lag(seq, 1, 0::bigint) OVER (ORDER BY version) AS rising, right(op_id::text, 2) AS op, user_id, base_version,
	   created_at >= lag(created_at, 1, '-infinity') OVER (ORDER BY version) AS in_order, op
FROM converge.history(:'doc');
SELECT n, coalesce((SELECT string_agg(version::text, ' ') FROM converge.history(:'doc', from_version, to_version)), 'none') AS versions
FROM (VALUES (1, 2, 3), (2, 3, NULL), (3, NULL, 2), (4, NULL, NULL), (5, 0, 99), (6, -7, 1), (7, 4, 3), (8, 7, NULL), (9, 6, 6), (10, 1, 0),
	(11, -9223372036854775808, 9223372036854775807), (12, 9223372036854775807, -9223372036854775808)) AS v (n, from_version, to_version) ORDER BY n;

-- a row a component, with what was deleted
SELECT version, user_id, kind, pos, length, content FROM converge.changes(:'doc');
SELECT content = U&'a\0301' AS pair_told FROM converge.changes(:'doc', 2, 2) WHERE kind = 'delete';
SELECT DISTINCT c.created_at = h.created_at AS same_moment FROM converge.changes(:'doc') AS c JOIN converge.history(:'doc') AS h USING (version);
SELECT version, kind, content FROM converge.changes(:'doc', 3, 3);
SELECT version, kind, content FROM converge.changes(:'doc', 6);
SELECT count(*) FROM converge.changes(:'doc', 5, 5);
SELECT count(*) FROM converge.changes(:'doc', 4, 3);
SELECT count(*) FROM converge.changes(:'doc', NULL, NULL);

-- done in order, the changes lead from version to version
CREATE FUNCTION pg_temp.follow_changes(doc uuid) RETURNS TABLE (version bigint, same boolean) LANGUAGE plpgsql AS $$
DECLARE
	change record;
	body text := converge.content_at(doc, 0);
	at_version bigint := 0;
BEGIN
	FOR change IN SELECT * FROM converge.changes(doc) LOOP
		IF change.version > at_version THEN
			RETURN QUERY SELECT at_version, body = converge.content_at(doc, at_version);
			at_version := change.version;
		END IF;
		IF change.kind = 'insert' THEN
			body := left(body, change.pos::integer) || change.content || substr(body, change.pos::integer + 1);
		ELSE
			IF substr(body, change.pos::integer + 1, change.length::integer) <> change.content THEN
				RAISE EXCEPTION 'deleted is %, told is %', substr(body, change.pos::integer + 1, change.length::integer), change.content;
			END IF;
			body := left(body, change.pos::integer) || substr(body, (change.pos + change.length)::integer + 1);
		END IF;
		IF char_length(change.content) <> change.length THEN
			RAISE EXCEPTION 'version %: wrong length %', change.version, change.length;
		END IF;
	END LOOP;
	RETURN QUERY SELECT at_version, body = converge.content(doc);
END
$$;
SELECT * FROM pg_temp.follow_changes(:'doc');

-- the op between any two versions, both ways
SELECT converge.diff(:'doc', 1, 4), converge.diff(:'doc', 4, 1), converge.diff(:'doc', 3, 3), converge.diff(:'doc', 0, 6);
SELECT count(*), bool_and(converge.apply(converge.content_at(:'doc', a), converge.diff(:'doc', a, b)) = converge.content_at(:'doc', b)) AS lead_there
FROM generate_series(0, 6) AS a, generate_series(0, 6) AS b;
SELECT converge.diff(:'doc', NULL, 1) IS NULL, converge.diff(NULL, 0, 1) IS NULL;

-- who wrote what; nobody wrote what stood there at first
SELECT pos, content, user_id, version, created_at IS NULL AS timeless FROM converge.blame(:'doc', 4);
SELECT pos, content, user_id, version FROM converge.blame(:'doc');
SELECT pos, content, user_id, version FROM converge.blame(:'doc', 0);
SELECT string_agg(content, '' ORDER BY pos) = converge.content_at(:'doc', 1) AS all_of_it FROM converge.blame(:'doc', 1);
SELECT DISTINCT b.created_at = h.created_at AND b.user_id = h.user_id AS as_in_history
FROM converge.blame(:'doc') AS b JOIN converge.history(:'doc') AS h USING (version);
SELECT converge.create_document('', '', :'empty');
SELECT count(*) FROM converge.blame(:'empty');
SELECT count(*) FROM converge.history(:'empty');
SELECT count(*) FROM converge.changes(:'empty');
SELECT converge.diff(:'empty', 0, 0), converge.content_at(:'empty', 0) = '' AS empty;

-- moments: made fixed ones, two at one moment
BEGIN;
SELECT set_config('TimeZone', 'UTC', true);
UPDATE converge.documents SET created_at = '2026-01-31 12:00:00Z' WHERE id = :'doc';
UPDATE converge.ops SET created_at = timestamptz '2026-01-31 12:00:00Z' + CASE version WHEN 4 THEN 3 ELSE version END * interval '1 microsecond' WHERE doc_id = :'doc';
UPDATE converge.heads SET updated_at = '2026-01-31 12:00:00.000006Z' WHERE doc_id = :'doc';
SELECT * FROM converge.verify(:'doc');
SELECT moment, (SELECT max(version) FROM generate_series(0, 6) AS version
				WHERE converge.content_at(:'doc', version) = converge.content_at(:'doc', moment)) AS version
FROM (SELECT timestamptz '2026-01-31 12:00:00Z' + n * interval '1 microsecond' AS moment FROM generate_series(0, 7) AS n) AS m;
SELECT converge.content_at(:'doc', timestamptz 'infinity') = converge.content(:'doc') AS newest;
SELECT pg_temp.failure(format('SELECT converge.content_at(%L, timestamptz %L)', :'doc', moment))
FROM (VALUES ('2026-01-31 11:59:59.999999Z'), ('-infinity')) AS v (moment);
SELECT converge.content_at(:'doc', NULL::timestamptz) IS NULL;
ROLLBACK;

-- revert
SELECT converge.revert(:'doc', 4);
SELECT converge.content(:'doc') = converge.content_at(:'doc', 4) AS as_then;
SELECT version, user_id, base_version, op FROM converge.history(:'doc', 7);
SELECT converge.revert(:'doc', 7);
SELECT count(*) AS added FROM converge.history(:'doc', 8);
SELECT converge.revert(:'doc', 0);
SELECT converge.content(:'doc') = U&'na\0301ह😀' AS pair_again;
SELECT * FROM converge.verify(:'doc');

-- undo: of an old op, below later ones, by whoever
SET converge."user" = 'ann';
SELECT converge.create_document('', 'one two three', :'undone');
SELECT converge.share(:'undone', 'ben', 'editor');
SELECT version FROM converge.apply_op(:'undone', pg_temp.id(1), 0, '[4,"2½ "]');			-- one 2½ two three
SET converge."user" = 'ben';
SELECT version FROM converge.apply_op(:'undone', pg_temp.id(2), 1, '[{"d":4}]');			-- 2½ two three
SELECT version FROM converge.apply_op(:'undone', pg_temp.id(3), 2, '[1,"😀"]');			-- 2😀½ two three
SET converge."user" = 'ann';
SELECT * FROM pg_temp.after(format('converge.undo(%L, pg_temp.id(1))', :'undone'));				-- what ben put into it stays
SELECT * FROM pg_temp.after(format('converge.undo(%L, pg_temp.id(2))', :'undone'));
SELECT version, user_id, base_version, op FROM converge.history(:'undone', 4);
SELECT pg_temp.failure(format('SELECT converge.undo(%L, pg_temp.id(1))', :'undone'));

-- an undo undone is the op done again, and may be undone again
SELECT * FROM pg_temp.after(format('converge.undo(%1$L, pg_temp.id_of(%1$L, 4))', :'undone'));
SELECT regexp_replace(pg_temp.failure(format('SELECT converge.undo(%L, pg_temp.id_of(%L, 4))', :'undone', :'undone')), '[-0-9a-f]{36}', 'ID');
SELECT * FROM pg_temp.after(format('converge.undo(%L, pg_temp.id(1))', :'undone'));
SELECT * FROM pg_temp.after(format('converge.undo(%1$L, pg_temp.id_of(%1$L, 7))', :'undone'));
SELECT * FROM pg_temp.after(format('converge.undo(%1$L, pg_temp.id_of(%1$L, 8))', :'undone'));
SELECT version, undone_version FROM converge.undos WHERE doc_id = :'undone' ORDER BY version;
SELECT pg_temp.failure(format('SELECT converge.undo(%L, pg_temp.id(99))', :'undone'));
SELECT * FROM converge.verify(:'undone');

-- undo_last: his own newest that is no undo and not undone
SELECT converge.create_document('', 'é', :'last');
SELECT converge.share(:'last', 'ben', 'editor');
SELECT converge.undo_last(:'last') IS NULL AS nothing_yet;
SELECT converge.edit(:'last', '["a1 "]'), converge.edit(:'last', '[3,"a2 "]');
SET converge."user" = 'ben';
SELECT converge.edit(:'last', '["b1 "]');
SET converge."user" = 'ann';
SELECT converge.edit(:'last', '["a3 "]');
SELECT * FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));	-- a3
SELECT * FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));	-- a2, below ben's
SELECT * FROM pg_temp.after(format('converge.undo(%1$L, pg_temp.id_of(%1$L, 5))', :'last'));	-- a3 again
SELECT * FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));	-- a3, not a2
SELECT * FROM pg_temp.after(format('converge.undo_last(%L, ''ben'')', :'last'));	-- another's
SELECT converge.undo_last(:'last', 'ben') IS NULL AS nothing_left;
SELECT converge.undo_last(:'last', 'nobody') IS NULL AS nothing_ever;
SELECT * FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));	-- a1
SELECT converge.undo_last(:'last') IS NULL AS nothing_left;
SELECT version, user_id, op FROM converge.history(:'last');
SELECT version, undone_version FROM converge.undos WHERE doc_id = :'last' ORDER BY version;

-- it finds an op that many others lie upon
SELECT converge.edit(:'last', '["deep "]') AS deep \gset
SET converge."user" = 'ben';
SELECT count(converge.edit(:'last', '["."]')) FROM generate_series(1, 700);
SET converge."user" = 'ann';
SELECT answer, :deep AS of, replace(content, '.', '') AS left FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));
SELECT undone_version = :deep AS noted FROM converge.undos WHERE doc_id = :'last' ORDER BY version DESC LIMIT 1;

-- what came in the same transaction counts; what is rolled back does not
BEGIN;
SELECT converge.edit(:'last', '["x"]') AS x \gset
SELECT answer - :x AS later, left(content, 3) FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));
SAVEPOINT s;
SELECT converge.edit(:'last', '["y"]') AS y \gset
SELECT answer - :y AS later, left(content, 3) FROM pg_temp.after(format('converge.undo_last(%L)', :'last'));
SELECT undone_version = :y AS noted FROM converge.undos WHERE doc_id = :'last' ORDER BY version DESC LIMIT 1;
ROLLBACK TO s;
SELECT pg_temp.failure(format('SELECT converge.undo(%L, pg_temp.id_of(%L, %s))', :'last', :'last', :x)) LIKE '55000%' AS undone;
ROLLBACK;
SELECT * FROM converge.verify(:'last');

-- what is refused
SELECT statement, pg_temp.failure(format(statement, :'doc')) FROM (VALUES
	(1, 'SELECT converge.content_at(%L, 10)'),
	(2, 'SELECT converge.content_at(%L, -1)'),
	(3, 'SELECT converge.content_at(%L, 9223372036854775807)'),
	(4, 'SELECT converge.blame(%L, 10)'),
	(5, 'SELECT converge.blame(%L, -1)'),
	(6, 'SELECT converge.diff(%L, 0, 10)'),
	(7, 'SELECT converge.diff(%L, -1, 0)'),
	(8, 'SELECT converge.diff(%L, 10, 0)'),
	(9, 'SELECT converge.revert(%L, 10)'),
	(10, 'SELECT converge.revert(%L, -1)'),
	(11, 'SELECT converge.revert(%L, NULL)'),
	(12, 'SELECT converge.undo(%L, NULL)')) AS v (n, statement) ORDER BY n;
SELECT statement, pg_temp.failure(statement) FROM (VALUES
	(1, 'SELECT converge.history(NULL)'),
	(2, 'SELECT converge.changes(NULL)'),
	(3, 'SELECT converge.blame(NULL)'),
	(4, 'SELECT converge.revert(NULL, 0)'),
	(5, 'SELECT converge.undo(NULL, pg_temp.id(1))'),
	(6, 'SELECT converge.undo_last(NULL)'),
	(7, 'SELECT converge.snapshot(NULL)')) AS v (n, statement) ORDER BY n;
SELECT statement, (pg_temp.failure_detail(format(statement, :'nowhere'))).state FROM (VALUES
	(1, 'SELECT converge.content_at(%L, 0)'), (2, 'SELECT converge.content_at(%L, now())'), (3, 'SELECT converge.history(%L)'),
	(4, 'SELECT converge.changes(%L)'), (5, 'SELECT converge.diff(%L, 0, 0)'), (6, 'SELECT converge.blame(%L)'), (7, 'SELECT converge.revert(%L, 0)'),
	(8, 'SELECT converge.undo(%L, pg_temp.id(1))'), (9, 'SELECT converge.undo_last(%L)'), (10, 'SELECT converge.snapshot(%L)'),
	(11, 'SELECT converge.list_snapshots(%L)'), (12, 'SELECT converge.verify(%L)'), (13, 'SELECT converge.pack(%L)'),
	(14, 'SELECT converge.prune(%L, 0)')) AS v (n, statement) ORDER BY n;
BEGIN READ ONLY;
SELECT converge.content_at(:'doc', 4), (SELECT count(*) FROM converge.history(:'doc')), (SELECT count(*) FROM converge.blame(:'doc')), (SELECT count(*) FROM converge.verify(:'doc'));
SAVEPOINT s;
SELECT converge.revert(:'doc', 0);
ROLLBACK TO s;
SELECT converge.undo(:'doc', pg_temp.id(1));
ROLLBACK TO s;
SELECT converge.undo_last(:'doc');
ROLLBACK TO s;
SELECT converge.snapshot(:'doc');
ROLLBACK TO s;
SELECT converge.pack(:'doc', 0);
ROLLBACK TO s;
SELECT converge.prune(:'doc', 1);
ROLLBACK;

-- STABLE reads take part in plans of their own
SELECT count(*) FROM converge.documents AS d, LATERAL converge.history(d.id) AS h WHERE d.id IN (:'doc', :'undone');
SELECT version FROM converge.history(:'doc') WHERE user_id = 'ann' ORDER BY version DESC LIMIT 2;
