-- submit: many ops of many users on many documents, each answered by itself.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
\set a '5b000000-0000-4000-8000-00000000000a'
\set b '5b000000-0000-4000-8000-00000000000b'
\set c '5b000000-0000-4000-8000-00000000000c'
\set nowhere '5b000000-0000-4000-8000-00000000dead'
SET converge."user" = 'ann';
SELECT converge.create_document('a', 'aé😀', :'a'), converge.create_document('b', '', :'b'), converge.create_document('c', 'ccc', :'c');
SELECT converge.share(:'a', 'ben', 'editor'), converge.share(:'a', 'dan', 'viewer'), converge.share(:'b', '*', 'editor');
RESET converge."user";

-- a batch as rows
CREATE TEMP TABLE batch (n int, doc uuid, user_id text, op_id uuid, base bigint, op text);
CREATE FUNCTION pg_temp.submit(wait boolean DEFAULT false)
RETURNS TABLE (ord int, code text, version bigint, event text, message text) LANGUAGE sql AS $$
	SELECT s.ord, s.code, s.version, pg_temp.plain(s.event), s.message
	FROM (SELECT array_agg(doc ORDER BY n), array_agg(user_id ORDER BY n), array_agg(op_id ORDER BY n),
				 array_agg(base ORDER BY n), array_agg(op ORDER BY n) FROM batch) AS b (docs, users, ids, bases, ops),
		 converge.submit(docs, users, ids, bases, ops, wait) AS s
	ORDER BY s.ord
$$;
CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$
	SELECT ('0b5b0000-0000-8000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;

-- every kind of bad op among good ones on several documents
INSERT INTO batch VALUES
	(1, :'b', 'ben', pg_temp.id(1), 0, '["😀"]'),
	(2, :'a', 'ann', pg_temp.id(2), 0, '[3,"!"]'),
	(3, :'a', 'ben', pg_temp.id(3), 0, 'no op'),						-- malformed
	(4, :'a', 'ben', pg_temp.id(4), 0, '["\u0000"]'),
	(5, :'a', 'ben', pg_temp.id(5), 0, '["\ud800"]'),
	(6, :'a', 'ben', pg_temp.id(6), 0, '[4,"x"]'),						-- past the end of its base
	(7, :'a', 'ben', pg_temp.id(7), 1, '[5,"x"]'),						-- past the end
	(8, :'a', 'ben', pg_temp.id(8), 9, '["x"]'),						-- in the future
	(9, :'a', 'ben', pg_temp.id(9), -1, '["x"]'),						-- before the beginning
	(10, :'a', 'dan', pg_temp.id(10), 0, '["x"]'),						-- a viewer
	(11, :'a', 'eve', pg_temp.id(11), 0, '["x"]'),						-- nobody
	(12, :'nowhere', 'ann', pg_temp.id(12), 0, '["x"]'),				-- no document
	(13, :'a', 'ann', pg_temp.id(2), 0, '[3,"!"]'),						-- a duplicate inside the batch
	(14, :'a', 'ben', pg_temp.id(2), 0, '[3,"!"]'),						-- the id of another user's,
	(15, :'a', 'ann', pg_temp.id(2), 1, '[3,"!"]'),						-- of another base,
	(16, :'a', 'ann', pg_temp.id(2), 0, '[3,"?"]'),						-- of another content
	(17, :'a', 'ben', pg_temp.id(17), 0, '[1,{"d":1}]'),
	(18, :'c', 'ben', pg_temp.id(18), 0, '["x"]'),						-- nobody there
	(19, :'c', 'ann', pg_temp.id(19), 0, '[{"d":3},"é"]'),
	(20, :'b', 'eve', pg_temp.id(20), 0, '["e"]'),
	(21, :'a', 'ann', pg_temp.id(21), 1, '[4,"?"]'),					-- on an op of this batch
	(22, :'a', '', pg_temp.id(22), 0, '["x"]'),							-- no user
	(23, :'a', repeat('x', 256), pg_temp.id(23), 0, '["x"]'),
	(24, :'b', 'ann', pg_temp.id(24), 0, '[1073741825,"x"]');			-- too large
SELECT ord, code, version, event FROM pg_temp.submit() WHERE event IS NOT NULL;
SELECT converge.content(:'a') FROM set_config('converge.user', 'ann', false);
SELECT converge.content(:'b'), converge.content(:'c');
SELECT doc_id, version, length FROM converge.heads WHERE doc_id IN (:'a', :'b', :'c') ORDER BY doc_id;

-- the whole batch again: what was applied is a duplicate now, what was refused is refused again
SELECT ord, code, version, message FROM pg_temp.submit();
SELECT doc_id, version, length FROM converge.heads WHERE doc_id IN (:'a', :'b', :'c') ORDER BY doc_id;

-- an event is the same text for the applied and the duplicate, and in catch_up
SELECT bool_and(f.frame = format('{"type":"ops","ops":[%s]}', s.event)) AS same
FROM converge.submit(ARRAY[:'b']::uuid[], '{ben}', ARRAY[pg_temp.id(1)], '{0}', '{"[\"😀\"]"}') AS s,
	 converge.catch_up(:'b', 0, pg_temp.id(1)) AS f WHERE f.version = 1;

-- waiting makes no difference where nobody holds anything; documents in any order
TRUNCATE batch;
INSERT INTO batch SELECT n, (ARRAY[:'c', :'b', :'a']::uuid[])[1 + n % 3], 'ann', pg_temp.id(100 + n), 1, format('["%s"]', n)
FROM generate_series(1, 9) AS n;
SELECT ord, code, version FROM pg_temp.submit(true);
SELECT converge.content(:'a'), converge.content(:'b'), converge.content(:'c');
SELECT bool_and(rising) FROM (SELECT seq > lag(seq, 1, 0::bigint) OVER (PARTITION BY doc_id ORDER BY version) AS rising FROM converge.ops) AS o;

-- an empty batch; one of a thousand ops
SELECT count(*) FROM converge.submit('{}', '{}', '{}', '{}', '{}');
TRUNCATE batch;
INSERT INTO batch SELECT n, :'b', 'ann', pg_temp.id(1000 + n), 0, format('["%s"]', n % 10) FROM generate_series(1, 1000) AS n;
SELECT code, count(*), min(version), max(version) FROM pg_temp.submit() GROUP BY code;
SELECT left(converge.content(:'b'), 20), length FROM converge.heads WHERE doc_id = :'b';
SELECT code, count(*), min(version), max(version) FROM pg_temp.submit() GROUP BY code;

-- arguments
SELECT pg_temp.failure(statement) FROM (VALUES
	($$SELECT converge.submit(NULL, '{}', '{}', '{}', '{}')$$),
	($$SELECT converge.submit('{}', '{}', '{}', '{}', NULL)$$),
	($$SELECT converge.submit('{}', '{}', '{}', '{}', '{}', NULL)$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{}', '{}', '{}', '{}')$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{ann}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{}')$$),
	($$SELECT converge.submit('{NULL}', '{ann}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}')$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{NULL}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{[]}')$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{ann}', '{NULL}', '{0}', '{[]}')$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{ann}', '{0b000000-0000-8000-8000-000000000001}', '{NULL}', '{[]}')$$),
	($$SELECT converge.submit('{5b000000-0000-4000-8000-00000000000a}', '{ann}', '{0b000000-0000-8000-8000-000000000001}', '{0}', '{NULL}')$$),
	($$SELECT converge.submit('{{5b000000-0000-4000-8000-00000000000a}}', '{{ann}}', '{{0b000000-0000-8000-8000-000000000001}}', '{{0}}', '{{[]}}')$$),
	($$SELECT converge.submit(array_fill(gen_random_uuid(), '{10001}'), array_fill('ann'::text, '{10001}'), array_fill(gen_random_uuid(), '{10001}'),
							  array_fill(0::bigint, '{10001}'), array_fill('[]'::text, '{10001}'))$$)) AS v (statement);

