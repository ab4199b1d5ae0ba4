-- What users add to converge's tables is served by every function that writes, as the
-- executor serves it; what cannot be served is refused, and nothing ends the server.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;
SET converge."user" = 'ann';
SET converge.pack_keep = 0;
SET converge.pack_batch = 1;

CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$
	SELECT ('ad000000-0000-8000-8000-' || lpad(to_hex(n), 12, '0'))::uuid
$$;

-- Everything that writes, on a document of its own; the text at its end.
CREATE FUNCTION pg_temp.life(doc uuid DEFAULT gen_random_uuid()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	op uuid := gen_random_uuid();
BEGIN
	PERFORM converge.create_document('é', 'één', doc);
	PERFORM converge.edit(doc, '["1"]');
	PERFORM converge.apply_op(doc, op, 0, '["2"]');
	PERFORM converge.apply_op(doc, op, 0, '["2"]');
	PERFORM converge.submit(ARRAY[doc, doc, doc], '{ann,ann,ann}', ARRAY[gen_random_uuid(), gen_random_uuid(), op],
							'{0,2,0}', '{"[\"😀\"]","[1,\"4\"]","[\"2\"]"}');
	PERFORM converge.snapshot(doc, 'é');
	PERFORM converge.undo_last(doc);
	PERFORM converge.share(doc, 'ben', 'editor');
	PERFORM converge.share(doc, 'ben', 'viewer');
	PERFORM converge.rename_document(doc, 'è');
	PERFORM converge.pack(doc, 2);
	PERFORM converge.edit(doc, '["x"]');
	PERFORM converge.revert(doc, 1);
	PERFORM converge.maintain_document(doc);
	PERFORM converge.prune(doc, 2);
	PERFORM converge.edit(doc, '["end "]');
	PERFORM converge.verify(doc);
	answer := converge.content(doc) || ' ' || (SELECT version FROM converge.heads WHERE doc_id = doc)
		|| COALESCE((SELECT ' ' || string_agg(v::text, ' ') FROM converge.verify(doc) AS v), '');
	PERFORM converge.delete_document(doc);
	RETURN answer;
END
$$;
SELECT pg_temp.life() AS plain \gset
SELECT is(:'plain'::text, 'end 1één 8', 'a life without additions');

-- A life under an addition: its end, or what refuses it.
CREATE FUNCTION pg_temp.life_with(ddl text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	BEGIN
		EXECUTE ddl;
		answer := pg_temp.life();
		SET CONSTRAINTS ALL IMMEDIATE;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = answer;
	EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		RETURN answer;
	END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION public.converge_pass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE TG_OP WHEN 'DELETE' THEN old ELSE new END;
END
$$;
CREATE TABLE public.converge_folders (id bigint PRIMARY KEY);
INSERT INTO public.converge_folders VALUES (1);
CREATE TABLE public.converge_notes (doc_id uuid);
CREATE DOMAIN public.converge_given AS int NOT NULL DEFAULT 3;

CREATE TEMP TABLE tables AS
	SELECT t, k FROM (VALUES ('documents', 'id'), ('heads', 'doc_id'), ('members', 'doc_id'), ('ops', 'doc_id'),
							 ('packs', 'doc_id'), ('snapshots', 'doc_id'), ('undos', 'doc_id')) AS v (t, k);
SELECT is(pg_temp.life_with(replace(replace(ddl, '%t', 'converge.' || t), '%k', k)), :'plain'::text, replace(ddl, '%t', t))
	FROM tables, (VALUES
		('CREATE INDEX ON %t ((%k::text))'),
		('CREATE INDEX ON %t (%k) WHERE %k::text > ''8'''),
		('CREATE INDEX ON %t USING hash (%k)'),
		('ALTER TABLE %t ADD COLUMN extra int'),
		('ALTER TABLE %t ADD COLUMN extra text NOT NULL DEFAULT ''é'''),
		('ALTER TABLE %t ADD COLUMN extra text DEFAULT gen_random_uuid()::text UNIQUE'),
		('ALTER TABLE %t ADD COLUMN extra bigint GENERATED ALWAYS AS IDENTITY'),
		('ALTER TABLE %t ADD COLUMN extra bigserial'),
		('ALTER TABLE %t ADD COLUMN extra uuid NOT NULL GENERATED ALWAYS AS (%k) STORED'),
		('ALTER TABLE %t ADD COLUMN extra public.converge_given'),
		('ALTER TABLE %t ADD COLUMN extra bigint REFERENCES public.converge_folders DEFAULT 1'),
		('ALTER TABLE %t ADD COLUMN gone int DEFAULT 5, ADD COLUMN extra text DEFAULT ''x''; ALTER TABLE %t DROP COLUMN gone'),
		('ALTER TABLE %t ADD CHECK (%k IS NOT NULL)'),
		('ALTER TABLE %t ADD COLUMN extra bigint GENERATED ALWAYS AS IDENTITY, ADD EXCLUDE (extra WITH =)'),
		('CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON %t FOR EACH STATEMENT EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON %t FOR EACH STATEMENT EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t AFTER UPDATE ON %t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION public.converge_pass()'),
		('CREATE CONSTRAINT TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON %t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.converge_pass()'),
		('CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION public.converge_pass(); ALTER TABLE %t ENABLE ALWAYS TRIGGER t'),
		('CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON %t FOR EACH ROW EXECUTE FUNCTION public.converge_pass(); ALTER TABLE %t DISABLE TRIGGER t'),
		('ALTER TABLE %t REPLICA IDENTITY FULL'),
		('ALTER TABLE %t REPLICA IDENTITY NOTHING'),
		('ALTER TABLE %t FORCE ROW LEVEL SECURITY'),
		('ALTER TABLE %t DISABLE ROW LEVEL SECURITY'),
		('CREATE TABLE public.converge_child () INHERITS (%t)')) AS v (ddl);
-- ---- what each of them did ----

-- A statement and its error, or what it answers; nothing of it stays.
CREATE FUNCTION pg_temp.failing(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
\set doc 'ad000000-0000-4000-8000-000000000001'
\set other 'ad000000-0000-4000-8000-000000000002'
SELECT converge.create_document('', 'é', :'doc'), converge.create_document('', 'ö', :'other');
CREATE TABLE public.converge_seen (n serial, what text);
GRANT ALL ON public.converge_seen, public.converge_seen_n_seq TO PUBLIC;
CREATE FUNCTION public.converge_see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.converge_seen (what)
		VALUES (concat_ws(' ', TG_NAME, CASE TG_LEVEL WHEN 'ROW' THEN old.version || '>' || new.version END));
	RETURN new;
END
$$;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text := (SELECT string_agg(what, ', ' ORDER BY n) FROM public.converge_seen);
BEGIN
	DELETE FROM public.converge_seen;
	RETURN answer;
END
$$;

-- triggers on heads see every change of a head
SAVEPOINT addition;
CREATE TRIGGER b BEFORE UPDATE ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_see();
CREATE TRIGGER a AFTER UPDATE ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_see();
CREATE TRIGGER s AFTER UPDATE ON converge.heads FOR EACH STATEMENT EXECUTE FUNCTION public.converge_see();
CREATE TRIGGER floor AFTER UPDATE OF floor_version ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_see();
CREATE TRIGGER grown AFTER UPDATE OF length ON converge.heads FOR EACH ROW WHEN (new.length > old.length + 1) EXECUTE FUNCTION public.converge_see();
CREATE CONSTRAINT TRIGGER later AFTER UPDATE OF version ON converge.heads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.converge_see();
SELECT converge.edit(:'doc', '["1"]');
SELECT is(pg_temp.seen(), 'b 0>1, a 0>1, s', 'triggers on heads: an edit');
SELECT converge.edit(:'doc', '["23"]');
SELECT is(pg_temp.seen(), 'b 1>2, a 1>2, grown 1>2, s', 'triggers on heads: WHEN and UPDATE OF');
SELECT converge.apply_op(:'doc', pg_temp.id(1), 1, '["4"]');
SELECT is(pg_temp.seen(), 'b 2>3, a 2>3, s', 'triggers on heads: a transformed operation');
SELECT count(*) FROM converge.submit(ARRAY[:'doc', :'other', :'doc']::uuid[], '{ann,ann,ann}', ARRAY[pg_temp.id(2), pg_temp.id(3), pg_temp.id(4)], '{3,0,3}', '{"[\"5\"]","[\"6\"]","[\"7\"]"}');
SELECT is(pg_temp.seen(), 'b 3>5, a 3>5, grown 3>5, s, b 0>1, a 0>1, s', 'triggers on heads: a batch, once a document');
SELECT converge.snapshot(:'doc');
SELECT is(pg_temp.seen(), 'b 5>5, a 5>5, s', 'triggers on heads: a snapshot');
SELECT converge.pack(:'doc', 1);
SELECT is(pg_temp.seen(), 'b 5>5, a 5>5, s', 'triggers on heads: packing');
SELECT converge.undo_last(:'doc');
SELECT is(pg_temp.seen(), 'b 5>6, a 5>6, s', 'triggers on heads: an undo');
SELECT converge.prune(:'doc', 2);
SELECT is(pg_temp.seen(), 'b 6>6, a 6>6, floor 6>6, s', 'triggers on heads: forgetting');
SELECT converge.share(:'doc', 'ben', 'viewer');
SELECT is(pg_temp.seen(), 'b 6>6, a 6>6, s', 'triggers on heads: sharing');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.seen(), 'later 0>1, later 1>2, later 2>3, later 3>5, later 0>1, later 5>6, later 6>6', 'triggers on heads: deferred ones');
ALTER TABLE converge.heads DISABLE TRIGGER ALL;
ALTER TABLE converge.heads ENABLE REPLICA TRIGGER s, ENABLE ALWAYS TRIGGER b, ENABLE TRIGGER a;
SET session_replication_role = replica;
SELECT converge.edit(:'doc', '["1"]');
SELECT is(pg_temp.seen(), 'b 6>7, s', 'triggers on heads: those for replicas, and those for both');
SET session_replication_role = origin;
SELECT converge.edit(:'doc', '["1"]');
SELECT is(pg_temp.seen(), 'b 7>8, a 7>8', 'triggers on heads: those for origins, and those for both');
SELECT is_empty($$SELECT * FROM converge.verify('ad000000-0000-4000-8000-000000000001')$$, 'and the document is whole');
ROLLBACK TO addition;

-- transition tables
CREATE FUNCTION public.converge_both() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.converge_seen (what) SELECT o.version || '>' || n.version FROM o JOIN n USING (doc_id);
	RETURN NULL;
END
$$;
CREATE TRIGGER t AFTER UPDATE ON converge.heads REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION public.converge_both();
SELECT converge.edit(:'doc', '["1"]');
SELECT is(pg_temp.seen(), '0>1', 'transition tables of heads');
ROLLBACK TO addition;

-- what triggers on heads may do: write columns of their own, and veto
CREATE FUNCTION public.converge_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CASE TG_ARGV[0]
		WHEN 'own' THEN new.extra := concat(new.extra, new.version);
		WHEN 'veto' THEN RETURN NULL;
		WHEN 'ours' THEN new.length := new.length + 1;
		WHEN 'again' THEN UPDATE converge.heads SET extra = 'again' WHERE doc_id = new.doc_id;
	END CASE;
	RETURN new;
END
$$;
ALTER TABLE converge.heads ADD COLUMN extra text DEFAULT 'é',
	ADD COLUMN twice bigint GENERATED ALWAYS AS (version * 2) STORED,
	ADD COLUMN constant text GENERATED ALWAYS AS ('c' || extra) STORED;
CREATE TRIGGER own BEFORE UPDATE ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_touch('own');
SELECT converge.edit(:'doc', '["1"]'), converge.edit(:'doc', '["2"]');
SELECT results_eq($$SELECT extra, twice, constant FROM converge.heads WHERE doc_id = 'ad000000-0000-4000-8000-000000000001'$$,
	$$VALUES ('é12', 4::bigint, 'cé12')$$, 'a trigger writes its own column of heads, and generated columns follow');
DROP TRIGGER own ON converge.heads;
SELECT converge.edit(:'doc', '["3"]');
SELECT results_eq($$SELECT extra, twice, constant FROM converge.heads WHERE doc_id = 'ad000000-0000-4000-8000-000000000001'$$,
	$$VALUES ('é12', 6::bigint, 'cé12')$$, 'which stays as it is without it');
CREATE TRIGGER veto BEFORE UPDATE ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_touch('veto');
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), 'OT008 the change was vetoed by a trigger on converge.heads', 'a veto on heads');
DROP TRIGGER veto ON converge.heads;
CREATE TRIGGER ours BEFORE UPDATE ON converge.heads FOR EACH ROW EXECUTE FUNCTION public.converge_touch('ours');
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), '27000 a trigger on converge.heads must not change column "length"', 'a trigger that changes our columns');
DROP TRIGGER ours ON converge.heads;
CREATE TRIGGER again BEFORE UPDATE ON converge.heads FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION public.converge_touch('again');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), '^27000 ', 'a trigger that updates the row it is called for');
DROP TRIGGER again ON converge.heads;

