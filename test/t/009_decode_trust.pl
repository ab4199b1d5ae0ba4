# What the output plugin takes for a table of the extension, and how it tells what no row
# tells: nothing that a role may do to a database takes a decoding server down, and no
# change of a member passes without a line.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('trust');
my $resync = '{"type":"resync"}';

# The lines that statements give in a database, by a slot that is there.
sub lines_of
{
	my ($database, @statements) = @_;

	$node->safe_psql($database, join("\n", @statements));
	return split(/\n/, $node->safe_psql($database,
		"SET client_min_messages = error; SELECT data FROM pg_logical_slot_get_changes('$database', NULL, NULL)"));
}

# A database with a slot named like it.
sub new_database
{
	my ($name, @statements) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, join("\n", @statements, "SELECT pg_create_logical_replication_slot('$name', 'converge')"));
}

# What the server logged since the last time.
my $logged = 0;

sub warnings
{
	my $text = slurp_file($node->logfile, $logged);

	$logged = -s $node->logfile;
	return [ $text =~ /WARNING:  output plugin "converge" cannot tell a change of table (\S+)/g ];
}

# ---- a database without the extension ----

# Tables of every name that speaks, whose columns are all of one type; rows that reach past it.
new_database('plain');
$node->safe_psql('plain', 'CREATE ROLE stranger LOGIN REPLICATION; GRANT CREATE ON DATABASE plain TO stranger');
my %columns = (
	documents => [qw(id title)],
	members => [qw(doc_id user_id role)],
	ops => [qw(doc_id version seq op_id user_id base_version op created_at)]);
my %values = (
	bigint => '1', int => '2', boolean => 'true', text => "'é'", uuid => "'" . doc(1) . "'", timestamptz => 'now()',
	bytea => "'\\xff'", 'text[]' => "'{a,b}'", 'numeric' => '3.5', 'double precision' => '1.5', '"char"' => "'x'",
	oid => '7', jsonb => "'{}'", interval => "'1 day'");

sub rows_of
{
	my ($table, $type) = @_;
	my $list = join(', ', @{ $columns{$table} });
	my $first = $columns{$table}[0];
	my $value = $values{$type};

	return (
		"INSERT INTO converge.$table ($list) VALUES (" . join(', ', ($value) x @{ $columns{$table} }) . ');',
		"UPDATE converge.$table SET $first = $first;", "DELETE FROM converge.$table;", "TRUNCATE converge.$table;");
}

for my $type (sort keys %values)
{
	is_deeply(
		[ lines_of('plain', 'SET ROLE stranger;', 'CREATE SCHEMA converge;',
			(map { my $table = $_; ("CREATE TABLE converge.$table (" . join(', ', map { "$_ $type" } @{ $columns{$table} }) . ');',
				"ALTER TABLE converge.$table REPLICA IDENTITY FULL;", rows_of($table, $type)) } sort keys %columns),
			'DROP SCHEMA converge CASCADE;') ],
		[], "a stranger's tables of type $type give nothing");
}

# The right types in all but one column, domains, parts and children, columns missing, dropped and more.
my %shapes = (
	'domains' => 'CREATE DOMAIN converge.id AS uuid; CREATE DOMAIN converge.name AS text; CREATE TYPE converge.role AS ENUM (\'owner\');
		CREATE TABLE converge.members (doc_id converge.id, user_id converge.name, role converge.role);',
	'types of the same names' => 'CREATE DOMAIN converge.op AS bigint; CREATE TYPE converge.role AS ENUM (\'owner\');
		CREATE TABLE converge.ops (doc_id uuid, version bigint, seq bigint, op_id uuid, user_id text, base_version bigint, op converge.op, created_at timestamptz);
		CREATE TABLE converge.members (doc_id uuid, user_id text, role converge.role);',
	'a column missing' => 'CREATE TABLE converge.members (doc_id uuid, user_id text); CREATE TABLE converge.documents (title text);',
	'a column dropped, and more of them' => 'CREATE TABLE converge.documents (gone int, id bigint, more text, title int); ALTER TABLE converge.documents DROP COLUMN gone;',
	'parts' => 'CREATE TABLE converge.all_members (doc_id bigint, user_id int, role int) PARTITION BY LIST (role);
		CREATE TABLE converge.members PARTITION OF converge.all_members DEFAULT;',
	'children' => 'CREATE TABLE converge.base (id bigint, title text); CREATE TABLE converge.documents () INHERITS (converge.base);');
my $long_text = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)";
my %value_of = (uuid => $values{uuid}, id => $values{uuid}, role => "'owner'", timestamptz => 'now()', text => $long_text, name => $long_text);

