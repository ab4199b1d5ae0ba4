-- Roles against functions, for sessions of plain database users: what each may do in a
-- document by his role there, and that nothing else lets him.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE "ann é";
CREATE ROLE ben;
CREATE ROLE cleo;
CREATE ROLE dan;
CREATE ROLE eve;

-- a document with a member of each role, and one where everyone has one
CREATE TEMP TABLE places (place text, doc uuid);
INSERT INTO places VALUES ('closed', 'acce5500-0000-4000-8000-00000000000c'), ('open to view', 'acce5500-0000-4000-8000-00000000000a'),
	('open to edit', 'acce5500-0000-4000-8000-00000000000b'), ('nowhere', 'acce5500-0000-4000-8000-00000000dead');
GRANT SELECT ON places TO PUBLIC;
SET SESSION AUTHORIZATION "ann é";
SELECT is(converge.create_document(place, 'é😀', doc), doc, 'a plain user creates a document: ' || place) FROM places WHERE place <> 'nowhere';
SELECT lives_ok(format('SELECT converge.share(%L, %L, %L)', doc, member, role), format('%s: %s is %s', place, member, role))
FROM places, (VALUES ('ben', 'editor'), ('cleo', 'commenter'), ('dan', 'viewer')) AS v (member, role) WHERE place <> 'nowhere';
SELECT lives_ok(format('SELECT converge.share(%L, ''*'', ''viewer'')', doc), place) FROM places WHERE place = 'open to view';
SELECT lives_ok(format('SELECT converge.share(%L, ''*'', ''editor'')', doc), place) FROM places WHERE place = 'open to edit';
RESET SESSION AUTHORIZATION;