-- what triggers on ops may do to heads
CREATE FUNCTION public.converge_reach() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	CASE TG_ARGV[0]
		WHEN 'own' THEN UPDATE converge.heads SET extra = extra || '.' WHERE doc_id = new.doc_id;
		WHEN 'ours' THEN UPDATE converge.heads SET length = length + 1 WHERE doc_id = new.doc_id;
		WHEN 'edit' THEN
			IF new.user_id <> 'ben' THEN
				PERFORM set_config('converge.user', 'ben', true);
				PERFORM converge.edit(new.doc_id, '["again"]');
				PERFORM set_config('converge.user', 'ann', true);
			END IF;
		WHEN 'delete' THEN PERFORM converge.delete_document(new.doc_id);
	END CASE;
	RETURN new;
END
$$;
SELECT converge.share(:'doc', 'ben', 'owner');
CREATE TRIGGER own BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('own');
SELECT converge.edit(:'doc', '["4"]');
SELECT count(*) FROM converge.submit(ARRAY[:'doc', :'doc']::uuid[], '{ann,ann}', ARRAY[pg_temp.id(2), pg_temp.id(3)], '{4,4}', '{"[\"5\"]","[\"6\"]"}');
SELECT results_eq($$SELECT extra, twice FROM converge.heads WHERE doc_id = 'ad000000-0000-4000-8000-000000000001'$$,
	$$VALUES ('é12...', 12::bigint)$$, 'a trigger on ops writes its own column of heads');
