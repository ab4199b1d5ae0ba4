# The schema that the extension is created in: a stranger who was there first gets nothing
# run, and default privileges give nobody what the extension does not.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('schema');
my $databases = 0;

$node->safe_psql('postgres', join("\n", 'CREATE ROLE eve LOGIN;', 'CREATE ROLE staff;', 'GRANT staff TO eve;',
	'CREATE ROLE admin LOGIN SUPERUSER;', 'CREATE ROLE keeper LOGIN SUPERUSER;'));

# A database where some statements were run, as a superuser unless they change that.
sub database
{
	my (@statements) = @_;
	my $name = 'db' . ++$databases;

	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0; GRANT CREATE ON DATABASE $name TO eve;");
	$node->safe_psql($name, join("\n", map { "$_;" } @statements)) if @statements;
	return $name;
}

# The error of CREATE EXTENSION; empty when it succeeds.
sub create
{
	my ($name, $user) = @_;
	my ($ret, $stdout, $stderr) = $node->psql($name, 'CREATE EXTENSION converge',
		extra_params => [ '-v', 'VERBOSITY=verbose' ], connstr => $node->connstr($name) . ($user ? " user=$user" : ''));

	return $ret == 0 ? '' : $stderr;
}

# ---- whose it is ----

my $as_eve = 'SET SESSION AUTHORIZATION eve';
my $trap = 'CREATE FUNCTION converge.require_role(uuid, text) RETURNS void LANGUAGE sql AS $$ALTER ROLE eve SUPERUSER$$';
for my $case (
	[ 'a stranger\'s schema with a look-alike', 'eve', $as_eve, 'CREATE SCHEMA converge', $trap ],
	[ 'a stranger\'s empty schema', 'eve', $as_eve, 'CREATE SCHEMA converge' ],
	[ 'the schema of a group', 'staff', 'CREATE SCHEMA converge AUTHORIZATION staff' ],
	[ 'the schema of whoever owns the database', 'pg_database_owner', 'CREATE SCHEMA converge AUTHORIZATION pg_database_owner' ])
{
	my ($name, $owner, @statements) = @$case;
	my $db = database(@statements);

	like(create($db), qr/ERROR:  55000: schema "converge" belongs to role "$owner"\nDETAIL:  .*\nHINT:  /, "$name: refused");
	is($node->safe_psql($db, q{SELECT count(*) FROM pg_extension WHERE extname = 'converge'}), '0', "$name: nothing is left");
	$node->safe_psql($db, 'DROP SCHEMA converge CASCADE');
	is(create($db), '', "$name: and once it is gone, created");
}

# ---- what is in it ----

for my $case (
	[ 'a function', 'function require_role\(uuid,text\)', $trap ],
	[ 'a table', 'table notes', 'CREATE TABLE converge.notes ()' ],
	[ 'a type', 'type mood', q{CREATE TYPE converge.mood AS ENUM ('é')} ],
	[ 'an operator', 'operator ===\(text,text\)', 'CREATE OPERATOR converge.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)' ],
	[ 'a collation', 'collation c', 'CREATE COLLATION converge.c FROM "C"' ],
	[ 'another extension', '.*', 'CREATE EXTENSION pgcrypto SCHEMA converge' ],
	[ 'an object that a dropped extension left', 'view notes', 'DROP SCHEMA converge', 'CREATE EXTENSION converge', 'CREATE VIEW converge.notes AS SELECT', 'DROP EXTENSION converge' ])
{
	my ($name, $what, @statements) = @$case;

	like(create(database('CREATE SCHEMA converge', @statements)),
		qr/ERROR:  55000: schema "converge" is not empty\nDETAIL:  It contains $what\.\nHINT:  /, "$name in the installer's own schema: refused");
}

# ---- who may put something there ----

for my $grantee ('eve', 'PUBLIC', 'pg_database_owner')
{
	my $db = database('CREATE SCHEMA converge', "GRANT CREATE ON SCHEMA converge TO $grantee");

	like(create($db), qr/ERROR:  55000: other roles may create objects in schema "converge"\nDETAIL:  .* $grantee\.\nHINT:  Run REVOKE .* $grantee\./,
		"CREATE granted to $grantee: refused");
	$node->safe_psql($db, "REVOKE CREATE ON SCHEMA converge FROM $grantee");
	is(create($db), '', "and created once it is taken back from $grantee");
}
like(create(database('ALTER DEFAULT PRIVILEGES GRANT CREATE ON SCHEMAS TO eve')), qr/ERROR:  55000: other roles may create objects/,
	'also where default privileges do it');

# ---- what must go on working ----

my $db = database('CREATE SCHEMA converge', 'GRANT USAGE ON SCHEMA converge TO eve', 'ALTER DEFAULT PRIVILEGES IN SCHEMA converge GRANT SELECT ON TABLES TO eve',
	'CREATE PUBLICATION all_of_it FOR TABLES IN SCHEMA converge');
is(create($db), '', "the installer's own empty schema");
for my $user (undef, 'admin', undef)
{
	$node->safe_psql($db, 'DROP EXTENSION converge');
	is(create($db, $user), '', 'dropped and created again by ' . ($user // 'the same') . ' superuser');
}
is(create(database('CREATE SCHEMA converge AUTHORIZATION keeper'), 'admin'), '', 'the schema of another superuser');
my $doc = doc(1);
$node->safe_psql($db, qq{SET converge."user" = 'ann'; SELECT converge.create_document('', 'é😀', '$doc')});
my $dump = PostgreSQL::Test::Utils::tempdir . '/dump';
$node->command_ok([ 'pg_dump', '--file', $dump, $node->connstr($db) ], 'dumped');
for my $user ($node->safe_psql('postgres', 'SELECT CURRENT_USER'), 'admin')
{
	my $target = database();

	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr($target) . " user=$user" ], "restored by $user");
	is($node->safe_psql($target, qq{SET converge."user" = 'ann'; SELECT converge.content('$doc')}), 'é😀', 'and the text is there');
}

