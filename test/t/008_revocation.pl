# Roles taken from users who are typing: nothing of theirs comes after the revocation, in
# the log or in the stream, and what was acknowledged stays.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use ConvergeTest;

my $node = start_node('revocation');
my $doc = doc(1);
my $dir = PostgreSQL::Test::Utils::tempdir;
my $ops_each = 100000;		# far more than anybody gets to make

# How each types, in a loop of transactions, till one is refused; prints a line an op.
my %typing = (
	ben => "SELECT 'ben ' || converge.edit('$doc', '[\"é\"]')",
	cleo => "SELECT 'cleo ' || version FROM converge.apply_op('$doc', gen_random_uuid(), 0, '[\"😀\"]')",
	dan => "SELECT format('%s %s', replace(code, 'applied', 'dan'), version) FROM converge.submit(ARRAY['$doc']::uuid[], '{dan}', ARRAY[gen_random_uuid()], '{0}', '{\"[\\\"x\\\"]\"}', true)");
my %revoke = (
	ben => "SELECT converge.unshare('$doc', 'ben')",
	cleo => "SELECT converge.share('$doc', 'cleo', 'viewer')",
	dan => "SELECT converge.share('$doc', 'dan', 'commenter')");

$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('slot', 'converge');"
	. q{SET converge."user" = 'ann';} . "SELECT converge.create_document('', '', '$doc');"
	. join('', map { "SELECT converge.share('$doc', '$_', 'editor');" } keys %typing));
my %run;
for my $user (keys %typing)
{
	my %client = (out => '', err => '');

	append_to_file("$dir/$user", "SET converge.\"user\" = '$user';\n" . "$typing{$user};\n" x $ops_each);
	$client{run} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres'), '-f', "$dir/$user" ],
		'<', \undef, '>', \$client{out}, '2>', \$client{err});
	$run{$user} = \%client;
}
for my $user (sort keys %typing)
{
	my $client = $run{$user};

	$client->{run}->pump until ($client->{out} =~ tr/\n//) >= 20;
	$node->safe_psql('postgres', qq{SET converge."user" = 'ann'; $revoke{$user}});

	# submit refuses without failing
	$client->{run}->pump while $client->{run}->pumpable && $client->{out} !~ /^forbidden/m;
	$client->{run}->kill_kill if $user eq 'dan';
	$client->{run}->finish;
	like($client->{out} . $client->{err}, qr/^forbidden|ERROR:  OT002$/m, "$user is refused");
}

my @lines = events($node, 'slot');
for my $user (sort keys %typing)
{
	my @mine = grep { /"userId":"$user"/ } @lines;
	my ($revoked) = grep { $mine[$_] =~ /"type":"member"/ && $mine[$_] !~ /"role":"editor"/ } 0 .. $#mine;
	my @acknowledged = $run{$user}{out} =~ /^$user (\d+)$/mg;

	is($revoked, $#mine, "$user: the stream has nothing after the revocation");
	is_deeply([ map { /"version":(\d+)/ } @mine ], \@acknowledged, "$user: and all that was acknowledged before");
	is($node->safe_psql('postgres', "SELECT count(*) FROM converge.ops WHERE user_id = '$user'"), scalar(@acknowledged), "$user: so has the log");
}

$node->stop;
done_testing();
