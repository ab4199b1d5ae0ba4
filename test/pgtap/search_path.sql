-- Look-alikes in the search path: every operator of PostgreSQL's and every function of it
-- that converge's functions name, in a schema in front of pg_catalog, raising an error when
-- it is called. None of converge's functions may fall for one, with whatever it does.
BEGIN;
SELECT * FROM no_plan();
SET client_min_messages = warning;

CREATE SCHEMA evil;
CREATE FUNCTION evil.trap(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'fell for %', name USING ERRCODE = 'EVIL1';
END
$$;
-- operators over the types that converge has
DO $$
DECLARE
	o record;
	n integer := 0;
BEGIN
	FOR o IN SELECT oprname, oprleft::regtype AS l, oprright::regtype AS r, oprresult::regtype AS res FROM pg_operator
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b' AND oprresult <> 0
		  AND ARRAY[oprleft, oprright] <@ '{text,uuid,bigint,integer,timestamptz,interval,boolean,jsonb,text[],uuid[],numeric,double precision,anyenum,anyarray}'::regtype[]::oid[]
	LOOP
		n := n + 1;
		EXECUTE format('CREATE FUNCTION evil.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', n, o.l, o.r, o.res,
					   format('BEGIN PERFORM evil.trap(%L); RETURN NULL; END', o.oprname));
		EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.operator_%s)', o.oprname, o.l, o.r, n);
	END LOOP;
END
$$;
-- functions whose name stands in the source of one of converge's
DO $$
DECLARE
	f record;
	words text[] := ARRAY(SELECT DISTINCT word[1] FROM pg_proc, regexp_matches(prosrc, '([a-z_0-9]+)\(', 'g') AS word
						  WHERE pronamespace = 'converge'::regnamespace AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c'));
BEGIN
	FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result FROM pg_proc AS p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.proname = ANY (words) AND p.proargmodes IS NULL
		  AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT '"any"'::regtype = ANY (p.proargtypes)
	LOOP
		EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.arguments, f.result,
					   format('BEGIN PERFORM evil.trap(%L); RETURN%s; END', f.proname, CASE WHEN f.result ~ '^(SETOF|void|record)' THEN '' ELSE ' NULL' END));
	END LOOP;
END
$$;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
SELECT cmp_ok(count(*), '>', 100::bigint, 'operators that lie in wait') FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace;
SELECT is_empty($$SELECT f FROM unnest('{lower,clock_timestamp,char_length,octet_length,btrim,unnest}'::text[]) AS f EXCEPT SELECT proname FROM pg_proc WHERE pronamespace = 'evil'::regnamespace$$,
	'and functions');

-- do it, and take it back, the path included
CREATE FUNCTION pg_temp.tried(statement text, path text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('search_path', path, true);
	EXECUTE statement;
	RAISE SQLSTATE 'DONE0';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE SQLSTATE WHEN 'DONE0' THEN 'done' WHEN 'EVIL1' THEN SQLERRM ELSE SQLSTATE END;
END
$$;
CREATE FUNCTION pg_temp.tried(statement text) RETURNS text LANGUAGE sql AS $$SELECT pg_temp.tried(statement, 'pg_catalog, public')$$;
CREATE FUNCTION pg_temp.misled(statement text) RETURNS text LANGUAGE sql AS $$SELECT pg_temp.tried(statement, 'evil, pg_temp, pg_catalog, public')$$;
-- the traps work
CREATE FUNCTION public.loose(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN $1 = ''x''; END';
CREATE FUNCTION public.loose_too(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN lower($1); END';
CREATE FUNCTION public.tight(text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN lower($1) = ''x''; END';
SELECT is(pg_temp.misled($$SELECT public.loose('x')$$), 'fell for =', 'an operator is fallen for');
SELECT is(pg_temp.misled($$SELECT public.loose_too('x')$$), 'fell for lower', 'and a function');
SELECT is(pg_temp.misled($$SELECT public.tight('x')$$), 'done', 'by a role without a search_path of its own');

-- every function with something to do: a document with a past, an account where there can be
SET converge."user" = 'ann é';
SELECT converge.create_document('é', '😀', 'e5110000-0000-4000-8000-000000000001') \gset
SELECT converge.edit(:'create_document', '["é"]') FROM generate_series(1, 5) \g /dev/null
INSERT INTO converge.users (id, name, address, password_hash) VALUES ('ann é', 'ann', 'ann@example.com', '$2a$10$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK');
CREATE TEMP TABLE samples (type regtype PRIMARY KEY, sample text);
INSERT INTO samples VALUES ('uuid', '''e5110000-0000-4000-8000-000000000001''::uuid'), ('text', '''ann''::text'), ('bigint', '1::bigint'), ('integer', '5'), ('converge.op', '''["é"]''::converge.op'),
	('converge.role', '''viewer''::converge.role'), ('text[]', '''{ann,ben}''::text[]'), ('uuid[]', '''{e5110000-0000-4000-8000-000000000001}''::uuid[]'), ('bigint[]', '''{0}''::bigint[]'),
	('timestamptz', 'pg_catalog.clock_timestamp()'), ('boolean', 'false'), ('jsonb', '''[]''::jsonb'), ('regrole', 'session_user::regrole'), ('cstring', '''[]'''), ('internal', 'NULL');
CREATE TEMP VIEW calls AS
	SELECT p.oid::regprocedure AS function, p.prosecdef AS definer, format('SELECT converge.%I(%s)', p.proname,
		(SELECT string_agg(coalesce(sample, 'NULL'), ', ' ORDER BY n) FROM generate_series(1, p.pronargs) AS n LEFT JOIN samples ON type = p.proargtypes[n - 1])) AS call
	FROM pg_proc AS p WHERE p.pronamespace = 'converge'::regnamespace AND p.prokind = 'f' AND NOT 'internal'::regtype = ANY (p.proargtypes);
SELECT is(pg_temp.misled(call), pg_temp.tried(call), call) FROM calls ORDER BY function::text;
SELECT cmp_ok(count(*), '>', 20::bigint, 'most of those with their owner''s rights came to an end')
FROM calls WHERE definer AND pg_temp.tried(call) = 'done';

-- and there is no function of the kind without a path
SELECT is_empty($$SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
	WHERE p.pronamespace = 'converge'::regnamespace AND (p.prosecdef OR l.lanname <> 'c') AND p.prokind = 'f' AND
		NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c = 'search_path=pg_catalog, pg_temp')$$, 'every function that could look around has a path');

SELECT * FROM finish();
ROLLBACK;
