-- Sourced by the tests of test/sql: the extension and what makes its answers fit
-- for expected output.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS converge;
SET TIME ZONE 'America/St_Johns';	-- no event may depend on it

-- Run a statement; its error whole: SQLSTATE, message, detail, hint.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', concat(SQLSTATE, ' ', message), nullif(detail, ''), nullif(hint, ''));
END
$$;

-- The same in short: SQLSTATE and detail.
CREATE FUNCTION pg_temp.failure_detail(statement text, OUT state text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	state := '00000';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL;
END
$$;

-- A message without what differs from run to run.
CREATE FUNCTION pg_temp.plain(message text) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(regexp_replace(message, '"sequenceId":[1-9][0-9]*', '"sequenceId":N', 'g'),
						  '"at":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"', '"at":T', 'g')
$$;
