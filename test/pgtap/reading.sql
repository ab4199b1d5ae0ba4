-- Who reads without a role in a document: superusers, roles with BYPASSRLS and the owner of
-- the extension, through every function that reads, as they read the tables; and nobody else
-- gets that from them.
BEGIN;
SELECT * FROM no_plan();

CREATE ROLE reader_super SUPERUSER;
CREATE ROLE reader_bypass BYPASSRLS;
CREATE ROLE reader_plain;
CREATE ROLE reader_deputy;
GRANT reader_bypass TO reader_deputy;
GRANT CREATE ON SCHEMA public TO reader_super, reader_plain;

\set doc 'ead00000-0000-4000-8000-000000000001'
\set nowhere 'ead00000-0000-4000-8000-00000000dead'
SELECT set_config('converge.acting_user', 'ann é', true) \g /dev/null
SELECT converge.create_document('é', 'é😀', :'doc') \g /dev/null
SELECT converge.edit(:'doc', '["é"]'), converge.snapshot(:'doc', 'é') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT set_config('converge.acting_user', '', true) \g /dev/null

-- what each call answers one who may read
CREATE TEMP TABLE readings (call text, answer text);
INSERT INTO readings VALUES
	('converge.content(%L)', 'éé😀'), ('converge.content_at(%L, 0)', 'é😀'), ('converge.content_at(%L, ''infinity''::timestamptz)', 'éé😀'), ('converge.content_at(%L, ''0'')', 'é😀'),
	('converge.version_at(%L, ''infinity'')', '1'),
	('(SELECT concat(content, version, role) FROM converge.open_document(%L))', 'éé😀1'), ('(SELECT concat(op, resumed, role) FROM converge.open_document(%1$L, 0, NULL, (converge.document(%1$L)).life))', '["é"]t'),
	('(SELECT concat(title, version, owner, role) FROM converge.document(%L))', 'é1ann é'),
	('(SELECT string_agg(user_id, '','' ORDER BY user_id) FROM converge.members(%L))', 'ann é,ben'),
	('(SELECT string_agg(op::text, '','') FROM converge.history(%L))', '["é"]'), ('(SELECT string_agg(content, '','') FROM converge.changes(%L))', 'é'),
	('(SELECT string_agg(content, '','' ORDER BY pos) FROM converge.blame(%L))', 'é,é😀'), ('converge.diff(%L, 1, 0)', '[{"d":1}]'),
	('(SELECT string_agg(kind, '','') FROM converge.list_snapshots(%L))', 'initial,named'), ('(SELECT count(*) FROM converge.verify(%L))', '0'),
	('converge.may_read(%L)', 'true'), ('concat(''no role: '', converge.my_role(%L))', 'no role: '), ('converge.require_role(%L, ''viewer'')', '');
CREATE TEMP TABLE writings (call text);
INSERT INTO writings VALUES ('converge.edit(%L, ''["x"]'')'), ('converge.apply_op(%L, gen_random_uuid(), 0, ''["x"]'')'), ('converge.revert(%L, 0)'), ('converge.undo_last(%L)'), ('converge.snapshot(%L)'), ('converge.pack(%L)'),
	('converge.prune(%L, 1)'), ('converge.share(%L, ''eve'', ''viewer'')'), ('converge.unshare(%L, ''ben'')'), ('converge.transfer_ownership(%L, ''eve'')'), ('converge.rename_document(%L, ''x'')'), ('converge.delete_document(%L)'),
	('converge.require_role(%L, ''commenter'')');
GRANT SELECT ON readings, writings TO PUBLIC;