-- what each needs; NULL: anybody
CREATE TEMP TABLE calls (call text, needs converge.role);
INSERT INTO calls VALUES
	('converge.my_role(%L)', NULL),
	('converge.content(%L)', 'viewer'),
	('converge.content_at(%L, 0)', 'viewer'),
	('converge.open_document(%L)', 'viewer'),
	('converge.open_document(%L, 0)', 'viewer'),
	('converge.edit(%L, ''[]'')', 'editor'),
	('converge.apply_op(%L, gen_random_uuid(), 0, ''["é"]'')', 'editor'),
	('converge.share(%L, ''someone'', ''viewer'')', 'owner'),
	('converge.unshare(%L, ''someone'')', 'owner'),
	('converge.transfer_ownership(%L, ''someone'')', 'owner'),
	('converge.members(%L)', 'viewer'),
	('converge.document(%L)', 'viewer'),
	('converge.rename_document(%L, ''é'')', 'editor'),
	('converge.delete_document(%L)', 'owner'),
	('converge.require_role(%L, ''commenter'')', 'commenter'),
	('converge.history(%L)', 'viewer'),
	('converge.changes(%L)', 'viewer'),
	('converge.timeline(%L)', 'viewer'),
	('converge.redact(%L, ''é'')', 'owner'),
	('converge.redact_range(%L, 0, 0, 1)', 'owner'),
	('converge.fork(%L)', 'viewer'),
	('converge.fork(%L, 0, true)', 'viewer'),
	('converge.export_document(%L)', 'viewer'),
	('converge.move_out(%L)', 'owner'),
	('converge.begin_move(%L)', 'owner'),
	('converge.occurrences(%L, ''é'')', 'viewer'),
	('converge.undo_range(%1$L, converge.edit(%1$L, ''["é"]''), 1)', 'editor'),
	('converge.restore_text(%L, 0, 0, 1)', 'editor'),
	('converge.activity(%L)', 'viewer'),
	('converge.diff_rows(%L, 0, 0)', 'viewer'),
	('converge.unified_diff(%L, 0, 0)', 'viewer'),
	('converge.set_content(%L, ''é'')', 'editor'),
	('converge.set_content(%L, ''é'', 0)', 'editor'),
	('converge.put_content(%L, ''é'', NULL, ''*'')', 'editor'),
	('converge.replace_all(%L, ''é'', ''e'')', 'editor'),
	('converge.replace_in_all(ARRAY[%L]::uuid[], ''é'', ''e'')', 'editor'),
	('converge.blame(%L)', 'viewer'),
	('converge.diff(%L, 0, 0)', 'viewer'),
	('converge.content_at(%L, clock_timestamp())', 'viewer'),
	('converge.version_at(%L, clock_timestamp())', 'viewer'),
	('converge.list_snapshots(%L)', 'viewer'),
	('converge.verify(%L)', 'viewer'),
	('converge.revert(%L, 0)', 'editor'),
	('converge.undo_last(%L)', 'editor'),
	('converge.snapshot(%L)', 'editor'),
	('converge.remove_label(%1$L, converge.snapshot(%1$L, ''a label''), ''a label'')', 'owner'),
	('converge.comment(%L, ''é'', 0, 1)', 'commenter'),
	('converge.reply(%1$L, converge.comment(%1$L, ''é'', 0, 1), ''é'')', 'commenter'),
	('converge.edit_comment(%1$L, converge.reply(%1$L, converge.comment(%1$L, ''é'', 0, 1), ''é''), ''x'')', 'commenter'),
	('converge.delete_comment(%1$L, converge.reply(%1$L, converge.comment(%1$L, ''é'', 0, 1), ''é''))', 'commenter'),
	('converge.resolve_thread(%1$L, converge.comment(%1$L, ''é'', 0, 1))', 'commenter'),
	('converge.threads_at(%L)', 'viewer'),
	('converge.list_comments(%L)', 'viewer'),
	('converge.suggest(%L, 0, ''["é"]'')', 'commenter'),
	('converge.suggestions_at(%L)', 'viewer'),
	('converge.decide_suggestion(%1$L, converge.suggest(%1$L, 0, ''["é"]''), true)', 'editor'),
	('converge.decide_suggestions(%L, ''{}'', true)', 'editor'),
	('converge.withdraw_suggestion(%1$L, converge.suggest(%1$L, 0, ''["é"]''))', 'commenter'),
	('converge.check_suggestion(%L, 0, ''["é"]'')', 'viewer'),
	('converge.carry_ops(%L, 0, ''{}'', ''{}'')', 'viewer'),
	('converge.carry_ranges(%L, 0, ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')', 'viewer'),
	('converge.say(%L, ''é'')', 'commenter'),
	('converge.messages_before(%L)', 'viewer'),
	('converge.mark_read(%L, 0)', 'viewer'),
	('converge.unread(%L)', 'viewer'),
	('converge.talk_events(%L)', 'viewer'),
	('converge.talk_changed(%L)', 'viewer'),
	('converge.talk_rows(%L, ''{}'')', 'viewer'),
	('converge.talk_problems(%L)', 'viewer'),
	('converge.talk_answer(%L, ''{}'')', 'viewer'),
	('converge.pack(%L)', 'owner'),
	('converge.prune(%L, 0)', 'owner');
GRANT SELECT ON calls TO PUBLIC;

-- the role each has, by name or through everyone
CREATE FUNCTION pg_temp.role_in(who text, place text) RETURNS converge.role LANGUAGE sql AS $$
	SELECT greatest(CASE who WHEN 'ann é' THEN 'owner' WHEN 'ben' THEN 'editor' WHEN 'cleo' THEN 'commenter' WHEN 'dan' THEN 'viewer' END::converge.role,
					CASE place WHEN 'open to view' THEN 'viewer' WHEN 'open to edit' THEN 'editor' END::converge.role)
$$;
-- do it, and take it back
CREATE FUNCTION pg_temp.tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE SQLSTATE 'DONE0';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'DONE0' THEN 'done' ELSE SQLSTATE END;
END
$$;
CREATE FUNCTION pg_temp.check_calls() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(pg_temp.tried('SELECT ' || format(call, doc)),
			  CASE WHEN place = 'nowhere' THEN 'OT003'
				   WHEN coalesce(pg_temp.role_in(session_user, place) >= needs, needs IS NULL) THEN 'done'
				   ELSE 'OT002' END, concat(session_user, ' ', place, ': ', call))
	FROM places, calls ORDER BY place, call
