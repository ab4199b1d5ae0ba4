-- Real keystroke histories by two authors: the text of any version, and who wrote what of
-- it, are what replay.pl says, which shares no code with us, wherever the ops are kept.
-- Edits are committed on the way, so this file is not one transaction.
SELECT * FROM no_plan();
SET synchronous_commit = off;
SET converge."user" = 'ann';
SELECT setseed(0.25) \gset

CREATE TEMP TABLE trace (body json);
CREATE TEMP TABLE edits (version bigint PRIMARY KEY, user_id text, op text, told boolean DEFAULT false);
CREATE TEMP TABLE replayed (what text, at bigint, value text, length bigint);
\set replayed `mktemp`
\setenv REPLAYED :replayed

-- A patch of a trace as an op.
CREATE FUNCTION pg_temp.patch_op(patch json) RETURNS text LANGUAGE sql AS $$
	SELECT format('[%s]', concat_ws(',', nullif(patch ->> 0, '0'), CASE WHEN patch ->> 1 <> '0' THEN format('{"d":%s}', patch ->> 1) END, to_json(nullif(patch ->> 2, ''))))
$$;

-- A sequential trace typed into a new document, as if two took turns.
CREATE PROCEDURE pg_temp.type_in_turns(doc uuid) LANGUAGE plpgsql AS $$
DECLARE
	refused bigint;
BEGIN
	TRUNCATE edits;
	INSERT INTO edits (version, user_id, op)
		SELECT n, CASE WHEN n / 100 % 2 = 0 THEN 'ann' ELSE 'ben' END, op
		FROM (SELECT row_number() OVER (ORDER BY t.n, p.n) AS n, pg_temp.patch_op(patch) AS op
			  FROM trace, json_array_elements(body -> 'txns') WITH ORDINALITY AS t (txn, n), json_array_elements(txn -> 'patches') WITH ORDINALITY AS p (patch, n)) AS e;
	PERFORM converge.create_document('', (SELECT body ->> 'startContent' FROM trace), doc), converge.share(doc, 'ben', 'editor');
	COMMIT;
	FOR batch IN 0 .. (SELECT max(version) FROM edits) / 1000 LOOP
		refused := (SELECT count(*) FROM
			(SELECT array_agg(doc) AS docs, array_agg(user_id ORDER BY version) AS users, array_agg(md5(version::text)::uuid ORDER BY version) AS ids,
					array_agg(version - 1 ORDER BY version) AS bases, array_agg(op ORDER BY version) AS ops
			 FROM edits WHERE version BETWEEN batch * 1000 + 1 AND batch * 1000 + 1000) AS b,
			LATERAL converge.submit(docs, users, ids, bases, ops) AS s WHERE code <> 'applied');
		IF refused > 0 THEN
			RAISE EXCEPTION 'batch %: % refused', batch, refused;
		END IF;
		COMMIT;
	END LOOP;
END
$$;

/*
 * A concurrent trace typed into a new document, in the order of the trace.  For each of
 * the two there is a queue of the other's ops that he does not know yet, carried over his
 * own since then; an op of his is carried over it, and it over the op.  Where he has made
 * none since then, the server is given the op as he made it, on the version he knew.
 */
CREATE PROCEDURE pg_temp.type_together(doc uuid, INOUT on_old_bases bigint DEFAULT 0) LANGUAGE plpgsql AS $$
DECLARE
	users text[] := '{ann,ben}';
	made bigint[] := '{0,0}';				-- ops by each
	last_version bigint[] := '{0,0}';		-- of each
	knows_ann bigint[] := '{}';				-- by transaction, itself included
	knows_ben bigint[] := '{}';
	unknown_to_ann converge.op[] := '{}';	-- all of ben's so far; what ann knows of is out of date
	unknown_to_ben converge.op[] := '{}';
	queue converge.op[];
	txn record;
	parent bigint;
	me integer;
	known bigint[];
	his converge.op;
	carried converge.op;
	waiting bigint;
	version bigint := 0;
	answer record;
