-- Who may do what.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set doc 'acce5500-0000-4000-8000-000000000001'
\set open 'acce5500-0000-4000-8000-000000000002'
\set nowhere 'acce5500-0000-4000-8000-00000000dead'
SET converge."user" = 'ann';
SELECT converge.create_document('shared', 'Grüße 😀', :'doc');
SELECT converge.share(:'doc', 'ben', 'editor');
SELECT converge.share(:'doc', 'cleo', 'commenter');
SELECT converge.share(:'doc', 'dan', 'viewer');
SELECT converge.create_document('open', '', :'open');
SELECT converge.share(:'open', '*', 'editor');
SELECT converge.share(:'open', 'dan', 'viewer');

-- what one user may do: role, read, write, share, unshare
CREATE FUNCTION pg_temp.may(doc uuid) RETURNS text LANGUAGE sql AS $$
	SELECT concat(coalesce(converge.my_role(doc)::text, 'none'), ':',
				  string_agg(concat(' ', name, '=' || nullif((pg_temp.failure_detail(format(call, doc))).state, '00000')), '' ORDER BY n))
	FROM (VALUES
		(1, 'read', 'SELECT converge.content(%L)'),
		(2, 'open', 'SELECT converge.open_document(%L)'),
		(3, 'past', 'SELECT converge.content_at(%L, 0)'),
		(4, 'edit', 'SELECT converge.edit(%L, ''["x"]'')'),
		(5, 'apply', 'SELECT converge.apply_op(%L, gen_random_uuid(), 0, ''["x"]'')'),
		(6, 'share', 'SELECT converge.share(%L, ''eve'', ''viewer'')'),
		(7, 'unshare', 'SELECT converge.unshare(%L, ''eve'')')) AS v (n, name, call)
$$;
SET converge."user" = 'ann';
SELECT pg_temp.may(:'doc'), pg_temp.may(:'open');
SET converge."user" = 'ben';
SELECT pg_temp.may(:'doc'), pg_temp.may(:'open');
SET converge."user" = 'cleo';
SELECT pg_temp.may(:'doc'), pg_temp.may(:'open');
SET converge."user" = 'dan';
SELECT pg_temp.may(:'doc'), pg_temp.may(:'open');
SET converge."user" = 'eve';
SELECT pg_temp.may(:'doc'), pg_temp.may(:'open');
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.content('acce5500-0000-4000-8000-000000000001')$$),
	($$SELECT converge.edit('acce5500-0000-4000-8000-000000000001', '[]')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', 'eve', 'owner')$$),
	($$SELECT converge.my_role('acce5500-0000-4000-8000-00000000dead')$$)) AS v (statement);

-- an owner who is not the one who created it; a role that changes; one that goes
SET converge."user" = 'ann';
SELECT converge.share(:'doc', 'ben', 'owner');
SET converge."user" = 'ben';
SELECT converge.share(:'doc', 'ann', 'viewer');
SET converge."user" = 'ann';
SELECT converge.my_role(:'doc');
SELECT pg_temp.failure(format('SELECT converge.edit(%L, %L)', :'doc', '["x"]'));
SET converge."user" = 'ben';
SELECT converge.unshare(:'doc', 'ann');
SELECT converge.unshare(:'doc', 'nobody at all');
SET converge."user" = 'ann';
SELECT converge.my_role(:'doc') IS NULL AS none;
SELECT pg_temp.failure(format('SELECT converge.content(%L)', :'doc'));
SELECT pg_temp.failure(format('SELECT converge.unshare(%L, %L)', :'doc', 'ann'));

-- anybody may leave, but not the last owner
SET converge."user" = 'dan';
SELECT converge.unshare(:'doc', 'dan');
SELECT pg_temp.failure(format('SELECT converge.content(%L)', :'doc'));
SET converge."user" = 'ben';
SELECT pg_temp.failure(format('SELECT converge.unshare(%L, %L)', :'doc', 'ben'));
SELECT pg_temp.failure(format('SELECT converge.share(%L, %L, %L)', :'doc', 'ben', 'editor'));
SELECT user_id, role FROM converge.members WHERE doc_id = :'doc' ORDER BY user_id COLLATE "C";

-- arguments
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.share('acce5500-0000-4000-8000-00000000dead', 'eve', 'viewer')$$),
	($$SELECT converge.unshare('acce5500-0000-4000-8000-00000000dead', 'eve')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', '', 'viewer')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', repeat('é', 128), 'viewer')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', '*', 'owner')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', 'eve', 'king')$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', 'eve', NULL)$$),
	($$SELECT converge.share('acce5500-0000-4000-8000-000000000001', NULL, 'viewer')$$),
	($$SELECT converge.share(NULL, 'eve', 'viewer')$$),
	($$SELECT converge.unshare('acce5500-0000-4000-8000-000000000001', NULL)$$)) AS v (statement);
