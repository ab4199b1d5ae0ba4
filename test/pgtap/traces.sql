-- Real keystroke histories, one edit an op: the document ends as its author's did.
-- Each edit is a transaction of its own, so this file is not one.
SELECT * FROM no_plan();
SET synchronous_commit = off;
SET converge."user" = 'ann';

CREATE TEMP TABLE trace (body json);
CREATE TEMP TABLE patches (n serial, pos bigint, deleted bigint, inserted text);

-- Type what is in patches into a new document.
CREATE PROCEDURE pg_temp.type_in(doc uuid) LANGUAGE plpgsql AS $$
DECLARE
	patch record;
BEGIN
	TRUNCATE patches;
	INSERT INTO patches (pos, deleted, inserted)
		SELECT (p.patch ->> 0)::bigint, (p.patch ->> 1)::bigint, p.patch ->> 2
		FROM trace, json_array_elements(body -> 'txns') WITH ORDINALITY AS t (txn, n), json_array_elements(txn -> 'patches') WITH ORDINALITY AS p (patch, n)
		ORDER BY t.n, p.n;
	PERFORM converge.create_document('', (SELECT body ->> 'startContent' FROM trace), doc);
	COMMIT;
	FOR patch IN SELECT pos, deleted, inserted FROM patches ORDER BY n LOOP
		PERFORM converge.edit(doc, converge.replace(patch.pos, patch.deleted, patch.inserted));
		COMMIT;
	END LOOP;
END
$$;

-- Is the document what the trace says, and is its past still there?
CREATE FUNCTION pg_temp.check_trace(name text, doc uuid) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	edits bigint := (SELECT count(*) FROM patches);
BEGIN
	RETURN NEXT is((SELECT version FROM converge.heads WHERE doc_id = doc), edits, format('%s: %s edits, as many versions', name, edits));
	RETURN NEXT ok(converge.content(doc) = (SELECT body ->> 'endContent' FROM trace), name || ': the text is the trace''s');
	RETURN NEXT ok(converge.content_at(doc, edits / 2) = (
		SELECT converge.apply((SELECT body ->> 'startContent' FROM trace), converge.compose_agg(converge.replace(pos, deleted, inserted) ORDER BY n))
		FROM (SELECT * FROM patches ORDER BY n LIMIT edits / 2) AS p), name || ': half-way, too');
	RETURN NEXT is((SELECT length FROM converge.heads WHERE doc_id = doc), char_length(converge.content(doc))::bigint, name || ': and its length');
END
$$;

-- a file is one line; neither quote nor delimiter occurs in JSON
\copy trace FROM PROGRAM 'zcat ../../bench/traces/sveltecomponent.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_in('77ace000-0000-4000-8000-000000000001');
SELECT pg_temp.check_trace('sveltecomponent', '77ace000-0000-4000-8000-000000000001');

-- a clone of the repository alone has no more
\set has_shared `test -r ../../../shared/traces/rustcode.json.gz && echo yes || echo no`
SELECT :'has_shared' = 'yes' AS has_shared \gset
\if :has_shared
TRUNCATE trace;
\copy trace FROM PROGRAM 'zcat ../../../shared/traces/rustcode.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_in('77ace000-0000-4000-8000-000000000002');
SELECT pg_temp.check_trace('rustcode', '77ace000-0000-4000-8000-000000000002');
TRUNCATE trace;
\copy trace FROM PROGRAM 'zcat ../../../shared/traces/automerge-paper.json.gz' WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CALL pg_temp.type_in('77ace000-0000-4000-8000-000000000003');
SELECT pg_temp.check_trace('automerge-paper', '77ace000-0000-4000-8000-000000000003');
\else
SELECT skip('shared/traces is not here', 8);
\endif

DELETE FROM converge.ops WHERE doc_id::text LIKE '77ace000-%';
DELETE FROM converge.heads WHERE doc_id::text LIKE '77ace000-%';
DELETE FROM converge.members WHERE doc_id::text LIKE '77ace000-%';
DELETE FROM converge.snapshots WHERE doc_id::text LIKE '77ace000-%';
DELETE FROM converge.documents WHERE id::text LIKE '77ace000-%';
SELECT * FROM finish();
