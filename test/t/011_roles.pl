# The recipes of doc/access.md for roles that read everything, as they stand there: an analyst
# reads through tables and functions and writes nothing; a backup role's dump is complete.
use strict;
use warnings;

use File::Basename qw(dirname);
use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $page = slurp_file(dirname(abs_path(__FILE__)) . '/../../doc/access.md');
my $node = start_node('roles');
my @docs = (doc(1), doc(2));
my $dir = PostgreSQL::Test::Utils::tempdir;

# The SQL below a heading of the page's recipes: the blocks up to the next heading.
sub recipe
{
	my ($heading) = @_;
	my ($text) = $page =~ /^\*\*\Q$heading\E\*\*(.*?)(?=^\*\*|^## )/ms;

	return $text =~ /^```sql\n(.*?)^```/msg;
}

# What a role gets: its answer, or the SQLSTATE.
sub as_role
{
	my ($role, $statement) = @_;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', $statement, connstr => $node->connstr('postgres') . " user=$role",
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);

	return $ret == 0 ? $stdout : $stderr =~ /ERROR:\s+(\w{5})/ ? $1 : $stderr;
}

$node->safe_psql('postgres', join("\n", 'CREATE ROLE app LOGIN;', 'CREATE ROLE ben LOGIN;',
	q{CREATE ROLE relay LOGIN REPLICATION; SELECT converge.allow_relay('relay');}, 'GRANT SET ON PARAMETER converge.acting_user TO app;',
	q{SET converge.acting_user = 'ann';}, "SELECT converge.create_document('é', 'é😀', '$docs[0]'); SELECT converge.edit('$docs[0]', '[\"1\"]');",
	q{SET converge.acting_user = 'zoë';}, "SELECT converge.create_document('', '', '$docs[1]');",
	q{INSERT INTO converge.users (id, name, address, password_hash) VALUES ('ann', 'Ann', 'ann@example.org', '')}));

# ---- an analyst ----

my ($setup, $verify) = recipe('Analysts');
$node->safe_psql('postgres', $setup);
is(as_role('analyst', $verify), '', 'every document is verified in one SELECT, and all is well');
$node->safe_psql('postgres', "UPDATE converge.heads SET length = 99 WHERE doc_id = '$docs[1]'");
like(as_role('analyst', $verify), qr/^$docs[1]\|.*99/m, 'and a problem shows');
$node->safe_psql('postgres', "UPDATE converge.heads SET length = 0 WHERE doc_id = '$docs[1]'");
is(as_role('analyst', 'SELECT string_agg(converge.content(id), \'|\' ORDER BY id) FROM converge.documents'), '1é😀|', 'they read every text');
is(as_role('analyst', 'SELECT count(*) FROM converge.ops'), '1', 'and every table');
is(as_role('analyst', 'SELECT count(*) FROM converge.storage'), '2', 'also what documents occupy');
is(as_role('analyst', $_), '42501', "they may not: $_") for 'SELECT converge.create_document()', 'INSERT INTO converge.ops DEFAULT VALUES', 'TABLE converge.users';
is(as_role('analyst', q{SET converge.acting_user = 'ann'; SELECT converge.acting_user()}), 'analyst', 'nor act for others');
is(as_role('analyst', $_), 'OT002', "nor: $_") for "SELECT converge.edit('$docs[0]', '[]')", "SELECT converge.share('$docs[0]', 'analyst', 'owner')", "SELECT converge.delete_document('$docs[0]')", "SELECT converge.snapshot('$docs[0]')";
is(as_role('ben', 'SELECT converge.create_document()'), '42501', 'nor does anybody else who is not named');
like(as_role('app', q{SET converge.acting_user = 'cleo'; SELECT converge.create_document()}), qr/^[0-9a-f-]{36}$/, 'who is named may');
like(as_role('relay', q{BEGIN; SELECT 'became' FROM converge.become('dan'); SELECT converge.create_document(); COMMIT}), qr/^[0-9a-f-]{36}$/m, 'the relay for its users, too');

# ---- a backup ----

# Dump as a role; what pg_dump complains of.
sub dumps
{
	my ($role) = @_;
	my ($stdout, $stderr) = run_command([ 'pg_dump', '--file', "$dir/$role", '-d', $node->connstr('postgres') . " user=$role" ]);

	return $stderr;
}

my ($backup) = recipe('Backups');
$node->safe_psql('postgres', 'CREATE ROLE lacking LOGIN BYPASSRLS');
like(dumps('lacking'), qr/permission denied for (table|sequence)/, 'BYPASSRLS alone is not enough for pg_dump');
like(dumps('ben'), qr/permission denied/, 'nor is no right at all');
$node->safe_psql('postgres', $backup);
is(dumps('backup'), '', 'the role of the recipe dumps');
my ($grant) = $backup =~ /or: (GRANT .*)$/m;
$node->safe_psql('postgres', $grant =~ s/backup/lacking/r);
is(dumps('lacking'), '', 'so does one with the smaller grant');
for my $role ('backup', 'lacking')
{
	$node->safe_psql('postgres', "CREATE DATABASE of_$role TEMPLATE template0");
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/$role", '-d', $node->connstr("of_$role") ], "$role: restored");
	is($node->safe_psql("of_$role", q{SELECT string_agg(converge.content(id), '|' ORDER BY id) FROM converge.documents WHERE id::text LIKE 'd0000000%'; SELECT count(*) FROM converge.users}), "1é😀|\n1", "$role: every text and account is there");
	cmp_ok($node->safe_psql("of_$role", "SET converge.acting_user = 'ann'; SELECT converge.edit('$docs[0]', '[\"2\"]'); SELECT seq FROM converge.heads WHERE doc_id = '$docs[0]'") =~ s/.*\n//sr, '>', 1, "$role: and the next seq is a new one");
	is($node->safe_psql("of_$role", q{SELECT has_function_privilege('ben', 'converge.create_document(text, text, uuid)', 'execute'), has_function_privilege('app', 'converge.create_document(text, text, uuid)', 'execute')}), 'f|t', "$role: who may create documents is restored as well");
}

$node->stop;
done_testing();