DROP TRIGGER own ON converge.ops;
CREATE TRIGGER after_own AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('own');
SELECT converge.edit(:'doc', '["7"]'), converge.edit(:'doc', '["8"]');
SELECT results_eq($$SELECT extra, version FROM converge.heads WHERE doc_id = 'ad000000-0000-4000-8000-000000000001'$$,
	$$VALUES ('é12.....', 8::bigint)$$, 'or after the row');
DROP TRIGGER after_own ON converge.ops;
CREATE TRIGGER ours BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('ours');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), '^27000 a trigger changed document ', 'a BEFORE trigger that changes our columns of heads');
DROP TRIGGER ours ON converge.ops;
CREATE TRIGGER edits BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('edit');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), '^27000 a trigger changed document ', 'a BEFORE trigger that edits the document');
DROP TRIGGER edits ON converge.ops;
CREATE TRIGGER edits AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('edit');
SELECT lives_ok(format('SELECT converge.edit(%L, ''["x"]'')', :'doc'), 'an AFTER trigger that edits the document');
SELECT is(converge.content(:'doc'), 'againx876543'||'21é', 'edits it');
DROP TRIGGER edits ON converge.ops;
CREATE TRIGGER deletes BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_reach('delete');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["x"]'')', :'doc')), '^27000 a trigger changed document ', 'a BEFORE trigger that deletes the document');
DROP TRIGGER deletes ON converge.ops;
SELECT is_empty($$SELECT * FROM converge.verify('ad000000-0000-4000-8000-000000000001')$$, 'and the document is whole');
ROLLBACK TO addition;

