-- What drivers send: parameters without a type, which the server gives one, parameters that
-- are JSON, and text. Each function that people call takes them where it is clear what is meant.
BEGIN;
SELECT * FROM no_plan();
\set doc 'd1100000-0000-4000-8000-000000000001'
SELECT set_config('converge.acting_user', 'ann é', true) \g /dev/null
SELECT converge.create_document('', 'é😀', :'doc') \g /dev/null

-- every name that is open to all can be prepared without a type; JSON is an operation
CREATE FUNCTION pg_temp.prepared(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'PREPARE untyped AS ' || statement;
	RETURN (SELECT string_agg(t::text, ',' ORDER BY n) FROM pg_prepared_statements, unnest(parameter_types) WITH ORDINALITY AS u (t, n) WHERE name = 'untyped');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;
CREATE TEMP TABLE names AS
	SELECT DISTINCT p.proname AS name, p.pronargs AS count, p.prokind AS kind FROM pg_proc AS p
	WHERE p.pronamespace = 'converge'::regnamespace AND p.prokind <> 'p' AND has_function_privilege('public', p.oid, 'execute') AND p.prorettype <> 'trigger'::regtype
		AND NOT ARRAY['internal', 'cstring']::regtype[] && p.proargtypes::oid[]::regtype[];
CREATE FUNCTION pg_temp.types_of(name text, count integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	types text;
BEGIN
	types := pg_temp.prepared(format('SELECT converge.%I(%s)', name, (SELECT string_agg('$' || n, ', ') FROM generate_series(1, count) AS n)));
	EXECUTE 'DEALLOCATE ALL';
	RETURN coalesce(types, '');
END
$$;
SELECT unalike(pg_temp.types_of(name, count), '42___', format('%s with %s untyped parameters', name, count)) FROM names ORDER BY name, count;
SELECT cmp_ok(count(*), '>', 30::bigint, 'there are functions to try') FROM names;

-- a version or a moment
PREPARE content_at AS SELECT converge.content_at($1, $2);
PREPARE content_of AS SELECT converge.content_at($1, $2) AS content;
SELECT converge.edit(:'doc', '["1"]') \g /dev/null
SELECT converge.edit(:'doc', '["2"]') \g /dev/null
CREATE FUNCTION pg_temp.at(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	content text;
BEGIN
	EXECUTE format('EXECUTE content_at(%L, %L)', 'd1100000-0000-4000-8000-000000000001', value) INTO content;
	RETURN content;
EXCEPTION WHEN OTHERS THEN
	RETURN concat(SQLSTATE, ' ', SQLERRM);
END
$$;
UPDATE converge.ops SET created_at = '2026-01-31 12:00:00+00'::timestamptz + version * interval '1 second' WHERE doc_id = :'doc';
UPDATE converge.documents SET created_at = '2026-01-31 12:00:00+00' WHERE id = :'doc';
SELECT is(pg_temp.at(value), content, value) FROM (VALUES
	('0', 'é😀'), ('1', '1é😀'), (' 2 ', '21é😀'), ('+1', '1é😀'), ('00', 'é😀'),
	('2026-01-31 12:00:01+00', '1é😀'), ('2026-01-31T12:00:01.5Z', '1é😀'), ('2026-01-31 12:00:01.999999 UTC', '1é😀'), ('infinity', '21é😀'), ('now', '21é😀'),
	('3', 'OT007 version 3 does not exist'), ('-1', 'OT007 version -1 does not exist'), ('99999999999999999999', '22003 value "99999999999999999999" is out of range for type bigint'),
	('', '22007 invalid input syntax for type timestamp with time zone: ""'), ('é', '22007 invalid input syntax for type timestamp with time zone: "é"'),
	('1.5', '22007 invalid input syntax for type timestamp with time zone: "1.5"'), ('1 2', '22007 invalid input syntax for type timestamp with time zone: "1 2"'),
	(NULL, NULL)) AS v (value, content);
-- with types, each is what it was
SELECT is(converge.content_at(:'doc', 1), '1é😀', 'integer');
SELECT is(converge.content_at(:'doc', 1::smallint), '1é😀', 'smallint');
SELECT is(converge.content_at(:'doc', 1::bigint), '1é😀', 'bigint');
SELECT is(converge.content_at(doc_id => :'doc', version => 1), '1é😀', 'a version by its name');
SELECT is(converge.content_at(:'doc', '2026-01-31 12:00:01+00'::timestamptz), '1é😀', 'timestamptz');
SELECT is(converge.content_at(doc_id => :'doc', at => '2026-01-31 12:00:01+00'), '1é😀', 'a moment by its name, without a type');
SELECT is(converge.content_at(:'doc', '2026-02-01'::date), '21é😀', 'date');
SELECT is(converge.content_at(:'doc', 'infinity'::timestamp), '21é😀', 'timestamp');
SELECT is(converge.content_at(:'doc', '1'), '1é😀', 'a literal without a type');
SELECT is(converge.content_at(:'doc', '2'::varchar), '21é😀', 'varchar');
SELECT set_config('converge.acting_user', 'eve', true) \g /dev/null
SELECT is(pg_temp.at('1'), 'OT002 permission denied for document d1100000-0000-4000-8000-000000000001', 'not for a stranger');
SELECT is(pg_temp.at('infinity'), 'OT002 permission denied for document d1100000-0000-4000-8000-000000000001', 'either way');
SELECT set_config('converge.acting_user', 'ann é', true) \g /dev/null

-- JSON where an operation is wanted
PREPARE with_jsonb (uuid, jsonb) AS SELECT converge.edit($1, $2);
PREPARE with_json (uuid, json) AS SELECT converge.edit($1, $2);
PREPARE with_nothing AS SELECT converge.edit($1, $2);
PREPARE applied_jsonb (uuid, uuid, bigint, jsonb) AS SELECT version FROM converge.apply_op($1, $2, $3, $4);
PREPARE applied_json (uuid, uuid, bigint, json) AS SELECT version FROM converge.apply_op($1, $2, $3, $4);
SELECT results_eq(format('EXECUTE with_jsonb(%L, %L)', :'doc', '["a"]'), ARRAY[3::bigint], 'jsonb');
SELECT results_eq(format('EXECUTE with_json(%L, %L)', :'doc', '[1, "é\ud83d\ude00", {"d": 1}]'), ARRAY[4::bigint], 'json');
SELECT results_eq(format('EXECUTE with_nothing(%L, %L)', :'doc', '["b"]'), ARRAY[5::bigint], 'no type');
SELECT results_eq(format('EXECUTE applied_jsonb(%L, gen_random_uuid(), 5, %L)', :'doc', '["c"]'), ARRAY[6::bigint], 'apply_op, jsonb');
SELECT results_eq(format('EXECUTE applied_json(%L, gen_random_uuid(), 6, %L)', :'doc', '["d"]'), ARRAY[7::bigint], 'apply_op, json');
SELECT is(converge.content(:'doc'), 'dcbaé😀1é😀', 'all of them are applied');
SELECT is(converge.apply('é', '[1,"x"]'::jsonb), 'éx', 'the algebra takes it as well');
SELECT is(converge.compose('["a"]'::json, '[1,"b"]'::jsonb)::text, '["ab"]', 'either');
SELECT ok('["a"]'::converge.op OPERATOR(converge.=) '["", "a", ""]'::jsonb, 'and is compared as the operation that it is');
SELECT is('["a"]'::converge.op::jsonb, '["a"]'::jsonb, 'and the other way');
SELECT throws_ok(format('EXECUTE with_json(%L, %L)', :'doc', json), state, NULL, 'no operation: ' || json) FROM (VALUES
	('{"a":1}', '22P02'), ('["\u0000"]', '22P05'), ('["\ud800"]', '22P05'), ('[{"d":99}]', 'OT005'), ('null', '22P02'), ('[-1]', '22P02')) AS v (json, state);
SELECT throws_ok(format('EXECUTE with_jsonb(%L, %L)', :'doc', json), state, NULL, 'no operation: ' || json) FROM (VALUES
	('{"a":1}', '22P02'), ('[{"d":99}]', 'OT005'), ('null', '22P02'), ('[1.5]', '22P02')) AS v (json, state);

SELECT * FROM finish();
ROLLBACK;
