-- Triggers see one world: whatever the entry point, they run with the role and the search
-- path of the session that called, and the author of the operation acts.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
\set doc '7b166e00-0000-4000-8000-00000000000a'
\set other '7b166e00-0000-4000-8000-00000000000b'
CREATE ROLE tr_app;
GRANT tr_app TO CURRENT_USER;
SELECT converge.allow_relay('tr_app') \g /dev/null
CREATE SCHEMA tr_own;
GRANT USAGE ON SCHEMA tr_own TO PUBLIC;

SET converge."user" = 'ann';
SELECT converge.create_document('', 'é😀', :'doc'), converge.create_document('', 'other', :'other') \g /dev/null
SELECT converge.share(:'doc', 'ben', 'editor'), converge.share(:'doc', 'dan é', 'editor'), converge.share(:'other', 'ben', 'editor') \g /dev/null

-- what a trigger sees: who runs it, where names are looked up, who acts, what that user may read
CREATE TABLE tr_own.seen (n serial, trigger text, role text, path text, acting text, author text, version bigint, may text, content text);
GRANT ALL ON tr_own.seen, tr_own.seen_n_seq TO PUBLIC;
CREATE FUNCTION tr_own.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO seen (trigger, role, path, acting, author, version, may, content)
		VALUES (TG_NAME, current_user, current_setting('search_path'), converge.acting_user(),
				to_jsonb(NEW)->>'user_id', NEW.version, converge.my_role(NEW.doc_id), converge.content(NEW.doc_id));
	RETURN NEW;
END
$$;
CREATE FUNCTION tr_own.see_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO seen (trigger, role, path, acting, author, version)
		SELECT TG_NAME, current_user, current_setting('search_path'), converge.acting_user(), string_agg(DISTINCT user_id, ','), max(version) FROM inserted;
	RETURN NULL;
END
$$;
CREATE TRIGGER before_row BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION tr_own.see();
CREATE TRIGGER after_row AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION tr_own.see();
CREATE TRIGGER after_all AFTER INSERT ON converge.ops REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION tr_own.see_all();
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON converge.ops DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tr_own.see();

-- as ann, at each entry point, with the rights and the path of a role that has none on converge's tables
SET LOCAL search_path = tr_own, public;
SET LOCAL ROLE tr_app;
SELECT converge.edit(:'doc', '["1"]') \g /dev/null
SELECT converge.apply_op(:'doc', '7b166e00-0000-8000-8000-000000000001', 0, '["2"]') \g /dev/null
SELECT converge.undo(:'doc', '7b166e00-0000-8000-8000-000000000001') \g /dev/null
SELECT converge.undo_last(:'doc') \g /dev/null
SELECT converge.revert(:'doc', 2) \g /dev/null
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT results_eq($$SELECT DISTINCT role, path, acting, author, may FROM tr_own.seen WHERE trigger <> 'after_all'$$,
	$$VALUES ('tr_app', 'tr_own, public', 'ann', 'ann', 'owner')$$, 'edit, apply_op, undo, undo_last and revert show triggers one world');
SELECT results_eq($$SELECT trigger, count(*) FROM tr_own.seen GROUP BY trigger ORDER BY trigger$$,
	$$VALUES ('after_all', 5::bigint), ('after_row', 5), ('at_commit', 5), ('before_row', 5)$$, 'each of them, five times');
SELECT results_eq($$SELECT content FROM tr_own.seen WHERE version = 1 AND trigger IN ('before_row', 'after_row') ORDER BY n$$,
	$$VALUES ('é😀'), ('1é😀')$$, 'before, the document is as it was; after, as it has become');

-- submit: the session acts for nobody, its authors do, each for what is theirs
RESET ROLE;
RESET converge."user";
RESET converge.acting_user;
TRUNCATE tr_own.seen;
SET LOCAL ROLE tr_app;
SELECT array_agg(code ORDER BY ord) AS codes FROM converge.submit(
	ARRAY[:'doc', :'doc', :'other', :'doc', :'doc', :'other']::uuid[], ARRAY['ann', 'ben', 'ben', 'dan é', 'ben', 'ann'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 6)), ARRAY[0, 0, 0, 0, 0, 0], array_fill('["x"]'::text, ARRAY[6])) \gset
