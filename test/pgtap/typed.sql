-- What converge's functions call, they name so that no overload is a better match: every
-- literal and every null has a type, every call of converge's own functions has all its
-- arguments. First as their sources stand in the catalog, then with overloads in place.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;

-- ---- as it stands in the catalog ----

CREATE TEMP TABLE sources AS
	SELECT p.oid::regprocedure AS function, p.prosrc AS source FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
	WHERE p.pronamespace = 'converge'::regnamespace AND l.lanname IN ('sql', 'plpgsql');

-- The literals of a source that have no type. Those are none to resolve which a RAISE has as
-- its format or as a whole option.
CREATE FUNCTION pg_temp.untyped(source text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT m[4] FROM regexp_matches(source,
		$re$(--[^\n]*)|(RAISE\s+\w+\s+'(?:[^']|'')*')|((?:ERRCODE|DETAIL|HINT|MESSAGE)\s*=\s*'(?:[^']|'')*'(?=\s*[,;]))|((?:\w+\s*)?'(?:[^']|'')*'(?:\s*\n\s*'(?:[^']|'')*')*(?:\s*::\s*[[:alnum:]_."]+)?)$re$, 'g') AS m
	WHERE m[4] IS NOT NULL AND m[4] !~ '^interval|::\s*[[:alnum:]_."]+$'
$$;

-- The source without comments, and with every literal empty.
CREATE FUNCTION pg_temp.bare(source text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(source, $re$'(?:[^']|'')*'$re$, '''''', 'g'), '--[^\n]*', '', 'g')
$$;

-- The calls of converge's own functions in a source, with the arguments of each.
CREATE FUNCTION pg_temp.own_calls(source text, OUT name text, OUT arguments text[]) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	rest text := pg_temp.bare(source);
	depth integer;
	argument text;
	letter text;
BEGIN
	LOOP
		rest := substring(rest FROM 'converge\.[a-z_]+\(.*');
		EXIT WHEN rest IS NULL;
		name := substring(rest FROM 'converge\.([a-z_]+)');
		rest := substr(rest, length('converge.' || name || '(') + 1);
		arguments := '{}';
		argument := '';
		depth := 0;
		FOREACH letter IN ARRAY string_to_array(rest, NULL) LOOP
			depth := depth + CASE WHEN letter IN ('(', '[') THEN 1 WHEN letter IN (')', ']') THEN -1 ELSE 0 END;
			IF depth < 0 OR depth = 0 AND letter = ',' THEN
				arguments := arguments || CASE WHEN btrim(argument) <> '' THEN btrim(argument) END;
				argument := '';
				EXIT WHEN depth < 0;
			ELSE
				argument := argument || letter;
			END IF;
		END LOOP;
		arguments := array_remove(arguments, NULL);
		RETURN NEXT;
	END LOOP;
END
$$;

-- the tests see what they are made to see
SELECT set_eq(format('SELECT pg_temp.untyped(%L)', $x$BEGIN
	PERFORM converge.f(a, 'viewer'), g('x'::text) = 'owner', now() - interval '1 day', 'a'
		'b', 'é''é'::converge.role; -- don't 'look' here
	RAISE EXCEPTION 'no "%"', 'one' USING ERRCODE = 'x', HINT = format('%s', 'y'::text);$x$),
	ARRAY['''viewer''', '''owner''', E'''a''\n\t\t''b''', '''one''', '''%s''']::text[], 'untyped literals are found');
SELECT set_eq(format('SELECT name, arguments::text FROM pg_temp.own_calls(%L)', 'x := converge.f(a, g(b, c)) + converge.h() -- converge.i(a)
	WHERE converge.j(ARRAY[1, 2], ''a,b'')'), $$VALUES ('f', '{a,"g(b, c)"}'), ('h', '{}'), ('j', '{"ARRAY[1, 2]",''''}')$$, 'calls are found');
SELECT cmp_ok(count(*), '>', 30::bigint, 'there are sources to look at') FROM sources;
SELECT cmp_ok(count(*), '>', 30::bigint, 'and calls in them') FROM sources, pg_temp.own_calls(source);

SELECT is_empty($$SELECT function, literal FROM sources, pg_temp.untyped(source) AS literal$$, 'every literal has a type');
SELECT is_empty($$SELECT function, name, argument FROM sources, pg_temp.own_calls(source), unnest(arguments) AS argument WHERE upper(argument) = 'NULL'$$,
	'and every null that is passed');
SELECT is_empty($$SELECT s.function, c.name, c.arguments FROM sources AS s, pg_temp.own_calls(s.source) AS c
	WHERE NOT EXISTS (SELECT FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace AND p.proname = c.name AND p.pronargs = cardinality(c.arguments))$$,
	'no call leaves an argument to its default');
-- names without a schema are PostgreSQL's own
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace AND p.prosecdef AND
	coalesce(p.proconfig, '{}') <> '{"search_path=pg_catalog, pg_temp"}'$$, 'every function with its owner''s rights has a path');

-- ---- with overloads in place ----

CREATE FUNCTION pg_temp.tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RAISE SQLSTATE 'DONE0';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'DONE0' THEN 'done' WHEN 'EVIL1' THEN SQLERRM ELSE SQLSTATE END;
END
$$;
CREATE TEMP TABLE samples (type regtype PRIMARY KEY, sample text);
INSERT INTO samples VALUES ('uuid', '''e5110000-0000-4000-8000-000000000002''::uuid'), ('text', '''ann''::text'), ('bigint', '1::bigint'), ('integer', '5::integer'), ('converge.op', '''["é"]''::converge.op'),
	('converge.role', '''viewer''::converge.role'), ('text[]', '''{ann,ben}''::text[]'), ('uuid[]', '''{e5110000-0000-4000-8000-000000000002}''::uuid[]'), ('bigint[]', '''{0}''::bigint[]'),
	('timestamptz', 'pg_catalog.clock_timestamp()'), ('boolean', 'false'), ('jsonb', '''[]''::jsonb'), ('json', '''[]''::json'), ('regrole', 'session_user::regrole');
CREATE TEMP TABLE calls AS
	SELECT p.oid::regprocedure AS function, p.prosecdef AS definer, format('SELECT * FROM converge.%I(%s)', p.proname,
		(SELECT string_agg(coalesce(sample, format('NULL::%s', p.proargtypes[n - 1]::regtype)), ', ' ORDER BY n) FROM generate_series(1, p.pronargs) AS n LEFT JOIN samples ON type = p.proargtypes[n - 1])) AS call, NULL::text AS before
	FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
		AND NOT ARRAY['internal', 'cstring']::regtype[] && p.proargtypes::oid[]::regtype[];

SET converge."user" = 'ann é';
SELECT converge.create_document('é', '😀', 'e5110000-0000-4000-8000-000000000002') \g /dev/null
SELECT converge.edit('e5110000-0000-4000-8000-000000000002', '["é"]') FROM generate_series(1, 5) \g /dev/null
INSERT INTO converge.users (id, name, address, password_hash) VALUES ('ann é', 'ann', 'ann@example.com', '$2a$10$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK');
UPDATE calls SET before = pg_temp.tried(call);

-- each function with another type in one place, and without those of its last arguments that have a default
CREATE FUNCTION pg_temp.set_trap(name text, types text[]) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	IF to_regprocedure(format('converge.%I(%s)', name, array_to_string(types, ','))) IS NOT NULL THEN
		RETURN 0;
	END IF;
	EXECUTE format('CREATE FUNCTION converge.%I(%s) RETURNS void LANGUAGE plpgsql AS %L', name, array_to_string(types, ','),
				   format('BEGIN RAISE EXCEPTION %L USING ERRCODE = ''EVIL1''; END', 'fell for ' || name));
	RETURN 1;
END
$$;
CREATE TEMP TABLE own AS
	SELECT p.proname AS name, p.pronargs AS count, p.pronargdefaults AS defaults, ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, n) ORDER BY n) AS types
	FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace AND p.prokind = 'f' AND NOT ARRAY['internal', 'cstring']::regtype[] && p.proargtypes::oid[]::regtype[];
SELECT cmp_ok(sum(pg_temp.set_trap(name, types[:n - 1] || other || types[n + 1:])), '>', 300::bigint, 'overloads with another type lie in wait')
FROM own, generate_series(1, count) AS n, unnest('{text,varchar,name,smallint,integer,bigint,numeric,double precision,uuid,timestamptz,timestamp,converge.role,anyenum,anyelement}'::text[]) AS other
WHERE other <> types[n];
SELECT cmp_ok(sum(pg_temp.set_trap(name, types[:count - n])), '>', 10::bigint, 'and some with fewer arguments') FROM own, generate_series(1, defaults) AS n;
SELECT is(pg_temp.tried($$DO 'BEGIN PERFORM converge.require_role(''e5110000-0000-4000-8000-000000000002''::uuid, ''viewer''); END'$$), 'fell for require_role', 'the traps work');
SELECT matches(pg_temp.tried($$DO 'BEGIN PERFORM converge.bcrypt(''x''::text); END'$$), '^(42725|fell for bcrypt)$', 'both kinds of them');
DISCARD PLANS; -- which were made before there were any
SELECT is(pg_temp.tried(call), before, call) FROM calls ORDER BY function::text;
SELECT cmp_ok(count(*), '>', 20::bigint, 'most functions with their owner''s rights came to an end') FROM calls WHERE definer AND before = 'done';
SELECT set_config('row_security', 'on', true) \g /dev/null
CREATE ROLE typed_ann;
SET LOCAL ROLE typed_ann;
SELECT is(pg_temp.tried($$SELECT * FROM converge.documents, converge.heads, converge.presence$$), 'done', 'nor do policies fall for one');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
