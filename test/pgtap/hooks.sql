-- Hooks: functions that are called at events, and what they may be.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = error;
\set doc '400c0000-0000-4000-8000-000000000001'
SELECT set_config('converge.acting_user', 'ann', true) \g /dev/null
SELECT converge.create_document('', 'é', :'doc') \g /dev/null
CREATE TABLE public.heard (n serial, what text);
CREATE FUNCTION public.refuse(edit converge.ops) RETURNS boolean LANGUAGE sql AS $$ SELECT edit.op::text NOT LIKE '%bad%' $$;
CREATE FUNCTION public.after(edit converge.ops) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard (what) VALUES (concat(edit.user_id, ' ', converge.acting_user(), ' ', edit.version, ' ', converge.content(edit.doc_id))) $$;
CREATE FUNCTION public.member(doc uuid, who text, as_role converge.role) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard (what) VALUES (concat(who, ':', as_role)) $$;
CREATE FUNCTION public."Pause"(doc uuid, version bigint, content text) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.heard (what) VALUES (concat(version, '=', content)) $$;
CREATE FUNCTION public.breaks(doc uuid, version bigint, content text) RETURNS void LANGUAGE sql AS $$ SELECT 1 / 0 $$;
CREATE FUNCTION pg_temp.heard() RETURNS text LANGUAGE sql AS $$ WITH h AS (DELETE FROM public.heard RETURNING *) SELECT string_agg(what, '|' ORDER BY n) FROM h $$;

-- ---- operations ----

SELECT converge.add_hook('before_op', 'public.refuse(converge.ops)'), converge.add_hook('before_op', 'public.refuse(converge.ops)') \g /dev/null
SELECT is((SELECT hook FROM converge.user_hooks), 'public.refuse(converge.ops)', 'a hook is a row');
SELECT is(converge.edit(:'doc', '["good"]'), 1::bigint, 'it lets an op pass');
SELECT throws_ok(format('SELECT converge.edit(%L, ''["bad"]'')', :'doc'), 'OT008', 'hook public.refuse refused the operation', 'and refuses another');
SELECT throws_ok(format($$SELECT * FROM converge.submit(ARRAY[%L]::uuid[], '{ann}', ARRAY[gen_random_uuid()], '{1}', ARRAY['["bad"]'])$$, :'doc'), 'OT008', NULL, 'the relay''s too');
SELECT is_empty('SELECT * FROM converge.additions()', 'its trigger is no addition');
SELECT converge.add_hook('after_op', 'public.after(converge.ops)'), converge.share(:'doc', 'ben', 'editor') \g /dev/null
SELECT code FROM converge.submit(ARRAY[:'doc', :'doc']::uuid[], '{ann,ben}', ARRAY[gen_random_uuid(), gen_random_uuid()], '{1,1}', ARRAY['["a"]', '["b"]']) \g /dev/null
SELECT is(pg_temp.heard(), 'ann ann 2 agoodé|ben ben 3 bagoodé', 'after an op, each by itself, with its author');
SELECT converge.drop_hook('before_op', 'public.refuse(converge.ops)'), converge.drop_hook('after_op', 'public.after(converge.ops)') \g /dev/null
SELECT is(converge.edit(:'doc', '["bad"]'), 4::bigint, 'a hook that was dropped is not called');
SELECT is((SELECT count(*) FROM pg_trigger WHERE tgrelid = 'converge.ops'::regclass AND NOT tgisinternal), 0::bigint, 'and its trigger is gone');

-- ---- members ----

SELECT converge.add_hook('member_change', 'public.member(uuid,text,converge.role)') \g /dev/null
SELECT converge.share(:'doc', 'cleo', 'viewer'), converge.share(:'doc', 'cleo', 'editor'), converge.unshare(:'doc', 'cleo') \g /dev/null
SELECT is(pg_temp.heard(), 'cleo:viewer|cleo:editor|cleo:', 'a member who comes, changes and goes');
SELECT converge.drop_hook('member_change', 'public.member(uuid,text,converge.role)') \g /dev/null

-- ---- after a pause ----

SELECT converge.add_hook('after_pause', 'public.breaks(uuid,bigint,text)'), converge.add_hook('after_pause', 'public."Pause"(uuid,bigint,text)') \g /dev/null
SELECT cmp_ok(converge.run_pause_hooks('0 s', 100000), '>=', 1::bigint, 'documents that are not edited any more');
SELECT is((SELECT count(*) FROM public.heard WHERE what = '4=badbagoodé'), 1::bigint, 'with version and text; a hook that fails stops no other');
SELECT is(converge.run_pause_hooks('0 s'), 0::bigint, 'once');
SELECT pg_temp.heard(), converge.edit(:'doc', '["x"]') \g /dev/null
SELECT is(converge.run_pause_hooks('1 hour'), 0::bigint, 'not while it is edited');
SELECT is(converge.run_pause_hooks('0 s'), 1::bigint, 'but then');
SELECT is(pg_temp.heard(), '5=xbadbagoodé', 'again');
SELECT converge.delete_document(:'doc') \g /dev/null
SELECT is((SELECT count(*) FROM converge.pauses WHERE doc_id = :'doc'), 0::bigint, 'nothing is left of a deleted document');

-- ---- what is none ----

CREATE ROLE hook_owner;
GRANT CREATE ON SCHEMA public TO hook_owner;
SET ROLE hook_owner;
CREATE FUNCTION public.theirs(edit converge.ops) RETURNS boolean LANGUAGE sql AS 'SELECT true';
RESET ROLE;
SELECT throws_ok(format('SELECT converge.add_hook(%L, %L)', event, hook), code, NULL, concat(event, ' ', hook)) FROM (VALUES
	('never', 'public.after(converge.ops)', '22023'), ('before_op', 'public.after(converge.ops)', '22023'), ('after_pause', 'public.after(converge.ops)', '22023'),
	('after_op', 'public.member(uuid,text,converge.role)', '22023'), ('before_op', 'public.theirs(converge.ops)', '42501'), ('after_op', 'public.nothing(converge.ops)', '42883')) AS v (event, hook, code);
SELECT throws_ok('SELECT converge.drop_hook(''after_op'', ''public.after(converge.ops)'')', 'P0002', NULL, 'one that was not added');
-- a function that is gone, or in other hands, is an error, not a hole
SELECT converge.create_document('', '', :'doc'), converge.add_hook('before_op', 'public.refuse(converge.ops)') \g /dev/null
ALTER FUNCTION public.refuse OWNER TO hook_owner;
SELECT throws_ok(format('SELECT converge.edit(%L, ''["x"]'')', :'doc'), '55000', NULL, 'in other hands');
DROP FUNCTION public.refuse;
SELECT throws_ok(format('SELECT converge.edit(%L, ''["x"]'')', :'doc'), '55000', NULL, 'gone');
DELETE FROM converge.user_hooks WHERE hook LIKE 'public.refuse%';
SELECT is(converge.edit(:'doc', '["x"]'), 1::bigint, 'until its row is deleted');

SELECT * FROM finish();
ROLLBACK;
