-- Roles against the functions of history, for sessions of plain database users, who may
-- read no table: what each may do by his role in a document, and that nothing else helps.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE "ann é";
CREATE ROLE ben;
CREATE ROLE cleo;
CREATE ROLE dan;
CREATE ROLE eve;

-- a document with a member of each role, one that everyone may view, and none
CREATE TEMP TABLE places (place text, doc uuid);
INSERT INTO places VALUES ('closed', '41570ace-0000-4000-8000-00000000000c'), ('open to view', '41570ace-0000-4000-8000-00000000000a'), ('nowhere', '41570ace-0000-4000-8000-00000000dead');
GRANT SELECT ON places TO PUBLIC;
SET SESSION AUTHORIZATION "ann é";
SELECT is(converge.create_document(place, 'é😀', doc), doc, 'a document: ' || place) FROM places WHERE place <> 'nowhere';
SELECT lives_ok(format('SELECT converge.edit(%L, ''["n😀"]'') FROM generate_series(1, 20)', doc), 'with a past: ' || place) FROM places WHERE place <> 'nowhere';
SELECT lives_ok(format('SELECT converge.share(%L, %L, %L)', doc, member, role), format('%s: %s is %s', place, member, role))
FROM places, (VALUES ('ben', 'editor'), ('cleo', 'commenter'), ('dan', 'viewer')) AS v (member, role) WHERE place <> 'nowhere';
SELECT lives_ok(format('SELECT converge.share(%L, ''*'', ''viewer'')', doc), place) FROM places WHERE place = 'open to view';
SELECT is(converge.pack(doc, 5), 15::bigint, 'partly packed: ' || place) FROM places WHERE place <> 'nowhere';
RESET SESSION AUTHORIZATION;

-- what each needs, and what who may call it gets: NULL is an answer
CREATE TEMP TABLE calls (call text, needs converge.role, gets text);
INSERT INTO calls VALUES
	('converge.content_at(%L, 20)', 'viewer', NULL),
	('converge.content_at(%L, timestamptz ''infinity'')', 'viewer', NULL),
	('converge.version_at(%L, timestamptz ''infinity'')', 'viewer', NULL),
	('converge.history(%L)', 'viewer', NULL),
	('converge.changes(%L)', 'viewer', NULL),
	('converge.timeline(%L)', 'viewer', NULL),
	('converge.blame(%L)', 'viewer', NULL),
	('converge.diff(%L, 20, 0)', 'viewer', NULL),
	('converge.verify(%L)', 'viewer', NULL),
	('converge.list_snapshots(%L)', 'viewer', NULL),
	('converge.revert(%L, 20)', 'editor', NULL),
	('converge.undo(%L, ''0b000000-0000-8000-8000-000000000001'')', 'editor', 'P0002'),
	('converge.undo_last(%L)', 'editor', NULL),
	('converge.undo_last(%L, ''ann é'')', 'editor', NULL),
	('converge.snapshot(%L)', 'editor', NULL),
	('converge.snapshot(%L, ''é'')', 'editor', NULL),
	('converge.remove_label(%L, 20, ''no such label'')', 'owner', 'P0002'),
	('converge.pack(%L)', 'owner', NULL),
	('converge.pack(%L, 3)', 'owner', NULL),
	('converge.prune(%L, 0)', 'owner', NULL);
GRANT SELECT ON calls TO PUBLIC;

-- the role each has, by name or through everyone
CREATE FUNCTION pg_temp.role_in(who text, place text) RETURNS converge.role LANGUAGE sql AS $$
	SELECT greatest(CASE who WHEN 'ann é' THEN 'owner' WHEN 'ben' THEN 'editor' WHEN 'cleo' THEN 'commenter' WHEN 'dan' THEN 'viewer' END::converge.role,
					CASE place WHEN 'open to view' THEN 'viewer' END::converge.role)
$$;
CREATE FUNCTION pg_temp.check_calls() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT CASE WHEN place = 'nowhere' THEN throws_ok('SELECT ' || format(call, doc), 'OT003', NULL, concat(session_user, ' ', place, ': no ', call))
				WHEN pg_temp.role_in(session_user, place) < needs OR pg_temp.role_in(session_user, place) IS NULL
				THEN throws_ok('SELECT ' || format(call, doc), 'OT002', NULL, concat(session_user, ' ', place, ': no ', call))
				WHEN gets IS NULL THEN lives_ok('SELECT ' || format(call, doc), concat(session_user, ' ', place, ': ', call))
				ELSE throws_ok('SELECT ' || format(call, doc), gets, NULL, concat(session_user, ' ', place, ': ', call)) END
	FROM places, calls ORDER BY place, call
$$;