SELECT converge.share(:'doc', repeat('é', 127) || 'e', 'viewer');
SELECT 'viewer'::converge.role < 'commenter', 'commenter'::converge.role < 'editor', 'editor'::converge.role < 'owner';

-- the acting user: the setting, else session_user, whatever role is set and whoever defined the function
RESET converge."user";
SELECT converge.acting_user() = session_user AS session_user;
SET converge."user" = '';
SELECT converge.acting_user() = session_user AS session_user;
SET converge."user" = 'Zoë 😀 "quoted" \';
SELECT converge.acting_user();
SELECT pg_temp.failure($$SELECT set_config('converge.user', repeat('é', 128), false)$$);
SELECT pg_temp.failure($$SET converge.usr = 'ann'$$);
RESET converge."user";
CREATE ROLE regress_converge_ben;
SET ROLE regress_converge_ben;
SELECT converge.acting_user() = session_user AS session_user;
RESET ROLE;
SET SESSION AUTHORIZATION regress_converge_ben;
SELECT converge.acting_user();
SELECT pg_temp.failure($$SET converge."user" = 'ann'$$);
SELECT pg_temp.failure($$SELECT set_config('converge.user', 'ann', true)$$);
SELECT converge.create_document('mine', 'é', 'acce5500-0000-4000-8000-000000000003');
SELECT converge.edit('acce5500-0000-4000-8000-000000000003', '[1,"😀"]');
SELECT converge.content('acce5500-0000-4000-8000-000000000003');
SELECT pg_temp.failure(format('SELECT converge.content(%L)', :'doc'));

-- nobody reads what is not his, writes a table, takes a number, or plays the relay
SELECT title, version, user_id, op FROM converge.documents d JOIN converge.heads h ON h.doc_id = d.id JOIN converge.ops USING (doc_id, version)
	WHERE doc_id::text LIKE 'acce5500-%' ORDER BY title;
SELECT user_id, role FROM converge.members WHERE doc_id::text LIKE 'acce5500-%' ORDER BY user_id COLLATE "C";
SELECT version, content FROM converge.snapshots WHERE doc_id::text LIKE 'acce5500-%';
SELECT pg_temp.failure(statement) FROM (VALUES
	('SELECT FROM converge.storage'), ('SELECT FROM converge.storage_totals'),
	('SELECT nextval(''converge.op_seq'')'), ('SELECT last_value FROM converge.op_seq'),
	('INSERT INTO converge.members VALUES (''acce5500-0000-4000-8000-000000000001'', ''eve'', ''owner'')'),
	('DELETE FROM converge.ops'), ('UPDATE converge.heads SET version = 0'), ('TRUNCATE converge.snapshots'),
	('SELECT converge.submit(''{}'', ''{}'', ''{}'', ''{}'', ''{}'')'),
	('SELECT converge.join_document(''ann'', gen_random_uuid())'),
	('SELECT converge.catch_up(gen_random_uuid(), 0)'),
	('SELECT converge.allow_relay(''regress_converge_ben'')'),
	('SELECT converge.lock_for_owner(gen_random_uuid())'),
	('SELECT converge.keep_an_owner(gen_random_uuid())'),
	('CREATE TABLE converge.mine ()')) AS v (statement);
RESET SESSION AUTHORIZATION;

-- one who was granted the parameter may act for others; one who was allowed, relay
GRANT SET ON PARAMETER converge."user" TO regress_converge_ben;
SET SESSION AUTHORIZATION regress_converge_ben;
SET converge."user" = 'ben';
SELECT converge.my_role(:'doc'), converge.content(:'doc');
RESET SESSION AUTHORIZATION;
RESET converge."user";
SELECT converge.allow_relay('regress_converge_ben');
SET SESSION AUTHORIZATION regress_converge_ben;
SELECT ord, code, version FROM converge.submit(ARRAY[:'doc']::uuid[], '{ben}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{"[\"😀\"]"}');
SELECT role, version FROM converge.join_document('ben', :'doc');
SELECT count(*) FROM converge.catch_up(:'doc', 0);
SELECT DISTINCT user_id FROM converge.ops WHERE doc_id = :'doc';
RESET SESSION AUTHORIZATION;
SELECT pg_temp.failure($$SELECT converge.allow_relay('no_such_role')$$);
REVOKE SET ON PARAMETER converge."user" FROM regress_converge_ben;
DROP OWNED BY regress_converge_ben;
DROP ROLE regress_converge_ben;