-- a trigger that vetoes takes the batch with it
CREATE FUNCTION pg_temp.veto() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'not today' USING ERRCODE = 'raise_exception';
END
$$;
CREATE TRIGGER veto BEFORE INSERT ON converge.ops FOR EACH ROW WHEN (NEW.user_id = 'eve') EXECUTE FUNCTION pg_temp.veto();
TRUNCATE batch;
INSERT INTO batch VALUES (1, :'b', 'ann', pg_temp.id(9001), 1002, '["x"]'), (2, :'b', 'eve', pg_temp.id(9002), 1002, '["y"]');
SELECT pg_temp.failure('SELECT pg_temp.submit()');
DELETE FROM batch WHERE n = 2;
SELECT ord, code, version FROM pg_temp.submit();
DROP TRIGGER veto ON converge.ops;

-- one that keeps the row back; one that changes it
CREATE FUNCTION pg_temp.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION pg_temp.swallow();
SELECT pg_temp.failure(format('SELECT converge.edit(%L, %L)', :'b', '["x"]'));
DROP TRIGGER swallow ON converge.ops;
CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.op := '["forged"]'; RETURN NEW; END $$;
CREATE TRIGGER forge BEFORE INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION pg_temp.forge();
SELECT pg_temp.failure(format('SELECT converge.edit(%L, %L)', :'b', '["x"]'));
DROP TRIGGER forge ON converge.ops;

-- statement triggers, transition tables and row triggers after the insert see what was appended
CREATE TEMP TABLE seen (what text, versions bigint[]);
CREATE FUNCTION pg_temp.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_LEVEL = 'STATEMENT' THEN
		INSERT INTO seen SELECT 'statement', array_agg(version ORDER BY version) FROM inserted;
	ELSE
		INSERT INTO seen VALUES ('row', ARRAY[NEW.version]);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER see_row AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION pg_temp.see();
SELECT converge.edit(:'b', '["r"]');
TABLE seen;
DROP TRIGGER see_row ON converge.ops;
TRUNCATE seen;
CREATE TRIGGER see_all AFTER INSERT ON converge.ops REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.see();
TRUNCATE batch;
INSERT INTO batch VALUES (1, :'b', 'ann', pg_temp.id(9011), 1002, '["x"]'), (2, :'b', 'ann', pg_temp.id(9012), 1002, '["y"]');
SELECT ord, code, version FROM pg_temp.submit();
TABLE seen;
DROP TRIGGER see_all ON converge.ops;

-- a trigger that edits: another document, and the same one
CREATE FUNCTION pg_temp.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id = 'ben' THEN
		PERFORM set_config('converge.user', 'ann', true);
		PERFORM converge.edit('5b000000-0000-4000-8000-00000000000c', '["echo "]');
		PERFORM converge.edit(NEW.doc_id, '["echo "]');
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER echo AFTER INSERT ON converge.ops FOR EACH ROW EXECUTE FUNCTION pg_temp.echo();
TRUNCATE batch;
INSERT INTO batch VALUES (1, :'a', 'ben', pg_temp.id(9021), 3, '["ben "]');
SELECT ord, code, version FROM pg_temp.submit();
SELECT converge.content(:'a'), converge.content(:'c');
DROP TRIGGER echo ON converge.ops;