SELECT is(:'codes'::text, '{applied,applied,applied,applied,applied,applied}', 'a batch of several users on several documents');
SELECT results_eq($$SELECT DISTINCT role, path, acting = author FROM tr_own.seen$$, $$VALUES ('tr_app', 'tr_own, public', true)$$,
	'of each operation its author acts, with the role and the path of the session');
SELECT results_eq($$SELECT trigger, count(*) FROM tr_own.seen GROUP BY trigger ORDER BY trigger$$,
	$$VALUES ('after_all', 6::bigint), ('after_row', 6), ('at_commit', 6), ('before_row', 6)$$, 'deferred triggers too, at the end of their author''s share');
SELECT results_eq($$SELECT DISTINCT may FROM tr_own.seen WHERE may IS NOT NULL ORDER BY 1$$, $$VALUES ('editor'), ('owner')$$, 'with that author''s role');
SELECT is(converge.acting_user(), session_user::text, 'afterwards nobody acts but the session');

-- ids that no user can have are refused by themselves
SELECT array_agg(code ORDER BY ord) AS codes FROM converge.submit(array_fill(:'doc'::uuid, ARRAY[5]), ARRAY['ann', '*', repeat('x', 256), '', 'ben'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 5)), ARRAY[0, 0, 0, 0, 0], array_fill('["x"]'::text, ARRAY[5])) \gset
SELECT is(:'codes'::text, '{applied,forbidden,forbidden,forbidden,applied}', 'ids that no user can have');

-- a row trigger sees the document of each operation, as with edits one by one
TRUNCATE tr_own.seen;
SELECT length(content) AS at FROM (SELECT converge.become('ann'), converge.content(:'doc')) AS c \gset
RESET ROLE;
RESET converge."user";
RESET converge.acting_user;
SET LOCAL ROLE tr_app;
SELECT count(*) FROM converge.submit(array_fill(:'doc'::uuid, ARRAY[3]), ARRAY['ann', 'ann', 'ann'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 3)), ARRAY[0, 0, 0], array_fill('["r"]'::text, ARRAY[3])) \g /dev/null
SELECT results_eq(format('SELECT trigger, length(content) - %s FROM tr_own.seen WHERE trigger IN (''before_row'', ''after_row'') ORDER BY n', :at),
	$$VALUES ('before_row', 0), ('after_row', 1), ('before_row', 1), ('after_row', 2), ('before_row', 2), ('after_row', 3)$$, 'each operation of a batch, before and after');

TRUNCATE tr_own.seen;
SELECT count(*) FROM converge.submit(array_fill(:'doc'::uuid, ARRAY[4]), ARRAY['ann', 'ann', 'ben', 'ann'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 4)), ARRAY[0, 0, 0, 0], array_fill('["y"]'::text, ARRAY[4])) \g /dev/null
SELECT results_eq($$SELECT author FROM tr_own.seen WHERE trigger = 'after_all' ORDER BY n$$, $$VALUES ('ann'), ('ann'), ('ben'), ('ann')$$, 'and so each is a statement');

-- what the transaction did before is not fired for a batch's authors
TRUNCATE tr_own.seen;
SELECT converge.become('ann'), converge.edit(:'doc', '["before"]') \g /dev/null
SELECT count(*) FROM converge.submit(ARRAY[:'doc']::uuid[], ARRAY['ben'], ARRAY[gen_random_uuid()], ARRAY[0], ARRAY['["after"]']) \g /dev/null
SELECT results_eq($$SELECT acting, author FROM tr_own.seen WHERE trigger = 'at_commit' ORDER BY n$$, $$VALUES ('ann', 'ann'), ('ben', 'ben')$$,
	'a deferred trigger that waited acts for whom the session acts');

-- become, as the relay's REST calls do
TRUNCATE tr_own.seen;
SELECT converge.become('ben'), converge.edit(:'doc', '["z"]'), converge.undo_last(:'doc') \g /dev/null
SELECT results_eq($$SELECT DISTINCT role, path, acting, author FROM tr_own.seen$$, $$VALUES ('tr_app', 'tr_own, public', 'ben', 'ben')$$, 'become, then edit and undo');
RESET ROLE;
RESET converge."user";
RESET converge.acting_user;
DROP TRIGGER at_commit ON converge.ops;
DROP TRIGGER after_row ON converge.ops;
DROP TRIGGER before_row ON converge.ops;

