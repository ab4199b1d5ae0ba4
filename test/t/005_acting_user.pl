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
	'GRANT SET ON PARAMETER converge."user" TO app;',
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

for my $case (
	[ 'set before the library is loaded', '', q{SET converge."user" = 'ann'} ],
	[ 'set in a transaction', '', 'BEGIN', q{SET LOCAL converge."user" = 'ann'} ],
	[ 'set in a savepoint', '', 'BEGIN', 'SAVEPOINT s', q{SELECT set_config('converge.user', 'ann', true)}, 'RELEASE s' ],
	[ 'set when connecting', '-c converge.user=ann' ])
{
	my ($name, $options, @statements) = @$case;
	my ($stdout, $stderr) = session('ben', $options, @statements, $who);

	like($stdout, qr/^ben$/m, "a plain user, $name: he acts as himself");
	unlike($stdout, qr/\nann$/, "a plain user, $name: and as nobody else");
	($stdout, $stderr) = session('ben', $options, @statements, $read);
	unlike($stdout, qr/é/, "a plain user, $name: and reads nothing");
	like($stderr, qr/permission denied (to set parameter "converge.user"|for document)/, "a plain user, $name: he is told");

	($stdout, $stderr) = session('app', $options, @statements, $who);
	like($stdout, qr/^ann$/m, "one who was granted it, $name: he acts as another");
}

my ($stdout, $stderr) = session('ben', '', q{ALTER ROLE ben SET converge."user" = 'ann'});
isnt($stderr, '', 'a plain user cannot have it set for him');
($stdout, $stderr) = session('ben', '', $who);
is($stdout, 'ben', 'and acts as himself');

# what an administrator sets for a role holds
$node->safe_psql('postgres', qq{$who; ALTER ROLE ben SET converge."user" = 'ann'});
($stdout, $stderr) = session('ben', '', $who, $read);
is($stdout, "ann\né😀", 'what an administrator sets for a role holds');

# a user id that cannot be one, set before anybody checks it
for my $bad ('*', 'x' x 256)
{
	($stdout, $stderr) = session('app', '', qq{SET converge."user" = '$bad'}, $who);
	is($stdout, 'app', "'" . substr($bad, 0, 5) . "' is no user");
	like($stderr, qr/invalid value for parameter "converge.user"/, 'and he is told');
}

$node->stop;
done_testing();