-- indexes
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
CREATE INDEX ON converge.heads ((version - snapshot_version), length);
CREATE INDEX ON converge.heads (length) WHERE version = 1;
CREATE INDEX ON converge.heads (seq) INCLUDE (version);
SELECT converge.edit(:'doc', '["1"]'), converge.edit(:'doc', '["2"]');
SELECT results_eq('SELECT length FROM converge.heads WHERE version - snapshot_version = 2', 'VALUES (3::bigint)', 'an index on an expression');
SELECT is_empty('SELECT FROM converge.heads WHERE version - snapshot_version = 1', 'has no old entry');
SELECT is_empty('SELECT FROM converge.heads WHERE version = 1 AND length > 0', 'a partial index: what has left it');
SELECT converge.edit(:'other', '["1"]');
SELECT results_eq('SELECT length FROM converge.heads WHERE version = 1 AND length > 0', 'VALUES (2::bigint)', 'a partial index: what has come');
ROLLBACK TO addition;

-- constraints
ALTER TABLE converge.heads ADD CONSTRAINT short CHECK (length < 4);
ALTER TABLE converge.ops ADD CONSTRAINT polite CHECK (op::text !~ 'rude');
SELECT lives_ok(format('SELECT converge.edit(%L, ''["12"]'')', :'doc'), 'a CHECK that holds');
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["3"]'')', :'doc')), '23514 new row for relation "heads" violates check constraint "short"', 'a CHECK on heads');
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["rude"]'')', :'doc')), '23514 new row for relation "ops" violates check constraint "polite"', 'a CHECK on ops');
ROLLBACK TO addition;
SELECT converge.edit(:'other', '["1"]');
ALTER TABLE converge.heads ADD UNIQUE (length);
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '23505 duplicate key value violates unique constraint "heads_length_key"', 'a UNIQUE on heads');
ALTER TABLE converge.heads DROP CONSTRAINT heads_length_key, ADD UNIQUE (length) DEFERRABLE;
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '23505 duplicate key value violates unique constraint "heads_length_key"', 'a deferrable one');
SET CONSTRAINTS ALL DEFERRED;
SELECT lives_ok(format('SELECT converge.edit(%L, ''["1"]'')', :'doc'), 'one that is deferred waits');
SELECT is(pg_temp.failing('SET CONSTRAINTS ALL IMMEDIATE'), '23505 duplicate key value violates unique constraint "heads_length_key"', 'and speaks at the end');
ROLLBACK TO addition;
SELECT converge.edit(:'other', '["1"]');
ALTER TABLE converge.heads ADD EXCLUDE USING btree (length WITH =);
SELECT converge.edit(:'other', '["2"]');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["12"]'')', :'doc')), '^23P01 ', 'an exclusion constraint on heads');
ROLLBACK TO addition;
ALTER TABLE converge.ops ADD COLUMN extra int NOT NULL DEFAULT 0;
ALTER TABLE converge.ops ALTER COLUMN extra DROP DEFAULT;
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '23502 null value in column "extra" of relation "ops" violates not-null constraint', 'a column that must be given is said to be missing');
ROLLBACK TO addition;

