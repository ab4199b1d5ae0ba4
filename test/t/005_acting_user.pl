# Who acts, in sessions that name another before the library is loaded: the setting is
# a mere placeholder then, and must not become a way in.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('acting');
my $doc = doc(1);
my $read = "SELECT converge.content('$doc')";
my $who = 'SELECT converge.acting_user()';

$node->safe_psql('postgres', join("\n", 'CREATE ROLE ben LOGIN;', 'CREATE ROLE app LOGIN;',
	'CREATE ROLE web LOGIN;', 'CREATE ROLE gateway LOGIN;', 'CREATE ROLE relay LOGIN;',
	'GRANT SET ON PARAMETER converge."user" TO app, gateway;', 'GRANT SET ON PARAMETER converge.acting_user TO web, gateway;',
	"SELECT converge.allow_relay('relay');",
	q{SET converge."user" = 'ann';}, "SELECT converge.create_document('', 'é😀', '$doc');"));

# Run statements in a new session of a user, with options given at connection.
sub session
{
	my ($user, $options, @statements) = @_;

	local $ENV{PGOPTIONS} = $options;
	my ($ret, $stdout, $stderr) = $node->psql('postgres', join(";\n", @statements) . ';', on_error_stop => 0,
		connstr => $node->connstr('postgres') . " user=$user");
	return ($stdout, $stderr);
}

# Both names of the setting, which only one role was granted, do the same.
for my $name ('converge."user"', 'converge.acting_user')
{
	my $plain = $name =~ s/"//gr;
	my $granted = $plain eq 'converge.user' ? 'app' : 'web';

	for my $case (
		[ 'set before the library is loaded', '', "SET $name = 'ann'" ],
		[ 'set in a transaction', '', 'BEGIN', "SET LOCAL $name = 'ann'" ],
		[ 'set in a savepoint', '', 'BEGIN', 'SAVEPOINT s', "SELECT set_config('$plain', 'ann', true)", 'RELEASE s' ],
		[ 'set when connecting', "-c $plain=ann" ])
	{
		my ($when, $options, @statements) = @$case;
		my ($stdout, $stderr) = session('ben', $options, @statements, $who);

		like($stdout, qr/^ben$/m, "$plain, a plain user, $when: acts as themselves");
		unlike($stdout, qr/\nann$/, "$plain, a plain user, $when: and as nobody else");
		($stdout, $stderr) = session('ben', $options, @statements, $read);
		unlike($stdout, qr/é/, "$plain, a plain user, $when: and reads nothing");
		like($stderr, qr/permission denied (to set parameter "$plain"|for document)/, "$plain, a plain user, $when: an error says so");

		($stdout, $stderr) = session($granted, $options, @statements, $who);
		like($stdout, qr/^ann$/m, "$plain, one who was granted it, $when: acts as another");
		($stdout, $stderr) = session($granted eq 'app' ? 'web' : 'app', $options, @statements, $who);
		unlike($stdout, qr/\nann$/, "$plain, one who was granted the other name, $when: does not");
	}

	my ($stdout, $stderr) = session('ben', '', "ALTER ROLE ben SET $name = 'ann'");
	isnt($stderr, '', "$plain: a plain user cannot have it set for them");
	($stdout, $stderr) = session('ben', '', $who);
	is($stdout, 'ben', "$plain: and acts as themselves");

	# what an administrator sets for a role holds
	$node->safe_psql('postgres', qq{$who; ALTER ROLE ben SET $name = 'ann'});
	($stdout, $stderr) = session('ben', '', $who, $read);
	is($stdout, "ann\né😀", "$plain: what an administrator sets for a role holds");
	$node->safe_psql('postgres', "ALTER ROLE ben RESET $name");

	# a user id that cannot be one, set before anybody checks it
	for my $bad ('*', 'x' x 256)
	{
		($stdout, $stderr) = session($granted, '', "SET $name = '$bad'", $who);
		is($stdout, $granted, "$plain: '" . substr($bad, 0, 5) . "' is no user");
		like($stderr, qr/invalid value for parameter "$plain"/, "$plain: and an error says so");
	}
}