-- without row triggers, one user's operations in a row are one statement
TRUNCATE tr_own.seen;
SELECT count(*) FROM converge.submit(array_fill(:'doc'::uuid, ARRAY[4]), ARRAY['ann', 'ann', 'ben', 'ann'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 4)), ARRAY[0, 0, 0, 0], array_fill('["y"]'::text, ARRAY[4])) \g /dev/null
SELECT results_eq($$SELECT acting, author FROM tr_own.seen ORDER BY n$$, $$VALUES ('ann', 'ann'), ('ben', 'ben'), ('ann', 'ann')$$, 'a statement for each author');
DROP TRIGGER after_all ON converge.ops;

-- an error inside leaves nobody else acting, be it caught inside or outside
CREATE FUNCTION tr_own.fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id = 'ben' THEN
		RAISE EXCEPTION 'not ben, says %', converge.acting_user();
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER fail AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION tr_own.fail();
SELECT throws_ok(format($$SELECT * FROM converge.submit(ARRAY[%1$L, %1$L]::uuid[], '{ann,ben}', ARRAY[gen_random_uuid(), gen_random_uuid()], '{0,0}', '{"[\"x\"]","[\"x\"]"}')$$, :'doc'),
	'P0001', 'not ben, says ben', 'a trigger raises in the middle of a batch');
SELECT is(converge.acting_user(), session_user::text, 'and the session acts again');
DROP TRIGGER fail ON converge.ops;
CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON converge.ops DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tr_own.fail();
SELECT throws_ok(format($$SELECT * FROM converge.submit(ARRAY[%1$L, %1$L]::uuid[], '{ann,ben}', ARRAY[gen_random_uuid(), gen_random_uuid()], '{0,0}', '{"[\"x\"]","[\"x\"]"}')$$, :'doc'),
	'P0001', 'not ben, says ben', 'so does a deferred one');
SELECT is(converge.acting_user(), session_user::text, 'and the session acts again');
DROP TRIGGER fail ON converge.ops;

-- a trigger that edits: its own document and another, one after the other's head has moved
CREATE FUNCTION tr_own.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.op::text LIKE '%echo%' THEN
		RETURN NULL;
	END IF;
	PERFORM converge.edit('7b166e00-0000-4000-8000-00000000000b', converge.insert(0, 'echo ' || converge.acting_user()));
	PERFORM converge.edit(NEW.doc_id, converge.insert(0, 'echo ' || NEW.version));
	RETURN NULL;
END
$$;
CREATE TRIGGER echo AFTER INSERT ON converge.ops FOR EACH ROW WHEN (NEW.doc_id = '7b166e00-0000-4000-8000-00000000000a') EXECUTE FUNCTION tr_own.echo();
SELECT version AS at FROM converge.heads WHERE doc_id = :'doc' \gset
SELECT array_agg(code ORDER BY ord) AS codes, array_agg(version - :at ORDER BY ord) AS versions FROM converge.submit(
	ARRAY[:'doc', :'doc', :'doc']::uuid[], ARRAY['ann', 'ben', 'ann'],
	ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 3)), ARRAY[:at, :at, :at], array_fill('["b"]'::text, ARRAY[3])) \gset
SELECT is(:'codes'::text, '{applied,applied,applied}', 'a trigger edits in the middle of a batch');
SELECT is(:'versions'::text, '{1,3,5}', 'and its operations have their places between');
SET converge."user" = 'ann';
SELECT results_eq(format('SELECT user_id FROM converge.history(%L, %s)', :'doc', :at + 1),
	$$VALUES ('ann'), ('ann'), ('ben'), ('ben'), ('ann'), ('ann')$$, 'of the author for whom it acts');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'the document is whole');
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'other'), 'the other one too');
DROP TRIGGER echo ON converge.ops;

-- a trigger that names somebody else does so for itself only
CREATE FUNCTION tr_own.rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('converge.user', 'somebody', false);
	RETURN NEW;
END
$$;
CREATE TRIGGER rename BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION tr_own.rename();
SELECT converge.edit(:'doc', '["n"]') AS renamed \gset
RESET converge."user";
RESET converge.acting_user;
SET converge."user" = 'ann';
SELECT results_eq(format('SELECT user_id FROM converge.history(%L, %s)', :'doc', :renamed), $$VALUES ('ann')$$, 'who wrote is who wrote');
DROP TRIGGER rename ON converge.ops;

SELECT * FROM finish();
ROLLBACK;