$$;
CREATE FUNCTION pg_temp.check_role() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(converge.my_role(doc), pg_temp.role_in(session_user, place), concat(session_user, ' ', place, ': my_role')) FROM places WHERE place <> 'nowhere'
$$;

-- what nobody gets by a role in a document
CREATE FUNCTION pg_temp.check_closed() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT throws_ok(statement, '42501', NULL, concat(session_user, ': no ', statement)) FROM (VALUES
		('TABLE converge.storage'), ('TABLE converge.storage_totals'), ('TABLE converge.maintenance'), ('TRUNCATE converge.ops'),
		('INSERT INTO converge.ops DEFAULT VALUES'), ('UPDATE converge.members SET role = ''owner'''), ('DELETE FROM converge.documents'),
		('SELECT nextval(''converge.op_seq'')'), ('SELECT setval(''converge.op_seq'', 1)'),
		('SELECT * FROM converge.submit(''{}'', ''{}'', ''{}'', ''{}'', ''{}'')'),
		('SELECT * FROM converge.join_document(''ann é'', ''acce5500-0000-4000-8000-00000000000c'')'),
		('SELECT * FROM converge.catch_up(''acce5500-0000-4000-8000-00000000000c'', 0)'),
		('SELECT converge.checksum(''acce5500-0000-4000-8000-00000000000c'', 0)'),
		('SELECT converge.has_version(''acce5500-0000-4000-8000-00000000000c'', 0, NULL, 0)'),
		('SELECT converge.become(''ann é'')'),
		('TABLE converge.users'), ('TABLE converge.attempts'), ('UPDATE converge.users SET name = ''x'''),
		('SELECT converge.sign_up(''x'', ''x@example.com'', ''12345678'')'), ('SELECT converge.log_in(''x'', ''x'')'),
		('SELECT converge.search_users(''ann'')'), ('SELECT converge.largest_documents()'),
		('SELECT converge.allow_relay(current_user::regrole)'),
		('SELECT converge.lock_for_owner(''acce5500-0000-4000-8000-00000000000c'')'),
		('SELECT converge.keep_an_owner(''acce5500-0000-4000-8000-00000000000c'')'),
		('SELECT set_config(''converge.user'', ''ann é'', true)')) AS v (statement)
$$;

SET SESSION AUTHORIZATION "ann é";
SELECT pg_temp.check_role();
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION ben;
SELECT pg_temp.check_role();
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION cleo;
SELECT pg_temp.check_role();
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION dan;
SELECT pg_temp.check_role();
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
SET SESSION AUTHORIZATION eve;
SELECT pg_temp.check_role();
SELECT pg_temp.check_calls();
SELECT pg_temp.check_closed();
RESET SESSION AUTHORIZATION;

-- every function that takes a document and is open to all is in the table
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'converge'::regnamespace AND proargnames[1] = 'doc_id' AND has_function_privilege('public', oid, 'execute')
	AND proname NOT IN ('may_read', 'undo') AND NOT EXISTS (SELECT FROM calls WHERE call LIKE 'converge.' || proname || '(%')$$, 'the table knows every function');

-- what a user wrote stands under his name
SELECT converge.edit(doc, '["é"]') FROM places, set_config('converge.user', 'ann é', true) WHERE place = 'closed';
SELECT converge.edit(doc, '["é"]') FROM places, set_config('converge.user', 'ben', true) WHERE place = 'closed';
RESET converge."user";
SELECT set_eq($$SELECT user_id FROM converge.ops WHERE doc_id = 'acce5500-0000-4000-8000-00000000000c'$$, ARRAY['ann é', 'ben'], 'authors');

-- a definer function of somebody's does not change who acts, nor does SET ROLE
CREATE FUNCTION pg_temp.read_for_me(doc uuid) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT converge.content(doc)';
SET SESSION AUTHORIZATION eve;
SELECT throws_ok($$SELECT pg_temp.read_for_me('acce5500-0000-4000-8000-00000000000c')$$, 'OT002', NULL, 'a definer function does not lend its owner''s role');
RESET SESSION AUTHORIZATION;
GRANT "ann é" TO eve;
SET SESSION AUTHORIZATION eve;
SET ROLE "ann é";
SELECT throws_ok($$SELECT converge.content('acce5500-0000-4000-8000-00000000000c')$$, 'OT002', NULL, 'nor does SET ROLE');
RESET ROLE;
RESET SESSION AUTHORIZATION;

