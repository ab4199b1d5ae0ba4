# Connections that a pooler shares out by the transaction: pgbouncer in transaction mode,
# the real one. Whom a transaction acts for, and what it prepared, must not reach the
# next one's.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;
my ($version) = `$pgbouncer --version` =~ /PgBouncer (\d+\.\d+)/;

my $node = start_node('pooled');
my $doc = doc(1);
my $dir = PostgreSQL::Test::Utils::tempdir;
my $port = PostgreSQL::Test::Cluster::get_free_port();

$node->safe_psql('postgres', join("\n", 'CREATE ROLE app LOGIN;', 'CREATE ROLE plain LOGIN;', 'CREATE ROLE relay LOGIN;',
	'GRANT SET ON PARAMETER converge."user" TO app;', "SELECT converge.allow_relay('relay');",
	q{SET converge."user" = 'ann';}, "SELECT converge.create_document('', 'é', '$doc'), converge.share('$doc', 'ben', 'editor');"));

# one server connection for all of a role's clients, so that they must share it
append_to_file("$dir/users", join('', map { "\"$_\" \"\"\n" } qw(app plain relay)));
append_to_file("$dir/pgbouncer.ini", join("\n",
	'[databases]', 'pooled = ' . $node->connstr('postgres') =~ s/'//gr,
	'[pgbouncer]', "unix_socket_dir = $dir", 'listen_addr =', "listen_port = $port",
	'auth_type = trust', "auth_file = $dir/users",
	'pool_mode = transaction', 'default_pool_size = 1', 'max_client_conn = 50',
	($version >= 1.21 ? 'max_prepared_statements = 10' : ()), ''));
my ($out, $err) = ('', '');
my $pooler = IPC::Run::start([ $pgbouncer, "$dir/pgbouncer.ini" ], '<', \'', '>', \$out, '2>', \$err);
END { $pooler->signal('TERM'), $pooler->finish if $pooler }
$pooler->pump until $err =~ /process up/ || !$pooler->pumpable;
like($err, qr/process up/, "PgBouncer $version") or diag($err);

# A client of the pooler that stays: psql, fed a statement at a time.
sub client
{
	my ($user) = @_;
	my %client = (in => '', out => '', err => '', n => 0);

	$client{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-d', "host=$dir port=$port dbname=pooled user=$user", '-v', 'VERBOSITY=sqlstate' ],
		'<', \$client{in}, '>', \$client{out}, '2>', \$client{err});
	return \%client;
}

# What a client's statements answer, errors as their SQLSTATE.
sub ask
{
	my ($client, @statements) = @_;
	my $mark = 'mark ' . ++$client->{n};

	$client->{out} = $client->{err} = '';
	$client->{in} .= join("\n", @statements) . "\n\\echo $mark\n\\warn $mark\n";
	$client->{run}->pump until $client->{out} =~ /^$mark$/m && $client->{err} =~ /^$mark$/m;
	my $answer = $client->{out} =~ s/^$mark\n//mr;
	$answer .= join('', map { "$_\n" } $client->{err} =~ /ERROR:  (\w+)/g);
	chomp $answer;
	return $answer;
}

my ($one, $two) = (client('app'), client('app'));
my $server = ask($one, 'SELECT pg_backend_pid();');
is(ask($two, 'SELECT pg_backend_pid();'), $server, 'two clients share one server connection');

# ---- the acting user of a transaction ----