-- what nobody gets by a role in a document
CREATE FUNCTION pg_temp.check_closed() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT throws_ok(statement, '42501', NULL, concat(session_user, ': no ', statement)) FROM (VALUES
		('TABLE converge.storage'), ('TABLE converge.storage_totals'), ('TABLE converge.maintenance'),
		('DELETE FROM converge.packs'), ('UPDATE converge.snapshots SET content = '''''), ('INSERT INTO converge.undos DEFAULT VALUES'), ('TRUNCATE converge.packs'),
		('SELECT converge.maintain_document(''41570ace-0000-4000-8000-00000000000c'')'), ('SELECT converge.due_documents()'), ('CALL converge.maintain()'),
		('SET converge.pack_keep = 1'), ('SET converge.pack_batch = 1')) AS v (statement)
$$;

SELECT ok(NOT has_function_privilege('eve', f, 'EXECUTE'), 'not for everyone: ' || f)
FROM unnest('{converge.maintain(), converge.maintain_document(uuid), converge.due_documents()}'::text[]) AS f;

SET SESSION AUTHORIZATION "ann é";
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION ben;
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION cleo;
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION dan;
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION eve;
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();

-- it was his own hand, in whosever function
SET SESSION AUTHORIZATION ben;
SELECT lives_ok($$SELECT converge.revert('41570ace-0000-4000-8000-00000000000c', 0)$$, 'ben reverts');
SELECT is((SELECT user_id FROM converge.history('41570ace-0000-4000-8000-00000000000c') ORDER BY version DESC LIMIT 1), 'ben', 'and it says so');
SELECT lives_ok($$SELECT converge.undo_last('41570ace-0000-4000-8000-00000000000c', 'ann é')$$, 'ben undoes ann''s last');
SELECT is((SELECT user_id FROM converge.history('41570ace-0000-4000-8000-00000000000c') ORDER BY version DESC LIMIT 1), 'ben', 'and it says so');
SELECT is_empty($$SELECT * FROM converge.verify('41570ace-0000-4000-8000-00000000000c')$$, 'nothing came to harm');

-- a definer function does not lend its owner's role
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.prune_for_me(doc uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT converge.prune(doc, 20)';
SET SESSION AUTHORIZATION eve;
SELECT throws_ok($$SELECT pg_temp.prune_for_me('41570ace-0000-4000-8000-00000000000c')$$, 'OT002', NULL, 'not in a superuser''s function');
RESET SESSION AUTHORIZATION;

-- look-alikes in the search path are not seen: operators that say yes, tables that are others
CREATE SCHEMA evil;
GRANT ALL ON SCHEMA evil TO PUBLIC;
SET SESSION AUTHORIZATION eve;
CREATE FUNCTION evil.yes(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION evil.yes(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION evil.yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.yes);
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.yes);
CREATE OPERATOR evil.<= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.yes);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes);
CREATE FUNCTION evil.char_length(text) RETURNS integer LANGUAGE sql AS 'SELECT -1';
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA evil TO PUBLIC;
CREATE TEMP TABLE members AS SELECT '41570ace-0000-4000-8000-00000000000c'::uuid AS doc_id, 'eve'::text AS user_id, 'owner'::converge.role AS role;
CREATE TEMP TABLE snapshots (doc_id uuid, version bigint, created_at timestamptz, kind text, content text);
CREATE TEMP TABLE labels (doc_id uuid, version bigint, label text, user_id text, created_at timestamptz);
SELECT is((SELECT count(*) FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace), 4::bigint, 'look-alikes');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.misled(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_temp, evil, pg_catalog AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE statement INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SET SESSION AUTHORIZATION eve;
SELECT is(pg_temp.misled(statement), 'OT002', 'no ' || statement) FROM (VALUES
	($$SELECT count(*) FROM converge.list_snapshots('41570ace-0000-4000-8000-00000000000c')$$), ($$SELECT converge.snapshot('41570ace-0000-4000-8000-00000000000c')$$),
	($$SELECT converge.remove_label('41570ace-0000-4000-8000-00000000000c', 20, 'x')$$), ($$SELECT converge.pack('41570ace-0000-4000-8000-00000000000c')$$), ($$SELECT converge.prune('41570ace-0000-4000-8000-00000000000c', 1)$$),
	($$SELECT converge.undo_last('41570ace-0000-4000-8000-00000000000c')$$), ($$SELECT count(*) FROM converge.verify('41570ace-0000-4000-8000-00000000000c')$$)) AS v (statement);
RESET SESSION AUTHORIZATION;
SELECT is(pg_temp.misled($$SELECT count(*) FROM converge.history('41570ace-0000-4000-8000-00000000000a')$$)::integer > 20, true, 'a past to work on');
SET SESSION AUTHORIZATION "ann é";
SELECT is(pg_temp.misled(statement), answer, statement) FROM (VALUES
	($$SELECT converge.snapshot('41570ace-0000-4000-8000-00000000000a', 'here') > 20$$, 'true'),
	($$SELECT converge.remove_label('41570ace-0000-4000-8000-00000000000a', 9223372036854775807, 'here')$$, 'P0002'),
	($$SELECT count(*) FROM converge.list_snapshots('41570ace-0000-4000-8000-00000000000a') WHERE length OPERATOR(pg_catalog.<) 0$$, '0'),
	($$SELECT converge.pack('41570ace-0000-4000-8000-00000000000a', 1) > 0$$, 'true'),
	($$SELECT converge.prune('41570ace-0000-4000-8000-00000000000a', 10)$$, '10'),
	($$SELECT count(*) FROM converge.history('41570ace-0000-4000-8000-00000000000c') WHERE version OPERATOR(pg_catalog.<=) 20$$, '20')) AS v (statement, answer);
RESET SESSION AUTHORIZATION;
SET converge.pack_keep = 0;
SET converge.pack_batch = 1;
SET converge."user" = 'ann é';
SELECT is(pg_temp.misled($$SELECT ops_packed > 0 FROM converge.maintain_document('41570ace-0000-4000-8000-00000000000a')$$), 'true', 'maintain_document');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', doc), place || ' came to no harm') FROM places WHERE place <> 'nowhere';
SELECT is((SELECT count(*) FROM converge.history('41570ace-0000-4000-8000-00000000000c') WHERE version <= 20), 20::bigint, 'nor was another document touched');
SELECT is((SELECT count(*) FROM pg_temp.snapshots) + (SELECT count(*) FROM pg_temp.labels), 0::numeric::bigint, 'nor a table of the name');

SELECT * FROM finish();
ROLLBACK;