-- a search path full of look-alikes changes nothing for the definer functions
CREATE SCHEMA evil;
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE sql AS $$
	SELECT $1 OPERATOR(pg_catalog.=) $2 OR $1 OPERATOR(pg_catalog.=) 'ann é' AND $2 OPERATOR(pg_catalog.=) 'eve'
$$;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq);
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SET SESSION AUTHORIZATION eve;
CREATE TEMP TABLE members AS SELECT 'acce5500-0000-4000-8000-00000000000c'::uuid AS doc_id, 'eve'::text AS user_id, 'owner'::converge.role AS role;
CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql SET search_path = pg_temp, evil, pg_catalog, converge AS $$
BEGIN
	EXECUTE statement;
	RETURN '00000';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.state_of($$SELECT converge.share('acce5500-0000-4000-8000-00000000000c', 'eve', 'owner')$$), 'OT002', 'share knows its operators and tables');
SELECT is(pg_temp.state_of($$SELECT converge.unshare('acce5500-0000-4000-8000-00000000000c', 'ann é')$$), 'OT002', 'so does unshare');
SELECT is(pg_temp.state_of($$SELECT converge.content('acce5500-0000-4000-8000-00000000000c')$$), 'OT002', 'and content');
CREATE TEMP TABLE documents AS SELECT 'acce5500-0000-4000-8000-00000000000c'::uuid AS id, 'eve''s'::text AS title, 'eve'::text AS owner, now() AS created_at;
CREATE TEMP TABLE users AS SELECT 'eve'::text AS id, 'eve'::text AS name, 'eve@example.com'::text AS address, ''::text AS password_hash;
CREATE TEMP TABLE heads AS SELECT 'acce5500-0000-4000-8000-00000000000c'::uuid AS doc_id, 0::bigint AS version;
CREATE FUNCTION pg_temp.acting_user() RETURNS text LANGUAGE sql AS $$SELECT 'ann é'::text$$;
CREATE FUNCTION pg_temp.require_role(uuid, converge.role) RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION pg_temp.lock_for_owner(uuid) RETURNS void LANGUAGE sql AS 'SELECT';
SELECT is(pg_temp.state_of('SELECT converge.' || format(call, 'acce5500-0000-4000-8000-00000000000c')), 'OT002', 'and ' || call) FROM (VALUES
	('document(%L)'), ('members(%L)'), ('rename_document(%L, ''x'')'), ('delete_document(%L)'), ('transfer_ownership(%L, ''eve'')'),
	('list_snapshots(%L)'), ('undo_last(%L)'), ('snapshot(%L)'), ('remove_label(%L, 0, ''x'')'), ('pack(%L)'), ('prune(%L, 0)')) AS v (call);
SELECT is(pg_temp.state_of($$SELECT converge.rename_user('ann')$$), '42704', 'and rename_user');
SELECT is(pg_temp.state_of($$SELECT converge.change_password('12345678', '12345678')$$), '42704', 'and change_password');
DROP TABLE members, documents, users, heads;
DROP FUNCTION pg_temp.acting_user(), pg_temp.require_role(uuid, converge.role), pg_temp.lock_for_owner(uuid);
RESET SESSION AUTHORIZATION;

-- who was granted the parameter acts for whom he names; taken back, no more
GRANT SET ON PARAMETER converge."user" TO eve;
SET SESSION AUTHORIZATION eve;
SELECT is(set_config('converge.user', 'ann é', true), 'ann é', 'with SET on the parameter');
SELECT is(converge.my_role('acce5500-0000-4000-8000-00000000000c')::text, 'owner', 'one acts as another');
RESET converge."user";
RESET SESSION AUTHORIZATION;
REVOKE SET ON PARAMETER converge."user" FROM eve;
SET SESSION AUTHORIZATION eve;
SELECT throws_ok($$SET converge."user" = 'ann é'$$, '42501', NULL, 'without it, no more');
SELECT is(converge.acting_user(), 'eve', 'the acting user is the role that connected');
RESET SESSION AUTHORIZATION;