my $who = 'SELECT converge.acting_user();';
my $edit = "SELECT version FROM converge.apply_op('$doc', gen_random_uuid(), 0, '[\"😀\"]');";
is(ask($one, 'BEGIN;', q{SET LOCAL converge."user" = 'ann';}, $who, $edit, 'COMMIT;'), "ann\n1", 'a transaction acts for a user');
is(ask($two, $who), 'app', 'the next one only for itself');
is(ask($two, $edit), 'OT002', 'who may nothing');
is(ask($two, 'BEGIN;', q{SELECT set_config('converge.user', 'ben', true);}, $who, $edit, 'COMMIT;'), "ben\nben\n2", 'another acts for another');
is(ask($one, 'BEGIN;', q{SET LOCAL converge."user" = 'ann';}, 'SELECT 1 / 0;', 'COMMIT;'), '22012', 'a transaction fails');
is(ask($two, $who), 'app', 'and leaves nothing behind');
is(ask($one, 'BEGIN;', q{SET LOCAL converge."user" = 'ann';}, 'SELECT count(*) FROM converge.ops;', 'COMMIT;', 'SELECT count(*) FROM converge.ops;'),
	"2\n0", 'rows are seen by the transaction that may, and not by the next');
is($node->safe_psql('postgres', 'SELECT version, user_id FROM converge.ops ORDER BY version'), "1|ann\n2|ben", 'each stands under its author');

# interleaved: the second waits for the connection until the first has committed
ask($one, 'BEGIN;', q{SET LOCAL converge."user" = 'ann';}, $edit);
$two->{in} .= "BEGIN; SET LOCAL converge.\"user\" = 'ben';\n";
$two->{run}->pump_nb;
is(ask($one, $who, 'COMMIT;'), 'ann', 'one at a time');
is(ask($two, $who, 'COMMIT;'), 'ben', 'each as himself');

# a plain user cannot, through a pooler or not
my $plain = client('plain');
is(ask($plain, $who, 'BEGIN;', q{SET LOCAL converge."user" = 'ann';}, 'ROLLBACK;', $who), "plain\nplain\n42501", 'one who was not granted it acts as himself');

# ---- the relay's way ----

my ($relay, $other) = (client('relay'), client('relay'));
is(ask($relay, 'BEGIN;', q{SELECT converge.become('ben');}, $edit, 'COMMIT;'), "\n4", 'become lasts for a transaction');
is(ask($other, $who), 'relay', 'and no longer');
is(ask($other, "SELECT code FROM converge.submit(ARRAY['$doc']::uuid[], '{ann}', ARRAY['" . op_id(9) . "']::uuid[], '{0}', '{[]}');"), 'applied',
	'the gateway needs no setting at all');

# ---- prepared statements ----

# of the protocol: named ones where the pooler follows them; unnamed ones anywhere.  A
# thread for each client: pgbench waits where it prepares, and would keep the client that
# has the server connection from its COMMIT.
for my $mode ('extended', 'prepared')
{
  SKIP:
	{
		skip "PgBouncer $version does not follow prepared statements in transaction mode", 2 if $mode eq 'prepared' && $version < 1.21;
		my $script = "$dir/$mode.sql";
		my $before = $node->safe_psql('postgres', "SELECT version FROM converge.heads WHERE doc_id = '$doc'");

		append_to_file($script, join("\n", '\set who random(0, 1)', 'BEGIN;', q{SELECT set_config('converge.user', (ARRAY['ann', 'ben'])[:who + 1], true);},
			"SELECT converge.apply_op('$doc', gen_random_uuid(), 0, converge.insert(0, (ARRAY['a', 'b'])[:who + 1]));", 'COMMIT;', ''));
		command_ok(
			[ 'pgbench', '-n', '-M', $mode, '-c', 8, '-j', 8, '-t', 25, '-f', $script, "host=$dir port=$port dbname=pooled user=app" ],
			"$mode statements of many clients over one connection");
		is($node->safe_psql('postgres', "SELECT count(*), bool_and(op::text LIKE '%\"' || left(user_id, 1) || '\"%') FROM converge.ops WHERE doc_id = '$doc' AND version > $before"),
			'200|t', "$mode statements: each op stands under who made it");
	}
}

for my $client ($one, $two, $plain, $relay, $other)
{
	$client->{in} .= "\\q\n";
	$client->{run}->finish;
}
$pooler->signal('TERM');
$pooler->finish;
undef $pooler;
$node->stop;
done_testing();
