-- Accounts: names, addresses, passwords.
\set ECHO none
\getenv tests PG_ABS_SRCDIR
\set helpers :tests '/helpers.sql'
\i :helpers
\set ECHO all
DROP EXTENSION IF EXISTS pgcrypto;
TRUNCATE converge.users, converge.attempts, converge.attempt_keys;

-- without pgcrypto there are none, and it says so
SELECT pg_temp.failure($$SELECT converge.sign_up('Ann', 'ann@example.com', 'correct horse')$$);
SELECT pg_temp.failure($$SELECT converge.log_in('ann@example.com', 'correct horse')$$);
CREATE SCHEMA "Crypto ""1";
CREATE EXTENSION pgcrypto SCHEMA "Crypto ""1";

-- signing up; an address has one account, however it is written
SELECT converge.sign_up('  Zoë 😀 ', 'Ann+x@Example.com', 'correct horse') AS ann \gset
SELECT :'ann' ~ '^[0-9a-f-]{36}$' AS uuid;
SELECT name, address, password_hash ~ '^\$2a\$10\$' AS bcrypt, password_hash <> 'correct horse' AS hidden FROM converge.users;
SELECT converge.sign_up('Ben', 'ben@example.com', 'pässwörd') AS ben \gset
SELECT pg_temp.failure($$SELECT converge.sign_up('Eve', 'aNN+x@eXAMPLE.com', 'correct horse')$$);
SELECT pg_temp.failure(format('SELECT converge.sign_up(%s)', arguments)) FROM (VALUES
	('NULL, ''x@example.com'', ''12345678'''), ('''x'', NULL, ''12345678'''), ('''x'', ''x@example.com'', NULL'),
	(''' '', ''x@example.com'', ''12345678'''), ('repeat(''é'', 101), ''x@example.com'', ''12345678'''),
	('''x'', ''x'', ''12345678'''), ('''x'', ''x@'', ''12345678'''), ('''x'', ''x y@example.com'', ''12345678'''), ('''x'', E''x@example.com\n'', ''12345678'''),
	('''x'', ''x@y@z'', ''12345678'''), ('''x'', repeat(''é'', 122) || ''@example.com'', ''12345678'''),
	('''x'', ''x@example.com'', ''1234567'''), ('''x'', ''x@example.com'', repeat(''😀'', 19)')) AS v (arguments);
SELECT count(*) FROM converge.users;

-- logging in: the right password and nothing else
SELECT converge.log_in('ANN+X@example.com', 'correct horse') = :'ann' AS ann;
SELECT converge.log_in('ben@example.com', 'pässwörd') = :'ben' AS ben;
SELECT converge.log_in('ann+x@example.com', 'Correct horse') AS wrong, converge.log_in('ann+x@example.com', '') AS empty,
	converge.log_in('nobody@example.com', 'correct horse') AS nobody, converge.log_in('', 'x') AS empty;
SELECT pg_temp.failure('SELECT converge.log_in(NULL, ''x'')'), pg_temp.failure('SELECT converge.log_in(''x'', NULL)');
-- what bcrypt does not look at is no password
SELECT converge.sign_up('Long', 'long@example.com', repeat('é', 36)) AS long \gset
SELECT converge.log_in('long@example.com', repeat('é', 36)) = :'long' AS right, converge.log_in('long@example.com', repeat('é', 36) || 'x') AS wrong;

-- the hash that nobody has is nobody's: not even what it was made of lets in, and it
-- costs what another does
SELECT converge.is_password('', NULL) AS nobody, converge.is_password('correct horse', NULL) AS nobody,
	(SELECT prosrc ~ '''\$2a\$10\$[./0-9A-Za-z]{53}''' FROM pg_proc WHERE oid = 'converge.is_password'::regproc) AS cost_of_others;

-- ten wrong ones in a quarter of an hour, and the address rests, known or not
TRUNCATE converge.attempts;
SELECT address, count(converge.log_in(address, 'wrong ' || n)) AS let_in FROM generate_series(1, 10) AS n, (VALUES ('ann+x@example.com'), ('nobody@example.com')) AS v (address) GROUP BY address ORDER BY address;
SELECT user_id = :'ann' AS ann, user_id = '' AS nobody, count FROM converge.attempts ORDER BY count, user_id;
SELECT regexp_replace(pg_temp.failure(format('SELECT converge.log_in(%L, %L)', address, password)), ': \d+\.$', ': N.') FROM (VALUES
	(1, 'ann+x@example.com', 'correct horse'), (2, 'ANN+x@example.com', 'wrong'), (3, 'nobody@example.com', 'wrong')) AS v (n, address, password) ORDER BY n;
SELECT converge.log_in('ben@example.com', 'pässwörd') = :'ben' AS others_log_in;
SELECT count(*), max(count) FROM converge.attempts;
UPDATE converge.attempts SET since = since - interval '16 minutes';
SELECT converge.log_in('ann+x@example.com', 'correct horse') = :'ann' AS later;
SELECT count(*) FROM converge.attempts;

-- an account's attempts are its own, whatever rows the addresses shared by a hash that
-- anybody can compute: another's success clears none of them, another's failures lock nobody out
SELECT a.address AS twin_a, b.address AS twin_b
FROM (SELECT format('a%s@example.com', n) AS address FROM generate_series(1, 2000) AS n) AS a
	JOIN (SELECT format('b%s@example.com', n) AS address FROM generate_series(1, 2000) AS n) AS b
	ON hashtextextended(a.address, 0) & 65535 = hashtextextended(b.address, 0) & 65535
ORDER BY 1, 2 LIMIT 1 \gset
TRUNCATE converge.attempts;
SELECT converge.sign_up('Twin a', :'twin_a', 'correct horse') AS a \gset
SELECT converge.sign_up('Twin b', :'twin_b', 'correct horse') AS b \gset
SELECT count(converge.log_in(:'twin_a', 'wrong')) + count(converge.log_in(upper(:'twin_a'), 'wrong')) AS let_in, count(converge.log_in(:'twin_b', 'correct horse')) AS others FROM generate_series(1, 5);
SELECT left(pg_temp.failure(format('SELECT converge.log_in(%L, %L)', :'twin_a', 'correct horse')), 5) AS a, converge.log_in(:'twin_b', 'correct horse') = :'b' AS b;
SELECT user_id = :'a' AS a, bucket, count FROM converge.attempts;
SELECT converge.log_in(:'twin_b', 'wrong') AS wrong;
DELETE FROM converge.users WHERE id IN (:'a', :'b');

-- those without an account share rows that another database would share otherwise; there
-- are never more than 65,536
SELECT count(DISTINCT converge.attempt_bucket(n::text)) > 60000 AS spread, min(converge.attempt_bucket(n::text)) >= 0 AND max(converge.attempt_bucket(n::text)) < 65536 AS bounded FROM generate_series(1, 300000) AS n;
SELECT converge.attempt_bucket('Nobody@example.com') = converge.attempt_bucket('nobody@EXAMPLE.com') AS same;
SELECT array_agg(converge.attempt_bucket(n::text) ORDER BY n) AS before FROM generate_series(1, 10) AS n \gset
TRUNCATE converge.attempt_keys;
SELECT array_agg(converge.attempt_bucket(n::text) ORDER BY n) <> :'before' AS otherwise FROM generate_series(1, 10) AS n;
TRUNCATE converge.attempts;

-- oneself: name and password
SET converge."user" = 'nobody';
SELECT pg_temp.failure('SELECT converge.rename_user(''somebody'')');
SELECT pg_temp.failure('SELECT converge.change_password(''12345678'', ''12345678'')');
SET converge."user" = :'ann';
SELECT converge.rename_user('  Ann é ');
SELECT pg_temp.failure('SELECT converge.rename_user(NULL)'), pg_temp.failure('SELECT converge.rename_user('''')');
SELECT converge.change_password('wrong', 'battery staple'), converge.change_password('correct horse', 'battery staple');
SELECT pg_temp.failure('SELECT converge.change_password(''battery staple'', ''short'')'), pg_temp.failure('SELECT converge.change_password(NULL, ''12345678'')');
SELECT converge.log_in('ann+x@example.com', 'correct horse') AS old, converge.log_in('ann+x@example.com', 'battery staple') = :'ann' AS new;
SELECT name FROM converge.users ORDER BY name;
SELECT count(converge.change_password('wrong ' || n, '12345678')) FROM generate_series(1, 10) AS n;
SELECT regexp_replace(pg_temp.failure('SELECT converge.change_password(''battery staple'', ''12345678'')'), ': \d+\.$', ': N.');

-- others: by the beginning of a name or by the address
SELECT converge.sign_up('ann_b', 'annb@example.com', '12345678') IS NOT NULL, converge.sign_up('annéb', 'annc@example.com', '12345678') IS NOT NULL;
SELECT term, (SELECT string_agg(name, ', ') FROM converge.search_users(term)) FROM (VALUES
	(1, 'Ann'), (2, 'ANN '), (3, 'ann_'), (4, '%n'), (5, 'a'), (6, ''), (7, NULL), (8, 'BEN@example.com'), (9, 'ben@example'), (10, 'annÉ'), (11, '\a')) AS v (n, term) ORDER BY n;
SELECT name FROM converge.search_users('ann', 2);
SELECT count(*) FROM converge.search_users('ann', -1);

-- their names stand beside their roles
SELECT converge.create_document('', '', 'acc00000-0000-4000-8000-000000000001') IS NOT NULL;
SELECT converge.share('acc00000-0000-4000-8000-000000000001', :'ben', 'editor'), converge.share('acc00000-0000-4000-8000-000000000001', 'a stranger', 'viewer');
SELECT name, role FROM converge.members('acc00000-0000-4000-8000-000000000001');

-- an id that is neither an account nor a database role may be misspelt: that is said, where
-- there are accounts
SELECT converge.share('acc00000-0000-4000-8000-000000000001', :'ben', 'viewer');
SELECT converge.share('acc00000-0000-4000-8000-000000000001', '*', 'viewer'), converge.share('acc00000-0000-4000-8000-000000000001', current_user, 'viewer');
SELECT converge.transfer_ownership('acc00000-0000-4000-8000-000000000001', 'bin');
SET converge."user" = 'bin';
SELECT converge.transfer_ownership('acc00000-0000-4000-8000-000000000001', :'ben');
BEGIN;
TRUNCATE converge.users;
SET LOCAL converge."user" = :'ben';
SELECT converge.share('acc00000-0000-4000-8000-000000000001', 'a stranger', 'editor');
ROLLBACK;
SET converge."user" = :'ann';

-- sign-up is closed by whoever runs the database, and by nobody else
SET converge.sign_up = off;
SELECT pg_temp.failure('SELECT converge.sign_up(''Fay'', ''fay@example.com'', ''12345678'')'), pg_temp.failure('SELECT converge.sign_up(NULL, NULL, NULL)');
SELECT converge.log_in('ben@example.com', 'pässwörd') = :'ben' AS ben;
RESET converge.sign_up;

-- a plain user sees nothing of all that, and calls what concerns himself
RESET converge."user";
CREATE ROLE regress_converge_cleo;
SET SESSION AUTHORIZATION regress_converge_cleo;
SELECT pg_temp.failure(statement) FROM (VALUES
	('SELECT FROM converge.users'), ('SELECT FROM converge.attempts'), ('SELECT converge.sign_up(''x'', ''x@example.com'', ''12345678'')'),
	('SET converge.sign_up = on'), ('SELECT converge.account_name(''x'')'), ('SELECT converge.log_in(''x'', ''x'')'), ('SELECT converge.search_users(''ann'')'), ('SELECT converge.bcrypt(''x'')'), ('SELECT converge.is_password(''x'', ''x'')'),
	('SELECT converge.count_attempt(''x'', ''x'')'), ('SELECT converge.attempt_bucket(''x'')'), ('SELECT FROM converge.attempt_keys'), ('SELECT converge.rename_user(''x'')'), ('SELECT converge.change_password(''12345678'', ''12345678'')')) AS v (statement);
RESET SESSION AUTHORIZATION;
SELECT converge.allow_relay('regress_converge_cleo');
SET SESSION AUTHORIZATION regress_converge_cleo;
SELECT converge.log_in('ben@example.com', 'pässwörd') AS user_id \gset
BEGIN;
SELECT converge.become(:'user_id');
SELECT converge.rename_user('Benjamin');
COMMIT;
SELECT name FROM converge.search_users('benj');
SELECT pg_temp.failure('SELECT FROM converge.users');
RESET SESSION AUTHORIZATION;
RESET converge."user";
DROP OWNED BY regress_converge_cleo;
DROP ROLE regress_converge_cleo;
TRUNCATE converge.users, converge.attempts, converge.attempt_keys;
DROP EXTENSION pgcrypto;
DROP SCHEMA "Crypto ""1";