-- everyone is nobody in particular
SELECT throws_ok($$SET converge."user" = '*'$$, '22023', NULL, 'the acting user cannot be *');
SELECT results_eq($$SELECT code FROM converge.submit('{acce5500-0000-4000-8000-00000000000b}', '{*}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}')$$,
	ARRAY['forbidden'], 'nor does the gateway let him');
SELECT throws_ok($$SELECT converge.join_document('*', 'acce5500-0000-4000-8000-00000000000b')$$, 'OT002', NULL, 'in or out');

-- the relay's role gets the gateway and nothing else
SELECT lives_ok($$SELECT converge.allow_relay('dan')$$, 'allow_relay');
SET SESSION AUTHORIZATION dan;
SELECT results_eq($$SELECT code FROM converge.submit('{acce5500-0000-4000-8000-00000000000c}', '{ben}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}')$$,
	ARRAY['applied'], 'the relay submits for others');
SELECT lives_ok($$SELECT converge.join_document('ann é', 'acce5500-0000-4000-8000-00000000000c')$$, 'joins for them');
SELECT lives_ok($$SELECT converge.search_users('ann')$$, 'looks for users');
SELECT ok(EXISTS (SELECT FROM converge.largest_documents() WHERE doc_id = 'acce5500-0000-4000-8000-00000000000c'), 'and knows the size of documents that it may not read itself');
SELECT throws_ok($$SELECT converge.sign_up('x', 'x@example.com', '12345678')$$, '0A000', NULL, 'would sign up');
SELECT throws_ok($$SELECT converge.log_in('x@example.com', '12345678')$$, '0A000', NULL, 'and log in');
SELECT throws_ok($$TABLE converge.users$$, '42501', NULL, 'without reading the stored rows');
SELECT lives_ok($$SELECT converge.catch_up('acce5500-0000-4000-8000-00000000000c', 0)$$, 'catches up');
SELECT lives_ok($$SELECT converge.checksum('acce5500-0000-4000-8000-00000000000c', 0)$$, 'asks for checksums');
SELECT ok(converge.has_version('acce5500-0000-4000-8000-00000000000c', 0, NULL, 0), 'and asks which operation made a version');
SELECT throws_ok($$SELECT converge.share('acce5500-0000-4000-8000-00000000000c', 'dan', 'owner')$$, 'OT002', NULL, 'but owns nothing by it');
SAVEPOINT one;
SELECT lives_ok($$SELECT converge.become('ann é')$$, 'it becomes a user');
SELECT is(converge.acting_user(), 'ann é', 'and is he');
SELECT is(converge.my_role('acce5500-0000-4000-8000-00000000000c')::text, 'owner', 'with their roles');
SELECT set_eq('SELECT DISTINCT user_id FROM converge.ops', ARRAY['ann é', 'ben'], 'and his rows');
SELECT lives_ok($$SELECT converge.become('eve')$$, 'then another');
SELECT is(converge.my_role('acce5500-0000-4000-8000-00000000000c'), NULL, 'with hers');
ROLLBACK TO one;
SELECT is(converge.acting_user(), 'dan', 'and, what it did undone, itself again');
SELECT throws_ok('SELECT converge.become(NULL)', '22004', NULL, 'become refuses null');
SELECT throws_ok($$SELECT converge.become('')$$, '22023', NULL, 'and an empty name');
SELECT throws_ok($$SELECT converge.become('*')$$, '22023', NULL, 'and is not everyone');
SELECT throws_ok($$SELECT converge.become(repeat('é', 128))$$, '22023', NULL, 'with a name that can be one');
SELECT throws_ok($$SET converge."user" = 'ann é'$$, '42501', NULL, 'and the acting user is reset');
SELECT throws_ok($$SELECT converge.allow_relay('eve')$$, '42501', NULL, 'nor passes it on');
RESET SESSION AUTHORIZATION;

SELECT * FROM finish();
ROLLBACK;
