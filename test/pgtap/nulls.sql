-- A null where none may be is an error of its own, which names what must not be null.
BEGIN;
SET client_min_messages = warning;
SELECT * FROM no_plan();

-- What takes nulls, and what only other functions call.
CREATE TEMP TABLE spared (name text);
INSERT INTO spared VALUES ('my_documents'), ('search_users'),
	('check_title'), ('check_name'), ('check_password'), ('bcrypt'), ('is_password'), ('attempt_bucket'),
	('count_attempt'), ('warn_of_unknown_user'), ('lock_for_owner'), ('keep_an_owner'),
	('describe_document'), ('receive_document'), ('redact_log'), ('hooks_of'), ('run_hooks'), ('arm_hooks'), ('redact_quotes'), ('redact_texts'), ('renew_document'), ('erase_member'), ('messages_before'), ('thread_event'), ('comment_event'), ('suggestion_event'), ('message_event'), ('check_body'), ('check_open_threads'), ('is_repeated'), ('living_comment'), ('living_thread'), ('lock_talk'), ('message_page'), ('next_change');

-- Every other function with every argument in turn null that has no default.
CREATE FUNCTION pg_temp.value_of(type regtype) RETURNS text LANGUAGE sql AS $$
	SELECT CASE type::text
		WHEN 'uuid' THEN quote_literal('0a000000-0000-4000-8000-000000000001') WHEN 'text' THEN '''some text''' WHEN 'bigint' THEN '1'
		WHEN 'integer' THEN '1' WHEN 'jsonb' THEN '''[]''' WHEN 'boolean' THEN 'false' WHEN 'converge.role' THEN '''viewer'''
		WHEN 'converge.op' THEN '''[]''' WHEN 'regprocedure' THEN '''converge.my_role(uuid)''' WHEN 'interval' THEN '''1 min''' WHEN 'regrole' THEN 'session_user' WHEN 'timestamp with time zone' THEN 'now()' ELSE '''{}''' END
$$;
CREATE TEMP TABLE calls AS
	SELECT p.proname, n, format('SELECT converge.%I(%s)', p.proname,
		(SELECT string_agg(format('%s::%s', CASE WHEN i = n THEN 'NULL' ELSE pg_temp.value_of(t) END, t::regtype), ', ' ORDER BY i)
		 FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, i))) AS call
	FROM pg_proc AS p, generate_series(1, p.pronargs - p.pronargdefaults) AS n
	WHERE p.pronamespace = 'converge'::regnamespace AND p.prokind = 'f' AND NOT p.proisstrict
	  AND 'internal'::regtype <> ALL (p.proargtypes) AND p.proname NOT IN (SELECT name FROM spared)
	  -- of an operation one may not know the id
	  AND NOT (p.proname = 'has_version' AND n = 3);
SELECT ok(count(*) > 50 AND bool_or(proname = 'allow_relay'), 'there is much to try') FROM calls;
SELECT is_empty('SELECT name FROM spared WHERE name NOT IN (SELECT proname FROM pg_proc WHERE pronamespace = ''converge''::regnamespace)', 'nothing is spared that is not there');
SELECT throws_like(call, '%must not be null', call) FROM calls ORDER BY call;
SELECT throws_ok(call, '22004', NULL, call) FROM calls ORDER BY call;

SELECT throws_ok('SELECT converge.announce(''{a,NULL}'')', '22004', 'messages must not be null', 'nor one of several');
SELECT throws_ok(format('SELECT converge.allow_relay(%L)', role), '42704', NULL, 'no role: ' || role) FROM (VALUES ('-'), ('4000000000'), ('no_such_role')) AS v (role);

SELECT * FROM finish();
ROLLBACK;