# ---- pgcrypto, which any role that may create schemas may create, too ----

$db = database($as_eve, 'CREATE SCHEMA evil', 'CREATE EXTENSION pgcrypto SCHEMA evil');
is(create($db), '', 'created beside the pgcrypto of a plain role');
$node->safe_psql($db, q{INSERT INTO converge.users (id, name, address, password_hash) VALUES ('eve', 'Eve', 'eve@example.org', converge.bcrypt('correct horse'))});
my $make_eve_great = 'LANGUAGE plpgsql AS $$BEGIN ALTER ROLE eve SUPERUSER; RETURN $1; END$$';
my $change = q{SELECT converge.change_password('correct horse', 'battery staple')};
my $as_user = $node->connstr($db) . ' user=eve';

# What a plain role gets for a statement.
sub as_eve
{
	my (@statements) = @_;
	my ($ret, $stdout, $stderr) = $node->psql($db, join("\n", map { "$_;" } @statements), connstr => $as_user, on_error_stop => 1);

	return $ret == 0 ? $stdout : $stderr;
}
is(as_eve('CREATE SCHEMA evil2', "CREATE FUNCTION evil2.crypt(text, text) RETURNS text $make_eve_great", "CREATE FUNCTION evil2.gen_salt(text, integer) RETURNS text $make_eve_great",
	'ALTER EXTENSION pgcrypto ADD FUNCTION evil2.crypt(text, text)', 'ALTER EXTENSION pgcrypto ADD FUNCTION evil2.gen_salt(text, integer)'), '', 'whose owner adds functions to it');
is(as_eve($change), 't', 'passwords are changed all the same');
as_eve('ALTER EXTENSION pgcrypto DROP FUNCTION evil2.crypt(text, text)', 'ALTER EXTENSION pgcrypto DROP FUNCTION evil2.gen_salt(text, integer)');

# a transaction whose snapshot still has the extension
my $old_snapshot = $node->background_psql($db, extra_params => [ '-U', 'eve' ], on_error_stop => 0);
$old_snapshot->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_extension');
is(as_eve('DROP EXTENSION pgcrypto', "CREATE FUNCTION evil.crypt(text, text) RETURNS text $make_eve_great", "CREATE FUNCTION evil.gen_salt(text, integer) RETURNS text $make_eve_great"), '',
	'whose owner puts other functions in its place');
like($old_snapshot->query($change) . $old_snapshot->{stderr}, qr/accounts need the extension pgcrypto/, 'which are not called');
$old_snapshot->query('COMMIT');
$old_snapshot->quit;
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'eve'}), 'f', 'nor anywhere');

# ---- default privileges ----

# Every privilege on every object of the extension, its owner's aside.
sub privileges
{
	my ($name) = @_;

	return $node->safe_psql($name, q{
		SELECT what, pg_describe_object(class, oid, 0), CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type, a.is_grantable
		FROM (SELECT 'f' AS what, 'pg_proc'::regclass AS class, oid, coalesce(proacl, acldefault('f', proowner)) AS acl, proowner AS owner FROM pg_proc WHERE pronamespace = 'converge'::regnamespace
			  UNION ALL SELECT 'r', 'pg_class', oid, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)), relowner FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind IN ('r', 'v', 'S')
			  UNION ALL SELECT 'T', 'pg_type', oid, coalesce(typacl, acldefault('T', typowner)), typowner FROM pg_type WHERE typnamespace = 'converge'::regnamespace AND typname IN ('op', 'role', 'blame_run')) AS o,
			 aclexplode(acl) AS a
		WHERE a.grantee <> o.owner ORDER BY 1, 2, 3, 4});
}

$db = database();
is(create($db), '', 'created with default privileges as they are');
my $as_designed = privileges($db);
like($as_designed, qr/^f\|function converge.edit\(uuid,converge.op\)\|PUBLIC\|EXECUTE\|f$/m, 'everybody may call what is for everybody');
unlike($as_designed, qr/converge.become|converge.submit/, 'and nobody what is for the relay');
for my $case (
	[ 'functions for one role', 'GRANT EXECUTE ON FUNCTIONS TO eve' ],
	[ 'functions for one role, who may pass that on', 'GRANT EXECUTE ON FUNCTIONS TO "eve" WITH GRANT OPTION' ],
	[ 'functions for nobody', 'REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC' ],
	[ 'tables for one role', 'GRANT ALL ON TABLES TO eve' ],
	[ 'tables for everybody', 'GRANT ALL ON TABLES TO PUBLIC' ],
	[ 'sequences for everybody', 'GRANT ALL ON SEQUENCES TO PUBLIC' ],
	[ 'types for one role', 'GRANT USAGE ON TYPES TO staff' ],
	[ 'types for nobody', 'REVOKE USAGE ON TYPES FROM PUBLIC' ],
	[ 'tables of the schema', 'IN SCHEMA converge GRANT ALL ON TABLES TO eve' ])
{
	my ($name, $privilege) = @$case;

	$db = database('CREATE SCHEMA converge', "ALTER DEFAULT PRIVILEGES $privilege");
	is(create($db), '', "default privileges, $name: created");
	is(privileges($db), $as_designed, "default privileges, $name: the extension's are the same");
}

$node->stop;
done_testing();
