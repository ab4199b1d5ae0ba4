-- Row-level security: which rows of converge's tables a session sees, and that there is
-- no way around: views, functions that tell what they are asked, error texts, statistics,
-- the search path.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE ann;
CREATE ROLE ben;
CREATE ROLE eve;
CREATE SCHEMA eves AUTHORIZATION eve;
CREATE ROLE reports BYPASSRLS;
\set closed '00075ec0-0000-4000-8000-00000000000c'
\set open '00075ec0-0000-4000-8000-00000000000a'
\set eves '00075ec0-0000-4000-8000-00000000000e'
\set copied `mktemp`
\setenv COPIED :copied

-- three documents with a row in every table: one of ann and ben, one that everyone may
-- read, one of eve
CREATE FUNCTION pg_temp.connect(doc uuid, name text) RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	SELECT converge.begin_presence(doc, 30),
		   converge.write_presence(doc, jsonb_build_array(jsonb_build_object('doc_id', doc, 'client_id', doc, 'user_id', name, 'since', 0)), '[]')
$$;
GRANT EXECUTE ON FUNCTION pg_temp.connect(uuid, text) TO PUBLIC;
CREATE FUNCTION pg_temp.make(doc uuid, secret text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM converge.create_document(secret, 'é' || secret, doc);
	PERFORM converge.edit(doc, converge.insert(0, '😀' || secret || n)) FROM generate_series(1, 4) AS n;
	PERFORM converge.undo_last(doc);
	PERFORM converge.snapshot(doc, secret);
	PERFORM converge.comment(doc, secret, 0, 1), converge.suggest(doc, 0, '["x"]', secret), converge.say(doc, secret), converge.mark_read(doc, 3);
	PERFORM converge.pack(doc, 2);
	PERFORM pg_temp.connect(doc, secret);
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.make(uuid, text) TO PUBLIC;
SET SESSION AUTHORIZATION ann;
SELECT lives_ok($$SELECT pg_temp.make('00075ec0-0000-4000-8000-00000000000c', 'ann''s'), converge.share('00075ec0-0000-4000-8000-00000000000c', 'ben', 'viewer'),
	pg_temp.make('00075ec0-0000-4000-8000-00000000000a', 'all''s'), converge.share('00075ec0-0000-4000-8000-00000000000a', '*', 'viewer')$$, 'ann writes');
SET SESSION AUTHORIZATION eve;
SELECT lives_ok($$SELECT pg_temp.make('00075ec0-0000-4000-8000-00000000000e', 'eve''s')$$, 'so does eve');
RESET SESSION AUTHORIZATION;
ANALYZE;

-- ---- who sees what ----

CREATE TEMP VIEW seen WITH (security_invoker = true) AS
	SELECT 'documents' AS name, id FROM converge.documents UNION ALL SELECT 'heads', doc_id FROM converge.heads
	UNION ALL SELECT 'labels', doc_id FROM converge.labels UNION ALL SELECT 'members', doc_id FROM converge.members UNION ALL SELECT 'ops', doc_id FROM converge.ops
	UNION ALL SELECT 'packs', doc_id FROM converge.packs UNION ALL SELECT 'presence', doc_id FROM converge.presence
	UNION ALL SELECT 'snapshots', doc_id FROM converge.snapshots
	UNION ALL SELECT 'undos', doc_id FROM converge.undos
	UNION ALL SELECT 'comments', doc_id FROM converge.comments UNION ALL SELECT 'messages', doc_id FROM converge.messages UNION ALL SELECT 'suggestions', doc_id FROM converge.suggestions UNION ALL SELECT 'talks', doc_id FROM converge.talks UNION ALL SELECT 'threads', doc_id FROM converge.threads
	UNION ALL SELECT 'last_read', doc_id FROM converge.last_read;
GRANT SELECT ON seen TO PUBLIC;
CREATE FUNCTION pg_temp.check_rows(VARIADIC docs uuid[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is((SELECT array_agg(DISTINCT id ORDER BY id) FROM seen WHERE seen.name = v.name), docs,
			  concat(session_user, ' ', nullif(current_setting('converge.user'), ''), ' sees of ', v.name))
	FROM unnest(ARRAY['comments', 'documents', 'heads', 'labels', 'members', 'messages', 'ops', 'packs', 'presence', 'snapshots', 'suggestions', 'talks', 'threads', 'undos']) AS v (name)
$$;
SELECT set_eq('SELECT DISTINCT name FROM seen',
	$$SELECT relname::text FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind = 'r' AND has_table_privilege('public', oid, 'select')$$, 'every table is looked at');
SELECT pg_temp.check_rows(:'open', :'closed', :'eves');
SET converge."user" = 'ben';
SELECT pg_temp.check_rows(:'open', :'closed', :'eves');
RESET converge."user";
SET SESSION AUTHORIZATION ann;
SELECT pg_temp.check_rows(:'open', :'closed');
SET SESSION AUTHORIZATION ben;
SELECT pg_temp.check_rows(:'open', :'closed');
SET SESSION AUTHORIZATION eve;
SELECT pg_temp.check_rows(:'open', :'eves');
SET SESSION AUTHORIZATION reports;
SELECT pg_temp.check_rows(:'open', :'closed', :'eves');
RESET SESSION AUTHORIZATION;

-- it follows the acting user, through changes in the middle of a session
GRANT SET ON PARAMETER converge."user" TO eve;
SET SESSION AUTHORIZATION eve;
SET converge."user" = 'ben';
SELECT pg_temp.check_rows(:'open', :'closed');
SET converge."user" = 'nobody at all';
SELECT pg_temp.check_rows(:'open');
RESET converge."user";
SELECT pg_temp.check_rows(:'open', :'eves');

-- and the members, from one statement to the next, in a function as well
CREATE FUNCTION pg_temp.watch(doc uuid) RETURNS SETOF boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT converge.may_read(doc);
	FOR n IN 1 .. 2 LOOP
		PERFORM set_config('converge.user', 'ann', true);
		IF n = 1 THEN PERFORM converge.share(doc, 'eve', 'viewer'); ELSE PERFORM converge.unshare(doc, 'eve'); END IF;
		PERFORM set_config('converge.user', 'eve', true);
		FOR m IN 1 .. 2 LOOP
			RETURN NEXT converge.may_read(doc);
		END LOOP;
		RETURN NEXT EXISTS (SELECT FROM converge.ops WHERE doc_id = doc);
	END LOOP;
END
$$;
SELECT results_eq(format('SELECT pg_temp.watch(%L)', :'closed'), ARRAY[false, true, true, true, false, false, false], 'a role that comes and goes is seen at once');
SAVEPOINT s;
SET converge."user" = 'ann';
SELECT converge.share(:'closed', 'eve', 'viewer');
SET converge."user" = 'eve';
SELECT pg_temp.check_rows(:'open', :'closed', :'eves');
ROLLBACK TO s;
SELECT pg_temp.check_rows(:'open', :'eves');
RESET converge."user";
RESET SESSION AUTHORIZATION;
REVOKE SET ON PARAMETER converge."user" FROM eve;

-- ---- what an attacker tries ----

-- a function that shows all it is asked about, as cheap and as trusted as one can make it
SET SESSION AUTHORIZATION eve;
CREATE TEMP TABLE caught (what text);
CREATE FUNCTION pg_temp.tell(what text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	INSERT INTO caught VALUES (what);
	RETURN true;
END
$$;
SELECT throws_ok($$ALTER FUNCTION pg_temp.tell(text) LEAKPROOF$$, '42501', NULL, 'an ordinary user cannot declare a function leakproof');
SELECT lives_ok(format('SELECT count(*) FROM converge.%I WHERE pg_temp.tell(%I::text)', name, col), 'a leaky function over ' || name) FROM (VALUES
	('documents', 'title'), ('heads', 'version'), ('labels', 'label'), ('members', 'user_id'), ('ops', 'op'), ('packs', 'data'), ('presence', 'user_id'), ('snapshots', 'content'), ('undos', 'version'), ('threads', 'quote'), ('comments', 'body'), ('suggestions', 'note'), ('messages', 'body'), ('last_read', 'changed'), ('talks', 'changed')) AS v (name, col);
SELECT lives_ok($$SELECT count(*) FROM converge.documents d JOIN converge.snapshots s ON s.doc_id = d.id AND pg_temp.tell(d.title || s.content)$$, 'and over a join');
SELECT ok(count(*) > 0, 'it told something') FROM caught;
SELECT is_empty($$SELECT what FROM caught WHERE what LIKE '%ann''s%'$$, 'and nothing that is not to be read');

-- an operator of one's own, a cast that fails with the value in its message
CREATE FUNCTION pg_temp.text_of_error(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
	context text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n', SQLERRM, detail, hint, context);
END
$$;
SELECT unalike(pg_temp.text_of_error(statement), '%ann''s%', statement) FROM (VALUES
	($$SELECT title::int FROM converge.documents WHERE title <> 'all''s' AND title <> 'eve''s'$$),
	($$SELECT 1 / (length(title) - 5) FROM converge.documents WHERE id = '00075ec0-0000-4000-8000-00000000000c'$$),
	($$SELECT content::int FROM converge.snapshots WHERE doc_id = '00075ec0-0000-4000-8000-00000000000c'$$),
	($$SELECT label::int FROM converge.labels WHERE doc_id = '00075ec0-0000-4000-8000-00000000000c'$$),
	($$SELECT op::text::int FROM converge.ops WHERE doc_id = '00075ec0-0000-4000-8000-00000000000c'$$),
	($$SELECT converge.content('00075ec0-0000-4000-8000-00000000000c')$$),
	($$SELECT converge.edit('00075ec0-0000-4000-8000-00000000000c', '[]')$$),
	($$SELECT converge.create_document('mine now', 'x', '00075ec0-0000-4000-8000-00000000000c')$$),
	($$SELECT * FROM converge.apply_op('00075ec0-0000-4000-8000-00000000000c', '0b000000-0000-8000-8000-000000000001', 0, '[99999, "é"]')$$)) AS v (statement);
SELECT is(pg_temp.text_of_error($$SELECT 1 / (length(title) - 5) FROM converge.documents WHERE id = '00075ec0-0000-4000-8000-00000000000c'$$), 'no error',
	'whether an error comes says nothing either');

-- the server's statistics and the filter turned off
SELECT is_empty($$SELECT attname FROM pg_stats WHERE schemaname = 'converge'$$, 'no statistics of columns');
SELECT throws_ok('SELECT stavalues1 FROM pg_statistic', '42501', NULL, 'nor what is behind them');
SET row_security = off;
SELECT throws_ok('SELECT FROM converge.ops', '42501', NULL, 'without the filter, nothing at all');
SET row_security = on;

-- who a session is stays who connected, and what only owners and superusers may do is theirs
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.mine_too() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION pg_temp.mine_as_well() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TEMP TABLE child (doc_id uuid);
SELECT is(pg_temp.state_of(statement), '42501', 'not for eve: ' || statement) FROM unnest(ARRAY[
	'SET ROLE ann', 'SET LOCAL converge."user" = ''ann''', 'ALTER ROLE eve SET converge."user" = ''ann''',
	format('ALTER DATABASE %I SET converge."user" = ''ann''', current_database()), 'GRANT SET ON PARAMETER converge."user" TO eve',
	'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION pg_temp.mine_as_well()',
	'CREATE TRIGGER mine BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION pg_temp.mine_too()',
	'CREATE RULE mine AS ON INSERT TO converge.ops DO INSTEAD NOTHING', 'CREATE POLICY mine ON converge.ops USING (true)',
	'ALTER TABLE child INHERIT converge.ops', 'CREATE TEMP TABLE another () INHERITS (converge.ops)',
	'CREATE INDEX ON converge.ops (user_id)', 'CREATE STATISTICS pg_temp.mine ON doc_id, user_id FROM converge.ops',
	'CREATE PUBLICATION mine FOR TABLE converge.ops', 'SELECT pg_create_logical_replication_slot(''mine'', ''converge'')',
	'CREATE TABLE converge.mine ()', 'CREATE FUNCTION converge.mine() RETURNS void LANGUAGE sql AS ''''',
	'CREATE OR REPLACE FUNCTION converge.may_read(doc_id uuid) RETURNS boolean LANGUAGE sql AS ''SELECT true''',
	'CREATE FUNCTION pg_temp.mine_c(uuid) RETURNS boolean LANGUAGE c AS ''$libdir/converge'', ''converge_undo''',
	'CREATE CAST (converge.op AS text) WITH INOUT AS IMPLICIT', 'DROP EXTENSION converge', 'ALTER EXTENSION converge UPDATE',
	'LOCK TABLE converge.heads IN ROW EXCLUSIVE MODE', 'SELECT FROM converge.heads FOR UPDATE',
	'MERGE INTO converge.members m USING (VALUES (1)) v ON m.user_id = ''eve'' WHEN MATCHED THEN UPDATE SET role = ''owner''',
	'COPY converge.members FROM PROGRAM ''true''', 'COPY converge.ops TO ''/tmp/ops''', 'COMMENT ON TABLE converge.ops IS ''mine''',
	'SELECT pg_read_file(''PG_VERSION'')', 'SELECT pg_terminate_backend(pg_backend_pid()) FROM pg_stat_replication WHERE pg_read_file(''x'') <> ''''',
	-- a foreign key would tell what exists
	'CREATE TABLE eves.theirs (doc_id uuid REFERENCES converge.documents (id))', 'LOAD ''nothing''']) AS statement;

-- what is counted, planned, fetched and stored is what is seen; a plan tells how many rows
-- were left out, and nothing of them
CREATE FUNCTION pg_temp.told_by(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	FOR line IN EXECUTE statement LOOP
		lines := concat(lines, line, E'\n');
	END LOOP;
	RETURN lines;
END
$$;
SELECT unalike(pg_temp.told_by(statement), '%ann''s%', statement) FROM unnest(ARRAY[
	'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM converge.documents WHERE pg_temp.tell(title)', 'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM converge.snapshots WHERE content ~ ''s''',
	'EXPLAIN (ANALYZE, VERBOSE) SELECT max(title) FROM converge.documents', 'SELECT title FROM converge.documents TABLESAMPLE system (100)',
	'SELECT title FROM ONLY converge.documents', 'SELECT d::text FROM converge.documents d', 'SELECT to_jsonb(d)::text FROM converge.documents d',
	'SELECT title FROM converge.documents WHERE ctid = ''(0,1)''', 'SELECT string_agg(title, '','') OVER () FROM converge.documents',
	'SELECT query_to_xml(''SELECT * FROM converge.documents'', true, false, '''')::text', 'SELECT table_to_xml(''converge.documents'', true, false, '''')::text',
	'SELECT string_agg(x::text, '''') FROM converge.documents d, LATERAL (SELECT d.*) AS x']) AS statement;
SELECT is_empty($$SELECT what FROM caught WHERE what LIKE '%ann''s%'$$, 'nor was a function told while it was planned');
SELECT is((SELECT count(*) FROM converge.documents), 2::bigint, 'counted');
CREATE TEMP TABLE stored AS SELECT * FROM converge.snapshots;
SELECT is_empty($$SELECT FROM stored WHERE content LIKE '%ann''s%'$$, 'stored');
CREATE TEMP TABLE copied (title text);
\copy (SELECT title FROM converge.documents) TO PROGRAM 'cat >"$COPIED"'
\copy copied FROM PROGRAM 'cat "$COPIED"; rm -f "$COPIED"'
SELECT set_eq('SELECT title FROM copied', $$VALUES ('all''s'), ('eve''s')$$, 'copied');

-- views of one's own, definer functions of one's own, look-alikes in the path
CREATE TEMP VIEW mine AS SELECT title FROM converge.documents;
CREATE FUNCTION pg_temp.mine() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT title FROM converge.documents';
SELECT set_eq('SELECT title FROM mine', $$VALUES ('all''s'), ('eve''s')$$, 'a view');
SELECT set_eq('SELECT pg_temp.mine()', $$VALUES ('all''s'), ('eve''s')$$, 'a definer function');
CREATE FUNCTION pg_temp.may_read(uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION pg_temp.acting_user() RETURNS text LANGUAGE sql AS 'SELECT ''ann''::text';
CREATE TEMP TABLE members AS SELECT '00075ec0-0000-4000-8000-00000000000c'::uuid AS doc_id, 'eve'::text AS user_id, 'owner'::converge.role AS role;
SET LOCAL search_path = pg_temp, converge, public;
SELECT set_eq('SELECT title FROM documents', $$VALUES ('all''s'), ('eve''s')$$, 'look-alikes in the search path');
RESET search_path;
DROP TABLE members;

-- converge's own view of all documents shows what its caller may read
RESET SESSION AUTHORIZATION;
GRANT SELECT ON converge.storage TO eve;
SET SESSION AUTHORIZATION eve;
SELECT set_eq('SELECT title FROM converge.storage', $$VALUES ('all''s'), ('eve''s')$$, 'converge.storage, granted to a plain user');
RESET SESSION AUTHORIZATION;

-- operation ids of others are of no use
SELECT op_id AS theirs FROM converge.ops WHERE doc_id = :'closed' ORDER BY version LIMIT 1 \gset
SET SESSION AUTHORIZATION eve;
SELECT throws_ok(format('SELECT * FROM converge.apply_op(%L, %L, 0, ''[]'')', :'closed', :'theirs'), 'OT002', NULL, 'an op id of a document of others tells nothing there');
SELECT lives_ok(format('SELECT * FROM converge.apply_op(%L, %L, 0, ''[]'')', :'eves', :'theirs'), 'and names nothing elsewhere');
SELECT throws_ok(format('SELECT converge.undo(%L, %L)', :'closed', :'theirs'), 'OT002', NULL, 'nor can it be undone');
SELECT throws_ok(format('SELECT converge.undo(%L, %L)', :'open', :'theirs'), 'OT002', NULL, 'nor where one may only read');
RESET SESSION AUTHORIZATION;

-- a point query stays one: the index finds the row, the policy is asked of that
SET SESSION AUTHORIZATION ben;
SET LOCAL enable_seqscan = off;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		plan := concat(plan, line, E'\n');
	END LOOP;
	RETURN plan;
END
$$;
SELECT matches(pg_temp.plan_of($$SELECT * FROM converge.ops WHERE doc_id = '00075ec0-0000-4000-8000-00000000000c' AND version > 3$$),
	'Index Cond: \(+doc_id = ', 'the index is used below the policy');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