-- columns of ops
CREATE SEQUENCE public.converge_counter;
GRANT USAGE ON SEQUENCE public.converge_counter TO PUBLIC;
ALTER TABLE converge.ops ADD COLUMN gone int DEFAULT 7, ADD COLUMN flag boolean NOT NULL DEFAULT true,
	ADD COLUMN n bigint GENERATED BY DEFAULT AS IDENTITY, ADD COLUMN c bigint DEFAULT nextval('public.converge_counter'),
	ADD COLUMN who text DEFAULT CURRENT_USER, ADD COLUMN long text GENERATED ALWAYS AS (user_id || '/' || version) STORED,
	ADD COLUMN given public.converge_given;
ALTER TABLE converge.ops DROP COLUMN gone;
CREATE ROLE ann;
RESET converge."user";
SET SESSION AUTHORIZATION ann;
SELECT converge.edit(:'doc', '["1"]');
RESET SESSION AUTHORIZATION;
SET converge."user" = 'ann';
SELECT count(*) FROM converge.submit(ARRAY[:'doc', :'doc']::uuid[], '{ann,ann}', ARRAY[pg_temp.id(2), pg_temp.id(3)], '{1,1}', '{"[\"2\"]","[\"3\"]"}');
SELECT results_eq($$SELECT flag, n, c, who = CASE version WHEN 1 THEN 'ann' ELSE session_user END, long, given::int
	FROM converge.ops WHERE doc_id = 'ad000000-0000-4000-8000-000000000001' ORDER BY version$$,
	$$VALUES (true, 1::bigint, 1::bigint, true, 'ann/1', 3), (true, 2, 2, true, 'ann/2', 3), (true, 3, 3, true, 'ann/3', 3)$$,
	'columns of ops have their defaults, the caller''s, one after the other');