for my $shape (sort keys %shapes)
{
	my @changes;

	$node->safe_psql('plain', "SET ROLE stranger; CREATE SCHEMA converge; $shapes{$shape}");
	for my $table (split(/\n/, $node->safe_psql('plain', q{SELECT relname FROM pg_class WHERE relnamespace = 'converge'::regnamespace AND relkind = 'r'})))
	{
		my %type = split(/[|\n]/, $node->safe_psql('plain', qq{SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
			WHERE attrelid = 'converge.$table'::regclass AND attnum > 0 AND NOT attisdropped}));
		my @names = sort keys %type;
		my @row = map { $value_of{ $type{$_} } // '1' } @names;

		push @changes, "ALTER TABLE converge.$table REPLICA IDENTITY FULL;",
			"INSERT INTO converge.$table (" . join(', ', @names) . ') VALUES (' . join(', ', @row) . ');',
			"UPDATE converge.$table SET $names[0] = $names[0];", "DELETE FROM converge.$table;";
	}
	cmp_ok(scalar(@changes), '>=', 4, "$shape: there are tables");
	is_deeply([ lines_of('plain', 'SET ROLE stranger;', @changes) ], [], "$shape: give nothing");
	$node->safe_psql('plain', 'DROP SCHEMA converge CASCADE');
}
is_deeply(warnings(), [], 'and nothing is said about them');

# ---- the extension comes, goes, and comes again, under one slot ----

my $d = doc(1);
my $typed = "SELECT converge.create_document('', '', '$d'); SELECT converge.edit('$d', '[\"é\"]');";

is_deeply(
	[ map { s/"userId":"[^"]*"/"userId":U/r } plain_events(lines_of('plain', 'BEGIN; CREATE EXTENSION converge;', $typed, 'COMMIT;')) ],
	[
		qq({"type":"member","documentId":"$d","userId":U,"role":"owner"}),
		(map { s/"userId":"[^"]*"/"userId":U/r } plain_events(stored_events($node, 'true', 'plain')))
	],
	'the extension speaks from the transaction on that makes it');
is_deeply([ lines_of('plain', 'DROP EXTENSION converge;') ], [ $resync ], 'DROP EXTENSION says that all is to be read anew');
is_deeply([ lines_of('plain', 'CREATE EXTENSION converge;', $typed) ]->[-1], (stored_events($node, 'true', 'plain'))[-1],
	'and an extension made anew speaks, whose types have other oids');
is_deeply([ map { /"type":"(\w+)"/ } lines_of('plain', "BEGIN; SELECT converge.edit('$d', '[\"x\"]');",
	'DROP EXTENSION converge; CREATE EXTENSION converge;', $typed, 'COMMIT;') ],
	[ 'op', 'resync', 'member', 'op' ], 'also within one transaction, in its place');
is_deeply([ lines_of('plain', 'DROP EXTENSION converge; CREATE TABLE converge.members (doc_id int, user_id int, role int);
	INSERT INTO converge.members VALUES (1, 2, 3); DELETE FROM converge.members;') ], [ $resync ],
	"a table of the extension's name made after it is nobody's");
is_deeply(warnings(), [ ('converge.documents') x 3 ], 'each time the server says so');

# ---- what takes a member away without a row that tells it ----

sub sql
{
	return $node->safe_psql('postgres', join("\n", @_));
}

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('postgres', 'converge'); SET converge.\"user\" = 'ann';
	SELECT converge.create_document('', '', '$d'); SELECT converge.share('$d', name, 'editor') FROM unnest('{ben,cleo,dan,eve,finn,gil}'::text[]) name;");
lines_of('postgres', 'SELECT 1');

# Statements, and the lines that they give: users with roles, "-" for none, or another type.
my $takes = sub {
	my ($name, $expected, @statements) = @_;

	is_deeply([ map { /"userId":"(\w+)","role":(?:"(\w+)"|null)/ ? "$1 " . ($2 // '-') : /"type":"(\w+)"/ ? $1 : $_ }
		lines_of('postgres', @statements) ], $expected, $name);
};

$takes->('by hand', ['ben -'], "DELETE FROM converge.members WHERE user_id = 'ben';");
$takes->('another user in the row', [ 'cleo -', 'ben editor' ], "UPDATE converge.members SET user_id = 'ben' WHERE user_id = 'cleo';");
$takes->('the same key written anew', ['ben editor'], "UPDATE converge.members SET user_id = 'ben', doc_id = doc_id WHERE user_id = 'ben';");
my $d2 = doc(2);
is_deeply([ lines_of('postgres', "UPDATE converge.members SET doc_id = '$d2' WHERE user_id = 'ben';") ],
	[ qq({"type":"member","documentId":"$d","userId":"ben","role":null}), qq({"type":"member","documentId":"$d2","userId":"ben","role":"editor"}) ],
	'another document in the row');
$takes->('by COPY', [ 'hal viewer', 'ivy viewer' ], "COPY converge.members (doc_id, user_id, role) FROM STDIN;\n$d\thal\tviewer\n$d\tivy\tviewer\n\\.\n");
$takes->('as logical replication does', [ 'hal -', 'ivy commenter' ],
	"SELECT pg_replication_origin_create('elsewhere'); SELECT pg_replication_origin_session_setup('elsewhere'); SET session_replication_role = replica;",
	"DELETE FROM converge.members WHERE user_id = 'hal'; UPDATE converge.members SET role = 'commenter' WHERE user_id = 'ivy';");
is_deeply(warnings(), [], 'none of that is worth a warning');

for my $identity ('NOTHING', 'USING INDEX members_role', 'DEFAULT')
{
	my $name = $identity eq 'DEFAULT' ? 'no primary key' : "REPLICA IDENTITY $identity";

	sql('CREATE UNIQUE INDEX members_role ON converge.members (created_at, role)', '') if $identity =~ /INDEX/;
	sql('ALTER TABLE converge.members DROP CONSTRAINT members_pkey') if $identity eq 'DEFAULT';
	sql("ALTER TABLE converge.members REPLICA IDENTITY $identity");
	lines_of('postgres', "INSERT INTO converge.members VALUES ('$d', 'kim', 'editor') ON CONFLICT DO NOTHING");
	warnings();
	$takes->("$name: a deleted row", ['resync'], "DELETE FROM converge.members WHERE user_id = 'kim';");
	$takes->("$name: a changed row may have had another key", [ 'resync', 'zoe editor' ], "UPDATE converge.members SET user_id = 'zoe' WHERE user_id = 'dan';");
	$takes->("$name: many of them", ['resync'], "DELETE FROM converge.members WHERE user_id IN ('zoe', 'eve');");
	is_deeply(warnings(), [ ('converge.members') x 3 ], "$name: a warning each transaction");
	sql("INSERT INTO converge.members VALUES ('$d', 'dan', 'editor'), ('$d', 'eve', 'editor')");
	lines_of('postgres', 'SELECT 1');
}
sql('ALTER TABLE converge.members ADD PRIMARY KEY (doc_id, user_id)', '; DROP INDEX converge.members_role');
lines_of('postgres', 'SELECT 1');
warnings();
for my $identity ('FULL', 'USING INDEX members_other', 'DEFAULT')
{
	sql('CREATE UNIQUE INDEX members_other ON converge.members (user_id, doc_id, role)') if $identity =~ /INDEX/;
	sql("ALTER TABLE converge.members REPLICA IDENTITY $identity");
	$takes->("REPLICA IDENTITY $identity: all is told", [ 'dan -', 'zoe editor', 'zoe -', 'dan editor' ],
		"UPDATE converge.members SET user_id = 'zoe' WHERE user_id = 'dan'; DELETE FROM converge.members WHERE user_id = 'zoe';",
		"INSERT INTO converge.members VALUES ('$d', 'dan', 'editor');");
}
is_deeply(warnings(), [], 'without a warning');
sql('DROP INDEX converge.members_other');

# a user's id that does not fit into its row
my $long = sql("SELECT string_agg(md5(n::text), '') FROM generate_series(1, 80) n");
sql('DROP INDEX converge.members_user_id_idx; ALTER TABLE converge.members ALTER COLUMN user_id SET STORAGE EXTERNAL;',
	"ALTER TABLE converge.members REPLICA IDENTITY FULL; INSERT INTO converge.members VALUES ('$d', '$long', 'editor')");
lines_of('postgres', 'SELECT 1');
is_deeply([ lines_of('postgres', "UPDATE converge.members SET role = 'viewer' WHERE user_id LIKE 'c4%'; DELETE FROM converge.members WHERE user_id LIKE 'c4%';") ],
	[ map { qq({"type":"member","documentId":"$d","userId":"$long","role":$_}) } '"viewer"', 'null' ],
	'a long user id that stays as it is comes with its new role');
sql('ALTER TABLE converge.members REPLICA IDENTITY DEFAULT');

# ---- what takes tables away ----

warnings();

for my $table (qw(documents heads members ops packs snapshots))
{
	is_deeply([ lines_of('postgres', "BEGIN; TRUNCATE converge.$table;", 'ROLLBACK;') ], [], "TRUNCATE of $table, taken back");
	is_deeply([ lines_of('postgres', 'BEGIN;', "SAVEPOINT s; TRUNCATE converge.$table; RELEASE s;", "TRUNCATE converge.$table;", 'COMMIT;') ],
		[$resync], "TRUNCATE of $table, once a transaction");
}
is_deeply([ lines_of('postgres', 'TRUNCATE converge.undos; CREATE TABLE public.ops (n int); TRUNCATE public.ops; DROP TABLE public.ops;') ],
	[], 'TRUNCATE of others gives nothing');
is_deeply(warnings(), [ map { "converge.$_" } qw(documents heads members ops packs snapshots) ], 'a warning each');
sql("SET converge.\"user\" = 'ann'; SELECT converge.create_document('', '', '" . doc(3) . "')");
lines_of('postgres', 'SELECT 1');
$takes->('a column that is written anew', ['resync'], "ALTER TABLE converge.members ALTER COLUMN role TYPE converge.role USING 'viewer';");
$takes->('and the edits behind it come after that', [ 'resync', 'op' ], 'BEGIN;', "SET converge.\"user\" = 'ann';",
	"ALTER TABLE converge.members ALTER COLUMN role TYPE converge.role USING CASE user_id WHEN 'ann' THEN 'owner'::converge.role ELSE role END;",
	"SELECT converge.edit('" . doc(3) . "', '[\"é\"]');", 'COMMIT;');
$takes->('an unlogged table', ['resync'], 'ALTER TABLE converge.members SET UNLOGGED;');
$takes->('is logged again', ['zoe viewer'], "ALTER TABLE converge.members SET LOGGED; INSERT INTO converge.members VALUES ('$d', 'zoe', 'viewer');");
$takes->('a table taken out of the extension', ['resync'], 'ALTER EXTENSION converge DROP TABLE converge.members;');
$takes->('says nothing', [], "UPDATE converge.members SET role = 'editor' WHERE user_id = 'zoe';");
$takes->('until it is taken in', ['zoe viewer'], 'ALTER EXTENSION converge ADD TABLE converge.members;', "UPDATE converge.members SET role = 'viewer' WHERE user_id = 'zoe';");
$takes->('a table under another name', ['resync'], 'ALTER TABLE converge.members RENAME TO members_now;');
$takes->('and under its own', ['zoe -'], 'ALTER TABLE converge.members_now RENAME TO members;', "DELETE FROM converge.members WHERE user_id = 'zoe';");

# ---- columns that are not what the extension made ----

warnings();
$takes->('a role that is a text', [ 'resync' ], "ALTER TABLE converge.members RENAME COLUMN role TO was; ALTER TABLE converge.members ALTER COLUMN was DROP NOT NULL;",
	'ALTER TABLE converge.members ADD COLUMN role text;', "INSERT INTO converge.members (doc_id, user_id, role) VALUES ('$d', 'zoe', 'owner');");
like(slurp_file($node->logfile), qr/DETAIL:  It has no column "role" of type converge\.role\. Consumers are told to read the tables anew\./, 'the log says which');
$takes->('a role that is null', [ 'resync' ], "ALTER TABLE converge.members DROP COLUMN role; ALTER TABLE converge.members RENAME COLUMN was TO role;",
	"INSERT INTO converge.members (doc_id, user_id) VALUES ('$d', 'finn');");
$takes->('a role that is one', [ 'gil viewer' ], "INSERT INTO converge.members (doc_id, user_id, role) VALUES ('$d', 'gil', 'viewer');");
sql('DELETE FROM converge.ops');
lines_of('postgres', 'SELECT 1');
is_deeply([ lines_of('postgres', "INSERT INTO converge.ops VALUES ('$d', 1, 1, 0, 'infinity', gen_random_uuid(), 0, 'ann', '[\"é\"]');") ],
	[$resync], 'an operation without a moment');
is_deeply(warnings(), [ 'converge.members', 'converge.members', 'converge.ops' ], 'a warning each');

# for all shards, and with the time of the commit where that is wanted
sql('TRUNCATE converge.members');
like(sql(q{SET client_min_messages = error; SELECT data FROM pg_logical_slot_get_changes('postgres', NULL, NULL, 'shards', '4096', 'shard', '7', 'committed', 'on')}),
	qr/^\{"type":"resync","committed":\d{16}\}$/, 'it is for every shard');

$node->stop;
done_testing();