# ---- both names at once ----

my $conflict = qr/ERROR:  settings converge.acting_user and converge.user name different users\nDETAIL:  They name "ben" and "ann", and it is not known which was set last\.\nHINT:  /;
my ($old, $new) = (q{SET converge."user" = 'ann'}, q{SET converge.acting_user = 'ben'});

# What a session of a role that may set both answers.
sub both
{
	my (@statements) = @_;

	return session('gateway', '', '\set VERBOSITY verbose', @statements);
}

for my $use ($who, $read, 'SELECT count(*) FROM converge.documents', "SELECT converge.my_role('$doc')", "SELECT converge.edit('$doc', '[]')",
	q{SELECT converge.create_document()}, "SELECT converge.may_read('$doc')")
{
	# before the library is loaded nothing notes which was set last
	my ($stdout, $stderr) = both($old, $new, $use);

	is($stdout, '', "both names, other users, before the library is loaded: $use gives nothing");
	like($stderr, $conflict, 'but an error');
}
for my $case ([ 'the same user', 'ann', $old, q{SET converge.acting_user = 'ann'} ],
	[ 'the new one reset', 'ann', $old, $new, 'RESET converge.acting_user' ],
	[ 'the new one empty', 'ann', $old, $new, q{SET converge.acting_user = ''} ],
	[ 'the old one reset', 'ben', $old, $new, 'RESET converge."user"' ],
	[ 'the old one first', "gateway\nben", $who, $old, $new ],
	[ 'the new one first', "gateway\nann", $who, $new, $old ],
	[ 'the old one set once more', "gateway\nann", $who, $old, $new, $old ],
	[ 'one for a transaction', "gateway\nben", $who, $old, 'BEGIN', q{SET LOCAL converge.acting_user = 'ben'} ],
	[ 'and the older one for a transaction', "gateway\nann", $who, $new, 'BEGIN', q{SET LOCAL converge."user" = 'ann'} ],
	[ 'the last one rolled back', "gateway\nann", $who, $new, $old, 'BEGIN', q{SET LOCAL converge.acting_user = 'cleo'}, 'ROLLBACK' ],
	[ 'after a transaction that named another', 'ann', $old, 'BEGIN', q{SET LOCAL converge.acting_user = 'ben'}, 'COMMIT' ],
	[ 'after a rollback', 'ann', $old, 'BEGIN', $new, 'ROLLBACK' ],
	[ 'all reset', 'gateway', $old, $new, 'RESET ALL' ])
{
	my ($name, $expected, @statements) = @$case;
	my ($stdout, $stderr) = both(@statements, $who);

	is($stdout, $expected, "both names, $name");
}

# parallel workers know what their leader knows
my @parallel = ('SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0', 'SET max_parallel_workers_per_gather = 2');
my $in_workers = 'SELECT DISTINCT converge.acting_user() FROM many';
$node->safe_psql('postgres', 'CREATE TABLE many AS SELECT generate_series(1, 10000) AS n; ANALYZE many; GRANT SELECT ON many TO PUBLIC');
my ($stdout, $stderr) = both(@parallel, $new, "EXPLAIN (COSTS off) $in_workers", $in_workers);
like($stdout, qr/Workers Planned.*\nben$/s, 'a parallel query acts for the user that is named');
($stdout, $stderr) = both(@parallel, $new, $old, $in_workers);
like($stderr, $conflict, 'and fails where two are');

# become() names the user under both names, whatever the session or its role were given
$node->safe_psql('postgres', q{ALTER ROLE relay SET converge.acting_user = 'stale'});
for my $before ([], [$old])
{
	($stdout, $stderr) = session('relay', '', @$before, 'BEGIN', q{SELECT 'became', converge.become('cleo')}, $who,
		q{SELECT current_setting('converge.user'), current_setting('converge.acting_user')}, 'COMMIT', $who);
	like($stdout, qr/^became\|\ncleo\ncleo\|cleo\nstale$/m, 'become() prevails to the end of the transaction, and no longer');
}

$node->stop;
done_testing();