ROLLBACK TO addition;
CREATE DOMAIN public.converge_must AS int CHECK (VALUE IS NOT NULL);
ALTER TABLE converge.ops ADD COLUMN extra public.converge_must DEFAULT 1;
ALTER TABLE converge.ops ALTER COLUMN extra DROP DEFAULT;
SELECT is(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '23514 value for domain converge_must violates check constraint "converge_must_check"', 'a domain may refuse null');
ROLLBACK TO addition;

-- rows that were there before a column
SELECT converge.edit(:'doc', '["1"]');
ALTER TABLE converge.heads ADD COLUMN extra text DEFAULT 'before';
ALTER TABLE converge.ops ADD COLUMN extra text DEFAULT 'before';
ALTER TABLE converge.ops ALTER COLUMN extra SET DEFAULT 'after';
SELECT converge.edit(:'doc', '["2"]');
SELECT results_eq($$SELECT h.extra, array_agg(o.extra ORDER BY o.version) FROM converge.heads AS h JOIN converge.ops AS o USING (doc_id)
	WHERE doc_id = 'ad000000-0000-4000-8000-000000000001' GROUP BY 1$$, $$VALUES ('before', '{before,after}'::text[])$$, 'a value that rows have without being written');
ROLLBACK TO addition;

-- others' tables
CREATE TABLE public.converge_heads_of (doc_id uuid PRIMARY KEY REFERENCES converge.heads ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE public.converge_ops_of (doc_id uuid, version bigint, FOREIGN KEY (doc_id, version) REFERENCES converge.ops);
INSERT INTO public.converge_heads_of VALUES (:'doc'), (:'other');
SELECT converge.edit(:'doc', '["1"]'), converge.edit(:'doc', '["2"]');
INSERT INTO public.converge_ops_of VALUES (:'doc', 1);
SELECT matches(pg_temp.failing(format('SELECT converge.pack(%L, 0)', :'doc')), '^23503 ', 'an operation that another table refers to is not packed');
SELECT converge.delete_document(:'other');
SELECT results_eq('SELECT doc_id FROM public.converge_heads_of', ARRAY[:'doc']::uuid[], 'who refers to heads goes with them');
ROLLBACK TO addition;
ALTER TABLE converge.heads ADD COLUMN folder bigint REFERENCES public.converge_folders;
ALTER TABLE converge.ops ADD COLUMN folder bigint DEFAULT 2 REFERENCES public.converge_folders;
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '^23503 ', 'a reference of ops to nothing');
INSERT INTO public.converge_folders VALUES (2);
UPDATE converge.heads SET folder = 1;
SELECT lives_ok(format('SELECT converge.edit(%L, ''["1"]'')', :'doc'), 'references from heads and from ops');
ROLLBACK TO addition;

-- who keeps rows out of a table, or in it, or changes them: nothing is forgotten for it
CREATE FUNCTION public.converge_swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION public.converge_redact() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.content := upper(new.content); RETURN new; END $$;
CREATE FUNCTION public.converge_damage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.data := new.data || new.data; RETURN new; END $$;
SELECT converge.edit(:'doc', '["12"]'), converge.edit(:'doc', '["34"]'), converge.edit(:'doc', '["56"]');
SAVEPOINT keeping;
CREATE TRIGGER t BEFORE DELETE ON converge.ops FOR EACH ROW EXECUTE FUNCTION public.converge_swallow();
SELECT is(pg_temp.failing(format('SELECT converge.%s', format(call, :'doc'))), '27000 rows that converge deleted from converge.ops are still there', 'a trigger that keeps operations: ' || call)
	FROM unnest(ARRAY['pack(%L, 0)', 'prune(%L, 1)', 'maintain_document(%L)']) AS call;