CREATE FUNCTION pg_temp.answer(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE 'SELECT ' || expression INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.check_reader(who text, doc uuid) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(pg_temp.answer(format(call, doc)), answer, concat(who, ': ', call)) FROM readings
	UNION ALL SELECT is(pg_temp.answer(format(call, 'ead00000-0000-4000-8000-00000000dead')), CASE WHEN call LIKE '%may_read%' THEN 'false' ELSE 'OT003' END, concat(who, ', nowhere: ', call)) FROM readings
	UNION ALL SELECT is(pg_temp.answer(format(call, doc)), 'OT002', concat(who, ' writes nothing: ', call)) FROM writings
$$;
CREATE FUNCTION pg_temp.check_stranger(who text, doc uuid) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(pg_temp.answer(format(call, doc)), CASE WHEN call LIKE '%may_read%' THEN 'false' WHEN call LIKE '%my_role%' THEN answer ELSE 'OT002' END, concat(who, ': ', call)) FROM readings
	UNION ALL SELECT is(pg_temp.answer('(SELECT count(*) FROM converge.ops WHERE row_security_active(''converge.ops'') AND NOT converge.may_read(doc_id))'), '0', who || ': sees no rows that may_read() denies')
$$;

-- who reads all
SET SESSION AUTHORIZATION reader_super;
SELECT pg_temp.check_reader('a superuser', :'doc');
SET SESSION AUTHORIZATION reader_bypass;
SELECT pg_temp.check_reader('a role with BYPASSRLS', :'doc');
SELECT is((SELECT count(*) FROM converge.documents), (SELECT count(*) FROM converge.documents WHERE converge.may_read(id)), 'and the functions read as many documents as the table has');
SELECT is_empty('SELECT d.id, v.* FROM converge.documents AS d, converge.verify(d.id) AS v', 'every document is verified in one SELECT');
SET SESSION AUTHORIZATION reader_deputy;
SELECT pg_temp.check_stranger('a member of such a role', :'doc');
SET ROLE reader_bypass;
SELECT pg_temp.check_reader('who has taken such a role', :'doc');
RESET ROLE;
RESET SESSION AUTHORIZATION;

-- who does not
SET SESSION AUTHORIZATION reader_plain;
SELECT pg_temp.check_stranger('a plain user', :'doc');
CREATE FUNCTION public.plain_reads(expression text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp, pg_catalog AS $$BEGIN RETURN pg_temp.answer(expression); END$$;
SET SESSION AUTHORIZATION reader_super;
CREATE FUNCTION public.super_reads(expression text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN RETURN pg_temp.answer(expression); END$$;
SELECT is(public.plain_reads(format('converge.content(%L)', :'doc')), 'OT002', 'a definer function of a plain user reads nothing more when a superuser calls it');
SET SESSION AUTHORIZATION reader_plain;
SELECT is(public.super_reads(format('converge.content(%L)', :'doc')), 'OT002', 'nor a superuser''s for a plain user');
SET SESSION AUTHORIZATION reader_super;
SET ROLE reader_plain;
SELECT pg_temp.check_stranger('a superuser who has taken a plain role', :'doc');
SELECT is((SELECT count(*) FROM converge.documents WHERE id = :'doc'), 0::bigint, 'as in the tables');
RESET ROLE;
SELECT set_config('converge.acting_user', 'reader_super', true) \g /dev/null
SELECT pg_temp.check_stranger('a superuser who acts for a user', :'doc');
SELECT set_config('converge.acting_user', '', true) \g /dev/null
SELECT set_config('converge.user', 'eve', true) \g /dev/null
SELECT pg_temp.check_stranger('a superuser who acts for a user, by the older name', :'doc');
SELECT set_config('converge.user', '', true) \g /dev/null

-- the user that the gateway's functions take as an argument is only a name
SELECT throws_ok(format('SELECT * FROM converge.join_document(%L, %L)', who, :'doc'), 'OT002', NULL, 'join_document reads nothing more for the name of a superuser: ' || who)
FROM unnest('{reader_super,reader_bypass,eve}'::text[]) AS who;
SELECT is((SELECT code FROM converge.submit(ARRAY[:'doc']::uuid[], '{reader_super}', ARRAY[gen_random_uuid()], '{0}', ARRAY['["x"]'])), 'forbidden', 'nor does submit write');
SELECT is(converge.role_in('reader_super', :'doc'), NULL, 'nor has it a role');
SELECT converge.become('eve') \g /dev/null
SELECT throws_ok(format('SELECT converge.content(%L)', :'doc'), 'OT002', NULL, 'nor does become() leave anything of it');

-- an answer that one role got is not the next one's
SELECT set_config('converge.acting_user', '', true), set_config('converge.user', '', true) \g /dev/null
CREATE FUNCTION public.asks(doc uuid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN converge.may_read(doc); END';
DO $$
BEGIN
	PERFORM set_config('reading.before', public.asks('ead00000-0000-4000-8000-000000000001')::text, true);
	SET LOCAL ROLE reader_plain;
	PERFORM set_config('reading.after', public.asks('ead00000-0000-4000-8000-000000000001')::text, true);
	RESET ROLE;
END
$$;
SELECT is(current_setting('reading.before') || current_setting('reading.after'), 'truefalse', 'may_read() forgets its answer with the role');

SELECT * FROM finish();
ROLLBACK;
