-- Maintenance by a role that was granted it and may do nothing else, as doc/operating.md
-- has it. maintain() commits, so this file is not one transaction.
SELECT * FROM no_plan();
DROP ROLE IF EXISTS upkeep;
CREATE ROLE upkeep;
\set doc '0bed0000-0000-4000-8000-000000000001'
SET converge."user" = 'ann é';
SELECT is(converge.create_document('ann''s', 'é😀', :'doc'), :'doc', 'a document');
SELECT lives_ok(format('SELECT converge.edit(%L, ''["日本"]'') FROM generate_series(1, 40)', :'doc'), 'with a past');
RESET converge."user";
-- they bound what is due, so they are a superuser's to set
SET converge.pack_keep = 0;
SET converge.pack_batch = 1;

CREATE FUNCTION pg_temp.state_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.check_parts(VARIADIC states text[]) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is(ARRAY(SELECT pg_temp.state_of(statement) FROM unnest(ARRAY['SELECT converge.due_documents()',
			'SELECT converge.maintain_document(''0bed0000-0000-4000-8000-0000000000ff'')', 'CALL converge.maintain()']) WITH ORDINALITY AS s (statement, n) ORDER BY n),
		states, session_user::text)
$$;
SET SESSION AUTHORIZATION upkeep;
SELECT pg_temp.check_parts('42501', '42501', '42501');
RESET SESSION AUTHORIZATION;
-- the procedure alone is not enough, and says what else is wanted
GRANT EXECUTE ON PROCEDURE converge.maintain() TO upkeep;
SET SESSION AUTHORIZATION upkeep;
SELECT pg_temp.check_parts('42501', '42501', '42501');
RESET SESSION AUTHORIZATION;
GRANT EXECUTE ON ROUTINE converge.maintain(), converge.due_documents(), converge.maintain_document(uuid) TO upkeep;
SET SESSION AUTHORIZATION upkeep;
SELECT set_eq('SELECT converge.due_documents()', ARRAY[:'doc']::uuid[], 'it sees the documents with work due');
-- look-alikes of its own are its own affair
CREATE TEMP TABLE ops (doc_id uuid, version bigint);
CREATE TEMP TABLE packs AS SELECT :'doc'::uuid AS doc_id;
SET search_path = pg_temp, converge, pg_catalog, public;
CALL converge.maintain();
RESET search_path;
SELECT is_empty('SELECT converge.due_documents()', 'and does it');
SELECT is((SELECT count(*) FROM pg_temp.packs), 1::bigint, 'there, and not in tables of the name');
SELECT is(pg_temp.state_of(statement), state, 'and no more: ' || statement) FROM (VALUES
	('SELECT converge.content(''0bed0000-0000-4000-8000-000000000001'')', 'OT002'), ('SELECT converge.pack(''0bed0000-0000-4000-8000-000000000001'')', 'OT002'),
	('SELECT converge.snapshot(''0bed0000-0000-4000-8000-000000000001'')', 'OT002'), ('SET converge.pack_keep = 1', '42501'),
	('DELETE FROM converge.ops', '42501')) AS v (statement, state);
SELECT is((SELECT count(*) FROM converge.packs), 0::bigint, 'what it packed it does not see');
RESET SESSION AUTHORIZATION;
SELECT results_eq(format('SELECT hot_ops, packed_ops FROM converge.storage WHERE doc_id = %L', :'doc'), 'SELECT 0::bigint, 40::bigint', 'packed it is');
SET converge."user" = 'ann é';
SELECT is_empty(format('SELECT * FROM converge.verify(%L)', :'doc'), 'and whole');
SELECT converge.delete_document(:'doc') \gset
RESET converge."user";
DROP OWNED BY upkeep;
DROP ROLE upkeep;
SELECT * FROM finish();