ROLLBACK TO keeping;
CREATE RULE r AS ON DELETE TO converge.ops DO INSTEAD NOTHING;
SELECT is(pg_temp.failing(format('SELECT converge.pack(%L, 0)', :'doc')), '27000 rows that converge deleted from converge.ops are still there', 'a rule that keeps operations');
ROLLBACK TO keeping;
CREATE TRIGGER t BEFORE INSERT ON converge.packs FOR EACH ROW EXECUTE FUNCTION public.converge_swallow();
SELECT is(pg_temp.failing(format('SELECT converge.pack(%L, 0)', :'doc')), '27000 what converge wrote to converge.packs is not there, or is something else', 'a trigger that takes packs');
ROLLBACK TO keeping;
CREATE TRIGGER t BEFORE INSERT ON converge.packs FOR EACH ROW EXECUTE FUNCTION public.converge_damage();
SELECT is(pg_temp.failing(format('SELECT converge.pack(%L, 0)', :'doc')), '27000 what converge wrote to converge.packs is not there, or is something else', 'a trigger that changes packs');
ROLLBACK TO keeping;
CREATE TRIGGER t BEFORE INSERT ON converge.snapshots FOR EACH ROW EXECUTE FUNCTION public.converge_swallow();
SELECT is(pg_temp.failing(format('SELECT converge.%s', format(call, :'doc'))), '27000 what converge wrote to converge.snapshots is not there, or is something else', 'a trigger that takes snapshots: ' || call)
	FROM unnest(ARRAY['snapshot(%L)', 'prune(%L, 1)']) AS call;
ROLLBACK TO keeping;
CREATE TRIGGER t BEFORE INSERT ON converge.snapshots FOR EACH ROW WHEN (new.content ~ '[a-zé]') EXECUTE FUNCTION public.converge_redact();
SELECT is(pg_temp.failing(format('SELECT converge.prune(%L, 1)', :'doc')), '27000 what converge wrote to converge.snapshots is not there, or is something else', 'a trigger that changes snapshots');
ROLLBACK TO keeping;
CREATE TABLE public.converge_archive () INHERITS (converge.ops);
INSERT INTO public.converge_archive SELECT * FROM converge.ops WHERE doc_id = :'doc';
SELECT converge.pack(:'doc', 0);
SELECT is(count(*)::int, 3, 'a table that inherits keeps its rows') FROM public.converge_archive;
SELECT is(converge.content(:'doc'), '563412é', 'and what was packed is whole');
ROLLBACK TO addition;

-- partitions: heads and ops as parts of a table of somebody's
CREATE TABLE public.converge_all (LIKE converge.heads) PARTITION BY LIST (doc_id);
ALTER TABLE public.converge_all ATTACH PARTITION converge.heads FOR VALUES IN (:'doc', :'other');
CREATE TABLE public.converge_all_ops (LIKE converge.ops) PARTITION BY RANGE (version);
CREATE TRIGGER t AFTER INSERT ON public.converge_all_ops FOR EACH ROW EXECUTE FUNCTION public.converge_pass();
ALTER TABLE public.converge_all_ops ATTACH PARTITION converge.ops FOR VALUES FROM (0) TO (2);
SELECT lives_ok(format('SELECT converge.edit(%L, ''["1"]'')', :'doc'), 'a partition that takes the rows');
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '^23514 ', 'and one that does not');
ROLLBACK TO addition;

-- who publishes changes must be able to
CREATE PUBLICATION converge_all FOR TABLE converge.heads;
ALTER TABLE converge.heads REPLICA IDENTITY NOTHING;
SELECT matches(pg_temp.failing(format('SELECT converge.edit(%L, ''["1"]'')', :'doc')), '^55000 cannot update table "heads"', 'no identity, and a publication');
DROP PUBLICATION converge_all;
SELECT lives_ok(format('SELECT converge.edit(%L, ''["1"]'')', :'doc'), 'no identity, and none');
ROLLBACK TO addition;

-- ---- what is refused, as often as it is tried, until it is taken back ----