BEGIN
	PERFORM converge.create_document('', '', doc), converge.share(doc, 'ben', 'editor');
	FOR txn IN SELECT t.n, (t.txn ->> 'agent')::integer + 1 AS author, t.txn -> 'parents' AS parents, pg_temp.patch_op(t.txn -> 'patches' -> 0) AS op
			   FROM trace, json_array_elements(body -> 'txns') WITH ORDINALITY AS t (txn, n) ORDER BY t.n LOOP
		me := txn.author;
		known := '{0,0}';
		FOR parent IN SELECT p::bigint + 1 FROM json_array_elements_text(txn.parents) AS p LOOP
			known := ARRAY[greatest(known[1], knows_ann[parent]), greatest(known[2], knows_ben[parent])];
		END LOOP;

		carried := txn.op::converge.op;
		waiting := made[3 - me] - known[3 - me];
		FOR n IN known[3 - me] + 1 .. made[3 - me] LOOP
			his := CASE me WHEN 1 THEN unknown_to_ann[n] ELSE unknown_to_ben[n] END;
			IF me = 1 THEN
				unknown_to_ann[n] := converge.transform(his, carried, 'right');
			ELSE
				unknown_to_ben[n] := converge.transform(his, carried, 'right');
			END IF;
			carried := converge.transform(carried, his, 'left');
		END LOOP;
		made[me] := made[me] + 1;
		known[me] := made[me];
		knows_ann[txn.n] := known[1];
		knows_ben[txn.n] := known[2];
		IF me = 1 THEN
			unknown_to_ben[made[me]] := carried;
		ELSE
			unknown_to_ann[made[me]] := carried;
		END IF;

		PERFORM set_config('converge.user', users[me], false);
		IF waiting > 0 AND last_version[me] <= version - waiting THEN
			SELECT * INTO answer FROM converge.apply_op(doc, md5(txn.n::text)::uuid, version - waiting, txn.op::converge.op);
			on_old_bases := on_old_bases + 1;
		ELSE
			SELECT * INTO answer FROM converge.apply_op(doc, md5(txn.n::text)::uuid, version, carried);
		END IF;
		version := version + 1;
		last_version[me] := version;
		IF answer.version <> version OR answer.applied::text <> carried::text THEN
			RAISE EXCEPTION 'edit %: became % at %, not %', txn.n, answer.applied, answer.version, carried;
		END IF;
		IF version % 500 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
	PERFORM set_config('converge.user', 'ann', false);
	TRUNCATE edits;
	INSERT INTO edits (version, user_id, op) SELECT h.version, user_id, op::text FROM converge.history(doc) AS h;
END
$$;

-- What replay.pl is given: what stood there at first, then the edits.  The texts at a
-- hundred versions are to be told, and the first and the last.
CREATE FUNCTION pg_temp.replay_input() RETURNS TABLE (version bigint, user_id text, op text, told boolean) LANGUAGE sql AS $$
	SELECT 0, '', json_build_array(coalesce(body ->> 'startContent', ''))::text, true FROM trace
	UNION ALL
	SELECT version, user_id, op, version IN (SELECT max(version) FROM edits UNION SELECT * FROM (SELECT version FROM edits ORDER BY random() LIMIT 100) AS chosen) FROM edits
	ORDER BY 1
$$;

-- Stretches of text by one version or one user, as replay.pl tells them.
CREATE FUNCTION pg_temp.stretches(doc uuid, by_user boolean) RETURNS TABLE (at bigint, value text, length bigint) LANGUAGE sql AS $$
	SELECT min(pos), value, sum(char_length(content))::bigint
	FROM (SELECT *, count(*) FILTER (WHERE changes) OVER (ORDER BY pos) AS stretch
		  FROM (SELECT pos, content, value, value IS DISTINCT FROM lag(value) OVER (ORDER BY pos) AS changes
				FROM converge.blame(doc), LATERAL (SELECT CASE WHEN by_user THEN coalesce(user_id, '') ELSE coalesce(version, 0)::text END) AS v (value)) AS b) AS s
	GROUP BY stretch, value
$$;