CREATE FUNCTION pg_temp.refused(ddl text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers text[];
BEGIN
	EXECUTE ddl;
	FOR i IN 1 .. 2 LOOP
		answers := answers || pg_temp.failing($q$SELECT converge.edit('ad000000-0000-4000-8000-000000000001', '["x"]')$q$)
			|| pg_temp.failing('SELECT pg_temp.life()');
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = array_to_string(ARRAY(SELECT DISTINCT unnest(answers)), E'\n');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN SQLERRM;
WHEN OTHERS THEN
	RETURN 'DDL: ' || SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT is(pg_temp.refused(ddl), message, ddl) FROM (VALUES
	('ALTER TABLE converge.heads ALTER COLUMN seq TYPE text', '42804 column "seq" of table converge.heads is of type text, not bigint'),
	('ALTER TABLE converge.heads ALTER COLUMN seq TYPE int', '42804 column "seq" of table converge.heads is of type integer, not bigint'),
	('ALTER TABLE converge.ops ALTER COLUMN user_id TYPE bytea USING user_id::bytea', '42804 column "user_id" of table converge.ops is of type bytea, not text'),
	('ALTER TABLE converge.ops ALTER COLUMN op TYPE text', '42804 column "op" of table converge.ops is of type text, not converge.op'),
	('ALTER TABLE converge.ops ALTER COLUMN op_id TYPE text', '42804 column "op_id" of table converge.ops is of type text, not uuid'),
	('ALTER TABLE converge.ops ALTER COLUMN user_id DROP NOT NULL', '55000 column "user_id" of table converge.ops may be null'),
	('ALTER TABLE converge.snapshots ALTER COLUMN content DROP NOT NULL', '55000 column "content" of table converge.snapshots may be null'),
	('ALTER TABLE converge.ops RENAME COLUMN op TO operation', '55000 column 9 of table converge.ops is not "op"'),
	('ALTER TABLE converge.heads DROP COLUMN seq; ALTER TABLE converge.heads ADD COLUMN seq bigint', '55000 column 3 of table converge.heads is not "seq"'),
	('ALTER TABLE converge.heads DROP CONSTRAINT heads_pkey', '42P01 relation "converge.heads_pkey" does not exist'),
	('ALTER TABLE converge.heads DROP CONSTRAINT heads_pkey; CREATE UNIQUE INDEX heads_pkey ON converge.heads (version, doc_id)', '55000 index converge.heads_pkey is not the one that converge made'),
	('ALTER TABLE converge.ops DROP CONSTRAINT ops_pkey; CREATE UNIQUE INDEX ops_pkey ON converge.ops (doc_id, version DESC)', '55000 index converge.ops_pkey is not the one that converge made'),
	('ALTER TABLE converge.ops DROP CONSTRAINT ops_pkey; CREATE INDEX ops_pkey ON converge.ops USING brin (doc_id, version)', '55000 index converge.ops_pkey is not the one that converge made'),
	('ALTER TABLE converge.ops DROP CONSTRAINT ops_pkey; CREATE UNIQUE INDEX ops_pkey ON converge.ops (doc_id, version) WHERE version > 0', '55000 index converge.ops_pkey is not the one that converge made'),
	('ALTER TABLE converge.members DROP CONSTRAINT members_pkey; CREATE TABLE converge.members_pkey ()', '55000 index converge.members_pkey is not the one that converge made'),
	('ALTER TABLE converge.packs RENAME TO old_packs', '42P01 relation "converge.packs" does not exist'),
	('ALTER TABLE converge.ops RENAME TO old_ops; CREATE TABLE converge.ops (LIKE converge.old_ops) PARTITION BY HASH (doc_id)', '42809 relation converge.ops is not an ordinary table'),
	('ALTER TABLE converge.ops RENAME TO old_ops; CREATE VIEW converge.ops AS SELECT * FROM converge.old_ops', '42809 relation converge.ops is not an ordinary table'),
	('CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler; ALTER TABLE converge.heads SET ACCESS METHOD heap_too', '0A000 table converge.heads has access method "heap_too"'),
	('CREATE RULE r AS ON INSERT TO converge.ops DO ALSO NOTHING', '0A000 table converge.ops must not have a rule'),
	('CREATE RULE r AS ON UPDATE TO converge.heads DO INSTEAD NOTHING', '0A000 table converge.heads must not have a rule'),
	('ALTER TABLE converge.ops SET UNLOGGED', '0A000 table converge.ops is unlogged'),
	('ALTER TABLE converge.heads SET UNLOGGED', '0A000 table converge.heads is unlogged'),
	('ALTER TABLE converge.packs SET UNLOGGED', '0A000 table converge.packs is unlogged'),
	('ALTER TABLE converge.members SET UNLOGGED', '0A000 table converge.members is unlogged')) AS v (ddl, message);
SELECT is(pg_temp.life(), :'plain'::text, 'and all is as it was');
SELECT is(converge.content(:'doc'), 'é', 'in every document');
SELECT * FROM finish();
ROLLBACK;