-- Is what is still known of the past as it was replayed?
CREATE FUNCTION pg_temp.check_past(name text, doc uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	floor bigint := (SELECT floor_version FROM converge.heads WHERE doc_id = doc);
BEGIN
	RETURN NEXT is((SELECT count(*) FROM replayed WHERE what = 'text' AND at >= floor AND md5(converge.content_at(doc, at)) = value),
				   (SELECT count(*) FROM replayed WHERE what = 'text' AND at >= floor), name || ': the texts');
	RETURN NEXT is_empty(format('SELECT created_at FROM converge.history(%L, %s) AS h WHERE converge.version_at(%1$L, created_at) < version OR converge.content_at(%1$L, created_at) <> converge.content_at(%1$L, converge.version_at(%1$L, created_at)) LIMIT 5', doc, greatest(floor + 1, (SELECT version - 20 FROM converge.heads WHERE doc_id = doc))), name || ': the versions of moments');
	RETURN NEXT set_eq(format('SELECT at, value::bigint, length FROM pg_temp.stretches(%L, false) WHERE value::bigint > %s OR %2$s = 0', doc, floor),
					   format('SELECT at, value::bigint, length FROM replayed WHERE what = ''run'' AND (value::bigint > %s OR %1$s = 0)', floor), name || ': what each version wrote');
	IF floor = 0 THEN
		RETURN NEXT set_eq(format('SELECT * FROM pg_temp.stretches(%L, true)', doc), $q$SELECT at, value, length FROM replayed WHERE what = 'by'$q$, name || ': what each author wrote');
	END IF;
	RETURN NEXT is((SELECT md5(string_agg(content, '' ORDER BY pos)) FROM converge.blame(doc)), md5(converge.content(doc)), name || ': all of the text is returned');
	RETURN NEXT is((SELECT md5(string_agg(concat_ws(' ', version, user_id, op), E'\n' ORDER BY version)) FROM converge.history(doc)),
				   (SELECT md5(string_agg(concat_ws(' ', version, user_id, op), E'\n' ORDER BY version)) FROM edits WHERE version > floor), name || ': the log');
	RETURN NEXT is_empty(format('SELECT * FROM converge.verify(%L)', doc), name || ': nothing to complain of');
END
$$;

-- one after the other; with snapshots and packs, then without its beginning
\set doc '41570ace-0000-4000-8000-000000000001'
-- a file is one line; neither quote nor delimiter occurs in JSON
\copy trace FROM PROGRAM 'zcat ../../bench/traces/sveltecomponent.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_in_turns(:'doc');
\copy (SELECT * FROM pg_temp.replay_input()) TO PROGRAM 'perl replay.pl >"$REPLAYED"'
\copy replayed FROM PROGRAM 'cat "$REPLAYED"'
SELECT is((SELECT count(*) FROM replayed WHERE what = 'text'), 102::bigint, 'texts to compare');
SELECT is(md5(converge.content(:'doc')), md5(body ->> 'endContent'), 'in turns: the trace''s own end') FROM trace;
SELECT pg_temp.check_past('not packed', :'doc');
SELECT is(converge.pack(:'doc', 9000), (SELECT count(*) - 9000 FROM edits), 'half of it packed');
SELECT pg_temp.check_past('half packed', :'doc');
CALL converge.maintain();
SELECT results_eq(format('SELECT hot_ops, snapshots FROM converge.storage WHERE doc_id = %L', :'doc'), 'SELECT 1000::bigint, 1::bigint', 'maintained');
SELECT pg_temp.check_past('maintained', :'doc');
SELECT is(converge.pack(:'doc', 0), 1000::bigint, 'the rest packed');
SELECT pg_temp.check_past('packed', :'doc');
SELECT is(converge.prune(:'doc', 12345), 12345::bigint, 'the beginning forgotten');
SELECT pg_temp.check_past('pruned', :'doc');

-- two at once, each behind the other
\set doc '41570ace-0000-4000-8000-000000000002'
TRUNCATE trace, replayed;
\copy trace FROM PROGRAM 'zcat ../../bench/traces/friendsforever.concurrent.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_together(:'doc') \gset
SELECT cmp_ok(:on_old_bases::bigint, '>', 500::bigint, 'together: many operations made on the version that their author knew');
\copy (SELECT * FROM pg_temp.replay_input()) TO PROGRAM 'perl replay.pl >"$REPLAYED"'
\copy replayed FROM PROGRAM 'cat "$REPLAYED"'
SELECT is(md5(converge.content(:'doc')), md5(body ->> 'endContent'), 'together: the trace''s own end') FROM trace;
SELECT pg_temp.check_past('together', :'doc');
CALL converge.maintain();
SELECT pg_temp.check_past('together, maintained', :'doc');
SELECT is(converge.pack(:'doc', 10), 990::bigint, 'together: nearly all packed');
SELECT pg_temp.check_past('together, packed', :'doc');

-- a clone of the repository alone has no more
\set doc '41570ace-0000-4000-8000-000000000003'
\set has_shared `test -r ../../../shared/traces/automerge-paper.json.gz && echo yes || echo no`
SELECT :'has_shared' = 'yes' AS has_shared \gset
\if :has_shared
TRUNCATE trace, replayed;
\copy trace FROM PROGRAM 'zcat ../../../shared/traces/automerge-paper.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_in_turns(:'doc');
\copy (SELECT * FROM pg_temp.replay_input()) TO PROGRAM 'perl replay.pl >"$REPLAYED"'
\copy replayed FROM PROGRAM 'cat "$REPLAYED"'
SELECT is(md5(converge.content(:'doc')), md5(body ->> 'endContent'), 'automerge-paper: the trace''s own end') FROM trace;
CALL converge.maintain();
SELECT pg_temp.check_past('automerge-paper', :'doc');
\else
SELECT skip('shared/traces is not here', 7);
\endif

\! rm -f "$REPLAYED"
SELECT lives_ok(format('DELETE FROM converge.%I WHERE %I::text LIKE ''41570ace-%%''', name, CASE WHEN name IN ('documents', 'relays') THEN 'id' ELSE 'doc_id' END), 'nothing left in ' || name)
FROM converge.storage_totals
WHERE EXISTS (SELECT FROM pg_attribute WHERE attrelid = ('converge.' || name)::regclass AND attname IN ('id', 'doc_id') AND atttypid = 'uuid'::regtype)
ORDER BY name;
SELECT * FROM finish();
